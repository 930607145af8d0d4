import { expect, test } from 'vitest';
import { CHARACTER, RBR, IER, IIR, FCR, LSR, ERBFI, ELSI, port } from './port.js';

test('a received byte raises the line only once its interrupt is enabled, and reading it lowers the line', () => {
  const { uart, wire, read, write } = port();
  uart.receive(0x41);
  expect(wire.level).toBe(false);
  write(IER, ERBFI);
  expect(wire.level).toBe(true);
  expect(read(IIR)).toBe(0x04);
  expect(read(RBR)).toBe(0x41);
  expect(wire.level).toBe(false);
  expect(read(IIR)).toBe(0x01);
});

test('without FIFOs a second byte takes the place of the first and sets overrun, which reading LSR clears', () => {
  const { uart, wire, read, write, receive } = port();
  write(IER, ELSI);
  expect(uart.room).toBe(1);
  receive('a');
  expect(uart.room).toBe(0);
  receive('b');
  expect(wire.level).toBe(true);
  expect(read(IIR)).toBe(0x06);
  expect(read(LSR)).toBe(0x63);
  expect(wire.level).toBe(false);
  expect(read(LSR)).toBe(0x61);
  expect(read(RBR)).toBe(0x62);
});

test('with FIFOs a seventeenth byte is lost and sets overrun', () => {
  const { uart, read, write, receive } = port();
  write(FCR, 0x01);
  expect(uart.room).toBe(16);
  receive('0123456789abcdefX');
  expect(uart.room).toBe(0);
  expect(read(LSR)).toBe(0x63);
  const text = Array.from({ length: 16 }, () => String.fromCharCode(read(RBR))).join('');
  expect(text).toBe('0123456789abcdef');
  expect(read(LSR)).toBe(0x60);
});

test('too few characters for the trigger level make a time-out interrupt after four character times', () => {
  const { clock, wire, read, write, pass, receive } = port();
  write(FCR, 0x81);
  write(IER, ERBFI);
  receive('ab');
  expect(clock.next).toBe(4 * CHARACTER);
  pass(4 * CHARACTER - 1);
  expect(wire.level).toBe(false);
  pass(1);
  expect(wire.level).toBe(true);
  expect(read(IIR)).toBe(0xcc);
  receive('c');
  expect(read(IIR)).toBe(0xcc); // only reading ends a time-out
  read(RBR);
  expect(wire.level).toBe(false);
  pass(4 * CHARACTER);
  expect(wire.level).toBe(true);
  read(RBR);
  read(RBR);
  pass(100 * CHARACTER);
  expect(wire.level).toBe(false);
  expect(clock.next).toBe(Infinity);
});

test('a character that comes in, or one that is read, puts the time-out off', () => {
  const { wire, read, write, pass, receive } = port();
  write(FCR, 0xc1);
  write(IER, ERBFI);
  receive('ab');
  pass(3 * CHARACTER);
  receive('c');
  pass(3 * CHARACTER);
  expect(wire.level).toBe(false);
  read(RBR);
  pass(3 * CHARACTER);
  expect(wire.level).toBe(false);
  pass(CHARACTER);
  expect(wire.level).toBe(true);
});

test('a time-out that fell due unseen interrupts as soon as its interrupt is enabled', () => {
  const { clock, wire, write, pass, receive } = port();
  write(FCR, 0x81);
  receive('a');
  expect(clock.next).toBe(Infinity); // nobody would see it
  pass(10 * CHARACTER);
  expect(wire.level).toBe(false);
  write(IER, ERBFI);
  expect(wire.level).toBe(true);
});

test('changing the FIFO enable bit, or resetting the receiver, empties it', () => {
  const { uart, read, write, receive } = port();
  receive('a');
  write(FCR, 0x01);
  expect(read(LSR)).toBe(0x60);
  receive('bc');
  write(FCR, 0x03);
  expect(read(LSR)).toBe(0x60);
  receive('de');
  write(FCR, 0x04); // without bit 0 the other bits do not count, but the FIFOs go off
  expect(read(LSR)).toBe(0x60);
  expect(read(IIR)).toBe(0x01);
  receive('f');
  write(FCR, 0x02);
  expect(uart.room).toBe(0);
  write(FCR, 0xc1);
  receive('ghi');
  write(FCR, 0x41);
  expect(uart.room).toBe(13);
});

test('errors belong to their characters: they show when it is the next to be read, and bit 7 tells of those to come', () => {
  const { uart, wire, read, write } = port();
  write(FCR, 0x01);
  write(IER, ELSI);
  uart.receive(0x61);
  uart.receive(0x62, 'parity');
  uart.receive(0x63, 'framing');
  uart.receiveBreak();
  expect(wire.level).toBe(false);
  expect(read(LSR)).toBe(0xe1);
  const seen = [];
  for (let i = 0; i < 4; i++) seen.push([read(LSR), read(RBR)]);
  expect(seen).toEqual([
    [0xe1, 0x61],
    [0xe5, 0x62],
    [0xe9, 0x63],
    [0xf1, 0x00],
  ]);
  expect(read(LSR)).toBe(0x60);
});

test('a break without FIFOs is a zero character with its bit in LSR', () => {
  const { uart, read } = port();
  uart.receiveBreak();
  expect(read(LSR)).toBe(0x71);
  expect(read(LSR)).toBe(0x61);
  expect(read(RBR)).toBe(0);
});
