import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SerialInput, type InputRecord, type Receiver } from '../../src/board/serial-input.js';
import { Alarm, Clock } from '../../src/bus/clock.js';

/** A receiver with a FIFO that a program empties when the test says so. */
class Port implements Receiver {
  readonly fifo: number[] = [];
  cyclesPerCharacter = 100;
  capacity = 4;
  #listening = true;
  onChange = (): void => {};
  get listening(): boolean {
    return this.#listening;
  }
  set listening(value: boolean) {
    this.#listening = value;
    this.onChange();
  }
  get room(): number {
    return this.capacity - this.fifo.length;
  }
  receive(byte: number): void {
    this.fifo.push(byte);
    this.onChange();
  }
  take(): number | undefined {
    const byte = this.fifo.shift();
    this.onChange();
    return byte;
  }
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

function fresh(clock = new Clock(), stream = 'console') {
  const port = new Port();
  const log: InputRecord[] = [];
  const input = new SerialInput(stream, port, clock, (record) => log.push(record));
  /** As a machine with nothing to run does: from alarm to alarm, while time is not held. */
  const advance = (until: number): void => {
    for (;;) {
      if (clock.next <= clock.now) clock.ring();
      if (clock.held || clock.now >= until) return;
      clock.now = Math.min(until, clock.next);
    }
  };
  return {
    clock,
    port,
    input,
    log,
    advance,
    arrivals: () => log.map((r) => `${r.cycle}:${String.fromCharCode(r.byte)}`),
  };
}

test('characters arrive a character time apart, the first at once', () => {
  const { clock, input, advance, arrivals } = fresh();
  clock.now = 50;
  input.type(bytes('abc'));
  advance(1000);
  expect(arrivals()).toEqual(['50:a', '150:b', '250:c']);
  expect(input.waiting).toBe(0);
  input.type(bytes('d'));
  advance(2000);
  expect(arrivals().at(-1)).toBe('1000:d');
});

test('a character typed while the wire is busy waits until it is free', () => {
  const { clock, input, advance, arrivals } = fresh();
  input.type(bytes('a'));
  advance(30);
  input.type(bytes('b'));
  advance(500);
  expect(arrivals()).toEqual(['0:a', '100:b']);
  expect(clock.now).toBe(500);
});

test('nothing arrives before the program listens, and nothing where there is no room', () => {
  const { port, input, advance, arrivals, log } = fresh();
  port.listening = false;
  input.type(bytes('abcdef'));
  advance(1000);
  expect([arrivals(), input.waiting]).toEqual([[], 6]);
  port.listening = true;
  advance(5000);
  expect(arrivals()).toEqual(['1000:a', '1100:b', '1200:c', '1300:d']);
  expect(input.waiting).toBe(2);
  expect(port.take()).toBe('a'.charCodeAt(0));
  advance(6000);
  expect(arrivals().slice(4)).toEqual(['5000:e']);
  port.take();
  advance(7000);
  expect(log.at(-1)).toEqual({ stream: 'console', cycle: 6000, byte: 'f'.charCodeAt(0) });
});

test('a script that is still being read holds the clock where its next character could arrive', () => {
  const { clock, input, advance, arrivals } = fresh();
  input.expectMore(true);
  advance(1000);
  expect([clock.now, clock.held]).toEqual([0, true]);
  input.type(bytes('ab'));
  expect(clock.held).toBe(false);
  advance(1000);
  expect([arrivals(), clock.now, clock.held]).toEqual([['0:a', '100:b'], 200, true]);
  input.expectMore(false);
  expect(clock.held).toBe(false);
  advance(1000);
  expect(clock.now).toBe(1000);
});

test('a script does not hold a clock that the program does not let it use: no listener, or no room', () => {
  const { clock, port, input, advance } = fresh();
  port.listening = false;
  input.expectMore(true);
  advance(300);
  expect([clock.now, clock.held]).toEqual([300, false]);
  port.listening = true;
  input.type(bytes('abcd'));
  advance(5000);
  expect([clock.now, clock.held, input.waiting]).toEqual([5000, false, 0]);
  port.take();
  advance(6000);
  expect([clock.now, clock.held]).toEqual([5000, true]);
});

test('input typed at one port does not let go a clock that another holds', () => {
  const clock = new Clock();
  const [a, b] = [fresh(clock, 'a'), fresh(clock, 'b')];
  a.input.expectMore(true);
  b.input.expectMore(true);
  a.advance(100);
  expect(clock.held).toBe(true);
  b.input.type(bytes('x'));
  b.advance(100);
  expect([clock.now, clock.held]).toEqual([0, true]);
  a.input.type(bytes('y'));
  a.advance(50);
  expect([clock.now, clock.held, a.arrivals(), b.arrivals()]).toEqual([50, false, ['0:y'], ['0:x']]);
});

test('however a script is cut into pieces and however slowly it is delivered, it arrives in the same cycles', () => {
  const pieces = fc.array(fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom(...'abcdef') }), {
    minLength: 1,
    maxLength: 6,
  });
  const turns = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 6 });
  /** The program takes what is there every 250 cycles. */
  const play = (deliveries: readonly string[], steps: readonly number[]): string[] => {
    const { clock, port, input, advance, arrivals } = fresh();
    let taken = 0;
    const reader = new (class extends Alarm {
      override ring(): void {
        this.due += 250;
        while (port.take() !== undefined) taken++;
      }
    })();
    reader.due = 250;
    clock.add(reader);
    input.expectMore(true);
    const waiting = deliveries.slice();
    for (let i = 0; clock.now < 6000; i++) {
      advance(clock.now + steps[i % steps.length]!);
      if (!clock.held) continue;
      const piece = waiting.shift();
      if (piece === undefined) input.expectMore(false);
      else input.type(bytes(piece));
    }
    expect(taken).toBe(deliveries.join('').length);
    return arrivals();
  };
  fc.assert(
    fc.property(pieces, turns, (deliveries, steps) => {
      expect(play(deliveries, steps)).toEqual(play([deliveries.join('')], [10_000]));
    }),
    { numRuns: 100 },
  );
});
