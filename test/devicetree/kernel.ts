// Every board of a Linux kernel. HV440_LINUX names an unpacked kernel; without it, Debian's /usr/src/linux-source-*.tar.xz
// is unpacked as far as it is needed. HV440_LINUX_BOARDS=arm64,mips adds architectures.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** The architectures whose boards are looked at. */
export const architectures = [
  'powerpc',
  ...(process.env['HV440_LINUX_BOARDS'] ?? '').split(',').filter((name) => name !== ''),
];

/** The folder of a kernel's sources for the tests of a file; undefined where there is none, or tests are to be short. */
export function kernel(): string | undefined {
  if (process.env['HV440_LONG'] === undefined) return undefined;
  const given = process.env['HV440_LINUX'];
  if (given !== undefined) return given;
  const archive = readdirSync('/usr/src').find((name) => /^linux-source-.*\.tar\.xz$/.test(name));
  if (archive === undefined) {
    process.stderr.write('\nSKIPPED TESTS: no kernel; set HV440_LINUX or apt-get install linux-source\n');
    return undefined;
  }
  const unpacked = mkdtempSync(join(tmpdir(), 'hv440-kernel-'));
  afterAll(() => rmSync(unpacked, { recursive: true }));
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

/** The boards of an architecture, by file. */
export function boardsOf(source: string, architecture: string): string[] {
  const folder = join(source, 'arch', architecture, 'boot/dts');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.dts'));
  return names.sort().map((name) => join(folder, name));
}

/** Where a kernel's boards look for what they include. */
export const includePathsOf = (source: string): string[] => [join(source, 'scripts/dtc/include-prefixes')];

/** A board's text as cpp, which the kernel's build puts before dtc, leaves it; undefined where cpp fails. */
export function preprocessed(compiler: string, file: string, includePaths: readonly string[]): Buffer | undefined {
  const folders = includePaths.flatMap((path) => ['-I', path]);
  const options = ['-E', '-nostdinc', '-undef', '-D__DTS__', '-x', 'assembler-with-cpp', ...folders, file];
  const { status, stdout } = spawnSync(compiler, options, { maxBuffer: 1 << 28 });
  return status === 0 ? stdout : undefined;
}
