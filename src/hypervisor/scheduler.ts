import { assert } from '../bus/assert.js';

/** Somebody who shares the core; a vcpu. */
export interface Client {
  /** Could it use the core now? */
  readonly runnable: boolean;
  /** The share of the core that it has for certain while it wants it, in per cent; undefined: none. */
  readonly guarantee: number | undefined;
}

/** Who has the core, and for how many cycles at most. */
export interface Share<C> {
  readonly client: C;
  readonly cycles: number;
}

/** Nobody. */
const NONE = -1;

/**
 * Who is next. Without guarantees it is every client that can use the core, in turn, for a quantum each. A client with a guarantee comes before
 * the others, for half a quantum at a time, as often as its share makes due; what is left goes in turns to those without one, and
 * to the guaranteed where no other wants it. So in any stretch of time in which a client always wants the core it has its share of that
 * stretch but for one quantum, a world switch, and what turns overran by the exits that they ended with.
 *
 * A share that has become due is a job of half a quantum with a deadline, and jobs are done by the earliest deadline: Liu and Layland
 * 1973; that a job is never interrupted, nor another's turn, delays it by a quantum at most (Jeffay, Stanat and Martel 1991), and half
 * a quantum is what keeps that and its having come early below one. All is counted in hundredths of cycles, in whole numbers.
 *
 * Niceness would be weights for the turns of the rest, gangs clients that are due together on several cores, and real time a deadline
 * that is nearer than the share's own.
 */
export class Scheduler<C extends Client> {
  /** Who had the last turn that was not due by a guarantee. */
  #last = NONE;
  /** What each has coming by its guarantee since it began to want the core; below 0 where it had its share ahead of time. */
  readonly #credits: number[];
  /** Whose turn it is, whether by its guarantee, and since which cycle; all is settled up to that. */
  #holder = NONE;
  #due = false;
  #since: number;

  constructor(
    private readonly clients: readonly C[],
    private readonly clock: { readonly now: number },
    /** Cycles of a turn. */
    private readonly quantum: number,
  ) {
    this.#credits = clients.map(() => 0);
    this.#since = clock.now;
    const sum = clients.reduce((all, { guarantee = 0 }) => all + guarantee, 0);
    assert(sum <= 100, 'guarantees of a core are no more than all of it');
  }

  /** Plain data; the same whether or not an idle stretch was looked at in between. */
  save() {
    if (this.#holder === NONE) this.#settle();
    const [last, holder, due, since] = [this.#last, this.#holder, this.#due, this.#since];
    return { last, credits: [...this.#credits], holder, due, since };
  }

  restore({ last, credits, holder, due, since }: ReturnType<Scheduler<C>['save']>): void {
    this.#last = last;
    credits.forEach((credit, i) => (this.#credits[i] = credit));
    this.#holder = holder;
    this.#due = due;
    this.#since = since;
  }

  /** End the turn that was, and begin another at this cycle; undefined when all wait or have ended. */
  next(): Share<C> | undefined {
    this.#settle();
    const due = this.#mostUrgent();
    this.#due = due !== NONE;
    this.#holder = this.#due ? due : this.#inTurn();
    const client = this.clients[this.#holder];
    return client && { client, cycles: this.#due ? this.#slice : this.quantum };
  }

  /** Cycles of a turn that is due by a guarantee. */
  get #slice(): number {
    return Math.ceil(this.quantum / 2);
  }

  /**
   * Credit what passed since the last turn began. Who is found awake counts as awake since then, when nothing could have been done for
   * it before its end. Who sleeps keeps no credit, but pays off by its share what it had ahead of time; so does everybody while the
   * core is idle. What was given beyond guarantees is not taken off them.
   */
  #settle(): void {
    const passed = this.clock.now - this.#since;
    this.#since = this.clock.now;
    this.clients.forEach(({ guarantee, runnable }, i) => {
      if (guarantee === undefined) return;
      const spent = this.#due && i === this.#holder ? 100 * passed : 0;
      const credit = this.#credits[i]! + guarantee * passed - spent;
      this.#credits[i] = runnable && this.#holder !== NONE ? credit : Math.min(credit, 0);
    });
  }

  /** Of those to whom a turn is due, the one that has to have had it first; the first of the source where two are alike. */
  #mostUrgent(): number {
    let most = NONE;
    this.clients.forEach(({ guarantee, runnable }, i) => {
      if (guarantee === undefined || !runnable || this.#credits[i]! < 0) return;
      if (most === NONE || this.#before(i, most)) most = i;
    });
    return most;
  }

  /** Is this one's deadline before the other's? Each has until its share of the time is what it has coming and the next turn. */
  #before(one: number, other: number): boolean {
    const left = (i: number): number => 100 * this.#slice - this.#credits[i]!;
    const guarantee = (i: number): number => this.clients[i]!.guarantee ?? 0;
    return left(one) * guarantee(other) < left(other) * guarantee(one);
  }

  /** The next one after the last: of those without a guarantee, or, where none of them wants the core, of all. */
  #inTurn(): number {
    const { length } = this.clients;
    let spare = NONE;
    for (let i = 1; i <= length; i++) {
      const at = (this.#last + i) % length;
      const { runnable, guarantee } = this.clients[at]!;
      if (!runnable) continue;
      if (guarantee === undefined) return (this.#last = at);
      if (spare === NONE) spare = at;
    }
    if (spare !== NONE) this.#last = spare;
    return spare;
  }
}
