import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { check, ruleNamed, ruleNames, rules } from '../../src/devicetree/checks/index.js';
import { exampleSource } from '../../src/devicetree/examples/example.js';
import { EXAMPLE_BOARD, examples, findingsOfExample, imagesByName } from '../../src/devicetree/examples/index.js';
import { describe } from '../../src/devicetree/finding.js';
import { root } from '../tools.js';
import { warningNamed } from '../../src/devicetree/warnings/index.js';
import { parseText } from './trees.js';

const board = readFileSync(join(root, 'devicetrees/hv440-board.dtsi'));

test.each(Object.entries(examples))('%s: its example has the mistake, and mended it has not', (name, example) => {
  const [found] = findingsOfExample(name, example, 'wrong', board);
  expect(found?.severity).toBe(ruleNamed(name)!.severity ?? found?.severity ?? 'error');
  expect(findingsOfExample(name, example, 'right', board).map(describe)).toEqual([]);
});

test('every rule has an example, but those that only prepare others', () => {
  const without = ruleNames.filter((name) => !Object.hasOwn(examples, name));
  expect(without.filter((name) => !warningNamed(name)?.silent)).toEqual(['always_fail']);
  expect(Object.keys(examples).filter((name) => !ruleNames.includes(name))).toEqual([]);
});

test('an example of a rule on configurations has that one mistake, and mended none', () => {
  const files = { [EXAMPLE_BOARD]: board };
  const found = (name: string, text: string): string => {
    const { tree, findings } = parseText(exampleSource(examples[name]!.frame, text, EXAMPLE_BOARD), files);
    const said = [...findings, ...check(tree, imagesByName)];
    // That a device shares its page is a note that several examples have beside.
    const told = said.filter(({ rule, severity }) => severity !== 'note' || rule === name);
    return [...new Set(told.map(({ rule }) => rule))].join(' ');
  };
  const names = rules.map(({ name }) => name);
  expect(
    names.map((name) => `${name}: ${found(name, examples[name]!.wrong)}, then ${found(name, examples[name]!.right)}`),
  ).toEqual(names.map((name) => `${name}: ${name}, then `));
});
