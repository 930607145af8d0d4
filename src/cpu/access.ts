import type { Device, Region, Width } from '../bus/bus.js';
import type { Ram } from '../bus/memory.js';
import { MSR } from '../isa/registers.js';
import { word2, type Tlb, type Use } from '../mmu/tlb.js';
import type { Core } from './core.js';
import { stopsAtAddress, stopsAtBlock, stopsAtValue, stopsInStore, type Transfer } from './debug-data.js';
import { R } from './state.js';
import type { Access, Trap } from './trap.js';

/**
 * Storage accesses that the engine's own fast path does not do: the first touch of a page, devices, misaligned and
 * multiple accesses; and all while debug events of data addresses are enabled: no page is remembered then. Each leaves
 * `core.trap` set and nothing changed if it cannot be done.
 */

const NOWHERE = -1;
export const CACHE_BLOCK = 32;

/**
 * The physical address for an effective one, with the page remembered for the engine where it is RAM; NOWHERE with the
 * trap raised when the TLB has no entry or forbids the use.
 */
function translate(core: Core, address: number, use: Use): number {
  const { msr, pid, tlb } = core.system;
  const space = msr & (use === 'execute' ? MSR.IS : MSR.DS) ? 1 : 0;
  const user = (msr & MSR.PR) !== 0;
  if (fixed(core, address, use)) return translateFixed(core, address, use);
  const entry = tlb.find(address, space, pid);
  if (entry < 0 || !tlb.allows(entry, use, user)) {
    fault(core, entry < 0, address, use);
    return NOWHERE;
  }
  const physical = tlb.real(entry, address);
  remember(core, entry, address, use, physical);
  return physical;
}

/** Have the engine do accesses like this one to this page by itself from now on, if it can; whether it can. */
function remember(core: Core, entry: number, address: number, use: Use, physical: number): boolean {
  const { pid, tlb } = core.system;
  const region = use === 'write' ? core.bus.writable(physical) : core.bus.ram.find(physical);
  if (tlb.bytes(entry) < 4096 || (use !== 'execute' && core.watchesData)) return false;
  if (tlb.divides4KBefore(entry, (address & ~0xfff) >>> 0, pid)) return false;
  if (!region) return rememberElsewhere(core, address, use, physical);
  const host = hostOf(region, physical);
  if (core.probes?.guards(use, address >>> 0, host)) return false;
  if (use === 'write') {
    region.target.touch(physical - region.base);
    if (core.memory.isTranslated(host)) return false;
  }
  const context = core.regs.words[use === 'execute' ? R.CODE_CONTEXT : R.DATA_CONTEXT]!;
  core.lookaside.fill(use, address, context, host, isZeroable(tlb, entry));
  return true;
}

function rememberElsewhere(core: Core, address: number, use: Use, physical: number): false {
  if (use === 'execute') return false;
  const page = core.lookaside.elsewhere[use];
  page.tag = (address & ~0xfff) | core.regs.words[R.DATA_CONTEXT]!;
  page.physical = physical - (address & 0xfff);
  return false;
}

/** The physical address for an effective one that a load or store is at, or NOWHERE with the trap raised. */
function physicalOf(core: Core, address: number, use: 'read' | 'write'): number {
  const { tag, physical } = core.lookaside.elsewhere[use];
  const isKnown = tag === ((address & ~0xfff) | core.regs.words[R.DATA_CONTEXT]!);
  return isKnown ? physical + (address & 0xfff) : translate(core, address, use);
}

/**
 * Remember the page of an access that is about to be tried again, if it is not remembered yet and the access can be done; whether
 * that is so. Nothing else changes: what cannot be done is left to those who raise traps.
 */
export function foresee(core: Core, address: number, use: Use): boolean {
  const { msr, pid, tlb } = core.system;
  const context = core.regs.words[use === 'execute' ? R.CODE_CONTEXT : R.DATA_CONTEXT]!;
  if (core.lookaside.find(use, address, context) >= 0 || fixed(core, address, use)) return false;
  const entry = tlb.find(address, msr & (use === 'execute' ? MSR.IS : MSR.DS) ? 1 : 0, pid);
  if (entry < 0 || !tlb.allows(entry, use, (msr & MSR.PR) !== 0)) return false;
  return remember(core, entry, address, use, tlb.real(entry, address));
}

/** Does an address lie in the page that is mapped whatever the TLB says? Code is fetched from it in the space of data alone. */
function fixed({ fixedPage, system: { msr } }: Core, address: number, use: Use): boolean {
  if (!fixedPage || (address ^ fixedPage.address) & ~0xfff || msr & MSR.PR) return false;
  return use !== 'execute' || ((msr & MSR.IS) !== 0) === ((msr & MSR.DS) !== 0);
}

function translateFixed(core: Core, address: number, use: Use): number {
  const { physical, executable } = core.fixedPage!;
  if (use !== 'execute' || executable) return physical + (address & 0xfff);
  fault(core, false, address, use);
  return NOWHERE;
}

/** Where in the shared memory the byte of a physical address lies. */
const hostOf = ({ base, target }: Region<Ram>, physical: number): number => target.offset + (physical - base);

function fault(core: Core, missing: boolean, address: number, use: Use): void {
  if (use === 'execute') core.raise({ kind: missing ? 'instruction-tlb-miss' : 'instruction-storage' });
  else core.raise({ kind: missing ? 'data-tlb-miss' : 'data-storage', address: address >>> 0, access: use });
}

/** The word at the pc, or 0 with a trap raised. */
export function fetch(core: Core): number {
  const address = core.regs.pc;
  const physical = translate(core, address, 'execute');
  if (physical === NOWHERE) return 0;
  const region = core.bus.ram.find(physical);
  if (!region) return core.raise({ kind: 'machine-check', cause: 'instruction-fetch', address });
  if (core.probes && breaks(core, address, hostOf(region, physical))) return core.raise(BEFORE);
  return region.target.read(physical - region.base, 4);
}

/** Any trap has the engine come back with nothing done; the core drops this one. */
const BEFORE: Trap = { kind: 'debug' };

/** Does a debugger want to stop before the instruction at this address? */
function breaks(core: Core, address: number, host: number): boolean {
  core.syncClock();
  core.probes?.meetsInstruction(address, host);
  return core.probes?.stop !== undefined;
}

/** The same before anything of it is run, whatever else is about to happen to it. */
export function breaksAt(core: Core): boolean {
  const address = core.regs.pc;
  const physical = translate(core, address, 'execute');
  core.trap = null;
  const region = physical === NOWHERE ? undefined : core.bus.ram.find(physical);
  if (region) core.probes?.meetsInstruction(address, hostOf(region, physical));
  return core.probes?.stop !== undefined;
}

/** A debugger may watch the bytes that are about to be accessed: it stops behind the instruction. */
function announce(core: Core, access: Access, address: number, bytes: number, host: number, physical: number): void {
  if (!core.probes) return;
  core.probes.meetsAccess(access, address >>> 0, bytes, host, physical);
  if (core.probes.stop) core.attention();
}

/** Read 1, 2 or 4 bytes at any alignment, as an unsigned number for bytes and halfwords and a signed one for words. */
export function load(core: Core, width: Width, address: number): number {
  if (!core.watchesData) return read(core, width, address);
  const transfer: Transfer = { access: 'read', address, bytes: width, unit: width };
  if (!probe(core, address, width, 'read') || stopsAtAddress(core, transfer)) return 0;
  const value = read(core, width, address);
  stopsAtValue(core, transfer, byteOf(value, width));
  return value;
}

/** Where in the shared memory these bytes of one page lie, if the page is remembered; else NOWHERE. */
function remembered(core: Core, use: 'read' | 'write', address: number, bytes: number): number {
  if ((address & 0xfff) + bytes > 0x1000) return NOWHERE;
  return core.lookaside.find(use, address, core.regs.words[R.DATA_CONTEXT]!);
}

function read(core: Core, width: Width, address: number): number {
  const host = remembered(core, 'read', address, width);
  if (host !== NOWHERE) return width === 4 ? core.memory.read(host, 4) | 0 : core.memory.read(host, width);
  const aligned = (address & (width - 1)) === 0;
  if (!aligned && crosses(address, width)) return loadBytes(core, width, address);
  const physical = physicalOf(core, address, 'read');
  if (physical === NOWHERE) return 0;
  const region = core.bus.ram.find(physical);
  announce(core, 'read', address, width, region ? hostOf(region, physical) : NOWHERE, physical);
  if (region) return readRam(region.target, physical - region.base, width);
  const device = core.bus.devices.find(physical);
  if (!device || isRefused(core, device, physical, width)) return core.busError('data-read', address);
  core.syncClock();
  const offset = physical - device.base;
  const value = aligned
    ? device.target.read(offset, width)
    : joinBytes(width, (i) => device.target.read(offset + i, 1));
  core.alarmsChanged();
  return width === 4 ? value | 0 : value;
}

/** Write 1, 2 or 4 bytes at any alignment. */
export function store(core: Core, width: Width, address: number, value: number): void {
  if (!core.watchesData) return write(core, width, address, value);
  const transfer: Transfer = { access: 'write', address, bytes: width, unit: width };
  if (!probe(core, address, width, 'write')) return;
  if (!stopsInStore(core, transfer, byteOf(value, width))) write(core, width, address, value);
}

/** The bytes of a value in the order of memory. */
const byteOf =
  (value: number, width: Width): ((i: number) => number) =>
  (i) =>
    (value >>> (8 * (width - 1 - i))) & 0xff;

function write(core: Core, width: Width, address: number, value: number): void {
  const host = remembered(core, 'write', address, width);
  if (host !== NOWHERE) return core.memory.write(host, width, value);
  const aligned = (address & (width - 1)) === 0;
  if (!aligned && crosses(address, width)) return storeBytes(core, width, address, value);
  const physical = physicalOf(core, address, 'write');
  if (physical === NOWHERE) return;
  const region = core.bus.writable(physical);
  announce(core, 'write', address, width, region ? hostOf(region, physical) : NOWHERE, physical);
  if (region) return region.target.write(physical - region.base, width, value);
  const device = core.bus.devices.find(physical);
  if (!device || isRefused(core, device, physical, width)) return void core.busError('data-write', address);
  core.syncClock();
  const offset = physical - device.base;
  if (aligned) device.target.write(offset, width, width === 4 ? value >>> 0 : value & (2 ** (8 * width) - 1));
  else for (let i = 0; i < width; i++) device.target.write(offset + i, 1, (value >>> (8 * (width - 1 - i))) & 0xff);
  core.alarmsChanged();
}

/** Pages may be as small as 1 KiB; an access over such a boundary is two accesses. */
const crosses = (address: number, bytes: number): boolean => (address & 0x3ff) + bytes > 0x400;

/** Does an access reach over the end of the registers that it begins in? */
const beyond = ({ base, size }: Region<Device>, physical: number, width: Width): boolean =>
  physical + width > base + size;

/** Is the access answered with a bus error: since it reaches too far, or the device is broken? */
const isRefused = (core: Core, device: Region<Device>, physical: number, width: Width): boolean =>
  beyond(device, physical, width) || core.bus.refuses(device.target);

const readRam = (ram: Ram, offset: number, width: Width): number => {
  const value = ram.read(offset, width);
  return width === 4 ? value | 0 : value;
};

function joinBytes(width: Width, byte: (i: number) => number): number {
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + byte(i);
  return value;
}

/** Byte by byte, the last one first tried so that a trap on the second page changes nothing. */
function loadBytes(core: Core, width: Width, address: number): number {
  if (!probe(core, address, width, 'read')) return 0;
  const value = joinBytes(width, (i) => read(core, 1, (address + i) | 0));
  return width === 4 ? value | 0 : value;
}

function storeBytes(core: Core, width: Width, address: number, value: number): void {
  if (!probe(core, address, width, 'write')) return;
  for (let i = 0; i < width; i++) write(core, 1, (address + i) | 0, (value >>> (8 * (width - 1 - i))) & 0xff);
}

/** May all these bytes be used? Raises the trap of the first that may not. At most 128 bytes: two pages. */
export function probe(core: Core, address: number, bytes: number, use: 'read' | 'write'): boolean {
  if (remembered(core, use, address, bytes) !== NOWHERE) return true;
  if (translate(core, address, use) === NOWHERE) return false;
  const last = (address + bytes - 1) | 0;
  if ((address ^ last) & ~0x3ff) return translate(core, last & ~0x3ff, use) !== NOWHERE;
  return true;
}

/** lwarx: the address must be a multiple of 4. */
export function loadReserve(core: Core, address: number): number {
  if (address & 3) return core.raise({ kind: 'alignment', address: address >>> 0, access: 'read' });
  const value = load(core, 4, address);
  if (core.trap === null) core.regs.words[R.RESERVED] = 1;
  return value;
}

/** stwcx.: stores and sets CR0[EQ] only while the reservation holds; the 440 does not compare addresses. */
export function storeConditional(core: Core, address: number, value: number): void {
  if (address & 3) return void core.raise({ kind: 'alignment', address: address >>> 0, access: 'write' });
  if (!probe(core, address, 4, 'write')) return;
  const { words } = core.regs;
  const held = words[R.RESERVED] === 1;
  if (held) store(core, 4, address, value);
  if (core.trap !== null) return;
  words[R.RESERVED] = 0;
  words[R.CR] = (words[R.CR]! & 0x0fffffff) | (held ? 0x20000000 : 0) | ((words[R.XER]! >>> 3) & 0x10000000);
}

export function loadMultiple(core: Core, first: number, address: number): void {
  const count = 32 - first;
  if (!probe(core, address, count * 4, 'read')) return;
  const transfer: Transfer = { access: 'read', address, bytes: count * 4, unit: 4 };
  if (stopsAtAddress(core, transfer)) return;
  const values = new Int32Array(count);
  for (let i = 0; i < count && core.trap === null; i++) values[i] = read(core, 4, (address + 4 * i) | 0);
  stopsAtValue(core, transfer, (i) => byteOf(values[i >> 2]!, 4)(i & 3));
  if (core.trap === null) core.regs.gpr.set(values, first);
}

export function storeMultiple(core: Core, first: number, address: number): void {
  const count = 32 - first;
  if (!probe(core, address, count * 4, 'write')) return;
  const { gpr } = core.regs;
  const transfer: Transfer = { access: 'write', address, bytes: count * 4, unit: 4 };
  if (stopsInStore(core, transfer, (i) => byteOf(gpr[first + (i >> 2)]!, 4)(i & 3))) return;
  for (let i = 0; i < count && core.trap === null; i++) write(core, 4, (address + 4 * i) | 0, gpr[first + i]!);
}

/** lswi, lswx: bytes fill registers from the left, wrapping from r31 to r0; the rest of the last one is zero. */
export function loadString(core: Core, first: number, address: number, bytes: number): void {
  if (bytes === 0 || !probe(core, address, bytes, 'read')) return;
  const transfer: Transfer = { access: 'read', address, bytes, unit: 4 };
  if (stopsAtAddress(core, transfer)) return;
  const values = new Int32Array((bytes + 3) >> 2);
  for (let i = 0; i < bytes && core.trap === null; i++)
    values[i >> 2]! |= read(core, 1, (address + i) | 0) << (24 - 8 * (i & 3));
  stopsAtValue(core, transfer, (i) => byteOf(values[i >> 2]!, 4)(i & 3));
  if (core.trap === null) values.forEach((value, i) => (core.regs.gpr[(first + i) & 31] = value));
}

export function storeString(core: Core, first: number, address: number, bytes: number): void {
  if (bytes === 0 || !probe(core, address, bytes, 'write')) return;
  const { gpr } = core.regs;
  const byteAt = (i: number): number => byteOf(gpr[(first + (i >> 2)) & 31]!, 4)(i & 3);
  if (stopsInStore(core, { access: 'write', address, bytes, unit: 4 }, byteAt)) return;
  for (let i = 0; i < bytes && core.trap === null; i++) write(core, 1, (address + i) | 0, byteAt(i));
}

/** May dcbz zero blocks of an entry's page? */
const isZeroable = (tlb: Tlb, entry: number): boolean => (tlb.read(entry, 2) & (word2.W | word2.I)) === 0;

/** dcbz: zero the 32-byte block; a page that is write-through or cache-inhibited gives an alignment interrupt. */
export function zeroBlock(core: Core, address: number): void {
  const block = (address & -CACHE_BLOCK) >>> 0;
  const { msr, pid, tlb } = core.system;
  const entry = fixed(core, address, 'write') ? NOWHERE : tlb.find(address, msr & MSR.DS ? 1 : 0, pid);
  if (entry >= 0 && tlb.allows(entry, 'write', (msr & MSR.PR) !== 0) && !isZeroable(tlb, entry)) {
    return void core.raise({ kind: 'alignment', address: block, access: 'write' });
  }
  if (!touchBlock(core, 'write', block) || stopsAtBlock(core, 'write', address, true)) return;
  for (let i = 0; i < CACHE_BLOCK && core.trap === null; i += 4) write(core, 4, (block + i) | 0, 0);
}

/** A cache operation on the block of an address: it only has to be allowed. */
export function touchBlock(core: Core, access: 'read' | 'write', address: number): boolean {
  return translate(core, address, access) !== NOWHERE;
}
