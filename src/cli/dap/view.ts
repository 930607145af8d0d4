import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { backtrace } from '../../debug/backtrace.js';
import type { Debugger } from '../../debug/debugger.js';
import type { RegisterDescription } from '../../debug/register-table.js';
import type { Target } from '../../debug/target.js';
import type { TrapStops } from '../../debug/traps/stops.js';
import { disassemble } from '../../isa/disassemble.js';
import type { Programs } from './programs.js';

const hex = (value: number | bigint, digits = 8): string => `0x${value.toString(16).padStart(digits, '0')}`;

/** What a number stands for that a client asks more by. */
type Reference =
  | { readonly kind: 'group'; readonly target: Target; readonly group: RegisterDescription['group'] }
  | { readonly kind: 'fields'; readonly target: Target; readonly register: RegisterDescription };

const groups: Readonly<Record<RegisterDescription['group'], string>> = {
  general: 'Registers',
  system: 'System registers',
  float: 'Floating-point registers',
};

/** Stack, registers, memory and instructions of stopped targets, in the protocol's words. Its numbers hold until `forget`. */
export class View {
  readonly #references: Reference[] = [];
  readonly #frames: Target[] = [];

  constructor(
    private readonly programs: Programs,
    private readonly traps: TrapStops,
  ) {}

  /** Something ran: references mean nothing any more. */
  forget(): void {
    this.#references.length = 0;
    this.#frames.length = 0;
  }

  targetOfFrame(frame: number): Target | undefined {
    return this.#frames[frame - 1];
  }

  frames(target: Target, first = 0, levels = 0): { stackFrames: Dap.StackFrame[]; totalFrames: number } {
    const program = this.programs.of(target.process);
    const all = backtrace(target, program.plain, this.traps.handlers(target));
    const shown = all.slice(first, levels > 0 ? first + levels : undefined);
    const stackFrames = shown.map(({ pc, interrupted }, i): Dap.StackFrame => {
      this.#frames.push(target);
      const called = first + i > 0 && !interrupted;
      const source = program.sourceOf(called ? pc - 4 : pc);
      const name = `${program.nameOf(pc)}${interrupted ? ` (interrupted: ${interrupted.kind})` : ''}`;
      const place = source
        ? { source: sourceOf(source.file), line: source.line, column: source.column }
        : { line: 0, column: 0 };
      return { id: this.#frames.length, name, ...place, instructionPointerReference: this.#place(target, pc) };
    });
    return { stackFrames, totalFrames: all.length };
  }

  #place(target: Target, address: number): string {
    return `${target.name}:${hex(address >>> 0)}`;
  }

  scopes(target: Target): Dap.Scope[] {
    const present = new Set(target.registers.all.map(({ group }) => group));
    return [...present].map((group) => ({
      name: groups[group],
      presentationHint: 'registers',
      variablesReference: this.#refer({ kind: 'group', target, group }),
      expensive: group !== 'general',
    }));
  }

  #refer(reference: Reference): number {
    return this.#references.push(reference);
  }

  variables(number: number): Dap.Variable[] {
    const reference = this.#references[number - 1];
    if (!reference) return [];
    const { target } = reference;
    if (reference.kind === 'group')
      return target.registers.all
        .filter(({ group }) => group === reference.group)
        .map((each) => this.#register(target, each));
    const value = Number(target.registers.read(reference.register));
    return reference.register.fields.map(({ name, low, high }) => ({
      name,
      value: String((value >>> low) & (2 ** (high - low + 1) - 1)),
      variablesReference: 0,
    }));
  }

  #register(target: Target, register: RegisterDescription): Dap.Variable {
    const value = target.registers.read(register);
    const { name, fields, meaning, bits } = register;
    const plain = hex(value, bits / 4);
    const set = fields
      .filter(({ low, high }) => low === high && (value >> BigInt(low)) & 1n)
      .map((field) => field.name);
    const shown = {
      fields: `${plain} ${set.join(' ')}`.trimEnd(),
      code: `${plain} ${this.programs.of(target.process).nameOf(Number(value))}`,
      float: String(new Float64Array(BigUint64Array.of(value).buffer)[0]),
      data: plain,
      number: plain,
    }[meaning];
    const reference = fields.length > 0 ? this.#refer({ kind: 'fields', target, register }) : 0;
    return {
      name,
      value: shown,
      variablesReference: reference,
      evaluateName: `$${name}`,
      ...(bits === 32 && { memoryReference: this.#place(target, Number(value)) }),
    };
  }

  /** Where writing a variable goes: a register, or a field of one. */
  assign(debug: Debugger, number: number, name: string, value: bigint): string | undefined {
    const reference = this.#references[number - 1];
    const register = reference?.kind === 'group' ? reference.target.registers.find(name) : reference?.register;
    if (!reference || !register) return undefined;
    const { target } = reference;
    const { registers } = target;
    const field = reference.kind === 'fields' ? register.fields.find((each) => each.name === name) : undefined;
    if (reference.kind === 'fields' && !field) return undefined;
    if (!field) debug.writeRegister(target, register.name, value);
    else {
      const mask = ((1n << BigInt(field.high - field.low + 1)) - 1n) << BigInt(field.low);
      const all = (registers.read(register) & ~mask) | ((value << BigInt(field.low)) & mask);
      debug.writeRegister(target, register.name, all);
    }
    return hex(registers.read(register), register.bits / 4);
  }

  /** The target whose register or field a variable is. */
  targetOf(number: number): Target | undefined {
    return this.#references[number - 1]?.target;
  }

  instructions(target: Target, address: number, count: number): Dap.DisassembledInstruction[] {
    const program = this.programs.of(target.process);
    let last = '';
    return Array.from({ length: count }, (_, i) => {
      const at = address + 4 * i;
      if (at < 0 || at > 0xfffffffc)
        return { address: hex(Math.max(0, at)), instruction: '??', presentationHint: 'invalid' };
      const bytes = target.effective.read(at, 4);
      if (bytes.length < 4) return { address: hex(at), instruction: '??', presentationHint: 'invalid' };
      const word = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
      const source = program.sourceOf(at);
      const line = source ? `${source.file}:${source.line}` : '';
      const isNew = line !== '' && line !== last;
      last = line;
      return {
        address: hex(at),
        instructionBytes: word.toString(16).padStart(8, '0'),
        instruction: disassemble(word, at, (to) => program.nameOf(to)),
        ...(program.functionOf(at) === at && { symbol: program.nameOf(at) }),
        ...(isNew && source && { location: sourceOf(source.file), line: source.line }),
      };
    });
  }
}

/** A source file as the protocol names it. */
export const sourceOf = (path: string): Dap.Source => ({ name: path.replace(/.*\//, ''), path });
