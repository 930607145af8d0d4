import { readFileSync } from 'node:fs';
import type { ImageInspector } from '../../src/devicetree/checks/index.js';
import { imagesByName as images } from '../../src/devicetree/examples/index.js';
import { check } from '../../src/devicetree/checks/index.js';
import type { Finding } from '../../src/devicetree/finding.js';
import { parse } from '../../src/devicetree/source.js';

export { images };

const read = (path: string): Uint8Array | undefined => {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
};

/** All that is found in a source, by the parser and then by the checks; notes only where its first line is of one. */
export function findingsIn(text: string, file: string, files: ImageInspector = images): Finding[] {
  const { tree, findings } = parse(text, file, read);
  const all = [...findings, ...check(tree, files)];
  return text.startsWith('// note: ') ? all : all.filter(({ severity }) => severity !== 'note');
}

/** The tree of a source that the parser has nothing to say about. */
export function treeOf(text: string, file = 'test.dts') {
  const { tree, findings } = parse(text, file, read);
  if (findings.length > 0) throw new Error(findings.map((f) => f.message).join('\n'));
  return tree;
}
