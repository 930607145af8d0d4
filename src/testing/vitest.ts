// `hv440/testing/vitest`: vitest's `expect` with the matchers of boards, and their types.

import { expect } from 'vitest';
import type { FaultKind } from '../hypervisor/fault-kinds.js';
import { matchers, type StateName } from './matchers.js';
import type { Pattern } from './pattern.js';

expect.extend(matchers);

export { expect };

declare module 'vitest' {
  interface Matchers<T> {
    /** A console has printed this so far. */
    toHavePrinted(pattern: Pattern): T;
    /** A partition is `running`, `paused`, `stopped`, or as it ended: `finished`, `reset`, `halted`, `checkstop`, `fault-loop`. */
    toBeInState(state: StateName): T;
    /** A partition has ended by itself, with this status if one is given. */
    toHaveEnded(status?: number): T;
    /** A partition has died, or faults in a loop; of this kind of fault if one is given. */
    toHaveFaulted(kind?: FaultKind): T;
  }
}
