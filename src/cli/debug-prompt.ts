import { createInterface, type Interface } from 'node:readline';
import type { Progress } from '../board/machine.js';
import type { Debugger } from '../debug/debugger.js';
import { Prompt } from '../debug/prompt/prompt.js';
import type { TrapStops } from '../debug/traps/stops.js';
import type { Attendant, Surroundings } from './console.js';
import { sourceFinder } from './source-finder.js';

const PROMPT = '(hv440) ';
/** Cycles: Ctrl-C is heard soon. */
const LONGEST_SLICE = 100_000;
const LONGEST_HISTORY = 1000;

export interface PromptSetting {
  readonly debug: Debugger;
  readonly traps: TrapStops;
  readonly exits: () => readonly string[];
  /** The programs' files: sources are looked for beside them, too. */
  readonly images: readonly string[];
}

const colours = process.stdout.isTTY && !process.env['NO_COLOR'];

/** Labels of records, numbers of traps and the arrow at the pc stand out. */
const coloured = (line: string): string =>
  colours
    ? line
        .replace(/^( {2})([a-z]+)( )/, '$1\u001b[36m$2\u001b[0m$3')
        .replace(/^#\d+/, '\u001b[1m$&\u001b[0m')
        .replace(/^=>/, '\u001b[32m=>\u001b[0m')
        .replace(/<[\w.+$]+>/, '\u001b[33m$&\u001b[0m')
    : line;

/** Runs a machine by the lines of a person or a script on standard input. */
export class PromptAttendant implements Attendant {
  readonly longest = LONGEST_SLICE;
  readonly live: boolean = process.stdin.isTTY;
  readonly ownsInput = true;
  lingers = true;
  readonly #prompt: Prompt;
  #readline: Interface | undefined;
  #leave: (status?: number) => void = () => {};
  #freshLine: () => void = () => {};
  #failed = false;
  #waiting: ((lines: readonly string[]) => void) | undefined;

  constructor(private readonly setting: PromptSetting) {
    const { debug, traps, exits, images } = setting;
    debug.stop(debug.targets);
    const stopped = (lines: readonly string[]): void => this.#waiting?.(lines);
    const columns = (): number => (process.stdout.isTTY ? process.stdout.columns : Infinity);
    this.#prompt = new Prompt({ debug, traps, exits, source: sourceFinder(images), columns, stopped });
  }

  run(cycles: number): Progress {
    const progress = this.setting.debug.run(cycles);
    if (progress.kind === 'idle' && !this.live) {
      if (progress.until === Infinity) this.#prompt.interrupt();
      else this.setting.debug.machine.skip(progress.until);
      return { kind: 'ran' };
    }
    return progress.kind === 'ended' ? { kind: 'stopped' } : progress;
  }

  open({ wake, leave, freshLine }: Surroundings): Promise<void> {
    this.setting.debug.onResume = wake;
    this.#leave = leave;
    this.#freshLine = freshLine;
    void this.#converse();
    return Promise.resolve();
  }

  async #converse(): Promise<void> {
    const terminal = this.live;
    const readline = createInterface({
      input: process.stdin,
      output: process.stdout,
      terminal,
      prompt: PROMPT,
      historySize: LONGEST_HISTORY,
      completer: (line: string): [string[], string] => [this.#prompt.complete(line), /[^\s,*(]*$/.exec(line)![0]],
    });
    this.#readline = readline;
    readline.on('SIGINT', () => this.#interrupted());
    this.say(["'help' lists the commands; nothing runs yet", ...this.#prompt.execute('where').lines]);
    if (terminal) readline.prompt();
    let quits = false;
    for await (const line of readline) {
      if (!terminal) process.stdout.write(`${PROMPT}${line}\n`);
      quits = await this.#perform(line);
      if (quits) break;
      if (terminal) readline.prompt();
    }
    if (terminal && !quits) process.stdout.write('\n'); // Ctrl-D
    this.#leave(this.#failed ? 1 : 0);
  }

  /** True if it is to be left. */
  async #perform(line: string): Promise<boolean> {
    const { debug } = this.setting;
    const stop = new Promise<readonly string[]>((done) => (this.#waiting = done));
    const { lines, runs = false, quits = false, failed = false } = this.#prompt.execute(line);
    this.#failed ||= failed;
    this.say(lines);
    if (runs && debug.busy) this.say(await stop);
    return quits;
  }

  #interrupted(): void {
    const { debug } = this.setting;
    if (debug.busy) this.#prompt.interrupt();
    else {
      // What was typed is dropped, and stays to be seen, as in a shell
      process.stdout.write('^C\n');
      this.#readline?.write('', { ctrl: true, name: 'e' });
      this.#readline?.write('', { ctrl: true, name: 'u' });
      this.#readline?.prompt();
    }
  }

  /** Show lines, below what the guests have printed. */
  say(lines: readonly string[]): void {
    this.#freshLine();
    for (const line of lines) process.stdout.write(`${coloured(line)}\n`);
  }

  close(): Promise<void> {
    this.#readline?.close();
    return Promise.resolve();
  }
}
