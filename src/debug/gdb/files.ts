import type { Connection, DebugFile } from './client.js';
import { binary, hexNumber, hexToText } from './packet.js';

/** vFile: GDB reads the programs of the processes, and nothing else of this machine's files. */

const ENOENT = 2;
const EBADF = 9;
const EROFS = 30;
const FIRST_DESCRIPTOR = 3;

/** Descriptors are the places of files in the list of those that there are, so that nothing has to be closed. */
const filesOf = ({ options }: Connection): readonly DebugFile[] => [...options.files.values()];

const failed = (error: number): string => `F-1,${error.toString(16)}`;

export function fileOperation(connection: Connection, text: string): string {
  const [operation = '', ...rest] = text.split(':');
  const args = rest.join(':').split(',');
  switch (operation) {
    case 'setfs':
      return 'F0';
    case 'open':
      return open(connection, args);
    case 'pread':
      return read(connection, args);
    case 'fstat':
      return status(connection, args);
    case 'close':
      return fileAt(connection, args[0]) ? 'F0' : failed(EBADF);
    case 'pwrite':
    case 'unlink':
      return failed(EROFS);
    case 'readlink':
      return failed(ENOENT);
    default:
      return '';
  }
}

function open(connection: Connection, [name = '', flags = '0']: readonly string[]): string {
  if ((hexNumber(flags) ?? 0) & 3) return failed(EROFS);
  const path = hexToText(name);
  const at = filesOf(connection).findIndex((file) => file.path === path);
  return at < 0 ? failed(ENOENT) : `F${(at + FIRST_DESCRIPTOR).toString(16)}`;
}

const fileAt = (connection: Connection, descriptor: string | undefined): DebugFile | undefined =>
  filesOf(connection)[(hexNumber(descriptor) ?? 0) - FIRST_DESCRIPTOR];

const LONGEST_READ = 0x4000;

function read(connection: Connection, [descriptor, count, offset]: readonly string[]): string {
  const file = fileAt(connection, descriptor);
  const [length, at] = [hexNumber(count), hexNumber(offset)];
  if (!file || length === undefined || at === undefined) return failed(EBADF);
  const bytes = file.bytes.subarray(at, at + Math.min(length, LONGEST_READ));
  return `F${bytes.length.toString(16)};${binary(bytes)}`;
}

/** GDB's struct stat: 64 bytes, big-endian; a plain file that may be read (mode 0100444), with its size at 28. */
function status(connection: Connection, [descriptor]: readonly string[]): string {
  const file = fileAt(connection, descriptor);
  if (!file) return failed(EBADF);
  const view = new DataView(new ArrayBuffer(64));
  view.setUint32(8, 0o100444);
  view.setUint32(12, 1);
  view.setBigUint64(28, BigInt(file.bytes.length));
  view.setBigUint64(36, 512n);
  view.setBigUint64(44, BigInt(Math.ceil(file.bytes.length / 512)));
  return `F40;${binary(new Uint8Array(view.buffer))}`;
}
