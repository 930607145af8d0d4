import { inPartitions, type Examples } from './example.js';

const channel = (name: string, endpoint: string, label = name): string =>
  `${label}: ${name} { compatible = "epapr,hv-byte-channel";${endpoint === '' ? '' : ` endpoint = <&${endpoint}>;`} };`;

const partition = (name: string, ...lines: readonly string[]): string => `${name}: ${name} {
	compatible = "hv440,partition";
	image = "hello.elf";
	memory = <0x0 0x0 0x0 0x01000000>;
${lines.map((line) => `\t${line}\n`).join('')}	serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };
};`;

const connected = `${partition('one', channel('left', 'right'))}\n${partition('two', channel('right', 'left'))}`;
const OFF = 'status = "disabled";';

/** Examples for the rules on byte channels. */
export const byteChannels: Examples = {
  'byte-channel-unknown': inPartitions(`${partition('one', channel('left', 'two'))}\n${partition('two')}`, connected),
  'byte-channel-to-itself': inPartitions(
    `${partition('one', channel('left', 'left'))}`,
    `${partition('one', channel('left', ''))}`,
  ),
  'byte-channel-to-disabled': inPartitions(
    `${partition('one', channel('left', 'right'))}\n${partition('two', OFF, channel('right', 'left'))}`,
    connected,
  ),
  'byte-channel-twice': inPartitions(
    `${connected}\n${partition('three', channel('third', 'right'))}`,
    `${partition('one', channel('left', 'right'))}
${partition('two', channel('right', 'left'), channel('other', 'third'))}
${partition('three', channel('third', 'other'))}`,
  ),
  'byte-channel-one-ended': inPartitions(
    `${partition('one', channel('left', 'right'))}\n${partition('two', channel('right', ''))}`,
    connected,
  ),
  'console-to-partition': inPartitions(
    `${partition('one', 'stdout = "left";', channel('left', 'right'))}\n${partition('two', channel('right', 'left'))}`,
    connected,
  ),
};
