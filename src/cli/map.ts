import { writeFileSync } from 'node:fs';
import { configure, type PartitionConfiguration } from '../devicetree/configuration.js';
import { checkConfig, readTree, type SourceFlags } from '../launch/config.js';
import { insist } from './config.js';
import { UsageError } from '../launch/errors.js';
import { Files, namedImage, namedInitrd } from '../launch/files.js';
import { mapHtml } from './map/html.js';
import { ownershipOf, type Contents, type Ownership } from './map/model.js';
import { mapSvg } from './map/svg.js';
import { mapText } from './map/text.js';

/** What a map can be written as. */
export const mapFormats = ['text', 'svg', 'html', 'json'] as const;

export interface MapOptions extends SourceFlags {
  readonly format?: (typeof mapFormats)[number];
  readonly output?: string;
}

/** Who owns what in a configuration's file. Throws for mistakes in it, as `boot` does. */
export function ownershipIn(config: string, options: SourceFlags = {}): Ownership {
  const files = new Files();
  const tree = insist(checkConfig(readTree(config, options), files));
  const contentsOf = ({ image, initrd }: PartitionConfiguration): Contents => ({
    image: namedImage(files, image),
    ...(initrd !== undefined && { initrd: namedInitrd(initrd).length }),
  });
  return ownershipOf(tree, configure(tree), contentsOf);
}

/** `hv440 map CONFIG.dts`: who owns what, on standard output or in a file. Gives the exit status. */
export function map(config: string, options: MapOptions): number {
  const { output } = options;
  const ownership = ownershipIn(config, options);
  const shown = {
    text: () => mapText(config, ownership),
    svg: () => mapSvg(config, ownership),
    html: () => mapHtml(config, ownership),
    json: () => `${JSON.stringify(ownership, null, 2)}\n`,
  };
  const text = shown[options.format ?? formatOf(output)]();
  if (output === undefined) process.stdout.write(text);
  else write(output, text);
  return 0;
}

/** By the ending of the file that it goes to. */
function formatOf(output = ''): (typeof mapFormats)[number] {
  const ending = /\.html?$/.test(output) ? 'html' : output.replace(/^.*\./, '');
  return mapFormats.find((format) => format === ending) ?? 'text';
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UsageError(`--output ${file}: ${(error as Error).message}; name a file that can be written`);
  }
}
