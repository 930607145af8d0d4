import type { Finding } from './finding.js';
import type { SourceRule } from './source-rules.js';
import type { Position } from './tree.js';

/** Nobody reads more of one source. */
const MAX_FINDINGS = 1000;

/** Collects what is wrong with a source while it is read: the first thousand mistakes. */
export class Report {
  readonly findings: Finding[] = [];

  #add(finding: Finding): void {
    if (this.findings.length < MAX_FINDINGS) this.findings.push(finding);
  }

  error(rule: SourceRule, at: Position, message: string, remedy: string): void {
    this.#add({ rule, severity: 'error', at, message, remedy });
  }

  warning(rule: SourceRule, at: Position, message: string, remedy: string): void {
    this.#add({ rule, severity: 'warning', at, message, remedy });
  }
}
