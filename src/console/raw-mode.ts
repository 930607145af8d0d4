import type { Readable } from 'node:stream';
import { onWayOut } from './ways-out.js';

/** Standard input, or what stands in for it. */
export type TerminalInput = Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };

/**
 * Holds a terminal in raw mode, and puts it back on every way out: `leave`, the process's end by whatever means it can
 * notice, and while it is stopped (SIGTSTP) or after it was stopped and the shell has used the terminal (SIGCONT).
 */
export class RawMode {
  #forget: (() => void) | undefined;
  readonly #stop = (): void => {
    this.#cook();
    process.kill(process.pid, 'SIGSTOP');
  };
  readonly #resume = (): void => {
    this.input.setRawMode?.(false); // what libuv believes may be outdated: make it set the terminal indeed
    this.input.setRawMode?.(true);
    this.resumed();
  };

  /** `restore` prints what undoes the modes of the screen, at once; `resumed` may draw it again. */
  constructor(
    private readonly input: TerminalInput,
    private readonly restore: () => void,
    private readonly resumed: () => void,
  ) {}

  /** Begin. */
  enter(): void {
    this.input.setRawMode?.(true);
    this.#forget = onWayOut(() => this.#cook());
    process.on('SIGTSTP', this.#stop);
    process.on('SIGCONT', this.#resume);
  }

  /** Put the terminal back as it was; harmless when it is already. */
  leave(): void {
    if (!this.#forget) return;
    this.#forget();
    this.#forget = undefined;
    process.off('SIGTSTP', this.#stop);
    process.off('SIGCONT', this.#resume);
    this.#cook();
  }

  #cook(): void {
    this.restore();
    this.input.setRawMode?.(false);
  }
}
