// Machines as the command line builds them, for tests that look at every cycle.

import { BareMachine } from '../../src/board/bare.js';
import type { Machine } from '../../src/board/machine.js';
import type { InputRecord } from '../../src/board/serial-input.js';
import { Clock } from '../../src/bus/clock.js';
import { SharedMemory } from '../../src/bus/memory.js';
import { bareSource, parseGenerated } from '../../src/cli/config.js';
import { checkConfig } from '../../src/launch/config.js';
import { Files, namedImage, readFile } from '../../src/launch/files.js';
import type { Engine } from '../../src/cpu/engine/engine.js';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { configure } from '../../src/devicetree/configuration.js';
import { parse } from '../../src/devicetree/source.js';
import { Hypervisor } from '../../src/hypervisor/hypervisor.js';

/** A byte that went out of a stream or into one, and when. */
export interface Event {
  readonly cycle: number;
  readonly stream: string;
  readonly direction: 'in' | 'out';
  readonly byte: number;
}

/** What a machine is given, and what it did. */
class Recorder {
  readonly events: Event[] = [];
  readonly endings: string[] = [];
  readonly memory = new SharedMemory(0x18000000);
  readonly clock = new Clock();
  constructor(readonly engine: Engine) {}
  readonly transmit = (stream: string) => (byte: number) => {
    this.events.push({ cycle: this.clock.now, stream, direction: 'out', byte });
  };
  readonly recordInput = ({ cycle, stream, byte }: InputRecord) => {
    this.events.push({ cycle, stream, direction: 'in', byte });
  };
  readonly log = (line: string) => void this.endings.push(`${this.clock.now} ${line}`);

  /** All that came out of a stream, as text. */
  text(stream: string): string {
    const bytes = this.events.filter((e) => e.stream === stream && e.direction === 'out').map((e) => e.byte);
    return Buffer.from(bytes).toString('latin1');
  }
}

/** A started machine and its recorder. */
export interface Recorded<M extends Machine = Machine> {
  readonly machine: M;
  readonly recorder: Recorder;
}

/** An image on the bare board. */
export function bareMachine(image: string, engine: Engine = new Interpreter()): Recorded<BareMachine> {
  const recorder = new Recorder(engine);
  const { tree } = parseGenerated(bareSource({ label: 'guest', memory: 16 * 2 ** 20 }));
  const machine = new BareMachine({ ...options(recorder), tree, restart: false });
  const problem = machine.start({ image: namedImage(new Files(), image), tree });
  if (problem) throw new Error(problem.problem);
  return { machine, recorder };
}

/** The partitions of a configuration's source, as if it were in the file of that name. */
export function partitions(
  source: string,
  engine: Engine = new Interpreter(),
  path = '/test.dts',
): Recorded<Hypervisor> {
  const recorder = new Recorder(engine);
  const files = new Files();
  const { tree, findings } = checkConfig(parse(source, path, readFile), files);
  if (findings.length > 0) throw new Error(JSON.stringify(findings));
  const configuration = configure(tree);
  const machine = new Hypervisor({ ...options(recorder), tree, configuration, log: recorder.log });
  const guests = configuration.partitions.map(
    ({ name, image }) => [name, { image: namedImage(files, image) }] as const,
  );
  const problem = machine.start(new Map(guests));
  if (problem) throw new Error(problem.problem);
  return { machine, recorder };
}

const options = ({ memory, clock, engine, transmit, recordInput }: Recorder) => ({
  memory,
  clock,
  engine,
  transmit,
  recordInput,
});

/** Run until it ends or so many cycles have passed; `slice` gives the length of each call of `run`. Idle time is skipped. */
export function runFor({ machine }: Recorded, cycles: number, slice: () => number): void {
  while (machine.clock.now < cycles) {
    const progress = machine.run(Math.min(slice(), cycles - machine.clock.now));
    if (progress.kind === 'ended') return;
    if (progress.kind === 'idle') machine.skip(Math.min(progress.until, cycles));
    if (progress.kind === 'starved') throw new Error('it waits for a script that nobody delivers');
  }
}
