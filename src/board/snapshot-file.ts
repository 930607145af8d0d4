import { MemoryImage, pageBytes, pageOfBytes } from '../bus/memory-image.js';
import { PAGE_SIZE } from '../bus/memory.js';
import { pack, unpack, type Compression } from '../loader/container.js';
import { stateHash, type Snapshot } from './snapshot.js';
import { decodeState, encodeState } from './state-text.js';

/** To be counted on whenever what `save` gives becomes another. */
const VERSION = 1;

interface Header {
  readonly identity: unknown;
  readonly cycle: number;
  readonly hash: string;
  /** Bytes of the state's text, and the numbers of the pages behind it. */
  readonly state: number;
  readonly pages: readonly number[];
  readonly length: number;
}

/** A snapshot as a file; `identity` is JSON, and says what configuration it is of. The surroundings may have quicker compression. */
export function snapshotFile(snapshot: Snapshot, identity: unknown, compression?: Compression): Uint8Array {
  const state = new TextEncoder().encode(encodeState(snapshot.state));
  const pages = [...snapshot.memory.pages()];
  const body = new Uint8Array(state.length + pages.length * PAGE_SIZE);
  body.set(state);
  pages.forEach(([, page], i) => body.set(pageBytes(page), state.length + i * PAGE_SIZE));
  const header: Header = {
    identity,
    cycle: snapshot.cycle,
    hash: stateHash(snapshot),
    state: state.length,
    pages: pages.map(([number]) => number),
    length: snapshot.memory.length,
  };
  return pack('snapshot', VERSION, header, body, compression);
}

/** The snapshot of a file and what it is of, or why there is none. */
export function readSnapshot(
  file: Uint8Array,
  compression?: Compression,
): { readonly snapshot: Snapshot; readonly identity: unknown } | { readonly problem: string } {
  const unpacked = unpack(file, 'snapshot', VERSION, compression);
  if ('problem' in unpacked) return unpacked;
  const { identity, cycle, hash, state, pages, length } = unpacked.header as Header;
  const { body } = unpacked;
  const contents = new Map(
    pages.map((number, i) => {
      const at = state + i * PAGE_SIZE;
      return [number, pageOfBytes(body.subarray(at, at + PAGE_SIZE))] as const;
    }),
  );
  const memory = MemoryImage.of(length, (number) => contents.get(number));
  const snapshot = { cycle, state: decodeState(new TextDecoder().decode(body.subarray(0, state))), memory };
  if (stateHash(snapshot) !== hash) return { problem: 'does not hold the state that it says it does; make it again' };
  return { snapshot, identity };
}
