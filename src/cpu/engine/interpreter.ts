import { instructionsOf } from '../../isa/instructions.js';
import type { Feature } from '../../isa/spec.js';
import type { Core } from '../core.js';
import { R } from '../state.js';
import type { Surroundings } from './emit-js.js';
import type { Engine } from './engine.js';
import { OutOfLine } from './out-of-line.js';
import { emit, evaluate, inFunction, listVariants, refusals, type Variant } from './printed.js';

/**
 * The plain interpreter: one loop around one switch, both printed from the instruction definitions. It is the reference
 * for every other engine. Words are decoded each time they run, so changed code needs no care.
 */

/** In the loop itself a trap leaves `run`. */
const inLoop: Surroundings = {
  publish: `s[${R.PC}] = pc; s[${R.COUNT}] = count;`,
  abort: 'return;',
  tables: true,
  refresh: `limit = s[${R.LIMIT}];`,
};

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

/** How an interpreter is made. */
export interface InterpreterOptions {
  /**
   * False: every instruction is a function of its own, and every fetch, load and store takes the slow path: no lookaside.
   * A second reading of the definitions, to compare the fast one with. Default true.
   */
  readonly inline?: boolean;
  /** What the processor has beyond the 440's common instructions. Default nothing. */
  readonly features?: ReadonlySet<Feature>;
}

/** The source of `run(core)`; `--show-generated` prints it. */
export function interpreterSource(variants: readonly Variant[]): { run: string; functions: string[] } {
  const functions: string[] = [];
  const cases = variants.map((variant, i) => {
    const { instruction } = variant;
    const refused = refusals(instruction).join(' || ');
    const check = refused ? `if (${refused}) break legal; ` : '';
    if (isCalled(variant)) {
      const { code, repeats } = emit(variant, inFunction);
      const at = functions.push(`(core, s, w, pc) => { let next = pc + 4 | 0; ${code} return next; }`) - 1;
      const call = `${inLoop.publish} const next = called[${at}](core, s, w, pc); if (next === 1) return; ${inLoop.refresh}`;
      return `case ${i + 1}: { ${check}${call} ${stopAtSelfBranch(repeats)}pc = next; break; }`;
    }
    const emitter = emit(variant, inLoop);
    if (!emitter.branches) return `case ${i + 1}: { ${check}${emitter.code} pc = pc + 4 | 0; break; }`;
    const loop = stopAtSelfBranch(emitter.repeats);
    return `case ${i + 1}: { ${check}let next = pc + 4 | 0; ${emitter.code} ${loop}pc = next; break; }`;
  });
  const run = `
    const s = core.regs.words, lookaside = core.lookaside;
    const { words, halves, bytes } = core.memory;
    const readTag = lookaside.tags.read, readDelta = lookaside.deltas.read;
    const writeTag = lookaside.tags.write, writeDelta = lookaside.deltas.write;
    const codeTag = lookaside.tags.execute, codeDelta = lookaside.deltas.execute;
    let pc = s[${R.PC}], count = s[${R.COUNT}], limit = s[${R.LIMIT}], w = 0;
    run: while (count < limit) {
      const slot = pc >>> 12 & 1023;
      if (codeTag[slot] === (pc & ${~0xfff | 3} | s[${R.CODE_CONTEXT}])) w = words[pc + codeDelta[slot] >>> 2];
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

export class Interpreter implements Engine {
  readonly name: string;
  readonly #run: (core: Core) => void;

  constructor({ inline = true, features = new Set() }: InterpreterOptions = {}) {
    this.name = inline ? 'reference' : 'out of line';
    this.#run = inline ? printedLoop(features) : outOfLine(features);
  }

  run(core: Core): void {
    this.#run(core);
  }

  step(core: Core): void {
    this.#run(core);
  }
}

function printedLoop(features: ReadonlySet<Feature>): (core: Core) => void {
  const { variants, table } = listVariants(instructionsOf(features));
  const { run, functions } = interpreterSource(variants);
  const called = functions.map((source) => evaluate(source));
  return evaluate(`function run(core) {${run}\n}`, { table, called }) as (core: Core) => void;
}

function outOfLine(features: ReadonlySet<Feature>): (core: Core) => void {
  const engine = new OutOfLine(listVariants(instructionsOf(features)), false);
  return (core) => engine.run(core);
}
