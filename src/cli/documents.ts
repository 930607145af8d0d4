import { bindingsMarkdown } from '../devicetree/bindings/markdown.js';
import { rulesMarkdown } from '../devicetree/checks/index.js';
import { instructionsMarkdown, registersMarkdown } from '../isa/reference.js';

/** The documents that are generated, by their path below the project's folder; the same text at every call. */
export const documents: Readonly<Record<string, () => string>> = {
  'docs/bindings.md': bindingsMarkdown,
  'docs/instructions.md': instructionsMarkdown,
  'docs/registers.md': registersMarkdown,
  'docs/rules.md': rulesMarkdown,
};
