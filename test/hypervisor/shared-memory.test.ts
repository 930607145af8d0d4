// Memory that partitions share: the same bytes for all, and nobody else's; stores where it is only read.

import { expect, test } from 'vitest';
import { Snapshots, stateHash } from '../../src/board/snapshot.js';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { Translator } from '../../src/cpu/engine/translator.js';
import type { Engine } from '../../src/cpu/engine/engine.js';
import { PhysicalMemory } from '../../src/debug/memory.js';
import { decodeBlob, encodeBlob } from '../../src/devicetree/blob.js';
import { faultLines } from '../../src/hypervisor/fault-text.js';
import type { FaultReport } from '../../src/hypervisor/fault-report.js';
import { guestTree } from '../../src/hypervisor/guest-tree.js';
import { readMemory, writeMemory } from '../../src/hypervisor/guest-memory.js';
import { MSR } from '../../src/isa/registers.js';
import { Code, size } from './code.js';
import { hex, hypervisor, runToEnd, type Guest, type Program } from './guest.js';

const engines: readonly (readonly [string, () => Engine])[] = [
  ['interpreter', () => new Interpreter()],
  ['translator', () => new Translator({ hot: 1 })],
];
const [WINDOW, OTHER] = [0x80000000, 0x90000000];
const SIZE = 0x10000;
const POOL = `pool: pool { compatible = "hv440,shared-memory"; size = <0x0 ${SIZE}>; };`;
const window = (base = WINDOW, more = ''): string =>
  `pool@${base.toString(16)} { compatible = "hv440,shared-memory-window"; shared-memory = <&pool>; reg = <${base} ${SIZE}>; ${more} };`;

/** Two partitions with windows at different addresses, the second of which may only read where that is said. */
const pair = (engine: Engine, one: Program, two: Program, more: { readOnly?: boolean; node?: string } = {}) => {
  const guests: Record<string, Guest> = {
    one: { program: one, node: `${more.node ?? ''} ${window()}` },
    two: { program: two, node: window(OTHER, more.readOnly ? 'read-only;' : '') },
  };
  return hypervisor(guests, { engine, partitions: `quantum = <1000>; ${POOL}` });
};

/** Waits until the word at an address in r5 is r4's. */
const await_ = (code: Code, label: string, d: number, value: number): Code =>
  code.li(4, value).label(label).op('lwz', { rt: 6, ra: 5, d }).op('cmpl', { bf: 0, ra: 6, rb: 4 }).bc(4, 2, label);

const store = (code: Code, d: number, value: number): Code => code.li(3, value).op('stw', { rs: 3, ra: 5, d });

test.each(engines)('%s: what one partition stores the other loads, without an exit for either', (_, engine) => {
  const one = new Code().li(5, WINDOW);
  const two = new Code().li(5, OTHER);
  for (let i = 1; i < 9; i++) {
    await_(store(one, 0, i), `back${i}`, 4, i);
    store(await_(two, `ball${i}`, 0, i), 4, i);
  }
  const made = pair(engine(), one.finish(), two.finish());
  runToEnd(made.hv);
  for (const name of ['one', 'two']) {
    const partition = made.partition(name);
    expect(partition.ending).toEqual({ kind: 'finished', status: 0 });
    const exits = partition.vcpus[0]!.account.exits.map(({ kind, count }) => [kind, count]);
    expect(exits).toContainEqual(['device', 1]); // its end
  }
});

/** A store by an instruction, with machine checks on: what the guest has then, and at an address where nothing is. */
const stores: readonly (readonly [string, (code: Code) => Code])[] = [
  ['stb', (code) => code.op('stb', { rs: 3, ra: 5, d: 8 })],
  ['stw at an odd address', (code) => code.op('stw', { rs: 3, ra: 5, d: 9 })],
  ['stw over a small page', (code) => code.op('stw', { rs: 3, ra: 5, d: 0x3fe })],
  ['stwu', (code) => code.op('stwu', { rs: 3, ra: 5, d: 8 })],
  ['stmw', (code) => code.op('stmw', { rs: 28, ra: 5, d: 8 })],
  ['stswi', (code) => code.op('stswi', { rs: 3, ra: 5, nb: 7 })],
  ['stwcx.', (code) => code.op('lwarx', { rt: 7, ra: 0, rb: 5 }).op('stwcx.', { rs: 3, ra: 0, rb: 5 })],
  ['dcbz', (code) => code.op('dcbz', { ra: 0, rb: 5 })],
];

/** A cached page in the place of what the guest was entered with, and vectors for what may come. */
const prepared = (msr: number): Code =>
  new Code().tlb(9, { ea: OTHER, pa: OTHER, size: size.k4 }).vector(1, 'check').vector(5, 'check').setMsr(msr);

test.each(engines.flatMap(([name, engine]) => stores.map(([what, act]) => [name, what, engine, act] as const)))(
  '%s: %s where memory is only read is one to where nothing is, and changes nothing',
  (_, what, engine, act) => {
    for (const checks of [0, MSR.ME]) {
      const program = (address: number): Code => {
        const code = prepared(checks).li(5, address).li(3, 0x12345678);
        if (what !== 'stwcx.') code.op('lwz', { rt: 6, ra: 5, d: 0 }); // its page is in the shadow by then
        act(code).label('behind').report(0x100, 'MCSR', 'MCSRR0').stw(5, 0x108).finish(1);
        return code.at(0x2000).label('check').report(0x100, 'MCSR', 'MCSRR0').stw(5, 0x108).finish(2);
      };
      const one = new Code().li(5, WINDOW).finish();
      const made = pair(engine(), one, program(OTHER), { readOnly: true });
      const idle = { program: new Code().finish() };
      // Where nothing is even a load is a bus error, which leaves the same behind but for its kind: so no load first there
      const nowhere = prepared(checks).li(5, OTHER).li(3, 0x12345678);
      if (what === 'stwcx.') nowhere.li(5, 0x100).op('lwarx', { rt: 7, ra: 0, rb: 5 }).li(5, OTHER);
      const bare = what === 'stwcx.' ? nowhere.op('stwcx.', { rs: 3, ra: 0, rb: 5 }) : act(nowhere);
      bare.label('behind').report(0x100, 'MCSR', 'MCSRR0').stw(5, 0x108).finish(1);
      bare.at(0x2000).label('check').report(0x100, 'MCSR', 'MCSRR0').stw(5, 0x108).finish(2);
      const reference = hypervisor({ two: { program: bare }, one: idle }, { engine: engine() });
      runToEnd(made.hv);
      runToEnd(reference.hv);
      const left = ({ partition }: typeof made) => [
        partition('two').ending,
        hex(readWord(partition('two'), 0x100)),
        hex(readWord(partition('two'), 0x108)),
      ];
      expect(left(made)).toEqual(left(reference));
      expect(left(made)[0]).toEqual({ kind: 'finished', status: checks ? 2 : 1 });
      expect(made.partition('two').vcpus[0]!.account.exits.map(({ kind }) => kind)).toContain('device');
      expect(readMemory(made.partition('one'), WINDOW, SIZE)!.every((byte) => byte === 0)).toBe(true);
    }
  },
);

test.each(engines)('%s: emulation does not run ahead over a store to where memory is only read', (_, engine) => {
  const left = [0, 1].map((ahead) => {
    const code = prepared(MSR.ME).li(5, OTHER).op('lwz', { rt: 6, ra: 5, d: 0 }).b('run').label('run');
    code.op('mfmsr', { rt: 7 }).label('store').op('stw', { rs: 3, ra: 5, d: 8 }).op('mfmsr', { rt: 8 }).finish(1);
    code.at(0x2000).label('check').report(0x100, 'MCSRR0').finish(2);
    const guests: Record<string, Guest> = {
      one: { program: new Code().finish(), node: window() },
      two: { program: code, node: window(OTHER, 'read-only;') },
    };
    const made = hypervisor(guests, { engine: engine(), partitions: `${ahead ? '' : 'run-ahead = <0>;'} ${POOL}` });
    runToEnd(made.hv);
    const two = made.partition('two');
    expect(two.ending).toEqual({ kind: 'finished', status: 2 });
    expect(readMemory(two, OTHER, SIZE)!.every((byte) => byte === 0)).toBe(true);
    const { exits } = two.vcpus[0]!.account;
    const devices = exits.find(({ kind }) => kind === 'device')!.count;
    return { at: readWord(two, 0x100), store: code.address('store'), devices, retired: two.vcpus[0]!.account.retired };
  });
  expect(left[0]).toEqual(left[1]);
  expect(left[0]!.at).toBe(left[0]!.store);
  expect(left[0]!.devices).toBe(2); // the store itself, and the end
});

test('who dies of such a store is told that the window is only read, and which memory lies there on the board', () => {
  const report = (code: Code): string => {
    const reports: FaultReport[] = [];
    const guests: Record<string, Guest> = {
      one: { program: new Code().label('spin').b('spin'), node: window() },
      two: { program: code, node: window(OTHER, 'read-only;') },
    };
    const made = hypervisor(guests, { partitions: POOL, onFault: (one) => reports.push(one) });
    runToEnd(made.hv, 300_000);
    const [died] = reports.filter(({ program }) => program === 'two');
    return faultLines(died!, undefined).join('\n');
  };
  const fatal = (address: number): Code => {
    const code = new Code().setSpr('IVPR', 0xd0000000).tlb(13, { ea: 0, pa: 0, size: 0, valid: false });
    return code.setMsr(MSR.ME).li(5, address).op('stw', { rs: 3, ra: 5, d: 8 });
  };
  const text = report(fatal(OTHER));
  expect(text).toContain('machine-check (data-write), store to 0x90000008, at 0x');
  expect(text).toContain("there is the guest's pool@90000000+0x8, which is only read, on the board at 0x200008");
  // Where it lies on the board there is nothing of the guest's
  expect(report(fatal(0x200000))).toContain(
    "on the board this address is memory@0, where the shared memory 'pool' lies",
  );
});

const readWord = (partition: Parameters<typeof readMemory>[0], address: number): number =>
  new DataView(readMemory(partition, address, 4)!.buffer).getUint32(0);

test.each(engines)('%s: code there that the other partition rewrites is run as it is then', (_, engine) => {
  const words = (value: number): number[] => {
    const { segments } = new Code().op('addi', { rt: 9, ra: 0, si: value }).op('bclr', { bo: 20, bi: 0 }).image();
    const view = new DataView(segments[0]!.bytes.buffer);
    return [view.getInt32(0), view.getInt32(4)];
  };
  const ROUNDS = 12;
  const one = new Code().li(5, WINDOW);
  const two = new Code().li(5, OTHER).li(8, OTHER + 0x100);
  for (let i = 1; i <= ROUNDS; i++) {
    words(i).forEach((word, n) => store(one, 0x100 + 4 * n, word));
    await_(store(one, 0x1000, i), `back${i}`, 0x1004, i);
    await_(two, `ball${i}`, 0x1000, i);
    // Often enough for a translation
    two.li(10, 40).label(`again${i}`);
    two.mtspr('CTR', 8).op('bcctr', { bo: 20, bi: 0, lk: 1 });
    two.op('addic.', { rt: 10, ra: 10, si: -1 }).bc(4, 2, `again${i}`);
    two.stw(9, 0x200 + 4 * i);
    store(two, 0x1004, i);
  }
  const made = pair(engine(), one.finish(), two.finish());
  runToEnd(made.hv, 10_000_000);
  expect(made.partition('two').ending).toEqual({ kind: 'finished', status: 0 });
  const seen = Array.from({ length: ROUNDS }, (_n, i) => readWord(made.partition('two'), 0x204 + 4 * i));
  expect(seen).toEqual(Array.from({ length: ROUNDS }, (_n, i) => i + 1));
});

test.each(engines)(
  '%s: a restart of one partition leaves it as it is, and a reset of the board clears it',
  (_, engine) => {
    // Counts its lives in shared memory
    const counts = new Code().li(5, WINDOW).op('lwz', { rt: 3, ra: 5, d: 0 }).op('addi', { rt: 3, ra: 3, si: 1 });
    counts.op('stw', { rs: 3, ra: 5, d: 0 }).op('cmpi', { bf: 0, ra: 3, si: 5 }).bc(12, 2, 'done');
    counts.setSpr('DBCR0', 0x30000000).label('done').finish();
    const made = pair(engine(), counts, new Code().finish(), { node: 'on-reset = "restart";' });
    runToEnd(made.hv);
    expect(made.partition('one').ending).toEqual({ kind: 'finished', status: 0 });
    expect(made.partition('one').restarts).toBe(4);
    expect(readWord(made.partition('two'), OTHER)).toBe(5);
    made.partition('one').resetsBoard = true;
    made.hv.ask('start', made.partition('two'));
    made.hv.run(1);
    expect(readWord(made.partition('two'), OTHER)).toBe(0);
  },
);

test('a snapshot holds it once, and brings it back', () => {
  const one = new Code().li(5, WINDOW).li(3, 0).label('spin').op('addi', { rt: 3, ra: 3, si: 1 });
  const made = pair(new Interpreter(), one.op('stw', { rs: 3, ra: 5, d: 0 }).b('spin'), new Code().finish());
  made.hv.run(20_000);
  const snapshots = new Snapshots(made.hv);
  const before = snapshots.take();
  const value = readWord(made.partition('two'), OTHER);
  expect(value).toBeGreaterThan(10);
  made.hv.run(20_000);
  const after = stateHash(snapshots.take());
  const later = readWord(made.partition('two'), OTHER);
  expect(later).toBeGreaterThan(value);
  snapshots.restore(before);
  expect(readWord(made.partition('two'), OTHER)).toBe(value);
  made.hv.run(20_000);
  expect([readWord(made.partition('two'), OTHER), stateHash(snapshots.take())]).toEqual([later, after]);
});

test('hypercalls and a debugger write to a window as its guest may, and read it', () => {
  const { partition } = pair(new Interpreter(), new Code().finish(), new Code().finish(), { readOnly: true });
  expect(writeMemory(partition('one'), WINDOW + SIZE - 2, Uint8Array.of(1, 2))).toBe(true);
  expect([...readMemory(partition('two'), OTHER + SIZE - 2, 2)!]).toEqual([1, 2]);
  expect(writeMemory(partition('two'), OTHER, Uint8Array.of(7))).toBe(false);
  expect(readMemory(partition('two'), OTHER + SIZE - 2, 4)).toBeUndefined();
  const [write, only] = ['one', 'two'].map((name) => new PhysicalMemory(partition(name).board.bus));
  expect(write!.write(WINDOW, Uint8Array.of(9))).toBe(1);
  expect(only!.write(OTHER, Uint8Array.of(5))).toBe(0);
  expect([...only!.read(OTHER, 1)]).toEqual([9]);
});

test('the guest’s tree has the window with its address, and not the node of the configuration', () => {
  const made = pair(new Interpreter(), new Code().finish(), new Code().finish(), { readOnly: true });
  const { config } = made.partition('two');
  const tree = decodeBlob(encodeBlob(guestTree(config, made.tree, 2)), 'guest.dtb');
  const node = tree.find('/plb/pool@90000000')!;
  expect(node.get('compatible')!.string).toBe('hv440,shared-memory-window');
  expect(node.get('reg')!.cells).toEqual([OTHER, SIZE]);
  expect([node.get('label')!.string, node.has('read-only'), node.has('shared-memory')]).toEqual(['pool', true, false]);
});
