/** A length of simulated time: seconds, or cycles of the core. */
export type Duration = { readonly seconds: number } | { readonly cycles: number };

const units: Readonly<Record<string, number>> = { s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9 };

const FORM = /^\s*(\d+(?:\.\d+)?)\s*(s|ms|us|ns|cycles?)\s*$/;

/** How a duration is written, for messages. */
export const DURATION_FORM = "a number and s, ms, us, ns or cycles, such as '10 ms'";

/** A duration as it is written, `10 ms` or `5000 cycles`; undefined where the text is none. */
export function parseDuration(text: string): Duration | undefined {
  const [, number, unit] = FORM.exec(text) ?? [];
  if (number === undefined || unit === undefined) return undefined;
  const seconds = units[unit];
  if (seconds !== undefined) return { seconds: Number(number) * seconds };
  return Number.isSafeInteger(Number(number)) ? { cycles: Number(number) } : undefined;
}

/** So many cycles of a core of this frequency (Hz), rounded to a whole number. */
export const durationCycles = (duration: Duration, frequency: number): number =>
  'cycles' in duration ? duration.cycles : Math.round(duration.seconds * frequency);

const steps = [
  ['s', 1],
  ['ms', 1e-3],
  ['us', 1e-6],
] as const;

/** Cycles as a person reads them: `12.4 ms`, three digits at least. */
export function describeCycles(cycles: number, frequency: number): string {
  const seconds = cycles / frequency;
  const [unit, size] = steps.find(([, each]) => seconds >= each) ?? ['us', 1e-6];
  const value = seconds / size;
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}`;
}
