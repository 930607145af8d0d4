import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Why a run is left before its end, if it is: somebody wants to, or a signal says so. */
export class Departure {
  /** 0 where a person left; for a signal 128 and its number, as a shell has it. */
  status = 0;
  /** The signal's name. */
  reason: string | undefined;
  readonly #controller = new AbortController();
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.leave(128 + constants.signals[signal], signal);
    this.close(); // a second one ends the process at once
  };

  /** Listens for signals until `close`. */
  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  /** Aborted when the run is to be left. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Leave. The first reason counts. */
  leave(status = 0, reason?: string): void {
    if (this.signal.aborted) return;
    this.status = status;
    this.reason = reason;
    this.#controller.abort();
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }
}
