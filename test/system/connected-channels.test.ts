import { join } from 'node:path';
import { expect, test } from 'vitest';
import { boot } from '../../src/testing/index.js';
import { root } from '../tools.js';

/** A Linux with its console on one byte channel, and on a second one a line to the other. */
const linux = (name: string, label: string, endpoint: string): string => `
  ${name} {
    compatible = "hv440,partition";
    image = ${JSON.stringify(join(root, 'firmware', 'linux', 'vmlinux.gz'))};
    memory = <0x0 0x0 0x0 0x02000000>;
    bootargs = "console=ttyEHV0";
    console { compatible = "epapr,hv-byte-channel"; };
    ${label}: link { compatible = "epapr,hv-byte-channel"; endpoint = <&${endpoint}>; };
  };`;

test('two Linuxes speak to each other by ttyEHV1', async () => {
  const partitions = linux('sender', 'left', 'right') + linux('reader', 'right', 'left');
  const source = `/dts-v1/;\n/include/ "hv440-board.dtsi"\n&partitions { ${partitions} };`;
  const board = await boot({ source });
  for (const name of ['sender', 'reader']) await board.console(name).expect(':~# ');
  board.console('sender').send('stty -echo < /dev/ttyEHV1\n');
  board.console('reader').send('stty -echo < /dev/ttyEHV1; read x < /dev/ttyEHV1; echo "got <$x>"\n');
  await board.run('300 ms');
  board.console('sender').send('echo hello over there > /dev/ttyEHV1\n');
  await board.console('reader').line(/^got <hello over there>/);
  expect(board.console('sender').text).not.toContain('got');
});
