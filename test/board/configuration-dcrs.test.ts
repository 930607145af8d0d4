import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildBoard } from '../../src/board/board.js';
import { Clock } from '../../src/bus/clock.js';
import { Ram, SharedMemory } from '../../src/bus/memory.js';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { readDcr, writeDcr } from '../../src/cpu/supervisor.js';
import { treeOf } from '../devicetree/images.js';
import { root } from '../tools.js';

const file = join(root, 'devicetrees/hv440-board.dtsi');
const SYS_CLOCK = 33333333; // as U-Boot and Linux have it for this board
const SERIAL_CLOCK = 11059200;

/** The project's board, with changes to its tree, and its DCRs as a program sees them. */
function board(changes = '') {
  const tree = treeOf(readFileSync(file, 'utf8') + changes, file);
  const memory = new SharedMemory(0x100000);
  const built = buildBoard(tree, {
    memory,
    clock: new Clock(),
    engine: new Interpreter(),
    ram: () => Ram.allocate(memory, 0x1000),
    transmit: () => () => {},
    streamOf: (name) => name,
    recordInput: () => {},
    finish: () => {},
  });
  const core = built.cores[0]!;
  const indirect = (dcr: number) => (number: number) => {
    writeDcr(core, dcr, number);
    return readDcr(core, dcr + 1) >>> 0;
  };
  const cell = (path: string): number => tree.find(path)?.cell('clock-frequency') ?? 0;
  return {
    built,
    core,
    cpr: indirect(0x0c),
    sdr: indirect(0x0e),
    sdram: indirect(0x10),
    ebc: indirect(0x12),
    clocks: {
      cpu: cell('/cpus/cpu@0'),
      plb: cell('/plb'),
      opb: cell('/plb/opb'),
      ebc: cell('/plb/opb/ebc'),
      uart: [0, 1, 2, 3].map((n) => cell(`/plb/opb/serial@ef600${n + 3}00`)),
    },
  };
}

type Registers = Pick<ReturnType<typeof board>, 'cpr' | 'sdr'>;

const field = (word: number, shift: number, width: number): number => (word >>> shift) % 2 ** width || 2 ** width; // a divider of 0 is the largest

/** What Linux's boot wrapper makes of the registers (arch/powerpc/boot/4xx.c, ibm440ep_fixup_clocks). */
function linuxClocks({ cpr, sdr }: Registers, sysClock: number) {
  const pllc = cpr(0x40);
  const plld = cpr(0x60);
  expect(pllc & 0x40000000, 'the PLL is engaged').not.toBe(0);
  expect(field(pllc, 24, 3), 'feedback is the PLL output').toBe(8);
  const forward = { a: field(plld, 16, 4), b: field(plld, 8, 3) };
  const m = field(plld, 24, 5) * field(plld, 0, 6) * (pllc & 0x20000000 ? forward.b : forward.a);
  const vco = sysClock * m;
  const plb = vco / forward.b / field(cpr(0xa0), 24, 3);
  const uart = [0x120, 0x121, 0x122, 0x123].map((number) =>
    sdr(number) & 0x00800000 ? SERIAL_CLOCK : plb / field(sdr(number), 0, 8),
  );
  const cpu = vco / forward.a / field(cpr(0x80), 24, 3);
  return { cpu, plb, opb: plb / field(cpr(0xc0), 24, 2), ebc: plb / field(cpr(0xe0), 24, 2), uart };
}

/** What U-Boot makes of them (arch/powerpc/cpu/ppc4xx/speed.c, get_sys_info of the 440EP). */
function uBootClocks({ cpr, sdr }: Registers, sysClock: number) {
  const plld = cpr(0x60);
  const forward = { a: field(plld, 16, 4), b: field(plld, 8, 3) };
  expect(sdr(0x20) & 0x38000000, 'feedback is the PLL output').toBe(0);
  const m = field(plld, 24, 5) * (plld & 0x3f) * (cpr(0x40) & 0x20000000 ? forward.b : forward.a);
  const vco = m * sysClock + Math.floor(m / 2);
  const plb = vco / forward.b / field(cpr(0xa0), 24, 3);
  return { cpu: vco / forward.a, plb, opb: plb / field(cpr(0xc0), 24, 2), ebc: plb / field(cpr(0xe0), 24, 3) };
}

/** What the strapping says, without a look at CPR0. */
function strappedClocks({ sdr }: Registers, sysClock: number) {
  const strap0 = sdr(0x20);
  const strap1 = sdr(0x21);
  const vco = sysClock * field(strap0, 12, 5) * field(strap0, 8, 4) * field(strap1, 26, 6);
  const plb = vco / field(strap0, 5, 3) / field(strap0, 2, 3);
  return { cpu: vco / field(strap0, 8, 4), plb, opb: plb / field(strap0, 0, 2), ebc: plb / field(strap1, 23, 3) };
}

const readers = { linuxClocks, uBootClocks, strappedClocks };

test.each(Object.entries(readers))('%s finds the clocks of the device tree in the DCRs', (_, clocksFrom) => {
  const { clocks, ...dcrs } = board();
  const { uart, ...found } = { uart: clocks.uart, ...clocksFrom(dcrs, SYS_CLOCK) };
  expect(uart).toEqual(clocks.uart);
  for (const [name, hertz] of Object.entries(found)) {
    // SysClk is 33⅓ MHz: rounding it to whole Hz is an error of one in 10⁸
    const wanted = clocks[name as keyof typeof found];
    expect(Math.abs(hertz - wanted) / wanted, name).toBeLessThanOrEqual(2e-8);
  }
});

test("from the oscillator's own frequency the clocks follow to the Hz", () => {
  const { clocks, ...dcrs } = board();
  const exact = linuxClocks(dcrs, 100e6 / 3);
  const whole = Object.fromEntries(Object.entries(exact).map(([name, hz]) => [name, [hz].flat().map(Math.floor)]));
  expect(whole).toEqual({ cpu: [400000000], plb: [133333333], opb: [66666666], ebc: [66666666], uart: clocks.uart });
  expect(clocks).toMatchObject({ cpu: 400000000, plb: 133333333, opb: 66666666, ebc: 66666666 });
});

test('a board with another processor clock has other dividers', () => {
  const dcrs = board('&cpu0 { clock-frequency = <533333333>; };');
  expect(linuxClocks(dcrs, 100e6 / 3).cpu).toBeCloseTo(1600e6 / 3, 0);
  expect(linuxClocks(dcrs, 100e6 / 3).plb).toBeCloseTo(400e6 / 3, 0);
});

test.each([16, 128, 144, 256, 1024])('software finds %i MiB of memory in the SDRAM controller', (size) => {
  const { sdram } = board(`&memory0 { reg = <0 0 0x${(size * 2 ** 20).toString(16)}>; };`);
  const banks = [0x40, 0x44, 0x48, 0x4c].map(sdram).filter((bank) => bank & 1);
  expect(banks.reduce((sum, bank) => sum + (0x00400000 << ((bank & 0x000e0000) >> 17)), 0)).toBe(size * 2 ** 20);
});

test('of the external bus only the bank of the UART is enabled, whichever of eight banks is asked for', () => {
  const { ebc } = board();
  for (let bank = 0; bank < 8; bank++) expect(ebc(bank)).toBe(bank === 5 ? 0x9c018000 : 0);
});

test.each([
  ['<0 0x0 0x90000000 0x04000000>', 0x900d8000], // 64 MiB
  ['<0 0x0 0x90000000 0x03000000>', 0], // no power of two
  ['<0 0x0 0x90100000 0x00200000>', 0], // not at a multiple of its size
])('an external bus with ranges %s leaves B0CR so', (ranges, control) => {
  const { ebc } = board(`&UART4 { status = "disabled"; }; &EBC0 { ranges = ${ranges}; };`);
  expect(ebc(0)).toBe(control);
});

test('what a program writes stays until the board is reset', () => {
  const { built, core, sdr } = board();
  expect(sdr(0x4300)).toBe(0);
  writeDcr(core, 0x0f, 0xffffffff);
  expect(sdr(0x4300)).toBe(0x0ff80000);
  built.reset();
  expect(readDcr(core, 0x0e)).toBe(0);
  expect(sdr(0x4300)).toBe(0);
});

test('a DCR that nothing answers reads as 0 and ignores what is written', () => {
  const { core } = board();
  for (const number of [0x00, 0x0b, 0x14, 0x100, 0x180, 0x3ff]) {
    writeDcr(core, number, 0xffffffff);
    expect(readDcr(core, number), number.toString(16)).toBe(0);
  }
});

test('a board whose tree has no such nodes has none of these DCRs', () => {
  const without = ['SDR0', 'CPR0', 'SDRAM0', 'EBC0'].map((label) => `/delete-node/ &${label};`).join(' ');
  const { built, cpr, sdram } = board(without);
  expect(built.configuration).toEqual([]);
  expect([cpr(0x40), sdram(0x40)]).toEqual([0, 0]);
});
