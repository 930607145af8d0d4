import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeBlob } from '../devicetree/blob.js';
import { checkAll, checkBoard } from '../devicetree/checks/index.js';
import type { Finding } from '../devicetree/finding.js';
import { applySettings, parseSetting, withSettings, type Setting } from '../devicetree/settings.js';
import { parse } from '../devicetree/source.js';
import { applyVariants, axesOf, unknownVariant, type Combination } from '../devicetree/test-plan.js';
import type { Tree } from '../devicetree/tree.js';
import type { Levels } from '../devicetree/warnings/index.js';
import { FileError, UsageError } from './errors.js';
import { readContents, readFile, type Files } from './files.js';

/** The project's own device trees, whether it runs from dist/ or is installed. */
export const deviceTrees = resolve(dirname(fileURLToPath(import.meta.url)), '../../devicetrees');

/** The board that images run on unless a configuration says otherwise. */
export const boardFile = resolve(deviceTrees, 'hv440-board.dtsi');

/** A tree, and all that its syntax and the rules have to say of it. */
export interface Configured {
  readonly tree: Tree;
  readonly findings: readonly Finding[];
  /** It has been checked before, and has no errors. */
  readonly checked?: boolean;
  /** The files that were looked into while it was read, beside the first. */
  readonly sources?: readonly string[];
}

const startsWith = (bytes: Uint8Array, ...magic: number[]): boolean => magic.every((byte, i) => bytes[i] === byte);
const isBlob = (bytes: Uint8Array): boolean => startsWith(bytes, 0xd0, 0x0d, 0xfe, 0xed);

/** Binary files that somebody may give where a device tree belongs, by their first bytes. */
const kinds: readonly (readonly [kind: string, magic: readonly number[]])[] = [
  ['an ELF image', [0x7f, 0x45, 0x4c, 0x46]],
  ['a U-Boot image', [0x27, 0x05, 0x19, 0x56]],
  ['compressed by gzip', [0x1f, 0x8b]],
];

/** Why a file is no device tree at all, and the remedy; undefined if it may be one. */
function notATree(bytes: Uint8Array, file: string): readonly [problem: string, remedy: string] | undefined {
  const [kind] = kinds.find(([, magic]) => startsWith(bytes, ...magic)) ?? [];
  if (kind !== undefined) return [`it is ${kind}, not a device tree`, `\`hv440 run ${file}\` boots an image`];
  if (!bytes.includes(0)) return undefined;
  return ['it is a binary file, and not a device tree blob', NAME_A_TREE];
}

const NAME_A_TREE = 'name a device tree, .dts or .dtb';

/** How sources are read. */
export interface SourceFlags {
  /** Folders where included files are looked for: `-I DIR`. */
  readonly include?: readonly string[];
  /** Macros, as `NAME=VALUE`: `-D`. */
  readonly define?: readonly string[];
  /** Name every label in `/__symbols__`: `-@`. */
  readonly withSymbols?: boolean;
  /** Properties to be others than the file has them, as `PATH=VALUE`: `--set`. */
  readonly set?: readonly string[];
  /** Of axes of the test's matrix, the variant to have, as `AXIS=NAME`: `--variant`. */
  readonly variant?: readonly string[];
}

/** Read a device tree, source or blob. Throws a FileError where there is none, a ConfigError for a broken blob. */
export function readTree(file: string, flags: SourceFlags = {}): Configured {
  return inVariant(readPlain(file, flags), flags);
}

/** The same for source text; paths in it are relative to `file`, which need not be there. */
export function readSource(source: string, file: string, flags: SourceFlags = {}): Configured {
  return inVariant(parseSource(source, file, flags), flags);
}

function inVariant(configured: Configured, { variant }: SourceFlags): Configured {
  const { tree, findings } = configured;
  if (variant !== undefined && !hasErrors(findings)) applyVariants(tree, variantsOf(tree, variant));
  return configured;
}

function readPlain(file: string, flags: SourceFlags): Configured {
  const contents = readContents(file);
  if (!contents.ok) throw new FileError(file, contents.reason, NAME_A_TREE);
  const { bytes } = contents;
  if (isBlob(bytes)) {
    const tree = decodeBlob(bytes, file);
    return { tree, findings: applySettings(tree, (flags.set ?? []).map(settingOf)) };
  }
  const problem = notATree(bytes, file);
  if (problem) throw new FileError(file, ...problem);
  return parseSource(new TextDecoder().decode(bytes), file, flags);
}

function parseSource(
  source: string,
  file: string,
  { include = [], define = [], withSymbols = false, set = [] }: SourceFlags,
): Configured {
  const options = { includePaths: include, defines: define, symbols: withSymbols };
  const sources: string[] = [];
  const read = (path: string): Uint8Array | undefined => {
    sources.push(path);
    return readFile(path);
  };
  return { ...parse(withSettings(source, set.map(settingOf)), file, read, options), sources };
}

function settingOf(text: string): Setting {
  const setting = parseSetting(text);
  if ('problem' in setting) throw new UsageError(`--set ${setting.problem}`);
  return setting;
}

/** What `--variant AXIS=NAME` picks. Throws a UsageError for what the matrix does not have. */
function variantsOf(tree: Tree, texts: readonly string[]): Combination {
  const picked = Object.fromEntries(
    texts.map((text) => {
      const [, axis, name] = /^([^=]+)=(.+)$/.exec(text) ?? [];
      if (axis === undefined || name === undefined) throw new UsageError(`--variant ${text}: give it as AXIS=NAME`);
      return [axis, name];
    }),
  );
  const problem = unknownVariant(axesOf(tree), picked);
  if (problem !== undefined) throw new UsageError(`--variant ${problem}`);
  return picked;
}

/** Whether a configuration cannot be used. */
export const hasErrors = (findings: readonly Finding[]): boolean => findings.some((f) => f.severity === 'error');

/**
 * A configuration with everything that is wrong with it; the rules are asked only where the syntax is right, and dtc's
 * checks among them where levels are given.
 */
export function checkConfig(configured: Configured, files: Files, levels?: Levels): Configured {
  const { tree, findings, checked = false } = configured;
  if (checked || hasErrors(findings)) return { tree, findings };
  return { tree, findings: checkAll(tree, findings, files, levels) };
}

/** A board's tree with what is wrong with it, no matter what partitions it has. */
export function checkBare({ tree, findings }: Configured): Configured {
  if (hasErrors(findings)) return { tree, findings };
  return { tree, findings: [...findings, ...checkBoard(tree)] };
}
