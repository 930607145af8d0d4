// A real terminal: that of tmux, with a shell in it.

import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { afterAll, afterEach } from 'vitest';
import { root } from '../tools.js';

const server = `hv440-system-${process.pid}`;
const tmux = (...args: string[]): string =>
  execFileSync('tmux', ['-L', server, '-f', '/dev/null', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });

let sessions = 0;
const open = new Set<Tmux>();
afterEach(() => open.forEach((terminal) => terminal.close()));
afterAll(() => {
  if (sessions > 0) tmux('new-session', '-d', ';', 'kill-server');
});

/** A terminal of 100 columns and 30 rows, with a shell whose prompt is `ready$`, in a folder. */
export class Tmux {
  readonly #name = `s${sessions++}`;

  constructor(folder = root, environment: Readonly<Record<string, string>> = {}) {
    const settings = Object.entries({ PS1: 'ready$ ', ENV: '', ...environment }).map(
      ([name, value]) => `${name}='${value}'`,
    );
    const shell = `env -u NO_COLOR -u CI ${settings.join(' ')} sh`;
    // A server that ends with its last session could be on its way out when the next test begins
    const stay = [';', 'set-option', '-s', 'exit-empty', 'off'];
    tmux('new-session', '-d', '-s', this.#name, '-c', folder, '-x', '100', '-y', '30', shell, ...stay);
    open.add(this);
  }

  /** Type text as it is. */
  type(text: string): void {
    tmux('send-keys', '-t', this.#name, '-l', text);
  }

  /** Press keys by tmux's names: `C-a`, `Enter`. */
  press(...keys: string[]): void {
    tmux('send-keys', '-t', this.#name, ...keys);
  }

  /** Type a line, and Enter. */
  enter(line: string): void {
    this.type(line);
    this.press('Enter');
  }

  get screen(): string {
    return tmux('capture-pane', '-p', '-t', this.#name).trimEnd();
  }

  resize(columns: number, rows: number): void {
    tmux('resize-window', '-t', this.#name, '-x', String(columns), '-y', String(rows));
  }

  /** The process that the shell has started: proc(5), task/…/children. */
  async childPid(): Promise<number> {
    const shell = tmux('display-message', '-p', '-t', this.#name, '#{pane_pid}').trim();
    const [child] = (await readFile(`/proc/${shell}/task/${shell}/children`, 'utf8')).split(' ');
    return Number(child);
  }

  get cursorIsVisible(): boolean {
    return tmux('display-message', '-p', '-t', this.#name, '#{cursor_flag}').trim() === '1';
  }

  /** Wait until the screen shows something; gives the screen. */
  async shows(what: RegExp | string, seconds = 40): Promise<string> {
    for (let looks = 0; looks < seconds * 20; looks++) {
      const { screen } = this;
      if (typeof what === 'string' ? screen.includes(what) : what.test(screen)) return screen;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the screen never showed ${what}; at last it was:\n${this.screen}`);
  }

  close(): void {
    open.delete(this);
    try {
      tmux('kill-session', '-t', this.#name);
    } catch {
      // its shell has ended, and the session with it
    }
  }
}
