import type { Use } from '../mmu/tlb.js';
import type { Access } from './trap.js';

/** Why a debugger's probe stops a core: before an instruction, or behind one that accessed what is watched. */
export type ProbeStop =
  | { readonly kind: 'breakpoint'; readonly address: number }
  | { readonly kind: 'watchpoint'; readonly address: number; readonly access: Access };

/**
 * A debugger's breakpoints and watchpoints, as a core sees them; none of it is in guest memory or in the debug registers.
 *
 * A page that holds one is never put into the lookaside, so every engine comes to the slow path for it (`access.ts`), and
 * only there is anything asked: without probes nothing costs anything. For an engine that means two things, which it
 * must do anyway: an instruction, load or store whose page is not in the lookaside goes by `access.ts`, with the pc, the
 * count and the registers published; and it comes back when `core.trap` is set (before the instruction: a breakpoint) or
 * when LIMIT is 0 (behind it: a watchpoint). Whoever changes probes flushes the lookaside.
 */
export interface Probes {
  /** Set once something was met; while it is, no core runs. The debugger clears it. */
  stop: ProbeStop | undefined;
  /** Is the 4 KiB page of this effective address, which lies at `host` of the shared memory, to be asked about at each use? */
  guards(use: Use, address: number, host: number): boolean;
  /**
   * The instruction at this address is about to run. Asked again if it has to be started again (a shadow miss, a debug
   * event), and the answer must then be no.
   */
  meetsInstruction(address: number, host: number): void;
  /** Bytes are about to be accessed, and nothing forbids it. `host` is -1 for a device, `physical` the core's own. */
  meetsAccess(access: Access, address: number, bytes: number, host: number, physical: number): void;
}
