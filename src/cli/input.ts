import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Machine } from '../board/machine.js';
import { Expecter, parseExchanges, parseInputs, type Exchange } from '../console/script.js';
import type { Mux, Stream } from '../console/mux.js';
import { UsageError } from '../launch/errors.js';

/** After so long without a byte, an open standard input is somebody who may type, not a script. Milliseconds of wall time. */
const SCRIPT_PATIENCE = 3000;

export interface InputOptions {
  readonly input?: readonly string[];
  readonly expect?: readonly string[];
  readonly send?: readonly string[];
}

/** Types the files of `--input NAME=FILE`; gives the streams that have a script. */
export function typeScripts(
  machine: Machine,
  streams: readonly Stream[],
  options: readonly string[] = [],
): Set<Stream> {
  const inputs = parseInputs(options, streams);
  if ('problems' in inputs) throw new UsageError(inputs.problems.join('\n'));
  for (const { stream, file } of inputs) {
    try {
      machine.type(stream.name, readFileSync(file === '-' ? 0 : file));
    } catch (error) {
      throw new UsageError(`--input ${stream.name}=${file}: ${(error as Error).message}; name a file that can be read`);
    }
  }
  return new Set(inputs.map((i) => i.stream));
}

/** The dialogue of `--expect` and `--send`, or undefined where there is none. */
export function dialogue(options: InputOptions): Expecter | undefined {
  const exchanges: Exchange[] | { problem: string } = parseExchanges(options.expect ?? [], options.send ?? []);
  if ('problem' in exchanges) throw new UsageError(exchanges.problem);
  return exchanges.length > 0 ? new Expecter(exchanges) : undefined;
}

/**
 * Standard input without a terminal. It is a script: simulated time waits for its next character, so that the run does not
 * depend on how fast it is delivered. If it stays open and silent, it is taken for somebody who may type: then time goes on.
 */
export class StandardInput {
  /** Somebody may still type. */
  live = false;
  #ended = false;
  /** Since when the machine has waited for a character, in wall time; undefined while it does not. */
  #starvedSince: number | undefined;
  readonly #onData = (bytes: Buffer): void => {
    this.#starvedSince = undefined;
    this.machine.type(this.stream.name, bytes);
    this.wake();
  };
  readonly #onEnd = (): void => {
    this.#ended = true;
    this.live = false;
    this.machine.scripted(this.stream.name, false);
    this.wake();
  };

  /** `wake` is called for whatever arrives, the end too. */
  constructor(
    private readonly machine: Machine,
    private readonly stream: Stream,
    private readonly source: Readable,
    private readonly wake: () => void,
  ) {
    machine.scripted(stream.name, true);
    source.on('data', this.#onData);
    source.on('end', this.#onEnd);
    source.on('error', this.#onEnd);
  }

  /** Wait until something arrives, or until it is clear that nobody delivers; `wait` ends early when `wake` is called. */
  async feed(wait: (milliseconds: number) => Promise<void>): Promise<void> {
    if (this.#ended || this.live) return;
    this.#starvedSince ??= performance.now();
    const left = this.#starvedSince + SCRIPT_PATIENCE - performance.now();
    if (left > 0) return wait(left);
    this.live = true;
    this.machine.scripted(this.stream.name, false);
  }

  /** Stop listening, so that the process can end. */
  close(): void {
    this.source.off('data', this.#onData);
    this.source.off('end', this.#onEnd);
    this.source.pause();
    (this.source as { unref?: () => void }).unref?.();
  }
}

/** Streams by name, opened in the order in which the machine lists them; the first is the console. */
export function openStreams(mux: Mux, machine: Machine): Stream[] {
  return machine.streams.map((name) => {
    const stream = mux.get(name) ?? mux.open(name);
    stream.input = (bytes) => void machine.type(name, bytes);
    return stream;
  });
}
