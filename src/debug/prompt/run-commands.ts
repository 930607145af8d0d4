import { BareMachine } from '../../board/bare.js';
import { isAsk } from '../../hypervisor/lifecycle.js';
import { catchLines, catchTraps, listTraps, uncatchTraps } from '../traps/commands.js';
import { typeAt } from '../typing.js';
import { addressesOf, valueOf } from './places.js';
import { framesOf, PromptError, type Answer, type Commands, type PromptState } from './state.js';

const RUNS: Answer = { lines: [], runs: true };

const countOf = (state: PromptState, rest: string): number => (rest === '' ? 1 : valueOf(state, rest));

function finish(state: PromptState): Answer {
  const [, outer] = framesOf(state);
  if (!outer) throw new PromptError('the function that called this one is not known');
  state.runTo([outer.pc], outer.sp);
  return RUNS;
}

function until(state: PromptState, rest: string): Answer {
  if (rest === '') throw new PromptError('until PLACE: where to');
  const [, outer] = framesOf(state);
  const wanted = addressesOf(state, rest);
  state.runTo(outer ? [...wanted, outer.pc] : wanted, 0);
  return RUNS;
}

function armed(kind: 'trap-step' | 'trap-into') {
  return (state: PromptState): Answer => {
    state.traps.arm(kind, state.target.runs ? state.target : undefined);
    state.run({ kind: 'run' });
    return RUNS;
  };
}

function trapFinish(state: PromptState): Answer {
  const { traps, target } = state;
  const handler = traps.handlers(target).at(-1);
  if (!handler) throw new PromptError(`${target.name} is in no handler`);
  if (target.process.kind === 'board') state.runTo([handler.pc], handler.sp);
  else {
    traps.armFinish(target);
    state.run({ kind: 'run' });
  }
  return RUNS;
}

function type({ debug, target }: PromptState, rest: string): Answer {
  if (!typeAt(debug.machine, target.process, rest))
    throw new PromptError(`${target.name} has nothing that can be typed at`);
  return { lines: [] };
}

/** What a person could ask of a partition on the multiplexer’s command line; of the bare board, that it starts again. */
function partition({ debug: { machine }, target }: PromptState, rest: string): Answer {
  const [ask = '', name = target.process.name] = rest.split(/\s+/);
  if (machine instanceof BareMachine) {
    if (ask !== 'restart') throw new PromptError('partition restart: the bare board can only be started again');
    machine.restart();
    return { lines: ['the board: running'] };
  }
  const found = machine.partitions.find((each) => each.name === name);
  if (!isAsk(ask)) throw new PromptError('partition start|stop|pause|resume|restart [NAME]');
  if (!found)
    throw new PromptError(
      `there is no partition '${name}'; there are ${machine.partitions.map((p) => p.name).join(', ')}`,
    );
  const problem = machine.ask(ask, found);
  if (problem !== undefined) throw new PromptError(problem);
  return { lines: [`${found.name}: ${found.lifecycle}`] };
}

// prettier-ignore
export const runCommands: Commands = {
  stepi:     { usage: 'stepi [N]', help: 'one instruction, interrupt or hypercall, or N', run: (state, rest) => { state.run({ kind: 'step', count: countOf(state, rest) }); return RUNS; } },
  step:      { usage: 'step', help: 'to another source line, into calls; an instruction where there are no lines', run: (state) => { state.runLine(false); return RUNS; } },
  next:      { usage: 'next', help: 'the same, over calls', run: (state) => { state.runLine(true); return RUNS; } },
  finish:    { usage: 'finish', help: 'until this function returns', run: finish },
  until:     { usage: 'until PLACE', help: 'until a place is reached, or this function returns', run: until },
  continue:  { usage: 'continue', help: 'until something stops it (Ctrl-C does)', run: (state) => { state.run({ kind: 'run' }); return RUNS; } },
  'trap-step':   { usage: 'trap-step', help: 'to the end of this processor’s next trap, and show it', run: armed('trap-step') },
  'trap-into':   { usage: 'trap-into', help: 'to the next thing that is done about a trap: the exit, each thing the hypervisor does, where the guest resumes', run: armed('trap-into') },
  'trap-finish': { usage: 'trap-finish', help: 'until the program returns from the handler that it is in', run: trapFinish },
  catch:     { usage: 'catch [trap] [KIND,…] [PARTITION] [if EXPR]', help: 'stop at the end of such traps; $trap_pc, $trap_msr, $trap_pid, $trap_cycle are as they were before', run: ({ traps, debug }, rest) => ({ lines: catchTraps(traps, debug.processes, rest) }) },
  uncatch:   { usage: 'uncatch [N]', help: 'catch no longer: this one, or all', run: ({ traps }, rest) => ({ lines: uncatchTraps(traps, rest) }) },
  catches:   { usage: 'catches', help: 'what is caught', run: ({ traps }) => ({ lines: catchLines(traps) }) },
  traps:     { usage: 'traps [N] [KIND|PARTITION…]', help: 'the last traps in a line each; traps 1 and traps #NUMBER show one in full; traps off, traps on', run: ({ traps, debug }, rest) => ({ lines: listTraps(traps, debug.processes, rest) }) },
  type:      { usage: 'type TEXT', help: 'type at the selected program’s first stream: \\n ends a line', run: type },
  partition: { usage: 'partition ASK [NAME]', help: 'start, stop, pause, resume or restart a partition: the selected one, or another', run: partition },
};
