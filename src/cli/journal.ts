import { describeEnding, type Machine } from '../board/machine.js';
import type { Stream } from '../console/mux.js';
import { programOf } from './commands.js';

/** What the machine has to tell, kept until there is somebody to tell it to. */
export class Journal {
  #tell: ((line: string) => void) | undefined;
  readonly #kept: string[] = [];
  /** Whether nothing was said. */
  empty = true;

  say = (line: string): void => {
    this.empty = false;
    if (this.#tell) this.#tell(line);
    else this.#kept.push(line);
  };

  /** Hear all that was said before, and from now on. */
  listen(tell: (line: string) => void): void {
    this.#tell = tell;
    this.#kept.splice(0).forEach(tell);
  }
}

/** End the streams of programs that have ended, so that whoever shows them says so. Gives how many there were. */
export function endStreams(machine: Machine, streams: readonly Stream[]): number {
  let count = 0;
  for (const stream of streams) {
    const ending = programOf(machine, stream)?.ending;
    if (!ending || stream.ended !== undefined) continue;
    stream.end(describeEnding(ending));
    count += 1;
  }
  return count;
}
