import type { AddressMap } from '../bus/bus.js';
import type { Ram } from '../bus/memory.js';
import { encodeBlob } from '../devicetree/blob.js';
import type { Tree } from '../devicetree/tree.js';
import type { Image } from './contents.js';

/** What a program finds when it is entered. Addresses are physical (a partition's: guest-physical). */
export interface BootState {
  readonly entry: number;
  /** r3: the device tree (ePAPR 5.4, Linux's head_44x.S). */
  readonly tree: number;
  /** r1: as QEMU's bamboo leaves it, just below 16 MiB, or in a smaller memory below the tree. */
  readonly stack: number;
  /** r7: size of the initially mapped area from 0 on. */
  readonly mapped: number;
}

export interface BootContents {
  readonly image: Image;
  readonly initrd?: Uint8Array;
  /** Gets /chosen's linux,initrd-start and -end. */
  readonly tree: Tree;
}

/** r6 at the entry of a Book E program by ePAPR 5.4.1. */
export const EPAPR_MAGIC = 0x45504150;

const PAGE = 4096;
const MIB = 0x100000;
/** The first stack begins below the tree and the initrd, at a multiple of this, so that it does not hang on their sizes. */
const STACK_STEP = 0x10000;
/** Linux reads the tree, and unpacks the initrd, below the 256 MiB that its first TLB entry maps. */
const REACH = 256 * MIB;

/** Why the contents do not fit into memory, as a sentence. */
export interface BootProblem {
  readonly problem: string;
}

/** Where a tree and an initrd of these sizes go, in a memory from 0 on of this size; an initrd that there is none of, nowhere. */
export interface Layout {
  readonly tree: number;
  /** The tree's address where there is no initrd. */
  readonly initrd: number;
  readonly stack: number;
}

/** The tree at the end of the memory that begins at 0 (below 256 MiB), the initrd below the tree, the stack below both. */
export function layOut(memory: number, treeSize: number, initrdSize: number | undefined): Layout {
  const tree = below(Math.min(memory, REACH), treeSize);
  const initrd = initrdSize === undefined ? tree : below(tree, initrdSize);
  return { tree, initrd, stack: stackBelow(initrd) };
}

/** Whether there is room for a program, its initrd and its device tree. */
export function fits(ram: AddressMap<Ram>, { image, initrd, tree }: BootContents): boolean {
  const size = ram.find(0)?.size ?? 0;
  const layout = layOut(size, encodeBlob(tree).length, initrd?.length);
  return layout.initrd >= topOf(image, Math.min(size, REACH));
}

/** Where a program ends in the memory that begins at 0. */
const topOf = ({ segments }: Image, end: number): number =>
  Math.max(0, ...segments.filter((s) => s.address < end).map((s) => s.address + s.size));

/** Put a program where it says, and its initrd and its device tree where `layOut` does. */
export function loadProgram(ram: AddressMap<Ram>, { image, initrd, tree }: BootContents): BootState | BootProblem {
  const low = ram.find(0);
  if (!low) return { problem: 'there is no memory at address 0' };
  const end = Math.min(low.size, REACH);
  const chosen = tree.root.child('chosen') ?? tree.root.add('chosen');
  if (initrd) chosen.setCells('linux,initrd-start', 0);
  if (initrd) chosen.setCells('linux,initrd-end', 0);
  const { tree: treeAt, initrd: initrdAt, stack } = layOut(low.size, encodeBlob(tree).length, initrd?.length);
  const top = topOf(image, end);
  if (initrdAt < top)
    return {
      problem: `the image ends at 0x${top.toString(16)}, which leaves no room for ${initrd ? 'the initrd and ' : ''}the device tree`,
    };
  if (initrd) {
    chosen.setCells('linux,initrd-start', initrdAt);
    chosen.setCells('linux,initrd-end', initrdAt + initrd.length);
    low.target.load(initrdAt, initrd);
  }
  low.target.load(treeAt, encodeBlob(tree));
  for (const { address, bytes, size } of image.segments) {
    const region = ram.find(address);
    if (!region || address + size > region.base + region.size) {
      return { problem: `the image wants ${size} bytes at 0x${address.toString(16)}, where there is no memory` };
    }
    region.target.load(address - region.base, bytes);
    region.target.fill(address - region.base + bytes.length, size - bytes.length, 0);
  }
  return {
    entry: image.entry,
    tree: treeAt,
    stack,
    mapped: low.size,
  };
}

const stackBelow = (end: number): number => Math.min(16 * MIB, Math.floor(end / STACK_STEP) * STACK_STEP || end) - 8;

const below = (end: number, size: number): number => Math.floor((end - size) / PAGE) * PAGE;
