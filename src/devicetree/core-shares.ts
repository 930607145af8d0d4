/** A share of some cores' time that is wanted. */
export interface Demand {
  /** Per cent of one core. */
  readonly percent: number;
  /** The numbers of the cores that it may come from. */
  readonly cores: readonly number[];
}

/** How a core is reached: its taker would move some of what it has of another core to it. */
interface Move {
  readonly from: number;
  readonly taker: Demand;
}

/** A core on the way to one with room; the first, which nobody moves to, is for the new demand. */
interface Step {
  readonly core: number;
  readonly move: Move | undefined;
}

/** All of a core. */
const WHOLE = 100;

/**
 * Which demands cores can meet together: a flow from demands to cores, kept at its maximum while demands are added. What flows can
 * be scheduled: by the open shop's theorem (Gonzalez and Sahni 1976) shares can be laid out in time so that nothing is on two cores at once.
 */
export class CoreShares {
  /** What each demand has of each core. */
  readonly #taken = new Map<Demand, Map<number, number>>();
  readonly #room: Map<number, number>;

  constructor(cores: readonly number[]) {
    this.#room = new Map(cores.map((core) => [core, WHOLE]));
  }

  /** Meet a demand; where that cannot be, nothing changes, and these are the cores that it and others ask too much of. */
  add(demand: Demand): readonly number[] | undefined {
    const taken = new Map<number, number>();
    this.#taken.set(demand, taken);
    let left = demand.percent;
    while (left > 0) {
      const { reached, path } = this.#search(demand.cores);
      if (!path) {
        this.#taken.delete(demand);
        for (const [core, percent] of taken) this.#room.set(core, this.#room.get(core)! + percent);
        return [...reached.keys()].toSorted((a, b) => a - b);
      }
      left -= this.#augment(demand, path, left);
    }
    return undefined;
  }

  /** Is there anything left of these cores, where others give way to cores that they may have as well? */
  leaves(cores: readonly number[]): boolean {
    return this.#search(cores).path !== undefined;
  }

  /** The cores that can be got at, each with who would give way on which core for it; and the way to one with room. */
  #search(from: readonly number[]) {
    const reached = new Map<number, Move | undefined>(from.map((core) => [core, undefined]));
    for (const core of reached.keys()) {
      if ((this.#room.get(core) ?? 0) > 0) return { reached, path: pathTo(core, reached) };
      for (const [taker, taken] of this.#taken) {
        if ((taken.get(core) ?? 0) === 0) continue;
        for (const other of taker.cores) if (!reached.has(other)) reached.set(other, { from: core, taker });
      }
    }
    return { reached, path: undefined };
  }

  /** Move shares along a way, as much as all of it bears; gives how much the new demand got. */
  #augment(demand: Demand, path: readonly Step[], most: number): number {
    const room = this.#room.get(path.at(-1)!.core)!;
    const movable = path.flatMap(({ move }) => (move ? this.#taken.get(move.taker)!.get(move.from)! : []));
    const amount = Math.min(most, room, ...movable);
    this.#room.set(path.at(-1)!.core, room - amount);
    for (const { core, move } of path) {
      const taken = this.#taken.get(move?.taker ?? demand)!;
      taken.set(core, (taken.get(core) ?? 0) + amount);
      if (move) taken.set(move.from, taken.get(move.from)! - amount);
    }
    return amount;
  }
}

function pathTo(end: number, reached: ReadonlyMap<number, Move | undefined>): Step[] {
  const path: Step[] = [];
  for (let core: number | undefined = end; core !== undefined; core = path[0]!.move?.from)
    path.unshift({ core, move: reached.get(core) });
  return path;
}
