import { Option, type Command } from 'commander';
import { engineNames } from '../../launch/engine-options.js';
import { action, addSourceOptions, examples } from '../command-line.js';
import { parseCount, parseSeed } from '../sizes.js';

/** `hv440 test`: its options and its help. */
export function addTest(hv440: Command): void {
  const shown = examples(
    'hv440 test devicetrees',
    'hv440 test devicetrees/two-partitions.test.dts --filter answers --watch',
    'hv440 test --workers 4 --shard 1/3 --junit results.xml --tap results.tap',
    'hv440 test board.test.dts --set /partitions/quantum=5000 --variant memory=small',
  );
  const command = hv440
    .command('test [FILE|DIR...]')
    .description('run the tests of configurations: *.test.dts, and *.test.ts by vitest (docs/testing.md)')
    .option('-t, --filter <NAME>', 'only tests whose names match this regular expression')
    .addOption(
      new Option(
        '--workers <N>',
        'tests at a time, each in a process (default: as many as there are processors)',
      ).argParser((text) => parseCount('--workers', text, '2')),
    )
    .option('--shard <I/N>', 'of N parts of the tests, this one')
    .addOption(new Option('--seed <N>', 'what random choices depend on').argParser((text) => parseSeed('--seed', text)))
    .addOption(
      new Option('--bail [N]', 'begin no further test after so many failures (1)').argParser((text) =>
        parseCount('--bail', text),
      ),
    )
    .addOption(new Option('--reporter <NAME>', 'what is printed').choices(['list', 'junit', 'tap']))
    .option('-o, --output <FILE>', 'where it is written')
    .option('--junit <FILE>', 'write JUnit XML there, too')
    .option('--tap <FILE>', 'write TAP 14 there, too')
    .option('--recordings <DIR>', 'where the runs of tests that failed are kept (default test-results)')
    .option('--watch', 'run tests again whenever files change that they are made of')
    .addOption(new Option('--engine <NAME>', 'what runs instructions: all give the same result').choices(engineNames));
  addSourceOptions(command)
    .addHelpText(
      'after',
      `\nExit status: 0 all passed, 1 a test failed, 2 a test could not be run, or wrong usage.\n${shown}`,
    )
    .action(action(async () => (await import('../test.js')).test));
  hv440.command('test-worker', { hidden: true }).action(action(async () => (await import('./worker.js')).worker));
}
