import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { check, checkBoard, rules, type ImageInspector } from '../../src/devicetree/checks/index.js';
import { rulesMarkdown } from '../../src/devicetree/examples/markdown.js';
import { markdownCell } from '../../src/devicetree/bindings/markdown.js';
import { describe } from '../../src/devicetree/finding.js';
import { findingsIn, images, treeOf } from './images.js';

const here = import.meta.dirname;
const board = '/include/ "../../devicetrees/hv440-board.dtsi"';
const sources = (folder: string): string[] => readdirSync(join(here, folder)).filter((name) => name.endsWith('.dts'));

/** What is found in a source that stands in this folder, each as `line:col [rule]`. */
const found = (text: string): string[] =>
  findingsIn(`/dts-v1/;\n${text}`, join(here, 'test.dts')).map(({ rule, at }) => `${at.line}:${at.col} [${rule}]`);

test.each(sources('bad'))('bad/%s says what its first line says, and nothing else', (name) => {
  const file = join(here, 'bad', name);
  const text = readFileSync(file, 'utf8');
  const said = /^\/\/ (error|warning|note): (\d+:\d+): (.*)\n/.exec(text);
  const expected = said ? `${file}:${said[2]}: ${said[1]}: ${said[3]}` : 'a first line as README.md says';
  expect(findingsIn(text, file).map(describe)).toEqual([expected]);
});

test.each(sources('near'))('near/%s has nothing wrong', (name) => {
  const file = join(here, 'near', name);
  expect(findingsIn(readFileSync(file, 'utf8'), file).map(describe)).toEqual([]);
});

test('every rule has at least one mistake and one near miss', () => {
  const caught = new Set(
    sources('bad').map((name) => /\[([a-z0-9-]+)\]\n/.exec(readFileSync(join(here, 'bad', name), 'utf8'))?.[1]),
  );
  const missed = sources('near').map((name) => name.replace(/\.dts$/, ''));
  const names = rules.map(({ name }) => name);
  expect([...caught].sort()).toEqual([...names].sort());
  expect([...missed].sort()).toEqual([...names].sort());
});

test('a rule comes after those that it requires, and has a name of its own', () => {
  const before = new Set<string>();
  for (const { name, requires = [] } of rules) {
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(before.has(name), name).toBe(false);
    expect(
      requires.filter((required) => !before.has(required)),
      name,
    ).toEqual([]);
    before.add(name);
  }
});

test("the project's own configurations have nothing wrong", () => {
  const folder = join(here, '../../devicetrees');
  const everything: ImageInspector = {
    inspect: () => ({ ok: true, segments: [{ address: 0, size: 0x20000 }], entry: 0 }),
  };
  const names = readdirSync(folder).filter((name) => name.endsWith('.dts'));
  expect(names).toContain('two-partitions.dts');
  for (const name of names) {
    const file = join(folder, name);
    expect(findingsIn(readFileSync(file, 'utf8'), file, everything).map(describe), name).toEqual([]);
  }
});

test('all mistakes are reported together, in the order of the source', () => {
  const text = `${board}
&partitions {
	quantum = <1>;
	one { compatible = "hv440,partition"; image = "missing.elf"; memory = <0x0 0x0 0x0 0x01000000>;
		serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; interrupts = <40 4>; };
	};
	board { compatible = "hv440,partition"; image = "hello.elf"; memory = <0x0 0x0 0x0 0x20000000>; vcpu = <1>; };
};`;
  expect(found(text)).toEqual([
    '4:2 [value-range]',
    '5:40 [image-not-found]',
    '6:67 [interrupt-line-range]',
    '8:2 [reserved-name]',
    '8:2 [no-console]',
    '8:63 [memory-exceeds-board]',
    '8:98 [unknown-property]',
  ]);
});

test('a rule whose prerequisite failed on a node is left out for that node only', () => {
  const partition = (name: string, memory: string) => `${name} { compatible = "hv440,partition"; image = "32M.elf";
		memory = ${memory}; serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; }; };`;
  const text = `${board}
&partitions {
	${partition('one', '<0x0 0x01000000>')}
	${partition('two', '<0x0 0x0 0x0 0x01000000>')}
};`;
  expect(found(text)).toEqual(['5:3 [value-count]', '6:40 [image-too-large]']);
});

test('paths are relative to the file that holds the property', () => {
  const asked: string[] = [];
  const spy: ImageInspector = {
    inspect(path, kind) {
      asked.push(`${kind} ${path}`);
      return images.inspect('hello.elf', kind);
    },
  };
  const text = `/dts-v1/; / { partitions { compatible = "hv440,partitions"; a { compatible = "hv440,partition";
		image = "../firmware/./a.elf"; initrd = "/boot//rootfs.cpio"; memory = <0 0 0 0x1000000>; }; }; };`;
  check(treeOf(text, 'configs/site/a.dts'), spy);
  expect(asked).toEqual(['image configs/firmware/a.elf', 'initrd /boot/rootfs.cpio']);
});

test('a file is asked for once, however many rules look at it', () => {
  let asked = 0;
  const spy: ImageInspector = {
    inspect(path, kind) {
      asked++;
      return images.inspect(path, kind);
    },
  };
  const file = join(here, 'near', 'image-not-found.dts');
  check(treeOf(readFileSync(file, 'utf8'), file), spy);
  expect(asked).toBe(1);
});

test('a disabled partition takes no part, but its properties are looked at', () => {
  const text = `${board}
&partitions {
	one { compatible = "hv440,partition"; image = "hello.elf"; memory = <0x0 0x0 0x0 0x01000000>; devices = <&UART3>; };
	two { compatible = "hv440,partition"; status = "disabled"; image = "missing.elf"; vcpus = "one";
		memory = <0x0 0x0 0x0 0x7f000000>; devices = <&UART3>; };
};`;
  expect(found(text)).toEqual(['5:84 [property-type]']);
});

test('a board can be looked at without partitions', () => {
  const file = join(here, '../../devicetrees/hv440-board.dtsi');
  expect(checkBoard(treeOf(readFileSync(file, 'utf8'), file))).toEqual([]);
  const bare = treeOf('/dts-v1/; / { };');
  expect(checkBoard(bare).map(({ rule }) => rule)).toEqual([
    'board-cpu-missing',
    'board-memory-missing',
    'board-interrupt-controller-missing',
  ]);
});

test('no tree makes a check throw', () => {
  const names = ['partitions', 'cpus', 'cpu@0', 'memory@0', 'hello', 'serial@0', 'node-update', 'aliases', 'chosen'];
  const read = rules.flatMap(({ reads }) => reads ?? []);
  const others = [
    'ranges',
    '#address-cells',
    '#size-cells',
    'cell-index',
    'device_type',
    'interrupt-controller',
  ].concat('phandle', 'interrupts-extended', 'status', 'stdout-path', '#interrupt-cells', 'reg', 'compatible');
  const properties = [...new Set([...read, ...others])];
  const strings = ['hv440,partition', 'hv440,partitions', 'ns16550', 'hv440,finisher', 'epapr,hv-byte-channel']
    .concat('ibm,uic', 'cpu', 'memory', 'disabled', '/partitions', 'serial@0', '', '..')
    .map((text) => `"${text}"`);
  const cell = fc.oneof(fc.nat(40), fc.constantFrom(0xffffffff, 0x1000, 0x80000000));
  const value = fc.oneof(
    fc.array(cell, { maxLength: 12 }).map((cells) => `= <${cells.join(' ')}>`),
    fc.constantFrom(...strings).map((text) => `= ${text}`),
    fc.constantFrom('', '= [00 01]', '= "a", <1>'),
  );
  const property = fc.tuple(fc.constantFrom(...properties), value).map(([name, v]) => `${name} ${v};`);
  const body = fc.uniqueArray(property, { maxLength: 8, selector: (text) => text.split(' ')[0] });
  const { node } = fc.letrec<{ node: string; children: string[] }>((tie) => ({
    node: fc
      .tuple(fc.constantFrom(...names), body, tie('children'))
      .map(([name, inside, children]) => `${name} { ${inside.join(' ')} ${children.join(' ')} };`),
    children: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.constant<string[]>([]),
      fc.uniqueArray(tie('node'), { maxLength: 4, selector: (text) => text.split(' ')[0] }),
    ),
  }));
  const roots = fc.uniqueArray(node, { maxLength: 5, selector: (text) => text.split(' ')[0] });
  fc.assert(
    fc.property(roots, (nodes) => {
      for (const finding of findingsIn(`/dts-v1/; / { ${nodes.join('\n')} };`, 'random.dts')) {
        expect(finding.message).not.toMatch(/undefined|NaN|null|\[object/);
        expect(finding.remedy).not.toMatch(/undefined|NaN|null|\[object/);
        expect(finding.at.line).toBeGreaterThan(0);
      }
    }),
    { numRuns: process.env['HV440_LONG'] ? 20_000 : 300, seed: 440 },
  );
});

test('the documentation has every rule with its summary', () => {
  const text = rulesMarkdown(readFileSync(join(here, '../../devicetrees/hv440-board.dtsi')));
  for (const { name, summary } of rules) {
    expect(text).toContain(`| \`${name}\` |`);
    expect(text).toContain(markdownCell(summary));
  }
});
