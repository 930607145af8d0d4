import type { Range } from '../../devicetree/addresses.js';

/** `0x00000000–0x00ffffff`; as wide everywhere, so that columns stand. */
export const span = ({ base, size: bytes }: Range): string => `${hex(base)}–${hex(base + bytes - 1)}`;

/** `0x00ffffff`. */
export const hex = (value: number, digits = 8): string => `0x${value.toString(16).padStart(digits, '0')}`;

const units = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const;

/** `16 MiB`, `23.8 KiB`, `8 B`: in the largest unit that there is a whole one of, to one digit behind the point. */
export function size(bytes: number): string {
  const [unit, scale] = units.find(([, of]) => bytes >= of) ?? ['B', 1];
  return `${+(bytes / scale).toFixed(1)} ${unit}`;
}

/** `400 MHz`. */
export const hertz = (frequency: number): string =>
  frequency >= 1e6 ? `${+(frequency / 1e6).toFixed(3)} MHz` : `${frequency} Hz`;

const senses: Readonly<Record<number, string>> = {
  1: 'rising edge',
  2: 'falling edge',
  4: 'level high',
  8: 'level low',
};

/** How an interrupt is sensed. */
export const sense = (type: number): string => senses[type] ?? `type ${type}`;
