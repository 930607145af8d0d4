// Every board of a Linux kernel (kernel.ts), against cpp and dtc.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { encodeBlob } from '../../src/devicetree/blob.js';
import { describe } from '../../src/devicetree/finding.js';
import { parse } from '../../src/devicetree/source.js';
import { tool } from '../tools.js';
import { architectures, boardsOf, includePathsOf, kernel, preprocessed } from './kernel.js';
import { readFile } from './trees.js';

const compiler = tool('powerpc-linux-gnu-gcc');
const program = tool('dtc');

const source = kernel();
const testWithKernel = source !== undefined && compiler !== undefined && program !== undefined ? test : test.skip;

interface Outcome {
  same: number;
  readonly different: string[];
}

/** The boards of an architecture by what cpp and dtc make of them, and by what is made of them here. */
function compare(architecture: string, symbols: boolean): Outcome {
  const includePaths = includePathsOf(source!);
  const outcome: Outcome = { same: 0, different: [] };
  for (const file of boardsOf(source!, architecture)) {
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
  const expanded = preprocessed(compiler!, file, includePaths);
  if (expanded === undefined) return undefined;
  const flags = ['-q', '-I', 'dts', '-O', 'dtb', ...(symbols ? ['-@'] : []), '-i', dirname(file), '-'];
  const { status, stdout } = spawnSync(program!, flags, { input: expanded, maxBuffer: 1 << 28 });
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
