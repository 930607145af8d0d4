import type { Injection } from '../board/injection.js';
import type { SerialInput } from '../board/serial-input.js';
import { hex } from '../bus/bus.js';
import type { Uic } from '../devices/uic.js';
import { readMemory, writeMemory } from './guest-memory.js';
import type { Partition } from './partition.js';

/** Why something cannot be injected; undefined: it has been. */
type Outcome = string | undefined;
/** What characters come by: a stream's input, or the line from another partition. */
type Input = Pick<SerialInput, 'damage' | 'flood' | 'congest'>;
type Of<K extends Injection['kind']> = Extract<Injection, { kind: K }>;

/** How each kind comes about; what is injected is in its place by then. */
const sufferings: {
  readonly [K in Injection['kind']]: (injection: Of<K>, place: K extends StreamKind ? Input : Partition) => Outcome;
} = {
  'bit-flip': ({ address, bit }, partition) => {
    const [byte] = readMemory(partition, address, 1) ?? [];
    if (byte === undefined) return `partition '${partition.name}' has no memory at ${hex(address)}`;
    const flipped = writeMemory(partition, address, Uint8Array.of(byte ^ (1 << bit)));
    return flipped ? undefined : `partition '${partition.name}' only reads what is at ${hex(address)}`;
  },
  crash: (_, partition) => {
    if (!partition.running) return `partition '${partition.name}' is ${partition.lifecycle}, and does not run`;
    partition.end({ kind: 'checkstop' });
    return undefined;
  },
  'bus-error': ({ address, count }, { name, board }) => {
    const device = board.bus.devices.find(address);
    if (!device) return `partition '${name}' has no device at ${hex(address)}`;
    board.bus.refuse(device.target, count ?? Infinity);
    return undefined;
  },
  'lost-interrupt': ({ line }, partition) => atController(partition, line, (uic) => uic.lose(line)),
  'found-interrupt': ({ line }, partition) => atController(partition, line, (uic) => uic.find(line)),
  'spurious-interrupt': ({ line }, partition) => atController(partition, line, (uic) => uic.glitch(line)),
  'serial-error': ({ error, byte, stream }, input) =>
    input.damage(byte, error) ? undefined : `'${stream}' is no serial line, and has no ${error} errors`,
  flood: ({ bytes }, input) => {
    input.flood(bytes);
    return undefined;
  },
  congestion: ({ congested, stream }, input) =>
    input.congest(congested) ? undefined : `'${stream}' is no byte channel: what it sends always goes away`,
};

type StreamKind = Extract<Injection, { stream: string }>['kind'];

/** Have something happen that no program asked for; says why that cannot be, and nothing is changed then. */
export function suffer(
  injection: Injection,
  partitions: readonly Partition[],
  inputOf: (stream: string) => SerialInput | undefined,
): Outcome {
  const at = sufferings[injection.kind] as (injection: Injection, place: Input | Partition) => Outcome;
  if ('stream' in injection) {
    const input = inputOf(injection.stream) ?? lineTo(injection.stream, partitions);
    return input ? at(injection, input) : `there is no stream '${injection.stream}'`;
  }
  const partition = partitions.find(({ name }) => name === injection.partition);
  return partition ? at(injection, partition) : `there is no partition '${injection.partition}'`;
}

/** The line from another partition to a connected byte channel, PARTITION/NODE. */
const lineTo = (channel: string, partitions: readonly Partition[]): Input | undefined =>
  partitions
    .find(({ name }) => channel.startsWith(`${name}/`))
    ?.channels.peerInput(channel.slice(channel.indexOf('/') + 1));

function atController({ name, board }: Partition, line: number, act: (uic: Uic) => void): Outcome {
  const [uic] = board.uics;
  if (!uic || !Number.isInteger(line) || line < 0 || line > 31)
    return `partition '${name}' has interrupt lines 0 to 31, and not ${line}`;
  act(uic);
  return undefined;
}
