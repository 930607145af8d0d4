import { expect, test } from 'vitest';
import { bindingOf, bindings, placeOf, propertiesOf } from '../../src/devicetree/bindings/index.js';
import { bindingsMarkdown, markdownCell } from '../../src/devicetree/bindings/markdown.js';
import { didYouMean, either } from '../../src/devicetree/suggest.js';
import { findingsIn, treeOf } from './images.js';

test('where a node stands and what it is tells which binding it has', () => {
  const tree = treeOf(`/dts-v1/; / { #address-cells = <1>; #size-cells = <1>;
    serial@0 { compatible = "ns16550"; };
    cpus { cpu@0 { device_type = "cpu"; }; };
    partitions { compatible = "hv440,partitions";
      a { compatible = "hv440,partition";
        serial@0 { compatible = "ns16550"; };
        node-update { serial@0 { compatible = "ns16550"; }; };
      };
    };
    stray { compatible = "hv440,partition"; serial@0 { compatible = "ns16550"; }; };
  };`);
  const titles = [...tree.root.walk()].map((node) => `${node.path}: ${bindingOf(node)?.title ?? placeOf(node)}`);
  expect(titles).toEqual([
    '/: board',
    '/serial@0: serial port of the board',
    '/cpus: board',
    '/cpus/cpu@0: processor of the board',
    '/partitions: partitions',
    '/partitions/a: partition',
    '/partitions/a/serial@0: serial port of a partition',
    '/partitions/a/node-update: undefined',
    '/partitions/a/node-update/serial@0: undefined',
    '/stray: board',
    '/stray/serial@0: undefined',
  ]);
});

test("a node of hv440's own has only its binding's properties, one of the board also those of any node", () => {
  const tree = treeOf(`/dts-v1/; / { serial@0 { compatible = "ns16550"; };
    partitions { a { compatible = "hv440,partition"; }; }; };`);
  expect(Object.keys(propertiesOf(tree.find('/partitions/a')!))).not.toContain('ranges');
  expect(Object.keys(propertiesOf(tree.find('/serial@0')!))).toEqual(
    expect.arrayContaining(['ranges', 'clock-frequency', 'interrupts']),
  );
});

test('a default keeps to what its property allows', () => {
  for (const { title, properties } of bindings)
    for (const [name, spec] of Object.entries(properties)) {
      const fallback = spec.default;
      if (typeof fallback === 'number') {
        expect(fallback, `${title} ${name}`).toBeGreaterThanOrEqual(spec.min ?? 0);
        expect(fallback, `${title} ${name}`).toBeLessThanOrEqual(spec.max ?? 0xffffffff);
      }
      if (spec.values && fallback !== undefined) expect(spec.values, `${title} ${name}`).toContain(fallback);
    }
});

test('the examples of the bindings are configurations with nothing wrong', () => {
  const example = (title: string): string => bindings.find((b) => b.title === title)!.example;
  const examples = {
    a: example('serial port of a partition') + example('finisher') + example('byte channel'),
  };
  const text = `/dts-v1/; / { compatible = "amcc,bamboo"; #address-cells = <2>; #size-cells = <1>;
    cpus { #address-cells = <1>; #size-cells = <0>; ${example('processor of the board')} };
    ${example('memory of the board')}
    ${example('interrupt controller of the board')}
    opb { compatible = "simple-bus"; #address-cells = <1>; #size-cells = <1>; ranges = <0 0 0 0xf0000000>;
      ${example('serial port of the board')}
      UART3: serial@ef600600 { compatible = "ns16550"; reg = <0xef600600 8>; clock-frequency = <11059200>;
        interrupt-parent = <&UIC0>; interrupts = <4 4>; };
    };
    ${example('partitions')}
    ${example('test').replaceAll('hello {', 'a {')}
  };
  &partitions {
    ${example('partition').replaceAll(/"[^"]*(vmlinux.gz|rootfs.cpio)"/g, '"1M.elf"')}
    a { compatible = "hv440,partition"; image = "hello.elf"; memory = <0x0 0x0 0x0 0x01000000>; ${examples.a} };
  };`;
  expect(findingsIn(text, 'examples.dts').map((f) => `${f.at.line}: ${f.message}`)).toEqual([]);
});

test('the documentation has every property with its meaning', () => {
  const text = bindingsMarkdown();
  for (const { title, properties } of bindings) {
    expect(text).toContain(`### ${title}\n`);
    for (const [name, { meaning }] of Object.entries(properties)) {
      expect(text).toContain(`| \`${name}\` |`);
      expect(text).toContain(markdownCell(meaning));
    }
  }
});

test('a misspelt word is answered by the nearest, a strange one by all', () => {
  expect(didYouMean('retsart', ['stop', 'restart'])).toBe("did you mean 'restart'?");
  expect(didYouMean('reboot', ['stop', 'restart'])).toBe("write 'stop' or 'restart'");
  expect(either(['a', 'b', 'c'])).toBe("'a', 'b' or 'c'");
});
