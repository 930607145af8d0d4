// A serial port with a clock and a wire, and the names of its registers and bits.

import { Clock } from '../../src/bus/clock.js';
import { Uart16550 } from '../../src/devices/uart16550.js';

export const CHARACTER = 1000; // cycles

export const RBR = 0;
export const THR = 0;
export const IER = 1;
export const IIR = 2;
export const FCR = 2;
export const LCR = 3;
export const MCR = 4;
export const LSR = 5;
export const MSR = 6;
export const SCR = 7;

export const ERBFI = 0x01;
export const ETBEI = 0x02;
export const ELSI = 0x04;
export const EDSSI = 0x08;
export const LOOP = 0x10;
export const DLAB = 0x80;

export function port() {
  const clock = new Clock();
  const sent: number[] = [];
  const wire = { level: false };
  const uart = new Uart16550({ set: (on) => void (wire.level = on) }, (byte) => sent.push(byte), clock, CHARACTER, 6);
  const read = (register: number): number => uart.read(register, 1);
  const write = (register: number, value: number): void => uart.write(register, 1, value);
  const pass = (cycles: number): void => {
    clock.now += cycles;
    clock.ring();
  };
  const receive = (text: string): void => [...text].forEach((c) => uart.receive(c.charCodeAt(0)));
  return { clock, uart, sent, wire, read, write, pass, receive };
}
