import type { SerialInput } from '../board/serial-input.js';
import type { Line } from '../bus/bus.js';
import type { ByteChannelConfiguration } from '../devicetree/configuration.js';
import { ByteChannel, congestedOf } from './byte-channel.js';
import { byteChannelHandle } from './guest-tree.js';
import { PeerEnd, type PeerInput } from './peer-input.js';
import type { Wiring } from './wiring.js';

/** A channel with a stream that a person types at, or with a line from another partition's. */
type Wired =
  | { readonly channel: ByteChannel; readonly input: SerialInput }
  | { readonly channel: ByteChannel; readonly peer: PeerInput; readonly far: PeerEnd };

/** The byte channels of a partition, in the order of the source, which is that of their handles. */
export class ByteChannels {
  readonly #all: readonly Wired[];

  constructor(
    private readonly configurations: readonly ByteChannelConfiguration[],
    wiring: Wiring,
    lineOf: (line: number) => Line,
  ) {
    this.#all = configurations.map(({ name, rx, tx, peer }, i) => {
      const lines = [lineOf(rx.line), lineOf(tx.line)] as const;
      const make = (far: ConstructorParameters<typeof ByteChannel>[4]): ByteChannel =>
        new ByteChannel(name, byteChannelHandle(i), ...lines, far, wiring.cyclesPerCharacter);
      if (!peer) {
        const channel = make({ transmit: wiring.transmit(name) });
        return { channel, input: wiring.input(name, channel) };
      }
      const far = new PeerEnd();
      const channel = make(far);
      return { channel, peer: wiring.peerInput(channel), far };
    });
  }

  /** Lead every channel that has a peer to it; once, when all partitions are made. */
  connect(of: (partition: string) => ByteChannels | undefined): void {
    this.configurations.forEach(({ peer }, i) => {
      const own = this.#all[i]!;
      const other = peer && of(peer.partition)?.peerInput(peer.name);
      if (!('far' in own) || !other) return;
      own.far.connect(other);
      other.listenTo(own.channel);
    });
  }

  /** What is on its way to the connected channel of that name. */
  peerInput(name: string): PeerInput | undefined {
    const end = this.#all.find(({ channel }) => channel.name === name);
    return end && 'peer' in end ? end.peer : undefined;
  }

  byHandle(handle: number): ByteChannel | undefined {
    return this.#all.find(({ channel }) => channel.handle === handle)?.channel;
  }

  /** What is typed at those that have a stream, by their names. */
  get inputs(): readonly (readonly [string, SerialInput])[] {
    return this.#all.flatMap((end) => ('input' in end ? [[end.channel.name, end.input] as const] : []));
  }

  /** As at a start: nothing has arrived, and what other partitions have sent is lost; what it has sent itself is not. */
  reset(): void {
    for (const end of this.#all) {
      end.channel.reset();
      if ('peer' in end) end.peer.discard();
    }
  }

  save() {
    const channels = this.#all.map(({ channel }) => channel);
    const peers = this.#peers.map((peer) => peer.save());
    return {
      channels: channels.map(({ state }) => [...state.received]),
      congested: congestedOf(channels),
      inputs: this.inputs.map(([, input]) => input.save()),
      ...(peers.length > 0 && { peers }),
    };
  }

  /** The channels, before their interrupt controller is restored, which knows best what it was told. */
  restoreChannels({ channels, congested }: Pick<ReturnType<ByteChannels['save']>, 'channels' | 'congested'>): void {
    this.#all.forEach(({ channel }, i) => channel.restore(channels[i]!, congested?.includes(i) ?? false));
  }

  /** And what is on its way to them, behind it. */
  restoreInputs({ inputs, peers }: Pick<ReturnType<ByteChannels['save']>, 'inputs' | 'peers'>): void {
    this.inputs.forEach(([, input], i) => input.restore(inputs[i]!));
    this.#peers.forEach((peer, i) => peer.restore(peers![i]!));
  }

  get #peers(): PeerInput[] {
    return this.#all.flatMap((end) => ('peer' in end ? [end.peer] : []));
  }
}
