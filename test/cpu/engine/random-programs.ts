// Random programs in lockstep, as many as there is time for. HV440_SEED: the first seed; HV440_LOCKSTEP: how many instructions.

import { Dice } from '../../hypervisor/fuzz.js';
import { lockstep } from './lockstep.js';
import type { EngineName, Place } from './sides.js';

const seedOf = process.env['HV440_SEED'];
const instructionsOf = process.env['HV440_LOCKSTEP'];

/** Which engine is compared with the reference: those oftener that have more to lose. */
const turns: readonly EngineName[] = [
  'eager',
  'warm',
  'default',
  'eager',
  'interpreter',
  'warm',
  'eager',
  'default',
  'tiny',
];
/**
 * Cycles of a program. Where all is translated anew again and again, short ones show as much. Of the others the long ones are
 * needed: what is translated once it has been wanted 16384 times is hardly met in a short one.
 */
const lengths: Readonly<Partial<Record<EngineName, readonly number[]>>> = {
  eager: [50_000, 100_000, 200_000],
  tiny: [50_000],
};
const others = [50_000, 100_000, 200_000, 300_000, 1_000_000, 3_000_000];
/** A program is at most this part of all: also of few instructions there are many programs. */
const PART = 1 / 30;
const LEAST = 50_000;
const lengthOf = (dice: Dice, engine: EngineName): number => dice.of(lengths[engine] ?? others);

/** Programs of one seed after another until so many instructions have been compared; says what there was. */
export function randomPrograms(places: readonly Place[], seed: number, instructions: number, debugged = false): void {
  const first = seedOf === undefined ? seed : Number(seedOf);
  const most = instructionsOf === undefined ? instructions : Number(instructionsOf);
  const interrupts = new Map<string, number>();
  let [done, comparisons, stops, programs] = [0, 0, 0, 0];
  for (; done < most; programs++) {
    const dice = new Dice(first + programs);
    const engine = turns[programs % turns.length]!;
    const place = places[Math.floor(programs / turns.length) % places.length]!;
    const cycles = debugged ? 60_000 : Math.min(lengthOf(dice, engine), Math.max(LEAST, Math.floor(most * PART)));
    const result = lockstep(first + programs, { engines: ['reference', engine], place, cycles, debugged });
    done += result.instructions;
    comparisons += result.comparisons;
    stops += result.stops;
    for (const [kind, count] of result.interrupts) interrupts.set(kind, (interrupts.get(kind) ?? 0) + count);
  }
  const met = [...interrupts].map(([kind, count]) => `${kind} ${count}`).join(', ');
  console.log(
    `seeds ${first} to ${first + programs - 1}: ${done} instructions, compared ${comparisons} times, stopped ${stops} times. ${met}`,
  );
}
