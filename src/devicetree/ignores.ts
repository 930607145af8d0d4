import { didYouMean } from './suggest.js';
import type { Finding } from './finding.js';
import type { Position } from './tree.js';

/** A comment `hv440-ignore: RULE REASON`: findings of the rule at one place are known, and wanted. */
export interface Ignore {
  /** Where the comment begins. */
  readonly at: Position;
  /** The line that it is about: its own, where something stands before it there, or else that of the next word. */
  readonly about: { readonly file: string; readonly line: number };
  /** As they stand there; several with commas between them. */
  readonly rules: readonly string[];
  readonly reason: string;
}

/** What the text of a comment says to ignore, without its place; undefined for any other comment. */
export function readIgnore(comment: string): Pick<Ignore, 'rules' | 'reason'> | undefined {
  const text = comment.replaceAll(/^\/[*/]|\*\/$|\n\s*\*(?!\/)/g, ' ').trim();
  const [, names, reason] = /^hv440-ignore\b\s*:?\s*(\S*)\s*(.*)$/s.exec(text) ?? [];
  if (names === undefined || reason === undefined) return undefined;
  return { rules: names.split(',').filter((name) => name !== ''), reason: reason.replaceAll(/\s+/g, ' ') };
}

/** The rules on comments that ignore findings. */
export const ignoreRules = [
  {
    name: 'ignore-without-reason',
    severity: 'warning',
    summary:
      'A comment `hv440-ignore` names a rule, and says why its finding does not matter; otherwise it is not heard.',
    remedy: 'Write `/* hv440-ignore: RULE REASON */`.',
  },
  {
    name: 'ignore-unknown-rule',
    severity: 'warning',
    summary: 'A comment `hv440-ignore` names a rule that there is.',
    remedy: 'Spell it as the finding does, in brackets.',
  },
  {
    name: 'ignore-of-error',
    severity: 'warning',
    summary:
      'A comment `hv440-ignore` is about a finding that one can live with: not an error that keeps a partition from running.',
    remedy: 'Mend the error, and take the comment out.',
  },
  {
    name: 'ignore-unused',
    severity: 'warning',
    summary:
      'There is something to ignore where a comment `hv440-ignore` stands: before or on the line of the finding.',
    remedy: 'Take the comment out, or move it before the line that the finding names.',
  },
] as const;

/** What is known of rules by whoever applies comments. */
export interface IgnoreOptions {
  /** The names of all rules. */
  readonly known: readonly string[];
  /** Whether a rule has been run: only then is a comment that ignores nothing worth a word. */
  readonly ran: (rule: string) => boolean;
  /** Whether an error of the rule can be ignored too. */
  readonly waivable: (rule: string) => boolean;
}

/** The findings that no comment ignores, and what is wrong with the comments. */
export function applyIgnores(
  findings: readonly Finding[],
  ignores: readonly Ignore[],
  { known, ran, waivable }: IgnoreOptions,
): Finding[] {
  if (ignores.length === 0) return [...findings];
  const ignored = new Set<Finding>();
  const about = byPlace(findings);
  const wrong: Finding[] = [];
  for (const { at, about: place, rules, reason } of ignores) {
    const tell = (rule: (typeof ignoreRules)[number]['name'], message: string, remedy: string): void =>
      void wrong.push({ rule, severity: 'warning', at, message, remedy });
    if (rules.length === 0 || reason === '') {
      tell(
        'ignore-without-reason',
        'this comment ignores nothing: it gives no reason',
        'write /* hv440-ignore: RULE REASON */',
      );
      continue;
    }
    for (const name of rules) {
      if (!known.includes(name)) {
        tell('ignore-unknown-rule', `there is no rule '${name}' to ignore`, didYouMeanRule(name, known));
        continue;
      }
      const here = about.get(key(place, name)) ?? [];
      const firm = here.filter(({ severity }) => severity === 'error' && !waivable(name));
      for (const finding of here) if (!firm.includes(finding)) ignored.add(finding);
      if (firm.length > 0)
        tell(
          'ignore-of-error',
          `'${name}' is an error, without which nothing boots`,
          'mend it, and take this comment out',
        );
      else if (here.length === 0 && ran(name))
        tell(
          'ignore-unused',
          `line ${place.line} has no finding of '${name}' to ignore`,
          elsewhere(name, place, findings),
        );
    }
  }
  return [...findings.filter((finding) => !ignored.has(finding)), ...wrong];
}

const key = ({ file, line }: Ignore['about'], rule: string): string => `${rule} ${line} ${file}`;

function byPlace(findings: readonly Finding[]): Map<string, Finding[]> {
  const places = new Map<string, Finding[]>();
  for (const finding of findings) {
    const place = key(finding.at, finding.rule);
    const there = places.get(place);
    if (there) there.push(finding);
    else places.set(place, [finding]);
  }
  return places;
}

/** A remedy that names a rule, but never all of them. */
function didYouMeanRule(name: string, known: readonly string[]): string {
  const remedy = didYouMean(name, known);
  return remedy.startsWith('did') ? remedy : 'write the name that a finding has in brackets';
}

/** Where the comment most likely belongs: the nearest finding of the rule in that file. */
function elsewhere(rule: string, { file, line }: Ignore['about'], findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ rule: other, at }) => (other === rule && at.file === file ? at.line : []));
  const [nearest] = lines.toSorted((a, b) => Math.abs(a - line) - Math.abs(b - line) || a - b);
  return nearest === undefined ? 'take the comment out' : `move it before line ${nearest}, or take it out`;
}
