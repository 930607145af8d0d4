import type { Memory, Target } from '../target.js';
import type { RegisterDescription } from '../register-table.js';
import type { Connection } from './client.js';
import { numbered } from './description.js';
import { binary, bytesOf, fromHex, hexNumber, toHex } from './packet.js';

/** Registers and memory of the current target. */

const ERROR = 'E01';
const FAULT = 'E14';

const LONGEST_READ = 0x8000;

export const memoryOf = ({ current, physical }: Connection): Memory =>
  physical ? current.physical : current.effective;

/** A register's value as GDB has it: hexadecimal, the most significant byte first. */
export const registerHex = (target: Target, register: RegisterDescription): string =>
  target.registers
    .read(register)
    .toString(16)
    .padStart(register.bits / 4, '0');

export function readRegisters({ current }: Connection): string {
  const { hasFloats } = current.registers;
  return numbered(hasFloats)
    .map(({ register }) => registerHex(current, register))
    .join('');
}

export function writeRegisters(connection: Connection, text: string): string {
  if (!/^[0-9a-fA-Fx]*$/.test(text)) return ERROR;
  let at = 0;
  for (const { register } of numbered(connection.current.registers.hasFloats)) {
    const digits = text.slice(at, at + register.bits / 4);
    at += register.bits / 4;
    if (/^[0-9a-fA-F]+$/.test(digits) && digits !== registerHex(connection.current, register))
      writeTo(connection, register, digits);
  }
  return 'OK';
}

const registerAt = ({ current }: Connection, number: number | undefined): RegisterDescription | undefined =>
  numbered(current.registers.hasFloats).find((each) => each.number === number)?.register;

export function readRegister(connection: Connection, text: string): string {
  const register = registerAt(connection, hexNumber(text));
  return register ? registerHex(connection.current, register) : ERROR;
}

export function writeRegister(connection: Connection, text: string): string {
  const [number, digits = ''] = text.split('=');
  const register = registerAt(connection, hexNumber(number));
  if (!register || digits.length !== register.bits / 4 || !fromHex(digits)) return ERROR;
  writeTo(connection, register, digits);
  return 'OK';
}

function writeTo({ current, options }: Connection, register: RegisterDescription, digits: string): void {
  options.debugger.writeRegister(current, register.name, BigInt(`0x${digits}`));
}

/** `address,length`, with what stands behind a colon. */
function range(text: string): { address: number; length: number; rest: string } | undefined {
  const match = /^([0-9a-fA-F]+),([0-9a-fA-F]+)(?::(.*))?$/s.exec(text);
  const [address, length] = [hexNumber(match?.[1]), hexNumber(match?.[2])];
  if (!match || address === undefined || length === undefined || address >= 2 ** 36) return undefined;
  return { address, length, rest: match[3] ?? '' };
}

export function readMemory(connection: Connection, text: string): string {
  const asked = range(text);
  if (!asked) return ERROR;
  const bytes = memoryOf(connection).read(asked.address, Math.min(asked.length, LONGEST_READ));
  return bytes.length === 0 && asked.length > 0 ? FAULT : toHex(bytes);
}

function write(connection: Connection, address: number, bytes: Uint8Array): string {
  const { options, current, physical } = connection;
  const written = options.debugger.writeMemory(current, physical ? 'physical' : 'effective', address, bytes);
  return written === bytes.length ? 'OK' : FAULT;
}

export function writeMemory(connection: Connection, text: string): string {
  const asked = range(text);
  const bytes = asked && fromHex(asked.rest);
  return asked && bytes?.length === asked.length ? write(connection, asked.address, bytes) : ERROR;
}

export function writeBinary(connection: Connection, text: string): string {
  const asked = range(text);
  if (!asked || asked.rest.length !== asked.length) return ERROR;
  return write(connection, asked.address, bytesOf(asked.rest));
}

/** Reads a long stretch piece by piece; undefined where a part of it is not there. */
function stretch(connection: Connection, address: number, length: number): Uint8Array | undefined {
  if (length > LONGEST_STRETCH) return undefined;
  const bytes = memoryOf(connection).read(address, length);
  return bytes.length === length ? bytes : undefined;
}

const LONGEST_STRETCH = 64 * 2 ** 20;

/** GDB's CRC-32: not reflected, beginning with ones, without a last inversion. */
export function checksum(connection: Connection, text: string): string {
  const asked = range(text);
  const bytes = asked && stretch(connection, asked.address, asked.length);
  if (!bytes) return FAULT;
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return `C${(crc >>> 0).toString(16)}`;
}

/** `address;length;pattern`: where the pattern begins first. */
export function search(connection: Connection, text: string): string {
  const match = /^([0-9a-fA-F]+);([0-9a-fA-F]+);(.+)$/s.exec(text);
  const [address, length] = [hexNumber(match?.[1]), hexNumber(match?.[2])];
  if (!match || address === undefined || length === undefined) return ERROR;
  const bytes = memoryOf(connection).read(address, Math.min(length, LONGEST_STRETCH));
  const at = binary(bytes).indexOf(match[3]!);
  return at < 0 ? '0' : `1,${(address + at).toString(16)}`;
}
