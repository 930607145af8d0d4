import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { interpreterFile } from '../../src/cli/v8.js';
import { inRoot } from './child.js';

/** What a program prints that has the built `v8.js`. */
function printed(program: string, ...flags: string[]): string {
  const v8 = pathToFileURL(inRoot('dist', 'cli', 'v8.js')).href;
  const source = `import { optimizeAnew, optimizeLater, takeInterpreter, tellV8 } from ${JSON.stringify(v8)}; ${program}`;
  const { stdout, stderr } = spawnSync(process.execPath, [...flags, '--input-type=module', '-e', source], {
    encoding: 'utf8',
    env: { ...process.env, NODE_V8_COVERAGE: '' },
  });
  return stdout + stderr;
}

const isKept = existsSync(inRoot('dist', 'bundle', interpreterFile));

test.skipIf(!isKept)('V8 takes what it has made of the interpreter for cold code, for commands that run guests', () => {
  expect(printed("tellV8(); console.log(takeInterpreter('run'), takeInterpreter('check'))")).toBe('true false\n');
});

test.skipIf(!isKept)('V8 refuses code that it made under other settings', () => {
  expect(printed("console.log(takeInterpreter('run'))")).toBe('false\n');
});

test('V8 knows all that it is told about optimizing, then and later, and no program waits to tell it', () => {
  const waits = "console.log(process.getActiveResourcesInfo().includes('Timeout'))";
  for (const args of ["'run', '--bare'", "'run'", "'check'"])
    expect(printed(`optimizeLater([${args}]); ${waits}`)).toBe('false\n');
  expect(printed("optimizeLater(['run', '--bare']); setTimeout(() => console.log('over'), 1100)")).toBe('over\n');
});

test('V8 forgets how it has optimized, and optimizes again', () => {
  const program = `
    const inc = (n) => n + 1;
    const optimize = () => { %PrepareFunctionForOptimization(inc); inc(1); %OptimizeFunctionOnNextCall(inc); inc(1); };
    const isOptimized = () => (%GetOptimizationStatus(inc) & 16) !== 0;
    optimize();
    const first = isOptimized();
    await optimizeAnew();
    const then = isOptimized();
    optimize();
    console.log(first, then, isOptimized());`;
  expect(printed(program, '--allow-natives-syntax')).toBe('true false true\n');
});
