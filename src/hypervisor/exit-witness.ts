import type { TrapWitness } from '../board/trap-witness.js';
import type { Exit } from './exit.js';

/** Looks on while a guest's exits are handled: what it left for, and each thing that is done about that. */
export interface ExitWitness extends TrapWitness {
  /** The guest left the core, and nothing has been done about it yet. */
  left(exit: Exit): void;
  /** It is being handled; `ahead`: another instruction is emulated in the same exit. */
  handles(exit: Exit, ahead: boolean): void;
  handled(): void;
  /** The guest waits for an interrupt, or has ended. */
  rests(): void;
}
