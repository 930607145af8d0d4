import type { Port } from '../board/board.js';
import type { SerialInput } from '../board/serial-input.js';
import type { ByteChannel } from './byte-channel.js';
import type { PeerInput } from './peer-input.js';

/** What a partition needs from the hypervisor to have byte channels, and what it has of the real board's. */
export interface Wiring {
  transmit(name: string): (byte: number) => void;
  input(name: string, channel: ByteChannel): SerialInput;
  /** What another partition sends to a connected channel. */
  peerInput(channel: ByteChannel): PeerInput;
  readonly cyclesPerCharacter: number;
  /** Ports of the real board that it has to itself. */
  readonly passed: readonly Port[];
}
