import { closeSync, openSync, writeSync } from 'node:fs';
import type { DebuggedMachine } from '../debug/processes.js';
import { parseFilter, type TraceFilter } from '../debug/trace/filter.js';
import { Tracer } from '../debug/trace/tracer.js';
import { TraceWriter, type TraceFile } from '../debug/trace/writer.js';
import type { ImageSymbol } from '../loader/image.js';
import { FileError, UsageError } from '../launch/errors.js';
import type { Wiring } from '../launch/wiring.js';

/** Options of a trace. */
export interface TraceOptions {
  readonly trace?: string;
  readonly traceFilter?: string;
  /** Bytes. */
  readonly traceLimit?: number;
  readonly traceKeep?: string;
}

const DEFAULT_LIMIT = 256 * 2 ** 20;
const CHUNK = 1 << 16;
const END = '\n]\n';

/**
 * A file with a JSON array that grows: behind each piece that is written stands the closing bracket, which the next piece
 * overwrites, so that it can be read at any time, whatever becomes of us. What cannot be overwritten, a pipe, gets it at the end.
 */
class GrowingArray implements TraceFile {
  readonly #fd: number;
  #at: number | null = 0;
  #chunk = '[\n';
  #empty = true;

  constructor(path: string) {
    try {
      this.#fd = openSync(path, 'w');
    } catch (error) {
      throw new FileError(path, (error as Error).message, '--trace names a file that can be written');
    }
    this.#write();
  }

  append(element: string): void {
    this.#chunk += this.#empty ? element : `,\n${element}`;
    this.#empty = false;
    if (this.#chunk.length >= CHUNK) this.#write();
  }

  #write(): void {
    const bytes = Buffer.from(this.#chunk);
    this.#chunk = '';
    if (this.#at !== null) {
      try {
        writeAll(this.#fd, Buffer.concat([bytes, Buffer.from(END)]), this.#at);
        this.#at += bytes.length;
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESPIPE') throw error;
        this.#at = null;
      }
    }
    writeAll(this.#fd, bytes, null);
  }

  close(): void {
    this.#write();
    if (this.#at === null) writeAll(this.#fd, Buffer.from(END), null);
    closeSync(this.#fd);
  }
}

function writeAll(fd: number, bytes: Uint8Array, at: number | null): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(fd, bytes, done, bytes.length - done, at === null ? null : at + done);
}

export interface TracedRun {
  readonly machine: DebuggedMachine;
  readonly wiring: Wiring;
  readonly frequency: number;
  /** By program. */
  readonly symbols: ReadonlyMap<string, readonly ImageSymbol[]>;
}

/** Begins the trace that the command line asks for; undefined: none. */
export function openTrace(options: TraceOptions, run: TracedRun): Tracer | undefined {
  const { trace, traceFilter, traceLimit = DEFAULT_LIMIT, traceKeep } = options;
  if (trace === undefined) {
    const [alone] = Object.entries({ traceFilter, traceKeep }).find(([, value]) => value !== undefined) ?? [];
    if (alone !== undefined) throw new UsageError('--trace-filter, --trace-limit and --trace-keep: with --trace FILE');
    return undefined;
  }
  const { machine, wiring, frequency, symbols } = run;
  const filter = filterOf(traceFilter, [...symbols.keys()]);
  const keeps = traceKeep === 'last' ? 'last' : 'first';
  const writer = new TraceWriter(new GrowingArray(trace), { bytes: traceLimit, keeps });
  const tracer = new Tracer(machine, { writer, filter, frequency, symbols });
  for (const stream of machine.streams) wiring.tap(stream, (byte) => tracer.sent(stream, byte));
  return tracer;
}

function filterOf(text: string | undefined, partitions: readonly string[]): TraceFilter {
  if (text === undefined) return {};
  const filter = parseFilter(text, partitions);
  if ('problem' in filter) throw new UsageError(`--trace-filter ${text}: ${filter.problem}`);
  return filter;
}
