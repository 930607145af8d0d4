import type { AddressPath } from './address-path.js';
import type { FaultReport, Place, TrapReport } from './fault-report.js';

const hex = (value: number): string => `0x${value.toString(16)}`;

const place = ({ address, symbol }: Place): string =>
  symbol === undefined ? hex(address) : `${hex(address)} <${symbol}>`;

/** What became of a program in one line, for where there is little room. */
export function faultSummary({ program, kind, trap, pc }: FaultReport): string {
  const what = trap ? `${trapText(trap)}` : `at ${place(pc)}`;
  return `${program}: ${kind}: ${what}`;
}

/** A report as lines for a person. `lastLine` is what the program printed last. */
export function faultLines(report: FaultReport, lastLine: string | undefined): string[] {
  const { program, vcpu, kind, meaning, pc, trap, ended, handler } = report;
  return [
    `${program}/cpu${vcpu}: ${kind}: ${meaning}`,
    ...row('at', [`pc ${place(pc)}, cycle ${report.cycle}, ${report.instructions} instructions`]),
    ...row('trap', trap ? trapLines(trap) : []),
    ...row('handler', handler ? [`IVOR${handler.ivor} leads to ${place(handler.at)}`, ...pathLines(handler.path)] : []),
    ...row('then', ended ? (ended.at.address === handler?.at.address ? [trapText(ended)] : trapLines(ended)) : []),
    ...row('code', codeLines(report)),
    ...row('registers', registerLines(report)),
    ...row('exits', report.exits.slice(-8)),
    ...row('last line', lastLine === undefined ? [] : [JSON.stringify(lastLine)]),
    ...row('try', [report.suggestion]),
    ...row('see', [report.see]),
  ];
}

const LABEL = 12;

const row = (label: string, lines: readonly string[]): string[] =>
  lines.map((line, i) => `  ${(i === 0 ? label : '').padEnd(LABEL - 2)}${line}`);

const uses = { execute: 'fetch from', read: 'load from', write: 'store to' } as const;

function trapText({ kind, cause, at, path }: TrapReport): string {
  const what = path ? `, ${uses[path.use]} ${hex(path.effective)},` : '';
  return `${kind}${cause === undefined ? '' : ` (${cause})`}${what} at ${place(at)}`;
}

const trapLines = (trap: TrapReport): string[] => [trapText(trap), ...(trap.path ? pathLines(trap.path) : [])];

/** Effective -> guest-physical -> physical, a step a line, as far as it goes. */
function pathLines(path: AddressPath): string[] {
  const { effective, user, space, pid, outcome, entry, near, physical, destination, real } = path;
  const who = `${user ? 'user' : 'supervisor'}, address space ${space}, PID ${pid}`;
  if (!entry || physical === undefined) return [`${hex(effective)} (${who}): no TLB entry; ${near}`];
  const { permissions, tid, base, size } = entry;
  const through = `TLB entry ${entry.entry} (${hex(base)}, ${bytes(size)}, TS ${entry.space}, TID ${tid}, ${permissions})`;
  const lines = [`${hex(effective)} (${who}) -> ${through} -> physical ${hex(physical)}`];
  if (outcome === 'forbidden') lines.push(`which does not let the ${user ? 'user' : 'supervisor'} ${verbs[path.use]}`);
  if (destination)
    lines.push(`there is ${destination.text}${real === undefined ? '' : `, on the board at ${hex(real)}`}`);
  return lines;
}

const verbs = { execute: 'execute', read: 'read', write: 'write' } as const;

function bytes(size: number): string {
  if (size >= 2 ** 20) return `${size / 2 ** 20} MiB`;
  return `${size / 1024} KiB`;
}

const codeLines = ({ code }: FaultReport): string[] =>
  code.map((line) => {
    const word = line.word === undefined ? '' : `${(line.word >>> 0).toString(16).padStart(8, '0')}  `;
    return `${line.culprit ? '>' : ' '} ${place(line)}: ${word}${line.text}`;
  });

const A_LINE = 6;

function registerLines({ registers }: FaultReport): string[] {
  const words = Object.entries(registers).map(([name, value]) => `${name} ${value.toString(16).padStart(8, '0')}`);
  const lines: string[] = [];
  for (let i = 0; i < words.length; i += A_LINE) lines.push(words.slice(i, i + A_LINE).join('  '));
  return lines;
}
