import type { Client, Resumption, StopEvent } from '../debugger.js';
import type { Process, Target } from '../target.js';
import { ownTargets, type Attachment, type Connection, type GdbOptions, type Point } from './client.js';
import { frame, PacketReader, textToHex } from './packet.js';
import { answer } from './packets.js';
import { targetsFor } from './points.js';
import { PACKET_SIZE } from './queries.js';
import { interrupt } from './resume.js';
import { stopped } from './stops.js';

/**
 * One connection of a GDB: bytes in, bytes out. Whatever the bytes are, the machine and the server go on; what cannot be read is
 * asked for again, and what is not known is answered by an empty packet, as the protocol wants it.
 */
export class GdbSession implements Client, Connection {
  readonly attachments: Map<Process, Attachment>;
  readonly points = new Map<string, Point>();
  readonly features = new Set<string>();
  readonly queue: StopEvent[] = [];
  readonly executing = new Set<Process>();
  acknowledges = true;
  extended = false;
  nonStop = false;
  notified = false;
  threadEvents = false;
  physical = false;
  current: Target;
  waiting = false;
  steppingBoard: Target | undefined;
  watched: Connection['watched'];
  move: (() => readonly string[]) | undefined;
  lastStop = '';
  readonly #reader = new PacketReader(2 * PACKET_SIZE);
  #sent: Uint8Array | undefined;

  /** Connecting stops the processes that it shows. */
  constructor(readonly options: GdbOptions) {
    const [first, ...others] = options.processes;
    this.current = first!.targets[0]!;
    this.attachments = new Map([[first!, 'attached'], ...others.map((p): [Process, Attachment] => [p, 'pending'])]);
    this.executing.add(first!); // GDB asks for the program of the process that it begins with
    options.debugger.join(this);
    options.debugger.stop(ownTargets(this));
  }

  get scope(): readonly Target[] {
    return this.options.processes.flatMap(({ targets }) => targets);
  }

  /** Bytes from GDB. */
  receive(bytes: Uint8Array): void {
    for (const arrival of this.#reader.feed(bytes)) {
      if (arrival.kind === 'break') this.#break();
      else if (arrival.kind === 'resend') this.#resend();
      else if (arrival.kind === 'damaged') this.#acknowledge('-');
      else this.#take(arrival.text);
    }
  }

  #break(): void {
    if (!this.options.without?.has('break')) interrupt(this);
  }

  #resend(): void {
    if (this.acknowledges && this.#sent) this.options.send(this.#sent);
  }

  #acknowledge(sign: '+' | '-'): void {
    if (this.acknowledges) this.options.send(Uint8Array.of(sign.charCodeAt(0)));
  }

  #take(text: string): void {
    this.#acknowledge('+');
    const reply = answer(this, text);
    if (reply !== undefined) this.tell(reply);
  }

  show(text: string): void {
    for (let at = 0; at < text.length; at += 4096) this.tell(`O${textToHex(text.slice(at, at + 4096))}`);
  }

  tell(text: string): void {
    this.#sent = frame(text, { runs: !this.options.without?.has('run-length') });
    this.options.send(this.#sent);
  }

  notify(text: string): void {
    this.options.send(frame(text, { start: '%' }));
  }

  print(text: string): void {
    if (this.waiting) this.show(text);
  }

  place(): void {
    const all = this.scope;
    this.options.debugger.setBreakpoints(
      this,
      [...this.points.values()].map((point) => ({ breakpoint: point.breakpoint, targets: targetsFor(point, all) })),
    );
  }

  resume(resumptions: ReadonlyMap<Target, Resumption>): void {
    this.options.debugger.resume(resumptions);
  }

  stopped(events: readonly StopEvent[]): void {
    stopped(this, events);
  }

  /** The connection is gone: its breakpoints go, what is stopped stays stopped for the next one, what runs runs on. */
  close(): void {
    if (this.waiting) this.options.debugger.stopBack();
    this.options.debugger.leave(this);
  }
}
