// Configurations that tests of the library boot.

import { join } from 'node:path';
import type { TestBoard } from '../../src/testing/index.js';
import { root } from '../tools.js';

/** One of the project's own device trees. */
export const devicetree = (name: string): string => join(root, 'devicetrees', name);

const image = (name: string): string => JSON.stringify(join(root, 'firmware', name, `${name}.elf`));

/** A partition with a console and a finisher. */
export const partition = (name: string, program = 'hello', more = ''): string => `
  ${name} {
    compatible = "hv440,partition";
    image = ${image(program)};
    memory = <0x0 0x0 0x0 0x01000000>;
    ${more}
    serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };
    finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; };
  };`;

/** A board with these partitions. */
export const board = (...partitions: readonly string[]): string =>
  `/dts-v1/;\n/include/ "hv440-board.dtsi"\n&partitions {${partitions.join('')}\n};\n`;

/** A board with `hello` in partitions of these names. */
export const hello = (...names: readonly string[]): string => board(...names.map((name) => partition(name)));

/** The project's Linux, with its console on a serial port or on a byte channel. */
export const linuxSource = (console: 'serial' | 'byte channel'): string => `/dts-v1/;
/include/ "hv440-board.dtsi"
&partitions {
  linux {
    compatible = "hv440,partition";
    image = ${JSON.stringify(join(root, 'firmware', 'linux', 'vmlinux.gz'))};
    memory = <0x0 0x0 0x0 0x02000000>;
    ${
      console === 'serial'
        ? 'bootargs = "console=ttyS0,115200"; serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };'
        : 'bootargs = "console=ttyEHV0"; console { compatible = "epapr,hv-byte-channel"; };'
    }
  };
};
`;

/** At its prompt, with nothing more to do. */
export const atPrompt = async (board: TestBoard): Promise<void> => {
  await board.console('linux').expect(':~# ');
  await board.run('2 ms');
};
