// What a whole process takes, from its start: to a guest's first byte, to Linux's prompt; and the most memory it has had by then.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { root } from './guests.mjs';
import { range, spread, table } from './report.mjs';

/** Milliseconds until something must be wrong. */
const PATIENCE = 120_000;

/**
 * Each: a name, the text that is waited for ('' for the first byte), and what to give a machine; whether memory is what counts.
 * Linux is the kernel beside the project, or the one that comes along.
 */
export function wholeRuns(linux) {
  const hello = join(root, 'firmware', 'hello', 'hello.elf');
  const tiny = resolve(root, '..', 'shared', 'guests', 'vmlinux-tiny');
  const boot = existsSync(tiny)
    ? { name: 'boot of vmlinux-tiny', mark: 'ppc440# ', given: { image: tiny, memory: '128M' } }
    : { name: 'boot of Linux', mark: 'BOOT-OK', given: { ...linux.with(1), config: undefined, memory: '128M' } };
  return [{ name: 'first byte of hello.elf', mark: '', given: { image: hello } }, boot];
}

/** The most memory that a process has had, in MiB, where the system tells. */
function peakOf(pid) {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024;
  } catch {
    return undefined;
  }
}

/** Node reads all certificates at its start where this names some: on one machine 40 ms that say nothing of hv440. */
const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;

/** Start a command and stop it when it has printed a text; seconds until then, and MiB. */
export function watch({ program, args }, mark) {
  return new Promise((done, failed) => {
    const begun = performance.now();
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'ignore'] });
    const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
    let output = '';
    let found;
    child.stdout.on('data', (bytes) => {
      output += bytes.toString('latin1');
      if (found || !output.includes(mark)) return;
      found = { seconds: (performance.now() - begun) / 1000, peak: peakOf(child.pid) };
      child.kill('SIGKILL');
    });
    child.on('error', failed).on('close', () => {
      clearTimeout(patience);
      if (found) done(found);
      else
        failed(new Error(`${program} ${args.join(' ')} never printed ${JSON.stringify(mark)}:\n${output.slice(-800)}`));
    });
  });
}

/** Milliseconds and MiB by machine. */
export function concludeWhole({ name, samples }) {
  const all = Object.entries(samples);
  const each = (of) =>
    Object.fromEntries(all.map(([machine, list]) => [machine, spread(list.map(of).filter(Number.isFinite))]));
  const ratio = (one, other) =>
    spread((samples[other] ?? []).map(({ seconds }, i) => samples[one][i].seconds / seconds));
  return {
    name,
    seconds: Object.fromEntries(all.map(([machine, list]) => [machine, list.map(({ seconds }) => seconds)])),
    milliseconds: each(({ seconds }) => seconds * 1000),
    peakMiB: each(({ peak }) => peak),
    ratios: {
      bareToQemu: ratio('bare', 'qemu'),
      partitionToQemu: ratio('partition', 'qemu'),
      partitionToBare: ratio('partition', 'bare'),
    },
  };
}

/** Milliseconds from the start of the process. */
export function wholeTable(results, markdown = false) {
  const head = ['from process start', 'bare ms', 'partition ms', 'QEMU ms', 'bare : QEMU', 'partition : bare'];
  const rows = results.map(({ name, milliseconds, ratios }) => [
    name,
    ...['bare', 'partition', 'qemu'].map((machine) => range(milliseconds[machine])),
    range(ratios.bareToQemu),
    range(ratios.partitionToBare),
  ]);
  return table([head, ...rows], markdown);
}

/** The most memory by then. */
export function peakTable(results, markdown = false) {
  const head = ['peak resident memory', 'bare MiB', 'partition MiB', 'QEMU MiB', 'bare : QEMU'];
  const rows = results.map(({ name, peakMiB: { bare, partition, qemu } }) => [
    name,
    ...[bare, partition, qemu].map(range),
    bare && qemu ? (bare.median / qemu.median).toFixed(2) : '-',
  ]);
  return table([head, ...rows], markdown);
}
