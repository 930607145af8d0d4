import type { Board, Port } from '../board/board.js';
import { enter } from '../board/entry.js';
import { describeEnding, type Ending } from '../board/machine.js';
import type { SerialInput } from '../board/serial-input.js';
import { assert } from '../bus/assert.js';
import type { Line } from '../bus/bus.js';
import type { PartitionConfiguration } from '../devicetree/configuration.js';
import { loadProgram, type BootContents, type BootProblem } from '../loader/boot.js';
import { ByteChannel } from './byte-channel.js';
import { byteChannelHandle } from './guest-tree.js';
import type { Placed } from './placement.js';
import type { Vcpu } from './vcpu.js';

/** What a partition needs from the hypervisor to have byte channels, and what it has of the real board's. */
export interface Wiring {
  transmit(name: string): (byte: number) => void;
  input(name: string, channel: ByteChannel): SerialInput;
  readonly cyclesPerCharacter: number;
  /** Ports of the real board that it has to itself. */
  readonly passed: readonly Port[];
}

/** Guest-physical addresses that the real core may be let at: memory, or pages of a device that it has to itself. */
export interface Grant {
  readonly base: number;
  readonly size: number;
  /** Where it begins on the real board. */
  readonly physical: number;
  readonly device: boolean;
}

/** A partition at work: its virtual board, its vcpus, and where it is in its life. */
export class Partition {
  readonly vcpus: Vcpu[] = [];
  readonly #channels = new Map<number, { channel: ByteChannel; input: SerialInput }>();
  #ending: Ending | undefined;
  #contents: BootContents | undefined;
  /** How often it was started again. */
  restarts = 0;
  readonly grants: readonly Grant[];

  constructor(
    readonly config: PartitionConfiguration,
    readonly board: Board,
    /** Where its memory lies on the real board. */
    places: readonly Placed[],
    private readonly wiring: Wiring,
  ) {
    this.grants = [...memoryGrants(board, places), ...pageGrants(config)];
    const [uic] = board.uics;
    assert(uic !== undefined, 'a partition has an interrupt controller');
    config.byteChannels.forEach(({ name, rx, tx }, i) => {
      const wire = (line: number): Line => uic.line(line);
      const handle = byteChannelHandle(i);
      const channel = new ByteChannel(
        name,
        handle,
        wire(rx.line),
        wire(tx.line),
        { transmit: wiring.transmit(name) },
        wiring.cyclesPerCharacter,
      );
      this.#channels.set(handle, { channel, input: wiring.input(name, channel) });
    });
  }

  get name(): string {
    return this.config.name;
  }

  get running(): boolean {
    return this.#ending === undefined;
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** Load the guest and put its processor at the entry; says why where it does not fit. */
  start(contents: BootContents): BootProblem | undefined {
    const boot = loadProgram(this.board.bus.ram, contents);
    if ('problem' in boot) return boot;
    this.#contents = contents;
    this.board.reset();
    for (const { uart } of this.wiring.passed) uart.reset();
    for (const { channel } of this.#channels.values()) channel.reset();
    for (const vcpu of this.vcpus) vcpu.reset();
    const [boot0] = this.board.cores;
    assert(boot0 !== undefined, 'a partition has a processor');
    enter(boot0, boot);
    this.#ending = undefined;
    return undefined;
  }

  /** The first ending counts. */
  end(ending: Ending): void {
    this.#ending ??= ending;
  }

  /**
   * Its processor asked for a reset: start from clean memory and devices, or be done. To load its image again costs the
   * guest a cycle a word, so that one that only resets itself uses up its share like any other.
   */
  resetRequested(): void {
    if (this.config.onReset === 'stop' || !this.#contents) return this.end({ kind: 'reset' });
    for (const { target } of this.board.bus.ram.regions) target.clearDirty();
    const problem = this.start(this.#contents);
    assert(problem === undefined, 'what fitted once fits again');
    for (const vcpu of this.vcpus) vcpu.enterContext();
    this.restarts += 1;
    const { image, initrd } = this.#contents;
    const loaded = image.segments.reduce((sum, { size }) => sum + size, initrd?.length ?? 0);
    if (this.vcpus[0]) this.vcpus[0].machine.clock.now += Math.ceil(loaded / 4);
  }

  /** What was granted to it that this guest-physical address lies in. */
  grant(physical: number): Grant | undefined {
    return this.grants.find(({ base, size }) => physical >= base && physical < base + size);
  }

  byteChannel(handle: number): ByteChannel | undefined {
    return this.#channels.get(handle)?.channel;
  }

  /** What its ports and channels are typed at by, the console first. */
  get inputs(): readonly SerialInput[] {
    const ports = this.board.ports.map((p): [string, SerialInput] => [p.name, p.input]);
    const channels = [...this.#channels.values()].map(({ channel, input }): [string, SerialInput] => [
      channel.name,
      input,
    ]);
    const { stdout } = this.config;
    return [...ports, ...channels]
      .toSorted(([a], [b]) => Number(b === stdout) - Number(a === stdout))
      .map(([, input]) => input);
  }

  /** `running`, `waiting for an interrupt`, or how it ended. */
  get state(): string {
    if (this.#ending) return describeEnding(this.#ending);
    return this.vcpus.every((v) => v.waits) ? 'waiting for an interrupt' : 'running';
  }
}

function memoryGrants(board: Board, places: readonly Placed[]): Grant[] {
  return board.bus.ram.regions.map(({ base, size, target }) => {
    const place = places.find(({ ram }) => ram === target);
    assert(place !== undefined, 'every range of a partition’s memory has a place');
    return { base, size, physical: place.physical, device: false };
  });
}

/** A device that is passed through is at the same address for the guest as on the board. */
const pageGrants = ({ pages }: PartitionConfiguration): Grant[] =>
  pages.map(({ base, size }) => ({ base, size, physical: base, device: true }));
