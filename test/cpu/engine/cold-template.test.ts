import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { interpreterFile, partsOf } from '../../../src/cli/v8.js';
import { TABLE_PLACES } from '../../../src/cpu/engine/cold.js';
import { coldModule, makeTemplate, placed } from '../../../src/cpu/engine/cold-template.js';
import { listVariants } from '../../../src/cpu/engine/printed.js';
import { DEFAULT_HOT, Translator } from '../../../src/cpu/engine/translator.js';
import { instructions } from '../../../src/isa/instructions.js';
import { bareMachine, partitions } from '../../system/machines.js';
import { root } from '../../tools.js';
import { machine } from '../machine.js';

const listed = listVariants(instructions);
const template = makeTemplate(listed, DEFAULT_HOT);

test('a template put to its places is what would have been made for them', () => {
  const [lookaside, tables] = [0x12345000, 0x7654000 + 0x10000000];
  const sprs = { read: tables + TABLE_PLACES.readSpr, write: tables + TABLE_PLACES.writeSpr };
  const whole = coldModule(listed, {
    lookaside: { at: lookaside },
    decoding: tables,
    sprs,
    reach: tables + TABLE_PLACES.reach,
    ram: tables + TABLE_PLACES.ram,
    known: tables + TABLE_PLACES.known,
    hot: DEFAULT_HOT,
  });
  expect(placed(template, lookaside, tables)).toEqual(whole);
  expect(template.lookaside.length).toBeGreaterThan(50);
});

test('put to low places it is a module, as long as before', () => {
  const low = placed(template, 0x3000, 0x9000);
  expect(() => new WebAssembly.Module(low)).not.toThrow();
  expect(low.length).toBe(template.bytes.length);
});

/** The interpreter of the first core of some boards: with little memory, with more, and below a hypervisor. */
function firstCores(): Buffer[] {
  const hello = join(root, 'firmware/hello/hello.elf');
  const demo = join(root, 'devicetrees/hostile.dts');
  const engines = [new Translator(), new Translator(), new Translator()] as const;
  const cores = [
    machine({ engine: engines[0], ram: 0x10000 }).core,
    bareMachine(hello, engines[1]).machine.board.cores[0]!,
    partitions(readFileSync(demo, 'utf8'), engines[2], demo).machine.board.cores[0]!,
  ];
  return cores.map((core, i) => Buffer.from(engines[i]!.interpreterOf(core)));
}

test('whatever board it is of, the first core has the same interpreter, which can be compiled before there is a board', () => {
  const [small, bare, partitioned] = firstCores();
  expect(bare!.equals(small!)).toBe(true);
  expect(partitioned!.equals(small!)).toBe(true);
});

const kept = join(root, 'dist', 'bundle', interpreterFile);
test.skipIf(!existsSync(kept))(
  'what was compiled when the program was built is the interpreter that the first core asks for',
  () => {
    const { module } = partsOf(readFileSync(kept));
    expect(Buffer.from(module).equals(firstCores()[0]!), 'is dist up to date? npm run build').toBe(true);
  },
);

const bundle = join(root, 'dist', 'bundle', 'hv440.cjs');
test.skipIf(!existsSync(bundle))('what the bundle has ready made is what the definitions give', () => {
  expect(readFileSync(bundle, 'latin1'), 'is dist up to date? npm run build').toContain(
    Buffer.from(template.bytes).toString('base64'),
  );
});
