import type { ColdTemplate } from './cold-template.js';

/**
 * What was made when the program was built, for a 440 without options and default settings. Run from its modules it has
 * nothing; in the bundle another module takes this one's place (`.ci/bundle.mjs`).
 */
export const preparedTemplate = (): ColdTemplate | undefined => undefined;
