import type { Board } from '../../board/board.js';
import { deviceName } from '../../devicetree/addresses.js';
import type { Trap } from '../../cpu/trap.js';
import { interruptsOf } from '../../devicetree/addresses.js';

const MASKED_STATUS = 6;
const CRITICAL = 3;

/** Tells which devices an interrupt comes from, by what waits in the controllers. */
export class InterruptSources {
  /** By controller and line. */
  readonly #names = new Map<string, string>();

  constructor(readonly board: Board | undefined) {
    if (!board) return;
    const nodes = [...board.tree.root.walk()];
    const controllers = nodes.filter((n) => n.isCompatible('ibm,uic') && n.get('status')?.string !== 'disabled');
    for (const node of nodes) {
      for (const { controller, line } of interruptsOf(node)) {
        const name = node.isCompatible('ibm,uic') ? `UIC${controllers.indexOf(node)}` : deviceName(node);
        this.#names.set(`${controllers.indexOf(controller)} ${line}`, name);
      }
    }
  }

  /** `UIC0 line 0 (serial@ef600300)`; undefined where the trap is no interrupt of a device. */
  of({ kind }: Trap): string | undefined {
    if (kind !== 'external-input' && kind !== 'critical-input') return undefined;
    const waiting: string[] = [];
    for (const [i, uic] of (this.board?.uics ?? []).entries()) {
      const critical = uic.peekDcr(CRITICAL);
      const status = uic.peekDcr(MASKED_STATUS) & (kind === 'critical-input' ? critical : ~critical);
      for (let line = 0; line < 32; line++) {
        if (!(status & (0x80000000 >>> line))) continue;
        const name = this.#names.get(`${i} ${line}`);
        if (name?.startsWith('UIC') !== true)
          waiting.push(`UIC${i} line ${line}${name === undefined ? '' : ` (${name})`}`);
      }
    }
    return waiting.length > 0 ? waiting.join(', ') : undefined;
  }
}
