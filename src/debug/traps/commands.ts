import { exitKinds } from '../../devicetree/bindings/partitions.js';
import { trapNames } from '../../hypervisor/exit-detail.js';
import { ExpressionError, parseExpression } from '../expression.js';
import type { Process, Target } from '../target.js';
import { isTrap, kindsOf, type TrapRecord } from './record.js';
import type { Catch, TrapStops } from './stops.js';
import { summaryLine } from './text.js';

/** Commands on traps, for GDB's monitor and for our own prompt. */

/** Every name by which `catch` and `traps` know traps. */
export const trapKindNames: readonly string[] = [...new Set<string>([...exitKinds, ...trapNames, 'inject', 'any'])];

/** What may be asked for, or why not. */
type Parsed = Omit<Catch, 'number'> | { readonly problem: string };

/** `[trap] [KIND[,KIND]] [PARTITION] [if EXPRESSION]` */
function parseCatch(text: string, processes: readonly Process[], traps: TrapStops): Parsed {
  const [, head = '', expression] = /^(.*?)(?:(?:^|\s+)if\s+(.+))?$/.exec(text.trim()) ?? [];
  const words = head.split(/[\s,]+/).filter((word) => word !== '' && word !== 'trap');
  const kinds: string[] = [];
  let process: Process | undefined;
  for (const word of words) {
    const named = processes.find(({ name }) => name === word);
    if (named) process = named;
    else if (trapKindNames.includes(word)) kinds.push(word);
    else return { problem: `'${word}' is neither a kind of trap nor a partition; kinds: ${trapKindNames.join(' ')}` };
  }
  const made = { kinds: kinds.includes('any') ? [] : kinds, process, text: text.trim() };
  if (expression === undefined) return made;
  try {
    const parsed = parseExpression(expression);
    const condition = (target: Target, record: TrapRecord): boolean => {
      try {
        return parsed({ target, program: traps.programOf(target), names: (name) => trapName(record, name) }) !== 0;
      } catch (error) {
        if (error instanceof ExpressionError) return true; // its author should see that it has no value
        throw error;
      }
    };
    return { ...made, condition };
  } catch (error) {
    if (error instanceof ExpressionError) return { problem: `if ${expression}: ${error.message}` };
    throw error;
  }
}

/** What a condition can ask of the trap itself, beside the registers as it left them. */
function trapName({ pc, msr, pid, cycle, number, word }: TrapRecord, name: string): number | undefined {
  const values: Readonly<Record<string, number | undefined>> = {
    trap_pc: pc,
    trap_msr: msr >>> 0,
    trap_pid: pid,
    trap_cycle: cycle,
    trap_number: number,
    trap_word: word,
  };
  return values[name];
}

/** `catch …`: stop at such traps from now on; without anything behind it, any. */
export function catchTraps(traps: TrapStops, processes: readonly Process[], text: string): string[] {
  const parsed = parseCatch(text, processes, traps);
  if ('problem' in parsed) return [parsed.problem];
  const { number } = traps.catch(parsed);
  return [`catch ${number}: ${describeCatch(parsed)}`];
}

const describeCatch = ({ kinds, process, text }: Omit<Catch, 'number'>): string => {
  const [, expression] = /(?:^|\s)if\s+(.+)$/.exec(text) ?? [];
  const what = kinds.length === 0 ? 'any trap' : kinds.join(' or ');
  return `${what}${process ? ` of ${process.name}` : ''}${expression === undefined ? '' : ` if ${expression}`}`;
};

/** `catches`: what is caught. */
export const catchLines = (traps: TrapStops): string[] =>
  traps.catches.length === 0
    ? ['no traps are caught']
    : traps.catches.map((each) => `catch ${each.number}: ${describeCatch(each)}`);

/** `uncatch [N]`. */
export function uncatchTraps(traps: TrapStops, text: string): string[] {
  const word = text.trim();
  const number = word === '' ? undefined : Number(word);
  return traps.uncatch(number) ? [] : [`there is no catch ${word}`];
}

const DEFAULT_COUNT = 10;

/** `traps [N] [KIND|PARTITION…]`: the last ones in a line each; one alone, or `#NUMBER`, in full. */
export function listTraps(traps: TrapStops, processes: readonly Process[], text: string): string[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (words[0] === 'on' || words[0] === 'off') return followTraps(traps, words[0] === 'on');
  const [, number] = /^#(\d+)$/.exec(words[0] ?? '') ?? [];
  if (number !== undefined)
    return traps.last(1, (record) => record.number === Number(number)).flatMap((r) => traps.lines(r));
  const count = /^\d+$/.test(words[0] ?? '') ? Number(words.shift()) : DEFAULT_COUNT;
  const unknown = words.find((w) => !trapKindNames.includes(w) && !processes.some(({ name }) => name === w));
  if (unknown !== undefined || count < 1)
    return [`traps [N] [KIND|PARTITION…], or traps #NUMBER; kinds: ${trapKindNames.join(' ')}`];
  const names = processes.map(({ name }) => name).filter((name) => words.includes(name));
  const kinds = words.filter((word) => trapKindNames.includes(word) && word !== 'any');
  const found = traps.last(count, (record) => {
    const own = kindsOf(record);
    const wanted = kinds.length === 0 ? isTrap(record) : kinds.some((kind) => own.includes(kind));
    return wanted && (names.length === 0 || names.includes(record.target.process.name));
  });
  if (found.length === 0) return [traps.follows ? 'there was no such trap yet' : 'traps are not followed: traps on'];
  return found.length === 1 && count === 1
    ? traps.lines(found[0]!)
    : found.map((record) => summaryLine(record, traps.programOf(record.target)));
}

function followTraps(traps: TrapStops, on: boolean): string[] {
  traps.follow(on);
  return [on ? 'traps are followed' : 'traps are not followed: nothing stops at them'];
}
