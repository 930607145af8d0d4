import { PAGE_SIZE } from '../bus/memory.js';
import { EV, token, type Answer, type HypercallFamily } from './hypercall.js';
import { MAGIC_FEATURES, NOT_EXECUTABLE } from './magic-page.js';
import type { Vcpu } from './vcpu.js';

const KVM = 42;

/** Bit numbers of what KVM_HC_FEATURES answers. */
const FEATURE = { MAGIC_PAGE: 1 } as const;

/** KVM's calls, as Linux guests make them (include/uapi/linux/kvm_para.h, arch/powerpc/include/uapi/asm/kvm_para.h). */
// prettier-ignore
export const kvmCalls: HypercallFamily = {
  [token(KVM, 3)]: { name: 'KVM_HC_FEATURES',           offered: (vcpu) => vcpu.offersKvm,                run: features },
  [token(KVM, 4)]: { name: 'KVM_HC_PPC_MAP_MAGIC_PAGE', offered: (vcpu) => vcpu.magicPage !== undefined, run: mapMagicPage },
};

/** Gives in r4 a bit for each feature. */
function features(vcpu: Vcpu): Answer {
  return { status: EV.SUCCESS, values: [vcpu.magicPage ? 1 << FEATURE.MAGIC_PAGE : 0] };
}

/**
 * r3 where the page is in real mode, which a 440 has not; r4 its effective address, with flags in the low 12 bits. Gives in
 * r4 what the page holds beyond its first registers. A second call moves the page.
 */
function mapMagicPage(vcpu: Vcpu, [real, address]: Int32Array): Answer {
  const flags = address! & (PAGE_SIZE - 1);
  if (real! & (PAGE_SIZE - 1) || flags & ~NOT_EXECUTABLE) return { status: EV.EINVAL, values: [0] };
  vcpu.magicPage?.map((address! & -PAGE_SIZE) >>> 0, (flags & NOT_EXECUTABLE) === 0);
  return { status: EV.SUCCESS, values: [MAGIC_FEATURES] };
}
