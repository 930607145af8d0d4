import type { FaultKind } from '../hypervisor/fault-kinds.js';
import { faultSummary } from '../hypervisor/fault-text.js';
import { ConsoleStream } from './console-stream.js';
import { Search, shown, type Pattern } from './pattern.js';
import { TestPartition } from './test-partition.js';

/** What a matcher of vitest, or of Jest, gives. */
export interface Verdict {
  readonly pass: boolean;
  readonly message: () => string;
}

/** A state of a partition, and the names that an ending gives it. */
export type StateName = TestPartition['state'];

const LINES = 12;

const consoleOf = (received: unknown, matcher: string): ConsoleStream => {
  if (received instanceof ConsoleStream) return received;
  throw new TypeError(`expect(…).${matcher}: give it a console, as \`board.console('name')\` does`);
};

const partitionOf = (received: unknown, matcher: string): TestPartition => {
  if (received instanceof TestPartition) return received;
  throw new TypeError(`expect(…).${matcher}: give it a partition, as \`board.partition('name')\` does`);
};

/** Assertions about a board as it is now, for `expect.extend`; `hv440/testing/vitest` does that. Nothing of them waits. */
export const matchers = {
  /** A console has printed this so far. */
  toHavePrinted(received: unknown, pattern: Pattern): Verdict {
    const { name, text, lines } = consoleOf(received, 'toHavePrinted');
    const pass = new Search(pattern, 'text', 0).finds(text) !== undefined;
    const last = lines.slice(-LINES).map((line) => `  | ${line}`);
    const message = (): string =>
      [`expected ${name} ${pass ? 'not ' : ''}to have printed ${shown(pattern)}; it printed last:`, ...last].join('\n');
    return { pass, message };
  },

  /** A partition is `running`, `paused`, `stopped`, or as it ended: `finished`, `reset`, `halted`, `checkstop`, `fault-loop`. */
  toBeInState(received: unknown, state: StateName): Verdict {
    const partition = partitionOf(received, 'toBeInState');
    const pass = partition.state === state;
    const is = pass ? `not to be '${state}'` : `to be '${state}', and it is '${partition.state}'`;
    return { pass, message: () => `expected partition '${partition.name}' ${is}` };
  },

  /** A partition has ended by itself, with this status if one is given. */
  toHaveEnded(received: unknown, status?: number): Verdict {
    const { name, ending, state } = partitionOf(received, 'toHaveEnded');
    const pass = ending?.kind === 'finished' && (status === undefined || ending.status === status);
    const wanted = status === undefined ? 'to have ended' : `to have ended with status ${status}`;
    const is = ending?.kind === 'finished' ? `ended with status ${ending.status}` : `is '${state}'`;
    return { pass, message: () => `expected partition '${name}' ${pass ? 'not ' : ''}${wanted}, and it ${is}` };
  },

  /** A partition has died, or faults in a loop; of this kind of fault if one is given (docs/faults.md). */
  toHaveFaulted(received: unknown, kind?: FaultKind): Verdict {
    const { name, faults } = partitionOf(received, 'toHaveFaulted');
    const pass = faults.some((fault) => kind === undefined || fault.kind === kind);
    const wanted = `${pass ? 'not ' : ''}to have had ${kind === undefined ? 'a fault' : `the fault '${kind}'`}`;
    const had =
      faults.length === 0 ? 'and it had none' : `and it had\n${faults.map((f) => `  ${faultSummary(f)}`).join('\n')}`;
    return { pass, message: () => `expected partition '${name}' ${wanted}, ${had}` };
  },
};
