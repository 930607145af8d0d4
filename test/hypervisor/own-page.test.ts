// A device of the board that has a page to itself: its registers without an exit, and everything else as on the bare board.

import { expect, test } from 'vitest';
import { ESR, MSR } from '../../src/isa/registers.js';
import { Code, size } from './code.js';
import { bareBoard, guest, hex, hypervisor, runToEnd, type Guest } from './guest.js';

const UART4 = 0x9c000000;
const LINE23 = 0x80000000 >>> 23;
const STREAM = 'guest/serial@9c000000';
const owner = { node: 'devices = <&UART4>;' };

/** A 4 KiB page of the guest's own over the UART, in the place of the 256 MiB that it was entered with. */
const mapped = (page: Partial<Parameters<Code['tlb']>[1]> = {}): Code =>
  new Code().tlb(9, { ea: UART4, pa: UART4, size: size.k4, attributes: 0x500, ...page });

/** The same program on the board itself and as a partition that has the UART. */
function both(code: Code, words: number, options: Omit<Guest, 'program'> = {}) {
  const alone = bareBoard(code);
  runToEnd(alone.machine);
  const virtual = guest(code, { ...owner, ...options });
  expect(virtual.ending).toMatchObject({ kind: 'finished' });
  expect(virtual.words(0x100, words).map(hex)).toEqual(alone.words(0x100, words).map(hex));
  expect(virtual.hv.retired).toBe(alone.machine.retired);
  const devices = virtual.exits.filter((kind) => kind === 'device').length - 1; // its end
  return { left: virtual.words(0x100, words).map(hex), devices, virtual };
}

const load = (name: string, d: number): Code => new Code().li(5, UART4).op(name, { rt: 6, ra: 5, d });

test('registers are read and written without an exit, and the other partition has a bus error at their address', () => {
  const code = new Code().li(5, UART4).li(3, 0x5a).op('stb', { rs: 3, ra: 5, d: 7 });
  for (let i = 0; i < 50; i++) code.op('stb', { rs: 3, ra: 5, d: 0 });
  code.op('lbz', { rt: 6, ra: 5, d: 7 }).stw(6, 0x100).op('lwz', { rt: 6, ra: 5, d: 4 }).stw(6, 0x104);
  const probe = new Code().vector(1, 'check').setMsr(MSR.ME).li(3, UART4).op('lbz', { rt: 4, ra: 3, d: 7 }).finish(1);
  probe.at(0x2000).label('check').finish(0);
  const made = hypervisor({ guest: { program: code.finish(), ...owner }, probe: { program: probe } });
  runToEnd(made.hv);
  expect(made.output.text(STREAM)).toBe('Z'.repeat(50));
  const exits = made.partition('guest').vcpus[0]!.account.exits.map(({ kind, count }) => [kind, count]);
  expect(exits).toContainEqual(['device', 1]); // the finisher
  expect(exits).toContainEqual(['shadow-miss', 2]);
  expect(made.partition('probe').ending).toEqual({ kind: 'finished', status: 0 });
  expect(both(code, 2)).toMatchObject({ left: ['5a', '60b05a'.padStart(8, '0').replace(/^0+/, '')], devices: 0 });
});

test('the shadow of the page is 4 KiB, cache-inhibited, guarded and not executable, however the guest maps it', () => {
  const code = new Code()
    .tlb(9, { ea: UART4, pa: UART4, size: size.m16 })
    .li(5, UART4)
    .op('lbz', { rt: 6, ra: 5, d: 5 });
  const { partition, hv } = hypervisor({ guest: { program: code.label('spin').b('spin'), ...owner } });
  hv.run(100);
  const { tlb } = partition('guest').vcpus[0]!.shadow;
  const entry = Array.from({ length: 64 }, (_, i) => i).find((i) => tlb.valid(i) && tlb.base(i) === UART4)!;
  expect([tlb.bytes(entry), tlb.realBase(entry), hex(tlb.read(entry, 2))]).toEqual([4096, UART4, hex(0x518)]);
});

test('an interrupt that an access raises is taken behind that very instruction, and none that it takes away', () => {
  const code = new Code().vector(4, 'external').li(5, UART4).li(3, -1).op('mtdcr', { rs: 3, dcr: 0xc4 });
  code.op('mtdcr', { rs: 3, dcr: 0xc5 }).li(3, LINE23).op('mtdcr', { rs: 3, dcr: 0xc2 }).li(7, 0).setMsr(MSR.EE);
  // Transmitter empty: raised by the write of IER, taken away by the read of IIR
  code.li(3, 2).op('stb', { rs: 3, ra: 5, d: 1 }).label('behind');
  for (let i = 0; i < 9; i++) code.op('addi', { rt: 7, ra: 7, si: 1 });
  code.finish();
  code.at(0x2000).label('external').op('cmpi', { bf: 0, ra: 8, si: 0 }).bc(4, 2, 'again').report(0x100, 'SRR0');
  code.stw(7, 0x104).label('again').op('addi', { rt: 8, ra: 8, si: 1 }).stw(8, 0x108).op('lbz', { rt: 6, ra: 5, d: 2 });
  code.op('mfdcr', { rt: 9, dcr: 0xc0 }).op('mtdcr', { rs: 9, dcr: 0xc0 }).op('rfi');
  const { left, devices } = both(code, 3);
  expect(left).toEqual([hex(code.address('behind')), '0', '1']);
  expect(devices).toBe(0);
});

/** Echoes what comes, plus one, by interrupt, and ends after so many. */
function echo(count: number): Code {
  const code = new Code()
    .vector(4, 'external')
    .li(3, -1)
    .op('mtdcr', { rs: 3, dcr: 0xc4 })
    .op('mtdcr', { rs: 3, dcr: 0xc5 });
  code.li(3, LINE23).op('mtdcr', { rs: 3, dcr: 0xc2 }).li(5, UART4).li(3, 1).op('stb', { rs: 3, ra: 5, d: 1 });
  code.li(20, count).setMsr(MSR.EE).label('spin').op('addi', { rt: 6, ra: 6, si: 1 }).b('spin');
  code.at(0x2000).label('external').op('lbz', { rt: 4, ra: 5, d: 0 }).stw(6, 0x100).op('addi', { rt: 4, ra: 4, si: 1 });
  code.op('stb', { rs: 4, ra: 5, d: 0 }).op('mfdcr', { rt: 9, dcr: 0xc0 }).op('mtdcr', { rs: 9, dcr: 0xc0 });
  return code.op('addic.', { rt: 20, ra: 20, si: -1 }).bc(12, 2, 'done').op('rfi').label('done').finish();
}

test('input by interrupt: the same, to the cycle, in whatever slices it is run', () => {
  const lives = [Infinity, 1, 7, 1000].map((slice) => {
    const setting = { partitions: 'quantum = <5000>; exit-cycles = <3>;' };
    const other = { program: new Code().label('spin').op('addi', { rt: 3, ra: 3, si: 1 }).b('spin') };
    const made = hypervisor({ guest: { program: echo(3), ...owner }, other }, setting);
    made.hv.type(STREAM, Buffer.from('HAL'));
    while (made.partition('guest').running && made.hv.clock.now < 3_000_000) made.hv.run(Math.min(slice, 100_000));
    expect(made.output.text(STREAM)).toBe('IBM');
    const { account, machine } = made.partition('guest').vcpus[0]!;
    const exits = account.exits.map(({ kind, count }) => `${kind} ${count}`).toSorted();
    return [account.cycles, account.retired, machine.regs.gpr[6], exits, made.inputs];
  });
  for (const life of lives) expect(life).toEqual(lives[0]);
  expect(lives[0]![3]).toContain('device 1');
});

// prettier-ignore
const accesses: readonly (readonly [string, () => Code, string])[] = [
  ['a word over the registers',         () => load('lwz', 4),                                     'as aligned'],
  ['a halfword at an odd address',      () => load('lhz', 5),                                     'as bytes'],
  ['a word at an odd address',          () => load('lwz', 1),                                     'as bytes'],
  ['a word that reaches over the end',  () => load('lwz', 6),                                     'a bus error'],
  ['a byte behind the registers',       () => load('lbz', 0x800),                                 'a bus error'],
  ['a store behind the registers',      () => load('lbz', 5).op('stb', { rs: 6, ra: 5, d: 9 }),   'a bus error'],
  ['several registers',                 () => load('lbz', 5).op('lmw', { rt: 28, ra: 5, d: 0 }),  'a bus error in the middle'],
  ['a word out of the page',            () => load('lwz', 0xffe),                                 'a bus error'],
  ['dcbz where it may be cached',       () => load('lbz', 5).op('dcbz', { ra: 0, rb: 5 }),        'a bus error in the middle'],
];

test.each(accesses)('%s does what it does on the bare board, with machine checks on and off', (_, access) => {
  for (const checks of [0, MSR.ME]) {
    for (const attributes of [0, 0x500]) {
      const code = mapped({ attributes })
        .vector(1, 'check')
        .vector(5, 'check')
        .vector(13, 'check')
        .setMsr(checks)
        .li(6, 0x77);
      const inner = access();
      for (const { address, bytes } of inner.image().segments) {
        expect(address).toBe(inner.start);
        const view = new DataView(bytes.buffer);
        for (let i = 0; i < bytes.length; i += 4) code.word(view.getInt32(i));
      }
      code.stw(6, 0x100).report(0x104, 'MCSR', 'MCSRR0', 'ESR', 'DEAR').finish(0);
      code.at(0x2000).label('check').stw(6, 0x100).report(0x104, 'MCSR', 'MCSRR0', 'ESR', 'DEAR').finish(1);
      both(code, 5);
    }
  }
});

test('a bus error that MSR[ME] held back comes when the guest lets it through', () => {
  const code = new Code().vector(1, 'check').li(5, UART4).op('lbz', { rt: 6, ra: 5, d: 0x10 }).report(0x100, 'MCSR');
  code.setMsr(MSR.ME).label('behind').finish(1);
  code.at(0x2000).label('check').report(0x104, 'MCSR', 'MCSRR0').finish();
  const { left, devices } = both(code, 3);
  expect(left.slice(2)).toEqual([hex(code.address('behind'))]);
  expect(left[0]).not.toBe('0');
  expect(devices).toBe(0);
});

test('what the guest’s TLB forbids stays forbidden, and a page that is gone is missed', () => {
  const code = mapped({ rights: 0x01 })
    .vector(2, 'storage')
    .vector(13, 'miss')
    .li(5, UART4)
    .op('lbz', { rt: 6, ra: 5, d: 5 });
  code.stw(6, 0x100).op('stb', { rs: 6, ra: 5, d: 7 });
  code.at(0x2000).label('storage').report(0x104, 'ESR', 'DEAR').tlb(9, { ea: 0, pa: 0, size: 0, valid: false });
  code.op('lbz', { rt: 6, ra: 5, d: 5 });
  code.at(0x3000).label('miss').report(0x10c, 'DEAR').finish();
  const { left } = both(code, 4);
  expect(left).toEqual(['60', hex(ESR.ST), hex(UART4 + 7), hex(UART4 + 5)]);
});

test('code on the page of a device is a machine check, as on the board', () => {
  const code = mapped().vector(1, 'check').li(5, UART4).op('lbz', { rt: 6, ra: 5, d: 5 }).setMsr(MSR.ME);
  code.op('mtspr', { rs: 5, spr: 9 }).op('bcctr', { bo: 20, bi: 0 });
  code.at(0x2000).label('check').report(0x100, 'MCSR', 'MCSRR0', 'ESR').finish();
  expect(both(code, 3).left[1]).toBe(hex(UART4));
});

test('a device whose page has a virtual device of the partition beside it is reached by exits, and works', () => {
  const ports = `serial@9c000100 { compatible = "ns16550"; reg = <0x9c000100 8>; };
    finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; };`;
  const code = new Code().li(5, UART4).li(3, 0x41).op('stb', { rs: 3, ra: 5, d: 0 });
  code.op('stb', { rs: 3, ra: 5, d: 0x100 }).finish();
  const made = guest(code, { ...owner, ports });
  expect(made.output.text(STREAM)).toBe('A');
  expect(made.output.text('guest/serial@9c000100')).toBe('A');
  expect(made.exits.filter((kind) => kind === 'device')).toHaveLength(3);
});

test('a restart finds the device as after power-on, and reaches it without an exit again', () => {
  const code = new Code().li(5, UART4).op('lbz', { rt: 3, ra: 5, d: 7 }).op('or', { ra: 3, rs: 3, rb: 3, rc: 1 });
  code.bc(4, 2, 'dirty').li(3, 0x5a).op('stb', { rs: 3, ra: 5, d: 7 }).op('stb', { rs: 3, ra: 5, d: 0 });
  code.setSpr('DBCR0', 0x30000000).label('dirty').finish(1);
  const made = hypervisor({ guest: { program: code, node: 'devices = <&UART4>; on-reset = "restart";' } });
  runToEnd(made.hv, 1000);
  expect(made.partition('guest').ending).toBeUndefined();
  expect(made.partition('guest').restarts).toBeGreaterThan(5);
  expect(made.output.text(STREAM)).toMatch(/^Z{5,}$/);
  expect(made.exits).not.toContain('device');
});
