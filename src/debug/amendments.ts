import type { Amendment } from '../board/inputs.js';
import type { Target } from './target.js';

/** Does to a machine's processors what a debugger asks for, now or in a recording. */
export const amenderOf =
  (targets: readonly Target[]) =>
  (amendment: Amendment): number => {
    const target = targets.find(({ name }) => name === amendment.processor);
    return target ? amend(target, amendment) : 0;
  };

function amend(target: Target, amendment: Amendment): number {
  const { runs, registers } = target;
  switch (amendment.kind) {
    case 'held':
      if (runs) runs.held = amendment.held;
      return 0;
    case 'register': {
      const register = registers.find(amendment.register);
      if (register) registers.write(register, BigInt(`0x${amendment.value}`));
      return 0;
    }
    case 'memory':
      return target[amendment.space].write(amendment.address, Uint8Array.from(amendment.bytes));
    default:
      return amendment satisfies never;
  }
}
