/** What stands around a fragment of an example: nothing, the root of a tree, the board and its partitions, or one of these. */
export type Frame = 'source' | 'root' | 'board' | 'partitions' | 'partition';

/** A mistake that a rule finds, and the same without it. */
export interface Example {
  readonly frame: Frame;
  readonly wrong: string;
  readonly right: string;
}

/** Examples by the rule's name. */
export type Examples = Readonly<Record<string, Example>>;

const inFrame =
  (frame: Frame) =>
  (wrong: string, right: string): Example => ({ frame, wrong, right });

/** Whole sources. */
export const asSource = inFrame('source');
/** What stands in the root of a tree. */
export const inRoot = inFrame('root');
/** What stands behind the board and a partition. */
export const onBoard = inFrame('board');
/** What stands in `/partitions` of the board. */
export const inPartitions = inFrame('partitions');
/** What stands in a partition, beside what it must have. */
export const inPartition = inFrame('partition');

/** What a partition has unless its fragment says otherwise, each with what tells that it does. */
const otherwise: readonly (readonly [says: RegExp, line: string])[] = [
  [/^compatible/m, 'compatible = "hv440,partition";'],
  [/\bimage = /, 'image = "hello.elf";'],
  [/\bmemory = /, 'memory = <0x0 0x0 0x0 0x01000000>;'],
];

const PORT = 'serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };';

const indented = (text: string, by: string): string => text.replaceAll(/^(?=.)/gm, by);

/** A partition with a fragment in it, and all else that it needs. */
function partition(fragment: string): string {
  const lines = otherwise.flatMap(([says, line]) => (says.test(fragment) ? [] : [line]));
  const port = /\bserial@|epapr,hv-byte-channel|devices = <&UART|no console/.test(fragment) ? [] : [PORT];
  return `&partitions {\n\tguest {\n${indented([...lines, fragment, ...port].join('\n'), '\t\t')}\n\t};\n};`;
}

/** The source that a fragment stands for; `board` is the path of hv440's board. */
export function exampleSource(frame: Frame, fragment: string, board: string): string {
  const begin = `/dts-v1/;\n/include/ "${board}"\n`;
  switch (frame) {
    case 'source':
      return fragment;
    case 'root':
      return `/dts-v1/;\n/ {\n${indented(fragment, '\t')}\n};\n`;
    case 'board':
      return `${begin}${partition('')}\n${fragment}\n`;
    case 'partitions':
      return `${begin}&partitions {\n${indented(fragment, '\t')}\n};\n`;
    case 'partition':
      return `${begin}${partition(fragment)}\n`;
    default:
      return frame satisfies never;
  }
}

/** A whole partition on few lines. */
export const guest = (name: string, body = '', more = ''): string => `${name}: ${name} {
	compatible = "hv440,partition";
	image = "hello.elf";
	memory = <0x0 0x0 0x0 0x01000000>;${more === '' ? '' : `\n\t${more}`}
	serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };${body === '' ? '' : `\n\t${body}`}
};`;
