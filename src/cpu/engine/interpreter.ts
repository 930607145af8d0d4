import { decodeTableOf, ILLEGAL } from '../../isa/decode.js';
import { instructionsOf } from '../../isa/instructions.js';
import { insert, type Feature, type Field, type Instruction, type InvalidForm } from '../../isa/spec.js';
import * as access from '../access.js';
import type { Core } from '../core.js';
import { R } from '../state.js';
import * as floatArithmetic from '../float-arithmetic.js';
import * as floatCompare from '../float-compare.js';
import * as floatStorage from '../float-storage.js';
import * as fpscr from '../fpscr.js';
import * as supervisor from '../supervisor.js';
import type { Trap } from '../trap.js';
import { JsEmitter, type EmittedField, type Surroundings } from './emit-js.js';
import type { Engine } from './engine.js';
import { mask } from './mask.js';

/**
 * The plain interpreter: one loop around one switch, both printed from the instruction definitions. It is the reference
 * for every other engine. Words are decoded each time they run, so changed code needs no care.
 */

/** An instruction with its one-bit options (Rc, OE, LK) known; those bits are among the eleven that decoding looks at. */
export interface Variant {
  readonly instruction: Instruction;
  readonly options: Readonly<Record<string, number>>;
}

const OPTION_NAMES = ['rc', 'oe', 'lk'];
const isOption = (f: Field): boolean => OPTION_NAMES.includes(f.name) && f.width === 1 && f.shift < 11;

/** From a decoding index to a variant's number; numbers are dense so that V8 makes a jump table of the switch. */
export function listVariants(instructions: readonly Instruction[]): { variants: Variant[]; table: Uint16Array } {
  const variants: Variant[] = [];
  const numbers = new Map<string, number>();
  const table = decodeTableOf(instructions).map((number, index) => {
    if (number === ILLEGAL) return 0;
    const instruction = instructions[number]!;
    const options = Object.fromEntries(
      instruction.fields.filter(isOption).map((f) => [f.name, (index >>> f.shift) & 1]),
    );
    const key = `${number} ${Object.values(options).join('')}`;
    if (!numbers.has(key)) numbers.set(key, variants.push({ instruction, options }));
    return numbers.get(key)!;
  });
  return { variants, table };
}

/** In the loop itself a trap leaves `run`. In a function of its own an instruction gives its next pc, or 1 after a trap. */
const inLoop: Surroundings = {
  publish: `s[${R.PC}] = pc; s[${R.COUNT}] = count;`,
  abort: 'return;',
  tables: true,
  refresh: `limit = s[${R.LIMIT}];`,
};
const inFunction: Surroundings = { publish: '', abort: 'return 1;', tables: false, refresh: '' };

function emit({ instruction, options }: Variant, surroundings: Surroundings): JsEmitter {
  const emitter = new JsEmitter(surroundings);
  const fields = Object.fromEntries(
    instruction.fields.map((f): [string, EmittedField] => [f.name, options[f.name] ?? extraction(f)]),
  );
  instruction.meaning(emitter, fields);
  return emitter;
}

function extraction({ shift, width, kind }: Field): string {
  const left = 32 - shift - width;
  if (kind === 'signed') return `(w << ${left} >> ${left + shift})`;
  if (kind === 'split') return `(w >>> ${shift} & 31) << 5 | (w >>> ${shift + 5} & 31)`;
  return `(w >>> ${shift} & ${2 ** width - 1})`;
}

/** Fixed bits that the decoding index does not cover. */
const leftOver = ({ mask }: Instruction): number => mask & 0x03fff800;

/** When `w` is refused though the decoding index has led to the instruction: conditions, of which any one is enough. */
function refusals(instruction: Instruction): string[] {
  const fixed = leftOver(instruction);
  const otherBits = fixed ? [`(w & ${fixed}) !== ${(instruction.match & fixed) | 0}`] : [];
  return [...otherBits, ...instruction.invalid.map((form) => invalidity(form, instruction))];
}

/** The condition under which `w` is of an invalid form. */
function invalidity(form: InvalidForm, { fields }: Instruction): string {
  const field = (name: string): Field => fields.find((f) => f.name === name)!;
  const value = (name: string): string => extraction(field(name));
  switch (form.kind) {
    case 'clear':
      return `(w & ${insert(form.bits, field(form.field))}) === 0`;
    case 'equal':
      return `${value(form.fields[0])} === ${value(form.fields[1])}`;
    case 'loaded':
      return `(${value(form.register)} - ${value(form.first)} & 31) < ((${value(form.bytes)} || 32) + 3 >> 2)`;
  }
}

/**
 * V8 stops optimising a function above 60 KB of bytecode: then it runs at a tenth of its speed. So what programs seldom run is
 * called instead: rare instructions, forms that record overflow, and what leaves for a slow path anyway.
 */
const isCalled = ({ instruction, options }: Variant): boolean =>
  instruction.rare || options['oe'] === 1 || calledByName.has(instruction.name);
const calledByName = new Set(
  [
    'lmw stmw lwarx stwcx. dcbf dcbst dcbi dcbz dccci iccci icbi mcrxr mcrf sc',
    'mfmsr mtmsr wrtee wrteei mfdcr mtdcr tlbre tlbwe tlbsx tlbsync rfi rfci rfmci',
    'addme subfme subfze divw divwu bca lhau lhaux lhbrx sthbrx lbzux lhzux stbux sthux nand eqv orc',
    'crandc creqv crnand crorc',
  ].flatMap((names) => names.split(' ')),
);

/** How an interpreter is printed. */
export interface InterpreterOptions {
  /**
   * False: every instruction is a function of its own, and every fetch, load and store takes the slow path: no lookaside.
   * A second reading of the definitions, to compare the fast one with. Default true.
   */
  readonly inline?: boolean;
  /** Fetch by the lookaside all the same. Default as `inline`. */
  readonly remembers?: boolean;
  /** What the processor has beyond the 440's common instructions. Default nothing. */
  readonly features?: ReadonlySet<Feature>;
}

/** The source of `run(core, oneBlock)`; `--show-generated` prints it. */
export function interpreterSource(
  variants: readonly Variant[],
  { inline = true, remembers = inline }: InterpreterOptions = {},
): { run: string; functions: string[] } {
  const functions: string[] = [];
  const cases = variants.map((variant, i) => {
    const { instruction } = variant;
    const refused = refusals(instruction).join(' || ');
    const check = refused ? `if (${refused}) break legal; ` : '';
    if (!inline || isCalled(variant)) {
      const { code, repeats } = emit(variant, inFunction);
      const at = functions.push(`(core, s, w, pc) => { let next = pc + 4 | 0; ${code} return next; }`) - 1;
      const leave = `if (oneBlock) { pc = next; count = count + 1; break run; } `;
      const call = `${inLoop.publish} const next = called[${at}](core, s, w, pc); if (next === 1) return; ${inLoop.refresh}`;
      return `case ${i + 1}: { ${check}${call} ${stopAtSelfBranch(repeats)}${leave}pc = next; break; }`;
    }
    const emitter = emit(variant, inLoop);
    if (!emitter.branches) return `case ${i + 1}: { ${check}${emitter.code} pc = pc + 4 | 0; break; }`;
    const loop = stopAtSelfBranch(emitter.repeats);
    const leave = `if (oneBlock && next !== (pc + 4 | 0)) { pc = next; count = count + 1; break run; } `;
    return `case ${i + 1}: { ${check}let next = pc + 4 | 0; ${emitter.code} ${loop}${leave}pc = next; break; }`;
  });
  const hit = remembers ? `codeTag[slot] === (pc & ${~0xfff | 3} | s[${R.CODE_CONTEXT}])` : 'false';
  const run = `
    const s = core.regs.words, lookaside = core.lookaside;
    const { words, halves, bytes } = core.memory;
    const readTag = lookaside.tags.read, readDelta = lookaside.deltas.read;
    const writeTag = lookaside.tags.write, writeDelta = lookaside.deltas.write;
    const codeTag = lookaside.tags.execute, codeDelta = lookaside.deltas.execute;
    let pc = s[${R.PC}], count = s[${R.COUNT}], limit = s[${R.LIMIT}], w = 0;
    run: while (count < limit) {
      const slot = pc >>> 12 & 1023;
      if (${hit}) w = words[pc + codeDelta[slot] >>> 2];
      else { ${inLoop.publish} w = ops.fetch(core); if (core.trap !== null) return; }
      legal: {
        switch (table[(w >>> 26) << 11 | w & 0x7ff]) {
          ${cases.join('\n          ')}
          default: break legal;
        }
        count = count + 1;
        continue;
      }
      ${inLoop.publish} core.raise(ILLEGAL_INSTRUCTION); return;
    }
    ${inLoop.publish}`;
  return { run, functions };
}

function stopAtSelfBranch(repeats: string): string {
  if (repeats === 'false') return '';
  const condition = repeats === 'true' ? '' : ` && ${repeats}`;
  return `if (next === pc && core.watchSelfBranch${condition}) { core.selfBranch = true; ${inLoop.publish} return; } `;
}

const constants: Readonly<Record<string, Trap>> = {
  ILLEGAL_INSTRUCTION: { kind: 'program', cause: 'illegal' },
  PRIVILEGED: { kind: 'program', cause: 'privileged' },
  TRAP: { kind: 'program', cause: 'trap' },
  FP_UNAVAILABLE: { kind: 'fp-unavailable' },
};

/** The high word of a 64-bit product, by halves: no partial sum exceeds 2^53. */
function highUnsigned(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle % 65536);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(other / 65536)) | 0;
}

const helpers = {
  masks: Int32Array.from({ length: 1024 }, (_, i) => mask(i >>> 5, i & 31)),
  /** mtcrf's mask: four ones for each one of FXM. */
  fieldMask: (fxm: number): number =>
    [0, 1, 2, 3, 4, 5, 6, 7].reduce((all, i) => all | (fxm & (1 << i) ? 15 << (4 * i) : 0), 0),
  highSigned: (a: number, b: number): number => (highUnsigned(a, b) - (a < 0 ? b : 0) - (b < 0 ? a : 0)) | 0,
  highUnsigned,
  /** tw, twi: TO asks for less, greater, equal, logically less, logically greater. */
  trapCondition: (to: number, a: number, b: number): boolean =>
    ((to & 16) !== 0 && a < b) ||
    ((to & 8) !== 0 && a > b) ||
    ((to & 4) !== 0 && a === b) ||
    ((to & 2) !== 0 && a >>> 0 < b >>> 0) ||
    ((to & 1) !== 0 && a >>> 0 > b >>> 0),
};

/** What instructions call that are not printed in full. */
const operations = { ...access, ...supervisor, ...floatArithmetic, ...floatCompare, ...floatStorage, ...fpscr };

export class Interpreter implements Engine {
  readonly name: string;
  readonly #run: (core: Core, oneBlock: boolean) => void;

  constructor(options: InterpreterOptions = {}) {
    this.name = options.inline === false ? 'out of line' : 'reference';
    const { variants, table } = listVariants(instructionsOf(options.features ?? new Set()));
    const { run, functions } = interpreterSource(variants, options);
    const scope: Record<string, unknown> = { ops: operations, table, ...constants, ...helpers };
    const names = Object.keys(scope);
    const called = functions.map(
      (source) => new Function(...names, `return ${source}`)(...Object.values(scope)) as unknown,
    );
    const source = `return function run(core, oneBlock) {${run}\n}`;
    this.#run = new Function(...names, 'called', source)(...Object.values(scope), called) as Interpreter['run'];
  }

  /** With `oneBlock`, only until a branch is taken, or an instruction has been run that is not part of the loop itself. */
  run(core: Core, oneBlock = false): void {
    this.#run(core, oneBlock);
  }
}
