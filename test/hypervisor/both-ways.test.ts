import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Code } from './code.js';
import { bare, finished, hypervisor } from './guest.js';
import { leftBehind, program, rawMemory } from './random-programs.js';

/** A neighbour that lies first in the board's memory, and takes the core away every thousand cycles. */
const long = process.env['HV440_LONG'] === '1';

/** A board with no more than the partition has. */
const board = `&memory0 { reg = <0x0 0x0 0x00100000>; };
${[1, 2, 3].map((n) => `&UART${n} { status = "disabled"; };`).join('')}`;

const neighbour = {
  program: new Code().label('spin').op('addi', { rt: 3, ra: 3, si: 1 }).b('spin').at(0x40000).word(0x5afe5afe),
  memory: '<0 0 0 0x200000>',
};

test('whatever a program does to its translations, it leaves the same behind on a board and in a partition', () => {
  let [faults, misses, runs] = [0, 0, 0];
  fc.assert(
    fc.property(program, (code) => {
      const alone = bare(code, { board });
      // `withinGrants` is asked at every exit
      const { hv, partition, output, exits } = hypervisor(
        { neighbour, guest: { program: code } },
        { partitions: 'quantum = <1000>;' },
      );
      const safe = partition('neighbour').board.bus.ram.regions[0]!.target;
      const before = rawMemory(safe);
      while (partition('guest').running && hv.clock.now < 2_000_000) hv.run(5000);
      expect(alone.progress).toEqual(finished(0));
      expect(partition('guest').ending).toEqual({ kind: 'finished', status: 0 });
      expect(leftBehind(partition('guest').board)).toEqual(leftBehind(alone.machine.board));
      expect(output.text('guest/serial@ef600300')).toBe(alone.output.text('board/serial@ef600300'));
      expect(partition('guest').vcpus[0]!.account.retired).toBe(alone.machine.retired);
      expect(Buffer.compare(rawMemory(safe), before)).toBe(0);
      expect(partition('guest').vcpus[0]!.shadowTlb.withinGrants).toBe(true);
      runs += 1;
      faults += alone.gpr(21);
      misses += exits.filter((e) => e === 'shadow-miss').length;
    }),
    { numRuns: long ? 5000 : 60, ...(!long && { seed: 440 }), endOnFailure: true },
  );
  // The programs do what they are for
  expect(faults / runs).toBeGreaterThan(5);
  expect(misses / runs).toBeGreaterThan(10);
});
