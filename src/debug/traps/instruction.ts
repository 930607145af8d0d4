import type { Board } from '../../board/board.js';
import type { Core } from '../../cpu/core.js';
import type { Exit } from '../../hypervisor/exit.js';
import { decodeIndex, decodeTable, ILLEGAL } from '../../isa/decode.js';
import { instructions } from '../../isa/instructions.js';
import { findSpr } from '../../isa/registers.js';
import type { StateCopy } from './changes.js';
import type { DeviceStage } from './record.js';

/** What can be told of an instruction from its word alone, or from its word and the registers. */

/** The instruction's name as the manual has it; undefined for one that a 440 has not. */
export function nameOf(word: number): string | undefined {
  const number = decodeTable[decodeIndex(word)]!;
  return number === ILLEGAL ? undefined : instructions[number]!.name;
}

/** The number of the SPR or DCR that it names: the halves are swapped. */
const registerOf = (word: number): number => ((word >>> 16) & 31) | ((word >>> 6) & 0x3e0);
const first = (word: number): number => (word >>> 21) & 31;

/** The timer that an instruction writes: those change by themselves as well. */
export function timerOf(word: number | undefined): 'dec' | 'tbl' | 'tbu' | undefined {
  if (word === undefined || nameOf(word) !== 'mtspr') return undefined;
  const name = findSpr(registerOf(word))?.name.toLowerCase();
  return name === 'dec' || name === 'tbl' || name === 'tbu' ? name : undefined;
}

const uicRegisters = ['SR', 'SRS', 'ER', 'CR', 'PR', 'TR', 'MSR', 'VR', 'VCR'];

/** The device control register that an instruction writes, with its value now and what it will be. */
export function dcrOf(word: number | undefined, { bus }: Core, board: Board | undefined) {
  if (word === undefined || nameOf(word) !== 'mtdcr') return undefined;
  const number = registerOf(word);
  const region = bus.dcrs.find(number);
  if (!region) return undefined;
  const offset = number - region.base;
  const uic = board?.uics.findIndex((each) => each === region.target) ?? -1;
  const name = uic < 0 ? `${region.name}+${offset}` : `UIC${uic} ${uicRegisters[offset] ?? offset}`;
  const now = (): number => region.target.peekDcr(offset) >>> 0;
  return { name, before: now(), now };
}

const widths: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4 };

/** What a load or store did at a device. */
export function accessOf(
  { physical, use }: Extract<Exit, { kind: 'device' }>,
  word: number | undefined,
  { bus, regs }: Core,
  before: StateCopy,
): Pick<DeviceStage, 'use' | 'physical' | 'register' | 'value'> {
  const region = bus.devices.find(physical);
  const register = region && `${region.name}+${physical - region.base}`;
  const [, kind, letter] = /^(l|st)([bhw])(?!arx|cx)/.exec((word !== undefined && nameOf(word)) || '') ?? [];
  const bytes = letter === undefined ? undefined : widths[letter];
  if (word === undefined || bytes === undefined) return { use, physical, register };
  const whole = kind === 'l' ? regs.gpr[first(word)]! >>> 0 : before.gpr(first(word));
  const value = bytes === 4 ? whole : whole & (2 ** (8 * bytes) - 1);
  return { use, physical, register, value: { bytes, value } };
}
