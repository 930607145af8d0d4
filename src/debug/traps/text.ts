import { syndrome, vectors, type Trap } from '../../cpu/trap.js';
import { EV } from '../../hypervisor/hypercall.js';
import { hypercallName } from '../../hypervisor/hypercalls.js';
import { disassemble } from '../../isa/disassemble.js';
import { MSR } from '../../isa/registers.js';
import { Tlb, word0, word2 } from '../../mmu/tlb.js';
import type { Program } from '../program.js';
import { fieldsOfRegister } from '../register-table.js';
import type { Changes, EntryChange, EntryWords, RegisterChange } from './changes.js';
import type { DeliverStage, DeviceStage, HypercallStage, TrapRecord, TrapStage } from './record.js';

/** Trap records as lines for a person. */

const hex = (value: number, digits = 8): string => value.toString(16).padStart(digits, '0');
const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

/** A whole record, in the shape of a paragraph: where, and then a line for each thing that happened. */
export function recordLines(record: TrapRecord, program: Program): string[] {
  return [...headLines(record, program), ...stageLines(record, program, 0), ...resumeLines(record, program)];
}

/** The first line, how the guest stood, and why it left. */
export function headLines(record: TrapRecord, program: Program): string[] {
  const { number, target, pc, word, cycle, since } = record;
  const text = word === undefined ? 'not mapped' : disassemble(word, pc, (address) => targetText(address, program));
  const what = comesFromOutside(record) ? `before ${text}` : text;
  const gap = since === undefined ? '' : ` (+${grouped(since)})`;
  const head = `#${number}  ${target.name}  ${program.text(pc)}  ${what}  at ${grouped(cycle)}${gap}`;
  return [head, ...guestLine(record), ...exitLine(record)];
}

const targetText = (address: number, program: Program): string => {
  const { symbol } = program.place(address);
  return `0x${address.toString(16)}${symbol === undefined ? '' : ` <${symbol}>`}`;
};

const comesFromOutside = ({ cause, exit }: TrapRecord): boolean =>
  cause === undefined && (exit === undefined || exit.kind === 'preempted' || exit.kind === 'host-interrupt');

/** What was done, from this stage on. */
export const stageLines = ({ stages }: TrapRecord, program: Program, from: number): string[] =>
  stages.slice(from).flatMap((stage) => stageText(stage, program));

const LABEL = 9;
const row = (label: string, first: string, rest: readonly string[] = []): string[] => [
  `  ${label.padEnd(LABEL)}${first}`.trimEnd(),
  ...rest.map((line) => `  ${''.padEnd(LABEL)}${line}`),
];

const flags = (name: string, value: number): string =>
  fieldsOfRegister(name)
    .filter(({ low, high }) => low === high && (value >>> low) & 1)
    .map((field) => field.name)
    .toReversed()
    .join(' ');

function guestLine({ msr, pid }: TrapRecord): string[] {
  const state = msr & MSR.PR ? 'user' : 'supervisor';
  const set = flags('msr', msr);
  return row('guest', `${state}, MSR ${hex(msr >>> 0)}${set === '' ? '' : ` (${set})`}, PID ${pid}`);
}

const verbs = { read: 'reading', write: 'writing', execute: 'fetching from' } as const;

/** `data-tlb-miss reading c0001000`, `program (privileged), ESR[PPR]`. */
export function trapText(trap: Trap): string {
  const esr = syndrome(trap);
  const bits = esr === undefined ? '' : flags('esr', esr);
  const cause = 'cause' in trap ? ` (${trap.cause})` : '';
  const level = trap.kind === 'system-call' ? `, LEV ${trap.level}` : '';
  const where = 'access' in trap ? ` ${verbs[trap.access]} ${hex(trap.address)}` : '';
  return `${trap.kind}${cause}${where}${level}${bits === '' ? '' : `, ESR[${bits.replaceAll(' ', ', ')}]`}`;
}

function exitLine({ exit, cause, target, msr }: TrapRecord): string[] {
  const raised = cause ? trapText(cause) : '';
  if (!exit)
    return target.process.kind === 'board'
      ? cause
        ? row('trap', raised)
        : []
      : row(
          'exit',
          msr & MSR.WE ? 'none: it waited for an interrupt' : 'none: an interrupt found it outside of the core',
        );
  const why: string = {
    preempted: 'its quantum is over',
    'host-interrupt': 'an alarm of the machine is due',
    hypercall: raised,
    emulate: raised || 'debug events are on: it runs on its own machine',
    device: raised,
    'shadow-miss': raised,
    reflect: `${raised}: the guest's own`,
  }[exit.kind];
  return row('exit', `${exit.kind.padEnd(15)} ${why}`);
}

function stageText(stage: TrapStage, program: Program): string[] {
  switch (stage.kind) {
    case 'emulate': {
      const { pc, word, ahead, changes, dcr, raised } = stage;
      const text = word === undefined ? '' : disassemble(word, pc, (address) => targetText(address, program));
      const device = dcr ? [`${dcr.name} ${hex(dcr.before)} -> ${hex(dcr.after)}`] : [];
      const done = raised ? [`raises ${trapText(raised)}`] : [...device, ...changeTexts(changes)];
      return listed(ahead ? 'then' : 'emulate', text, done);
    }
    case 'device':
      return listed(
        'device',
        deviceText(stage),
        stage.raised ? [`raises ${trapText(stage.raised)}`] : changeTexts(stage.changes),
      );
    case 'fill':
      return row(
        'fill',
        `for ${hex(stage.address)}, from the guest's entry ${stage.origin}`,
        stage.entries.map(shadowText),
      );
    case 'hypercall':
      return row('call', hypercallText(stage));
    case 'deliver':
      return row('inject', deliverText(stage, program));
    default:
      return stage satisfies never;
  }
}

/** The first change stands beside what made it, the others below. */
function listed(label: string, what: string, changes: readonly string[]): string[] {
  const [first = '', ...rest] = changes;
  return row(
    label,
    `${what.padEnd(20)} ${first}`,
    rest.map((line) => `${''.padEnd(20)} ${line}`),
  );
}

const changeTexts = ({ registers, tlb }: Changes): string[] => [...registers.map(registerText), ...tlb.map(entryText)];

/** `MSR 00021000 -> 00029000 (+EE)`. */
export function registerText({ name, before, after }: RegisterChange): string {
  const fields = fieldsOfRegister(name.toLowerCase())
    .toReversed()
    .flatMap(({ name: field, low, high }) => {
      const mask = 2 ** (high - low + 1) - 1;
      const [old, now] = [Math.floor(before / 2 ** low) & mask, Math.floor(after / 2 ** low) & mask];
      if (old === now) return [];
      return low === high ? [`${now ? '+' : '-'}${field}`] : [`${field} ${old.toString(16)} -> ${now.toString(16)}`];
    });
  return `${name} ${hex(before)} -> ${hex(after)}${fields.length > 0 ? ` (${fields.join(' ')})` : ''}`;
}

const attributes = ['W', 'I', 'M', 'G', 'E'] as const;
const permissions = ['UX', 'UW', 'UR', 'SX', 'SW', 'SR'] as const;

/** `c0000000 16M -> 001000000 TS 0 TID 0 SX SW SR`; `none` where it is not valid. */
export function entryWordsText(words: EntryWords): string {
  const tlb = new Tlb(Int32Array.from([...words.map((word) => word | 0), ...Array<number>(252).fill(0)]));
  if (!tlb.valid(0)) return 'none';
  const named = [...permissions, ...attributes].filter((name) => words[2] & word2[name]).join(' ');
  const space = words[0] & word0.TS ? 1 : 0;
  return `${hex(tlb.base(0))} ${sizeText(tlb.bytes(0))} -> ${hex(tlb.realBase(0), 9)} TS ${space} TID ${tlb.tid(0)} ${named}`;
}

export const sizeText = (bytes: number): string => (bytes >= 2 ** 20 ? `${bytes / 2 ** 20}M` : `${bytes / 1024}K`);

const entryText = ({ entry, before, after }: EntryChange): string =>
  `TLB[${entry}] ${entryWordsText(before)} => ${entryWordsText(after)}`;

const shadowText = ({ entry, before, after }: EntryChange): string => {
  const gone = entryWordsText(before);
  return `shadow[${entry}] ${entryWordsText(after)}${gone === 'none' ? '' : `, in place of ${gone}`}`;
};

function deviceText({ use, physical, register, value }: DeviceStage): string {
  const what = register ?? `${hex(physical, 9)}, where nothing answers`;
  if (!value) return `${use} ${what}`;
  const digits = hex(value.value, 2 * value.bytes);
  const letter =
    use === 'write' && value.bytes === 1 && value.value > 0x20 && value.value < 0x7f
      ? ` '${String.fromCharCode(value.value)}'`
      : '';
  return `${use} ${what} ${use === 'write' ? '<-' : '->'} ${digits}${letter}`;
}

const statusNames = Object.fromEntries(Object.entries(EV).map(([name, status]) => [status, name]));

/** Calls whose arguments have names: of both lists, and which bytes they carry from where on. */
// prettier-ignore
const calls: Readonly<Record<string, { readonly args: readonly string[]; readonly results: readonly string[]; readonly bytes?: 'args' | 'results' }>> = {
  EV_BYTE_CHANNEL_SEND:    { args: ['handle', 'count'], results: ['count'], bytes: 'args' },
  EV_BYTE_CHANNEL_RECEIVE: { args: ['handle', 'count'], results: ['count'], bytes: 'results' },
  EV_BYTE_CHANNEL_POLL:    { args: ['handle'], results: ['received', 'room'] },
  EV_IDLE:                 { args: [], results: [] },
};

/** `EV_BYTE_CHANNEL_SEND(handle 1, count 2, "hi") = SUCCESS, count 2`. */
function hypercallText({ token, args, results }: HypercallStage): string {
  const name = hypercallName(token);
  const known = Object.hasOwn(calls, name) ? calls[name] : undefined;
  const [status = 0, ...values] = results;
  const named = (names: readonly string[], from: readonly number[]): string[] =>
    names.map((each, i) => `${each} ${from[i]! >>> 0}`);
  const bytes = (from: readonly number[]): string[] => [JSON.stringify(textOf(from.slice(2), from[1]!))];
  const last = args.findLastIndex((value) => value !== 0);
  const asked = known ? named(known.args, args) : args.slice(0, last + 1).map((value) => `0x${value.toString(16)}`);
  const answer = known
    ? named(known.results, values)
    : values.flatMap((value, i) => (value === args[i + 1] ? [] : [`r${i + 4} 0x${value.toString(16)}`]));
  if (known?.bytes === 'args') asked.push(...bytes(args));
  if (known?.bytes === 'results') answer.push(...bytes([0, ...values]));
  return `${name}(${asked.join(', ')}) = ${[statusNames[status] ?? `0x${status.toString(16)}`, ...answer].join(', ')}`;
}

function textOf(words: readonly number[], count: number): string {
  const length = Math.min(count, 16);
  return Array.from({ length }, (_, i) => String.fromCharCode((words[i >> 2]! >>> (24 - 8 * (i & 3))) & 0xff)).join('');
}

function deliverText({ trap, source, pc, msr, esr, dear, handler }: DeliverStage, program: Program): string {
  const { ivor, level } = vectors[trap.kind];
  const prefix = { base: 'SRR', critical: 'CSRR', 'machine-check': 'MCSRR' }[level];
  const set = { [`${prefix}0`]: pc, [`${prefix}1`]: msr >>> 0, ESR: esr, DEAR: dear };
  const saved = Object.entries(set)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${hex(value)}`]))
    .join(' ');
  const why = source === undefined ? '' : `${source} waits; `;
  return `${trapText(trap)}; ${why}${saved}; to IVOR${ivor} ${program.text(handler)}`;
}

/** Where the guest goes on, once it is known. */
export function resumeLines({ resume }: TrapRecord, program: Program): string[] {
  if (!resume) return [];
  const state = resume.msr & MSR.PR ? 'user' : 'supervisor';
  const how = { runs: state, waits: 'waits for an interrupt', ended: 'has ended' }[resume.kind];
  return row('resume', `${program.text(resume.pc)}  ${how}`);
}

/** A record in one line: where, and what was done. */
export function summaryLine(record: TrapRecord, program: Program): string {
  const [head = ''] = headLines(record, program);
  const [first] = record.stages;
  const ahead = record.stages.filter((stage) => stage.kind === 'emulate' && stage.ahead).length;
  const done = record.stages.flatMap((stage) => {
    if (stage.kind === 'deliver') return [`inject ${stage.trap.kind}`];
    return stage === first || stage.kind !== 'emulate' ? [stage.kind] : [];
  });
  const own = record.exit?.kind === 'reflect' || record.stages.length === 0 ? [record.exit?.kind ?? 'trap'] : [];
  return `${head}: ${[...own, ...done].join(', ')}${ahead > 0 ? ` (+${ahead})` : ''}`;
}
