// Every board of a Linux kernel, against cpp and dtc. HV440_LINUX names an unpacked kernel; without it, Debian's
// /usr/src/linux-source-*.tar.xz is unpacked as far as it is needed. HV440_LINUX_BOARDS=arm64,mips adds architectures.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { encodeBlob } from '../../src/devicetree/blob.js';
import { describe } from '../../src/devicetree/finding.js';
import { parse } from '../../src/devicetree/source.js';
import { tool } from '../tools.js';
import { readFile } from './trees.js';

const compiler = tool('powerpc-linux-gnu-gcc');
const program = tool('dtc');
const architectures = [
  'powerpc',
  ...(process.env['HV440_LINUX_BOARDS'] ?? '').split(',').filter((name) => name !== ''),
];
let unpacked: string | undefined;

function kernel(): string | undefined {
  if (process.env['HV440_LONG'] === undefined) return undefined;
  const given = process.env['HV440_LINUX'];
  if (given !== undefined) return given;
  const archive = readdirSync('/usr/src').find((name) => /^linux-source-.*\.tar\.xz$/.test(name));
  if (archive === undefined) {
    process.stderr.write('\nSKIPPED TESTS: no kernel; set HV440_LINUX or apt-get install linux-source\n');
    return undefined;
  }
  unpacked = mkdtempSync(join(tmpdir(), 'hv440-kernel-'));
  const parts = [
    ...architectures.map((name) => `*/arch/${name}/boot/dts`),
    '*/include/dt-bindings',
    '*/scripts/dtc/include-prefixes',
  ];
  const more = architectures.length > 1 ? ['*/include/uapi', '*/arch/*/boot/dts'] : [];
  const options = ['-xJf', join('/usr/src', archive), '-C', unpacked, '--strip-components=1', '--wildcards'];
  execFileSync('tar', [...options, ...parts, ...more]);
  return unpacked;
}

afterAll(() => unpacked === undefined || rmSync(unpacked, { recursive: true }));

const source = kernel();
const testWithKernel = source !== undefined && compiler !== undefined && program !== undefined ? test : test.skip;

interface Outcome {
  same: number;
  readonly different: string[];
}

/** The boards of an architecture by what cpp and dtc make of them, and by what is made of them here. */
function compare(architecture: string, symbols: boolean): Outcome {
  const folder = join(source!, 'arch', architecture, 'boot/dts');
  const includePaths = [join(source!, 'scripts/dtc/include-prefixes')];
  const outcome: Outcome = { same: 0, different: [] };
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!name.endsWith('.dts')) continue;
    const file = join(folder, name);
    const theirs = reference(file, includePaths, symbols);
    const { tree, findings } = parse(readFileSync(file, 'utf8'), file, readFile, { includePaths, symbols });
    const errors = findings.filter(({ severity }) => severity === 'error').map(describe);
    const same = errors.length === 0 ? theirs?.equals(encodeBlob(tree)) === true : theirs === undefined;
    if (same) outcome.same++;
    else outcome.different.push(errors[0] ?? file);
  }
  return outcome;
}

function reference(file: string, includePaths: readonly string[], symbols: boolean): Buffer | undefined {
  const folders = includePaths.flatMap((path) => ['-I', path]);
  const options = ['-E', '-nostdinc', '-undef', '-D__DTS__', '-x', 'assembler-with-cpp', ...folders, file];
  const expanded = spawnSync(compiler!, options, { maxBuffer: 1 << 28 });
  if (expanded.status !== 0) return undefined;
  const flags = ['-q', '-I', 'dts', '-O', 'dtb', ...(symbols ? ['-@'] : []), '-i', dirname(file), '-'];
  const { status, stdout } = spawnSync(program!, flags, { input: expanded.stdout, maxBuffer: 1 << 28 });
  return status === 0 ? stdout : undefined;
}

for (const architecture of architectures) {
  for (const symbols of [false, true]) {
    const what = symbols ? 'with symbols' : 'as it is';
    testWithKernel(
      `every board of ${architecture} becomes the bytes that cpp and dtc make of it, ${what}`,
      { timeout: 3_600_000 },
      () => {
        const { same, different } = compare(architecture, symbols);
        process.stderr.write(`\n${architecture} ${what}: ${same} the same, ${different.length} different\n`);
        expect(different).toEqual([]);
        expect(same).toBeGreaterThan(0);
      },
    );
  }
}
