import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { snapshotOf } from '../../src/board/snapshot.js';
import { encodeState } from '../../src/board/state-text.js';
import type { Engine } from '../../src/cpu/engine/engine.js';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { Translator } from '../../src/cpu/engine/translator.js';
import { MSR } from '../../src/isa/registers.js';
import { Code } from './code.js';
import { hypervisor, type Setting } from './guest.js';
import { program } from './random-programs.js';

/** A guest that nobody watches, its whole state after each so many cycles, and how many instructions were emulated for it. */
function states(code: Code, engine: Engine, quantum: number, setting: Setting = {}) {
  const { hv, partition } = hypervisor({ guest: { program: code } }, { ...setting, engine, trusting: true });
  const [vcpu] = partition('guest').vcpus;
  const step = vi.spyOn(vcpu!.machine, 'step');
  const seen: string[] = [];
  for (let i = 0; i < 3000 && partition('guest').running; i++) {
    hv.run(quantum);
    if (i % 64 === 0) seen.push(encodeState(hv.save()));
  }
  seen.push(encodeState(snapshotOf(hv)));
  return { hv, vcpu: vcpu!, account: vcpu!.account, steps: step.mock.calls.length, seen };
}

const ENGINES = { cold: () => new Translator(), eager: () => new Translator({ eager: true }) };
const reference = new Interpreter();

/** Turns round and round in instructions of its supervisor's, with others between. */
function busy(): Code {
  const code = new Code().li(3, 0x5a).li(9, 300).mtspr('CTR', 9).label('loop');
  code.op('mfmsr', { rt: 4 }).op('wrteei', { e: 0 }).mtspr('SPRG0', 3).op('addi', { rt: 3, ra: 3, si: 1 });
  code.mfspr(5, 'SPRG0').op('mfspr', { rt: 6, spr: 8 }).op('addi', { rt: 7, ra: 7, si: 2 }).op('wrtee', { rs: 4 });
  code.op('lwz', { rt: 8, ra: 0, d: 0x200 }).mtspr('SRR0', 8).mtspr('DEAR', 5).mfspr(10, 'PVR');
  return code.op('bc', { bo: 16, bi: 0, bd: (code.address('loop') - code.here) >> 2 }).finish();
}

test('what is plain is emulated where the guest stands, and costs and counts what it always did', () => {
  const setting = { partitions: 'exit-cycles = <9>; run-ahead-cycles = <5>;' };
  const expected = states(busy(), reference, 100_000, setting);
  expect(expected.account.exits[0]!.count).toBeGreaterThan(250);
  for (const make of Object.values(ENGINES)) {
    const found = states(busy(), make(), 100_000, setting);
    expect(found.seen).toEqual(expected.seen);
    expect(found.steps).toBeLessThan(expected.steps / 2);
  }
});

test('nothing is where somebody looks at each exit', () => {
  const { hv, partition } = hypervisor({ guest: { program: busy() } }, { engine: new Translator() });
  const step = vi.spyOn(partition('guest').vcpus[0]!.machine, 'step');
  while (partition('guest').running) hv.run(10_000);
  expect(step.mock.calls.length).toBe(states(busy(), reference, 100_000).steps);
});

test('wherever it stops, a guest is where it would be if each exit had left the core', () => {
  for (const quantum of [1, 3, 29])
    for (const make of Object.values(ENGINES)) {
      const setting = { partitions: 'quantum = <1000>; exit-cycles = <6>; run-ahead-cycles = <2>; run-ahead = <3>;' };
      expect(states(busy(), make(), quantum, setting).seen).toEqual(states(busy(), reference, quantum, setting).seen);
    }
});

test('an interrupt that waits comes behind the instruction that lets it through', () => {
  const code = new Code().vector(10, 'tick').setSpr('TCR', 0x04000000).setSpr('DEC', 40).li(4, MSR.EE).label('loop');
  code.op('wrteei', { e: 0 });
  for (let i = 0; i < 50; i++) code.op('mfmsr', { rt: 5 }).op('addi', { rt: 6, ra: 6, si: 1 });
  code.op('wrtee', { rs: 4 }).op('addi', { rt: 9, ra: 9, si: 1 }).b('loop');
  code.at(0x2000).label('tick').report(0x100, 'SRR0').finish();
  const expected = states(code, reference, 50);
  for (const make of Object.values(ENGINES)) expect(states(code, make(), 50).seen).toEqual(expected.seen);
});

test('random programs leave the same, whatever an exit costs', () => {
  const costs = fc.record({
    exit: fc.integer({ min: 1, max: 20 }),
    ahead: fc.integer({ min: 1, max: 9 }),
    most: fc.nat(12),
    quantum: fc.integer({ min: 20, max: 3000 }),
  });
  fc.assert(
    fc.property(program, costs, (code, { exit, ahead, most, quantum }) => {
      const partitions = `exit-cycles = <${exit}>; run-ahead-cycles = <${ahead}>; run-ahead = <${most}>;`;
      const expected = states(code, reference, quantum, { partitions });
      for (const make of Object.values(ENGINES))
        expect(states(code, make(), quantum, { partitions }).seen).toEqual(expected.seen);
    }),
    { numRuns: 20, seed: 440, endOnFailure: true },
  );
});
