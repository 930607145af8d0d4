import type { Comparison } from './emit-values.js';
import { Places } from './places.js';
import { successorsOf, waysOf, type Block, type Placed, type Region } from './region.js';
import { PLACE, type Value } from './value.js';

/** What generated code has to know of places along the paths through a region. */
export interface Flow {
  /** Places that may have changed since the region was entered, when a block begins: memory may not have their values. */
  readonly changed: readonly Places[];
  /** Places whose values are needed when a block begins. */
  readonly needed: readonly Places[];
  /** For each instruction of each block, the places that it changes and that memory is given at once: see `retiredBy`. */
  readonly retired: readonly (readonly Places[])[];
}

export function analyse({ blocks }: Region): Flow {
  const successors = blocks.map(successorsOf);
  const retired = retiredBy(blocks, successors);
  const changed = changedAtStart(blocks, successors, retired);
  return { changed, needed: neededAtStart(blocks, successors, changed, retired), retired };
}

/** What a piece of code does to a set of places: some go, then some come. */
interface Step {
  readonly without: Places;
  readonly plus: Places;
}

const apply = (places: Places, { without, plus }: Step): Places => places.without(without).with(plus);
const NO_STEP: Step = { without: Places.none, plus: Places.none };
/** The first, then the second. */
const then = (first: Step, second: Step): Step => ({
  without: first.without.with(second.without),
  plus: apply(first.plus, second),
});

/** Blocks that use more places than that want more registers than the machine has. */
const FULL = 12;

/** Registers; the carry and CR fields share words of memory. */
const registers = Places.from(0).with(Places.of(PLACE.LR)).with(Places.of(PLACE.CTR));

/**
 * What nothing in the region reads again before it is changed again is written to memory at once, in blocks that use many
 * places: to keep it for the ways out of a loop would cost a register all the way round, which others need more.
 */
function retiredBy(blocks: readonly Block[], successors: readonly number[][]): (readonly Places[])[] {
  const none = blocks.map(() => []);
  const isFull = blocks.map(({ instructions }, i) => {
    if (3 * instructions.length <= FULL || successors[i]!.length === 0) return false;
    const used = instructions.reduce((all, { lowered }) => all.with(lowered.needs).with(lowered.changes), Places.none);
    return used.size > FULL;
  });
  if (!isFull.includes(true)) return none;
  const steps = blocks.map(({ instructions }) =>
    instructions.reduceRight(
      (all, { lowered }) => then(all, { without: lowered.changes, plus: lowered.needs }),
      NO_STEP,
    ),
  );
  const live = backwards(successors, (i, atEnd) => apply(atEnd, steps[i]!));
  return blocks.map(({ instructions }, i) => {
    if (!isFull[i]) return [];
    let rest = registers;
    for (const next of successors[i]!) rest = rest.without(live[next]!);
    const retired = instructions.map(() => Places.none);
    for (let at = instructions.length - 1; at >= 0; at--) {
      const { changes, flow } = instructions[at]!.lowered;
      if (flow !== 'branch') retired[at] = changes.and(rest); // which is not over yet
      rest = rest.without(changes);
    }
    return retired;
  });
}

/** The places of each block's start, as `ofBlock` has them of those of its successors, until nothing changes any more. */
function backwards(
  successors: readonly number[][],
  ofBlock: (block: number, ofSuccessors: Places) => Places,
): readonly Places[] {
  const places = successors.map(() => Places.none);
  for (let again = true; again;) {
    again = false;
    for (let i = successors.length - 1; i >= 0; i--) {
      let atEnd = Places.none;
      for (const next of successors[i]!) atEnd = atEnd.with(places[next]!);
      const atStart = ofBlock(i, atEnd);
      if (atStart.equals(places[i]!)) continue;
      places[i] = atStart;
      again = true;
    }
  }
  return places;
}

/** What of the changed places memory has behind an instruction; `retired` are those of its block. */
const changing = ({ lowered }: Placed, retired: Places | undefined): Step => ({
  without: retired ?? Places.none,
  plus: retired ? lowered.changes.without(retired) : lowered.changes,
});

function changedAtStart(
  blocks: readonly Block[],
  successors: readonly number[][],
  retired: readonly (readonly Places[])[],
): Places[] {
  const steps = blocks.map(({ instructions }, i) =>
    instructions.reduce((all, instruction, at) => then(all, changing(instruction, retired[i]![at])), NO_STEP),
  );
  const start = blocks.map(() => Places.none);
  for (let again = true; again;) {
    again = false;
    blocks.forEach((_, i) => {
      const end = apply(start[i]!, steps[i]!);
      for (const next of successors[i]!) {
        const more = start[next]!.with(end);
        if (more.equals(start[next]!)) continue;
        start[next] = more;
        again = true;
      }
    });
  }
  return start;
}

function neededAtStart(
  blocks: readonly Block[],
  successors: readonly number[][],
  changed: readonly Places[],
  retired: readonly (readonly Places[])[],
): readonly Places[] {
  const steps = blocks.map((block, i) => stepOf(block, changed[i]!, retired[i]!));
  return backwards(successors, (i, atEnd) => apply(atEnd, steps[i]!).with(changed[i]!)); // leaving at once has to write them
}

/** What a block does to the set of needed places, from its end to its start. */
function stepOf(block: Block, atStart: Places, retired: readonly Places[]): Step {
  let changed = atStart;
  const steps = block.instructions.map((instruction, at): Step => {
    const { changes, needs, needsAll, refuses } = instruction.lowered;
    const before = changed;
    changed = apply(changed, changing(instruction, retired[at]));
    const all = needsAll ? before.with(changes).and(Places.conditionFields) : Places.none;
    return { without: changes, plus: refuses ? needs.with(all).with(before) : needs.with(all) };
  });
  const atEnd = { without: Places.none, plus: leaves(block) ? changed : Places.none };
  return steps.reduceRight(then, atEnd);
}

/** Can control leave the region behind a block's last instruction? */
function leaves(block: Block): boolean {
  const branch = block.instructions.at(-1)?.lowered.flow === 'branch';
  return waysOf(block).some((way) => !('block' in way)) || (branch && block.target === undefined);
}

/** The comparison whose outcome alone a block's branch depends on. */
export function comparisonFor({ instructions }: Block): Comparison | undefined {
  const branch = instructions.at(-1)?.lowered.effects.at(-1);
  if (branch?.kind !== 'branch' || !branch.condition) return undefined;
  const field = fieldOf(branch.condition);
  if (field === undefined) return undefined;
  const effects = instructions.flatMap(({ lowered }) => lowered.effects);
  const effect = effects.findLast(
    (e) =>
      ((e.kind === 'compare' || e.kind === 'field') && e.field === field) || (e.kind === 'bit' && e.bit >> 2 === field),
  );
  return effect?.kind === 'compare' ? { effect, field, signed: effect.signed } : undefined;
}

function fieldOf(value: Value): number | undefined {
  if (value.op === 'crbit') return value.n >> 2;
  for (const operand of [value.a, value.b]) {
    const field = operand && fieldOf(operand);
    if (field !== undefined) return field;
  }
  return undefined;
}
