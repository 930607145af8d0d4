import { placeMemory } from '../placement.js';
import { hex, physicalReg, span, type Range } from '../addresses.js';
import { disabled, magicPagesOf, memoryOf, sharedMemoryNodes, sharedSizeOf } from '../partitions.js';
import { RangeIndex } from '../range-index.js';
import type { Node } from '../tree.js';
import { count, at, bytes, nameOf, type Rule } from './rule.js';

/** The least translation of a 440's TLB that memory is given out in. */
const PAGE = 4096;
/** A 440 has 36 address bits. */
const PHYSICAL_END = 2 ** 36;

/** `0x1000` of two cells, without rounding. */
const hex64 = (high = 0, low = 0): string => hex((BigInt(high) << 32n) | BigInt(low));

/** Each stated range with its base and its size as text. */
function statedRanges(node: Node): (Range & { baseText: string; sizeText: string })[] {
  const cells = node.get('memory')?.cells ?? [];
  return memoryOf(node).map((range, i) => {
    const [baseHigh, baseLow, sizeHigh, sizeLow] = cells.slice(i * 4);
    return { ...range, baseText: hex64(baseHigh, baseLow), sizeText: hex64(sizeHigh, sizeLow) };
  });
}

const memoryEmpty: Rule = {
  name: 'memory-empty',
  severity: 'error',
  over: 'partition',
  reads: ['memory'],
  summary: "No range of a partition's memory has size zero.",
  remedy: 'Write <base-high base-low size-high size-low>; what is 0 is most likely the size.',
  *run(node) {
    for (const { size, baseText } of statedRanges(node)) {
      if (size > 0) continue;
      yield {
        ...at(node, 'memory'),
        message: `the memory of ${nameOf(node)} at ${baseText} has size 0`,
        remedy: 'write <base-high base-low size-high size-low>, a size of at least 0x1000',
      };
    }
  },
};

const memoryTooWide: Rule = {
  name: 'memory-too-wide',
  severity: 'error',
  over: 'partition',
  reads: ['memory'],
  summary: 'Guest-physical memory lies within the 36 bits that a 440 can address.',
  remedy: 'Choose a base and a size whose sum is at most 0x1000000000; the high cell comes first.',
  *run(node) {
    for (const { base, size, baseText, sizeText } of statedRanges(node)) {
      if (base + size <= PHYSICAL_END) continue;
      yield {
        ...at(node, 'memory'),
        message: `the memory of ${nameOf(node)} at ${baseText}, ${sizeText} bytes, ends beyond the 36 address bits of a 440`,
        remedy: 'the high cell comes first: <base-high base-low size-high size-low>',
      };
    }
  },
};

const memoryAlignment: Rule = {
  name: 'memory-not-page-aligned',
  severity: 'error',
  over: 'partition',
  reads: ['memory'],
  summary: "A partition's memory is given in whole pages of 4 KiB.",
  remedy: 'Make base and size multiples of 0x1000.',
  *run(node) {
    for (const { base, size, baseText, sizeText } of statedRanges(node)) {
      if (base % PAGE === 0 && size % PAGE === 0) continue;
      const wrong = base % PAGE !== 0 ? `base ${baseText}` : `size ${sizeText}`;
      yield {
        ...at(node, 'memory'),
        message: `the memory of ${nameOf(node)} has the ${wrong}, which is not a whole number of 4 KiB pages`,
        remedy: 'make it a multiple of 0x1000',
      };
    }
  },
};

const wellFormed = ['memory-empty', 'memory-too-wide', 'memory-not-page-aligned'];

const memoryOverlap: Rule = {
  name: 'memory-overlap',
  severity: 'error',
  over: 'partition',
  reads: ['memory'],
  requires: wellFormed,
  summary: "No two ranges of a partition's memory have an address in common.",
  remedy: 'Move or shrink one of the two.',
  *run(node) {
    const ranges = memoryOf(node);
    const index = new RangeIndex(ranges.map((range, order) => ({ range, order })));
    for (const [i, range] of ranges.entries()) {
      const before = index.overlapping(range).find(({ order }) => order < i)?.range;
      if (!before) continue;
      yield {
        ...at(node, 'memory'),
        message: `two ranges of the memory of ${nameOf(node)} overlap: ${span(before)} and ${span(range)}`,
        remedy: `let the second begin at ${hex(before.base + before.size)}, or shrink the first`,
      };
    }
  },
};

const memoryAtZero: Rule = {
  name: 'memory-not-at-zero',
  severity: 'error',
  over: 'partition',
  reads: ['memory'],
  requires: wellFormed,
  summary: "One range of a partition's memory begins at guest-physical address 0, where 440 images are loaded.",
  remedy: 'Give one range the base <0x0 0x0>: it is what the guest sees, not where on the board it is.',
  *run(node) {
    const ranges = memoryOf(node);
    if (ranges.length === 0 || ranges.some(({ base }) => base === 0)) return;
    yield {
      ...at(node, 'memory'),
      message: `the memory of ${nameOf(node)} begins at ${hex(Math.min(...ranges.map((r) => r.base)))}, and a guest starts from address 0`,
      remedy: 'give one range the base <0x0 0x0>: these are the addresses that the guest sees',
    };
  },
};

const memoryExceedsBoard: Rule = {
  name: 'memory-exceeds-board',
  severity: 'error',
  over: 'partitions',
  summary: 'The partitions together, with what they share, have no more memory than the board.',
  remedy: 'Shrink the largest, or give the board more memory.',
  *run(_node, context) {
    const { partitions, board, tree } = context;
    const memories = board.filter((n) => n.get('device_type')?.string === 'memory' && !disabled(n));
    if (memories.length === 0 || memories.some((node) => !context.sound(node, 'reg'))) return;
    const ranges = memories.flatMap(physicalReg);
    const has = ranges.reduce((sum, { size }) => sum + size, 0);
    if (has === 0) return;
    const reckoned = partitions.filter(
      (one) => context.sound(one, 'memory') && context.passed(one, ...wellFormed, 'memory-overlap'),
    );
    const everything = reckoned.flatMap((one) => [...memoryOf(one).map(({ size }) => size), ...magicPagesOf(one)]);
    const shared = sharedMemoryNodes(tree)
      .map(sharedSizeOf)
      .filter((size) => size > 0 && size % PAGE === 0);
    if (placeMemory(ranges, [...everything, ...shared])) return;
    let given = shared.reduce((sum, size) => sum + size, 0);
    if (!placeMemory(ranges, shared)) {
      const [first] = sharedMemoryNodes(tree);
      yield {
        ...at(first!, 'size'),
        message: `partitions share ${bytes(given)}, and the board has ${bytes(has)}`,
        remedy: 'make it smaller, or give the board more memory',
      };
      return;
    }
    const sizes = [...shared];
    for (const partition of reckoned) {
      const pages = magicPagesOf(partition);
      const own = [...memoryOf(partition).map(({ size }) => size), ...pages];
      const wanted = own.reduce((sum, size) => sum + size, 0);
      if (given + wanted > has) {
        const left = given === 0 ? '' : `, of which ${bytes(has - given)} are left`;
        yield {
          ...at(partition, 'memory'),
          message: `${nameOf(partition)} wants ${bytes(wanted)}${pages.length > 0 ? ' with its magic page' : ''}, and the board has ${bytes(has)}${left}`,
          remedy: `give it at most ${bytes(has - given - pages.length * PAGE)}, or shrink another`,
        };
        continue;
      }
      given += wanted;
      sizes.push(...own);
      if (placeMemory(ranges, sizes)) continue;
      sizes.splice(-own.length);
      yield {
        ...at(partition, 'memory'),
        message: `the memory of ${nameOf(partition)} does not fit into any of the ${count(ranges.length, 'range')} of the board's memory beside the others, though together they have enough`,
        remedy: 'split it into several ranges, or give the board its memory in one piece',
      };
    }
  },
};

/** The TLB's page sizes (PPC440 User's Manual, memory management), the largest first. */
const PAGE_SIZES = [28, 24, 20, 18, 16, 14, 12].map((bits) => 2 ** bits);
const LARGE = 2 ** 20;

const memoryLargePages: Rule = {
  name: 'memory-large-pages',
  severity: 'note',
  over: 'partition',
  reads: ['memory'],
  requires: wellFormed,
  summary:
    "A partition's range of memory of 1 MiB and more begins at a multiple of 1 MiB: then the guest's large pages can be the processor's.",
  remedy: 'Begin it at a multiple of 1 MiB, or of 16 MiB where it is that large.',
  *run(node) {
    for (const range of memoryOf(node)) {
      if (range.size < LARGE || range.base % LARGE === 0) continue;
      const page = PAGE_SIZES.find((size) => range.base % size === 0)!;
      const wanted = range.size >= 16 * LARGE ? 16 * LARGE : LARGE;
      yield {
        ...at(node, 'memory'),
        message: `the memory of ${nameOf(node)} at ${span(range)} can be mapped by pages of at most ${bytes(page)}, since it begins at no multiple of 1 MiB: every larger page of the guest becomes many`,
        remedy: `begin it at ${hex(Math.ceil(range.base / wanted) * wanted)}`,
      };
    }
  },
};

/** What can be wrong with the memory of partitions. */
export const memoryRules: readonly Rule[] = [
  memoryEmpty,
  memoryTooWide,
  memoryAlignment,
  memoryOverlap,
  memoryAtZero,
  memoryExceedsBoard,
  memoryLargePages,
];
