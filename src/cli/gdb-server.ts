import { rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { GdbOptions } from '../debug/gdb/client.js';
import { GdbSession } from '../debug/gdb/session.js';
import type { Process } from '../debug/target.js';
import { UsageError } from '../launch/errors.js';

/** Where GDB connects to which processes: a TCP port, or a UNIX socket. */
export interface Place {
  readonly processes: readonly Process[];
  readonly host?: string;
  /** 0: any that is free. */
  readonly port?: number;
  readonly path?: string;
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

/** GDB's connections, one at a time at each place. */
export class GdbServer {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  /** What there is to tell the user: where to connect. */
  readonly lines: string[] = [];

  private constructor(
    private readonly shared: Omit<GdbOptions, 'processes' | 'send'>,
    private readonly wake: () => void,
  ) {}

  /** Listens at all places; a UsageError says which one cannot be had. */
  static async open(
    places: readonly Place[],
    shared: Omit<GdbOptions, 'processes' | 'send'>,
    wake: () => void,
  ): Promise<GdbServer> {
    const server = new GdbServer(shared, wake);
    try {
      for (const place of places) await server.#listen(place);
    } catch (error) {
      await server.close();
      throw error;
    }
    const host = places[0]?.host;
    if (host !== undefined)
      server.lines.push(
        isLoopback(host)
          ? 'GDB’s port asks for no password: whoever is on this computer can connect'
          : `GDB’s port asks for no password: whoever reaches ${host} controls this machine`,
      );
    return server;
  }

  get connected(): boolean {
    return this.#sockets.size > 0;
  }

  #listen(place: Place): Promise<void> {
    const server = createServer((socket) => this.#connect(socket, place));
    server.maxConnections = 1;
    this.#servers.push(server);
    const { path, host, port } = place;
    return new Promise((done, fail) => {
      server.on('error', (error: NodeJS.ErrnoException) => {
        const where = path ?? `${host}:${port}`;
        const why = error.code === 'EADDRINUSE' ? 'something listens there already' : error.message;
        fail(
          new UsageError(`GDB cannot connect to ${where}: ${why}; --gdb PORT or --gdb-unix PATH names another place`),
        );
      });
      const listening = (): void => {
        this.#announce(place, server);
        done();
      };
      if (path !== undefined) server.listen(path, listening);
      else server.listen(port, host, listening);
    });
  }

  #announce({ processes, path }: Place, server: Server): void {
    const address = server.address() as AddressInfo | string;
    const where = typeof address === 'string' ? path : `${address.address}:${address.port}`;
    const what = processes.map(({ name }) => name).join(', ');
    this.lines.push(`GDB for ${what}: target remote ${where}`);
  }

  #connect(socket: Socket, { processes }: Place): void {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    const send = (bytes: Uint8Array): void => {
      if (socket.writable) socket.write(bytes);
    };
    const session = new GdbSession({ ...this.shared, processes, send });
    socket.on('data', (bytes) => session.receive(bytes));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      session.close();
      this.wake();
    });
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.end();
    await Promise.all(
      this.#servers.map((server) => {
        const path = server.address();
        return new Promise<void>((done) => {
          server.close(() => done());
          setTimeout(() => this.#sockets.forEach((socket) => socket.destroy()), 200).unref();
          if (typeof path === 'string') rmSync(path, { force: true });
        });
      }),
    );
  }
}
