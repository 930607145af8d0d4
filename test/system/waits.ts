import { configuration, hello, type Guest } from '../cli/child.js';
import { partitions, runFor } from './machines.js';

/** Cycles of a turn. */
export const QUANTUM = 50_000;

/**
 * Type a command to the guest `hello` of these, again and again at odd times; gives the waits for the first byte of the answer, in
 * quanta.
 */
export function waitsOfHello(guests: readonly Guest[]): number[] {
  const recorded = partitions(configuration([...guests], `quantum = <${QUANTUM}>;`));
  const { machine, recorder } = recorded;
  runFor(recorded, 5_000_000, () => 100_000);
  const waits: number[] = [];
  for (let i = 0; i < 20; i++) {
    recorder.events.length = 0;
    machine.type('hello/serial@ef600300', Uint8Array.of(0x0d));
    runFor(recorded, machine.clock.now + 1_000_000 + 7919 * i, () => 100_000);
    const mine = recorder.events.filter((event) => event.stream.startsWith('hello/'));
    const [typed, answered] = [mine.find((e) => e.direction === 'in')!, mine.find((e) => e.direction === 'out')!];
    waits.push((answered.cycle - typed.cycle) / QUANTUM);
  }
  return waits;
}

/** The guest that is typed to, and what else is said of it. */
export const helloWith = (more = ''): Guest => ({ name: 'hello', image: hello, ...(more && { more }) });
