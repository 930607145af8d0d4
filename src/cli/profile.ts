import { writeFileSync } from 'node:fs';
import { InstructionCounts, lcov } from '../debug/profile/coverage.js';
import { Profile } from '../debug/profile/profile.js';
import { Sampler } from '../debug/profile/sampler.js';
import { LineTable } from '../debug/lines.js';
import type { DebuggedMachine } from '../debug/processes.js';
import { loadImage, type ImageSymbol } from '../loader/image.js';
import { bootConfigured, type Attend } from './boot.js';
import { columns, count, fixed } from './columns.js';
import { readTree } from '../launch/config.js';
import type { Attendant } from './console.js';
import { FileError, UsageError } from '../launch/errors.js';
import { readContents } from '../launch/files.js';
import { runImage, type RunOptions } from './run.js';

/** Options of `hv440 profile`. */
export interface ProfileOptions extends RunOptions {
  /** Steps between two looks. */
  readonly every?: number;
  readonly collapsed?: string;
  readonly coverage?: string;
  readonly top?: number;
  /** `NAME=FILE` each. */
  readonly symbols?: readonly string[];
}

/** A prime, so that it does not run in step with a program's loops. */
const DEFAULT_EVERY = 997;
const DEFAULT_TOP = 30;

/** A guest's program, as far as its file tells. */
interface Program {
  readonly path: string;
  readonly symbols: readonly ImageSymbol[];
  readonly bytes: Uint8Array;
}

/** `hv440 profile IMAGE|CONFIG.dts`: what run and boot do, and at the end where the instructions went. Gives the exit status. */
export async function profile(what: string, options: ProfileOptions): Promise<number> {
  let report = (): string => '';
  const attend: Attend = (machine, images) => {
    const programs = new Map([...images, ...named(options)].map(([name, path]) => [name, programOf(path)]));
    const made =
      options.coverage === undefined ? sampled(machine, programs, options) : counted(machine, programs, options);
    report = made.report;
    return made.attendant;
  };
  const status = await (/\.dtsi?$|\.dtb$/.test(what)
    ? bootConfigured(readTree(what), options, attend)
    : runImage(what, options, attend));
  process.stdout.write(report());
  return status;
}

function named({ symbols = [] }: ProfileOptions): [string, string][] {
  return symbols.map((text) => {
    const [, name, file] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    if (name === undefined || file === undefined)
      throw new UsageError(`--symbols ${text}: NAME=FILE, with the name of a partition, or board`);
    return [name, file];
  });
}

function programOf(path: string): Program {
  const contents = readContents(path);
  if (!contents.ok) throw new FileError(path, contents.reason, 'name the program');
  const image = loadImage(contents.bytes, path);
  return { path, symbols: (image.ok && image.symbols) || [], bytes: contents.bytes };
}

/** What runs the machine, and what is told at the end. */
interface Made {
  readonly attendant: Attendant;
  readonly report: () => string;
}

const attendantOf = (run: Attendant['run']): Attendant => ({
  run,
  longest: Infinity,
  lingers: false,
  live: false,
  open: () => Promise.resolve(),
  close: () => Promise.resolve(),
});

function sampled(machine: DebuggedMachine, programs: ReadonlyMap<string, Program>, options: ProfileOptions): Made {
  const { every = DEFAULT_EVERY, top = DEFAULT_TOP, collapsed } = options;
  const found = new Profile(new Map([...programs].map(([name, { symbols }]) => [name, symbols])));
  const sampler = new Sampler(machine, found, every);
  const report = (): string => {
    sampler.finish();
    if (collapsed !== undefined) write('--collapsed', collapsed, found.collapsed());
    return table(found, every, top);
  };
  return { attendant: attendantOf((cycles) => sampler.run(cycles)), report };
}

function table(found: Profile, every: number, top: number): string {
  const all = found.instructions;
  const rows = found.rows();
  const percent = (part: number): string => fixed(all === 0 ? 0 : (100 * part) / all, 1);
  const lines = columns(
    ['function', 'program', 'state', 'self', '%', 'total', '%'],
    rows
      .slice(0, top)
      .map(({ name, program, state, self, total }) => [
        name,
        program,
        state,
        count(self),
        percent(self),
        count(total),
        percent(total),
      ]),
  );
  const how = every === 1 ? 'every one counted' : `looked at every ${every} steps`;
  const rest = rows.length > top ? [`${rows.length - top} functions more`] : [];
  return ['', `${count(all)} instructions, ${how}`, ...lines, ...rest, ''].join('\n');
}

function counted(machine: DebuggedMachine, programs: ReadonlyMap<string, Program>, { coverage }: ProfileOptions): Made {
  const counts = machine.debuggables.map((each) => ({
    name: each.name.replace(/\/.*/, ''),
    own: new InstructionCounts(machine, each),
  }));
  const report = (): string => {
    for (const { own } of counts) own.settle();
    const records = [...programs].map(([name, { symbols, bytes }]) => {
      const mine = counts.filter((each) => each.name === name);
      const sum = (address: number): number => mine.reduce((all, { own }) => all + own.of(address), 0);
      return lcov(name, sum, symbols, LineTable.read(bytes));
    });
    write('--coverage', coverage!, records.join(''));
    const all = counts.reduce((sum, { own }) => sum + own.total, 0);
    return `\n${count(all)} instructions, every one counted\n`;
  };
  return { attendant: attendantOf((cycles) => machine.run(cycles)), report };
}

function write(option: string, path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new FileError(path, (error as Error).message, `${option} names a file that can be written`);
  }
}
