import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { UsageError } from '../launch/errors.js';
import { Programs } from './dap/programs.js';
import type { Launched, SessionArguments } from './dap/launched.js';
import { DapSession } from './dap/session.js';

const HOST = '127.0.0.1';
/** Looks, 20 milliseconds apart. */
const PATIENCE = 50;

/** What clients of the Debug Adapter Protocol attach to. */
export interface Attached extends Omit<Launched, 'programs'> {
  /** Programs by process. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The Debug Adapter Protocol at a port of the loopback interface, for one client after another. */
export class DapServer {
  readonly #sockets = new Set<Socket>();
  #session: DapSession | undefined;
  readonly #server: Server;

  private constructor(private readonly attached: Attached) {
    this.#server = createServer((socket) => void this.#receive(socket));
  }

  /** Listens; a UsageError says why it cannot. Port 0: any that is free. */
  static open(port: number, attached: Attached): Promise<DapServer> {
    const server = new DapServer(attached);
    return new Promise((done, fail) => {
      server.#server.on('error', (error: NodeJS.ErrnoException) => {
        const why = error.code === 'EADDRINUSE' ? 'something listens there already' : error.message;
        fail(new UsageError(`--dap ${port}: ${why}; name another port`));
      });
      server.#server.listen(port, HOST, () => done(server));
    });
  }

  /** What there is to tell the user. */
  get line(): string {
    return `debug adapter for editors: port ${(this.#server.address() as AddressInfo).port} of ${HOST}, without a password`;
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }

  /** One at a time: who comes while another is about to go waits for that, and who comes too early is sent away. */
  async #receive(socket: Socket): Promise<void> {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    for (let looks = 0; this.#session && looks < PATIENCE; looks++) await wait(20);
    if (this.#session) socket.destroy();
    else if (!socket.destroyed) this.#connect(socket);
  }

  #connect(socket: Socket): void {
    const { files, ...shared } = this.attached;
    const session = new DapSession({
      request: 'attach',
      refusal: 'the machine runs already: use a request "attach"',
      begin: ({ sourceMap = {}, stopOnEntry }: SessionArguments) => {
        if (stopOnEntry) shared.debug.stop(shared.debug.targets);
        return Promise.resolve({ ...shared, programs: new Programs(files, sourceMap) });
      },
      gone: () => {
        this.#session = undefined;
        socket.end();
      },
    });
    this.#session = session;
    session.setRunAsServer(true); // its end is not the end of this process
    session.start(socket, socket);
    socket.on('close', () => {
      if (this.#session === session) session.detach();
      shared.wake();
    });
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.end();
    return new Promise((done) => {
      this.#server.close(() => done());
      setTimeout(() => this.#sockets.forEach((socket) => socket.destroy()), 200).unref();
    });
  }
}
