import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configure } from '../../src/devicetree/configuration.js';
import { describe } from '../../src/devicetree/finding.js';
import { findingsIn, treeOf } from './images.js';

const core = (number: number, more = ''): string =>
  `cpu@${number} { device_type = "cpu"; reg = <${number}>; clock-frequency = <400000000>; timebase-frequency = <400000000>; ${more} };`;

const guest = (name: string, more = ''): string => `${name} {
  compatible = "hv440,partition"; image = "hello.elf"; memory = <0x0 0x0 0x0 0x01000000>; ${more}
  serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };
};`;

/** A board with more cores than this version runs. */
const source = (cores: string, ...guests: string[]): string => `// note: all of them
/dts-v1/;
/include/ "../../devicetrees/hv440-board.dtsi"
&{/cpus} { ${cores} };
&partitions { ${guests.join('\n')} };`;

const file = join(import.meta.dirname, 'test.dts');

/** What is said of a source but that it has too many cores. */
const said = (text: string): string[] =>
  findingsIn(text, file)
    .filter(({ rule }) => rule !== 'board-cpus-unsupported')
    .map((finding) => describe(finding).replace(/^.*?\d+:\d+: /, ''));

test('what is guaranteed of one core may come from another that the partitions may have', () => {
  const three = [guest('a', 'guarantee = <60>;'), guest('b', 'guarantee = <60>;'), guest('c', 'guarantee = <80>;')];
  expect(said(source(core(1), ...three))).toEqual([]);
  expect(said(source(core(1), ...three, guest('d', 'guarantee = <1>;')))).toEqual([
    "error: partitions 'a', 'b', 'c' and 'd' are guaranteed 201 % of cores 0 and 1, and there is 200 %; lower guarantees by 1 % in all [cores-over-committed]",
  ]);
});

test('partitions that may have one core only are guaranteed no more than that has', () => {
  const text = source(
    core(1) + core(2),
    guest('a', 'guarantee = <60>; affinity = <1>;'),
    guest('b', 'guarantee = <90>; affinity = <1 2>;'),
    guest('c', 'guarantee = <50>; affinity = <1>;'),
    guest('d', 'guarantee = <20>; affinity = <2>;'),
  );
  expect(said(text)).toEqual([
    "error: partitions 'a' and 'c' are guaranteed 110 % of core 1, and there is 100 %; lower guarantees by 10 % in all, or let one of them have another core by affinity [cores-over-committed]",
  ]);
});

test('a partition without a guarantee is told where others have all of its cores', () => {
  const others = [guest('a', 'guarantee = <100>; affinity = <0>;'), guest('b', 'guarantee = <99>; affinity = <0 1>;')];
  expect(said(source(core(1), ...others, guest('c', 'affinity = <0>;'), guest('d')))).toEqual([
    "warning: all of core 0 is guaranteed to others, and partition 'c' has no guarantee: it runs only while they wait; lower one of the others' guarantees [guarantees-leave-nothing]",
  ]);
});

test('each processor of a partition has its guarantee', () => {
  const text = source(core(1), guest('a', 'guarantee = <70>; affinity = <0>; vcpus = <2>;'));
  expect(said(text).filter((line) => line.includes('over-committed'))).toEqual([
    "error: partition 'a' is guaranteed 140 % of core 0, and there is 100 %; lower guarantees by 40 % in all, or let one of them have another core by affinity [cores-over-committed]",
  ]);
});

test('a partition may have every core that runs, unless it says which', () => {
  const text = source(
    core(1, 'status = "disabled";') + core(2),
    guest('a'),
    guest('b', 'guarantee = <7>; affinity = <2>;'),
  );
  const configured = configure(treeOf(text, file)).partitions.map(({ guarantee, affinity }) => ({
    guarantee,
    affinity,
  }));
  expect(configured).toEqual([
    { guarantee: undefined, affinity: [0, 2] },
    { guarantee: 7, affinity: [2] },
  ]);
});
