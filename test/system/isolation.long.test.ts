// `rogue` beside two Linuxes for five thousand million instructions: both go on as if they were alone.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Hypervisor } from '../../src/hypervisor/hypervisor.js';
import { inRoot, rogue, spin } from '../cli/child.js';
import { shared } from '../tools.js';
import { PROMPT, timings } from './linux.js';
import { partitions, runFor, type Recorded } from './machines.js';

const kernel = shared('guests/vmlinux-tiny');
const INSTRUCTIONS = Number(process.env['HV440_ISOLATION_INSTRUCTIONS'] ?? 5e9);
const COMMANDS = [
  'uname -a',
  'cat /proc/cpuinfo',
  'dd if=/dev/zero bs=1024 count=2000 | md5sum',
  'ls -l /',
  'echo done',
];
const LINUXES = ['one', 'two'];

const port = 'serial@ef600300';
const linux = (name: string): string => `${name} { compatible = "hv440,partition"; image = "${kernel}";
  memory = <0 0 0 0x04000000>; ${port} { compatible = "ns16550"; reg = <0xef600300 8>; }; };`;
const other = (name: string, image: string, bootargs = ''): string => `${name} { compatible = "hv440,partition";
  image = "${image}"; memory = <0 0 0 0x01000000>; bootargs = "${bootargs}";
  ${port} { compatible = "ns16550"; reg = <0xef600300 8>; };
  finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; }; };`;

const configuration = (neighbour: string): Recorded<Hypervisor> =>
  partitions(`/dts-v1/;\n/include/ "${inRoot('devicetrees', 'hv440-board.dtsi')}"
&memory0 { reg = <0x0 0x0 0x10000000>; };
&partitions { ${LINUXES.map(linux).join('\n')} ${neighbour} };`);

/** Type a command at both, each at its prompt, and have both answer. */
function converse(recorded: Recorded<Hypervisor>): string[] {
  const { machine, recorder } = recorded;
  const prompts = (name: string): number => recorder.text(`${name}/${port}`).split(PROMPT).length - 1;
  const until = (count: number): void => {
    const limit = machine.clock.now + 2e9;
    while (LINUXES.some((name) => prompts(name) < count)) {
      runFor(recorded, machine.clock.now + 2_000_000, () => 500_000);
      if (machine.clock.now > limit)
        throw new Error(`no ${count} prompts:\n${recorder.text(`one/${port}`).slice(-500)}`);
    }
  };
  until(1);
  COMMANDS.forEach((command, i) => {
    for (const name of LINUXES) machine.type(`${name}/${port}`, Buffer.from(`${command}\n`));
    until(i + 2);
  });
  return LINUXES.map((name) => recorder.text(`${name}/${port}`));
}

/** The kernel's code, which nobody writes once it has booted. */
const textHash = (hv: Hypervisor, name: string): string => {
  const { target } = hv.partitions.find((p) => p.name === name)!.board.bus.ram.regions[0]!;
  return createHash('sha1').update(target.slice(0x4000, 0x100000)).digest('hex');
};

/** Without what depends on the share of the core that a neighbour leaves. */
const comparable = (log: string): string =>
  log
    .replaceAll('\r\n', '\n')
    .replace(timings.pattern, timings.replacement)
    .replaceAll(/\d+\.\d+ seconds, \S+/g, '… seconds, …');

test.skipIf(!kernel || !existsSync(kernel))('rogue beside two Linuxes', () => {
  const quiet = configuration(other('neighbour', spin));
  const expected = converse(quiet).map(comparable);

  const recorded = configuration(`${other('rogue', rogue, 'forever')} ${other('still', spin)}`);
  const { machine, recorder } = recorded;
  expect(converse(recorded).map(comparable)).toEqual(expected);
  const before = LINUXES.map((name) => textHash(machine, name));
  const printed = LINUXES.map((name) => recorder.text(`${name}/${port}`).length);
  const shares = (): number[] => machine.partitions.map((p) => p.vcpus[0]!.account.cycles);
  const [from, began] = [shares(), machine.clock.now];
  while (machine.retired < INSTRUCTIONS) {
    runFor(recorded, machine.clock.now + 50_000_000, () => 5_000_000);
    recorder.events.splice(0, recorder.events.length, ...recorder.events.filter((e) => !e.stream.startsWith('rogue/')));
    for (const { vcpus } of machine.partitions) {
      expect(vcpus[0]!.shadowTlb.withinGrants && vcpus[0]!.shadowTlb.agreesWithGuest).toBe(true);
    }
  }
  // Both idle meanwhile: nothing printed, their code as it was, and they answer as ever
  expect(LINUXES.map((name) => recorder.text(`${name}/${port}`).length)).toEqual(printed);
  expect(LINUXES.map((name) => textHash(machine, name))).toEqual(before);
  const used = shares().map((cycles, i) => (cycles - from[i]!) / (machine.clock.now - began));
  console.log(`shares ${used.map((u) => u.toFixed(4)).join(' ')} of ${machine.clock.now - began} cycles`);
  expect(Math.abs(used[3]! - 0.5)).toBeLessThan(0.02); // spin and rogue have halves of what the Linuxes leave
  for (const name of LINUXES) machine.type(`${name}/${port}`, Buffer.from('echo still here\n'));
  runFor(recorded, machine.clock.now + 50_000_000, () => 500_000);
  for (const name of LINUXES)
    expect(recorder.text(`${name}/${port}`).slice(-60)).toMatch(/still here\r\n.*still here\r\nppc440# $/s);
  for (const { ending } of machine.partitions) expect(ending).toBeUndefined();
});
