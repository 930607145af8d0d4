import type { Position } from './tree.js';

/** Something about a configuration that its author should know. Errors keep it from booting. */
export interface Finding {
  /** The rule's name in kebab case, as in docs/rules.md. */
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'note';
  readonly at: Position;
  /** What is wrong, with the values that are. */
  readonly message: string;
  /** How to mend it. */
  readonly remedy: string;
}

/** `file:line:col: error: message; remedy [rule]`. */
export const describe = ({ at, severity, message, remedy, rule }: Finding): string =>
  `${at.file}:${at.line}:${at.col}: ${severity}: ${message}; ${remedy} [${rule}]`;

/** A configuration that cannot be used, with everything that is wrong with it. */
export class ConfigError extends Error {
  constructor(readonly findings: readonly Finding[]) {
    super(findings.map(describe).join('\n'));
    this.name = 'ConfigError';
  }
}
