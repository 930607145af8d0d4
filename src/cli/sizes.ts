import { UsageError } from '../launch/errors.js';

const units: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** `--history SIZE`: bytes, or with K, M or G; 0 for none. */
export function parseHistory(text: string): number {
  const size = sizeOf(text);
  if (Number.isSafeInteger(size) && (size === 0 || size >= 2 ** 20)) return size;
  throw new UsageError(`--history ${text}: 1M or more, such as 256M, or 0 for none`);
}

function sizeOf(text: string): number {
  const match = /^(\d+|0x[0-9a-f]+)([kmg]?)(i?b)?$/i.exec(text.trim());
  return match ? Number(match[1]) * units[match[2]!.toLowerCase()]! : NaN;
}

/** `--memory SIZE`: bytes, or with K, M or G (KiB, MiB, GiB); whole 4 KiB pages, 64 KiB to 2 GiB. */
export function parseSize(text: string): number {
  const size = sizeOf(text);
  if (!Number.isSafeInteger(size))
    throw new UsageError(`--memory ${text}: that is no size; write bytes, or 64K, 128M, 1G`);
  if (size < 65536 || size > 2 ** 31) throw new UsageError(`--memory ${text}: a board has 64K to 2G of memory`);
  if (size % 4096 !== 0) throw new UsageError(`--memory ${text}: memory comes in pages of 4K; round it to a multiple`);
  return size;
}

/** A number of bytes, or with K, M or G (KiB, MiB, GiB), at least 4K. */
export function parseBytes(option: string, text: string): number {
  const match = /^(\d+)([kmg]?)(i?b)?$/i.exec(text.trim());
  const size = match ? Number(match[1]) * units[match[2]!.toLowerCase()]! : NaN;
  if (!Number.isSafeInteger(size) || size < 4096)
    throw new UsageError(`${option} ${text}: give a number of bytes from 4K on, such as 64K, 128M or 1G`);
  return size;
}

/** A whole number of at least 1: `1000000`, `1e9`, `1_000_000`; `such` is what the message suggests. */
export function parseCount(option: string, text: string, such = '1000000 or 1e9'): number {
  const count = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(count) || count < 1)
    throw new UsageError(`${option} ${text}: give a whole number from 1 on, such as ${such}`);
  return count;
}

/** Seconds of wall time, more than 0. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds <= 0)
    throw new UsageError(`--timeout ${text}: give a number of seconds above 0`);
  return seconds;
}

/** A seed: a whole number of 32 bits. */
export function parseSeed(option: string, text: string): number {
  const seed = Number(text);
  if (text.trim() !== '' && Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff) return seed;
  throw new UsageError(`${option} ${text}: give a whole number from 0 to 4294967295`);
}

/** An effective address of an instruction: `0xc0001234`. */
export function parseCodeAddress(option: string, text: string): number {
  const address = Number(text);
  if (text.trim() !== '' && Number.isInteger(address) && address >= 0 && address <= 0xffffffff && address % 4 === 0)
    return address;
  throw new UsageError(`${option} ${text}: give an address, a multiple of 4, such as 0xc0001234`);
}
