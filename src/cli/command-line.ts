import { Option, type Command } from 'commander';

/** An option that may be given several times. */
export const listOption = (flags: string, description: string): Option =>
  new Option(flags, description).argParser((value: string, before: unknown): string[] => [
    ...(Array.isArray(before) ? before : []),
    value,
  ]);

/** How sources are read. */
export const addSourceOptions = (command: Command): Command =>
  command
    .addOption(listOption('-I, --include <DIR>', 'look for included files there too (again for others)'))
    .addOption(listOption('-D, --define <NAME=VALUE>', 'a macro for the C preprocessor (again for others)'))
    .addOption(listOption('--set <PATH=VALUE>', 'a property to be another than the file has it (again for others)'))
    .addOption(listOption('--variant <AXIS=NAME>', 'a variant of the matrix in /test (again for other axes)'));

export const examples = (...lines: string[]): string => `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;

type Perform<Args extends unknown[]> = (...args: Args) => number | Promise<number>;

/** Makes the exit status of what a command does; each loads its own part of the program, so that help comes at once. */
export const action =
  <Args extends unknown[]>(load: () => Promise<Perform<Args>>) =>
  async (...args: Args): Promise<void> => {
    process.exitCode = await (await load())(...args);
  };
