import type { InputRecord } from '../board/serial-input.js';
import type { Clock } from '../bus/clock.js';
import type { SharedMemory } from '../bus/memory.js';
import type { Engine } from '../cpu/engine/engine.js';
import type { Configuration } from '../devicetree/configuration.js';
import type { Tree } from '../devicetree/tree.js';
import type { Image } from '../loader/contents.js';
import type { FaultReport } from './fault-report.js';

/** What a hypervisor needs from its surroundings. */
export interface HypervisorOptions {
  readonly memory: SharedMemory;
  readonly clock: Clock;
  readonly engine: Engine;
  /** The whole configuration, checked, and what it says. */
  readonly tree: Tree;
  readonly configuration: Configuration;
  /** Where a port's bytes go, by stream name. */
  transmit(stream: string): (byte: number) => void;
  readonly recordInput: (record: InputRecord) => void;
  /** A partition died, or faults in a loop: why, as far as that can be seen. */
  fault?(report: FaultReport): void;
  /** What the hypervisor has to tell: a line without its end. */
  log(line: string): void;
}

/** A guest's program and initrd, as files. */
export interface GuestFiles {
  readonly image: Image;
  readonly initrd?: Uint8Array;
}
