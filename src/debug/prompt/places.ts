import { disassemble } from '../../isa/disassemble.js';
import { ExpressionError, parseExpression, type Scope } from '../expression.js';
import { wordAt } from '../memory.js';
import type { Program } from '../program.js';
import type { Target } from '../target.js';
import { hex, PromptError, type PromptState } from './state.js';

export const scopeOf = ({ target, program }: Pick<PromptState, 'target' | 'program'>): Scope => ({ target, program });

/** The value of an expression. */
export function valueOf(state: PromptState, text: string): number {
  try {
    return parseExpression(text)(scopeOf(state));
  } catch (error) {
    if (error instanceof ExpressionError) throw new PromptError(error.message);
    throw error;
  }
}

/** A condition that stops where it holds, or has no value, which its author should see. */
export function conditionOf(state: PromptState, text: string): (target: Target) => boolean {
  const { program } = state;
  try {
    const parsed = parseExpression(text);
    return (target) => {
      try {
        return parsed({ target, program }) !== 0;
      } catch (error) {
        if (error instanceof ExpressionError) return true;
        throw error;
      }
    };
  } catch (error) {
    if (error instanceof ExpressionError) throw new PromptError(`if ${text}: ${error.message}`);
    throw error;
  }
}

/** Addresses of `FILE:LINE`, `LINE` (of the present file), a symbol, `*EXPRESSION`. */
export function addressesOf(state: PromptState, text: string): readonly number[] {
  const { program, target } = state;
  const [, name, number] = /^(?:(.+):)?(\d+)$/.exec(text) ?? [];
  if (number !== undefined && !text.startsWith('0x')) {
    const here = program.lines?.at(target.registers.get('pc'))?.file;
    const files = name === undefined ? (here === undefined ? [] : [here]) : (program.lines?.find(name) ?? []);
    const places = files.map((file) => program.lines?.places(file, Number(number))).find((found) => found);
    if (!places) throw new PromptError(`${text}: no code of ${target.process.name} comes from there`);
    return places.addresses;
  }
  return [valueOf(state, text.replace(/^\*/, ''))];
}

/** `hello/cpu0  00001240 <tick+0x8>  hello.c:31`. */
export function whereText(target: Target, program: Program): string {
  const pc = target.registers.get('pc');
  const source = program.lines?.at(pc);
  return `${target.name}  ${program.text(pc)}${source ? `  ${source.file}:${source.line}` : ''}`;
}

/** One instruction as it stands in memory. */
export function codeLine(target: Target, program: Program, address: number): string | undefined {
  const word = wordAt(target.core, address);
  if (word === undefined) return undefined;
  const text = disassemble(word, address, (to) => {
    const { symbol } = program.place(to);
    return `0x${to.toString(16)}${symbol === undefined ? '' : ` <${symbol}>`}`;
  });
  const mark = address === target.registers.get('pc') ? '=>' : '  ';
  return `${mark} ${program.text(address)}: ${hex(word)}  ${text}`;
}

/** Where a target stands: the place, and its source line or instruction. */
export function standLines(state: PromptState, target = state.target): string[] {
  const program = state.traps.programOf(target);
  const pc = target.registers.get('pc');
  const source = program.lines?.at(pc);
  const line = source && state.source(source.file)?.[source.line - 1];
  const shown = line === undefined ? codeLine(target, program, pc) : `${source!.line}\t${line}`;
  return [whereText(target, program), ...(shown === undefined ? [] : [shown])];
}
