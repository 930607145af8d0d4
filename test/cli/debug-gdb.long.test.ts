// What docs/debugging.md says that debuggers say of Linux in partitions.

import { expect, test } from 'vitest';
import { testWith } from '../tools.js';
import { documented, gdb, plain, tourOf } from './gdb-tour.js';
import { checkTranscript, transcripts } from './prompt-transcripts.js';

testWith(gdb).each(documented.filter(({ long }) => long))(
  'docs/debugging.md: what GDB says of `hv440 $title` is what it says',
  async ({ server, args, steps }) => {
    const ask = await tourOf(server).gdb(args);
    for (const { command, said } of steps)
      expect({ command, said: await ask(command) }).toEqual({ command, said: plain(said) });
  },
  180_000,
);

testWith(gdb)(
  'a Linux that stands at a breakpoint of its own port keeps no other one up',
  async () => {
    const tour = tourOf(['debug', 'devicetrees/two-linux.dts']);
    await tour.shows('linux-b| linux-b:~# ');
    const ask = await tour.gdb(['-q', '-x', 'docs/hv440.gdb']);
    expect(await ask('target remote :1236')).toMatch(/\n0xc0028780 in ppc44x_idle \(\)$/);
    await ask('break do_page_fault');
    await ask('monitor type ls /\\n');
    expect(await ask('continue')).toMatch(/^Continuing\.\n\nBreakpoint 1, 0xc001d068 in do_page_fault \(\)$/);
    tour.type('echo "<$(hostname)>"; echo still here\n');
    await tour.shows('linux-a| still here');
    expect(tour.console).toContain('linux-a| <linux-a>');
    expect(tour.console).not.toMatch(/^linux-b\| .*\bproc\b/m);
    await ask('detach');
    await tour.shows('linux-b| bin ');
  },
  120_000,
);

test.each(transcripts.filter(({ long }) => long))(
  'docs/debugging.md: what `hv440 debug $args` says is what it says',
  checkTranscript,
  180_000,
);
