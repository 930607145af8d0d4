import { assert } from '../bus/assert.js';

/** Somebody who shares the core; a vcpu. */
export interface Client {
  /** Could it use the core now? */
  readonly runnable: boolean;
  /** The share of the core that it has for certain while it wants it, in per cent; undefined: none. */
  readonly guarantee: number | undefined;
}

/** Who has the core, and for how many cycles at most. */
export interface Turn<C> {
  readonly client: C;
  readonly cycles: number;
}

/** What a client has coming by its guarantee. */
interface Reservation<C> {
  readonly client: C;
  /** Per cent of the core. */
  readonly share: number;
  /**
   * Hundredths of cycles that it has coming since it began to want the core; below 0 where it had them ahead of time. Between -100 turns
   * and 100 turns or so, so whole numbers hold it.
   */
  credit: number;
}

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
  /** Of those with a guarantee, in the order of the source. */
  readonly #reservations: readonly Reservation<C>[];
  /** Who had the last turn that was not due by a guarantee. */
  #last = -1;
  /** By what the present turn is due, where it is by a guarantee. */
  #due: Reservation<C> | undefined;
  /** Nobody has the core. */
  #idle = true;
  /** The cycle at which the present turn, or the idle time, began; all is settled up to that. */
  #since: number;

  constructor(
    private readonly clients: readonly C[],
    private readonly clock: { readonly now: number },
    /** Cycles of a turn. */
    private readonly quantum: number,
  ) {
    this.#reservations = clients.flatMap((client) =>
      client.guarantee === undefined ? [] : { client, share: client.guarantee, credit: 0 },
    );
    this.#since = clock.now;
    const sum = this.#reservations.reduce((all, { share }) => all + share, 0);
    assert(sum <= 100, 'guarantees of a core are no more than all of it');
  }

  /** Plain data; the same whether or not an idle stretch was looked at in between. */
  save() {
    if (this.#idle) this.#settle();
    return {
      last: this.#last,
      credits: this.#reservations.map(({ credit }) => credit),
      due: this.#due ? this.#reservations.indexOf(this.#due) : undefined,
      idle: this.#idle,
      since: this.#since,
    };
  }

  restore({ last, credits, due, idle, since }: ReturnType<Scheduler<C>['save']>): void {
    this.#last = last;
    for (const [i, reservation] of this.#reservations.entries()) reservation.credit = credits[i]!;
    this.#due = due === undefined ? undefined : this.#reservations[due];
    this.#idle = idle;
    this.#since = since;
  }

  /** End the turn that was, and begin another at this cycle; undefined when all wait or have ended. */
  next(): Turn<C> | undefined {
    this.#settle();
    this.#due = this.#mostUrgent();
    const client = this.#due?.client ?? this.#inTurn();
    this.#idle = client === undefined;
    return client && { client, cycles: this.#due ? this.#slice : this.quantum };
  }

  /** Cycles of a turn that is due by a guarantee. */
  get #slice(): number {
    return Math.ceil(this.quantum / 2);
  }

  /**
   * Credit what passed since the last turn began. Who is found awake counts as awake since then: before its end nothing could have been
   * done for it. Who sleeps keeps no credit, but pays off by its share what it had ahead of time; so does everybody while the
   * core is idle. What was given beyond guarantees is not taken off them.
   */
  #settle(): void {
    const passed = this.clock.now - this.#since;
    this.#since = this.clock.now;
    for (const reservation of this.#reservations) {
      reservation.credit += (reservation.share - (reservation === this.#due ? 100 : 0)) * passed;
      if (this.#idle || !reservation.client.runnable) reservation.credit = Math.min(reservation.credit, 0);
    }
  }

  /** Of those to whom a turn is due, the one that has to have had it first; the first of the source where two are alike. */
  #mostUrgent(): Reservation<C> | undefined {
    let most: Reservation<C> | undefined;
    for (const reservation of this.#reservations) {
      if (reservation.credit < 0 || !reservation.client.runnable) continue;
      if (!most || this.#isBefore(reservation, most)) most = reservation;
    }
    return most;
  }

  /** Is one's deadline before the other's? It is when its share of the time amounts to a turn and no more. */
  #isBefore(one: Reservation<C>, other: Reservation<C>): boolean {
    const left = ({ credit }: Reservation<C>): number => 100 * this.#slice - credit;
    return left(one) * other.share < left(other) * one.share;
  }

  /** The next one after the last: of those without a guarantee, or, where none of them wants the core, of all. */
  #inTurn(): C | undefined {
    const { length } = this.clients;
    let spare: number | undefined;
    for (let i = 1; i <= length; i++) {
      const at = (this.#last + i) % length;
      const client = this.clients[at]!;
      if (!client.runnable) continue;
      if (client.guarantee === undefined) {
        this.#last = at;
        return client;
      }
      spare ??= at;
    }
    if (spare === undefined) return undefined;
    this.#last = spare;
    return this.clients[spare];
  }
}
