import { hex, overlaps, regOf, span, type Range } from '../addresses.js';
import { imagePatchesOf, isSharedMemoryWindow, memoryOf, portsOf } from '../partitions.js';
import type { Node } from '../tree.js';
import { at, bytes, count, nameOf, type Context, type Problem, type Rule } from './rule.js';

/** What is set aside for a generated device tree: many times what one with every port needs. */
const DEVICE_TREE_ROOM = 64 * 1024;
const PAGE = 4096;

/** What keeps a partition's memory from being reckoned with. */
const soundMemory = ['memory-empty', 'memory-too-wide', 'memory-not-page-aligned', 'memory-overlap'];

/** The image's bytes by guest-physical address; undefined where it cannot be told. */
function segmentsOf(node: Node, context: Context, name: 'image' | 'initrd'): Range[] | undefined {
  const inspection = context.inspect(node, name);
  if (!inspection?.ok) return undefined;
  return inspection.segments.map(({ address, size }) => ({ base: address, size }));
}

const total = (ranges: readonly Range[]): number => ranges.reduce((sum, { size }) => sum + size, 0);

const notFound = (name: 'image' | 'initrd', what: string): Rule => ({
  name: `${name}-not-found`,
  severity: 'error',
  over: 'partition',
  reads: [name],
  summary: `The file that \`${name}\` names is there.`,
  remedy: 'Mend the path: it is relative to the folder of the file that holds the property.',
  *run(node, context) {
    const inspection = context.inspect(node, name);
    if (!inspection || inspection.ok || !inspection.missing) return;
    yield {
      ...at(node, name),
      message: `the ${what} '${node.get(name)!.string}' of ${nameOf(node)} is not there: ${inspection.reason}`,
      remedy: 'a path is relative to the file that holds the property',
    };
  },
});

const imageNotLoadable: Rule = {
  name: 'image-not-loadable',
  severity: 'error',
  over: 'partition',
  reads: ['image'],
  requires: ['image-not-found'],
  summary: 'The image is a 32-bit big-endian PowerPC ELF, a uImage, either of them compressed by gzip, or raw.',
  remedy: 'Build it for the 440 (-mcpu=440), or name another file.',
  *run(node, context) {
    const inspection = context.inspect(node, 'image');
    if (!inspection || inspection.ok || inspection.missing) return;
    yield {
      ...at(node, 'image'),
      message: `the image '${node.get('image')!.string}' of ${nameOf(node)} cannot be loaded: ${inspection.reason}`,
      remedy: 'give it an ELF for PowerPC, a uImage, one of them in gzip, or a raw image',
    };
  },
};

const initrdNotLoadable: Rule = {
  name: 'initrd-not-loadable',
  severity: 'error',
  over: 'partition',
  reads: ['initrd'],
  requires: ['initrd-not-found'],
  summary: 'The initial RAM disk can be read.',
  remedy: 'Name a file, not a folder, and one that may be read.',
  *run(node, context) {
    const inspection = context.inspect(node, 'initrd');
    if (!inspection || inspection.ok || inspection.missing) return;
    yield {
      ...at(node, 'initrd'),
      message: `the initial RAM disk '${node.get('initrd')!.string}' of ${nameOf(node)} cannot be loaded: ${inspection.reason}`,
      remedy: 'name a file that can be read',
    };
  },
};

const pathAbsolute: Rule = {
  name: 'path-absolute',
  severity: 'note',
  style: true,
  over: 'partition',
  reads: ['image', 'initrd'],
  summary: 'Files are named relative to the configuration, so that it can be moved with them, and used by others.',
  remedy: 'Write the path from the folder of the file that holds the property.',
  *run(node) {
    for (const name of ['image', 'initrd'] as const) {
      const path = node.get(name)?.string ?? '';
      if (!path.startsWith('/')) continue;
      yield {
        ...at(node, name),
        message: `the '${name}' of ${nameOf(node)} is the absolute path '${path}', which is on this machine alone`,
        remedy: 'name it relative to the file that holds the property',
      };
    }
  },
};

const loadable = ['image-not-found', 'image-not-loadable', ...soundMemory];

const imageTooLarge: Rule = {
  name: 'image-too-large',
  severity: 'error',
  over: 'partition',
  reads: ['image', 'memory'],
  requires: loadable,
  summary: "An image is no larger than its partition's memory, what it wants zeroed included.",
  remedy: 'Give the partition more memory, or a smaller image.',
  *run(node, context) {
    const segments = segmentsOf(node, context, 'image');
    const memory = total(memoryOf(node));
    if (!segments || !node.has('memory') || total(segments) <= memory) return;
    yield {
      ...at(node, 'image'),
      message: `the image '${node.get('image')!.string}' needs ${bytes(total(segments))}, and ${nameOf(node)} has ${bytes(memory)}`,
      remedy: 'give the partition more memory',
    };
  },
};

const imageOutside: Rule = {
  name: 'image-outside-memory',
  severity: 'error',
  over: 'partition',
  reads: ['image', 'memory'],
  requires: [...loadable, 'image-too-large'],
  summary: 'Every part of an image is loaded to where the partition has memory.',
  remedy: 'Link the image to run where there is memory, or give the partition memory there.',
  *run(node, context) {
    const memory = memoryOf(node);
    if (memory.length === 0) return;
    for (const segment of segmentsOf(node, context, 'image') ?? []) {
      const inside = memory.some((r) => segment.base >= r.base && segment.base + segment.size <= r.base + r.size);
      if (inside || segment.size === 0) continue;
      const window = portsOf(node)
        .filter(isSharedMemoryWindow)
        .find((port) => context.sound(port, 'reg') && regOf(port).some((range) => overlaps(range, segment)));
      if (window) {
        yield {
          ...at(node, 'image'),
          message: `the image '${node.get('image')!.string}' goes to ${span(segment)}, where ${nameOf(window)} shows shared memory: that is zero at power-on, and not loaded with any partition`,
          remedy: 'link it to memory of the partition’s own, and let the guest copy what others are to see',
        };
        continue;
      }
      yield {
        ...at(node, 'image'),
        message: `the image '${node.get('image')!.string}' goes to ${span(segment)}, and ${nameOf(node)} has memory at ${memory.map(span).join(' and ')}`,
        remedy: 'link it to addresses that there are, or give the partition memory there',
      };
    }
  },
};

const entryOutside: Rule = {
  name: 'entry-outside-image',
  severity: 'error',
  over: 'partition',
  reads: ['image'],
  requires: ['image-not-found', 'image-not-loadable'],
  summary: "An image's entry point is within what is loaded.",
  remedy: "Mend the image's entry point (the linker's `-e` or `ENTRY()`).",
  *run(node, context) {
    const inspection = context.inspect(node, 'image');
    if (!inspection?.ok) return;
    const { entry, segments } = inspection;
    if (segments.some(({ address, size }) => entry >= address && entry < address + size)) return;
    const places = segments.map(({ address, size }) => span({ base: address, size })).join(' and ') || 'nowhere';
    yield {
      ...at(node, 'image'),
      message: `the image '${node.get('image')!.string}' starts at ${hex(entry)}, and is loaded to ${places}`,
      remedy: "give the linker the physical address of its first instruction (ENTRY in the linker's script)",
    };
  },
};

/** Linux reads the device tree and unpacks the RAM disk within the 256 MiB that its first TLB entry maps. */
const REACH = 256 * 2 ** 20;

/** What the image of a partition leaves above itself, in the memory at 0, where the loader puts all that goes with it. */
interface Room {
  /** Where the image ends. */
  readonly top: number;
  /** Bytes from there on. */
  readonly left: number;
}

function roomBeside(node: Node, context: Context): Room | undefined {
  const segments = segmentsOf(node, context, 'image');
  const low = memoryOf(node).find(({ base }) => base === 0);
  if (!segments || !low) return undefined;
  const end = Math.min(low.size, REACH);
  const inside = segments.filter(({ base }) => base < end);
  const top = Math.ceil(Math.max(0, ...inside.map(({ base, size }) => base + size)) / PAGE) * PAGE;
  return { top, left: Math.max(0, end - top) };
}

const placeable = [...loadable, 'image-too-large', 'image-outside-memory'];

const treeDoesNotFit: Rule = {
  name: 'device-tree-does-not-fit',
  severity: 'error',
  over: 'partition',
  reads: ['image', 'memory'],
  requires: placeable,
  summary: `Above the image, in the memory at 0 and below 256 MiB, there is room for the guest's device tree: ${bytes(DEVICE_TREE_ROOM)}.`,
  remedy: 'Give the partition more memory, or link the image lower.',
  *run(node, context) {
    const room = roomBeside(node, context);
    if (!room || room.left >= DEVICE_TREE_ROOM) return;
    yield {
      ...at(node, 'memory'),
      message: `the memory of ${nameOf(node)} has ${bytes(room.left)} from ${hex(room.top)} on, behind the image, and its device tree needs ${bytes(DEVICE_TREE_ROOM)}`,
      remedy: 'give the partition more memory, or link the image lower',
    };
  },
};

const initrdDoesNotFit: Rule = {
  name: 'initrd-does-not-fit',
  severity: 'error',
  over: 'partition',
  reads: ['image', 'initrd', 'memory'],
  requires: [...placeable, 'device-tree-does-not-fit', 'initrd-not-found', 'initrd-not-loadable'],
  summary:
    'Above the image, in the memory at 0 and below 256 MiB, there is room for the device tree and the initial RAM disk.',
  remedy: 'Give the partition more memory, or a smaller RAM disk.',
  *run(node, context): Iterable<Problem> {
    const initrd = segmentsOf(node, context, 'initrd');
    const room = roomBeside(node, context);
    if (!initrd || !room || total(initrd) + DEVICE_TREE_ROOM <= room.left) return;
    yield {
      ...at(node, 'initrd'),
      message: `the initial RAM disk '${node.get('initrd')!.string}' has ${bytes(total(initrd))}, and the image and the device tree leave ${bytes(room.left - DEVICE_TREE_ROOM)} of the memory of ${nameOf(node)}`,
      remedy: 'give the partition more memory',
    };
  },
};

const imagePatch: Rule = {
  name: 'image-patch-misplaced',
  severity: 'error',
  over: 'partition',
  reads: ['image', 'image-patch'],
  requires: ['image-not-found', 'image-not-loadable'],
  summary:
    'Each patch of an image is three cells: the guest-physical address of one of its words, that word, and the one to have instead.',
  remedy: 'Look the address up in a listing (`hv440 disasm`), and take the segment’s virtual base off.',
  *run(node, context): Iterable<Problem> {
    const { cells = [] } = node.get('image-patch') ?? {};
    const problem = (message: string, remedy: string): Problem => ({ ...at(node, 'image-patch'), message, remedy });
    if (cells.length % 3 !== 0) {
      yield problem(`'image-patch' has ${count(cells.length, 'cell')}, and takes 3 for each patch`, PATCH_REMEDY);
      return;
    }
    const segments = segmentsOf(node, context, 'image') ?? [];
    for (const { address } of imagePatchesOf(node)) {
      const within = segments.some(({ base, size }) => address >= base && address + 4 <= base + size);
      if (address % 4 !== 0 || !within)
        yield problem(`'image-patch' has the address ${hex(address)}, where no word of the image is`, PATCH_REMEDY);
    }
  },
};

const PATCH_REMEDY = 'write <address word new-word>, the address guest-physical and a multiple of 4';

/** What can be wrong with the files of partitions. */
export const imageRules: readonly Rule[] = [
  pathAbsolute,
  notFound('image', 'image'),
  imageNotLoadable,
  imageTooLarge,
  imageOutside,
  entryOutside,
  treeDoesNotFit,
  imagePatch,
  notFound('initrd', 'initial RAM disk'),
  initrdNotLoadable,
  initrdDoesNotFit,
];
