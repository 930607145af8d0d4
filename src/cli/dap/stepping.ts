import type { Breakpoint } from '../../debug/breakpoints.js';
import type { Resumption } from '../../debug/debugger.js';
import type { BackwardEnd, History } from '../../debug/history.js';
import { backtrace } from '../../debug/backtrace.js';
import type { Target } from '../../debug/target.js';
import type { Program } from './programs.js';

/** What a step is to do next: run so, or, with breakpoints of its own set, until one is met; or it is done. */
export type StepAction =
  | { readonly kind: 'run'; readonly resumption: Resumption }
  | { readonly kind: 'until'; readonly breakpoint: Breakpoint }
  | { readonly kind: 'done' };

export type StepKind = 'into' | 'over' | 'out';

const ONE: StepAction = { kind: 'run', resumption: { kind: 'step', count: 1 } };
const DONE: StepAction = { kind: 'done' };

/** A step by lines of source, or by single instructions; over what is called and over interrupts that come in between. */
export class Step {
  readonly #line: string | undefined;
  readonly #sp: number;
  readonly #steps: number;

  constructor(
    private readonly target: Target,
    private readonly program: Program,
    private readonly kind: StepKind,
    private readonly byInstruction: boolean,
  ) {
    const at = program.sourceOf(this.#pc);
    this.#line = at && `${at.file}:${at.line}`;
    this.#sp = target.registers.get('r1');
    this.#steps = target.runs!.steps;
  }

  get #pc(): number {
    return this.target.registers.get('pc');
  }

  begin(): StepAction {
    return this.kind === 'out' ? this.#outOf() : this.#within();
  }

  /** The target has stopped behind what was asked for last. */
  next(): StepAction {
    if (this.kind === 'out') return DONE;
    if (this.kind === 'over') {
      const back = this.#returnFromInterrupt() ?? this.#returnFromCall();
      if (back) return back;
    }
    if (this.byInstruction) return DONE;
    const here = this.program.sourceOf(this.#pc);
    if (!here) {
      if (this.kind === 'into' && this.target.registers.get('r1') < this.#sp) return this.#outOf();
      return this.#line === undefined ? DONE : ONE;
    }
    const begins = here.statement && here.from === this.#pc;
    if (`${here.file}:${here.line}` !== this.#line && (begins || this.#line === undefined)) return DONE;
    return this.#within();
  }

  /** To the end of what is the same line without a break. */
  #within(): StepAction {
    const here = this.byInstruction ? undefined : this.program.sourceOf(this.#pc);
    if (!here) return ONE;
    return { kind: 'run', resumption: { kind: 'range', from: here.from, to: here.to } };
  }

  /** Until the function that it is in has returned. */
  #outOf(): StepAction {
    const [, caller] = backtrace(this.target, this.program.plain, []);
    if (!caller) return ONE;
    return { kind: 'until', breakpoint: this.#at(caller.pc, ({ registers }) => registers.get('r1') >= caller.sp) };
  }

  /** At the first instruction of a function that was called: until it has returned. */
  #returnFromCall(): StepAction | undefined {
    if (this.program.functionOf(this.#pc) !== this.#pc) return undefined;
    const back = this.target.registers.get('lr');
    const sp = this.target.registers.get('r1');
    if (this.program.functionOf(back) === undefined || sp > this.#sp) return undefined;
    return { kind: 'until', breakpoint: this.#at(back, ({ registers }) => registers.get('r1') >= sp) };
  }

  /** At the first instruction of a handler: until it has come back to what it interrupted. */
  #returnFromInterrupt(): StepAction | undefined {
    const { registers, runs } = this.target;
    if (runs!.steps === this.#steps) return undefined;
    const base = registers.get('ivpr') & 0xffff0000;
    const vector = Array.from({ length: 16 }, (_, n) => n).find(
      (n) => (base | (registers.get(`ivor${n}`) & 0xfff0)) >>> 0 === this.#pc,
    );
    if (vector === undefined) return undefined;
    const critical = [0, 1, 12, 15].includes(vector);
    const back = registers.get(critical ? 'csrr0' : 'srr0');
    const sp = registers.get('r1');
    return { kind: 'until', breakpoint: this.#at(back, (target) => target.registers.get('r1') === sp) };
  }

  #at(address: number, condition: (target: Target) => boolean): Breakpoint {
    return { kind: 'execute', space: 'effective', address, length: 4, condition };
  }
}

/** Going back by a line gives up after so many instructions. */
const LONGEST_STEP_BACK = 500;

/** Back to the beginning of the line before, or by one instruction. */
export function lineBack(history: History, target: Target, program: Program, byInstruction: boolean): BackwardEnd {
  const where = () => program.sourceOf(target.registers.get('pc'));
  const start = where();
  let end = history.stepBack(target);
  for (let i = 1; !byInstruction && start && i < LONGEST_STEP_BACK && end.kind !== 'beginning'; i++) {
    const here = where();
    const begins = here?.statement && here.from === target.registers.get('pc');
    if (begins && (here.file !== start.file || here.line !== start.line)) break;
    end = history.stepBack(target);
  }
  return end;
}
