import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Core } from '../../src/cpu/core.js';
import type { Engine } from '../../src/cpu/engine/engine.js';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { Translator } from '../../src/cpu/engine/translator.js';
import { ESR } from '../../src/isa/registers.js';
import { R, S } from '../../src/cpu/state.js';
import type { Trap } from '../../src/cpu/trap.js';
import { syndrome } from '../../src/cpu/trap.js';
import { SLOTS } from '../../src/mmu/lookaside.js';
import { machine, map } from './machine.js';

/**
 * Vectors recorded on another implementation: registers and memory before and after one or two instructions in user mode.
 * The folder beside the project is used where there is one, and a small sample in vectors/ always.
 */
const CODE = 0x00408000;
const SLED = 0x00400000;
const WINDOW = 0x00300000;
const TRAP_ALWAYS = 0x7fe00008;
/** What is illegal, and behind it what no region goes on behind: only a row's own instructions are worth translating. */
const NOTHING = 0;
const END = [NOTHING, 0x4e800020];
const folders = [resolve(import.meta.dirname, 'vectors'), resolve(import.meta.dirname, '../../../shared/vectors')];

interface Row {
  form: string;
  code: string;
  in: string;
  memin: string;
  out: string;
  memout: string;
  nip: string;
  exc: string;
  dontcare: string;
}

/** Comma-separated with quotes. */
function parse(text: string): Row[] {
  const rows = text
    .trim()
    .split('\n')
    .map((line) => [...line.matchAll(/("([^"]*)"|[^,]*)(,|$)/g)].map((m) => m[2] ?? m[1]!));
  const [head, ...body] = rows;
  return body.map((cells) => Object.fromEntries(head!.map((name, i) => [name, cells[i] ?? ''])) as unknown as Row);
}

const pairs = (text: string, separator: string): [string, string][] =>
  text
    .split(' ')
    .filter((p) => p !== '')
    .map((p) => p.split(separator) as [string, string]);

const excNames: Partial<Record<Trap['kind'], string>> = {
  program: 'program',
  'data-storage': 'dsi',
  'instruction-storage': 'isi',
  'data-tlb-miss': 'dtlb',
  'instruction-tlb-miss': 'itlb',
  alignment: 'align',
  'system-call': 'sc',
};

const special: Record<string, number> = { cr: R.CR, xer: R.XER, lr: R.LR, ctr: R.CTR };
const registerWord = (name: string): number => special[name] ?? Number(name.slice(1));

function build(engine: Engine) {
  const m = machine({ ram: 0x20000, engine });
  map(m.core, 0, { ea: SLED, pa: 0, size: 3, space: 1 });
  map(m.core, 1, { ea: WINDOW, pa: 0x10000, size: 1, space: 1 });
  map(m.core, 2, { ea: 0x80000000, pa: 0, size: 9, space: 1, rights: 7 });
  map(m.core, 3, { ea: 0xf0000000, pa: 0, size: 9, space: 1, rights: 7 });
  for (let i = 0; i < 0x10000; i += 4) m.ram.write(i, 4, TRAP_ALWAYS);
  return m;
}

type Built = ReturnType<typeof build>;

/** Runs so many words; the trap that it ended with before it was through, or null. */
type Way = (built: Built, code: readonly number[]) => Trap | null;

/** An instruction at a time. */
const stepping: Way = ({ core }, code) => {
  let trap: Trap | null = null;
  for (let i = 0; i < code.length && trap === null; i++) {
    trap = core.step();
    if (code.length === 2 && core.regs.pc >>> 0 !== CODE + 4) break;
  }
  return trap;
};

/** In one go, as far as the trap that lies behind it and everywhere else. */
const running: Way = ({ core, ram }, code) => {
  const before = core.retired;
  const stop = core.run(50);
  if (stop.kind !== 'trap') return null; // it branches to itself
  const at = core.regs.pc - SLED;
  const word = at < 0x10000 ? ram.read(at, 4) : undefined;
  const isBehind = stop.trap.kind === 'program' && core.retired > before;
  if (isBehind && (word === TRAP_ALWAYS || word === NOTHING)) return null;
  if (stop.trap.kind.startsWith('instruction-')) return null; // what follows a branch is tried by who looks at the trap
  const done = core.retired - before - (stop.trap.kind === 'system-call' ? 1 : 0);
  if (done >= code.length)
    throw new Error(`${done} instructions were counted, of ${code.length}, and a ${stop.trap.kind}`);
  return stop.trap;
};

const engines: readonly (readonly [name: string, engine: Engine, way: Way])[] = [
  ['interpreter', new Interpreter(), stepping],
  ['reference', new Interpreter({ inline: false }), stepping],
  ['interpreter in one go', new Interpreter(), running],
  ['translator', new Translator(), stepping],
  ['translator of cold code', new Translator(), running],
  ['translator of everything', new Translator({ eager: true }), running],
];

const machines = engines.map(([name, engine, way]) => {
  const built = build(engine);
  built.core.run(2); // engines may treat a core that is only stepped in a way of its own
  return [name, built, way] as const;
});

/** Rows whose code was translated. */
let translated = 0;

/** Run a row and say what differs; nothing if all agrees. */
function differences(row: Row, built: Built, way: Way): string[] {
  const { core, ram, memory } = built;
  const { words } = core.regs;
  for (let i = 0; i < 32; i++) words[i] = 0xb0000000 | (i << 16) | (i << 8) | i;
  for (const name of ['cr', 'xer', 'lr', 'ctr']) words[registerWord(name)] = 0;
  for (const [name, value] of pairs(row.in, '=')) words[registerWord(name)] = parseInt(value, 16);
  words[R.RESERVED] = 0;
  ram.fill(0x10000, 256, 0);
  for (const [offset, hex] of pairs(row.memin, ':')) ram.load(0x10000 + parseInt(offset, 16), Buffer.from(hex, 'hex'));
  const code = row.code.match(/[0-9a-f]{8}/g)!.map((w) => parseInt(w, 16));
  const end = row.form.startsWith('b') ? [NOTHING] : END; // a branch may go there
  [...code, ...end].forEach((word, i) => ram.write(CODE - SLED + 4 * i, 4, word));
  core.system.msr = 0x4030;
  core.contextChanged();
  core.regs.pc = CODE;

  const expectedWords = Int32Array.from(words.subarray(0, 37));
  for (const [name, value] of pairs(row.out, '=')) expectedWords[registerWord(name)] = parseInt(value, 16);
  const expectedMemory = ram.slice(0x10000, 256);
  for (const [offset, hex] of pairs(row.memout, ':')) expectedMemory.set(Buffer.from(hex, 'hex'), parseInt(offset, 16));

  let trap = way(built, code);
  const table = core.lookaside.translations[(CODE >>> 12) % SLOTS]!;
  if (table !== 0 && memory.words[(table + (CODE & 0xfff)) >>> 2]! > 0) translated += 1;
  if (trap === null && /^i(si|tlb)/.test(row.exc)) trap = core.step(); // the branch's target cannot be fetched
  for (let i = 0; i < code.length + END.length; i++) ram.write(CODE - SLED + 4 * i, 4, TRAP_ALWAYS);

  const wrong: string[] = [];
  const ignored = row.dontcare.split(' ');
  for (let i = 0; i < 37; i++) {
    if (i === R.PC || ignored.includes(`r${i}`)) continue;
    let bits = i === R.XER ? 0xe000007f : -1;
    const crMask = i === R.CR && ignored.find((d) => d.startsWith('cr:'));
    if (crMask) bits = ~parseInt(crMask.slice(3), 16);
    if ((words[i]! & bits) !== (expectedWords[i]! & bits))
      wrong.push(`word ${i}: ${hex(words[i]!)}, not ${hex(expectedWords[i]!)}`);
  }
  if (!ignored.includes('mem') && Buffer.compare(ram.slice(0x10000, 256), expectedMemory) !== 0) wrong.push('memory');
  wrong.push(...outcome(row, trap, ignored, core));
  return wrong;
}

function outcome(row: Row, trap: Trap | null, ignored: string[], core: Core): string[] {
  if (row.exc === '')
    return trap
      ? [`trap ${JSON.stringify(trap)}`]
      : core.regs.pc !== parseInt(row.nip, 16)
        ? [`pc ${hex(core.regs.pc)}`]
        : [];
  const [name, ...details] = row.exc.split(' ');
  if (!trap) return [`no ${name}`];
  const wrong = excNames[trap.kind] === name ? [] : [`${trap.kind} instead of ${name}`];
  for (const [key, value] of pairs(details.join(' '), '=')) {
    const expected = parseInt(value, 16);
    if (key === 'srr0' && core.regs.pc !== expected) wrong.push(`srr0 ${hex(core.regs.pc)}`);
    if (key === 'esr' && !ignored.includes('esr') && (syndrome(trap) ?? 0) >>> 0 !== expected)
      wrong.push(`esr ${hex(syndrome(trap) ?? 0)}`);
    if (key === 'dear' && 'address' in trap && trap.address >>> 0 !== expected) wrong.push(`dear ${hex(trap.address)}`);
  }
  return wrong;
}

const hex = (value: number): string => (value >>> 0).toString(16);

describe.each(folders.filter((f) => existsSync(f)))('%s', (folder) => {
  const files = readdirSync(folder).filter((f) => f.endsWith('.csv') && f !== 'decode.csv');
  const cases = machines.flatMap(([engine, built, way]) => files.map((file) => [file, engine, built, way] as const));
  test.each(cases)('every row of %s comes out as recorded on %s', (file, engine, built, way) => {
    translated = 0;
    const rows = parse(readFileSync(resolve(folder, file), 'utf8'));
    const failed = rows.flatMap((row) => {
      const wrong = differences(row, built, way);
      return wrong.length > 0 ? [`${row.form} ${row.code} [${row.in}]: ${wrong.join('; ')}`] : [];
    });
    console.log(
      `${engine}, ${file}: ${rows.length} rows checked, ${rows.length - failed.length} passed, 0 skipped, ${translated} translated`,
    );
    // Those that a trap always ends, and system instructions in user mode, have nothing to translate
    if (engine === 'translator of everything' && !/exception|trap/.test(file))
      expect(translated).toBeGreaterThan(rows.length / 2);
    expect(failed.slice(0, 10)).toEqual([]);
    expect(rows.length).toBeGreaterThan(0);
  });
});

test('the syndrome bits are the manual’s', () => {
  expect([ESR.PIL, ESR.PPR, ESR.PTR, ESR.ST]).toEqual([0x08000000, 0x04000000, 0x02000000, 0x00800000]);
  expect(S.msr).toBe(0);
});
