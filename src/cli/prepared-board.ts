import type { PackedDraft } from '../devicetree/packed-draft.js';

/**
 * The board's device tree as it was when the program was built. Run from its modules it has nothing; in the bundle another module
 * takes this one's place (`.ci/bundle.mjs`).
 */
export const preparedBoard = (): PackedDraft | undefined => undefined;
