// Bad neighbours, for the tests of a minute and those of many.

import { expect } from 'vitest';
import { putConfiguration, rogue, spin } from '../cli/child.js';
import { cli, type CliResult } from '../tools.js';

/** Run `rogue`, which attacks for ever, beside `spin`, which never yields. */
export function rogueBesideSpin(args: readonly string[], timeout: number): Promise<CliResult> {
  const config = putConfiguration('hostile.dts', [
    { name: 'rogue', image: rogue, bootargs: 'forever' },
    { name: 'spin', image: spin },
  ]);
  return cli(['boot', config, '--stats', 'json', ...args], { timeout });
}

/** What must be true of it, however long it went on. */
export function expectNothingLeaked({ stdout, stderr }: CliResult): void {
  expect(stdout).not.toMatch(/FAIL/);
  expect(stdout.split('\n').filter((line) => line.startsWith('spin| '))).toEqual(['spin| spin']);
  for (const [, count] of stdout.matchAll(/reached (\d+) addresses/g)) expect(count).toBe('0');
  for (const [, count] of stdout.matchAll(/(\d+) other ways out/g)) expect(count).toBe('0');
  expect(stderr).not.toMatch(/partition/); // neither has ended
}

interface Stats {
  readonly instructions: number;
  readonly cycles: number;
  readonly partitions: readonly { readonly name: string; readonly vcpus: readonly [{ readonly cycles: number }] }[];
}

export const statsOf = ({ stdout }: CliResult): Stats => JSON.parse(stdout.trimEnd().split('\n').at(-1)!);

/** The part of the core's cycles that a partition had. */
export function shareOf(name: string, { cycles, partitions }: Stats): number {
  return partitions.find((partition) => partition.name === name)!.vcpus[0].cycles / cycles;
}
