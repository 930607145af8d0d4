import { readFileSync } from 'node:fs';
import type { ImageInspector, Inspection } from '../../src/devicetree/checks/index.js';
import { check } from '../../src/devicetree/checks/index.js';
import type { Finding } from '../../src/devicetree/finding.js';
import { parse } from '../../src/devicetree/source.js';

/** `64K-at-0x1000-entry-0x1100.elf`: its size, its address (0 if not said) and its entry point (its address if not said). */
const SIZED = /^(\d+)([KM])(?:-at-(0x[0-9a-f]+))?(?:-entry-(0x[0-9a-f]+))?\.(?:elf|cpio)$/;

/**
 * Images that are not there, told by their names (README.md in this folder): `hello.elf` is `64K.elf`, `missing.*`
 * is missing, `x86.elf` and `folder.cpio` cannot be loaded.
 */
export const images: ImageInspector = {
  inspect(path): Inspection {
    const name = path.split('/').at(-1)!;
    if (name === 'x86.elf') return { ok: false, missing: false, reason: 'it is an ELF for x86-64' };
    if (name === 'folder.cpio') return { ok: false, missing: false, reason: 'it is a folder' };
    const [, size, unit, at = '0', entry = at] = SIZED.exec(name === 'hello.elf' ? '64K.elf' : name) ?? [];
    if (!size) return { ok: false, missing: true, reason: 'no such file' };
    const segment = { address: Number(at), size: Number(size) * (unit === 'M' ? 2 ** 20 : 2 ** 10) };
    return { ok: true, segments: [segment], entry: Number(entry) };
  },
};

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
