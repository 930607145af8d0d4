/**
 * Control flow as nested loops. A graph of blocks becomes a list of items in an order in which all branches but those back to
 * a loop's head go forward; a loop is such a list again. Loops with several heads (irreducible ones, and those that are
 * entered from outside in the middle) stay loops, which choose among their heads each time round.
 */
export type Item =
  | { readonly kind: 'block'; readonly heads: readonly [number] }
  | { readonly kind: 'loop'; readonly heads: readonly number[]; readonly items: readonly Item[] };

/** `successors[i]` are the blocks that may come after block i; `entries` those that may come first. */
export function structure(successors: readonly (readonly number[])[], entries: readonly number[]): readonly Item[] {
  const all = successors.map((_, i) => i);
  return order(all, successors, entries, new Set());
}

/** The blocks of `nodes`, without the edges to blocks in `cut`. */
function order(
  nodes: readonly number[],
  successors: readonly (readonly number[])[],
  entries: readonly number[],
  cut: ReadonlySet<number>,
): Item[] {
  const inside = new Set(nodes);
  const next = (v: number): readonly number[] => successors[v]!.filter((w) => inside.has(w) && !cut.has(w));
  const groups = components(nodes, next, entries);
  return groups.map((group): Item => {
    const [first] = group;
    if (group.length === 1 && !next(first!).includes(first!)) return { kind: 'block', heads: [first!] };
    const members = new Set(group);
    const heads = new Set(group.filter((v) => entries.includes(v)));
    for (const v of nodes) {
      if (!members.has(v)) for (const w of next(v)) if (members.has(w)) heads.add(w);
    }
    if (heads.size === 0) heads.add(first!);
    const sorted = [...heads].sort((a, b) => a - b);
    return { kind: 'loop', heads: sorted, items: order(group, successors, sorted, heads) };
  });
}

/** Strongly connected components in topological order (Tarjan), with a stack of our own. */
function components(
  nodes: readonly number[],
  next: (v: number) => readonly number[],
  entries: readonly number[],
): number[][] {
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const open = new Set<number>();
  const stack: number[] = [];
  const found: number[][] = [];
  const begin = (v: number) => {
    index.set(v, index.size);
    low.set(v, index.get(v)!);
    stack.push(v);
    open.add(v);
    return { v, successors: next(v), at: 0 };
  };
  const inside = new Set(nodes);
  for (const root of [...entries.filter((v) => inside.has(v)), ...nodes]) {
    if (index.has(root)) continue;
    const frames = [begin(root)];
    while (frames.length > 0) {
      const frame = frames.at(-1)!;
      if (frame.at < frame.successors.length) {
        const w = frame.successors[frame.at++]!;
        if (!index.has(w)) frames.push(begin(w));
        else if (open.has(w)) low.set(frame.v, Math.min(low.get(frame.v)!, index.get(w)!));
        continue;
      }
      frames.pop();
      const parent = frames.at(-1);
      if (parent) low.set(parent.v, Math.min(low.get(parent.v)!, low.get(frame.v)!));
      if (low.get(frame.v) === index.get(frame.v)) found.push(take(stack, open, frame.v));
    }
  }
  return found.reverse();
}

/** Pops a component off the stack, its first block first. */
function take(stack: number[], open: Set<number>, first: number): number[] {
  const group = stack.splice(stack.indexOf(first));
  for (const v of group) open.delete(v);
  return group;
}
