// What dtc says of every board of a Linux kernel (kernel.ts), and what is said here.

import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from '../../src/devicetree/source.js';
import { tool } from '../tools.js';
import { dtcWarnings, knownChecks, ourWarnings } from './dtc-warnings.js';
import { architectures, boardsOf, includePathsOf, kernel, preprocessed } from './kernel.js';
import { readFile } from './trees.js';

const compiler = tool('powerpc-linux-gnu-gcc');
const program = tool('dtc');
const source = kernel();
const testWithKernel = source !== undefined && compiler !== undefined && program !== undefined ? test : test.skip;

for (const architecture of architectures) {
  testWithKernel(
    `of every board of ${architecture}, the same checks complain of the same nodes as dtc's`,
    { timeout: 3_600_000 },
    () => {
      const includePaths = includePathsOf(source!);
      const names = knownChecks(program!);
      const every = Number(process.env['HV440_LINUX_EVERY'] ?? 1);
      const counted = new Map<string, number>();
      const different: string[] = [];
      let boards = 0;
      for (const file of boardsOf(source!, architecture).filter((_, i) => i % every === 0)) {
        const text = preprocessed(compiler!, file, includePaths);
        const theirs = text && dtcWarnings(program!, text, names, dirname(file));
        if (!theirs) continue;
        boards++;
        const ours = ourWarnings(parse(readFileSync(file, 'utf8'), file, readFile, { includePaths }).tree, names);
        for (const one of theirs) counted.set(one.split(' ')[0]!, (counted.get(one.split(' ')[0]!) ?? 0) + 1);
        different.push(...theirs.filter((one) => !ours.includes(one)).map((one) => `${file}: dtc alone: ${one}`));
        different.push(...ours.filter((one) => !theirs.includes(one)).map((one) => `${file}: here alone: ${one}`));
      }
      const list = [...counted].sort().map(([name, count]) => `${name} ${count}`);
      process.stderr.write(`\n${architecture}: ${boards} boards; ${list.join(', ')}\n`);
      expect(different).toEqual([]);
      expect(boards).toBeGreaterThan(0);
    },
  );
}
