import { expect, test } from 'vitest';
import { checkAll } from '../../src/devicetree/checks/index.js';
import { Levels } from '../../src/devicetree/warnings/index.js';
import { images } from './images.js';
import { parseText } from './trees.js';

/** What is found in a tree's root, with dtc's checks: `line:column rule`. */
function found(body: string, files: Readonly<Record<string, string>> = {}, levels: Levels | null = new Levels()) {
  const text = `/dts-v1/;\n/ {\n#address-cells = <1>;\n#size-cells = <1>; model = "a"; compatible = "a";\n${body}\n};\n`;
  const { tree, findings } = parseText(text, files);
  const told = checkAll(tree, findings, images, levels ?? undefined);
  return told.filter(({ rule }) => !/^(no-partitions|board-)/.test(rule));
}

const rules = (...args: Parameters<typeof found>): string[] =>
  found(...args).map(({ at, rule }) => `${at.file === 'a.dts' ? '' : `${at.file}:`}${at.line}:${at.col} ${rule}`);

test('a comment before or on the line of a node or property has its finding ignored', () => {
  expect(rules('uart { reg = <1 2>; };')).toEqual(['5:1 unit_address_vs_reg']);
  expect(rules('/* hv440-ignore: unit_address_vs_reg called so by the vendor */\nuart { reg = <1 2>; };')).toEqual([]);
  expect(rules('// hv440-ignore: unit_address_vs_reg called so by the vendor\n\n\nL: uart { reg = <1 2>; };')).toEqual(
    [],
  );
  expect(rules('uart { /* hv440-ignore: unit_address_vs_reg called so by the vendor */\nreg = <1 2>; };')).toEqual([]);
  expect(
    rules(
      'uart { x-names = <1>; // hv440-ignore: unit_address_vs_reg,names_is_string_list both known\nreg = <1 2>; };',
    ),
  ).toEqual([]);
  expect(
    rules('uart@1 {\nreg = <1 2>;\n/* hv440-ignore:\n * names_is_string_list it is\n * known */\nx-names = <1>; };'),
  ).toEqual([]);
});

test('it is about that line alone', () => {
  const text = '/* hv440-ignore: unit_address_vs_reg one */\none { reg = <1 2>; };\ntwo { reg = <3 4>; };';
  expect(rules(text)).toEqual(['7:1 unit_address_vs_reg']);
  expect(rules('one { reg = <1 2>; }; /* hv440-ignore: unit_address_vs_reg one */\ntwo { reg = <3 4>; };')).toEqual([
    '6:1 unit_address_vs_reg',
  ]);
});

test('a comment without a reason is not heard', () => {
  expect(rules('/* hv440-ignore: unit_address_vs_reg */\nuart { reg = <1 2>; };')).toEqual([
    '5:1 ignore-without-reason',
    '6:1 unit_address_vs_reg',
  ]);
  expect(rules('/* hv440-ignore */ uart@1 { reg = <1 2>; };')).toEqual(['5:1 ignore-without-reason']);
});

test('a comment that ignores nothing is told, with where it may belong', () => {
  const [told, ...more] = found(
    '/* hv440-ignore: names_is_string_list known */\nuart@1 {\nreg = <1 2>;\nx-names = <1>;\n};',
  );
  expect(more.map(({ rule }) => rule)).toEqual(['names_is_string_list']);
  expect(told).toMatchObject({
    rule: 'ignore-unused',
    severity: 'warning',
    message: "line 6 has no finding of 'names_is_string_list' to ignore",
    remedy: 'move it before line 8, or take it out',
  });
  // A check that is not run has nothing to say: that is no reason to.
  expect(rules('/* hv440-ignore: names_is_string_list known */\nuart@1 { reg = <1 2>; };', {}, null)).toEqual([]);
  expect(rules('/* hv440-ignore: node_name_chars_strict known */\nuart@1 { reg = <1 2>; };')).toEqual([]);
});

test('a rule that there is not is told, with the one that may be meant', () => {
  const [told] = found('/* hv440-ignore: unit_adress_vs_reg called so */\nuart@1 { reg = <1 2>; };');
  expect(told).toMatchObject({ rule: 'ignore-unknown-rule', remedy: "did you mean 'unit_address_vs_reg'?" });
});

test('an error that keeps partitions from running cannot be ignored', () => {
  const text = `partitions { compatible = "hv440,partitions";
/* hv440-ignore: missing-property it will come */
a { compatible = "hv440,partition"; memory = <0 0 0 0x1000000>; }; };`;
  const told = rules(text).filter((line) => !line.includes('no-console'));
  expect(told).toEqual(['6:1 ignore-of-error', '7:1 missing-property']);
});

test('an error that a guest runs in spite of can be ignored', () => {
  const source = (comment: string) =>
    `partitions { compatible = "hv440,partitions"; a { compatible = "hv440,partition"; image = "hello.elf";
memory = <0 0 0 0x1000000>;
${comment}
site-data = <1>;
serial@1000000 { compatible = "ns16550"; reg = <0x1000000 8>; }; }; };`;
  expect(rules(source(''))).toEqual(['8:1 unknown-property']);
  expect(rules(source('/* hv440-ignore: unknown-property read by our own tools */'))).toEqual([]);
});

test('an included file has its own comments, and other comments are left alone', () => {
  const files = { 'uart.dtsi': 'uart { /* hv440-ignore: unit_address_vs_reg known */ reg = <1 2>; };\n' };
  expect(rules('/include/ "uart.dtsi"', files)).toEqual([]);
  expect(rules('/* not hv440-ignore: unit_address_vs_reg known */ uart { reg = <1 2>; };')).toEqual([
    '5:51 unit_address_vs_reg',
  ]);
});
