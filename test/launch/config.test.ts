import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeBlob, encodeBlob } from '../../src/devicetree/blob.js';
import { parse } from '../../src/devicetree/source.js';
import { checkConfig, deviceTrees, readTree } from '../../src/launch/config.js';
import { Files, readFile } from '../../src/launch/files.js';

const configurations = readdirSync(deviceTrees).filter((name) => name.endsWith('.dts') && !name.includes('.test.'));

test.for(configurations)('%s has no errors as a blob either', (name) => {
  const file = join(deviceTrees, name);
  const { tree } = readTree(file);
  const blob = decodeBlob(encodeBlob(tree), file.replace(/\.dts$/, '.dtb'));
  const { findings } = checkConfig({ tree: blob, findings: [] }, new Files());
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
});

test.for(['serial@ef600300', 'serial@ef60030'])('in a blob, a console may be named %s', (name) => {
  const source = `/dts-v1/;
/include/ "${deviceTrees}/hv440-board.dtsi"
&partitions {
  guest {
    compatible = "hv440,partition";
    image = "${deviceTrees}/../firmware/hello/hello.elf";
    memory = <0 0 0 0x1000000>;
    stdout = "${name}";
    ${name} { compatible = "ns16550"; reg = <0x${name.replace('serial@', '')} 8>; };
  };
};`;
  const { tree, findings } = parse(source, '/guest.dts', readFile);
  expect(findings).toEqual([]);
  const blob = decodeBlob(encodeBlob(tree), '/guest.dtb');
  const found = checkConfig({ tree: blob, findings: [] }, new Files()).findings;
  expect(found.filter(({ severity }) => severity === 'error')).toEqual([]);
});
