import { ruleNamed, ruleNames, type RuleText } from '../devicetree/checks/index.js';
import { examples, findingsOfExample } from '../devicetree/examples/index.js';
import { nearest } from '../devicetree/nearest.js';
import { either } from '../devicetree/suggest.js';
import { boardFile } from '../launch/config.js';
import { UsageError } from '../launch/errors.js';
import { readFile } from '../launch/files.js';

/** The rule of that name. Throws a UsageError, with the nearest, where there is none. */
export function knownRule(name: string): RuleText {
  const rule = ruleNamed(name);
  if (rule) return rule;
  throw new UsageError(`${name}: there is no such rule; ${remedyFor(name)}`);
}

/** The rule that was meant, or a few that it may be; there are too many to name them all. */
function remedyFor(name: string): string {
  const alike = ruleNames.filter((one) => name !== '' && one.includes(name));
  const meant = nearest(name, ruleNames);
  if (meant !== undefined) return `did you mean '${meant}'?`;
  return alike.length > 0 && alike.length <= 8 ? `write ${either(alike)}` : 'docs/rules.md has them all';
}

/** What a rule wants, how to keep to it, and an example: wrong, what is said of it, and mended. */
export function explainRule(name: string): number {
  const rule = knownRule(name);
  const { summary, remedy, requires = [] } = rule;
  const example = examples[name];
  const board = readFile(boardFile);
  const [found] = example && board ? findingsOfExample(name, example, 'wrong', board) : [];
  const lines = [`${name} (${rule.severity ?? found?.severity ?? 'error'})`, '', summary];
  if (remedy !== undefined) lines.push('', remedy);
  if (requires.length > 0) lines.push('', `Looked at where these found nothing: ${requires.join(', ')}`);
  const plain = lines.map((line) => line.replaceAll('`', '').replaceAll('&lt;', '<'));
  if (example && found) {
    plain.push('', 'For example', '', ...shown(example.wrong), '', 'has', '');
    plain.push(`    ${found.severity}: ${found.message}; ${found.remedy} [${name}]`, '', 'and this has not:', '');
    plain.push(...shown(example.right === '' ? '/* the same without it */' : example.right));
  }
  process.stdout.write(plain.map((line) => `${line}\n`).join(''));
  return 0;
}

const LONGEST_EXAMPLE = 40;

/** The lines of an example, indented; of a long one the first. */
function shown(text: string): string[] {
  const lines = text.trimEnd().split('\n');
  const first = lines.slice(0, LONGEST_EXAMPLE).map((line) => `    ${line}`);
  return lines.length > LONGEST_EXAMPLE ? [...first, '    …'] : first;
}
