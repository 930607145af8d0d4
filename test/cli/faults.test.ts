import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Faults } from '../../src/cli/faults.js';
import { Mux } from '../../src/console/mux.js';
import { faultKinds } from '../../src/hypervisor/fault-kinds.js';
import type { FaultReport } from '../../src/hypervisor/fault-report.js';
import { Code } from '../hypervisor/code.js';
import { hypervisor, runToEnd } from '../hypervisor/guest.js';
import { root, run } from '../tools.js';

const folder = mkdtempSync(join(tmpdir(), 'hv440-faults-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Prints a line and a half, and jumps to nowhere. */
const jumper = (): Code =>
  new Code().print('hi\n\nbye').li(3, 0xe0000000).op('mtspr', { rs: 3, spr: 9 }).op('bcctr', { bo: 20, bi: 0 });

/** Its raw image, entered at 0. */
function imageFile(name: string, code: Code): string {
  const path = join(folder, name);
  const [segment] = code.image().segments;
  writeFileSync(path, segment!.bytes);
  return path;
}

const file = imageFile(
  'jump.bin',
  new Code(0).print('hi\n\nbye').li(3, 0xe0000000).op('mtspr', { rs: 3, spr: 9 }).op('bcctr', { bo: 20, bi: 0 }),
);
const main = join(root, 'dist/cli/main.cjs');

test('every kind has a chapter of its own in docs/faults.md, and no chapter is of another', () => {
  const chapters = [...readFileSync(join(root, 'docs/faults.md'), 'utf8').matchAll(/^### (.*)$/gm)].map((m) => m[1]);
  expect(chapters.toSorted()).toEqual(Object.keys(faultKinds).toSorted());
});

test.each([
  ['as a partition', [], 'jump', "hv440: partition 'jump' stopped at a machine check while MSR[ME] was clear\n"],
  ['on the bare board', ['--bare'], 'board', 'hv440: the program stopped at a machine check while MSR[ME] was clear\n'],
])('a program that dies %s is explained on standard error, and in a file as JSON', async (_, options, name, first) => {
  const json = join(folder, `${name}.json`);
  const { status, stdout, stderr } = await run(process.execPath, [
    main,
    'run',
    file,
    ...options,
    '--fault-report',
    json,
  ]);
  expect([status, stdout]).toEqual([1, 'hi\n\nbye']);
  expect(stderr.startsWith(first)).toBe(true);
  expect(stderr).toContain(`hv440: ${name}/cpu0: machine-check-disabled: `);
  expect(stderr).toContain(
    'hv440:   trap      machine-check (instruction-fetch), fetch from 0xe0000000, at 0xe0000000\n',
  );
  expect(stderr).toContain('hv440:   last line "bye"\n');
  expect(stderr).toContain('CTR e0000000');
  expect(stderr.endsWith('hv440:   see       docs/faults.md#machine-check-disabled\n')).toBe(true);
  const lines = readFileSync(json, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { program: name, kind: 'machine-check-disabled', lastLine: 'bye', pc: { address: 0xe0000000 } },
  ]);
});

test('a report goes nowhere else than to a file that can be written', async () => {
  const options = ['run', file, '--fault-report', join(folder, 'missing/x.json')];
  const { status, stderr } = await run(process.execPath, [main, ...options]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^hv440: --fault-report .*missing\/x\.json: .*; name a file that can be written$/m);
});

test('the command `fault` lists who died, explains one, and says how things stand with one that goes on', () => {
  const mux = new Mux();
  const spin = new Code().label('spin').op('addi', { rt: 3, ra: 3, si: 1 }).b('spin');
  const taken: FaultReport[] = [];
  const made = hypervisor({ guest: { program: jumper() }, spin: { program: spin } }, { onFault: (r) => taken.push(r) });
  const stream = mux.open('guest/serial@ef600300');
  const faults = new Faults(mux, (name) => made.hv.explain(name));
  expect(faults.lines(undefined)).toEqual(['nothing has died; `fault NAME` says how things stand with a program']);
  runToEnd(made.hv, 50_000);
  stream.print(made.output.text('guest/serial@ef600300'));
  taken.forEach(faults.add);
  expect(faults.lines(undefined)).toEqual([
    'guest: machine-check-disabled: machine-check (instruction-fetch), fetch from 0xe0000000, at 0xe0000000',
  ]);
  expect(faults.lines('guest')).toContain('  last line "bye"');
  expect(faults.lines('spin')[0]).toBe('spin/cpu0: none: it has not ended');
  expect(faults.lines('nobody')).toEqual(["there is nothing to explain about 'nobody'"]);
});
