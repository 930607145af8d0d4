import type { Comparison } from './emit-values.js';
import { mayRepeat, operandsOf, type Effect } from './effects.js';
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

const conditionField = (field: number): Places => Places.of(PLACE.CR + field);

/** The places that an effect changes. */
export function changedBy(effect: Effect): Places {
  switch (effect.kind) {
    case 'set':
      return Places.of(effect.place);
    case 'compare':
    case 'field':
      return conditionField(effect.field);
    case 'bit':
      return conditionField(effect.bit >> 2);
    case 'loadMultiple':
      return Places.from(effect.first);
    default:
      return Places.none;
  }
}

/** The places that an effect looks at, while those of `changed` may differ from what memory has. */
function neededBy(effect: Effect, changed: Places): Places {
  let places = Places.none;
  for (const operand of operandsOf(effect)) places = places.with(placesOf(operand, changed));
  if (effect.kind === 'bit') places = places.with(conditionField(effect.bit >> 2));
  if (effect.kind === 'storeMultiple') places = places.with(Places.from(effect.first));
  return places;
}

function placesOf({ op, n, a, b, c }: Value, changed: Places): Places {
  switch (op) {
    case 'place':
      return Places.of(n);
    case 'crbit':
      return conditionField(n >> 2);
    case 'crfield':
      return conditionField(n);
    case 'cr':
      return changed.and(Places.conditionFields);
    default: {
      let places = a ? placesOf(a, changed) : Places.none;
      if (b) places = places.with(placesOf(b, changed));
      return c ? places.with(placesOf(c, changed)) : places;
    }
  }
}

/** May an instruction leave the region before it has done anything? */
export const mayRefuse = ({ lowered }: Placed): boolean => lowered.effects.some(isRefusal);

const refusals: ReadonlySet<Effect['kind']> = new Set([
  'load',
  'store',
  'storeConditional',
  'loadMultiple',
  'storeMultiple',
  'touch',
  'zero',
  'refuse',
]);
const isRefusal = (effect: Effect): boolean =>
  refusals.has(effect.kind) || (effect.kind === 'branch' && mayRepeat(effect));

/** The places that an instruction changes. */
export const changes = ({ lowered }: Placed): Places =>
  lowered.effects.reduce((all, effect) => all.with(changedBy(effect)), Places.none);

export function analyse({ blocks }: Region): Flow {
  const successors = blocks.map(successorsOf);
  const retired = retiredBy(blocks, successors);
  const changed = changedAtStart(blocks, successors, retired);
  return { changed, needed: neededAtStart(blocks, successors, changed, retired), retired };
}

/** Registers; the carry and CR fields share words of memory. */
const registers = Places.from(0).with(Places.of(PLACE.LR)).with(Places.of(PLACE.CTR));

/** Blocks that use more places than that want more registers than the machine has. */
const FULL = 12;

/**
 * What nothing in the region reads again before it is changed again is written to memory at once, in blocks that use many
 * places: to keep it for the ways out of a loop would cost a register all the way round, which others need more.
 */
function retiredBy(blocks: readonly Block[], successors: readonly number[][]): Places[][] {
  const steps = blocks.map(({ instructions }) =>
    instructions.map((instruction) => {
      const { effects } = instruction.lowered;
      const read = effects.reduce((all, effect) => all.with(neededBy(effect, Places.none)), Places.none);
      return { read, written: changes(instruction) };
    }),
  );
  const live = blocks.map(() => Places.none);
  const atEnd = (i: number): Places => successors[i]!.reduce((all, next) => all.with(live[next]!), Places.none);
  for (let again = true; again;) {
    again = false;
    for (let i = blocks.length - 1; i >= 0; i--) {
      const places = steps[i]!.reduceRight((all, { read, written }) => all.without(written).with(read), atEnd(i));
      if (places.equals(live[i]!)) continue;
      live[i] = places;
      again = true;
    }
  }
  return steps.map((list, i) => {
    const used = list.reduce((all, { read, written }) => all.with(read).with(written), Places.none);
    let rest = successors[i]!.length > 0 && used.size > FULL ? registers.without(atEnd(i)) : Places.none;
    return list
      .map(({ written }) => written)
      .reverse()
      .map((written) => {
        const retired = written.and(rest);
        rest = rest.without(written);
        return retired;
      })
      .reverse();
  });
}

function changedAtStart(
  blocks: readonly Block[],
  successors: readonly number[][],
  retired: readonly (readonly Places[])[],
): Places[] {
  const start = blocks.map(() => Places.none);
  for (let again = true; again;) {
    again = false;
    blocks.forEach(({ instructions }, i) => {
      const end = instructions.reduce(
        (all, instruction, at) => all.with(changes(instruction)).without(retired[i]![at]!),
        start[i]!,
      );
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
): Places[] {
  const steps = blocks.map((block, i) => stepsOf(block, changed[i]!, retired[i]!));
  const needed = blocks.map(() => Places.none);
  for (let again = true; again;) {
    again = false;
    for (let i = blocks.length - 1; i >= 0; i--) {
      let places = successors[i]!.reduce((all, next) => all.with(needed[next]!), steps[i]!.atEnd);
      for (const { without, plus } of steps[i]!.backwards) places = places.without(without).with(plus);
      places = places.with(changed[i]!); // leaving at once has to write them
      if (places.equals(needed[i]!)) continue;
      needed[i] = places;
      again = true;
    }
  }
  return needed;
}

/** What a block does to the set of needed places, from its end to its start. */
function stepsOf(block: Block, atStart: Places, retired: readonly Places[]) {
  let changed = atStart;
  const steps = block.instructions.map((instruction, i) => {
    let written = Places.none;
    let plus = mayRefuse(instruction) ? changed : Places.none;
    for (const effect of instruction.lowered.effects) {
      plus = plus.with(neededBy(effect, changed.with(written))); // values may be older than what was written before
      written = written.with(changedBy(effect));
    }
    changed = changed.with(written).without(retired[i]!);
    return { without: written, plus };
  });
  return { atEnd: leaves(block) ? changed : Places.none, backwards: steps.reverse() };
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
