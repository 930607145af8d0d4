// A client of the Debug Adapter Protocol, over a child process or a port: Content-Length framing, requests by number, events in order.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { root } from '../../tools.js';

type Body = Record<string, unknown>;

export class DapClient {
  readonly events: Dap.Event[] = [];
  /** The exit status of the child; null where the connection was closed. */
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcessWithoutNullStreams | undefined;
  readonly #socket: Socket | undefined;
  readonly #out: Writable;
  readonly #answers = new Map<number, (response: Dap.Response) => void>();
  #waiting: (() => void)[] = [];
  #bytes = Buffer.alloc(0);
  #sequence = 0;
  #seen = 0;
  errors = '';

  /** Of `hv440 dap` as a child, or of what listens at a port. */
  constructor(port?: number) {
    let from: Readable;
    if (port === undefined) {
      const child = (this.#child = spawn(process.execPath, [join(root, 'dist/cli/main.cjs'), 'dap'], { cwd: root }));
      child.stderr.on('data', (chunk: Buffer) => (this.errors += chunk.toString()));
      [from, this.#out] = [child.stdout, child.stdin];
      this.exited = new Promise((resolve) => child.on('close', resolve));
    } else {
      const socket = (this.#socket = createConnection(port, '127.0.0.1'));
      socket.on('error', () => {}); // 'close' follows
      [from, this.#out] = [socket, socket];
      this.exited = new Promise((resolve) => socket.on('close', () => resolve(null)));
    }
    from.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  #receive(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const end = this.#bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#bytes.subarray(0, end).toString('latin1');
      const length = Number(/^Content-Length: (\d+)$/.exec(head)?.[1]);
      if (!(length >= 0)) throw new Error(`that is no header: ${head}`);
      if (this.#bytes.length < end + 4 + length) return;
      const text = this.#bytes.subarray(end + 4, end + 4 + length).toString('utf8');
      this.#bytes = this.#bytes.subarray(end + 4 + length);
      this.#hear(JSON.parse(text) as Dap.ProtocolMessage);
    }
  }

  #hear(message: Dap.ProtocolMessage): void {
    if (message.type === 'response')
      this.#answers.get((message as Dap.Response).request_seq)?.(message as Dap.Response);
    else if (message.type === 'event') this.events.push(message as Dap.Event);
    for (const look of this.#waiting.splice(0)) look();
  }

  /** A request's answer, good or bad. */
  ask(command: string, args: Body = {}): Promise<Dap.Response> {
    const seq = ++this.#sequence;
    const text = Buffer.from(JSON.stringify({ seq, type: 'request', command, arguments: args }));
    this.#out.write(Buffer.concat([Buffer.from(`Content-Length: ${text.length}\r\n\r\n`), text]));
    return new Promise((resolve) => this.#answers.set(seq, resolve));
  }

  /** What a request that must be answered well is answered with. */
  async body<T = Body>(command: string, args: Body = {}): Promise<T> {
    const response = await this.ask(command, args);
    if (!response.success)
      throw new Error(`${command}: ${JSON.stringify(response.body ?? response.message)} ${this.errors}`);
    return (response.body ?? {}) as T;
  }

  /** The next event of this name behind those that were waited for. */
  async event(name: string): Promise<Body> {
    for (;;) {
      for (; this.#seen < this.events.length; this.#seen++) {
        const event = this.events[this.#seen]!;
        if (event.event !== name) continue;
        this.#seen += 1;
        return (event.body ?? {}) as Body;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** All that the consoles printed. */
  get output(): string {
    return this.events
      .filter(({ event }) => event === 'output')
      .map(({ body }) => (body as { output: string }).output)
      .join('');
  }

  async begin(args: Body, request: 'launch' | 'attach' = 'launch'): Promise<void> {
    await this.body('initialize', { adapterID: 'hv440', supportsInvalidatedEvent: true });
    await this.body(request, args);
    await this.event('initialized');
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
    this.#socket?.destroy();
  }
}
