import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { ConfigError, describe } from '../../devicetree/finding.js';
import { UsageError } from '../../launch/errors.js';
import { testTree, type TreeTest } from '../../testing/tree-test.js';
import { variantsText } from './cases.js';
import type { Job } from './job.js';
import type { Failure, TestResult } from './results.js';

/** Runs one test of a tree; gives what became of it, and the files that the configuration was made of. */
export async function runCase({ test, flags, engine, seed, recordings }: Job) {
  const { name, file, title, combination } = test;
  const variant = Object.entries(combination).map(([axis, one]) => `${axis}=${one}`);
  const about = { name, file, title, combination };
  const began = performance.now();
  const took = (): number => performance.now() - began;
  try {
    const options = { ...engine, ...(seed !== undefined && { seed }) };
    const done = await testTree(file, { ...flags, variant }, options);
    const outcome = done.failure ? 'failed' : 'passed';
    const failure =
      done.failure &&
      failureOf(done, done.failure, join(recordings, `${fileName(`${file} ${variantsText(combination)}`)}.rec`));
    const result: TestResult = { ...about, outcome, milliseconds: took(), run: done.run, ...(failure && { failure }) };
    return { result, files: done.files };
  } catch (error) {
    const failure = troubleOf(error, file);
    const result: TestResult = { ...about, outcome: 'trouble', milliseconds: took(), failure };
    return { result, files: [resolve(file)] };
  }
}

function failureOf(
  { recording, describeFailure }: TreeTest,
  failure: NonNullable<TreeTest['failure']>,
  path: string,
): Failure {
  const { at, step, reason } = failure;
  const place = `${shownPath(at.file)}:${at.line}:${at.col}`;
  const who = step === undefined ? '' : `step '${step}' `;
  return { message: `${place}: ${who}${reason}`, details: describeFailure(), again: keep(recording(), path) };
}

/** Write a recording; the commands that have the same run again, or why there are none. */
function keep(recording: string, path: string): string[] {
  try {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, recording);
    return [`hv440 replay ${path}`, `hv440 debug --replay ${path}`];
  } catch (error) {
    return [`cannot be had: ${(error as Error).message}`];
  }
}

/** What is wrong with the configuration; what is wrong with hv440 itself has its place in the program. */
function troubleOf(error: unknown, file: string): Failure {
  if (error instanceof ConfigError) {
    const lines = error.findings.filter(({ severity }) => severity === 'error').map(describe);
    return { message: lines[0] ?? `${file}: the configuration is wrong`, details: lines.slice(1), again: [] };
  }
  if (error instanceof UsageError) return { message: error.message, details: [], again: [] };
  const { message, stack = '' } = error as Error;
  return { message: `${file}: hv440 itself failed: ${message}`, details: stack.split('\n'), again: [] };
}

const shownPath = (file: string): string => {
  const near = relative(process.cwd(), resolve(file)).split(sep).join('/');
  return near.startsWith('../') ? file : near;
};

/** A test as a file's name: `devicetrees/a.test.dts c=d` is `devicetrees-a.test.dts-c-d`. */
const fileName = (name: string): string => name.replaceAll(/[^A-Za-z0-9._]+/g, '-').replaceAll(/^-|-$/g, '');
