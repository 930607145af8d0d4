import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { decodeBlob, encodeBlob } from '../../src/devicetree/blob.js';
import { parse } from '../../src/devicetree/source.js';
import { cli, root, run, testWith, tool } from '../tools.js';
import { inRoot, main, onePartition, put, twoPartitions } from './child.js';

const dtc = tool('dtc');
const blobOf = (path: string): Buffer => execFileSync(process.execPath, [main, 'dts', path, '--blob']);

test('a source is printed as a source that means the same', async () => {
  const { status, stdout, stderr } = await cli(['dts', twoPartitions]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^\/dts-v1\/;/);
  expect(blobOf(put('again.dts', stdout))).toEqual(blobOf(twoPartitions));
});

test('a blob is printed as a source', async () => {
  const blob = put('two.dtb', blobOf(twoPartitions));
  const { status, stdout } = await cli(['dts', blob]);
  expect(status).toBe(0);
  expect(stdout).toContain('compatible = "hv440,partition";');
  expect(blobOf(put('from-blob.dts', stdout))).toEqual(readFileSync(blob));
});

test('--partition prints the tree that the guest gets', async () => {
  const { status, stdout } = await cli(['dts', twoPartitions, '--partition', 'traps']);
  expect(status).toBe(0);
  const { tree, findings } = parse(stdout, 'traps.dts', () => undefined);
  expect(findings).toEqual([]);
  expect(tree.find('/')?.get('label')?.string).toBe('traps');
  expect(tree.find('/memory@0')?.get('reg')?.cells).toEqual([0, 0, 0x01000000]);
  expect(tree.find('/chosen')?.get('stdout-path')?.string).toBe('/plb/serial@ef600300');
  expect(tree.find('/partitions')).toBeUndefined();
  expect(stdout).not.toContain('hello');
});

test('--partition finds a partition by its label too, and gives a blob as well', async () => {
  const byLabel = await cli(['dts', onePartition, '--partition', 'Hello']);
  expect(byLabel).toEqual(await cli(['dts', onePartition, '--partition', 'hello']));
  const blob = execFileSync(process.execPath, [main, 'dts', onePartition, '--partition', 'hello', '--blob']);
  expect(encodeBlob(decodeBlob(blob, 'hello.dtb'))).toEqual(new Uint8Array(blob));
});

testWith(dtc)("--blob is dtc's blob, byte for byte, for the project's own sources", () => {
  for (const name of ['one-partition.dts', 'two-partitions.dts', 'hostile.dts']) {
    const path = inRoot('devicetrees', name);
    const theirs = execFileSync(dtc!, ['-q', '-I', 'dts', '-O', 'dtb', path]);
    expect(blobOf(path).equals(theirs), name).toBe(true);
  }
});

testWith(dtc)("dtc takes a guest's tree without a word that matters", async () => {
  const { stdout } = await cli(['dts', twoPartitions, '--partition', 'hello']);
  const { status, stderr } = await run(dtc!, ['-I', 'dts', '-O', 'dtb', '-o', '/dev/null'], {
    input: stdout,
    cwd: root,
  });
  expect(status, stderr).toBe(0);
  expect(stderr).not.toMatch(/error/i);
});

test('what -I and -D say is used, and -o writes a blob by its name', async () => {
  const source = put('with-header.dts', '/dts-v1/;\n#include <rev.h>\n/ { rev = <REV BUILD>; };\n');
  put('rev.h', '#define REV 3\n');
  const folder = source.slice(0, source.lastIndexOf('/'));
  const output = `${folder}/with-header.dtb`;
  const { status, stderr } = await cli(['dts', source, '-I', folder, '-D', 'BUILD=7', '-o', output]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(decodeBlob(readFileSync(output), 'o.dtb').root.get('rev')!.cells).toEqual([3, 7]);
  const without = await cli(['dts', source]);
  expect(without.status).toBe(2);
  expect(without.stderr).toContain("with-header.dts:2:1: error: 'rev.h' cannot be read; give its folder with -I DIR");
});

test('--diff shows what two trees mean differently, with status 1, and nothing where they mean the same', async () => {
  const one = put('one.dts', '/dts-v1/; / { a = <&n>; b = "x"; n: n { }; };');
  const other = put('other.dts', '/dts-v1/; / { b = "y"; a = <&n>; n: n { phandle = <9>; }; };');
  expect(await cli(['dts', one, '--diff', other])).toEqual({
    status: 1,
    stdout: `--- ${one}\n+++ ${other}\n- /: b = "x"\n+ /: b = "y"\n`,
    stderr: '',
  });
  expect(await cli(['dts', one, '--diff', one])).toEqual({ status: 0, stdout: '', stderr: '' });
});

test('--overlay merges, --sort puts what comes out in order', async () => {
  const base = put('base.dts', '/dts-v1/; / { z; n: n { x = <1>; }; };');
  const overlay = put('overlay.dts', '/dts-v1/; /plugin/; &n { x = <2>; a; };');
  const { status, stdout } = await cli(['dts', base, '--overlay', overlay, '--sort']);
  expect(status).toBe(0);
  expect(stdout).toContain('\tn: n {\n\t\ta;\n\t\tphandle = <0x01>;\n\t\tx = <0x02>;\n\t};');
});

test("dtc's checks speak on standard error as -W, -E and -q have it, and an error ends it", async () => {
  const source = put('warned.dts', '/dts-v1/;\n/ {\n\tone_name { reg = <1 2 3>; };\n};\n');
  const said = async (...options: string[]) => {
    const { status, stdout, stderr } = await cli(['dts', source, ...options]);
    const found = [...stderr.matchAll(/: (warning|error): .* \[(\w+)\]$/gm)].map(
      ([, level, name]) => `${level} ${name}`,
    );
    return { status, printed: stdout !== '', found };
  };
  const byDefault = [
    'warning unit_address_vs_reg',
    'warning avoid_default_addr_size',
    'warning avoid_default_addr_size',
  ];
  expect(await said()).toEqual({ status: 0, printed: true, found: byDefault });
  expect(await said('-q')).toEqual({ status: 0, printed: true, found: [] });
  expect(await said('-W', 'no-avoid_default_addr_size', '-W', 'node_name_chars_strict')).toEqual({
    status: 0,
    printed: true,
    found: ['warning node_name_chars_strict', 'warning unit_address_vs_reg'],
  });
  expect(await said('-q', '-E', 'unit_address_vs_reg')).toEqual({
    status: 2,
    printed: false,
    found: ['error unit_address_vs_reg'],
  });
  const unknown = await cli(['dts', source, '-W', 'no-unit_address_vs_rex']);
  expect(unknown).toMatchObject({ status: 2, stdout: '' });
  expect(unknown.stderr).toContain("dtc has no such check; did you mean 'unit_address_vs_reg'?");
});
