import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UIC, Uic } from '../../src/devices/uic.js';

function controller() {
  const out = { noncritical: false, critical: false };
  const uic = new Uic({ set: (on) => void (out.noncritical = on) }, { set: (on) => void (out.critical = on) });
  return { uic, out, read: (r: number) => uic.readDcr(r), write: (r: number, value: number) => uic.writeDcr(r, value) };
}

const bit = (n: number): number => 0x80000000 >>> n;

test('input 0 is the most significant bit, and an enabled level input drives the noncritical output', () => {
  const { uic, out, read, write } = controller();
  const line = uic.line(0);
  write(UIC.PR, 0xffffffff);
  line.set(true);
  expect(read(UIC.SR)).toBe(0x80000000);
  expect(read(UIC.MSR)).toBe(0);
  expect(out).toEqual({ noncritical: false, critical: false });
  write(UIC.ER, 0x80000000);
  expect(read(UIC.MSR)).toBe(0x80000000);
  expect(out).toEqual({ noncritical: true, critical: false });
  line.set(false);
  expect(read(UIC.SR)).toBe(0);
  expect(out).toEqual({ noncritical: false, critical: false });
});

test('CR turns a source critical', () => {
  const { uic, out, write } = controller();
  write(UIC.PR, 0xffffffff);
  write(UIC.ER, bit(3) | bit(4));
  write(UIC.CR, bit(4));
  uic.line(4).set(true);
  expect(out).toEqual({ noncritical: false, critical: true });
  uic.line(3).set(true);
  expect(out).toEqual({ noncritical: true, critical: true });
  write(UIC.CR, bit(3));
  uic.line(3).set(false);
  expect(out).toEqual({ noncritical: true, critical: false });
});

test('a level bit cannot be cleared while its input is active', () => {
  const { uic, read, write } = controller();
  write(UIC.PR, 0xffffffff);
  uic.line(1).set(true);
  write(UIC.SR, 0xffffffff);
  expect(read(UIC.SR)).toBe(bit(1));
});

test('an edge stays until software clears it, and the level that remains is not another edge', () => {
  const { uic, out, read, write } = controller();
  write(UIC.PR, 0xffffffff);
  write(UIC.TR, bit(9));
  write(UIC.ER, bit(9));
  uic.line(9).set(true);
  uic.line(9).set(true);
  uic.line(9).set(false);
  expect(read(UIC.SR)).toBe(bit(9));
  expect(out.noncritical).toBe(true);
  write(UIC.SR, bit(9));
  expect(read(UIC.SR)).toBe(0);
  expect(out.noncritical).toBe(false);
  uic.line(9).set(true);
  write(UIC.SR, bit(9));
  expect(read(UIC.SR)).toBe(0);
});

test('an edge is latched while it is not enabled', () => {
  const { uic, out, write } = controller();
  write(UIC.PR, bit(9));
  write(UIC.TR, bit(9));
  uic.line(9).set(true);
  uic.line(9).set(false);
  write(UIC.ER, bit(9));
  expect(out.noncritical).toBe(true);
});

test('with polarity 0 the low level is active, and the falling edge counts', () => {
  const { uic, read, write } = controller();
  const level = uic.line(5);
  const edge = uic.line(6);
  write(UIC.TR, bit(6));
  expect(read(UIC.SR)).toBe(bit(5)); // low since power-on
  level.set(true);
  edge.set(true);
  expect(read(UIC.SR)).toBe(0);
  edge.set(false);
  expect(read(UIC.SR)).toBe(bit(6));
});

test('an input that nothing is wired to is never active', () => {
  const { uic, out, read, write } = controller();
  write(UIC.ER, 0xffffffff);
  expect(read(UIC.SR)).toBe(0);
  expect(out.noncritical).toBe(false);
  expect(uic.canRise(false)).toBe(false);
});

test('software can raise an interrupt through SRS and clears it through SR', () => {
  const { out, read, write } = controller();
  write(UIC.ER, bit(20));
  write(UIC.SRS, bit(20));
  expect([read(UIC.SR), read(UIC.SRS)]).toEqual([bit(20), bit(20)]);
  expect(out.noncritical).toBe(true);
  write(UIC.SR, bit(20));
  expect(out.noncritical).toBe(false);
});

test('MSR and VR are read-only, and VCR keeps its base and ordering bit', () => {
  const { read, write } = controller();
  for (const register of [UIC.MSR, UIC.VR, UIC.VCR]) write(register, 0xffffffff);
  expect([read(UIC.MSR), read(UIC.VR), read(UIC.VCR)]).toEqual([0, 0, 0xfffffffd]);
  expect(read(9)).toBe(0);
});

test('VR points at the most urgent critical interrupt, counted from the end that VCR[PRO] names', () => {
  const { uic, read, write } = controller();
  write(UIC.PR, 0xffffffff);
  write(UIC.ER, 0xffffffff);
  write(UIC.CR, bit(27) | bit(12) | bit(2));
  write(UIC.VCR, 0x10000001);
  for (const n of [0, 31, 27]) uic.line(n).set(true);
  expect(read(UIC.VR)).toBe(0x10000000 + 4 * 512); // the manual's example
  for (const n of [12, 2]) uic.line(n).set(true);
  expect(read(UIC.VR)).toBe(0x10000000 + 4 * 512);
  write(UIC.VCR, 0x10000000);
  expect(read(UIC.VR)).toBe(0x10000000 + 2 * 512);
  write(UIC.ER, ~bit(2));
  expect(read(UIC.VR)).toBe(0x10000000 + 12 * 512);
  write(UIC.CR, 0);
  expect(read(UIC.VR)).toBe(0);
});

test('a cascaded controller interrupts through its parent', () => {
  const parent = controller();
  const child = new Uic(parent.uic.line(30), parent.uic.line(31));
  parent.write(UIC.PR, 0xffffffff);
  parent.write(UIC.ER, 0x3);
  parent.write(UIC.CR, 0x1);
  child.writeDcr(UIC.PR, 0xffffffff);
  child.writeDcr(UIC.ER, bit(7) | bit(8));
  child.writeDcr(UIC.CR, bit(8));
  child.line(7).set(true);
  expect(parent.read(UIC.MSR)).toBe(bit(30));
  expect(parent.out).toEqual({ noncritical: true, critical: false });
  child.line(8).set(true);
  expect(parent.out).toEqual({ noncritical: true, critical: true });
  child.reset();
  child.writeDcr(UIC.SR, 0xffffffff);
  expect(parent.out).toEqual({ noncritical: false, critical: false });
});

test('canRise says whether an enabled source of the class exists', () => {
  const { uic, write } = controller();
  uic.line(4);
  uic.line(5);
  expect([uic.canRise(false), uic.canRise(true)]).toEqual([false, false]);
  write(UIC.ER, bit(4));
  expect([uic.canRise(false), uic.canRise(true)]).toEqual([true, false]);
  write(UIC.CR, bit(4));
  expect([uic.canRise(false), uic.canRise(true)]).toEqual([false, true]);
  write(UIC.ER, bit(4) | bit(5));
  expect([uic.canRise(false), uic.canRise(true)]).toEqual([true, true]);
});

test('a reset forgets registers and edges, but inputs are as devices drive them', () => {
  const { uic, out, read, write } = controller();
  write(UIC.PR, 0xffffffff);
  write(UIC.TR, bit(1));
  write(UIC.ER, 0xffffffff);
  uic.line(1).set(true);
  uic.line(2).set(true);
  uic.reset();
  expect(out).toEqual({ noncritical: false, critical: false });
  for (const register of [UIC.ER, UIC.CR, UIC.PR, UIC.TR, UIC.VCR]) expect(read(register)).toBe(0);
  write(UIC.PR, 0xffffffff);
  expect(read(UIC.SR)).toBe(0x60000000);
});

test('what Linux does at start-up and with a level interrupt leaves nothing behind', () => {
  const { uic, out, read, write } = controller();
  const line = uic.line(0);
  for (const register of [UIC.ER, UIC.CR, UIC.TR]) write(register, 0);
  write(UIC.SR, 0xffffffff);
  write(UIC.PR, read(UIC.PR) | bit(0));
  write(UIC.TR, read(UIC.TR) & ~bit(0));
  write(UIC.SR, bit(0));
  write(UIC.ER, read(UIC.ER) | bit(0));
  expect(out.noncritical).toBe(false);
  line.set(true);
  expect(Math.clz32(read(UIC.MSR))).toBe(0);
  write(UIC.ER, read(UIC.ER) & ~bit(0));
  expect(out.noncritical).toBe(false);
  line.set(false);
  write(UIC.SR, bit(0));
  write(UIC.ER, read(UIC.ER) | bit(0));
  expect(out.noncritical).toBe(false);
});

test('the outputs are always what MSR and CR say, and a restored state gives the same', () => {
  const step = fc.oneof(
    fc.record({ input: fc.nat(31), high: fc.boolean() }),
    fc.record({ register: fc.nat(8), value: fc.nat(0xffffffff) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const a = controller();
      const b = controller();
      for (let n = 0; n < 32; n++) for (const { uic } of [a, b]) uic.line(n);
      for (const one of steps) {
        if ('input' in one) a.uic.line(one.input).set(one.high);
        else a.write(one.register, one.value);
        const msr = a.read(UIC.MSR);
        const cr = a.read(UIC.CR);
        expect(msr).toBe((a.read(UIC.SR) & a.read(UIC.ER)) >>> 0);
        expect(a.out).toEqual({ noncritical: (msr & ~cr) !== 0, critical: (msr & cr) !== 0 });
        b.uic.restore(structuredClone(a.uic.state));
        expect(b.out).toEqual(a.out);
        for (let r = 0; r < 9; r++) expect(b.uic.peekDcr(r)).toBe(a.read(r));
      }
    }),
  );
});

test('a lost assertion is not seen, whether it is there or to come, until it is over', () => {
  const { uic, out, read, write } = controller();
  const [level, edge] = [uic.line(5), uic.line(6)];
  write(UIC.PR, 0xffffffff);
  write(UIC.TR, bit(6));
  write(UIC.ER, bit(5) | bit(6));
  level.set(true);
  uic.lose(5);
  uic.lose(6);
  edge.set(true);
  expect(read(UIC.SR)).toBe(0);
  expect(out.noncritical).toBe(false);
  expect(uic.lost).toBe(bit(5) | bit(6));
  level.set(false);
  edge.set(false);
  expect(uic.lost).toBe(0);
  level.set(true);
  edge.set(true);
  expect(read(UIC.SR)).toBe(bit(5) | bit(6));
});

test('what was lost can be found while it is asserted: a level, and an edge as one', () => {
  const { uic, read, write } = controller();
  write(UIC.PR, 0xffffffff);
  write(UIC.TR, bit(6));
  for (const line of [5, 6]) {
    uic.lose(line);
    uic.line(line).set(true);
    uic.find(line);
    expect(read(UIC.SR) & bit(line)).toBe(bit(line) | 0);
  }
  uic.find(7);
  expect(uic.lost).toBe(0);
  uic.line(6).set(false);
  expect(read(UIC.SR)).toBe(bit(5) | bit(6));
});

test('a glitch of an input stays in SR until software clears it, where nothing is wired too', () => {
  const { uic, out, read, write } = controller();
  write(UIC.ER, bit(9));
  uic.glitch(9);
  expect(read(UIC.MSR)).toBe(bit(9));
  expect(out.noncritical).toBe(true);
  write(UIC.SR, bit(9));
  expect(out.noncritical).toBe(false);
});

test('what is being lost is restored with the state', () => {
  const { uic, read, write } = controller();
  write(UIC.PR, 0xffffffff);
  uic.lose(5);
  const { lost, state } = uic;
  const other = new Uic({ set: () => {} }, { set: () => {} });
  const line = other.line(5);
  other.restore({ ...state }, lost);
  line.set(true);
  expect(other.readDcr(UIC.SR)).toBe(0);
  expect(read(UIC.SR)).toBe(0);
});
