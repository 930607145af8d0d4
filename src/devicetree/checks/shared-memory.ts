import { hex, regOf } from '../addresses.js';
import { memo } from '../memo.js';
import { isSharedMemoryWindow, portsOf, referred, sharedMemoryNodes, sharedSizeOf } from '../partitions.js';
import { didYouMean } from '../suggest.js';
import type { Node } from '../tree.js';
import { at, bytes, nameOf, type Context, type Rule } from './rule.js';

/** The least translation of a 440's TLB that memory is given out in. */
const PAGE = 4096;

const sharedMemorySize: Rule = {
  name: 'shared-memory-size',
  severity: 'error',
  over: 'tree',
  summary: 'Shared memory is a whole number of 4 KiB pages, at least one, and its `size` is two cells.',
  remedy: 'Write size = <0x0 0x00010000>; with the high cell first.',
  *run(_root, context) {
    for (const node of sharedMemoryNodes(context.tree)) {
      const property = node.get('size');
      if (!property || !context.sound(node, 'size')) continue;
      const size = sharedSizeOf(node);
      const problem =
        property.cells.length !== 2
          ? `in ${property.cells.length === 1 ? 'one cell' : `${property.cells.length} cells`}, and it has two`
          : size === 0
            ? 'of 0'
            : `of ${hex(size)}, which is not a whole number of 4 KiB pages`;
      if (size > 0 && size % PAGE === 0) continue;
      yield {
        ...at(node, 'size'),
        message: `the shared memory '${node.name}' has a size ${problem}`,
        remedy: 'write size = <0x0 0x00010000>; for 64 KiB',
      };
    }
  },
};

/** The windows on each shared memory, in the order of the source. */
const windowsOn = ({ tree, partitions }: Context): ReadonlyMap<Node, readonly Node[]> =>
  memo(tree.root, 'windows', () => {
    const windows = new Map<Node, Node[]>(sharedMemoryNodes(tree).map((node) => [node, []]));
    for (const port of partitions.flatMap(portsOf).filter(isSharedMemoryWindow)) {
      const memory = referred(tree, port, 'shared-memory');
      if (memory) windows.get(memory)?.push(port);
    }
    return windows;
  });

const sharedMemoryUnknown: Rule = {
  name: 'shared-memory-unknown',
  severity: 'error',
  over: 'port',
  reads: ['shared-memory'],
  requires: ['phandle-to-nowhere', 'missing-property'],
  summary: 'A `shared-memory` is a shared memory of `/partitions` that is not disabled.',
  remedy: 'Refer to a child of `/partitions` whose `compatible` is `hv440,shared-memory`.',
  *run(port, context) {
    if (!isSharedMemoryWindow(port)) return;
    const node = referred(context.tree, port, 'shared-memory');
    const known = windowsOn(context);
    if (!node || known.has(node)) return;
    const names = [...known.keys()].map(({ name }) => name);
    yield {
      ...at(port, 'shared-memory'),
      message: `${nameOf(port)} is to show ${node.path}, which is no shared memory of /partitions`,
      remedy:
        names.length === 0
          ? 'add one to /partitions: shared: shared { compatible = "hv440,shared-memory"; size = <0x0 0x00010000>; };'
          : `refer to a shared memory: ${didYouMean(node.name, names)}`,
    };
  },
};

const sharedMemoryWindowSize: Rule = {
  name: 'shared-memory-window-size',
  severity: 'error',
  over: 'port',
  reads: ['shared-memory', 'reg'],
  requires: ['shared-memory-unknown', 'reg-size'],
  summary: 'A window has the size of the memory that it shows.',
  remedy: 'Write in its `reg` the size that the shared memory has.',
  *run(port, context) {
    if (!isSharedMemoryWindow(port)) return;
    const memory = referred(context.tree, port, 'shared-memory');
    const [range] = regOf(port);
    if (!memory || !range || !context.passed(memory, 'shared-memory-size')) return;
    const size = sharedSizeOf(memory);
    if (size === 0 || range.size === size) return;
    yield {
      ...at(port, 'reg'),
      message: `${nameOf(port)} has ${bytes(range.size)}, and the shared memory '${memory.name}' ${bytes(size)}`,
      remedy: `write reg = <${hex(range.base)} ${hex(size)}>;, or change the size of '${memory.name}'`,
    };
  },
};

const sharedMemorySeenTwice: Rule = {
  name: 'shared-memory-seen-twice',
  severity: 'warning',
  over: 'port',
  reads: ['shared-memory', 'read-only'],
  requires: ['shared-memory-unknown'],
  summary:
    'A partition sees each shared memory by one window: by two it has the same bytes at two addresses, and what one window forbids the other may allow.',
  remedy: 'Let the second window show another memory, or take it out.',
  *run(port, context) {
    const memory = referred(context.tree, port, 'shared-memory');
    const windows = memory && windowsOn(context).get(memory);
    const first = windows?.find(({ parent }) => parent === port.parent);
    if (!memory || !first || first === port) return;
    const writable = [first, port].filter((window) => !window.has('read-only'));
    const alike = writable.length !== 1;
    yield {
      ...at(port, 'shared-memory'),
      message: alike
        ? `${nameOf(port)} shows the shared memory '${memory.name}', which '${first.name}' shows already`
        : `${nameOf(port)} shows the shared memory '${memory.name}' as '${first.name}' does, and of the two only '${writable[0]!.name}' may be written: so the guest can store there all the same`,
      remedy: alike ? 'let it show another memory, or take it out' : 'take out the one that is not meant',
    };
  },
};

const sharedMemoryOneEnded: Rule = {
  name: 'shared-memory-one-ended',
  severity: 'warning',
  over: 'tree',
  summary: 'Shared memory is seen by more than one partition.',
  remedy: 'Give another partition a window on it, or take it out.',
  *run(_root, context) {
    for (const [node, windows] of windowsOn(context)) {
      const [first, ...more] = new Set(windows.map(({ parent }) => parent!));
      if (!first || more.length > 0) continue;
      yield {
        node,
        message: `only ${nameOf(first)} sees the shared memory '${node.name}'`,
        remedy: `give another partition a window on it, or make it memory of ${nameOf(first)}`,
      };
    }
  },
};

const sharedMemoryNotWritten: Rule = {
  name: 'shared-memory-not-written',
  severity: 'warning',
  over: 'tree',
  summary: 'Shared memory has a partition that may write to it: otherwise all that is ever read there is zeros.',
  remedy: 'Take `read-only` out of the window of the partition that is to write.',
  *run(_root, context) {
    for (const [node, windows] of windowsOn(context)) {
      if (windows.length === 0 || !windows.every((window) => window.has('read-only'))) continue;
      yield {
        node,
        message: `nobody may write to the shared memory '${node.name}'`,
        remedy: 'take read-only out of one of its windows',
      };
    }
  },
};

const sharedMemoryUnused: Rule = {
  name: 'shared-memory-unused',
  severity: 'note',
  over: 'tree',
  summary: 'Shared memory is seen by some partition.',
  remedy: 'Give partitions windows on it, or take it out.',
  *run(_root, context) {
    for (const [node, windows] of windowsOn(context)) {
      if (windows.length > 0) continue;
      yield {
        node,
        message: `no partition sees the shared memory '${node.name}', which takes ${bytes(sharedSizeOf(node))} of the board's`,
        remedy: 'add windows on it to partitions, or take it out',
      };
    }
  },
};

/** What can be wrong with memory that is shared between partitions. */
export const sharedMemoryRules: readonly Rule[] = [
  sharedMemorySize,
  sharedMemoryUnknown,
  sharedMemoryWindowSize,
  sharedMemorySeenTwice,
  sharedMemoryOneEnded,
  sharedMemoryNotWritten,
  sharedMemoryUnused,
];
