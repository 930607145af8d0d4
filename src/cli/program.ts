import { existsSync, statSync } from 'node:fs';
import { Command, CommanderError, Option } from 'commander';
import { ConfigError } from '../devicetree/finding.js';
import type { RuleChoice } from './check.js';
import { action, addSourceOptions, examples, listOption } from './command-line.js';
import { explain } from './config.js';
import type { LevelChoice } from './dts.js';
import { engineNames } from '../launch/engine-options.js';
import { USAGE_STATUS, UsageError } from '../launch/errors.js';
import { parseBytes, parseCodeAddress, parseCount, parseHistory, parseSeconds, parseSize } from './sizes.js';
import { addTest } from './test/command.js';
import { version } from './version.js';

const complain = (text: string): void => void process.stderr.write(`${text}\n`);

// prettier-ignore
const consoleOptions = [
  new Option('--snapshot <FILE[@CYCLE]>', 'write the machine to a file at the end, or at this cycle'),
  new Option('--from <FILE>', 'go on from such a file, of the same configuration'),
  new Option('--record <FILE>', 'write down what is typed and asked, for `hv440 replay FILE`'),
  new Option('--headless', 'no terminal: output as `name| line`, a single guest’s output bare; standard input feeds the first stream'),
  listOption('--input <NAME=FILE>', 'type a file at a stream, in simulated time (again for others; - is standard input)'),
  listOption('--expect <TEXT>', 'wait until the first stream prints this, then --send (C escapes; pairs in order); a last --expect alone ends the run'),
  listOption('--send <TEXT>', 'what to type once its --expect has appeared'),
  new Option('--log <DIR>', 'write what each stream prints to a file of its own'),
  new Option('--ptys [DIR]', 'a pty for each stream, linked to by name in DIR (default on a terminal)'),
  new Option('--no-ptys', 'no ptys'),
  new Option('--escape <KEY>', 'the multiplexer’s key: ctrl-a (default), ctrl-b …, or none'),
  new Option('--fault-report <FILE>', 'write why a program died as JSON, a line each (docs/faults.md)'),
  new Option('--trace <FILE>', 'write what happens as Chrome trace JSON, for ui.perfetto.dev'),
  new Option('--trace-filter <LIST>', 'only these: event=slice|exit|interrupt|console, kind=KIND, partition=NAME, by commas; of one key any, of several each'),
  new Option('--trace-limit <SIZE>', 'how large the trace may become (default 256M)').argParser((text) => parseBytes('--trace-limit', text)),
  new Option('--trace-keep <PART>', 'which part of a longer one is kept: the first (default), or the last, which is held in memory').choices(['first', 'last']),
  new Option('--engine <NAME>', 'what runs the instructions; all give the same results (default auto: the fastest)').choices(engineNames),
  new Option('--show-generated <ADDRESS>', 'at the end: what the engine makes of the code at this effective address').argParser((text) => parseCodeAddress('--show-generated', text)),
  new Option('--code-cache <N>', 'instructions whose translations are kept at a time (default 262144)').argParser((text) => parseCount('--code-cache', text)),
  new Option('--max-instructions <N>', 'stop after so many instructions').argParser((text) => parseCount('--max-instructions', text)),
  new Option('--timeout <SECONDS>', 'stop after so much wall time, with status 1').argParser(parseSeconds),
  new Option('--stats [FORMAT]', 'at the end: instructions, cycles, and exits by kind for each partition; json is the last line of standard output').choices(['text', 'json']),
];

/** An option that adds to the list of rules that are shown, or not shown. */
const ruleOption = (flags: string, shown: boolean, description: string): Option =>
  new Option(flags, description).argParser((name: string, before: unknown): RuleChoice[] => [
    ...(Array.isArray(before) ? before : []),
    { name, shown },
  ]);

/** An option that adds to what is said of the levels of dtc's checks; `-W` and `-E` count in their order. */
const levelOption = (flags: string, kind: LevelChoice['kind'], description: string): Option => {
  const option = new Option(flags, description);
  option.attributeName = () => 'levels';
  return option.argParser((text: string, before: unknown): LevelChoice[] => [
    ...(Array.isArray(before) ? before : []),
    { kind, text },
  ]);
};

const exitStatuses = `
Exit status: 0, 1 where a guest failed (or --expect, or --timeout), 2 where the configuration or the usage is wrong and
nothing was booted, 128 + n for signal n; a status that a guest ends with is passed on, the highest of all.
`;

function addBoot(hv440: Command): void {
  const command = hv440.command('boot <CONFIG.dts>').description('boot the partitions of a device tree');
  command.addOption(
    listOption('--no-start <NAME>', 'load this partition, and leave it to be started (again for others)'),
  );
  addSourceOptions(command);
  for (const option of consoleOptions) command.addOption(option);
  const shown = examples(
    'hv440 boot devicetrees/two-partitions.dts',
    "printf 'mem\\nexit\\n' | hv440 boot devicetrees/two-partitions.dts --stats",
    'hv440 boot devicetrees/hostile.dts --headless --max-instructions 1e8 --stats',
    "hv440 boot devicetrees/one-partition.dts --expect 'hello> ' --send 'mem\\n' --expect MiB",
  );
  command.addHelpText('after', exitStatuses + shown).action(action(async () => (await import('./boot.js')).boot));
}

function addRun(hv440: Command): void {
  const command = hv440
    .command('run <IMAGE>')
    .description('boot one image, as a partition or on the bare board; exits with its status')
    .option('--bare', 'on the board itself, without the hypervisor')
    .option('--memory <SIZE>', 'its memory, such as 64M (default 128M)', parseSize)
    .option('--initrd <FILE>', 'an initial RAM disk')
    .option('--bootargs <TEXT>', 'its command line (/chosen bootargs)')
    .option('--dtb <FILE>', 'with --bare: the board’s device tree, source or blob')
    .option('--reboot', 'start again after a reset instead of ending');
  for (const option of consoleOptions) command.addOption(option);
  const shown = examples(
    'hv440 run firmware/hello/hello.elf',
    "printf 'mem\\nexit 3\\n' | hv440 run --bare firmware/hello/hello.elf; echo $?",
  );
  command.addHelpText('after', exitStatuses + shown).action(action(async () => (await import('./run.js')).run));
}

function addDebug(hv440: Command): void {
  const command = hv440
    .command('debug [CONFIG.dts|IMAGE]')
    .description(
      'boot partitions, or one image, stopped before the first instruction, and debug them at a prompt, or with GDB',
    )
    .option('--gdb [PORT]', 'serve GDB at a TCP port (default 1234); each partition has one of its own behind it')
    .option('--gdb-unix <PATH>', 'UNIX sockets instead: PATH, and PATH.NAME for each partition')
    .option('--gdb-address <ADDRESS>', 'where to listen (default 127.0.0.1: nobody else can connect)')
    .option('--dap <PORT>', 'serve editors that attach, by the Debug Adapter Protocol (docs/dap.md)')
    .option('--history <SIZE>', 'memory for going backwards (default 256M; 0: none)', parseHistory)
    .option('--replay <FILE>', 'the run that --record FILE has recorded, forwards and backwards')
    .option('--wait', 'serve GDB, and run nothing until one has connected and says so')
    .addOption(listOption('--symbols <NAME=FILE>', 'the ELF with a partition’s symbols, where its image has none'))
    .option('--bare', 'an image on the board itself, without the hypervisor')
    .option('--memory <SIZE>', 'an image’s memory, such as 64M (default 128M)', parseSize)
    .option('--initrd <FILE>', 'an image’s initial RAM disk')
    .option('--bootargs <TEXT>', 'an image’s command line (/chosen bootargs)')
    .option('--dtb <FILE>', 'with --bare: the board’s device tree, source or blob');
  addSourceOptions(command);
  for (const option of consoleOptions) command.addOption(option);
  command.addOption(new Option('--gdb-without <ITEM>').argParser((text) => text.split(',')).hideHelp());
  const shown = examples(
    'hv440 debug devicetrees/two-partitions.dts',
    "printf 'break tick\\ncontinue\\nbacktrace\\n' | hv440 debug firmware/hello/hello.elf",
    'hv440 debug --record hello.rec firmware/hello/hello.elf && hv440 debug --replay hello.rec',
    'hv440 debug --bare --wait firmware/hello/hello.elf',
    'gdb-multiarch -ex "target remote :1234" firmware/hello/hello.elf',
    'hv440 debug --gdb 4000 devicetrees/two-partitions.dts    # 4001: the first partition, 4002: the second',
  );
  command.addHelpText('after', exitStatuses + shown).action(action(async () => (await import('./debug.js')).debug));
}

function addDap(hv440: Command): void {
  hv440
    .command('dap')
    .description('the Debug Adapter Protocol on standard input and output, for editors (docs/dap.md)')
    .action(action(async () => (await import('./dap.js')).dap));
}

function addProfile(hv440: Command): void {
  const command = hv440
    .command('profile <IMAGE|CONFIG.dts>')
    .description('run guests and tell where their instructions go, by function')
    .addOption(
      new Option('--every <N>', 'look at a processor every N of its steps (default 997; 1 is exact)').argParser(
        (text) => parseCount('--every', text),
      ),
    )
    .option('--collapsed <FILE>', 'write call stacks as flamegraph.pl and speedscope read them')
    .option('--coverage <FILE>', 'count every instruction, and write lcov’s tracefile: lines by debug information')
    .addOption(
      new Option('--top <N>', 'rows of the table (default 30)').argParser((text) => parseCount('--top', text, '50')),
    )
    .addOption(listOption('--symbols <NAME=FILE>', 'the ELF with a partition’s symbols, where its image has none'))
    .option('--bare', 'an image on the board itself, without the hypervisor')
    .option('--memory <SIZE>', 'an image’s memory, such as 64M (default 128M)', parseSize)
    .option('--initrd <FILE>', 'an image’s initial RAM disk')
    .option('--bootargs <TEXT>', 'an image’s command line (/chosen bootargs)')
    .option('--dtb <FILE>', 'with --bare: the board’s device tree, source or blob')
    .option('--reboot', 'start again after a reset instead of ending');
  for (const option of consoleOptions) command.addOption(option);
  const shown = examples(
    "hv440 profile firmware/hello/hello.elf --expect 'hello> ' --every 1",
    'hv440 profile devicetrees/two-partitions.dts --max-instructions 1e7 --collapsed stacks.txt',
    "hv440 profile --bare firmware/hello/hello.elf --expect 'hello> ' --coverage hello.info && genhtml hello.info",
  );
  command.addHelpText('after', exitStatuses + shown).action(action(async () => (await import('./profile.js')).profile));
}

function addReplay(hv440: Command): void {
  hv440
    .command('replay <FILE>')
    .description('run again what --record FILE has recorded, exactly, and compare the state that it ends in')
    .addOption(new Option('--engine <NAME>', 'what runs instructions: all give the same result').choices(engineNames))
    .addHelpText(
      'after',
      `\nExit status: 0, 1 where the run went another way, 2 where it cannot be had again.\n${examples(
        "printf 'mem\\nexit 3\\n' | hv440 run --record hello.rec firmware/hello/hello.elf",
        'hv440 replay hello.rec',
      )}`,
    )
    .action(action(async () => (await import('./replay.js')).replay));
}

function addCheck(hv440: Command): void {
  const shown = examples(
    'hv440 check devicetrees/*.dts',
    'hv440 check --source my.dts',
    'hv440 check --no-rule device-shares-page --no-rule unit_address_vs_reg my.dts',
    'hv440 check --json my.dts | jq .[].message',
    'hv440 check --sarif my.dts > my.sarif',
    'hv440 check --explain memory-overlap',
    'hv440 check --watch my.dts          # in an editor: docs/checks.md',
  );
  addSourceOptions(hv440.command('check [CONFIG.dts...]'))
    .description('report everything that is wrong with configurations; exit status 2 if anything is')
    .option('--source', 'with the line of each, a caret, and the includes and macros that it comes from')
    .addOption(ruleOption('--rule <NAME>', true, 'of warnings and notes, only those of this rule (again for others)'))
    .addOption(ruleOption('--no-rule <NAME>', false, 'no warnings and notes of this rule (again for others)'))
    .option('--explain <RULE>', 'what a rule wants, an example, and how to keep to it')
    .addOption(new Option('--watch', 'again whenever a file changes that they are made of').conflicts('sarif'))
    .addOption(new Option('--json', 'as JSON').conflicts(['sarif', 'source']))
    .addOption(new Option('--sarif', 'as SARIF 2.1.0, for code hosts and editors').conflicts('source'))
    .addHelpText('after', shown)
    .action(action(async () => (await import('./check.js')).check));
}

function addDts(hv440: Command): void {
  const shown = examples(
    'hv440 dts devicetrees/two-partitions.dts --partition hello',
    'hv440 dts board.dts -I include -D REV=2 -o board.dtb',
    'hv440 dts board.dtb --sort',
    'hv440 dts board.dts --overlay camera.dts --overlay fan.dtbo -o merged.dtb',
    'hv440 dts old.dtb --diff new.dts    # status 1 where they differ',
    'hv440 dts board.dts -W no-unit_address_vs_reg -E interrupts_property -o board.dtb',
  );
  addSourceOptions(hv440.command('dts <CONFIG.dts>'))
    .description('print a device tree, source or blob, as source; convert, merge, sort or compare it')
    .option('--partition <NAME>', 'the tree that this partition’s guest gets')
    .option('--blob', 'as a blob (.dtb)')
    .option('-o, --output <FILE>', 'write it there; as a blob where the name ends in .dtb or .dtbo')
    .option('-@, --symbols', 'name every label in /__symbols__, as overlays need it')
    .addOption(listOption('--overlay <FILE>', 'apply this overlay, source or blob (again for others)'))
    .option('--sort', 'properties and nodes by name')
    .addOption(
      levelOption(
        '-W, --warning <NAME>',
        'warning',
        'let this check of dtc’s warn, or with no- before it not (again for others)',
      ),
    )
    .addOption(
      levelOption('-E, --error <NAME>', 'error', 'let it be an error, or with no- before it none (again for others)'),
    )
    .option('-q, --quiet', 'no warnings')
    .option('--diff <FILE>', 'what this tree means otherwise; order and numbers of phandles do not count')
    .addHelpText('after', shown)
    .action(action(async () => (await import('./dts.js')).dts));
}

function addMap(hv440: Command): void {
  const shown = examples(
    'hv440 map devicetrees/two-linux.dts',
    'hv440 map devicetrees/two-linux.dts -o map.html',
    'hv440 map devicetrees/two-linux.dts --format json | jq .memory',
  );
  addSourceOptions(hv440.command('map <CONFIG.dts>'))
    .description('draw who owns what: memory, devices, interrupts, cores and channels')
    .addOption(
      new Option('--format <FORMAT>', 'text, or what the output’s name ends in').choices([
        'text',
        'svg',
        'html',
        'json',
      ]),
    )
    .option('-o, --output <FILE>', 'write it there; .html is a page that needs nothing else, .svg a picture')
    .addHelpText('after', shown)
    .action(action(async () => (await import('./map.js')).map));
}

function addDisasm(hv440: Command): void {
  const shown = examples(
    'hv440 disasm firmware/hello/hello.elf',
    'hv440 disasm vmlinux --start start_kernel --stop 0xc0400000',
    'hv440 disasm code.bin --base 0x1000 --json',
  );
  hv440
    .command('disasm <IMAGE>')
    .description('list the code of an image, as objdump -d -M440 does')
    .option('--start <PLACE>', 'where to begin: an address or a symbol')
    .option('--stop <PLACE>', 'where to end (not listed): an address or a symbol')
    .option('--base <ADDRESS>', 'where raw code lies')
    .option('--json', 'an array with one object a word')
    .addHelpText('after', shown)
    .action(action(async () => (await import('./disasm.js')).disasm));
}

function addOverhead(hv440: Command): void {
  const shown = examples(
    'hv440 overhead firmware/bench/bench.elf --bootargs "bench=calls rounds=10"',
    "hv440 overhead vmlinux --expect '# '",
    'hv440 overhead devicetrees/two-partitions.dts --max-instructions 1e8',
    'hv440 overhead firmware/hello/hello.elf --expect "> " --exit-cost 100 --exit-cost emulate=40 --json',
  );
  hv440
    .command('overhead <IMAGE|CONFIG.dts...>')
    .description('run guests bare and as partitions to the same point: what the hypervisor costs, by kind of exit')
    .option('--memory <SIZE>', 'an image’s memory, such as 64M (default 128M)', parseSize)
    .option('--initrd <FILE>', 'an image’s initial RAM disk')
    .option('--bootargs <TEXT>', 'an image’s command line (/chosen bootargs)')
    .option('--expect <TEXT>', 'run until the console prints this (C escapes); without it, until the guest ends')
    .addOption(
      new Option('--max-instructions <N>', 'give up after so many instructions (default 2e9)').argParser((text) =>
        parseCount('--max-instructions', text),
      ),
    )
    .addOption(
      listOption(
        '--exit-cost <KIND=N>',
        'cycles that an exit of this kind costs, or N: of every kind (again for others)',
      ),
    )
    .addOption(new Option('--variant <NAME...>', 'only these').choices(['plain', 'magic-page', 'byte-channel', 'both']))
    .option('--json', 'as JSON (docs/overhead.md)')
    .addHelpText(
      'after',
      `\nExit status: 0, 1 where a guest did not get to where it should, 2 for wrong usage.\n${shown}`,
    )
    .action(action(async () => (await import('./overhead.js')).overhead));
}

/** By name, in the order in which help lists them. */
// prettier-ignore
const commands: Readonly<Record<string, (hv440: Command) => void>> = {
  boot: addBoot, run: addRun, debug: addDebug, dap: addDap, profile: addProfile, replay: addReplay,
  check: addCheck, dts: addDts, test: addTest, map: addMap, disasm: addDisasm, overhead: addOverhead,
};

/** Where the first argument names a command, no other is wanted: declaring all takes longer than what many of them do. */
function program(first = ''): Command {
  const hv440 = new Command('hv440')
    .description('A PowerPC 440 board, and the thin hypervisor that partitions it by device tree')
    .version(version())
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'hv440: ')) })
    .addHelpText(
      'after',
      examples('hv440 boot devicetrees/two-partitions.dts', 'hv440 run firmware/hello/hello.elf', 'hv440 help boot'),
    );
  const wanted = Object.hasOwn(commands, first) ? [commands[first]!] : Object.values(commands);
  for (const add of wanted) add(hv440);
  hv440.showHelpAfterError('hv440 help lists the commands');
  for (const command of hv440.commands) command.showHelpAfterError(`hv440 help ${command.name()} lists the options`);
  return hv440;
}

/**
 * `--stats FILE` and `--ptys FILE` are the option and a file: of what may follow, only a format belongs to the first and
 * only a folder to the second.
 */
function withFormats(args: readonly string[]): string[] {
  const formatted = args.map((arg, i) => {
    const isFormat = ['text', 'json'].includes(args[i + 1] ?? '');
    if (arg === '--gdb' && !/^\d+$/.test(args[i + 1] ?? '')) return '--gdb=1234';
    return arg === '--stats' && !isFormat ? '--stats=text' : arg;
  });
  const ptys = formatted.findIndex((arg, i) => arg === '--ptys' && isFile(formatted[i + 1]));
  return ptys < 0 ? formatted : [...formatted.toSpliced(ptys, 1), '--ptys'];
}

const isFile = (path: string | undefined): boolean => path !== undefined && existsSync(path) && statSync(path).isFile();

/** Messages for the user's trouble; ours keeps its stack. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_STATUS;
  if (error instanceof ConfigError) error.findings.forEach((finding) => complain(explain(finding)));
  else if (error instanceof UsageError) complain(`hv440: ${error.message}`);
  else throw error;
  return USAGE_STATUS;
}

/** `hv440` with these arguments; its exit status is the process's. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await program(args[0]).parseAsync(withFormats(args), { from: 'user' });
  } catch (error) {
    process.exitCode = report(error);
  }
}
