import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { recordingLine, recordingStart } from '../board/recording.js';
import { readSnapshot, snapshotFile } from '../board/snapshot-file.js';
import { Snapshots, snapshotOf, stateHash } from '../board/snapshot.js';
import type { DebuggedMachine } from '../debug/processes.js';
import { nodeCompression } from '../launch/compression.js';
import { UsageError } from '../launch/errors.js';
import { readContents } from '../launch/files.js';
import { differences, type Identity } from '../launch/identity.js';
import type { Journal } from './journal.js';
import type { Wiring } from '../launch/wiring.js';

/** What is kept of a run, and what it goes on from. */
export interface KeepOptions {
  /** `FILE` at the end of the run, or `FILE@CYCLE`. */
  readonly snapshot?: string;
  readonly from?: string;
  readonly record?: string;
  /** Set by the command itself. */
  readonly keeping?: Keeping;
}

/** What command a run is of, and what runs the machine in the place of a session. */
export interface Keeping {
  readonly again: Command;
  readonly replays?: Replays;
  /** A recording that the run is to be of. */
  readonly expected?: { readonly file: string; readonly identity: Identity };
}

/** Has a machine that was started go the way of a recording. */
export type Replays = (machine: Kept, identity: Identity, wiring: Wiring, journal: Journal) => Promise<number>;

/** How to have the same machine again. */
export interface Command {
  readonly command: 'boot' | 'run';
  /** Absolute. */
  readonly what: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The configuration is the one in the identity; `what` is where its paths begin. */
  readonly embedded?: boolean;
}

/** What a recording begins with. */
export interface RecordingHeader {
  readonly identity: Identity;
  readonly again: Command;
}

/** A machine that can be kept. */
export type Kept = DebuggedMachine;

/** Keeps snapshots and recordings of a run, from after its power-on to its end. */
export class Keeper {
  /** Called before the run's end is written down. */
  beforeEnd: () => void = () => {};
  /** The file, and how long it was before each input, and is now. */
  #recording: { readonly fd: number; readonly lengths: number[] } | undefined;
  #identity: Identity | undefined;

  constructor(
    private readonly machine: Kept,
    private readonly identify: () => Identity,
    private readonly options: KeepOptions,
  ) {}

  /** What the run is of. */
  get identity(): Identity {
    return (this.#identity ??= this.identify());
  }

  /** Keep what is asked for of a session. */
  async during(session: () => Promise<number>): Promise<number> {
    const status = await session();
    this.#end();
    return status;
  }

  /** Go on from a snapshot, if that is asked for, and begin to record. */
  begin(): void {
    const { from, record, snapshot, keeping } = this.options;
    if (keeping?.expected) insistOnSame(keeping.expected.file, keeping.expected.identity, this.identity);
    if (from !== undefined && record !== undefined)
      throw new UsageError('--record and --from: a recording begins at power-on; leave one of them out');
    if (from !== undefined) this.#goOnFrom(from);
    if (snapshot !== undefined) this.#appoint(snapshot);
    if (record === undefined) return;
    if (!keeping) throw new UsageError('--record: there is nothing to record of this command');
    this.#record(record, { identity: this.identity, again: keeping.again });
  }

  /** Write a snapshot of this moment; says why it cannot. */
  readonly write = (file: string): string | undefined => {
    try {
      writeFileSync(file, snapshotFile(snapshotOf(this.machine), this.identity, nodeCompression));
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };

  /** The run is over. */
  #end(): void {
    const { machine } = this;
    if (this.#recording !== undefined) {
      this.beforeEnd();
      // Whoever held time to end the run, as --expect does, is not there when it is replayed: that stops at the same step
      if (machine.standing === 'starved') machine.standing = 'stopped';
      if (machine.standing === 'stopped') machine.settle();
      const end = { kind: 'end', hash: stateHash(snapshotOf(machine)), ...machine.moment } as const;
      this.#write(recordingLine(end));
      closeSync(this.#recording.fd);
    }
    const { snapshot } = this.options;
    if (snapshot === undefined || cycleOf(snapshot) !== undefined) return;
    const problem = this.write(snapshot);
    if (problem !== undefined) throw new UsageError(`--snapshot ${snapshot}: ${problem}`);
  }

  #goOnFrom(path: string): void {
    const contents = readContents(path);
    if (!contents.ok) throw new UsageError(`--from ${path}: there is no such file that can be read`);
    const read = readSnapshot(contents.bytes, nodeCompression);
    if ('problem' in read) throw new UsageError(`--from ${path}: the file ${read.problem}`);
    const different = differences(read.identity as Identity, this.identity);
    if (different.length > 0)
      throw new UsageError([`--from ${path}: the snapshot is of another configuration`, ...different].join('\n  '));
    new Snapshots(this.machine).restore(read.snapshot);
  }

  #appoint(snapshot: string): void {
    const cycle = cycleOf(snapshot);
    if (cycle === undefined) return;
    const file = snapshot.slice(0, snapshot.lastIndexOf('@'));
    this.machine.appointment = {
      cycle,
      keep: () => {
        const problem = this.write(file);
        if (problem !== undefined) throw new UsageError(`--snapshot ${snapshot}: ${problem}`);
      },
    };
  }

  #record(path: string, header: RecordingHeader): void {
    try {
      this.#recording = { fd: openSync(path, 'w'), lengths: [0] };
    } catch (error) {
      throw new UsageError(`--record ${path}: ${(error as Error).message}`);
    }
    const { machine } = this;
    this.#write(recordingStart(header));
    machine.listeners.push((input) => this.#write(recordingLine({ ...input, ...machine.moment })));
  }

  #write(line: string): void {
    const { fd, lengths } = this.#recording!;
    const at = lengths.at(-1)!;
    lengths.push(at + writeSync(fd, line, at));
  }

  /** The run has gone back, and on another way: of its inputs only so many count. */
  forget(inputs: number): void {
    if (!this.#recording) return;
    const { fd, lengths } = this.#recording;
    lengths.length = inputs + 2; // the first line is the header's
    ftruncateSync(fd, lengths.at(-1));
  }
}

/** Throws a UsageError where a recording is of another configuration, or of other images. */
export function insistOnSame(file: string, recorded: Identity, now: Identity): void {
  const different = differences(recorded, now);
  if (different.length > 0)
    throw new UsageError(
      [`${file}: the run cannot be had again, since not all is as it was`, ...different].join('\n  '),
    );
}

/** The cycle of `FILE@CYCLE`. */
function cycleOf(snapshot: string): number | undefined {
  const [, text] = /@([\d_]+(?:e\d+)?)$/.exec(snapshot) ?? [];
  return text === undefined ? undefined : Number(text.replaceAll('_', ''));
}
