import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Scheduler } from '../../src/hypervisor/scheduler.js';

const QUANTUM = 1000;
/** What a turn may overrun by: the exit that it ends with. */
const OVERRUN = 40;

/** Wants the core for a number of cycles of work, then sleeps for a number of cycles, and so on. */
interface Habits {
  readonly guarantee: number | undefined;
  readonly phases: readonly { readonly work: number; readonly sleep: number }[];
}

class Client {
  readonly guarantee: number | undefined;
  /** Cycles of the core that it had. */
  had = 0;
  #phase = 0;
  #work: number;
  #wakesAt = 0;
  /** How far it has been behind its guarantee at most, in any stretch in which it always wanted the core. */
  worst = 0;
  #ahead = Infinity;
  /** Cycles from its waking until its turn. */
  longestWait = 0;
  #waits = true;

  constructor(
    readonly habits: Habits,
    private readonly clock: { readonly now: number },
  ) {
    this.guarantee = habits.guarantee;
    this.#work = habits.phases[0]!.work;
  }

  get wakesAt(): number {
    return this.#wakesAt;
  }

  get runnable(): boolean {
    return this.clock.now >= this.#wakesAt;
  }

  /** The work that it does in a turn of so many cycles. */
  begins(cycles: number): number {
    if (this.#waits) this.longestWait = Math.max(this.longestWait, this.clock.now - this.#wakesAt);
    this.#waits = false;
    return Math.min(cycles, this.#work);
  }

  /** Its turn is over, `worked` cycles and an overrun later. */
  ran(worked: number, cycles: number): void {
    this.had += cycles;
    this.#work -= worked;
    if (this.#work > 0) return;
    this.look();
    const { phases } = this.habits;
    this.#wakesAt = this.clock.now + phases[this.#phase]!.sleep;
    this.#phase = (this.#phase + 1) % phases.length;
    this.#work = phases[this.#phase]!.work;
    this.#ahead = Infinity;
    this.#waits = true;
  }

  /** What it is behind is greatest when a turn begins, and least when one of its own ends. Its stretch may have begun amid another's turn. */
  look(): void {
    if (this.#wakesAt > this.clock.now) return;
    const behind = (at: number): number => ((this.guarantee ?? 0) * at) / 100 - this.had;
    if (this.#ahead === Infinity) this.#ahead = behind(this.#wakesAt);
    this.worst = Math.max(this.worst, behind(this.clock.now) - this.#ahead);
    this.#ahead = Math.min(this.#ahead, behind(this.clock.now));
  }
}

interface Run {
  readonly clients: readonly Client[];
  readonly now: number;
  /** Who had the core, one letter a turn. */
  readonly turns: string;
}

function run(habits: readonly Habits[], cycles: number, overruns: readonly number[] = [0], restart = false): Run {
  const clock = { now: 0 };
  const clients = habits.map((habit) => new Client(habit, clock));
  let scheduler = new Scheduler(clients, clock, QUANTUM);
  const turns: string[] = [];
  for (let turn = 0; clock.now < cycles; turn++) {
    for (const client of clients) client.look();
    const share = scheduler.next();
    if (restart) {
      const saved = structuredClone(scheduler.save());
      scheduler = new Scheduler(clients, clock, QUANTUM);
      scheduler.restore(saved);
    }
    // Work conserving: nobody has the core only where nobody wants it
    expect(share === undefined).toBe(clients.every(({ runnable }) => !runnable));
    if (!share) {
      clock.now = Math.min(...clients.map(({ wakesAt }) => wakesAt));
      continue;
    }
    const worked = share.client.begins(share.cycles);
    const took = worked + overruns[turn % overruns.length]!;
    clock.now += took;
    share.client.ran(worked, took);
    turns.push('abcdefgh'[clients.indexOf(share.client)]!);
  }
  return { clients, now: clock.now, turns: turns.join('') };
}

const always = (guarantee?: number): Habits => ({ guarantee, phases: [{ work: Infinity, sleep: 0 }] });

const phases = fc.array(
  fc.record({
    work: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 20_000 }), fc.constant(Infinity)),
    sleep: fc.oneof(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 30_000 })),
  }),
  { minLength: 1, maxLength: 6 },
);

/** Up to eight clients whose guarantees are no more than 100 per cent. */
const crowd = fc
  .array(fc.record({ weight: fc.integer({ min: 0, max: 9 }), phases }), { minLength: 2, maxLength: 8 })
  .chain((all) =>
    fc.integer({ min: 1, max: 100 }).map((sum): Habits[] => {
      const weights = all.reduce((total, { weight }) => total + weight, 0);
      return all.map(({ weight, phases: ph }) => {
        const guarantee = Math.floor((weight * sum) / Math.max(weights, 1));
        return { guarantee: guarantee === 0 ? undefined : guarantee, phases: ph };
      });
    }),
  );
const overruns = fc.array(fc.integer({ min: 0, max: OVERRUN }), { minLength: 1, maxLength: 7 });

const shares = ({ clients, now }: Run): number[] => clients.map(({ had }) => (100 * had) / now);

test('without guarantees clients have a quantum each in the order of the source', () => {
  const { turns, now } = run([always(), always(), always()], 9000);
  expect(turns).toBe('abcabcabc');
  expect(now).toBe(9000);
});

test('who always wants the core is never behind its guarantee by more than a quantum and a turn that overran', () => {
  fc.assert(
    fc.property(crowd, overruns, (habits, over) => {
      for (const { worst, guarantee } of run(habits, 200_000, over).clients)
        if (guarantee !== undefined) expect(worst).toBeLessThanOrEqual(QUANTUM + OVERRUN);
    }),
    { numRuns: 300, seed: 440 },
  );
});

test.each([
  ['70, 20 and none', [70, 20, undefined], [70, 20, 10]],
  ['70, 30', [70, 30], [70, 30]],
  ['1, 99', [1, 99], [1, 99]],
  ['50, 25, 25 and none', [50, 25, 25, undefined], [50, 25, 25, 0]],
  ['10 and three with none', [10, undefined, undefined, undefined], [10, 30, 30, 30]],
  ['33, 33, 33 and none', [33, 33, 33, undefined], [33, 33, 33, 1]],
  // What nobody without a guarantee wants goes in turns to those with one
  ['70, 20', [70, 20], [75, 25]],
  ['5', [5], [100]],
] as const)(
  'guarantees of %s have their shares to a quantum, and the rest is shared equally',
  (_, guarantees, expected) => {
    const made = run(guarantees.map(always), 1_000_000, [0, 17, 3]);
    for (const [i, share] of shares(made).entries()) expect(Math.abs(share - expected[i]!)).toBeLessThan(0.15);
  },
);

test('what a guaranteed client leaves is the others’ at once', () => {
  const asleep: Habits = { guarantee: 90, phases: [{ work: 10, sleep: 1_000_000 }] };
  const [, b, c, d] = shares(run([asleep, always(), always(), always(5)], 500_000));
  expect(d).toBeCloseTo(5, 0);
  expect(b).toBeCloseTo(47.5, 0);
  expect(c).toBeCloseTo(47.5, 0);
});

test('who slept neither has its share of that time later, nor pays for what it was given before', () => {
  for (const phase of [
    { work: 10, sleep: 400_000 },
    { work: 300_000, sleep: 400_000 },
  ]) {
    // Alone for the one, with all of the core before
    const changing: Habits = { guarantee: 30, phases: [phase, { work: Infinity, sleep: 0 }] };
    const late: Habits = {
      guarantee: undefined,
      phases: [
        { work: 1, sleep: 350_000 },
        { work: Infinity, sleep: 0 },
      ],
    };
    const { clients, now } = run([changing, late], 1_400_000);
    const since = phase.work + 1 + phase.sleep;
    expect(((clients[0]!.had - phase.work) / (now - since)) * 100).toBeCloseTo(30, 0);
    expect(clients[0]!.worst).toBeLessThanOrEqual(QUANTUM);
  }
});

test('nobody has a share of the time in which the core was idle', () => {
  const sleepy = (guarantee?: number): Habits => ({
    guarantee,
    phases: [
      { work: 10, sleep: 1_000_000 },
      { work: Infinity, sleep: 0 },
    ],
  });
  const { clients, now } = run([sleepy(30), sleepy()], 1_100_000);
  expect(((clients[0]!.had - 10) / (now - 1_000_020)) * 100).toBeCloseTo(30, 0);
});

test('who wakes has its turn within its share of half a quantum and half a quantum more', () => {
  for (const guarantee of [5, 20, 50, 90]) {
    const rest = 100 - guarantee;
    const sleeper: Habits = {
      guarantee,
      phases: [
        { work: 7, sleep: 20_011 },
        { work: 13, sleep: 15_013 },
      ],
    };
    const longest = (QUANTUM / 2) * (100 / guarantee) + QUANTUM / 2;
    for (const others of [
      [always(rest)],
      [always(rest - 3), always(), always()],
      Array.from({ length: 9 }, () => always(Math.max(1, Math.floor(rest / 9)))),
    ]) {
      const slept = run([...others, sleeper], 1_000_000).clients.at(-1)!;
      // It slept 17,500 cycles or so, and waited for no longer than this
      expect(slept.had).toBeGreaterThanOrEqual(Math.floor(1_000_000 / (17_522 + longest)) * 10);
      expect(slept.longestWait).toBeLessThanOrEqual(longest);
      expect(slept.longestWait).toBeGreaterThan(0);
    }
  }
});

test('nobody starves while guarantees are less than all', () => {
  fc.assert(
    fc.property(crowd, overruns, (habits, over) => {
      const spinning = habits.map(({ guarantee }) => always(guarantee));
      const sum = habits.reduce((all, { guarantee = 0 }) => all + guarantee, 0);
      const { clients, now } = run(spinning, 400_000, over);
      const rest = clients.filter(({ guarantee }) => guarantee === undefined);
      const least = ((100 - sum) * now) / 100 / Math.max(rest.length, 1) - 3 * QUANTUM;
      for (const { had } of rest) expect(had).toBeGreaterThanOrEqual(least);
      const most = Math.max(...rest.map(({ had }) => had));
      const fewest = Math.min(...rest.map(({ had }) => had));
      if (rest.length > 0) expect(most - fewest).toBeLessThanOrEqual(QUANTUM + OVERRUN * (now / QUANTUM));
    }),
    { numRuns: 100, seed: 440 },
  );
});

test('a scheduler that is saved and restored at each turn goes the same way', () => {
  fc.assert(
    fc.property(crowd, overruns, (habits, over) => {
      expect(run(habits, 60_000, over, true).turns).toBe(run(habits, 60_000, over).turns);
    }),
    { numRuns: 100, seed: 440 },
  );
});

test('to look at an idle core in between leaves no trace', () => {
  const clock = { now: 0 };
  const client = { guarantee: 20, runnable: true };
  const make = (): Scheduler<typeof client> =>
    new Scheduler([client, { guarantee: 70, runnable: false }], clock, QUANTUM);
  const [often, once] = [make(), make()];
  for (const scheduler of [often, once]) expect(scheduler.next()).toEqual({ client, cycles: 500 });
  clock.now = 500;
  client.runnable = false;
  for (const scheduler of [often, once]) expect(scheduler.next()).toBeUndefined();
  for (let i = 0; i < 7; i++) {
    clock.now += 311;
    expect(often.next()).toBeUndefined();
    expect(often.save()).toEqual(once.save());
  }
});
