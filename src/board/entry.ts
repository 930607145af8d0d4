import type { Core } from '../cpu/core.js';
import { EPAPR_MAGIC, type BootState } from '../loader/boot.js';
import { word0, word2 } from '../mmu/tlb.js';

const PAGE_256M = 0x10000000;
const SIZE_256M = 9 << 4;
const SUPERVISOR = word2.SX | word2.SW | word2.SR;

/**
 * Put a core that was reset at a program's entry as QEMU's bamboo does for an ELF image, so that one image runs on both:
 * all 4 GiB mapped to themselves for the supervisor, r1 near 16 MiB, r3 the device tree. A 440 has no page larger than
 * 256 MiB, so the map takes sixteen entries where QEMU's has two. r6 and r7 are ePAPR's.
 */
export function enter(core: Core, boot: BootState): void {
  for (let entry = 0; entry < 16; entry++) {
    const page = entry * PAGE_256M;
    core.system.tlb.write(entry, 0, page | word0.V | SIZE_256M, 0);
    core.system.tlb.write(entry, 1, page, 0);
    core.system.tlb.write(entry, 2, page < 0x80000000 ? SUPERVISOR : SUPERVISOR | word2.I | word2.G, 0);
  }
  const { gpr } = core.regs;
  gpr[1] = boot.stack;
  gpr[3] = boot.tree;
  gpr[6] = EPAPR_MAGIC;
  gpr[7] = boot.mapped;
  core.regs.pc = boot.entry;
}
