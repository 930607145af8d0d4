import type { StopEvent } from '../../debug/debugger.js';
import { Prompt } from '../../debug/prompt/prompt.js';
import type { Target } from '../../debug/target.js';
import { sourceFinder } from '../source-finder.js';
import type { Launched } from './launched.js';

/** What a command has done to the machine: nothing that the client keeps, changed it, let it run, moved it in time; or the end. */
export type Effect = 'none' | 'changes' | 'runs' | 'moves' | 'quits';

export interface ConsoleOptions {
  readonly sourceMap: Readonly<Record<string, string>>;
  /** Called when what a command let run has stopped. */
  readonly stopped: (target: Target, lines: readonly string[]) => void;
}

/** Our own debugger's prompt as the client's debug console. */
export class DapConsole {
  /** A command has let the machine run: stops are its own. */
  busy = false;
  readonly #prompt: Prompt;
  readonly #debug: Launched['debug'];
  #frameTarget: Target | undefined;

  constructor({ debug, traps, exits, images }: Launched, { sourceMap, stopped }: ConsoleOptions) {
    this.#debug = debug;
    const find = sourceFinder(images);
    const here = (file: string): string => {
      const [there, place] = Object.entries(sourceMap).find(([folder]) => file.startsWith(`${folder}/`)) ?? [];
      return there === undefined ? file : place + file.slice(there.length);
    };
    this.#prompt = new Prompt({
      debug,
      traps,
      exits,
      scope: [],
      source: (file) => find(here(file)),
      stopped: (lines) => {
        this.busy = false;
        stopped(this.#prompt.target, lines);
      },
    });
  }

  get target(): Target {
    return this.#prompt.target;
  }

  knows(line: string): boolean {
    return this.#prompt.knows(line);
  }

  /** Carry out a line about this target, unless `select` has named another since the client was last at a new one. */
  execute(line: string, target: Target): { readonly lines: readonly string[]; readonly effect: Effect } {
    if (target !== this.#frameTarget) this.#prompt.target = this.#frameTarget = target;
    const { steps } = this.#debug.machine;
    const before = this.#prompt.target;
    this.busy = true; // it may stop before this returns
    const { lines, runs = false, quits = false, failed = false } = this.#prompt.execute(line);
    if (failed) {
      this.busy = false;
      throw new Error(lines.join('\n'));
    }
    if (quits) return { lines, effect: 'quits' };
    if (runs) return { lines, effect: 'runs' };
    this.busy = false;
    const moved = this.#debug.machine.steps !== steps || this.#prompt.target !== before;
    return { lines, effect: moved ? 'moves' : /^\s*(set|partition)\b/.test(line) ? 'changes' : 'none' };
  }

  complete(line: string): { readonly words: readonly string[]; readonly begun: string } {
    return { words: this.#prompt.complete(line), begun: /[^\s,*(]*$/.exec(line)![0] };
  }

  /** Something stopped while it was busy. */
  hear(events: readonly StopEvent[]): void {
    this.#prompt.stopped(events);
  }

  /** The client wants what runs to stop. */
  interrupt(): void {
    this.#prompt.interrupt();
  }

  /** The client goes: breakpoints that were set here go with it. */
  close(): void {
    this.#debug.leave(this.#prompt);
  }
}
