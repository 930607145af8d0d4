import { decodeBlob, encodeBlob } from '../devicetree/blob.js';
import type { Node, Tree } from '../devicetree/tree.js';
import { readContents } from './files.js';
import { crc32 } from '../loader/crc32.js';

/** What a run is of: two of the same go the same way with the same inputs. JSON. */
export interface Identity {
  /** The configuration as a blob, in base64. */
  readonly tree: string;
  /** Images and initial RAM disks, by what they are for: length and CRC-32. */
  readonly files: Readonly<Record<string, string>>;
  /** What of the command line decides on the run. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The bytes of what partitions, or the board, are started from. */
export function filesOf(
  programs: readonly { readonly name: string; readonly image: string; readonly initrd?: string | undefined }[],
): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  for (const { name, image, initrd } of programs) {
    for (const [what, path] of [
      ['image', image],
      ['initrd', initrd],
    ] as const) {
      const contents = path === undefined ? undefined : readContents(path);
      if (contents?.ok) files[`${what} of ${name}`] = contents.bytes;
    }
  }
  return files;
}

export function identityOf(
  tree: Tree,
  files: Readonly<Record<string, Uint8Array>>,
  options: Readonly<Record<string, unknown>>,
): Identity {
  return {
    tree: Buffer.from(encodeBlob(tree)).toString('base64'),
    files: Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [
        name,
        `${bytes.length} bytes, CRC-32 ${crc32(bytes).toString(16)}`,
      ]),
    ),
    options,
  };
}

/** In what two differ, a line each; none where they are the same. */
export function differences(saved: Identity, now: Identity): string[] {
  const trees = saved.tree === now.tree ? [] : treeDifferences(treeOf(saved), treeOf(now));
  const names = (a: object, b: object): string[] => [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const files = names(saved.files, now.files)
    .filter((name) => saved.files[name] !== now.files[name])
    .map((name) => `${name}: ${saved.files[name] ?? 'none'} then, ${now.files[name] ?? 'none'} now`);
  const text = (value: unknown): string => JSON.stringify(value) ?? 'not given';
  const options = names(saved.options, now.options)
    .filter((name) => text(saved.options[name]) !== text(now.options[name]))
    .map((name) => `--${name}: ${text(saved.options[name])} then, ${text(now.options[name])} now`);
  return [...trees, ...files, ...options];
}

/** The configuration; `file` is where its paths begin. */
export const treeOf = ({ tree }: Identity, file = 'configuration'): Tree =>
  decodeBlob(Buffer.from(tree, 'base64'), file);

const MOST = 5;

function treeDifferences(saved: Tree, now: Tree): string[] {
  const values = (tree: Tree): Map<string, string> =>
    new Map([...tree.root.walk()].flatMap((node) => [[node.path, ''], ...propertiesOf(node)] as [string, string][]));
  const [before, after] = [values(saved), values(now)];
  const paths = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
  const lines = paths.map((path) =>
    !before.has(path)
      ? `${path} was not there then`
      : after.has(path)
        ? `${path} had another value`
        : `${path} is no longer there`,
  );
  if (lines.length === 0) return ['the configuration’s nodes are in another order'];
  return lines.length > MOST ? [...lines.slice(0, MOST), `and ${lines.length - MOST} more`] : lines;
}

const propertiesOf = (node: Node): [string, string][] =>
  [...node.properties.values()].map(({ name, value }) => [`${node.path} ${name}`, Buffer.from(value).toString('hex')]);
