import { instructions } from './instructions.js';
import type { Instruction, Machine } from './spec.js';

/** How far an instruction reaches, to a hypervisor that looks ahead of a guest. */
export const REACH = {
  /** It may leave the straight line, or do more than one access; or only some processors have it. */
  OTHER: 0,
  PRIVILEGED: 1,
  /** Privileged or not by the number of the register it names: `isSupervisorNumber`. */
  SPR: 2,
  /** It reads and writes registers alone. */
  REGISTERS: 3,
  LOAD: 4,
  STORE: 5,
} as const;

const farther =
  'branch branchIf trapIf systemCall illegal loadReserve storeConditional loadMultiple storeMultiple loadString storeString zeroBlock touchBlock';

/** One of REACH, as the instruction's meaning has it. */
export function reachOf(instruction: Instruction): number {
  if (!instructions.includes(instruction)) return REACH.OTHER;
  const said = new Set<string>();
  const listener = new Proxy({}, { get: (_, word: string) => (said.add(word), () => '') });
  instruction.meaning(listener as Machine<string, string>, {});
  if (said.has('privileged')) return REACH.PRIVILEGED;
  if (said.has('readSpr') || said.has('writeSpr')) return REACH.SPR;
  if (farther.split(' ').some((word) => said.has(word))) return REACH.OTHER;
  if (said.has('load')) return REACH.LOAD;
  return said.has('store') ? REACH.STORE : REACH.REGISTERS;
}
