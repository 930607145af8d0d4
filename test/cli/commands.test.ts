// The multiplexer's command line.

import { expect, test } from 'vitest';
import { command } from '../../src/cli/commands.js';
import { Code } from '../hypervisor/code.js';
import { hypervisor, type Guest } from '../hypervisor/guest.js';

const spin: Guest = { program: new Code().label('spin').op('mfmsr', { rt: 3 }).b('spin') };

/** Two partitions that have run for a while. */
function subject() {
  const { hv } = hypervisor({ one: spin, other: spin });
  hv.run(100_000);
  return { machine: hv, ptys: () => [], fault: () => [] };
}

test('stats tells of all partitions, or of one', () => {
  const some = subject();
  const all = command(some, 'stats');
  expect(all[0]).toMatch(/^[\d,]+ instructions retired in 100,\d\d\d cycles$/);
  expect(all.filter((line) => /^(one|other)\/cpu0: /.test(line))).toHaveLength(2);
  const one = command(some, ' stats  one ');
  expect(one[0]).toMatch(/^one\/cpu0: [\d,]+ instructions in [\d,]+ cycles, [\d,]+ exits \([\d,]+ per million/);
  expect(one.join('\n')).toMatch(/^ {2}emulate .*\n {4}mfmsr +[\d,]+ +[\d,.]+ +[\d,]+$/m);
  expect(one.join('\n')).not.toContain('other');
});

test('stats reset starts counting anew', () => {
  const some = subject();
  expect(command(some, 'stats reset')).toEqual(['counting starts anew']);
  expect(command(some, 'stats')[0]).toBe('0 instructions retired in 0 cycles');
});

test('a partition that there is not is answered with those that there are', () => {
  expect(command(subject(), 'stats both')).toEqual([
    "there is no partition 'both' (there are one, other); `stats reset` starts counting anew",
  ]);
});
