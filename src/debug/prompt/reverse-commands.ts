import { wordAt } from '../memory.js';
import type { TrapRecord } from '../traps/record.js';
import { addressesOf, standLines, valueOf } from './places.js';
import { framesOf, pastOf, PromptError, type Answer, type Commands, type PromptState } from './state.js';

/** Where a run backwards came to. */
type End = ReturnType<PromptState['backTo']>;

const answer = (state: PromptState, end: End, ...before: readonly string[]): Answer => ({
  lines: [
    ...before,
    ...(end === 'beginning' ? ['this is where the history begins'] : end === 'elsewhere' ? ['breakpoint'] : []),
    ...standLines(state),
  ],
});

const back = (state: PromptState, steps: number): Answer =>
  answer(state, pastOf(state).stepBack(state.target, steps).kind);

/** The trap by which the handler of this depth was entered, counted from 0, the outermost. */
const entryOf = ({ traps, target }: PromptState, depth: number): TrapRecord | undefined =>
  traps.last(
    1,
    (record) =>
      record.target === target &&
      record.handlers.length === depth + 1 &&
      record.stages.some(({ kind }) => kind === 'deliver'),
  )[0];

const BLR = 0x4e800020;

/** One step back; over what was called from here, and over what came in between and was handled. */
function overOne(state: PromptState, depth: number): End {
  const { target, traps } = state;
  const past = pastOf(state);
  const { registers } = target;
  const [pc, sp] = [registers.get('pc'), registers.get('r1')];
  if (past.stepBack(target).kind === 'beginning') return 'beginning';
  if (traps.handlers(target).length > depth) {
    const entry = entryOf(state, depth);
    return !entry || past.goTo(entry.moment) ? 'stopped' : 'beginning';
  }
  const returned = registers.get('pc') !== pc - 4 && wordAt(target.core, registers.get('pc'))! >>> 0 === BLR;
  return returned ? state.backTo((pc - 4) >>> 0, sp) : 'stopped';
}

const MOST_BACK = 10_000;

/** To the beginning of the line before this one. */
function backLine(state: PromptState, over: boolean): Answer {
  const { target, program, traps } = state;
  const depth = traps.handlers(target).length;
  const one = (): End => (over ? overOne(state, depth) : pastOf(state).stepBack(target).kind);
  let end = one();
  for (let n = 0; n < MOST_BACK && end === 'stopped'; n++) {
    const pc = target.registers.get('pc');
    const here = program.lines?.at(pc);
    if (!here || pc === here.from) break;
    end = one();
  }
  return answer(state, end);
}

/** It can take long, and be interrupted. */
function backToStop(state: PromptState): Answer {
  const { debug, target } = state;
  pastOf(state);
  const all = debug.targets.filter(({ runs }) => runs);
  debug.goBack(all, target.runs ? target : all[0]!);
  return { lines: [], runs: true };
}

/** To where this function was called. */
function backOut(state: PromptState): Answer {
  const { target, program } = state;
  const [, outer] = framesOf(state);
  const pc = target.registers.get('pc');
  const around = program.around(pc);
  if (!outer || !around) throw new PromptError('the function that called this one is not known');
  if (outer.interrupted) return backOutOfHandler(state);
  const end = around.offset === 0 ? 'stopped' : state.backTo(pc - around.offset, outer.sp);
  return answer(state, end === 'stopped' ? pastOf(state).stepBack(target).kind : end);
}

function backUntil(state: PromptState, rest: string): Answer {
  const [address] = rest === '' ? [] : addressesOf(state, rest);
  if (address === undefined) throw new PromptError('reverse-until PLACE: where to');
  return answer(state, state.backTo(address));
}

function toBefore(state: PromptState, record: TrapRecord | undefined, problem: string): Answer {
  if (!record) throw new PromptError(problem);
  const lines = state.traps.lines(record);
  if (!pastOf(state).goTo(record.moment)) throw new PromptError('that is before the history begins');
  return answer(state, 'stopped', 'before the trap:', ...lines);
}

/** To before the last trap of this processor. */
function backTrap(state: PromptState): Answer {
  const { traps, target } = state;
  pastOf(state);
  const [record] = traps.last(1, (each) => each.target === target && each.steps < target.runs!.steps);
  return toBefore(state, record, 'no trap of this processor is known before this');
}

/** To before the trap whose handler this is. */
function backOutOfHandler(state: PromptState): Answer {
  const depth = state.traps.handlers(state.target).length;
  if (depth === 0) throw new PromptError(`${state.target.name} is in no handler`);
  pastOf(state);
  return toBefore(state, entryOf(state, depth - 1), 'the trap that led here is not remembered');
}

function bookmarks(state: PromptState): Answer {
  const all = [...pastOf(state).bookmarks].map(
    ([name, { steps, cycle }]) =>
      `${name}: step ${steps.toLocaleString('en-US')}, cycle ${cycle.toLocaleString('en-US')}`,
  );
  return { lines: all.length > 0 ? all : ['no bookmarks'] };
}

// prettier-ignore
export const reverseCommands: Commands = {
  'reverse-stepi':       { usage: 'reverse-stepi [N]', help: 'back to before the last instruction, interrupt or hypercall', run: (state, rest) => back(state, rest === '' ? 1 : valueOf(state, rest)) },
  'reverse-step':        { usage: 'reverse-step', help: 'back to the beginning of the line before', run: (state) => backLine(state, false) },
  'reverse-next':        { usage: 'reverse-next', help: 'the same, over calls and handlers', run: (state) => backLine(state, true) },
  'reverse-finish':      { usage: 'reverse-finish', help: 'back to where this function was called', run: backOut },
  'reverse-until':       { usage: 'reverse-until PLACE', help: 'back to the last time that a place was reached', run: backUntil },
  'reverse-continue':    { usage: 'reverse-continue', help: 'back to the last breakpoint or watchpoint', run: backToStop },
  'reverse-trap-step':   { usage: 'reverse-trap-step', help: 'back to before this processor’s last trap (reverse-trap-into is the same)', run: backTrap },
  'reverse-trap-into':   { usage: 'reverse-trap-into', help: 'the same: the stages of a trap are all after its beginning', run: backTrap },
  'reverse-trap-finish': { usage: 'reverse-trap-finish', help: 'back to before the trap whose handler this is', run: backOutOfHandler },
  bookmarks: { usage: 'bookmarks', help: 'the moments that `bookmark NAME` has named, for `goto NAME`', run: bookmarks },
};
