import { printTree } from '../devicetree/print.js';
import type { Board } from '../board/board.js';
import { BareMachine } from '../board/bare.js';
import type { Vcpu } from '../hypervisor/vcpu.js';
import { MSR } from '../isa/registers.js';
import { TLB_ENTRIES, word2, type Tlb } from '../mmu/tlb.js';
import { backtrace, frameLines } from './backtrace.js';
import type { Debugger } from './debugger.js';
import * as past from './history-commands.js';
import { FIXED, translate } from './memory.js';
import { placeOf } from './named-place.js';
import type { Process, Target } from './target.js';
import { catchLines, catchTraps, listTraps, uncatchTraps } from './traps/commands.js';
import type { TrapStops } from './traps/stops.js';
import { typeAt } from './typing.js';

/** What a command is about. */
export interface MonitorContext {
  readonly debugger: Debugger;
  /** The target that the person is at. */
  readonly target: Target;
  /** Whether memory and breakpoints are of physical addresses; to be changed by `physical`. */
  physical: boolean;
  /** Exits by kind, as `--stats` prints them. */
  readonly exits: () => readonly string[];
  readonly traps: TrapStops;
  /**
   * Whoever keeps registers and memory of a stopped machine, as GDB does, must see it move as it sees it run: what is given is to
   * be called when the person lets it go on, and tells where it then stands. Without this, moves are made at once.
   */
  readonly postpone?: (move: () => readonly string[]) => void;
}

interface Command {
  readonly usage: string;
  readonly help: string;
  /** Lines of the answer. */
  readonly run: (context: MonitorContext, args: readonly string[], rest: string) => readonly string[];
}

// prettier-ignore
const commands: Readonly<Record<string, Command>> = {
  help:       { usage: 'help',            help: 'this list', run: () => help() },
  partitions: { usage: 'partitions',      help: 'the processes: what each is, does, and where it stands', run: partitions },
  tlb:        { usage: 'tlb',             help: 'the valid entries of this processor’s TLB', run: ({ target }) => tlbLines(target.core.system.tlb) },
  shadow:     { usage: 'shadow',          help: 'what the real core’s TLB holds for this vcpu', run: shadow },
  translate:  { usage: 'translate PLACE', help: 'where an effective address, or a symbol’s, leads: physical, and on the board', run: translation },
  uic:        { usage: 'uic',             help: 'the interrupt controllers’ registers', run: controllers },
  devices:    { usage: 'devices',         help: 'memory and devices by physical address, with what registers hold', run: devices },
  exits:      { usage: 'exits',           help: 'exits by kind, and what they cost', run: ({ exits }) => exits() },
  traps:      { usage: 'traps [N] [KIND|PARTITION…]', help: 'the last N traps (default 10), or of these; traps 1, and traps #NUMBER: all of one', run: ({ traps, debugger: { processes } }, _, rest) => listTraps(traps, processes, rest) },
  'trap-step':   { usage: 'trap-step',    help: 'the next continue stops at the end of this processor’s next trap', run: armed('trap-step') },
  'trap-into':   { usage: 'trap-into',    help: 'the next continue stops at the next thing that is done about a trap', run: armed('trap-into') },
  'trap-finish': { usage: 'trap-finish',  help: 'the next continue stops when the program returns from the handler that it is in', run: finish },
  'reverse-trap-step': { usage: 'reverse-trap-step', help: 'to before this processor’s last trap', run: past.reverseTrapStep },
  catch:      { usage: 'catch trap [KIND…] [PARTITION] [if EXPR]', help: 'stop at such traps', run: ({ traps, debugger: { processes } }, _, rest) => catchTraps(traps, processes, rest) },
  catches:    { usage: 'catches',         help: 'what is caught', run: ({ traps }) => catchLines(traps) },
  uncatch:    { usage: 'uncatch [N]',     help: 'catch no longer: this one, or all', run: ({ traps }, _, rest) => uncatchTraps(traps, rest) },
  backtrace:  { usage: 'backtrace',       help: 'the functions that have not returned, across handlers into what they interrupted', run: backtraceLines },
  type:       { usage: 'type TEXT',       help: 'type at the first stream of this processor’s program: \\n ends a line', run: type },
  dt:         { usage: 'dt',              help: 'the device tree that this processor’s program has', run: (context) => printTree(boardOf(context)?.tree ?? context.debugger.machine.board.tree).trimEnd().split('\n') },
  history:    { usage: 'history',         help: 'how far the past goes back, where in it this is, bookmarks', run: past.history },
  goto:       { usage: 'goto STEP|NAME',  help: 'to a moment by its steps, or to a bookmark', run: past.goto },
  'goto-time': { usage: 'goto-time CYCLE', help: 'to a moment by the clock', run: past.gotoTime },
  bookmark:   { usage: 'bookmark NAME',   help: 'remember this moment', run: past.bookmark },
  'where-written': { usage: 'where-written PLACE [BYTES]', help: 'which instruction wrote there last', run: past.whereWritten },
  physical:   { usage: 'physical on|off', help: 'whether memory and new breakpoints are of physical addresses', run: physical },
};

const help = (): string[] => Object.values(commands).map(({ usage, help }) => `${usage.padEnd(28)}${help}`);

/** The names of all commands. */
export const commandNames: readonly string[] = Object.keys(commands);

/** Run one line; gives the lines of its answer. */
export function monitor(context: MonitorContext, line: string): readonly string[] {
  const [name = '', ...args] = line.trim().split(/\s+/);
  if (name === '') return help();
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  return command
    ? command.run(context, args, line.trim().slice(name.length))
    : [`there is no command '${name}'; 'help' lists them`];
}

const hex = (value: number, digits = 8): string => value.toString(16).padStart(digits, '0');

function partitions({ debugger: { processes, machine } }: MonitorContext): string[] {
  const state = ({ kind, name, ending }: Process): string => {
    if (kind === 'hypervisor') return ending ? 'all partitions have ended' : 'running its partitions';
    return machine.programs.find((program) => program.name === name)?.state ?? '';
  };
  return processes.map((process) => {
    const at = process.targets.map(({ registers }) => `pc ${hex(registers.get('pc'))}`).join(', ');
    return `${process.number}  ${process.name.padEnd(12)} ${at}  ${state(process)}`;
  });
}

function size(bytes: number): string {
  return bytes >= 2 ** 20 ? `${bytes / 2 ** 20}M` : `${bytes / 1024}K`;
}

function tlbLines(tlb: Tlb): string[] {
  const rights = (word: number): string => {
    const letters = [word2.UX, word2.UW, word2.UR, word2.SX, word2.SW, word2.SR];
    return letters
      .map((bit, i) => (word & bit ? 'xwrxwr'[i]! : '-'))
      .join('')
      .replace(/^(...)/, '$1 ');
  };
  const attributes = (word: number): string =>
    (['W', 'I', 'M', 'G', 'E'] as const).filter((name) => word & word2[name]).join('');
  const lines: string[] = [];
  for (let i = 0; i < TLB_ENTRIES; i++) {
    if (!tlb.valid(i)) continue;
    const [first, third] = [tlb.read(i, 0), tlb.read(i, 2)];
    const page = `${hex(tlb.base(i))} -> ${hex(tlb.realBase(i), 9)} ${size(tlb.bytes(i)).padStart(5)}`;
    lines.push(
      `${String(i).padStart(2)}  ${page}  TS ${first & 0x100 ? 1 : 0} TID ${String(tlb.tid(i)).padEnd(3)}  ${rights(third)}  ${attributes(third)}`,
    );
  }
  return lines.length > 0
    ? ['nr  effective   physical   size  space process  user sup  attributes', ...lines]
    : ['no entry is valid'];
}

const isVcpu = (target: Target): Vcpu | undefined =>
  target.process.kind === 'partition' ? (target.runs as Vcpu) : undefined;

function shadow({ target }: MonitorContext): string[] {
  const vcpu = isVcpu(target);
  return vcpu ? tlbLines(vcpu.shadow.tlb) : ['only a partition’s processor has a shadow'];
}

function translation({ target, traps }: MonitorContext, [text]: readonly string[]): string[] {
  const ea = placeOf(text, traps.programOf(target))?.address;
  if (ea === undefined) return ['translate PLACE: an effective address in hexadecimal, or a symbol'];
  const found = translate(target.core, ea);
  if (!found) return [`${hex(ea)}: no entry of the TLB maps it in process ${target.core.system.pid}`];
  const { entry, physical, space } = found;
  const region = target.core.bus.ram.find(physical) ?? target.core.bus.devices.find(physical);
  const vcpu = isVcpu(target);
  const grant = vcpu?.partition.grants.find(({ base, size: bytes }) => physical >= base && physical < base + bytes);
  const real = grant ? `, on the board at ${hex(grant.physical + (physical - grant.base), 9)}` : '';
  return [
    `${hex(ea)} -> ${hex(physical, 9)} (${region?.name ?? 'nothing there'})${real}`,
    entry === FIXED
      ? '  the magic page, whatever the TLB says'
      : `  entry ${entry}: ${size(target.core.system.tlb.bytes(entry))} at ${hex(target.core.system.tlb.base(entry))}, TS ${space}, TID ${target.core.system.tlb.tid(entry)}`,
  ];
}

/** The board that a target is on: the partition's virtual one, or the real one. */
function boardOf({ target, debugger: { machine } }: MonitorContext): Board {
  return machine instanceof BareMachine ? machine.board : (isVcpu(target)?.partition.board ?? machine.board);
}

function controllers(context: MonitorContext): string[] {
  const { uics, cores } = boardOf(context);
  const names = ['SR', 'SRS', 'ER', 'CR', 'PR', 'TR', 'MSR', 'VR', 'VCR'];
  const lines = uics.map((uic, i) => {
    const registers = names.map((name, n) => `${name} ${hex(uic.peekDcr(n))}`).filter((_, n) => n !== 1);
    return `UIC${i}  ${registers.join('  ')}`;
  });
  const inputs = cores.map(({ inputs: { external, critical }, system: { msr } }, i) => {
    const level = (asserted: boolean): string => (asserted ? 'asserted' : 'quiet');
    return `cpu${i}  external ${level(external)} (EE ${msr & MSR.EE ? 1 : 0}), critical ${level(critical)} (CE ${msr & MSR.CE ? 1 : 0})`;
  });
  return [...lines, ...inputs];
}

function devices(context: MonitorContext): string[] {
  const { bus } = boardOf(context);
  const line = (name: string, base: number, length: number, rest = ''): string =>
    `${hex(base, 9)}-${hex(base + length - 1, 9)}  ${name}${rest}`;
  const registers = (target: { peek(offset: number, width: 1): number }, length: number): string =>
    `: ${Array.from({ length: Math.min(8, length) }, (_, i) => hex(target.peek(i, 1), 2)).join(' ')}`;
  return [
    ...bus.ram.regions.map(({ name, base, size: bytes }) => line(name, base, bytes, ` (${size(bytes)})`)),
    ...bus.devices.regions.map(({ name, base, size: bytes, target }) =>
      line(name, base, bytes, registers(target, bytes)),
    ),
    ...bus.dcrs.regions.map(
      ({ name, base, size: count }) => `DCR ${hex(base, 3)}-${hex(base + count - 1, 3)}  ${name}`,
    ),
  ];
}

/** GDB lets the machine run itself, so a command of its monitor only says where that is to stop. */
function armed(kind: 'trap-step' | 'trap-into') {
  return ({ traps, target }: MonitorContext): string[] => {
    traps.arm(kind, target.runs ? target : undefined);
    return [`continue stops at the next ${kind === 'trap-step' ? 'trap' : 'stage of a trap'}`];
  };
}

function finish({ traps, target }: MonitorContext): string[] {
  return traps.armFinish(target) ? ['continue stops when it returns'] : [`${target.name} is in no handler`];
}

function backtraceLines({ target, traps }: MonitorContext): string[] {
  const program = traps.programOf(target);
  return frameLines(backtrace(target, program, traps.handlers(target)), program);
}

function type({ debugger: { machine }, target }: MonitorContext, _: readonly string[], rest: string): string[] {
  return typeAt(machine, target.process, rest.trimStart()) ? [] : [`${target.name} has nothing that can be typed at`];
}

function physical(context: MonitorContext, [word]: readonly string[]): string[] {
  if (word !== 'on' && word !== 'off' && word !== undefined) return ['physical on, or physical off'];
  if (word !== undefined) context.physical = word === 'on';
  return [`memory and new breakpoints are of ${context.physical ? 'physical' : 'effective'} addresses`];
}
