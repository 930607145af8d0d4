import { describeEnding } from '../../board/machine.js';
import type { Breakpoint } from '../breakpoints.js';
import type { BackwardEnd } from '../history.js';
import type { Debugger, Client, Resumption, StopEvent } from '../debugger.js';
import { monitor, commandNames } from '../monitor.js';
import type { Program } from '../program.js';
import type { Target } from '../target.js';
import type { TrapStops } from '../traps/stops.js';
import { lookCommands, pointLine } from './look-commands.js';
import { helpRow } from './help-row.js';
import { standLines } from './places.js';
import { reverseCommands } from './reverse-commands.js';
import { runCommands } from './run-commands.js';
import { pastOf, PromptError, type Answer, type Commands, type Point, type PromptState } from './state.js';

export interface PromptOptions {
  readonly debug: Debugger;
  readonly traps: TrapStops;
  readonly exits: () => readonly string[];
  readonly source: (file: string) => readonly string[] | undefined;
  /** Whose stops the debugger tells it of (default: all). With none, its owner passes on those of what it runs. */
  readonly scope?: readonly Target[];
  /** How wide what is shown may be (default: any width). */
  readonly columns?: () => number;
  /** Called with what is to be shown when what runs has stopped. */
  readonly stopped: (lines: readonly string[]) => void;
}

/** A breakpoint and whose it is. */
interface Placed {
  readonly breakpoint: Breakpoint;
  readonly targets: ReadonlySet<Target>;
}

/** What is to be done at the next stop before anybody is told: a line is stepped over in pieces. */
interface Plan {
  readonly over: boolean;
  readonly from: number;
  readonly to: number;
  readonly depth: number;
}

// prettier-ignore
const own: Commands = {
  ...runCommands,
  ...reverseCommands,
  ...lookCommands,
  help: { usage: 'help [COMMAND]', help: 'this list, or one of it', run: ({ columns }, rest) => ({ lines: help(rest, columns) }) },
  quit: { usage: 'quit', help: 'leave, and end the machine', run: () => ({ lines: [], quits: true }) },
};

/** Short names, as GDB has them. */
// prettier-ignore
const short: Readonly<Record<string, string>> = {
  s: 'step', si: 'stepi', n: 'next', c: 'continue', b: 'break', tb: 'tbreak', p: 'print', bt: 'backtrace', q: 'quit', h: 'help', i: 'info',
  l: 'list', d: 'delete', fin: 'finish', u: 'until', ts: 'trap-step', ti: 'trap-into', tf: 'trap-finish', rsi: 'reverse-stepi', rs: 'reverse-step', rn: 'reverse-next',
  rc: 'reverse-continue', rts: 'reverse-trap-step', 'reverse-trap': 'reverse-trap-step', r: 'registers',
};

/** Commands of GDB's monitor that are ours too. */
const shared = commandNames.filter((name) => !Object.hasOwn(own, name));

/** The names of all commands, for completion. */
export const promptCommands: readonly string[] = [...Object.keys(own), ...shared].toSorted();

function help(name: string, columns: number): string[] {
  const command = Object.hasOwn(own, name) ? own[name] : undefined;
  if (command) return [command.usage, `  ${command.help}`];
  if (name !== '' && !shared.includes(name)) return [`there is no command '${name}'; 'help' lists them`];
  if (name !== '') return [`${name}: a command that GDB’s monitor has too`];
  const rows = Object.values(own).flatMap(({ usage, help: text }) => helpRow(usage, text, columns));
  return [...rows, ...helpRow('of the machine', `help of GDB’s monitor: ${shared.join(' ')}`, columns)];
}

/** Our own debugger's command line: lines in, lines out. All of the machine stops together. */
export class Prompt implements Client, PromptState {
  readonly debug: Debugger;
  readonly traps: TrapStops;
  readonly points = new Map<number, Point>();
  readonly exits: () => readonly string[];
  readonly source: (file: string) => readonly string[] | undefined;
  radix: 10 | 16 = 10;
  physical = false;
  target: Target;
  #next = 1;
  #temporary: { readonly addresses: readonly number[]; readonly sp: number } | undefined;
  #plan: Plan | undefined;

  constructor(private readonly options: PromptOptions) {
    this.debug = options.debug;
    this.traps = options.traps;
    this.exits = options.exits;
    this.source = options.source;
    this.target = this.debug.targets.find(({ runs }) => runs) ?? this.debug.targets[0]!;
    this.debug.join(this);
  }

  get scope(): readonly Target[] {
    return this.options.scope ?? this.debug.targets;
  }

  get columns(): number {
    return this.options.columns?.() ?? Infinity;
  }

  get program(): Program {
    return this.traps.programOf(this.target);
  }

  /** Does a line begin with a command? */
  knows(line: string): boolean {
    const [, word = ''] = /^\s*([^\s/]+)/.exec(line) ?? [];
    return Object.hasOwn(short, word) || Object.hasOwn(own, word) || shared.includes(word);
  }

  /** Carry out one line. A problem is an answer too, with `failed`. */
  execute(line: string): Answer & { readonly failed?: boolean } {
    const text = line.replace(/(^|\s)#(?!\d).*$/, '').trim();
    if (text === '') return { lines: [] };
    const [, word = '', rest = ''] = /^([^\s/]+)\s*(.*)$/.exec(text) ?? [];
    const name = Object.hasOwn(short, word) ? short[word]! : word;
    const command = Object.hasOwn(own, name) ? own[name] : undefined;
    try {
      if (command) return command.run(this, rest.trim(), word);
      if (!shared.includes(name)) throw new PromptError(`there is no command '${word}'; 'help' lists them`);
      const { debug, target, physical, exits, traps } = this;
      const context = { debugger: debug, target, physical, exits, traps };
      const lines = monitor(context, `${name} ${rest}`);
      this.physical = context.physical;
      return { lines };
    } catch (error) {
      if (error instanceof PromptError) return { lines: [error.message], failed: true };
      throw error;
    }
  }

  add(point: Omit<Point, 'number' | 'hits'>): Point {
    const made = { ...point, number: this.#next++, hits: 0 };
    this.points.set(made.number, made);
    this.place();
    return made;
  }

  /** The person's own points, as the debugger wants them. */
  #own(): Placed[] {
    return [...this.points.values()].flatMap(({ kind, space, addresses, length, target, condition }) =>
      addresses.map((address) => ({
        breakpoint: { kind, space, address, length, ...(condition && { condition }) },
        targets: new Set(target.process.targets),
      })),
    );
  }

  place(): void {
    const { addresses = [], sp = 0 } = this.#temporary ?? {};
    const condition = ({ registers }: Target): boolean => registers.get('r1') >= sp;
    const temporary = addresses.map((address) => ({
      breakpoint: { kind: 'execute' as const, space: 'effective' as const, address, length: 4, condition },
      targets: new Set([this.target]),
    }));
    this.debug.setBreakpoints(this, [...this.#own(), ...temporary]);
  }

  run(resumption: Resumption): void {
    const { target } = this;
    if (!target.runs) throw new PromptError(`${target.name} runs whoever’s turn it is: select a partition first`);
    if (target.process.ending) throw new PromptError(`${target.process.name} ${describeEnding(target.process.ending)}`);
    const all = new Map<Target, Resumption>(this.debug.targets.map((each) => [each, { kind: 'run' }]));
    this.debug.resume(all.set(target, resumption));
  }

  runTo(addresses: readonly number[], sp: number): void {
    this.#temporary = { addresses, sp };
    this.place();
    this.run({ kind: 'run' });
  }

  backTo(address: number, sp?: number): BackwardEnd['kind'] | 'elsewhere' {
    const condition = ({ registers }: Target): boolean => sp === undefined || registers.get('r1') === sp;
    const breakpoint: Breakpoint = { kind: 'execute', space: 'effective', address, length: 4, condition };
    this.debug.setBreakpoints(this, [...this.#own(), { breakpoint, targets: new Set([this.target]) }]);
    const end = pastOf(this).continueBack(this.debug.targets.filter(({ runs }) => runs));
    this.place();
    if (end.kind === 'beginning') return end.kind;
    if ('target' in end.event) this.target = end.event.target;
    return 'hit' in end.event && end.event.hit.breakpoint === breakpoint ? end.kind : 'elsewhere';
  }

  runLine(over: boolean): void {
    const { registers } = this.target;
    const pc = registers.get('pc');
    const line = this.program.lines?.at(pc);
    const [from, to] = line ? [line.from, line.to] : [pc, pc + 4];
    this.#plan = { over, from, to, depth: this.traps.handlers(this.target).length };
    this.run({ kind: 'range', from, to });
  }

  /** Somebody wants it to stop where it is. */
  interrupt(): void {
    this.traps.settle();
    this.debug.stopBack();
    this.stopped([{ kind: 'interrupt', target: this.target }]);
  }

  stopped(events: readonly StopEvent[]): void {
    const [event] = events.filter(
      (each) => each.kind !== 'ended' || each.process.kind !== 'hypervisor' || events.length === 1,
    );
    if (!event) return;
    this.debug.stop(this.debug.targets);
    if (this.#goesOn(event)) return;
    this.#plan = undefined;
    this.#temporary = undefined;
    if ('target' in event && event.target.runs && event.kind !== 'present') this.target = event.target;
    const lines = events.flatMap((each) => this.#told(each)).concat(this.#stands(event));
    this.place(); // without those that were for once
    this.options.stopped(lines);
  }

  /** Over a call, an interrupt, or the rest of a line: nobody is told of the stops in between. */
  #goesOn(event: StopEvent): boolean {
    const plan = this.#plan;
    if (!plan || !('target' in event) || event.target !== this.target) return false;
    const temporary = event.kind === 'breakpoint' && this.#temporary?.addresses.includes(event.hit.pc);
    if (event.kind !== 'step' && !temporary) return false;
    this.#temporary = undefined;
    const { registers } = this.target;
    const [pc, lr] = [registers.get('pc'), registers.get('lr')];
    const handlers = this.traps.handlers(this.target);
    if (handlers.length > plan.depth) {
      const { pc: back, sp } = handlers[plan.depth]!;
      this.runTo([back], sp);
    } else if (pc >= plan.from && pc < plan.to) {
      this.place();
      this.run({ kind: 'range', from: plan.from, to: plan.to });
    } else if (plan.over && lr >= plan.from && lr <= plan.to && this.program.around(pc)?.offset === 0) {
      this.runTo([lr], registers.get('r1'));
    } else return false;
    return true;
  }

  #told(event: StopEvent): string[] {
    switch (event.kind) {
      case 'trap': {
        const { reason, lines } = event.stop;
        return typeof reason === 'object' ? [`catch ${reason.number}`, ...lines] : [...lines];
      }
      case 'breakpoint':
      case 'watchpoint':
        return this.#met(event);
      case 'interrupt':
        return ['stopped'];
      case 'beginning':
        return ['this is where the history begins'];
      case 'present':
        return ['this is where the past ends: from here on it is the present'];
      case 'ended':
        return [`${event.process.name} ${describeEnding(event.ending)}`].filter(
          () => event.process.kind !== 'hypervisor',
        );
      case 'step':
      case 'moved':
        return [];
      default:
        return event satisfies never;
    }
  }

  #met({ hit, target }: Extract<StopEvent, { kind: 'breakpoint' | 'watchpoint' }>): string[] {
    const { breakpoint } = hit;
    const point = [...this.points.values()].find(
      (each) =>
        each.kind === breakpoint.kind &&
        each.addresses.includes(breakpoint.address) &&
        each.target.process === target.process,
    );
    if (!point) return [];
    point.hits += 1;
    if (point.once) this.points.delete(point.number);
    if (breakpoint.kind === 'execute')
      return [pointLine({ traps: this.traps }, { ...point, hits: 0 }).replace(/ of .*/, '')];
    const hexes = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const now = target.effective.read(breakpoint.address, breakpoint.length);
    if (target.registers.get('pc') === hit.pc) {
      const what = `${hit.access} by ${this.traps.programOf(target).text(hit.pc)}`;
      return [`watchpoint ${point.number}: before the ${what}: ${hexes(now)}`];
    }
    const by = `${hit.access} by ${this.traps.programOf(target).text(hit.pc)}`;
    return [`watchpoint ${point.number}: ${by}: ${hexes(hit.before)} -> ${hexes(now)}`];
  }

  #stands(event: StopEvent): string[] {
    if (event.kind === 'ended' || (event.kind === 'trap' && event.stop.record.resume === undefined)) return [];
    return standLines(this);
  }

  /** What the last word of a line could be. */
  complete(line: string): string[] {
    const begun = /[^\s,*(]*$/.exec(line)![0];
    const first = line.trimStart() === begun;
    const words = first
      ? promptCommands
      : [
          ...this.program.symbols.map(({ name }) => name),
          ...this.debug.targets.map(({ name }) => name),
          ...this.debug.processes.map(({ name }) => name),
          ...this.target.registers.all.map(({ name }) => `$${name}`),
        ];
    return [...new Set(words.filter((word) => word.startsWith(begun)))].toSorted().slice(0, 200);
  }
}
