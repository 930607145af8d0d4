import type { Ending } from '../board/machine.js';
import type { TakenTrap, TrapWatch } from '../board/trap-watch.js';
import { R, S } from '../cpu/state.js';
import { vectors, type Trap } from '../cpu/trap.js';
import { disassemble } from '../isa/disassemble.js';
import { MSR } from '../isa/registers.js';
import { symbolAt, type ImageSymbol } from '../loader/image.js';
import { follow, type AddressPath, type Surroundings } from './address-path.js';
import { faultKinds, kindOf, type FaultKind } from './fault-kinds.js';

/** An effective address with the symbol it belongs to: `store_word+0x8`. */
export interface Place {
  readonly address: number;
  readonly symbol?: string;
}

/** An instruction near the one that is to blame; the word is undefined where the program has none mapped. */
export interface CodeLine extends Place {
  readonly word?: number;
  readonly text: string;
  readonly culprit: boolean;
}

/** A trap as a report tells of it. */
export interface TrapReport {
  readonly kind: Trap['kind'];
  /** `privileged`, `data-read`, …, where the kind has causes. */
  readonly cause?: string;
  readonly at: Place;
  /** The address that could not be used. */
  readonly path?: AddressPath;
}

/** What became of a program, and all that a person needs to find out why. Plain data: it goes to JSON as it is. */
export interface FaultReport {
  /** Partition, or `board`. */
  readonly program: string;
  readonly vcpu: number;
  readonly kind: FaultKind;
  readonly meaning: string;
  readonly cycle: number;
  readonly instructions: number;
  readonly pc: Place;
  /** What began it. */
  readonly trap?: TrapReport;
  /** The trap that its handler could not be entered for, where that is another. */
  readonly ended?: TrapReport;
  /** Where the processor went for the first trap, and what became of that. */
  readonly handler?: { readonly ivor: number; readonly at: Place; readonly path: AddressPath };
  readonly code: readonly CodeLine[];
  /** Those that the instruction uses, and those that tell how it came here. */
  readonly registers: Readonly<Record<string, number>>;
  /** The oldest first. */
  readonly exits: readonly string[];
  readonly suggestion: string;
  /** A chapter of the documentation. */
  readonly see: string;
}

/** A program that may have died, as far as a report needs it. */
export interface FaultSubject extends Surroundings {
  readonly name: string;
  readonly vcpu: number;
  readonly instructions: number;
  readonly ending: Ending | undefined;
  readonly traps: TrapWatch;
  /** The same translation failed again and again. */
  readonly repeats: boolean;
  readonly symbols: readonly ImageSymbol[];
  readonly exits: readonly string[];
}

/** Explain what became of a program; undefined where it ended as it should. Changes nothing. */
export function explain(subject: FaultSubject): FaultReport | undefined {
  const { core, traps, ending, repeats } = subject;
  const trapped = repeats || ending?.kind === 'fault-loop' || ending?.kind === 'checkstop';
  const first = trapped ? (traps.origin ?? traps.last) : undefined;
  const death = { ending, last: traps.last, origin: traps.origin, repeats, waits: core.waits };
  const kind = kindOf({ ...death, noHandler: first !== undefined && handlerAddress(first.trap, subject) === 0 });
  if (!kind) return undefined;
  const pc = core.regs.pc;
  const culprit = first ?? { pc, msr: core.system.msr, pid: core.system.pid };
  const code = codeAround(culprit, subject);
  const last = first && traps.last !== first ? traps.last : undefined;
  return {
    program: subject.name,
    vcpu: subject.vcpu,
    kind,
    meaning: faultKinds[kind].meaning,
    cycle: core.clock.now,
    instructions: subject.instructions,
    pc: placeOf(pc, subject),
    ...(first && { trap: trapReport(first, subject) }),
    ...(last && last.trap.kind !== first?.trap.kind && { ended: trapReport(last, subject) }),
    ...(first && ending?.kind === 'fault-loop' && { handler: handlerOf(first, subject) }),
    code,
    registers: registersOf(subject, first, code.find((line) => line.culprit)?.text ?? ''),
    exits: subject.exits,
    suggestion: faultKinds[kind].suggestion,
    see: `docs/faults.md#${kind}`,
  };
}

function placeOf(address: number, { symbols }: FaultSubject): Place {
  const symbol = symbolAt(symbols, address);
  if (!symbol) return { address };
  return { address, symbol: symbol.offset === 0 ? symbol.name : `${symbol.name}+0x${symbol.offset.toString(16)}` };
}

function trapReport({ trap, pc, msr, pid }: TakenTrap, subject: FaultSubject): TrapReport {
  const at = placeOf(pc, subject);
  const cause = 'cause' in trap ? { cause: trap.cause } : {};
  const fetched = trap.kind === 'instruction-tlb-miss' || trap.kind === 'instruction-storage';
  const fetch = fetched || (trap.kind === 'machine-check' && trap.cause === 'instruction-fetch');
  if (fetch) return { kind: trap.kind, ...cause, at, path: follow(pc, { use: 'execute', msr, pid }, subject) };
  if (!('address' in trap)) return { kind: trap.kind, ...cause, at };
  const use = 'access' in trap ? trap.access : trap.cause === 'data-write' ? 'write' : 'read';
  return { kind: trap.kind, ...cause, at, path: follow(trap.address, { use, msr, pid }, subject) };
}

/** Where the processor goes for a trap. */
function handlerAddress({ kind }: Trap, { core }: FaultSubject): number {
  const { words } = core.system;
  return ((words[S.ivpr]! & 0xffff0000) | (words[S.ivor0 + vectors[kind].ivor]! & 0xfff0)) >>> 0;
}

/** An interrupt leaves MSR[IS, PR] clear. */
function handlerOf({ trap, pid }: TakenTrap, subject: FaultSubject) {
  const address = handlerAddress(trap, subject);
  const path = follow(address, { use: 'execute', msr: 0, pid }, subject);
  return { ivor: vectors[trap.kind].ivor, at: placeOf(address, subject), path };
}

const BEFORE = 4;
const AFTER = 2;

function codeAround({ pc, msr, pid }: Omit<TakenTrap, 'trap'>, subject: FaultSubject): CodeLine[] {
  const { core } = subject;
  const space = msr & MSR.IS ? 1 : 0;
  const target = (address: number): string => {
    const { symbol } = placeOf(address, subject);
    return `0x${address.toString(16)}${symbol === undefined ? '' : ` <${symbol}>`}`;
  };
  const lines = Array.from({ length: BEFORE + 1 + AFTER }, (_, i): CodeLine => {
    const address = (pc + 4 * (i - BEFORE)) >>> 0;
    const place = { ...placeOf(address, subject), culprit: address === pc };
    const entry = core.system.tlb.find(address, space, pid);
    const physical = entry < 0 ? -1 : core.system.tlb.real(entry, address);
    const region = core.bus.ram.find(physical);
    if (!region) return { ...place, text: entry < 0 ? 'not mapped' : 'no memory' };
    const word = region.target.read(physical - region.base, 4);
    return { ...place, word, text: disassemble(word, address, target) };
  });
  return lines.filter((line) => line.culprit || line.word !== undefined);
}

const saved = {
  base: ['srr0', 'srr1'],
  critical: ['csrr0', 'csrr1'],
  'machine-check': ['mcsrr0', 'mcsrr1', 'mcsr'],
} as const;

function registersOf({ core }: FaultSubject, first: TakenTrap | undefined, text: string): Record<string, number> {
  const trap = first?.trap;
  const { regs, system } = core;
  const used = [...text.matchAll(/\br(\d+)\b/g)].map(([, n]) => Number(n));
  const gprs = [...new Set([...used, 1])].toSorted((a, b) => a - b);
  const found: Record<string, number> = {};
  for (const n of gprs) found[`r${n}`] = regs.gpr[n]! >>> 0;
  found['LR'] = regs.words[R.LR]! >>> 0;
  found['CTR'] = regs.words[R.CTR]! >>> 0;
  found['MSR'] = (first?.msr ?? system.msr) >>> 0; // as it was before the interrupt
  found['PID'] = system.pid;
  const names = trap ? [...saved[vectors[trap.kind].level], 'esr', 'ivpr', `ivor${vectors[trap.kind].ivor}`] : [];
  if (trap && 'access' in trap) names.push('dear');
  if (core.waits || !trap) names.push('tcr', 'tsr');
  for (const name of names) found[name.toUpperCase()] = system.words[S[name as keyof typeof S]]! >>> 0;
  return found;
}
