import type { Finding } from '../devicetree/finding.js';
import { ruleNamed } from '../devicetree/checks/index.js';
import { provenance } from '../devicetree/origin.js';

const level = { error: 'error', warning: 'warning', note: 'note' } as const;

/** A path as a URI reference; characters that a URI cannot have are escaped. */
const uri = (file: string): string => (file.startsWith('/') ? `file://${encodeURI(file)}` : encodeURI(file));

/** Findings as a SARIF 2.1.0 log, as code hosts and editors show them. */
export function sarif(findings: readonly Finding[], version: string): unknown {
  const names = [...new Set(findings.map(({ rule }) => rule))];
  const rules = names.map((id) => ({ id, shortDescription: { text: ruleNamed(id)?.summary ?? id } }));
  const results = findings.map((finding) => ({
    ruleId: finding.rule,
    ruleIndex: names.indexOf(finding.rule),
    level: level[finding.severity],
    message: { text: [`${finding.message}; ${finding.remedy}`, ...provenance(finding.at)].join('\n') },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uri(finding.at.file) },
          region: { startLine: finding.at.line, startColumn: finding.at.col },
        },
      },
    ],
  }));
  const driver = { name: 'hv440', version, rules };
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }],
  };
}
