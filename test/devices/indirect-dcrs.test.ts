import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IndirectDcrs } from '../../src/devices/indirect-dcrs.js';

const ADDRESS = 0;
const DATA = 1;

function controller() {
  const dcrs = new IndirectDcrs([
    { name: 'CFG', number: 0x20, reset: 0x80000001, writable: 0xff00ff00 },
    { name: 'ID', number: 0x24, reset: 0x1234, writable: 0 },
    { name: 'STATUS', number: 0x4000, reset: 0xf000000f, writable: 0xff000000, onWrite: 'clear' },
  ]);
  const read = (number: number): number => {
    dcrs.writeDcr(ADDRESS, number);
    return dcrs.readDcr(DATA);
  };
  const write = (number: number, value: number): void => {
    dcrs.writeDcr(ADDRESS, number);
    dcrs.writeDcr(DATA, value);
  };
  return { dcrs, read, write };
}

test('the number goes to the address register, and the value is in the data register', () => {
  const { dcrs, read } = controller();
  expect([read(0x20), read(0x24), read(0x4000)]).toEqual([0x80000001, 0x1234, 0xf000000f]);
  expect(dcrs.readDcr(ADDRESS)).toBe(0x4000);
});

test('a write changes the writable bits and no others', () => {
  const { read, write } = controller();
  write(0x20, 0xffffffff);
  expect(read(0x20)).toBe(0xff00ff01);
  write(0x20, 0);
  expect(read(0x20)).toBe(0x00000001);
  write(0x24, 0xffffffff);
  expect(read(0x24)).toBe(0x1234);
});

test('a status register keeps what is written 0 and clears what is written 1, of its own bits', () => {
  const { read, write } = controller();
  write(0x4000, 0x3000000f);
  expect(read(0x4000)).toBe(0xc000000f);
  write(0x4000, 0);
  expect(read(0x4000)).toBe(0xc000000f);
});

test('a number that no register has reads as 0 and ignores what is written', () => {
  const { dcrs, read, write } = controller();
  const before = structuredClone(dcrs.state.values);
  write(0x21, 0xffffffff);
  expect(read(0x21)).toBe(0);
  expect(dcrs.state.values).toEqual(before);
  expect(dcrs.readDcr(2)).toBe(0);
});

test('peeking changes nothing', () => {
  const { dcrs } = controller();
  dcrs.writeDcr(ADDRESS, 0x4000);
  const before = structuredClone(dcrs.state);
  expect([dcrs.peekDcr(ADDRESS), dcrs.peekDcr(DATA)]).toEqual([0x4000, 0xf000000f]);
  expect(dcrs.state).toEqual(before);
});

test('reset brings everything back, and a saved state too', () => {
  const { dcrs, read, write } = controller();
  write(0x20, 0x55005500);
  const saved = structuredClone(dcrs.state);
  dcrs.reset();
  expect(dcrs.readDcr(ADDRESS)).toBe(0);
  expect(read(0x20)).toBe(0x80000001);
  dcrs.restore(saved);
  expect(dcrs.readDcr(DATA)).toBe(0x55005501);
  write(0x20, 0);
  expect(saved.values[0]).toBe(0x55005501);
});

test('whatever is written, values are unsigned words and bits that do not exist keep their value', () => {
  const word = fc.nat(0xffffffff);
  const access = fc.tuple(fc.constantFrom(0, 0x20, 0x24, 0x4000), word);
  fc.assert(
    fc.property(fc.array(access), (accesses) => {
      const { dcrs, write } = controller();
      for (const [number, value] of accesses) write(number, value);
      dcrs.registers.forEach(({ reset, writable }, i) => {
        const value = dcrs.state.values[i]!;
        expect(value).toBe(value >>> 0);
        expect((value & ~writable) >>> 0).toBe((reset & ~writable) >>> 0);
      });
    }),
  );
});
