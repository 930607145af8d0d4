import { expect, test } from 'vitest';
import { cli } from '../tools.js';
import { configuration, hello, onePartition, put, scratch } from './child.js';

const memory = (size: string): string => `/partitions/hello/memory=<0x0 0x0 0x0 ${size}>`;
const asksForMemory = ['--expect', 'hello> ', '--send', 'mem\\n', '--expect', 'MiB\r'];

const plain = put('plain.dts', configuration([{ name: 'hello', image: hello }]));
const varied = put(
  'varied.test.dts',
  `/include/ "${plain}"
/ { test { compatible = "hv440,test"; hello { greets { expect = "hello> "; }; };
	matrix {
		memory { small { partitions { hello { memory = <0x0 0x0 0x0 0x00200000>; }; }; };
			odd { partitions { hello { memory = <0x0 0x0 0x0 0x00200002>; }; }; }; };
		quantum { long { partitions { quantum = <400000>; }; }; };
	};
}; };`,
);

test('--set gives a property another value, in boot, check and dts', async () => {
  const booted = await cli(['boot', onePartition, '--set', memory('0x200000'), ...asksForMemory]);
  expect(booted.stdout).toContain('memory 2 MiB');
  const shown = await cli([
    'dts',
    onePartition,
    '--set',
    '&partitions/quantum=5000',
    '--set',
    '/partitions/hello/bootargs=quiet now',
  ]);
  expect(shown.stdout).toContain('quantum = <0x1388>;');
  expect(shown.stdout).toContain('bootargs = "quiet now";');
  const checked = await cli(['check', onePartition, '--set', '/x=1', '--set', memory('0x200002')]);
  expect(checked.stdout).toMatch(/^--set:2:24: error: the memory of partition 'hello' has the size 0x200002, .*\n$/);
});

test('--set does the same to a blob', async () => {
  const blob = scratch('one.dtb');
  await cli(['dts', onePartition, '-o', blob]);
  const { stdout } = await cli([
    'dts',
    blob,
    '--set',
    '/partitions/hello/no-auto-start',
    '--set',
    '/partitions/quantum=5000',
  ]);
  expect(stdout).toContain('no-auto-start;');
  expect(stdout).toContain('quantum = <0x1388>;');
  const { stderr } = await cli(['dts', blob, '--set', '/partitions/helo/vcpus=1']);
  expect(stderr).toContain('--set:1:1: error: there is no node /partitions/helo');
});

test.each([
  ['hello', 'hello: that names no property of a node'],
  ['/partitions/=5', '/partitions/=5: that names no property of a node'],
  ['/partitions/hello/a b=5', "'a b' cannot be a property's name"],
])('--set %s is not understood', async (text, problem) => {
  const { status, stderr } = await cli(['check', onePartition, '--set', text]);
  expect(status).toBe(2);
  expect(stderr).toContain(problem);
});

test('a node that is not there is a finding at the setting', async () => {
  const { status, stdout } = await cli(['check', onePartition, '--set', '/partitions/helo/memory=<0>']);
  expect(status).toBe(2);
  expect(stdout).toMatch(/^--set:1:1: error: no node is at '&\{\/partitions\/helo\}'/);
});

test('check looks at every variant of a matrix, and tells what is wrong with which', async () => {
  const { status, stdout } = await cli(['check', varied]);
  expect(status).toBe(2);
  const errors = stdout.replace(varied, 'FILE').replaceAll(/^.*: note: .*\n/gm, '');
  expect(errors).toBe(
    "FILE:5:31: error: with memory=odd, the memory of partition 'hello' has the size 0x200002, which is not a whole number of 4 KiB pages; make it a multiple of 0x1000 [memory-not-page-aligned]\n",
  );
});

test('--variant boots one; the node /test is no matter', async () => {
  const { status, stdout } = await cli(['boot', varied, '--variant', 'memory=small', ...asksForMemory]);
  expect(status).toBe(0);
  expect(stdout).toContain('memory 2 MiB');
});

test.each([
  ['memory=smal', "the axis has no variant 'smal'; did you mean 'small'?"],
  ['memroy=small', "the matrix has no axis 'memroy'; did you mean 'memory'?"],
  ['memory', 'give it as AXIS=NAME'],
])('--variant %s is not there', async (text, problem) => {
  const { status, stderr } = await cli(['boot', varied, '--variant', text]);
  expect(status).toBe(2);
  expect(stderr).toContain(problem);
});
