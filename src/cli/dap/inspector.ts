import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import type { Target } from '../../debug/target.js';
import type { Launched } from './launched.js';
import { evaluate } from './programs.js';
import type { View } from './view.js';

const HIGHEST = 0xffffffff;
/** A value this far behind a symbol of unknown size has nothing to do with it. */
const FARTHEST = 0x10000;

/** Looks at stopped targets, and changes them, as the client asks. */
export class Inspector {
  /** The target that stopped last: whom questions are about that do not say. */
  current: Target;

  constructor(
    private readonly launched: Launched,
    private readonly view: View,
    private readonly threads: readonly Target[],
  ) {
    this.current = threads[0]!;
  }

  ofFrame(frame: number | undefined): Target {
    return (frame !== undefined && this.view.targetOfFrame(frame)) || this.current;
  }

  evaluate(text: string, frame: number | undefined) {
    const target = this.ofFrame(frame);
    const program = this.launched.programs.of(target.process);
    const value = evaluate(text, target, program);
    const hex = `0x${value.toString(16).padStart(8, '0')}`;
    const start = program.functionOf(value);
    const name = start === undefined || value - start > FARTHEST ? '' : ` <${program.nameOf(value)}>`;
    return { result: `${hex} ${value}${name}`, variablesReference: 0, memoryReference: `${target.name}:${hex}` };
  }

  dataInfo({
    name,
    variablesReference,
    frameId,
    asAddress,
    bytes = 4,
  }: Dap.DataBreakpointInfoArguments): Dap.DataBreakpointInfoResponse['body'] {
    if (variablesReference)
      return { dataId: null, description: 'a register cannot be watched; an expression for an address can' };
    const target = this.ofFrame(frameId);
    const address = asAddress ? Number(name) : evaluate(name, target, this.launched.programs.of(target.process));
    const description = `${bytes} bytes at 0x${address.toString(16)} in ${target.name}`;
    return { dataId: `${target.name} ${address} ${bytes}`, description, accessTypes: ['read', 'write', 'readWrite'] };
  }

  assign({ variablesReference, name, value }: Dap.SetVariableArguments) {
    const target = this.view.targetOf(variablesReference);
    if (!target) throw new Error('that is no register');
    const number = BigInt(evaluate(value, target, this.launched.programs.of(target.process)));
    const shown = this.view.assign(this.launched.debug, variablesReference, name, number);
    if (shown === undefined) throw new Error(`there is no register '${name}'`);
    return { value: shown };
  }

  /** `linux/cpu0:0xc0001000`, or an address of the target that stopped last. */
  #place(reference: string, offset = 0): { readonly target: Target; readonly address: number } {
    const [, name, text = ''] = /^(?:(.*):)?(0x[0-9a-fA-F]+|\d+)$/.exec(reference.trim()) ?? [];
    const target = name === undefined ? this.current : this.launched.debug.targets.find((each) => each.name === name);
    const address = Number(text) + offset;
    if (text === '' || !target) throw new Error(`'${reference}' is no address`);
    return { target, address };
  }

  instruction(reference: string) {
    const { target, address } = this.#place(reference);
    return { address, targets: reference.includes(':') ? [target] : this.threads };
  }

  readMemory({ memoryReference, offset, count }: Dap.ReadMemoryArguments): Dap.ReadMemoryResponse['body'] {
    const { target, address } = this.#place(memoryReference, offset);
    const wanted = Math.max(0, Math.min(count, HIGHEST + 1 - address));
    const bytes = address < 0 ? new Uint8Array() : target.effective.read(address, wanted);
    const unreadableBytes = count - bytes.length;
    return {
      address: `0x${Math.max(0, address).toString(16)}`,
      data: Buffer.from(bytes).toString('base64'),
      ...(unreadableBytes > 0 && { unreadableBytes }),
    };
  }

  writeMemory({ memoryReference, offset, data }: Dap.WriteMemoryArguments): Dap.WriteMemoryResponse['body'] {
    const { target, address } = this.#place(memoryReference, offset);
    const bytes = Buffer.from(data, 'base64');
    const bytesWritten = this.launched.debug.writeMemory(target, 'effective', address, bytes);
    if (bytesWritten < bytes.length)
      throw new Error(`nothing can be written at 0x${(address + bytesWritten).toString(16)}`);
    return { bytesWritten };
  }

  disassemble({ memoryReference, offset = 0, instructionOffset = 0, instructionCount }: Dap.DisassembleArguments) {
    const { target, address } = this.#place(memoryReference, offset);
    return { instructions: this.view.instructions(target, (address & ~3) + 4 * instructionOffset, instructionCount) };
  }
}
