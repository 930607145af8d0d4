import type { Trap } from '../cpu/trap.js';
import { wordAt } from './memory.js';
import type { Program } from './program.js';
import { standing } from './standing.js';
import type { Target } from './target.js';
import type { Interrupted } from './traps/record.js';

/** A function that has not returned. */
export interface Frame {
  readonly pc: number;
  /** Its stack pointer. */
  readonly sp: number;
  /** What interrupted it, if that is why the frame before it is there. */
  readonly interrupted?: Trap;
}

const LONGEST = 64;
function word(target: Target, address: number): number | undefined {
  const bytes = target.effective.read(address >>> 0, 4);
  return bytes.length < 4 ? undefined : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

interface At {
  readonly pc: number;
  readonly sp: number;
  readonly lr: number;
}

/**
 * The functions that have not returned, the innermost first, by the stack's back chain, and across the handlers that the
 * program is in into what they interrupted.
 */
export function backtrace(target: Target, program: Program, handlers: readonly Interrupted[]): readonly Frame[] {
  const { registers } = target;
  const left = [...handlers];
  const frames: Frame[] = [];
  let at: At | undefined = { pc: registers.get('pc'), sp: registers.get('r1'), lr: registers.get('lr') };
  let interrupted: Trap | undefined;
  while (at && frames.length < LONGEST) {
    const outer = left.at(-1);
    frames.push(...walk(target, program, at, outer?.sp, interrupted, LONGEST - frames.length));
    at = outer;
    interrupted = outer?.trap;
    left.pop();
  }
  return frames;
}

/** The frames from one on, up to the stack pointer at which a handler was entered. */
function walk(
  target: Target,
  program: Program,
  { pc, sp, lr }: At,
  limit: number | undefined,
  interrupted: Trap | undefined,
  most: number,
): Frame[] {
  const frames: Frame[] = [{ pc, sp, ...(interrupted && { interrupted }) }];
  const around = program.around(pc);
  const { framed, saved } = standing((at) => wordAt(target.core, at), around && pc - around.offset, pc);
  if (limit === sp) return frames; // a handler that has no frame yet
  let caller = framed ? word(target, sp) : sp;
  let back = saved && caller !== undefined ? word(target, caller + 4) : lr;
  let last = sp;
  while (caller !== undefined && back && frames.length < most) {
    if (limit !== undefined && caller >= limit && last < limit) break;
    if (caller < last || back & 3 || wordAt(target.core, back) === undefined) break;
    frames.push({ pc: back >>> 0, sp: caller });
    last = caller;
    const next = word(target, caller);
    back = next ? word(target, next + 4) : undefined;
    if (next === undefined || next <= caller) break;
    caller = next;
  }
  return frames;
}

/** `#1  c0001240 <tick+0x8>  hello.c:31`, with a line between a handler and what it interrupted. */
export function frameLines(frames: readonly Frame[], program: Program): string[] {
  return frames.flatMap(({ pc, interrupted }, i) => {
    const source = program.lines?.at(i > 0 && !interrupted ? pc - 4 : pc);
    const where = source ? `  ${source.file}:${source.line}` : '';
    const line = `#${String(i).padEnd(3)}${program.text(pc)}${where}`;
    return interrupted ? [`    -- ${interrupted.kind} came here --`, line] : [line];
  });
}
