import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bindingsMarkdown } from '../devicetree/bindings/markdown.js';
import { mistakeOf, rulesMarkdown } from '../devicetree/examples/markdown.js';
import { boardFile, deviceTrees } from '../launch/config.js';
import { instructionsMarkdown, registersMarkdown } from '../isa/reference.js';
import { ownershipIn } from './map.js';
import { mapSvg } from './map/svg.js';

/** The documents that are generated, by their path below the project's folder; the same text at every call. */
export const documents: Readonly<Record<string, () => string>> = {
  'docs/bindings.md': () => bindingsMarkdown(mistakeOf),
  'docs/instructions.md': instructionsMarkdown,
  'docs/map.svg': mapPicture,
  'docs/registers.md': registersMarkdown,
  'docs/rules.md': () => rulesMarkdown(readFileSync(boardFile)),
};

/** The picture of docs/map.md. */
function mapPicture(): string {
  return mapSvg('devicetrees/two-linux.dts', ownershipIn(join(deviceTrees, 'two-linux.dts')));
}
