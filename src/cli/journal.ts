import type { Machine } from '../board/machine.js';
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

/**
 * End the streams of programs that nobody can type to any more, so that whoever shows them says so, and have those live
 * again whose programs were started again. Gives how many ended.
 */
export function followPrograms(machine: Machine, streams: readonly Stream[]): number {
  let count = 0;
  for (const stream of streams) {
    const down = programOf(machine, stream)?.down;
    if (down === undefined) stream.revive();
    if (down === undefined || stream.ended !== undefined) continue;
    stream.end(down);
    count += 1;
  }
  return count;
}
