import type { Stream } from './mux.js';

/** A sentence for the user: what is wrong, and how to mend it. */
export interface Problem {
  readonly problem: string;
}

/** The part of a stream's name before its first `/`: the partition, or the whole name. */
export function partitionOf(name: string): string {
  return name.split('/', 1)[0] ?? name;
}

/** The shortest name that tells a stream from the others: its partition, where that has one stream only. */
export function shortName(stream: Stream, streams: readonly Stream[]): string {
  const partition = partitionOf(stream.name);
  const sharing = streams.filter((other) => partitionOf(other.name) === partition);
  return sharing.length === 1 ? partition : stream.name;
}

/**
 * A stream's file name: `/` becomes `.`, so that all lie in one folder (`hello/serial@ef600300` is
 * `hello.serial@ef600300`); anything but letters, digits and `,_+@-` is written `%hh`, so that no two names meet.
 */
export function fileNameOf(name: string): string {
  const escaped = (part: string): string =>
    [...Buffer.from(part)]
      .map((byte) => (plain.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : hex(byte)))
      .join('');
  return name.split('/').map(escaped).join('.');
}

const plain = /^[A-Za-z0-9,_+@-]$/;
const hex = (byte: number): string => `%${byte.toString(16).padStart(2, '0')}`;

/**
 * The stream that a user means by NAME: its full name, its partition's, its node's (`serial@ef600300`), or either
 * form without the unit address (`hello/serial`), as long as exactly one stream answers to it.
 */
export function findStream<S extends Pick<Stream, 'name'>>(name: string, streams: readonly S[]): S | Problem {
  const exact = streams.find((stream) => stream.name === name);
  if (exact) return exact;
  const matches = streams.filter((stream) => otherNames(stream.name).includes(name));
  const [only] = matches;
  if (only && matches.length === 1) return only;
  const list = (some: readonly S[]): string => some.map((stream) => stream.name).join(', ');
  if (only) return { problem: `'${name}' could be any of ${list(matches)}; give the full name of one` };
  if (streams.length === 0) return { problem: `there is no stream '${name}': there are no streams at all` };
  return { problem: `there is no stream '${name}'; there are ${list(streams)}` };
}

function otherNames(full: string): string[] {
  const [partition = full, ...rest] = full.split('/');
  const node = rest.join('/');
  const bare = node.replace(/@[^/]*$/, '');
  return node === '' ? [partition] : [partition, node, bare, `${partition}/${bare}`];
}
