// What docs/debugging.md says that GDB says.

import { expect } from 'vitest';
import { testWith } from '../tools.js';
import { documented, gdb, plain, tourOf } from './gdb-tour.js';

testWith(gdb)('the guided tour has sessions on a board, in partitions, and in two Linux partitions', () => {
  expect(documented.map(({ server }) => server.at(-1))).toEqual([
    'firmware/hello/hello.elf',
    'devicetrees/two-partitions.dts',
    'devicetrees/two-linux.dts',
  ]);
});

testWith(gdb).each(documented.filter(({ long }) => !long))(
  'docs/debugging.md: what GDB says of `hv440 $title` is what it says',
  async ({ server, args, steps }) => {
    const ask = await tourOf(server).gdb(args);
    for (const { command, said } of steps)
      expect({ command, said: await ask(command) }).toEqual({ command, said: plain(said) });
  },
  60_000,
);
