// The sessions of docs/debugging.md with GDB: read from the document, and carried out by a real one.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { root, tool } from '../tools.js';
import { Child, inRoot, scratch } from './child.js';

const PROMPT = '(gdb) ';

const unpacked = inRoot('firmware', 'linux', 'vmlinux');

/** The project's folder, but without an unpacked kernel, by which debuggers would say more than the document has. */
export function folderAsCommitted(): string {
  if (!existsSync(unpacked)) return root;
  const folder = scratch();
  mkdirSync(join(folder, 'firmware', 'linux'), { recursive: true });
  for (const name of [
    'docs',
    'devicetrees',
    'firmware/hello',
    'firmware/traps',
    'firmware/lib',
    'firmware/linux/vmlinux.gz',
  ])
    if (!existsSync(join(folder, name))) symlinkSync(inRoot(name), join(folder, name));
  return folder;
}

/** A session: what runs in the one terminal, how GDB is started in the other, and all that is seen there. */
export interface Session {
  /** Arguments of `hv440`. */
  readonly server: readonly string[];
  /** Arguments of GDB. */
  readonly args: readonly string[];
  /** Each command with what it printed. */
  readonly steps: readonly { readonly command: string; readonly said: string }[];
}

/** Words of a command line, of which those in quotes are one. */
const words = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);

/** `(gdb) command` and what follows, up to the next. */
function stepsOf(text: string): Session['steps'] {
  return text
    .split(/^\(gdb\) /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      return { command: part.slice(0, end), said: part.slice(end + 1) };
    });
}

/**
 * The sessions of a document. `hv440 debug … --wait …` in a block of `sh` is what a session is of; it begins in a block of `console`
 * with `$ gdb-multiarch …`, and goes on in those that begin with `(gdb)`.
 */
export function sessionsOf(document: string): Session[] {
  const found: { server: string[]; args: string[]; steps: Session['steps'] }[] = [];
  let server: string[] = [];
  for (const [, kind, text] of document.matchAll(/^```(sh|console)\n([^]*?)^```$/gm)) {
    const [, command] = /^hv440 (debug .*?--wait.*?)(?:\s+#.*)?$/m.exec(kind === 'sh' ? text! : '') ?? [];
    if (command !== undefined) server = words(command);
    const [, begun] = /^\$ gdb-multiarch (.*)\n/.exec(kind === 'console' ? text! : '') ?? [];
    if (begun !== undefined) found.push({ server, args: words(begun), steps: stepsOf(text!) });
    const session = found.at(-1);
    if (session && kind === 'console' && text!.startsWith(PROMPT))
      session.steps = [...session.steps, ...stepsOf(text!)];
  }
  return found;
}

/** A GDB in pipes: each command is given when it has asked for it. */
class Gdb {
  #said = '';
  #waiting: ((said: string) => void) | undefined;
  readonly #process;

  constructor(program: string, args: readonly string[], cwd: string) {
    const line = [program, '-nx', '-ex', 'set width 0', '-ex', 'set height 0', ...args];
    this.#process = spawn('sh', ['-c', 'exec "$@" 2>&1', 'sh', ...line], {
      cwd,
      env: { ...process.env, TERM: 'dumb', DEBUGINFOD_URLS: '' },
    });
    this.#process.stdin.on('error', () => {}); // it may be gone
    this.#process.stdout.on('data', (bytes: Buffer) => {
      this.#said += bytes.toString();
      if (this.#said.endsWith(PROMPT)) this.#answer();
    });
    this.#process.on('close', () => this.#answer());
  }

  #answer(): void {
    const said = this.#said.endsWith(PROMPT) ? this.#said.slice(0, -PROMPT.length) : this.#said;
    if (this.#waiting) this.#said = '';
    this.#waiting?.(said);
    this.#waiting = undefined;
  }

  /** What it says up to its prompt. */
  prompt(): Promise<string> {
    return new Promise((done) => {
      this.#waiting = done;
      if (this.#said.endsWith(PROMPT)) this.#answer();
    });
  }

  ask(command: string): Promise<string> {
    const said = this.prompt();
    this.#process.stdin.write(`${command}\n`);
    return said;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

/** A server of GDB for a session, as a newcomer starts it, but at ports that are free. */
export class Tour {
  readonly #child: Child;
  readonly #gdbs: Gdb[] = [];
  #ports: readonly string[] = [];

  constructor(
    server: readonly string[],
    private readonly program: string,
    private readonly folder = folderAsCommitted(),
  ) {
    const here = (word: string): string => (existsSync(join(folder, word)) ? join(folder, word) : word);
    this.#child = new Child([...server.map(here), '--gdb', '0', '--headless']);
  }

  get console(): string {
    return this.#child.stdout;
  }

  /** Type at the first console. */
  type(text: string): void {
    this.#child.type(text);
  }

  shows(text: string): Promise<void> {
    return this.#child.shows(text);
  }

  /** Start a GDB, which is at its first prompt then. */
  async gdb(args: readonly string[]): Promise<(command: string) => Promise<string>> {
    await this.#child.shows('asks for no password', 'stderr');
    this.#ports = [...this.#child.stderr.matchAll(/target remote 127\.0\.0\.1:(\d+)/g)].map(([, port]) => port!);
    const made = new Gdb(this.program, args, this.folder);
    this.#gdbs.push(made);
    await made.prompt();
    return async (command) => this.#shown(await made.ask(this.#real(command)));
  }

  /** The ports of the document are 1234 and those behind it. */
  #real(command: string): string {
    return command.replace(/:(123\d)\b/g, (whole, port: string) => `:${this.#ports[Number(port) - 1234] ?? whole}`);
  }

  /** As in the document: its ports, its folder, and columns as narrow as they may be. */
  #shown(text: string): string {
    const withPorts = this.#ports.reduce((said, port, i) => said.replaceAll(`:${port}`, `:${1234 + i}`), text);
    return plain(withPorts.replaceAll(this.folder, '~/hv440'));
  }

  async end(): Promise<void> {
    for (const gdb of this.#gdbs) gdb.kill();
    await this.#child.kill();
  }
}

/** The sessions of docs/debugging.md; those with Linux take longer. */
export const documented = sessionsOf(readFileSync(inRoot('docs', 'debugging.md'), 'utf8')).map((session) => ({
  ...session,
  title: session.server.join(' '),
  long: session.server.some((word) => word.includes('linux')),
}));

/** Without what columns are filled with. */
export const plain = (text: string): string => text.replace(/ +$/gm, '').replace(/ {2,}/g, ' ').trimEnd();

export const gdb = tool('gdb-multiarch');

const tours: Tour[] = [];
afterEach(() => Promise.all(tours.splice(0).map((tour) => tour.end())));

/** A server with a GDB; both end with the test. */
export function tourOf(server: readonly string[]): Tour {
  const tour = new Tour(server, gdb!);
  tours.push(tour);
  return tour;
}
