import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { closeSync, constants, openSync, readSync, readlinkSync, symlinkSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ReadStream } from 'node:tty';
import type { Endpoint, Mux, Stream } from './mux.js';
import { fileNameOf, type Problem } from './names.js';
import { attempt, claimDirectory, failed, releaseDirectory, removeStaleLink } from './pty-directory.js';
import { onWayOut } from './ways-out.js';

// A pty's master says by itself whether anyone has the other side open, once we do not: reading it gives EIO (0 bytes on
// BSD) while nobody has, and EAGAIN or bytes while somebody has. So the slave side is not held open, nothing is written
// while nobody is there (the kernel would keep the oldest bytes, not the newest), and reading is by polling, since an
// EIO would make libuv close the master. What a leaving client did not read is taken back. The settings of the line
// survive, as they belong to the pair and the master stays open.

/** How often, in milliseconds of wall time, ptys are looked at: while a client has one open, and while none has. */
const pollAttached = 15;
const pollAlone = 100;

/** At the end, how long clients are given to read the rest: in all while they make progress, and for the kernel's last part. */
const patience = 1000;
const lastRead = 100;

/** A new client is given nothing for this long, in milliseconds: many flush what has come in while they set up the line. */
const settling = 120;

const readSize = 4096;
const writeSize = 4096;
const maximalRead = 65536;

/** The two file descriptors and the name that node-pty's native part makes. */
interface NativePty {
  open(columns: number, rows: number): { master: number; slave: number; pty: string };
}

/** One stream's pty. The stream's own history is its buffer, so what waits for a reader is the last 64 KiB. */
class Pty {
  readonly #master: ReadStream;
  readonly #buffer = new Uint8Array(readSize);
  #position = 0;
  #attachedAt: number | undefined;

  constructor(
    readonly stream: Stream,
    readonly link: string,
    readonly master: number,
    readonly device: string,
  ) {
    this.#master = new ReadStream(master); // never resumed: for setRawMode, and to close the descriptor
    this.#master.setRawMode(true);
  }

  /** Whether somebody has the other side open. */
  get attached(): boolean {
    return this.#attachedAt !== undefined;
  }

  /** Take what was typed, notice clients come and go, and give a client what it has not seen. */
  poll(now: number): void {
    const there = this.#receive();
    if (there && this.#attachedAt === undefined) this.#attachedAt = now;
    if (!there && this.#attachedAt !== undefined) {
      this.#attachedAt = undefined;
      this.#takeBack();
    }
    this.send(now);
  }

  /** Give an attached client the output that it has not seen, as far as it takes it. */
  send(now: number): void {
    if (this.#attachedAt === undefined || now - this.#attachedAt < settling) return;
    const { history } = this.stream;
    this.#position = Math.max(this.#position, history.dropped);
    while (this.#position < history.total) {
      const written = attempt(() => writeSync(this.master, history.since(this.#position, writeSize)));
      if (failed(written) || written === 0) return;
      this.#position += written;
    }
  }

  /** Whether an attached client has been given less than there is. */
  get behind(): boolean {
    return this.attached && this.#position < this.stream.history.total;
  }

  /** End the pair; a client sees end of file. */
  close(): void {
    this.#master.destroy();
  }

  #receive(): boolean {
    for (let received = 0; received < maximalRead;) {
      const count = attempt(() => readSync(this.master, this.#buffer));
      if (failed(count)) return count.code === 'EAGAIN';
      if (count === 0) return false;
      this.stream.type(this.#buffer.slice(0, count));
      received += count;
    }
    return true;
  }

  #takeBack(): void {
    const { O_RDONLY, O_NOCTTY, O_NONBLOCK } = constants;
    const slave = attempt(() => openSync(this.device, O_RDONLY | O_NOCTTY | O_NONBLOCK));
    if (failed(slave)) return;
    for (;;) {
      const count = attempt(() => readSync(slave, this.#buffer));
      if (failed(count) || count === 0) break;
      this.#position = Math.max(0, this.#position - count);
    }
    closeSync(slave);
  }
}

/** A pty for every stream, each behind a symbolic link that has the stream's name. */
export class Ptys implements Endpoint {
  readonly #ptys = new Map<Stream, Pty>();
  readonly #undo: () => void;
  #timer: NodeJS.Timeout | undefined;
  #ready: Promise<unknown>[] = [];

  /** `openPtys` makes these; `report` is told of a stream that can have no pty. */
  constructor(
    private readonly native: NativePty,
    readonly directory: string,
    private readonly report: (sentence: string) => void,
  ) {
    this.#undo = onWayOut(() => this.#removeLinks());
    this.#schedule();
  }

  /** The path that a client opens for that stream: `DIR/hello.serial@ef600300`. */
  linkOf(stream: Stream): string | undefined {
    return this.#ptys.get(stream)?.link;
  }

  /** Whether a client has that stream's pty open, as far as it was noticed yet. */
  attached(stream: Stream): boolean {
    return this.#ptys.get(stream)?.attached ?? false;
  }

  opened(stream: Stream): void {
    const link = join(this.directory, fileNameOf(stream.name));
    const obstacle = removeStaleLink(link);
    if (obstacle) return this.report(`${stream.name} has no pty: ${obstacle}`);
    try {
      const { master, slave, pty: device } = this.native.open(80, 24);
      this.#ptys.set(stream, new Pty(stream, link, master, device));
      this.#ready.push(setRaw(slave));
      symlinkSync(device, link);
    } catch (error) {
      this.#ptys.get(stream)?.close();
      this.#ptys.delete(stream);
      this.report(`${stream.name} has no pty: ${(error as Error).message}`);
    }
  }

  /** Kept once the lines of all ptys are raw; clients that come earlier may see an echo. */
  async ready(): Promise<void> {
    await Promise.all(this.#ready.splice(0));
  }

  flushed(): void {
    const now = performance.now();
    for (const pty of this.#ptys.values()) if (pty.attached) pty.send(now);
  }

  /** Closing a master throws away what its client has not read, so clients get a moment; nobody else waits. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const ptys = [...this.#ptys.values()];
    for (let waited = 0; waited <= patience; waited += pollAttached) {
      for (const pty of ptys) pty.poll(Infinity);
      if (!ptys.some((pty) => pty.behind)) break;
      await pause(pollAttached);
    }
    if (ptys.some((pty) => pty.attached)) await pause(lastRead);
    this.#removeLinks();
    for (const pty of ptys) pty.close();
    this.#ptys.clear();
    this.#undo();
  }

  #schedule(): void {
    const attached = [...this.#ptys.values()].some((pty) => pty.attached);
    this.#timer = setTimeout(() => this.#poll(), attached ? pollAttached : pollAlone);
  }

  #poll(): void {
    const now = performance.now();
    for (const pty of this.#ptys.values()) pty.poll(now);
    if (this.#timer) this.#schedule();
  }

  #removeLinks(): void {
    for (const { link, device } of this.#ptys.values())
      attempt(() => {
        if (readlinkSync(link) === device) unlinkSync(link);
        return 0;
      });
    releaseDirectory(this.directory);
  }
}

/**
 * Give every stream of `mux` a pty, with links in `directory` (made where missing). Where node-pty, an optional
 * dependency, was not built, or the directory cannot be used, the result is a sentence and nothing has changed.
 * `report` is told of single streams that can have no pty.
 */
export async function openPtys(
  mux: Mux,
  directory: string,
  report: (sentence: string) => void,
  load: () => Promise<unknown> = loadNodePty,
): Promise<Ptys | Problem> {
  const native = nativePart(await load().catch((error: unknown) => error));
  if (!native)
    return {
      problem: 'no ptys: the optional package node-pty is not here or was not compiled; all else works without',
    };
  const problem = claimDirectory(directory);
  if (problem) return problem;
  const ptys = new Ptys(native, directory, report);
  mux.attach(ptys);
  await ptys.ready();
  return ptys;
}

/** Not by `import`, as the compiler must not want the types of a package that may be missing. */
async function loadNodePty(): Promise<unknown> {
  return createRequire(import.meta.url)('node-pty');
}

function nativePart(loaded: unknown): NativePty | undefined {
  const { native } = (loaded ?? {}) as { native?: Partial<NativePty> | null };
  return typeof native?.open === 'function' ? (native as NativePty) : undefined;
}

/**
 * Make the line transparent both ways. `setRawMode` has done most of it, but leaves ONLCR on, which turns a LF that a
 * client types into CR LF; stty(1) does the rest. The descriptor is closed.
 */
function setRaw(slave: number): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn('stty', ['raw', '-echo'], { stdio: [slave, 'ignore', 'ignore'] });
    closeSync(slave);
    child.on('error', () => resolve());
    child.on('close', () => resolve());
  });
}
