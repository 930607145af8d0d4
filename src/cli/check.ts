import { ConfigError, type Finding } from '../devicetree/finding.js';
import { checkConfig, explain, readTree, type SourceFlags } from './config.js';
import { FileError, USAGE_STATUS } from './errors.js';
import { Files } from './files.js';

export interface CheckOptions extends SourceFlags {
  readonly json?: boolean;
}

/** `hv440 check CONFIG.dts…`: all that is wrong with all of them, on standard output. Gives the exit status. */
export function check(configs: readonly string[], options: CheckOptions): number {
  const { json = false } = options;
  const findings = configs.flatMap((config) => findingsOf(config, options));
  const errors = findings.filter((f) => f.severity === 'error').length;
  const lines = json ? [JSON.stringify(findings, null, 2)] : findings.map(explain);
  if (!json && errors === 0) lines.push(`${configs.join(', ')}: no errors`);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return errors > 0 ? USAGE_STATUS : 0;
}

/** Everything that is wrong with a file; a broken blob, or no such file, is a finding like others. */
function findingsOf(config: string, flags: SourceFlags): readonly Finding[] {
  try {
    return checkConfig(readTree(config, flags), new Files()).findings;
  } catch (error) {
    if (error instanceof ConfigError) return error.findings;
    if (error instanceof FileError) return [unusable(error)];
    throw error;
  }
}

const unusable = ({ file, problem, remedy }: FileError): Finding => ({
  rule: 'file',
  severity: 'error',
  at: { file, line: 1, col: 1 },
  message: problem,
  remedy,
});
