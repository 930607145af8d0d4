import { readFileSync, writeFileSync } from 'node:fs';
import type { Progress } from '../board/machine.js';
import type { RecordedInput } from '../board/inputs.js';
import { readSnapshot, snapshotFile } from '../board/snapshot-file.js';
import type { Snapshot } from '../board/snapshot.js';
import type { FaultReport } from '../hypervisor/fault-report.js';
import { nodeCompression } from '../launch/compression.js';
import { UsageError } from '../launch/errors.js';
import type { Identity } from '../launch/identity.js';
import type { SavedStream } from './console-stream.js';

/** What a board under test is besides its machine. Plain data. */
export interface SavedTest {
  /** All that reached the machine since it was switched on. */
  readonly inputs: readonly RecordedInput[];
  readonly standing: Progress['kind'];
  readonly streams: Readonly<Record<string, SavedStream>>;
  readonly faults: readonly FaultReport[];
  readonly random: { readonly seed: number; readonly state: number };
}

/** A board at one moment. It never changes; boards of the same configuration can be brought back to it. */
export class TestSnapshot {
  constructor(
    readonly machine: Snapshot,
    /** What it is of. */
    readonly identity: Identity,
    readonly test: SavedTest,
  ) {}

  /** The clock then, in cycles. */
  get cycle(): number {
    return this.machine.cycle;
  }

  /** Write it to a file, which `hv440 boot --from` takes as well. */
  save(file: string): void {
    writeFileSync(file, this.bytes());
  }

  /** The same as bytes. */
  bytes(): Uint8Array {
    return snapshotFile(this.machine, { ...this.identity, test: this.test }, nodeCompression);
  }

  /** Read a file. Throws a UsageError where it is none, or was not written by this version of hv440. */
  static load(file: string): TestSnapshot {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(file);
    } catch (error) {
      throw new UsageError(`${file}: ${(error as Error).message}`);
    }
    const read = readSnapshot(bytes, nodeCompression);
    if ('problem' in read) throw new UsageError(`${file}: the file ${read.problem}`);
    const { test, ...identity } = read.identity as Identity & { readonly test?: SavedTest };
    if (!test) throw new UsageError(`${file}: it was not written by a test; take the snapshot with \`snapshot()\``);
    return new TestSnapshot(read.snapshot, identity, test);
  }
}
