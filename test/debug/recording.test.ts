// Random sessions with a debugger, forwards and backwards: the inputs that they leave lead another machine to the same state.

import { expect, test } from 'vitest';
import { Replay, type RecordedInput } from '../../src/board/inputs.js';
import { snapshotOf } from '../../src/board/snapshot.js';
import { encodeState } from '../../src/board/state-text.js';
import type { Breakpoint } from '../../src/debug/breakpoints.js';
import { Debugger, type Client, type Resumption, type StopEvent } from '../../src/debug/debugger.js';
import { MachineHistory } from '../../src/debug/machine-history.js';
import type { DebuggedMachine } from '../../src/debug/processes.js';
import type { Target } from '../../src/debug/target.js';
import { TrapStops } from '../../src/debug/traps/stops.js';
import { configuration, hello, spin, traps } from '../cli/child.js';
import { bareMachine, partitions } from '../system/machines.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const guests = [
  { name: 'hello', image: hello },
  { name: 'traps', image: traps },
  { name: 'spin', image: spin },
];

// prettier-ignore
const machines: readonly (readonly [name: string, make: () => DebuggedMachine])[] = [
  ['hello on the bare board', () => bareMachine(hello).machine],
  ['traps on the bare board', () => bareMachine(traps).machine],
  ['three partitions', () => partitions(configuration(guests, 'quantum = <70000>;')).machine],
];

/** One who debugs without a plan, but always the same way. */
class Session {
  readonly machine: DebuggedMachine;
  readonly inputs: RecordedInput[] = [];
  readonly #debug: Debugger;
  readonly #history: MachineHistory;
  readonly #stops: TrapStops;
  readonly #running: readonly Target[];
  readonly #events: StopEvent[] = [];
  readonly #client: Client;
  #state: number;

  constructor(make: () => DebuggedMachine, seed: number) {
    this.#state = seed * 7919;
    const { inputs } = this;
    const machine = (this.machine = make());
    machine.listeners.push((input) => inputs.push({ ...input, ...machine.moment }));
    const debug = (this.#debug = new Debugger(machine));
    const onDiverge = (count: number): void => void (inputs.length = count);
    this.#history = debug.history = new MachineHistory(machine, debug, { distance: 20_000, onDiverge });
    this.#stops = new TrapStops(debug);
    this.#client = { scope: debug.targets, stopped: (own) => void this.#events.push(...own) };
    debug.join(this.#client);
    this.#running = debug.targets.filter(({ runs }) => runs);
  }

  #below(bound: number): number {
    this.#state = (this.#state * 48271) % 0x7fffffff;
    return this.#state % bound;
  }

  /** Run until something stops, or so many cycles have passed, in slices of any length. */
  #run(cycles: number, target?: Target, resumption: Resumption = { kind: 'run' }, alone = false): void {
    const { machine } = this;
    const end = machine.clock.now + cycles;
    this.#events.length = 0;
    const all = this.#running.filter((each) => !alone || each === target);
    this.#debug.resume(new Map(all.map((each) => [each, each === target ? resumption : { kind: 'run' }])));
    while (this.#events.length === 0 && machine.clock.now < end) {
      const progress = this.#debug.run(Math.min(1 + this.#below(50_000), end - machine.clock.now));
      if (progress.kind === 'idle') machine.skip(Math.min(end, progress.until));
      else if (progress.kind !== 'ran') break;
    }
    this.#debug.stop(this.#client.scope);
  }

  #meet(breakpoint: Omit<Breakpoint, 'space'>): void {
    const targets = new Set(this.#running);
    this.#debug.setBreakpoints(this.#client, [{ breakpoint: { ...breakpoint, space: 'effective' }, targets }]);
    this.#run(100_000);
    this.#debug.setBreakpoints(this.#client, []);
  }

  #back(target: Target): void {
    const to = Math.max(1, this.machine.steps - this.#below(5000));
    if (this.#below(3) === 0) this.#history.stepBack(target);
    else this.#history.goTo(to);
    if (this.#below(2) === 0) this.#run(3000);
  }

  readonly #deeds: readonly ((target: Target) => void)[] = [
    () => {
      const { streams } = this.machine;
      const words = ['mem\r', 'ticks\r', 'trap\r'];
      this.machine.type(streams[this.#below(streams.length)]!, bytes(words[this.#below(3)]!));
    },
    (target) => this.#run(200_000, target, { kind: 'step', count: 1 + this.#below(5) }),
    (target) => {
      this.#stops.arm('trap-step', target);
      this.#run(100_000);
    },
    (target) => {
      this.#stops.arm('trap-into', target);
      this.#run(100_000);
    },
    (target) => this.#debug.writeRegister(target, `r${20 + this.#below(5)}`, BigInt(this.#below(1000))),
    (target) => this.#debug.writeRegister(target, 'pc', BigInt(target.registers.get('pc'))),
    (target) => {
      const address = 0x80000 + 4 * this.#below(100);
      this.#debug.writeMemory(target, 'effective', address, Uint8Array.of(1, 2, 3, this.#below(256)));
    },
    (target) => this.#run(30_000, target, { kind: 'run' }, true),
    () => this.#run(this.#below(200_000)),
    ({ registers }) => this.#meet({ kind: 'execute', address: registers.get('pc'), length: 4 }),
    ({ registers }) => this.#meet({ kind: 'write', address: (registers.get('r1') - 64) >>> 0, length: 64 }),
    (target) => this.#back(target),
  ];

  play(deeds: number): void {
    this.#run(100_000 + this.#below(300_000));
    for (let i = 0; i < deeds; i++) {
      const target = this.#running[this.#below(this.#running.length)]!;
      const deed = this.#deeds[this.#below(this.#deeds.length)]!;
      if (!target.process.ending) deed(target);
    }
    this.#history.toPresent();
    const { machine } = this;
    if (machine.standing === 'stopped') machine.settle();
    this.inputs.push({ kind: 'end', hash: '', ...machine.moment });
  }
}

function differences(a: unknown, b: unknown, path = ''): string[] {
  if (typeof a === 'object' && a && typeof b === 'object' && b)
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
      differences(a[key as never], b[key as never], `${path}.${key}`),
    );
  return a === b ? [] : [`${path}: ${String(a)}, ${String(b)}`];
}

const stateOf = (machine: DebuggedMachine): unknown => JSON.parse(encodeState(snapshotOf(machine).state));
const seeds = process.env['HV440_LONG'] ? 40 : 3;
const cases = machines.flatMap(([name, make]) => Array.from({ length: seeds }, (_, i) => [name, i + 1, make] as const));

test.each(cases)(
  '%s, session %d: its inputs lead to its state, in every field, in other slices',
  (_, seed, make) => {
    const session = new Session(make, seed);
    session.play(50);
    const other = make();
    expect(new Debugger(other).machine).toBe(other); // it can do what debuggers ask
    const replay = new Replay(other, session.inputs);
    while (!replay.ended && replay.run({}, 77_777).kind === 'ran');
    expect(replay.ended).toBe(true);
    expect(differences(stateOf(session.machine), stateOf(other))).toEqual([]);
    const ram = (machine: DebuggedMachine) => snapshotOf(machine).memory;
    expect([...ram(other).pages()]).toEqual([...ram(session.machine).pages()]);
  },
  120_000,
);

test('an input that is left out makes another state', () => {
  const [, make] = machines[0]!;
  const session = new Session(make, 2);
  session.play(50);
  const other = make();
  expect(new Debugger(other).machine).toBe(other);
  const at = session.inputs.findIndex(({ kind }) => kind === 'memory');
  expect(at).toBeGreaterThanOrEqual(0);
  const replay = new Replay(other, session.inputs.toSpliced(at, 1));
  while (!replay.ended && replay.run({}, 77_777).kind === 'ran');
  const ram = (machine: DebuggedMachine) => snapshotOf(machine).memory;
  expect([...ram(other).pages()]).not.toEqual([...ram(session.machine).pages()]);
});
