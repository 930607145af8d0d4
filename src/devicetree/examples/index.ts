import { checkAll, type ImageInspector, type Inspection } from '../checks/index.js';
import type { Finding } from '../finding.js';
import { parse } from '../source.js';
import type { ReadFile } from '../tokens.js';
import { checkAsDtc, Levels, warningNamed } from '../warnings/index.js';
import { dtcExamples } from './dtc.js';
import { exampleSource, type Example, type Examples } from './example.js';
import { ownExamples } from './own.js';
import { sourceExamples } from './source.js';

export type { Example } from './example.js';

/** An example for every rule that finds something. */
export const examples: Examples = { ...sourceExamples, ...ownExamples, ...dtcExamples };

/** `64K-at-0x1000-entry-0x1100-linux.elf`: its size, its address (0 if not said), its entry point (its address if not said), and whether it is a Linux. */
const SIZED = /^(\d+)([KM])(?:-at-(0x[0-9a-f]+))?(?:-entry-(0x[0-9a-f]+))?(-linux|-bare)?\.(?:elf|cpio)$/;

/**
 * Images that are not there, told by their names (test/devicetree/README.md): `hello.elf` is `64K.elf`, `missing.*`
 * is missing, `x86.elf` and `folder.cpio` cannot be loaded.
 */
export const imagesByName: ImageInspector = {
  inspect(path): Inspection {
    const name = path.split('/').at(-1)!;
    if (name === 'x86.elf') return { ok: false, missing: false, reason: 'it is an ELF for x86-64' };
    if (name === 'folder.cpio') return { ok: false, missing: false, reason: 'it is a folder' };
    const [, size, unit, at = '0', entry = at, kind] = SIZED.exec(name === 'hello.elf' ? '64K.elf' : name) ?? [];
    if (!size) return { ok: false, missing: true, reason: 'no such file' };
    const segment = { address: Number(at), size: Number(size) * (unit === 'M' ? 2 ** 20 : 2 ** 10) };
    return {
      ok: true,
      segments: [segment],
      entry: Number(entry),
      isLinux: kind === undefined ? undefined : kind === '-linux',
    };
  },
};

/** What the examples' sources call hv440's board. */
export const EXAMPLE_BOARD = 'hv440-board.dtsi';
const FILE = 'example.dts';

/** The files that examples include: the board, one of 4 bytes, some that include each other, and the example itself. */
const filesOf =
  (text: string, board: Uint8Array): ReadFile =>
  (path) => {
    const depth = /^deep-(\d+)\.dtsi$/.exec(path)?.[1];
    if (depth !== undefined)
      return new TextEncoder().encode(depth === '0' ? '' : `#include "deep-${Number(depth) - 1}.dtsi"\n`);
    if (path === '4-bytes.bin') return new Uint8Array(4);
    if (path === FILE) return new TextEncoder().encode(text);
    return path === EXAMPLE_BOARD ? board : undefined;
  };

/** What the rule itself says of an example, wrong or right; `board` is the source of hv440's board. */
export function findingsOfExample(
  rule: string,
  example: Example,
  side: 'wrong' | 'right',
  board: Uint8Array,
): Finding[] {
  const text = exampleSource(example.frame, example[side], EXAMPLE_BOARD);
  const { tree, findings } = parse(text, FILE, filesOf(text, board));
  const levels = new Levels();
  if (warningNamed(rule)) levels.option('warning', rule);
  const errors = findings.some(({ severity }) => severity === 'error');
  const all = errors ? findings : checkAll(tree, findings, imagesByName, levels);
  // Where both have something to say of a place, the rule of our own is told; here the other is wanted.
  return (errors || !warningNamed(rule) ? all : checkAsDtc(tree, levels)).filter((finding) => finding.rule === rule);
}
