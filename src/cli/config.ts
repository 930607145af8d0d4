import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { ConfigError, describe, type Finding } from '../devicetree/finding.js';
import { pack, unpack, type PackedDraft } from '../devicetree/packed-draft.js';
import { joinPath } from '../devicetree/paths.js';
import { parse, readBegun } from '../devicetree/source.js';
import type { Tree } from '../devicetree/tree.js';
import { boardFile, hasErrors, type Configured } from '../launch/config.js';
import { preparedBoard } from './prepared-board.js';

/** Report warnings and notes on standard error, and throw a ConfigError if there is any error among the findings. */
export function insist({ tree, findings }: Configured): Tree {
  if (hasErrors(findings)) throw new ConfigError(findings);
  for (const finding of findings) process.stderr.write(`${explain(finding)}\n`);
  return tree;
}

/** What `run IMAGE` puts around an image. */
export interface RunDefaults {
  readonly image: string;
  /** Shown name: the image's, without folder and ending. */
  readonly label: string;
  /** Bytes. */
  readonly memory: number;
  readonly initrd?: string;
  readonly bootargs?: string;
  readonly onReset: 'stop' | 'restart';
  /** Bytes that the board has beyond these, for what the hypervisor keeps. Default none. */
  readonly spare?: number;
}

/** A path or text in the quotes of a device-tree source. */
const quoted = (text: string): string => JSON.stringify(text);

/** A partition's name from a label: what a node and a stream may be called. */
const nodeName = (label: string): string => {
  const plain = label.replaceAll(/[^A-Za-z0-9._+-]/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return plain === '' || plain === 'board' || plain === 'hypervisor' ? 'guest' : plain;
};

const cells64 = (value: number): string =>
  `0x${Math.floor(value / 2 ** 32).toString(16)} 0x${(value >>> 0).toString(16)}`;

/** The configuration of `hv440 run IMAGE`, as the source text that a person could have written. */
export function runSource(defaults: RunDefaults): string {
  const { image, label, memory, initrd, bootargs, onReset, spare = 0 } = defaults;
  const from = process.cwd();
  const path = (file: string): string => quoted(relative(from, resolve(file)) || file);
  return `/dts-v1/;
${boardInclude}
&memory0 { reg = <0x0 0x0 0x${(memory + spare).toString(16)}>; };
&partitions {
	${nodeName(label)} {
		compatible = "hv440,partition";
		label = ${quoted(label)};
		image = ${path(image)};${initrd === undefined ? '' : `\n\t\tinitrd = ${path(initrd)};`}${bootargs === undefined ? '' : `\n\t\tbootargs = ${quoted(bootargs)};`}
		memory = <0x0 0x0 ${cells64(memory)}>;
		on-reset = "${onReset}";
		serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };
		finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; };
	};
};
`;
}

/** The board of `hv440 run --bare IMAGE`: the same one, with a finisher and the image's name as its label. */
export function bareSource({ label, memory, bootargs }: Pick<RunDefaults, 'label' | 'memory' | 'bootargs'>): string {
  return `/dts-v1/;
${boardInclude}
&memory0 { reg = <0x0 0x0 0x${memory.toString(16)}>; };
/ {
	label = ${quoted(label)};${bootargs === undefined ? '' : `\n\tchosen { bootargs = ${quoted(bootargs)}; };`}
	plb { opb { finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; }; }; };
};
`;
}

/** What findings call the source that the command line is made into. */
const GENERATED = 'command-line.dts';

/** The include of the board, that stands in the second line of every generated source. */
const boardInclude = `/include/ ${quoted(boardFile)}`;

/** A generated source as a tree. The board in it may have been read when the program was built. */
export function parseGenerated(source: string, prepared = preparedBoard()): Configured {
  const read = (path: string): Uint8Array => readFileSync(path);
  const isHere = joinPath(GENERATED, boardFile) === boardFile;
  if (!prepared || !isHere || prepared.text !== readFileSync(boardFile, 'utf8')) return parse(source, GENERATED, read);
  const via = { kind: 'include', name: boardFile, at: { file: GENERATED, line: 2, col: 1 } } as const;
  const begun = unpack(prepared, { file: boardFile, via });
  return parse(source.replace(boardInclude, ''), GENERATED, read, { begun });
}

/** The board as it may be prepared; undefined where it has to be read each time. */
export function packBoard(): PackedDraft | undefined {
  const begun = readBegun(`/dts-v1/;\n${boardInclude}\n`, GENERATED, (path) => readFileSync(path));
  return begun && pack(readFileSync(boardFile, 'utf8'), begun);
}

/** Rules whose remedy is an option where the configuration is made of the command line. */
const MORE_MEMORY = ['image-too-large', 'image-outside-memory', 'initrd-does-not-fit', 'device-tree-does-not-fit'];

/** A finding for the user. What is wrong with the command line has no place in a file. */
export function explain(finding: Finding): string {
  const { at, message, remedy, rule } = finding;
  if (at.file !== GENERATED) return describe(finding);
  const option = MORE_MEMORY.includes(rule) ? ' (--memory SIZE gives it more)' : '';
  return `hv440: ${message}; ${remedy}${option} [${rule}]`;
}
