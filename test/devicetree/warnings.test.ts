import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { dtcExamples } from '../../src/devicetree/examples/dtc.js';
import { exampleSource } from '../../src/devicetree/examples/example.js';
import { describe } from '../../src/devicetree/finding.js';
import { parse } from '../../src/devicetree/source.js';
import { checkAsDtc, dtcCheckNames, gradeAsDtc, Levels, warnings } from '../../src/devicetree/warnings/index.js';
import { root, testWith, tool } from '../tools.js';
import { dtcWarnings, knownChecks, ourWarnings } from './dtc-warnings.js';
import { goodSources, parseText, readFile, treeOf } from './trees.js';

const sources = Object.entries(dtcExamples).flatMap(([name, { frame, wrong, right }]) => [
  { name, holds: false, text: exampleSource(frame, wrong, '') },
  { name, holds: true, text: exampleSource(frame, right, '') },
]);

/** The names of the checks that complain of a source, with those that dtc does not run by itself if they are named. */
function complaining(text: string, ...options: readonly string[]): string[] {
  const levels = new Levels();
  for (const option of options) expect(levels.option('warning', option)).toBe(true);
  return [...new Set(checkAsDtc(treeOf(text), levels).map(({ rule }) => rule))];
}

test.each(sources)('$name: its example keeps to it ($holds), or not', ({ name, holds, text }) => {
  expect(complaining(text, name).includes(name)).toBe(!holds);
});

test('every check has an example but those that only prepare others, and the one that always fails', () => {
  const silent = warnings.filter((warning) => warning.silent || warning.name === 'always_fail');
  const names = warnings.filter((warning) => !silent.includes(warning)).map(({ name }) => name);
  expect(Object.keys(dtcExamples).sort()).toEqual(names.sort());
  expect(silent).toHaveLength(4);
});

testWith('dtc')('dtc complains of the examples as we do', () => {
  const program = tool('dtc')!;
  const names = knownChecks(program);
  for (const { name, text } of sources)
    expect(ourWarnings(treeOf(text), names), name).toEqual(dtcWarnings(program, text, names));
});

testWith('dtc')('dtc has the same checks, run by themselves or not', () => {
  const program = tool('dtc')!;
  const names = knownChecks(program);
  expect(dtcCheckNames.filter((name) => !names.includes(name))).toEqual(
    names.includes('interrupt_map') ? ['always_fail'] : ['interrupt_map', 'always_fail'],
  );
  for (const { name, text } of sources.filter(({ holds }) => !holds))
    expect(
      complaining(text)
        .filter((one) => names.includes(one))
        .includes(name),
      name,
    ).toBe(dtcWarnings(program, text, [])!.some((line) => line.startsWith(`${name} `)));
});

/** Sources that both read, but those that know /partitions, where addresses have a cell by themselves. */
const boards = goodSources().filter((file) => !file.startsWith(join(root, 'devicetrees')));

testWith('dtc').each(boards)("of %s, the same checks complain of the same nodes as dtc's", (file) => {
  const program = tool('dtc')!;
  const names = knownChecks(program);
  const bytes = readFile(file)!;
  const { tree } = parse(new TextDecoder().decode(bytes), file, readFile);
  expect(existsSync(file)).toBe(true);
  expect(ourWarnings(tree, names)).toEqual(dtcWarnings(program, bytes, names, dirname(file)));
});

test('a check that comes after one that complains is not run; one that is off still counts for those after it', () => {
  const text = '/dts-v1/; / { #address-cells = <1 1>; #size-cells = <1>; uart@1 { reg = <1 2 3>; }; };';
  expect(complaining(text)).toEqual(['address_cells_is_cell']);
  expect(complaining(text, 'no-address_cells_is_cell')).toEqual([]);
});

test('-W and -E raise a check with all that it relies on, and lower it with all that relies on it', () => {
  const levels = new Levels();
  levels.option('error', 'reg_format');
  expect(['reg_format', 'addr_size_cells', 'size_cells_is_cell'].map((name) => levels.of(name))).toEqual(
    Array(3).fill('error'),
  );
  expect(levels.of('ranges_format')).toBe('warning');
  levels.option('error', 'no_size_cells_is_cell');
  expect(levels.of('reg_format')).toBe('warning');
  levels.option('warning', 'no-size_cells_is_cell');
  expect(['reg_format', 'ranges_format', 'pci_bridge'].map((name) => levels.of(name))).toEqual(Array(3).fill('off'));
  expect(levels.of('address_cells_is_cell')).toBe('error');
  expect(levels.option('warning', 'no-such')).toBe(false);
});

test("an error of dtc's can be a warning, or nothing", () => {
  const { findings } = parseText('/dts-v1/; / { a: one { }; a: two { }; };');
  const graded = (...options: readonly (readonly ['warning' | 'error', string])[]): string[] => {
    const levels = new Levels();
    for (const [kind, text] of options) levels.option(kind, text);
    return gradeAsDtc(findings, levels).map(({ severity, rule }) => `${severity} ${rule}`);
  };
  expect(graded()).toEqual(['error dts-duplicate-label']);
  expect(graded(['error', 'no-duplicate_label'])).toEqual([]);
  expect(graded(['error', 'no-duplicate_label'], ['warning', 'duplicate_label'])).toEqual([
    'warning dts-duplicate-label',
  ]);
});

test('an error ends the checks; what was found before it is told', () => {
  const levels = new Levels();
  levels.option('error', 'unit_address_vs_reg');
  const tree = treeOf('/dts-v1/; / { one@1 { status = <1>; soc { chosen { }; }; }; };');
  expect(checkAsDtc(tree, levels).map(({ severity, rule }) => `${severity} ${rule}`)).toEqual([
    'warning status_is_string',
    'error unit_address_vs_reg',
  ]);
});

test('a finding has its place, what is wrong, and how to mend it', () => {
  const tree = treeOf('/dts-v1/;\n/ {\n\tuart {\n\t\treg = <1>;\n\t};\n};\n');
  expect(checkAsDtc(tree).map(describe)).toContain(
    'a.dts:3:2: warning: /uart has a reg or ranges, and no unit address; write both, or neither: NAME@ADDRESS with the first address in hexadecimal, without 0x [unit_address_vs_reg]',
  );
});

test("a partition's addresses have a cell by themselves, and what is merged into a guest's tree is no part of this one", () => {
  const text = `/dts-v1/; / { partitions { compatible = "hv440,partitions"; guest { compatible = "hv440,partition";
    serial@1000 { compatible = "ns16550"; reg = <0x1000 8>; }; node-update { chosen { }; }; }; }; };`;
  expect(complaining(text)).toEqual([]);
});

test('numbers of cells that nobody means take no longer than others', () => {
  const text = `/dts-v1/; / { soc { compatible = "simple-bus"; #address-cells = <0xfffffffe>; #size-cells = <0xfffffffe>;
    one { ranges = <1 2 3>; #address-cells = <0>; }; pic: pic { interrupt-controller; #interrupt-cells = <0xfffffffe>;
    #address-cells = <0xfffffffe>; interrupt-map = <&pic>; clocks = <&pic &pic>; #clock-cells = <0xfffffffe>; }; }; };`;
  expect(complaining(text)).toContain('clocks_property');
});
