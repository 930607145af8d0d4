import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frame, PacketReader, type Arrival } from '../../../src/debug/gdb/packet.js';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
const text = (frame: Uint8Array): string => String.fromCharCode(...frame);
const read = (...pieces: readonly Uint8Array[]): Arrival[] => {
  const reader = new PacketReader(1000);
  return pieces.flatMap((piece) => [...reader.feed(piece)]);
};
const anyText = fc.array(fc.integer({ min: 0, max: 255 })).map((list) => String.fromCharCode(...list));

/** What GDB makes of a frame: runs written out. */
function expanded(wire: string): string {
  return wire.replace(/([^])\*([^])/g, (_, c: string, n: string) => c.repeat(n.charCodeAt(0) - 28));
}

test('a packet has a checksum, and what means something else is escaped', () => {
  expect(text(frame('OK'))).toBe('$OK#9a');
  expect(text(frame('a}b'))).toBe(`$a}]b#${(0x61 + 0x7d + 0x5d + 0x62).toString(16).slice(-2)}`);
  expect(text(frame('Stop:T05', { start: '%' }))).toMatch(/^%Stop:T05#[0-9a-f]{2}$/);
});

test('runs are shortened, never by a count that would be #, $, + or -', () => {
  for (let length = 1; length < 300; length++) {
    const wire = text(frame('0'.repeat(length)));
    const body = wire.slice(1, -3);
    expect(body).not.toMatch(/\*[#$+-]/);
    expect(expanded(body)).toBe('0'.repeat(length));
  }
  expect(text(frame('0'.repeat(90))).length).toBeLessThan(12);
});

test('whatever is sent is read as it was, however it is cut up', () => {
  fc.assert(
    fc.property(fc.array(anyText), fc.array(fc.nat(20)), (packets, cuts) => {
      const wire = packets.flatMap((packet) => [...frame(packet, { runs: false })]);
      const pieces: Uint8Array[] = [];
      for (let at = 0, i = 0; at < wire.length; i++) {
        const length = 1 + (cuts[i % cuts.length] ?? 0);
        pieces.push(Uint8Array.from(wire.slice(at, at + length)));
        at += length;
      }
      expect(read(...pieces)).toEqual(packets.map((packet) => ({ kind: 'packet', text: packet })));
    }),
    { seed: 440 },
  );
});

test('what is damaged, cut off or too long is said to be, and the next packet is read', () => {
  expect(read(bytes('$g#00'), bytes('$g#67'))).toEqual([{ kind: 'damaged' }, { kind: 'packet', text: 'g' }]);
  expect(read(bytes('$m100'), bytes('$g#67'))).toEqual([{ kind: 'packet', text: 'g' }]);
  expect(read(bytes('$g#zz$g#67'))).toEqual([{ kind: 'damaged' }, { kind: 'packet', text: 'g' }]);
  expect(read(bytes(`$${'a'.repeat(1001)}`), bytes('#00$g#67'))).toEqual([
    { kind: 'damaged' },
    { kind: 'packet', text: 'g' },
  ]);
  expect(read(bytes('+\x03-x$g#67'))).toEqual([{ kind: 'break' }, { kind: 'resend' }, { kind: 'packet', text: 'g' }]);
});
