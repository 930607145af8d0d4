import { backtrace, frameLines } from '../backtrace.js';
import { registerText } from '../traps/text.js';
import { addressesOf, codeLine, conditionOf, standLines, valueOf } from './places.js';
import { hex, PromptError, type Answer, type Commands, type Point, type PromptState } from './state.js';

const lines = (...text: readonly string[]): Answer => ({ lines: text });

const formats: Readonly<Record<string, (value: number) => string>> = {
  x: (value) => `0x${value.toString(16)}`,
  d: (value) => String(value | 0),
  u: (value) => String(value),
  o: (value) => `0${value.toString(8)}`,
  t: (value) => value.toString(2),
  c: (value) => `${value & 0xff} '${String.fromCharCode(value & 0xff)}'`,
};

function print(state: PromptState, rest: string): Answer {
  const [, format, text = ''] = /^(?:\/(\w)\s+)?(.*)$/.exec(rest) ?? [];
  if (text === '') throw new PromptError('print[/x|d|u|o|t|c|a] EXPRESSION');
  const value = valueOf(state, text);
  if (format === 'a') return lines(state.program.text(value));
  const write = formats[format ?? (state.radix === 16 ? 'x' : 'u')];
  if (!write) throw new PromptError(`'/${format}' is no format: x d u o t c a`);
  return lines(write(value));
}

const units: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4 };

/** `x/8wx ADDRESS`, `x/4i $pc`, `x/s ADDRESS`. */
function examine(state: PromptState, rest: string): Answer {
  const [, count, letters = '', text = ''] = /^(?:\/(\d*)([a-z]*)\s+)?(.*)$/.exec(rest) ?? [];
  if (text === '') throw new PromptError('x[/COUNT][xduotcis][bhw] ADDRESS');
  const address = valueOf(state, text);
  const n = count === undefined || count === '' ? 1 : Number(count);
  if (letters.includes('i')) return { lines: disassembled(state, address, n) };
  const memory = state.physical ? state.target.physical : state.target.effective;
  if (letters.includes('s')) {
    const bytes = memory.read(address, 200);
    const end = bytes.indexOf(0);
    return lines(
      `${state.program.text(address)}: ${JSON.stringify(String.fromCharCode(...bytes.subarray(0, end < 0 ? 200 : end)))}`,
    );
  }
  const unit = units[[...letters].find((letter) => letter in units) ?? 'w']!;
  const format = [...letters].find((letter) => letter in formats) ?? 'x';
  return { lines: dump(state, address, memory.read(address, n * unit), unit, format) };
}

function dump(state: PromptState, address: number, bytes: Uint8Array, unit: number, format: string): string[] {
  if (bytes.length === 0) throw new PromptError(`nothing can be read at 0x${hex(address)}`);
  const found: string[] = [];
  const each = 16 / unit;
  const values: string[] = [];
  for (let at = 0; at + unit <= bytes.length; at += unit) {
    const value = bytes.subarray(at, at + unit).reduce((sum, byte) => sum * 256 + byte, 0);
    values.push(format === 'x' ? hex(value, 2 * unit) : formats[format]!(value));
  }
  for (let i = 0; i < values.length; i += each)
    found.push(`${state.program.text((address + i * unit) >>> 0)}: ${values.slice(i, i + each).join('  ')}`);
  return found;
}

function disassembled({ target, program }: PromptState, address: number, count: number): string[] {
  const found: string[] = [];
  for (let n = 0; n < count; n++) {
    const line = codeLine(target, program, (address + 4 * n) >>> 0);
    if (line === undefined) break;
    found.push(line);
  }
  if (found.length === 0) throw new PromptError(`no code is mapped at 0x${hex(address)}`);
  return found;
}

function disassemble(state: PromptState, rest: string): Answer {
  const start = rest === '' ? state.target.registers.get('pc') : addressesOf(state, rest)[0]!;
  const symbol = rest === '' ? undefined : state.program.find(rest);
  return { lines: disassembled(state, start, symbol && symbol.size > 0 ? Math.min(symbol.size / 4, 200) : 10) };
}

function list(state: PromptState, rest: string): Answer {
  const pc = rest === '' ? state.target.registers.get('pc') : addressesOf(state, rest)[0]!;
  const source = state.program.lines?.at(pc);
  if (!source) throw new PromptError(`nothing is known of the source of ${state.program.text(pc)}`);
  const text = state.source(source.file);
  if (!text) throw new PromptError(`${source.file}:${source.line}: this file is not found here`);
  const from = Math.max(1, source.line - 5);
  return lines(
    ...text.slice(from - 1, from + 9).map((line, i) => `${from + i === source.line ? '>' : ' '}${from + i}\t${line}`),
  );
}

/** All general registers, those of a group, or those that are named. */
function registers({ target }: PromptState, rest: string): Answer {
  const file = target.registers;
  const names = rest
    .split(/[\s,]+/)
    .filter((name) => name !== '')
    .map((name) => name.replace(/^\$/, ''));
  const group = ['general', 'system', 'float'].find((each) => each === names[0]);
  const unknown = group ? undefined : names.find((name) => !file.find(name));
  if (unknown !== undefined) throw new PromptError(`there is no register '${unknown}'`);
  const wanted = file.all.filter(({ name, group: own }) =>
    group !== undefined || names.length === 0 ? own === (group ?? 'general') : names.includes(name),
  );
  if (wanted.every(({ bits }) => bits === 32) && names.length > 0 && !group)
    return lines(...wanted.map((register) => describe(register.name, Number(file.read(register)))));
  const words = wanted.map(
    (register) =>
      `${register.name.padEnd(6)} ${file
        .read(register)
        .toString(16)
        .padStart(register.bits / 4, '0')}`,
  );
  const found: string[] = [];
  for (let i = 0; i < words.length; i += 4) found.push(words.slice(i, i + 4).join('  '));
  return { lines: found };
}

/** With the fields that are not 0. */
const describe = (name: string, value: number): string =>
  registerText({ name, before: 0, after: value })
    .replace(`${hex(0)} -> `, '')
    .replaceAll('+', '');

function setValue(state: PromptState, rest: string): Answer {
  const [, place = '', text = ''] = /^(.+?)\s*=(?!=)\s*(.+)$/.exec(rest) ?? [];
  const [, radix] = /^radix\s+(10|16)$/.exec(rest) ?? [];
  if (radix !== undefined) {
    state.radix = radix === '10' ? 10 : 16;
    return lines();
  }
  if (place === '')
    throw new PromptError('set $REGISTER = EXPR, set *ADDRESS = EXPR, set byte(ADDRESS) = EXPR, set radix 10|16');
  const value = valueOf(state, text);
  const { target, debug } = state;
  const [, name] = /^\$(\w+)$/.exec(place) ?? [];
  if (name !== undefined) {
    const register = target.registers.find(name === 'sp' ? 'r1' : name);
    if (!register) throw new PromptError(`there is no register '${place}'`);
    debug.writeRegister(target, register.name, BigInt(value));
    return lines();
  }
  const [, unit, inner] = /^(byte|half|word)\((.+)\)$/.exec(place) ?? ['', 'word', place.replace(/^\*/, '')];
  const length = { byte: 1, half: 2, word: 4 }[unit ?? 'word']!;
  const address = valueOf(state, inner!);
  const bytes = Uint8Array.from({ length }, (_, i) => value >>> (8 * (length - 1 - i)));
  if (debug.writeMemory(target, state.physical ? 'physical' : 'effective', address, bytes) < length)
    throw new PromptError(`nothing can be written at 0x${hex(address)}`);
  return lines();
}

const split = (rest: string): readonly [string, string | undefined] => {
  const [, place = '', condition] = /^(.*?)(?:(?:^|\s+)if\s+(.+))?$/.exec(rest) ?? [];
  return [place.trim(), condition];
};

const setPoint =
  (kind: Point['kind'], once = false) =>
  (state: PromptState, rest: string): Answer => {
    const [place, condition] = split(rest);
    const { target } = state;
    if (!target.runs) throw new PromptError(`${target.name} runs whoever’s turn it is: select a partition first`);
    const [, text = place, size] = kind === 'execute' ? [] : (/^(.+?)\s*,\s*(\d+)$/.exec(place) ?? []);
    const addresses =
      place === ''
        ? [target.registers.get('pc')]
        : kind === 'execute'
          ? addressesOf(state, text)
          : [valueOf(state, text)];
    const known = state.program.find(text)?.size;
    const length = kind === 'execute' ? 4 : size === undefined ? known || 4 : Number(size);
    const test = condition === undefined ? {} : { condition: conditionOf(state, condition) };
    const space = state.physical ? ('physical' as const) : ('effective' as const);
    const point = state.add({ kind, space, text: rest, addresses, length, target, once, ...test });
    return lines(pointLine(state, point));
  };

const kinds = { execute: 'breakpoint', write: 'watchpoint', read: 'read watchpoint', access: 'access watchpoint' };

export function pointLine(
  { traps }: Pick<PromptState, 'traps'>,
  { number, kind, addresses, target, text, hits }: Point,
): string {
  const program = traps.programOf(target);
  const places = addresses.map((address) => {
    const source = program.lines?.at(address);
    return `${program.text(address)}${source && kind === 'execute' ? ` ${source.file}:${source.line}` : ''}`;
  });
  const [, condition] = split(text);
  const asked = condition === undefined ? '' : ` if ${condition}`;
  return `${kinds[kind]} ${number} of ${target.process.name} at ${places.join(', ')}${asked}${hits > 0 ? `, met ${hits} times` : ''}`;
}

function remove(state: PromptState, rest: string): Answer {
  const { points } = state;
  const numbers = rest.split(/[\s,]+/).filter((word) => word !== '');
  const unknown = numbers.find((word) => !points.has(Number(word)));
  if (unknown !== undefined) throw new PromptError(`there is no breakpoint ${unknown}`);
  for (const number of numbers.length > 0 ? numbers.map(Number) : [...points.keys()]) points.delete(number);
  state.place();
  return lines();
}

function info(state: PromptState, rest: string): Answer {
  const [what = '', ...names] = rest.split(/\s+/);
  if (what !== '' && 'registers'.startsWith(what)) return registers(state, names.join(' '));
  if (what !== '' && 'breakpoints'.startsWith(what)) {
    const all = [...state.points.values()].map((point) => pointLine(state, point));
    return lines(...(all.length > 0 ? all : ['no breakpoints']));
  }
  if (what !== '' && 'symbol'.startsWith(what)) return lines(state.program.text(valueOf(state, names.join(' '))));
  if (what !== '' && 'source'.startsWith(what)) return lines(...(state.program.lines?.files ?? ['no lines are known']));
  throw new PromptError('info registers [NAME…|system], info breakpoints, info symbol ADDRESS, info source');
}

function select(state: PromptState, rest: string): Answer {
  const all = state.debug.targets;
  const found = all.find(({ name }) => name === rest) ?? all.find(({ process }) => process.name === rest);
  if (!found) throw new PromptError(`there is no '${rest}'; there are ${all.map(({ name }) => name).join(', ')}`);
  state.target = found;
  return { lines: standLines(state) };
}

// prettier-ignore
export const lookCommands: Commands = {
  break:     { usage: 'break [PLACE] [if EXPR]', help: 'stop before the instruction at FILE:LINE, LINE, SYMBOL or *ADDRESS', run: setPoint('execute') },
  tbreak:    { usage: 'tbreak [PLACE] [if EXPR]', help: 'the same, once', run: setPoint('execute', true) },
  watch:     { usage: 'watch ADDRESS[,BYTES] [if EXPR]', help: 'stop behind an instruction that writes there', run: setPoint('write') },
  rwatch:    { usage: 'rwatch ADDRESS[,BYTES] [if EXPR]', help: 'that reads there', run: setPoint('read') },
  awatch:    { usage: 'awatch ADDRESS[,BYTES] [if EXPR]', help: 'that reads or writes there', run: setPoint('access') },
  delete:    { usage: 'delete [N…]', help: 'take breakpoints and watchpoints back: these, or all', run: remove },
  info:      { usage: 'info registers|breakpoints|symbol|source', help: 'registers [NAME…|system|float], breakpoints, the symbol of an address, source files', run: info },
  registers: { usage: 'registers [NAME…|system]', help: 'registers with their fields', run: registers },
  print:     { usage: 'print[/xduotca] EXPR', help: 'registers ($r3, $msr.EE), symbols, *ADDRESS, byte(A), half(A), with C’s operators', run: print },
  x:         { usage: 'x[/NFU] ADDRESS', help: 'memory: N of format F (x d u o t c, i code, s text) and unit U (b h w)', run: examine },
  set:       { usage: 'set $REG|*ADDRESS|byte(A) = EXPR', help: 'write a register or memory; set radix 10|16', run: setValue },
  backtrace: { usage: 'backtrace', help: 'the functions that have not returned, across handlers', run: (state) => ({ lines: frameLines(backtrace(state.target, state.program, state.traps.handlers(state.target)), state.program) }) },
  disassemble: { usage: 'disassemble [PLACE]', help: 'code with symbols, from the pc or of a function', run: disassemble },
  list:      { usage: 'list [PLACE]', help: 'source around a place', run: list },
  where:     { usage: 'where', help: 'where this processor stands', run: (state) => ({ lines: standLines(state) }) },
  select:    { usage: 'select NAME', help: 'a partition or processor: what commands are about', run: select },
};
