import { BareMachine } from '../../board/bare.js';
import type { DebuggedMachine } from '../processes.js';
import type { TraceEvent } from './writer.js';

/** Where events of a kind are shown: a process and a thread, as Chrome's format calls them. */
export interface Track {
  readonly pid: number;
  readonly tid: number;
}

/** Thread numbers: processors count from 1, and below them come what interrupts do, and what is printed. */
const INTERRUPTS = 100;
const CONSOLE = 200;

/** The board's core, and the program of this name with its processors: a process each, numbered as the debugger does. */
export class Tracks {
  readonly #pids: ReadonlyMap<string, number>;
  readonly #streams = new Map<string, Track>();

  constructor(
    private readonly machine: DebuggedMachine,
    private readonly name: (event: TraceEvent) => void,
  ) {
    const programs = machine instanceof BareMachine ? [] : machine.partitions.map((p) => p.name);
    this.#pids = new Map([['board', 1], ...programs.map((program, i): [string, number] => [program, i + 2])]);
    for (const [program, pid] of this.#pids) this.#label('process_name', { pid, tid: 0 }, program);
    this.#label('thread_name', this.core, 'cpu0');
    if (machine instanceof BareMachine) this.#label('thread_name', this.interrupts('board'), 'interrupts');
    else {
      for (const { name: vcpu } of machine.debuggables) this.#label('thread_name', this.vcpu(vcpu), stepOf(vcpu, 1));
      for (const program of programs) this.#label('thread_name', this.interrupts(program), 'interrupts');
    }
  }

  #label(what: 'process_name' | 'thread_name', { pid, tid }: Track, text: string): void {
    this.name({ name: what, ph: 'M', pid, tid, args: { name: text } });
  }

  #pid(program: string): number {
    return this.#pids.get(program) ?? 1;
  }

  readonly core: Track = { pid: 1, tid: 1 };

  /** `linux/cpu0`. */
  vcpu(name: string): Track {
    const index = Number(/\d+$/.exec(name)?.[0] ?? 0);
    return { pid: this.#pid(stepOf(name, 0)), tid: index + 1 };
  }

  interrupts(program: string): Track {
    return { pid: this.#pid(program), tid: INTERRUPTS };
  }

  /** Of a stream, `linux/serial@ef600300`. */
  console(stream: string): Track {
    const known = this.#streams.get(stream);
    if (known) return known;
    const track = { pid: this.#pid(stepOf(stream, 0)), tid: CONSOLE + this.#streams.size };
    this.#streams.set(stream, track);
    this.#label('thread_name', track, stepOf(stream, 1));
    return track;
  }
}

/** The program's part of a name, or what comes behind it. */
const stepOf = (name: string, step: 0 | 1): string => name.split('/')[step] ?? name;
