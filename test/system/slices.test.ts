// A run is cut into slices for the sake of the outside world, and into turns; the cuts of the first kind leave no trace.

import { expect, test } from 'vitest';
import { elf, words } from '../loader/build.js';
import { configuration, hello, put, spin, traps } from '../cli/child.js';
import { bareMachine, partitions, runFor, type Recorded } from './machines.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Slice lengths that are neither equal nor divide each other, always the same ones. */
function uneven(longest: number): () => number {
  let state = 1;
  return () => {
    state = (state * 48271) % 0x7fffffff;
    return 1 + (state % longest);
  };
}

// prettier-ignore
const slices: readonly (readonly [name: string, slice: () => number])[] = [
  ['one slice',                       () => 1e9],
  ['slices of 1000 cycles',           () => 1000],
  ['slices of up to 30 cycles',       uneven(30)],
  ['slices of up to 300,000 cycles',  uneven(300_000)],
];

const outcome = ({ machine, recorder }: Recorded) => ({
  cycles: machine.clock.now,
  retired: machine.retired,
  programs: machine.programs,
  endings: recorder.endings,
  events: recorder.events,
});

/** A machine that is typed at is run in such slices, twice `cycles`: up to where somebody types live, and on. */
function played(recorded: Recorded, slice: () => number, cycles = 4_000_000): Recorded {
  const [first] = recorded.machine.streams;
  recorded.machine.type(first!, bytes('mem\rtrap\r'));
  runFor(recorded, cycles, slice);
  recorded.machine.type(first!, bytes('ticks\rexit 3\r'));
  runFor(recorded, 2 * cycles, slice);
  return recorded;
}

/** Polls its UART for input without end, and sends back what comes. It never waits, so nothing but the UART's alarms interrupts it. */
// prettier-ignore
const polling = words(
  0x3c80ef60, 0x60840300, // lis r4,0xef60; ori r4,r4,0x300
  0x88a40005, 0x70a50001, // 1: lbz r5,LSR(r4); andi. r5,r5,1
  0x4182fff8,             // beq 1b
  0x88c40000, 0x98c40000, // lbz r6,0(r4); stb r6,0(r4)
  0x4bffffec,             // b 1b
);
const poll = put('poll.elf', elf({ segments: [{ virtual: 0x1000, bytes: polling }], entry: 0x1000 }));

const reference = new Map<string, ReturnType<typeof outcome>>();

// prettier-ignore
const machines: readonly (readonly [name: string, build: () => Recorded])[] = [
  ['hello on the bare board', () => bareMachine(hello)],
  ['traps on the bare board', () => bareMachine(traps)],
  ['a program that polls, on the bare board', () => bareMachine(poll)],
  ['a program that polls, in a partition', () => partitions(configuration([{ name: 'poll', image: poll }]))],
  ['hello, traps and spin in partitions', () => partitions(configuration([
    { name: 'hello', image: hello },
    { name: 'traps', image: traps },
    { name: 'spin', image: spin },
  ], 'quantum = <70000>;'))],
];

const cases = machines.flatMap(([machine, build]) =>
  slices.map(([name, slice]) => [machine, name, build, slice] as const),
);

test.each(cases)('%s, in %s: every byte goes in and out at the same cycle', (name, _, build, slice) => {
  const recorded = played(build(), slice, name.includes('polls') ? 550_000 : undefined);
  const result = outcome(recorded);
  expect(result.events.length).toBeGreaterThan(40);
  const expected = reference.get(name) ?? result;
  reference.set(name, expected);
  expect(result).toEqual(expected);
});

test('what is typed is answered', () => {
  const { recorder } = played(bareMachine(hello), () => 1e9);
  expect(recorder.text('board/serial@ef600300')).toMatch(
    /hello> trap\r?\n[^]*hello> ticks\r?\nticks \d+\r?\nhello> exit 3/,
  );
});
