import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asm } from '../../src/isa/assemble.js';
import { MSR } from '../../src/isa/registers.js';
import { foresee } from '../../src/cpu/access.js';
import { R } from '../../src/cpu/state.js';
import type { Device, Width } from '../../src/bus/bus.js';
import { execute, map, mapped, setMsr } from './machine.js';

/** Data pages A and B follow one another, behind them nothing; in RAM they lie apart. */
const A = 0x40000000;
const B = 0x40001000;
const RAM_A = 0x28000;
const RAM_B = 0x14000;

function paged({ rights = 0x3f, attributes = 0, size = 1 } = {}) {
  const m = mapped();
  const bytes = 1024 * 4 ** size;
  map(m.core, 0, { ea: B - bytes, pa: RAM_A + 0x1000 - bytes, size });
  map(m.core, 1, { ea: B, pa: RAM_B, size, rights: rights | attributes });
  for (let i = 0; i < 0x1000; i++) m.ram.write(RAM_A + i, 1, i * 7 + 1);
  for (let i = 0; i < 0x1000; i++) m.ram.write(RAM_B + i, 1, i * 5 + 2);
  return m;
}

/** The byte that a guest sees at an address of the two pages. */
const byteAt = (ram: ReturnType<typeof paged>['ram'], ea: number): number =>
  ram.read(ea >= B ? RAM_B + (ea - B) : RAM_A + (ea - A), 1);

const loads = [
  ['lbz', 1],
  ['lhz', 2],
  ['lwz', 4],
] as const;
const stores = [
  ['stb', 1],
  ['sth', 2],
  ['stw', 4],
] as const;

test.each([1, 0])('loads at every alignment and over a page boundary read the bytes in order (SIZE %i)', (size) => {
  const m = paged({ size });
  const { core, ram } = m;
  for (const [name, width] of loads) {
    for (let ea = B - 9; ea <= B + 8; ea++) {
      core.regs.gpr[4] = ea;
      for (const pass of ['slow', 'fast']) {
        expect(execute(m, asm(name, { rt: 3, ra: 4 })), pass).toBeNull();
        let value = 0;
        for (let i = 0; i < width; i++) value = value * 256 + byteAt(ram, ea + i);
        expect(core.regs.gpr[3]! >>> 0, `${name} ${ea.toString(16)}`).toBe(value);
      }
    }
  }
});

test.each([1, 0])(
  'stores at every alignment and over a page boundary write their bytes and no others (SIZE %i)',
  (size) => {
    const m = paged({ size });
    const { core, ram } = m;
    for (const [name, width] of stores) {
      for (let ea = B - 9; ea <= B + 8; ea++) {
        const before = Array.from({ length: 40 }, (_, i) => byteAt(ram, B - 20 + i));
        core.regs.gpr[4] = ea;
        core.regs.gpr[3] = 0xa1b2c3d4 ^ ea;
        expect(execute(m, asm(name, { rs: 3, ra: 4 }))).toBeNull();
        for (let i = 0; i < width; i++)
          before[ea - (B - 20) + i] = (core.regs.gpr[3]! >>> (8 * (width - 1 - i))) & 0xff;
        expect(
          Array.from({ length: 40 }, (_, i) => byteAt(ram, B - 20 + i)),
          `${name} ${ea.toString(16)}`,
        ).toEqual(before);
      }
    }
  },
);

test('an address wraps from the top of the address space to 0', () => {
  const m = mapped();
  map(m.core, 0, { ea: 0xfffff000, pa: 0x20000, size: 1 });
  m.ram.write(0x20ffe, 2, 0x1122);
  m.ram.write(0, 2, 0x3344);
  m.core.regs.gpr[4] = -1;
  expect(execute(m, asm('lwz', { rt: 3, ra: 4, d: -1 }))).toBeNull();
  expect(m.core.regs.gpr[3]).toBe(0x11223344);
});

/** Whatever a program can see, the pc apart. */
const visible = ({ core, ram }: ReturnType<typeof paged>) => ({
  words: Array.from(core.regs.words.subarray(0, R.RESERVED + 1)).filter((_, i) => i !== R.PC),
  system: Array.from(core.system.words),
  a: ram.slice(RAM_A, 0x1000).join(),
  b: ram.slice(RAM_B, 0x1000).join(),
});

// prettier-ignore
const restartable: readonly [name: string, fields: Record<string, number>, access: 'read' | 'write'][] = [
  ['lwz',   { rt: 3, ra: 4, d: 2 }, 'read'],
  ['lhz',   { rt: 3, ra: 4, d: 3 }, 'read'],
  ['lwzu',  { rt: 3, ra: 4, d: 2 }, 'read'],
  ['lwbrx', { rt: 3, ra: 4, rb: 5 }, 'read'],
  ['lmw',   { rt: 20, ra: 4, d: 0 }, 'read'],
  ['lswi',  { rt: 30, ra: 4, nb: 9 }, 'read'],
  ['lswx',  { rt: 30, ra: 4, rb: 5 }, 'read'],
  ['stw',   { rs: 3, ra: 4, d: 2 }, 'write'],
  ['sth',   { rs: 3, ra: 4, d: 3 }, 'write'],
  ['stwu',  { rs: 3, ra: 4, d: 2 }, 'write'],
  ['stwbrx', { rs: 3, ra: 4, rb: 5 }, 'write'],
  ['stmw',  { rs: 20, ra: 4, d: 0 }, 'write'],
  ['stswi', { rs: 30, ra: 4, nb: 9 }, 'write'],
  ['stswx', { rs: 30, ra: 4, rb: 5 }, 'write'],
];

test.each(restartable)(
  '%s %o that traps on its second page has done nothing, and runs again once the page is there',
  (name, fields, access) => {
    for (const kind of ['data-tlb-miss', 'data-storage'] as const) {
      const m = paged({ rights: 0 });
      const { core } = m;
      if (kind === 'data-tlb-miss') {
        core.forgetEntry(1);
        core.system.tlb.write(1, 0, 0, 0);
      }
      core.regs.gpr.forEach((_, i) => (core.regs.gpr[i] = 0x01010101 * i));
      core.regs.gpr[4] = B - 4;
      core.regs.gpr[5] = 2;
      core.regs.words[R.XER] = 9;
      const before = visible(m);
      expect(execute(m, asm(name, fields))).toEqual({ kind, address: B, access });
      expect(visible(m)).toEqual(before);
      expect([core.regs.pc, core.retired]).toEqual([0x1000, 0]);
      map(core, 1, { ea: B, pa: RAM_B, size: 1 });
      expect(core.step()).toBeNull();
      expect(visible(m)).not.toEqual(before);
    }
  },
);

test('a string of no bytes touches nothing, wherever it points', () => {
  const m = paged();
  m.core.regs.gpr[4] = 0x90000000 | 0;
  expect(execute(m, asm('stswx', { rs: 3, rb: 4 }))).toBeNull();
  expect(execute(m, asm('lswx', { rt: 3, rb: 4 }))).toBeNull();
});

test('a string goes through registers from 31 to 0, and clears what it does not fill', () => {
  const m = paged();
  m.core.regs.gpr.fill(-1);
  m.core.regs.gpr[4] = A;
  expect(execute(m, asm('lswi', { rt: 31, ra: 4, nb: 7 }))).toBeNull();
  expect([m.core.regs.gpr[31], m.core.regs.gpr[0]! >>> 0, m.core.regs.gpr[1]]).toEqual([0x01080f16, 0x1d242b00, -1]);
});

test.each(['lwarx', 'stwcx.'])('%s at an address that is no multiple of 4 is an alignment interrupt', (name) => {
  const m = paged();
  for (const offset of [1, 2, 3]) {
    m.core.regs.gpr[4] = A + offset;
    const access = name === 'lwarx' ? 'read' : 'write';
    expect(execute(m, asm(name, { ra: 4, rb: 9 }))).toEqual({ kind: 'alignment', address: A + offset, access });
  }
});

test('stwcx. stores once for each lwarx, and CR0 says whether it did', () => {
  const m = paged();
  const { core, ram } = m;
  const store = (value: number): number => {
    core.regs.gpr[5] = value;
    expect(execute(m, asm('stwcx.', { rs: 5, ra: 4, rb: 9 }))).toBeNull();
    return core.regs.cr >>> 28;
  };
  core.regs.gpr[4] = A;
  expect([store(1), ram.read(RAM_A, 4)]).toEqual([0, 0x01080f16]);
  execute(m, asm('lwarx', { rt: 3, ra: 4, rb: 9 }));
  expect(core.regs.gpr[3]).toBe(0x01080f16);
  expect([store(2), ram.read(RAM_A, 4)]).toEqual([2, 2]);
  core.regs.words[R.XER] = 0x80000000;
  expect([store(3), ram.read(RAM_A, 4)]).toEqual([1, 2]);
});

test('a world switch loses the reservation', () => {
  const m = paged();
  m.core.regs.gpr[4] = A;
  execute(m, asm('lwarx', { rt: 3, ra: 4, rb: 9 }));
  m.core.switchTo(m.core.regs, m.core.system, m.core.timers);
  execute(m, asm('stwcx.', { rs: 3, ra: 4, rb: 9 }));
  expect(m.core.regs.cr >>> 28).toBe(0);
});

test('dcbz zeroes the 32 bytes around its address', () => {
  const m = paged();
  m.core.regs.gpr[4] = A + 0x77;
  const expected = m.ram.slice(RAM_A, 0x100).fill(0, 0x60, 0x80);
  expect(execute(m, asm('dcbz', { ra: 4, rb: 9 }))).toBeNull();
  expect(m.ram.slice(RAM_A, 0x100)).toEqual(expected);
});

test.each([
  ['write-through', 0x800],
  ['cache-inhibited', 0x400],
])('dcbz on a %s page is an alignment interrupt, unless the page may not be written at all', (_, attributes) => {
  const m = paged({ attributes });
  m.core.regs.gpr[4] = B + 0x20;
  expect(execute(m, asm('dcbz', { ra: 4, rb: 9 }))).toEqual({ kind: 'alignment', address: B + 0x20, access: 'write' });
  const refused = paged({ attributes, rights: 0x2d });
  refused.core.regs.gpr[4] = B + 0x20;
  expect(execute(refused, asm('dcbz', { ra: 4, rb: 9 }))?.kind).toBe('data-storage');
});

// prettier-ignore
const cacheOperations: readonly [name: string, needs: 'read' | 'write' | 'nothing'][] = [
  ['dcbf', 'read'], ['dcbst', 'read'], ['icbi', 'read'], ['dcbi', 'write'],
  ['dcbt', 'nothing'], ['dcbtst', 'nothing'], ['icbt', 'nothing'], ['dcba', 'nothing'],
];

test.each(cacheOperations)('%s needs of its page the right to %s', (name, needs) => {
  const READ = 0x09;
  const WRITE = 0x12;
  for (const rights of [READ, WRITE, 0]) {
    const m = paged({ rights });
    m.core.regs.gpr[4] = B + 4;
    const allowed = needs === 'nothing' || (rights & (needs === 'read' ? READ : WRITE)) !== 0;
    const trap = execute(m, asm(name, { ra: 4, rb: 9 }));
    expect(trap?.kind ?? null).toBe(allowed ? null : 'data-storage');
  }
  const m = paged();
  m.core.regs.gpr[4] = 0x90000000 | 0;
  expect(execute(m, asm(name, { ra: 4, rb: 9 }))?.kind ?? null).toBe(needs === 'nothing' ? null : 'data-tlb-miss');
});

/** A device that says what it was asked. */
class Recorder implements Device {
  readonly heard: string[] = [];
  read(offset: number, width: Width): number {
    this.heard.push(`read ${offset} ${width}`);
    return 0x80 + offset;
  }
  write(offset: number, width: Width, value: number): void {
    this.heard.push(`write ${offset} ${width} ${value.toString(16)}`);
  }
  peek(): number {
    throw new Error('a guest does not peek');
  }
}

const DEVICE = 0x50000000;

function withDevice(size = 16) {
  const m = mapped();
  const device = new Recorder();
  m.bus.devices.attach('recorder', 0x1_ef60_0300, size, device);
  map(m.core, 1, { ea: DEVICE, pa: 0x1_ef60_0000, size: 1 });
  setMsr(m.core, MSR.ME);
  m.core.regs.gpr[4] = DEVICE + 0x300;
  m.core.regs.gpr[3] = 0xa1b2c3d4 | 0;
  return { ...m, device };
}

test('a device gets the width and the offset of an aligned access, and its bits unsigned', () => {
  const m = withDevice();
  for (const [name] of loads) execute(m, asm(name, { rt: 5, ra: 4, d: 4 }));
  for (const [name] of stores) execute(m, asm(name, { rs: 3, ra: 4, d: 8 }));
  execute(m, asm('sthbrx', { rs: 3, ra: 4, rb: 9 }));
  expect(m.device.heard.slice(0, 3)).toEqual(['read 4 1', 'read 4 2', 'read 4 4']);
  expect(m.device.heard.slice(3)).toEqual(['write 8 1 d4', 'write 8 2 c3d4', 'write 8 4 a1b2c3d4', 'write 0 2 d4c3']);
});

test('a misaligned access comes to a device byte by byte, in order', () => {
  const m = withDevice();
  execute(m, asm('lhz', { rt: 5, ra: 4, d: 1 }));
  expect(m.core.regs.gpr[5]).toBe(0x8182);
  execute(m, asm('stw', { rs: 3, ra: 4, d: 2 }));
  expect(m.device.heard).toEqual([
    'read 1 1',
    'read 2 1',
    'write 2 1 a1',
    'write 3 1 b2',
    'write 4 1 c3',
    'write 5 1 d4',
  ]);
});

test('an access that reaches over the end of a device is a bus error, and the device hears nothing of it', () => {
  const m = withDevice(6);
  const trap = { kind: 'machine-check', cause: 'data-read', address: DEVICE + 0x304 };
  expect(execute(m, asm('lwz', { rt: 5, ra: 4, d: 4 }))).toEqual(trap);
  expect(execute(m, asm('stw', { rs: 3, ra: 4, d: 3 }))?.kind).toBe('machine-check');
  expect(execute(m, asm('lbz', { rt: 5, ra: 4, d: 6 }))?.kind).toBe('machine-check');
  expect(m.device.heard).toEqual([]);
});

test('a device sees the clock of the instruction that accesses it', () => {
  const m = withDevice();
  const seen: number[] = [];
  m.device.write = () => void seen.push(m.clock.now);
  for (let i = 0; i < 6; i++) m.ram.write(0x1000 + 4 * i, 4, i % 2 ? asm('stw', { rs: 3, ra: 4 }) : asm('ori'));
  m.core.regs.pc = 0x1000;
  m.core.run(6);
  expect(seen).toEqual([1, 3, 5]);
});

test('every store marks its page dirty, on the slow path and on the fast one', () => {
  const offsets = fc.array(fc.tuple(fc.constantFrom(...stores), fc.nat(0x1ffb)), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(offsets, (list) => {
      const m = paged();
      m.ram.clearDirty();
      m.core.lookaside.flush();
      const pages = new Set([1]); // the code's own
      for (const [[name, width], offset] of list) {
        m.core.regs.gpr[4] = A + offset;
        execute(m, asm(name, { rs: 3, ra: 4 }));
        for (const ea of [A + offset, A + offset + width - 1])
          pages.add((ea >= B ? RAM_B + ea - B : RAM_A + ea - A) >>> 12);
      }
      expect([...m.ram.dirty.keys()].filter((page) => m.ram.dirty[page])).toEqual([...pages].sort((a, b) => a - b));
    }),
    { numRuns: 50 },
  );
});

test('a page is foreseen once, only for what it may be used for, and no trap is raised for any other', () => {
  const { core, bus } = paged({ rights: 0x09 }); // of B nothing but reading
  bus.devices.attach('device', 0x200000, 0x1000, { read: () => 0, write: () => undefined, peek: () => 0 });
  map(core, 2, { ea: 0x50000000, pa: 0x200000, size: 1 });
  expect(core.step()?.kind).toBe('program'); // which tells the contexts to whoever runs
  core.trap = null;
  const known = (ea: number): boolean => core.lookaside.find('read', ea, core.regs.words[R.DATA_CONTEXT]!) >= 0;
  expect([known(A), foresee(core, A, 'read'), known(A), foresee(core, A, 'read')]).toEqual([false, true, true, false]);
  expect([foresee(core, B, 'write'), foresee(core, B, 'read'), foresee(core, A, 'write')]).toEqual([false, true, true]);
  expect([foresee(core, 0x50000000, 'read'), foresee(core, 0x60000000, 'read')]).toEqual([false, false]);
  expect(core.trap).toBeNull();
});
