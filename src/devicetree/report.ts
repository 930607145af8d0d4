import type { Finding } from './finding.js';
import type { SourceRule } from './source-rules.js';
import type { Position } from './tree.js';

/** Collects what is wrong with a source while it is read. */
export class Report {
  readonly findings: Finding[] = [];

  error(rule: SourceRule, at: Position, message: string, remedy: string): void {
    this.findings.push({ rule, severity: 'error', at, message, remedy });
  }

  warning(rule: SourceRule, at: Position, message: string, remedy: string): void {
    this.findings.push({ rule, severity: 'warning', at, message, remedy });
  }
}
