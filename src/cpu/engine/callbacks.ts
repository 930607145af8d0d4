import { foresee } from '../access.js';
import type { Core } from '../core.js';
import { R } from '../state.js';
import { writeTlb } from '../supervisor.js';
import type { imports } from './emit-effects.js';

type Callback = (typeof imports)[number]['name'];

/** What generated code calls, of those that need nothing but the core, and those that somebody else does for it. */
export function callbacks(
  core: Core,
  others: Readonly<Record<'meet', (pc: number) => number>> & Readonly<Record<'interpret', () => number>>,
): Record<Callback, WebAssembly.Callable> {
  return {
    writeTlb: (entry, word, value, pc) => {
      const { words } = core.regs;
      if (words[R.SYSTEM] !== core.system.at) return core.emulation!.writeTlb(entry!, word!, value!, pc!) ? 1 : 0; // amid an exit of a guest
      writeTlb(core, entry!, word!, value!);
      return core.lookaside.find('execute', pc!, words[R.CODE_CONTEXT]!) < 0 ? 1 : 0;
    },
    foresee: (address, writes) => (foresee(core, address!, writes ? 'write' : 'read') ? 1 : 0),
    ...others,
  };
}
