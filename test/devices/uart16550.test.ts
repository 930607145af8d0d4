import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MODEM_INPUT } from '../../src/devices/uart16550.js';
import {
  CHARACTER,
  RBR,
  THR,
  IER,
  IIR,
  FCR,
  LCR,
  MCR,
  LSR,
  MSR,
  SCR,
  ERBFI,
  ETBEI,
  ELSI,
  EDSSI,
  LOOP,
  DLAB,
  port,
} from './port.js';

test('after reset the registers are those of the data sheet', () => {
  const { read } = port();
  expect([IER, IIR, LCR, MCR, LSR, MSR, SCR].map(read)).toEqual([0, 0x01, 0, 0, 0x60, 0xb0, 0]);
});

test('a reset takes back everything but what the far end drives', () => {
  const { uart, wire, read, write, receive } = port();
  uart.setModemInputs(MODEM_INPUT.CTS);
  for (const [register, value] of [
    [FCR, 0xc1],
    [IER, 0x0f],
    [LCR, 0x03],
    [MCR, 0x0b],
    [SCR, 0x55],
  ] as const)
    write(register, value);
  receive('abc');
  uart.reset();
  expect(wire.level).toBe(false);
  expect([IER, IIR, LCR, MCR, LSR, MSR, SCR].map(read)).toEqual([0, 0x01, 0, 0, 0x60, 0x10, 0]);
});

test.each([
  [0x01, 1],
  [0x41, 4],
  [0x81, 8],
  [0xc1, 14],
])('with FCR %i the received data interrupt comes at %i characters', (fcr, level) => {
  const { uart, wire, read, write } = port();
  write(FCR, fcr);
  write(IER, ERBFI);
  for (let i = 1; i < level; i++) uart.receive(i);
  expect(wire.level).toBe(false);
  uart.receive(level);
  expect(wire.level).toBe(true);
  expect(read(IIR)).toBe(0xc4);
  expect(read(RBR)).toBe(1);
  expect(wire.level).toBe(false);
});

test('transmitted bytes go to the sink, and the holding register is empty again at once', () => {
  const { sent, read, write } = port();
  for (const byte of [0x68, 0x69]) write(THR, byte);
  expect(sent).toEqual([0x68, 0x69]);
  expect(read(LSR)).toBe(0x60);
});

test('enabling the empty transmitter interrupt raises it, reading IIR acknowledges it, sending raises it again', () => {
  const { wire, read, write } = port();
  write(IER, ETBEI);
  expect(wire.level).toBe(true);
  expect(read(IIR)).toBe(0x02);
  expect(wire.level).toBe(false);
  expect(read(IIR)).toBe(0x01);
  write(IER, ETBEI); // it was enabled before
  expect(wire.level).toBe(false);
  write(THR, 0x41);
  expect(wire.level).toBe(true);
  write(IER, 0);
  expect(wire.level).toBe(false);
  write(IER, ETBEI);
  expect(read(IIR)).toBe(0x02);
});

test('reading IIR acknowledges the transmitter only when it says so', () => {
  const { wire, read, write, receive } = port();
  write(IER, ERBFI | ETBEI);
  receive('a');
  expect(read(IIR)).toBe(0x04);
  read(RBR);
  expect(wire.level).toBe(true);
  expect(read(IIR)).toBe(0x02);
  expect(wire.level).toBe(false);
});

test('causes are told in the order of their urgency', () => {
  const { uart, read, write } = port();
  write(FCR, 0x01);
  write(IER, ERBFI | ETBEI | ELSI | EDSSI);
  uart.setModemInputs(0);
  uart.receive(0x41, 'parity');
  const told: number[] = [];
  told.push(read(IIR) & 0x0f);
  read(LSR);
  told.push(read(IIR) & 0x0f);
  read(RBR);
  told.push(read(IIR) & 0x0f, read(IIR) & 0x0f);
  read(MSR);
  told.push(read(IIR) & 0x0f);
  expect(told).toEqual([0x06, 0x04, 0x02, 0x00, 0x01]);
});

test('loopback turns the modem outputs into its inputs', () => {
  const { read, write } = port();
  write(MCR, LOOP | 0x0a); // as Linux's autoconfig
  expect(read(MSR) & 0xf0).toBe(0x90);
  write(MCR, LOOP | 0x05);
  expect(read(MSR) & 0xf0).toBe(0x60);
  write(MCR, 0xeb);
  expect(read(MCR)).toBe(0x0b);
  expect(read(MSR) & 0xf0).toBe(0xb0);
});

test('in loopback what is sent is received, nothing goes out, and nothing comes in', () => {
  const { uart, sent, wire, read, write, receive } = port();
  write(MCR, LOOP);
  write(IER, ERBFI);
  receive('x');
  expect(uart.room).toBe(0);
  expect(wire.level).toBe(false);
  write(THR, 0x55);
  expect(sent).toEqual([]);
  expect(wire.level).toBe(true);
  expect(read(RBR)).toBe(0x55);
  write(LCR, 0x43);
  expect(read(LSR)).toBe(0x71);
});

test('modem inputs that changed leave deltas until MSR is read; of the ring indicator only the end counts', () => {
  const { uart, wire, read, write } = port();
  write(IER, EDSSI);
  const { CTS, DSR, DCD, RI } = MODEM_INPUT;
  uart.setModemInputs(CTS | RI);
  expect(wire.level).toBe(true);
  expect(read(IIR)).toBe(0x00);
  expect(read(MSR)).toBe(CTS | RI | 0x0a);
  expect(wire.level).toBe(false);
  uart.setModemInputs(CTS);
  expect(read(MSR)).toBe(CTS | 0x04);
  uart.setModemInputs(CTS | DSR | DCD);
  uart.setModemInputs(CTS);
  expect(read(MSR)).toBe(CTS | 0x0a); // a change back is a change
});

test('OUT2 does not gate the interrupt', () => {
  const { wire, write, receive } = port();
  write(IER, ERBFI);
  write(MCR, 0);
  receive('a');
  expect(wire.level).toBe(true);
});

test('DLAB swaps the data and enable registers for the divisor latch', () => {
  const { uart, sent, read, write, receive } = port();
  write(IER, 0xff);
  expect(read(IER)).toBe(0x0f);
  receive('a');
  write(LCR, DLAB | 0x03);
  expect([read(0), read(1)]).toEqual([6, 0]);
  write(0, 0x34);
  write(1, 0x12);
  expect([read(0), read(1)]).toEqual([0x34, 0x12]);
  write(LCR, 0x03);
  expect(read(IER)).toBe(0x0f);
  expect(read(RBR)).toBe(0x61);
  expect(sent).toEqual([]);
  expect(uart.state.divisor).toBe(0x1234);
});

test('a wide access is one of each byte register in turn, and nothing is behind the last', () => {
  const { uart, sent, read } = port();
  uart.write(LCR, 2, 0x0308);
  expect([read(LCR), read(MCR)]).toEqual([0x03, 0x08]);
  uart.write(SCR, 4, 0x5a000000);
  expect(uart.read(MCR, 4)).toBe(0x0860b05a);
  expect(uart.read(SCR, 4)).toBe(0x5a000000);
  uart.write(THR, 4, 0x41000103); // THR, IER, FCR, LCR
  expect(sent).toEqual([0x41]);
  expect(uart.read(0, 4)).toBe(0x0000c103);
});

test('a debugger that looks changes nothing and sees what the guest would', () => {
  const access = fc.record({ write: fc.boolean(), register: fc.nat(7), value: fc.nat(255) });
  const step = fc.oneof(access, fc.nat(255), fc.record({ cycles: fc.nat(6 * CHARACTER) }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { clock, uart, wire, pass } = port();
      for (const one of steps) {
        if (typeof one === 'number') uart.receive(one, one % 5 === 0 ? 'framing' : undefined);
        else if ('cycles' in one) pass(one.cycles);
        else if (one.write) uart.write(one.register, 1, one.value);
        else {
          const before = structuredClone(uart.state);
          const level = wire.level;
          const seen = uart.peek(one.register, 1);
          expect(uart.state).toEqual(before);
          expect(wire.level).toBe(level);
          expect(uart.read(one.register, 1)).toBe(seen);
        }
        expect(wire.level).toBe((uart.peek(IIR, 1) & 0x01) === 0); // the wire is what IIR says
        expect(uart.room).toBeGreaterThanOrEqual(0);
        clock.ring();
        expect(uart.due).toBeGreaterThan(clock.now);
      }
    }),
  );
});

test('a saved state put into another port makes it the same port', () => {
  const a = port();
  a.write(FCR, 0x41);
  a.write(IER, ERBFI);
  a.receive('ab');
  const saved = structuredClone(a.uart.state);
  a.pass(4 * CHARACTER);
  expect(a.wire.level).toBe(true);
  const b = port();
  b.uart.restore(saved);
  expect(b.uart.state).toEqual(saved);
  expect(b.wire.level).toBe(false);
  b.pass(4 * CHARACTER);
  expect(b.wire.level).toBe(true);
  expect([b.read(RBR), b.read(RBR)]).toEqual([0x61, 0x62]);
  expect(saved.receiver.received).toEqual([0x61, 0x62]);
});

// Whether the guest listens.

test('a guest that enables the receiver interrupt and lets it stand is listening, from an alarm on', () => {
  const { clock, uart, write, pass } = port();
  expect(uart.listening).toBe(false);
  write(IER, ERBFI);
  expect(uart.listening).toBe(false);
  expect(clock.next).toBe(16 * CHARACTER);
  pass(16 * CHARACTER);
  expect(uart.listening).toBe(true);
  expect(clock.next).toBe(Infinity);
  write(IER, ERBFI | ETBEI); // still enabled, as when it begins to send
  expect(uart.listening).toBe(true);
  write(IER, ETBEI);
  expect(uart.listening).toBe(false);
});

test('a guest that polls LSR is listening, until it touches the data register or sets the port up', () => {
  const { uart, read, write, receive } = port();
  const poll = (times: number) => {
    for (let i = 0; i < times; i++) read(LSR);
  };
  const silences = [
    () => write(THR, 0x41),
    () => write(FCR, 0x03),
    () => write(FCR, 0x01),
    () => write(MCR, 0x03),
    () => write(LCR, 0x03),
    () => read(RBR),
  ];
  for (const silence of silences) {
    poll(15);
    expect(uart.listening).toBe(false);
    poll(1);
    expect(uart.listening).toBe(true);
    receive('a');
    expect(uart.listening).toBe(true);
    silence();
    expect(uart.listening).toBe(false);
  }
});

test('a guest that waits for the transmitter before each byte is not listening', () => {
  const { uart, read, write } = port();
  for (let i = 0; i < 100; i++) {
    while ((read(LSR) & 0x20) === 0);
    write(THR, 0x2e);
    expect(uart.listening).toBe(false);
  }
});

test('nobody listens in loopback or while the divisor latch is open', () => {
  const { uart, read, write, pass } = port();
  write(IER, ERBFI);
  for (const [register, on] of [
    [MCR, LOOP],
    [LCR, DLAB],
  ] as const) {
    write(register, on);
    pass(100 * CHARACTER);
    for (let i = 0; i < 100; i++) read(LSR);
    expect(uart.listening).toBe(false);
    write(register, 0);
    expect(uart.listening).toBe(false);
    pass(16 * CHARACTER);
    expect(uart.listening).toBe(true);
  }
});

test("Linux's autoconfig and start-up never look like listening before they are over", () => {
  const { uart, read, write, pass } = port();
  const seen = new Set<boolean>();
  const did = (): void => {
    pass(5);
    seen.add(uart.listening);
  };
  const out = (register: number, value: number) => (write(register, value), did());
  const look = (register: number) => (read(register), did());
  // autoconfig: is there a port, and of which kind?
  look(IER);
  out(IER, 0);
  look(IER);
  out(IER, 0x0f);
  look(IER);
  out(IER, 0);
  out(MCR, LOOP | 0x0a);
  look(MSR);
  for (const lcr of [0xbf, 0, 0xbf, 0, 0xe0, 0]) out(LCR, lcr);
  for (const fcr of [0x01, 0x21, 0x01, 0x21, 0x01, 0x03, 0x07, 0x00]) {
    out(FCR, fcr);
    look(IIR);
  }
  out(MCR, 0);
  look(RBR);
  out(IER, 0);
  // start-up: the interrupt is enabled before the frame and the FIFOs are set up
  for (const register of [LSR, RBR, IIR, MSR]) look(register);
  out(LCR, 0x03);
  out(MCR, 0x08);
  out(IER, ETBEI);
  look(IIR);
  out(IER, 0);
  for (const register of [LSR, RBR, IIR, MSR]) look(register);
  out(IER, ERBFI | ELSI);
  out(LCR, 0x93);
  out(0, 6);
  out(1, 0);
  out(LCR, 0x13);
  out(FCR, 0x01);
  out(FCR, 0x81);
  out(MCR, 0x0b);
  expect([...seen]).toEqual([false]);
  pass(16 * CHARACTER);
  expect(uart.listening).toBe(true);
});
