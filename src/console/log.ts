import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Endpoint, Mux, Stream } from './mux.js';
import { fileNameOf, type Problem } from './names.js';

/** Log files, one a stream: what it prints, byte for byte, appended to what the file held before. */
export class Logs implements Endpoint {
  readonly #files = new Map<Stream, number>();

  /** `directory` must exist; `report` is told, once a file, of one that can no longer be written. */
  constructor(
    readonly directory: string,
    private readonly report: (sentence: string) => void,
  ) {}

  /** The log file of a stream: `DIR/hello.serial@ef600300.log`. */
  pathOf(stream: Stream): string {
    return join(this.directory, `${fileNameOf(stream.name)}.log`);
  }

  opened(stream: Stream): void {
    if (this.#files.has(stream)) return;
    this.#try(stream, () => this.#files.set(stream, openSync(this.pathOf(stream), 'a')));
  }

  output(stream: Stream, bytes: Uint8Array): void {
    const file = this.#files.get(stream);
    if (file === undefined) return;
    this.#try(stream, () => {
      for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    });
  }

  close(): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }

  #try(stream: Stream, action: () => void): void {
    try {
      action();
    } catch (error) {
      const file = this.#files.get(stream);
      this.#files.delete(stream);
      if (file !== undefined) closeSync(file);
      this.report(`${stream.name} is no longer logged: ${this.pathOf(stream)}: ${(error as Error).message}`);
    }
  }
}

/** Start logging all streams of `mux` into `directory` (made where missing); a sentence where that cannot be had. */
export function openLogs(mux: Mux, directory: string, report: (sentence: string) => void): Logs | Problem {
  const troubles: string[] = [];
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    return { problem: `--log ${directory}: ${(error as Error).message}; name a folder that can be written` };
  }
  let starting = true;
  const logs = new Logs(directory, (sentence) => (starting ? troubles.push(sentence) : report(sentence)));
  for (const stream of mux.streams) logs.opened(stream);
  starting = false;
  const [trouble] = troubles;
  if (trouble !== undefined) {
    logs.close();
    return { problem: `--log ${directory}: ${trouble}` };
  }
  mux.attach(logs);
  return logs;
}
