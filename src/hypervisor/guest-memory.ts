import type { Region } from '../bus/bus.js';
import type { Ram } from '../bus/memory.js';
import type { Partition } from './partition.js';

/** The memory of a partition at a guest-physical address; its magic pages and devices are none. */
function regionAt(partition: Partition, address: number): Region<Ram> | undefined {
  const own = partition.config.memory.some(({ base, size }) => address >= base && address < base + size);
  return own ? partition.board.bus.ram.find(address) : undefined;
}

/** The pieces of memory that a range of guest-physical addresses is made of; undefined where not all of it is memory. */
function piecesOf(
  partition: Partition,
  address: number,
  size: number,
): { ram: Ram; offset: number; size: number }[] | undefined {
  const pieces = [];
  for (let done = 0; done < size;) {
    const region = regionAt(partition, address + done);
    if (!region) return undefined;
    const offset = address + done - region.base;
    const part = Math.min(size - done, region.size - offset);
    pieces.push({ ram: region.target, offset, size: part });
    done += part;
  }
  return pieces;
}

/** Whether all of a range is memory of the partition. */
export const isMemory = (partition: Partition, address: number, size: number): boolean =>
  piecesOf(partition, address, size) !== undefined;

/** Bytes of a guest's memory; undefined where not all of it is memory. */
export function readMemory(partition: Partition, address: number, size: number): Uint8Array | undefined {
  const pieces = piecesOf(partition, address, size);
  if (!pieces) return undefined;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece.ram.slice(piece.offset, piece.size), at);
    at += piece.size;
  }
  return bytes;
}

/** False where not all of it is memory; then nothing is written. */
export function writeMemory(partition: Partition, address: number, bytes: Uint8Array): boolean {
  const pieces = piecesOf(partition, address, bytes.length);
  let at = 0;
  for (const { ram, offset, size } of pieces ?? []) {
    ram.load(offset, bytes.subarray(at, at + size));
    at += size;
  }
  return pieces !== undefined;
}

/** Text up to its zero byte, of so many bytes with it at most: undefined where memory ends first, null where it is longer. */
export function readText(partition: Partition, address: number, most: number): string | undefined | null {
  let text = '';
  for (let i = 0; i < most; i++) {
    const region = regionAt(partition, address + i);
    if (!region) return undefined;
    const byte = region.target.read(address + i - region.base, 1);
    if (byte === 0) return text;
    text += String.fromCharCode(byte);
  }
  return null;
}
