import { DURATION_FORM, durationCycles, parseDuration } from '../devicetree/duration.js';

/** A stretch of virtual time: seconds, or a number with its unit: `'10 ms'`, `'2 s'`, `'5000 cycles'`. */
export type Duration = number | string;

/** A duration in whole cycles of a processor of so many a second, or why it is none. */
export function cyclesOf(duration: Duration, frequency: number): number | { readonly problem: string } {
  const parsed = typeof duration === 'number' ? { seconds: duration } : parseDuration(duration);
  const cycles = parsed && durationCycles(parsed, frequency);
  if (cycles !== undefined && Number.isSafeInteger(cycles) && cycles >= 0) return cycles;
  return { problem: `'${duration}' is no duration of virtual time; write seconds as a number, or ${DURATION_FORM}` };
}

/** A number of cycles as a person reads time: `1.234567 s`. */
export const secondsText = (cycles: number, frequency: number): string => `${(cycles / frequency).toFixed(6)} s`;
