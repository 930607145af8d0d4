import { monitor } from '../monitor.js';
import type { Connection } from './client.js';
import { memoryMapXml, osdataXml, targetXml, threadsXml } from './description.js';
import { binary, hexNumber, hexToText, textToHex } from './packet.js';
import { shownTargets, threadId } from './thread-ids.js';

/** q and Q: what GDB asks about the machine and agrees on. */

/** Bytes on the wire. */
export const PACKET_SIZE = 0x10000;

/** What is offered, each with the item of `packets.ts` without which it is not; reverse execution only with a history. */
// prettier-ignore
const offers: readonly (readonly [feature: string, item: string])[] = [
  ['QStartNoAckMode+', 'QStartNoAckMode'], ['multiprocess+', 'multiprocess'], ['vContSupported+', 'vCont'],
  ['swbreak+', 'swbreak'], ['hwbreak+', 'hwbreak'], ['ConditionalBreakpoints+', 'conditions'],
  ['BreakpointCommands+', 'commands'], ['fork-events+', 'fork-events'], ['exec-events+', 'exec-events'],
  ['QThreadEvents+', 'QThreadEvents'], ['no-resumed+', 'no-resumed'], ['QNonStop+', 'QNonStop'],
  ['qXfer:features:read+', 'qXfer:features'], ['qXfer:memory-map:read+', 'qXfer:memory-map'],
  ['qXfer:threads:read+', 'qXfer:threads'], ['qXfer:exec-file:read+', 'qXfer:exec-file'],
  ['qXfer:osdata:read+', 'qXfer:osdata'], ['ReverseStep+', 'bs'], ['ReverseContinue+', 'bc'],
];

/** qSupported: what both sides can do. */
export function supported(connection: Connection, text: string): string {
  const { features, options } = connection;
  const without = options.without ?? new Set<string>();
  features.clear();
  for (const word of text.replace(/^:/, '').split(';')) {
    const [, name] = /^(.+)\+$/.exec(word) ?? [];
    if (name !== undefined && !without.has(name)) features.add(name);
  }
  const reverse = options.debugger.history !== undefined;
  const own = offers.filter(([feature, item]) => !without.has(item) && (reverse || !feature.startsWith('Reverse')));
  return [`PacketSize=${PACKET_SIZE.toString(16)}`, ...own.map(([feature]) => feature)].join(';');
}

/** qXfer:object:read:annex:offset,length, a part of a document. */
export function transfer(connection: Connection, text: string): string {
  const match = /^([\w-]+):read:(.*):([0-9a-fA-F]+),([0-9a-fA-F]+)$/s.exec(text);
  const [offset, length] = [hexNumber(match?.[3]), hexNumber(match?.[4])];
  if (!match || offset === undefined || length === undefined) return '';
  if (connection.options.without?.has(`qXfer:${match[1]}`)) return '';
  const document = documentOf(connection, match[1]!, match[2]!);
  if (typeof document !== 'string') return document === null ? '' : 'E00';
  const bytes = new TextEncoder().encode(document);
  const part = bytes.subarray(offset, offset + Math.min(length, PACKET_SIZE >> 2));
  return (offset + part.length < bytes.length ? 'm' : 'l') + binary(part);
}

/** The document; undefined where this annex has none, null where there is no such object. */
function documentOf(connection: Connection, object: string, annex: string): string | undefined | null {
  const { current, options } = connection;
  switch (object) {
    case 'features':
      return annex === 'target.xml' ? targetXml(current.registers.hasFloats) : undefined;
    case 'memory-map':
      return memoryMapXml(current.core);
    case 'threads':
      return threadsXml(knownTargets(connection), (target) => threadId(connection, target));
    case 'exec-file': {
      const number = annex === '' ? current.process.number : hexNumber(annex);
      return number === undefined ? undefined : options.files.get(number)?.path;
    }
    case 'osdata':
      return osdataXml(annex, options.debugger.processes);
    default:
      return null;
  }
}

/** The targets of processes that GDB has: to list others would have it make up inferiors that it knows nothing of. */
function knownTargets(connection: Connection) {
  const { attachments, features } = connection;
  const all = shownTargets(connection);
  if (!features.has('multiprocess')) return all;
  return all.filter(({ process }) => attachments.get(process) === 'attached' && !process.ending);
}

export const firstThreads = (connection: Connection): string =>
  `m${knownTargets(connection)
    .map((target) => threadId(connection, target))
    .join(',')}`;

/** qThreadExtraInfo, for clients that read no thread lists. */
export function threadName(connection: Connection, id: string): string {
  const target = shownTargets(connection).find((each) => threadId(connection, each) === id);
  return target ? textToHex(target.name) : 'E01';
}

/** qRcmd: a command for the machine's own monitor. */
export function monitorCommand(connection: Connection, digits: string): string {
  const { options, current, physical } = connection;
  const { debugger: machine, exits, traps } = options;
  const postpone = (move: () => readonly string[]): void => void (connection.move = move);
  const context = { debugger: machine, target: current, physical, exits, traps, postpone };
  for (const line of monitor(context, hexToText(digits))) connection.show(`${line}\n`);
  connection.physical = context.physical;
  return 'OK';
}
