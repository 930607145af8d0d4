import type { Region } from '../bus/bus.js';
import type { Ram } from '../bus/memory.js';
import type { Range } from '../devicetree/addresses.js';
import type { Partition } from './partition.js';

type Use = 'read' | 'write';

/**
 * The memory of a partition at a guest-physical address, its own or shared; its magic pages and devices are none, and what it
 * may only read is none for a write.
 */
function regionAt({ board, config }: Partition, address: number, use: Use): Region<Ram> | undefined {
  const holds = ({ base, size }: Range): boolean => address >= base && address < base + size;
  if (!config.memory.some(holds) && !config.windows.some(holds)) return undefined;
  return use === 'write' ? board.bus.writable(address) : board.bus.ram.find(address);
}

/** The pieces of memory that a range of guest-physical addresses is made of; undefined where not all of it is memory. */
function piecesOf(
  partition: Partition,
  address: number,
  size: number,
  use: Use,
): { ram: Ram; offset: number; size: number }[] | undefined {
  const pieces = [];
  for (let done = 0; done < size;) {
    const region = regionAt(partition, address + done, use);
    if (!region) return undefined;
    const offset = address + done - region.base;
    const part = Math.min(size - done, region.size - offset);
    pieces.push({ ram: region.target, offset, size: part });
    done += part;
  }
  return pieces;
}

/** Whether all of a range is memory of the partition, which it may use like this. */
export const isMemory = (partition: Partition, address: number, size: number, use: Use): boolean =>
  piecesOf(partition, address, size, use) !== undefined;

/** Bytes of a guest's memory; undefined where not all of it is memory. */
export function readMemory(partition: Partition, address: number, size: number): Uint8Array | undefined {
  const pieces = piecesOf(partition, address, size, 'read');
  if (!pieces) return undefined;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece.ram.slice(piece.offset, piece.size), at);
    at += piece.size;
  }
  return bytes;
}

/** False where not all of it is memory that the partition may write; then nothing is written. */
export function writeMemory(partition: Partition, address: number, bytes: Uint8Array): boolean {
  const pieces = piecesOf(partition, address, bytes.length, 'write');
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
    const region = regionAt(partition, address + i, 'read');
    if (!region) return undefined;
    const byte = region.target.read(address + i - region.base, 1);
    if (byte === 0) return text;
    text += String.fromCharCode(byte);
  }
  return null;
}
