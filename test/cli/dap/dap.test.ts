import { join } from 'node:path';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { afterEach, expect, test } from 'vitest';
import { root } from '../../tools.js';
import { DapClient } from './client.js';

const hello = join(root, 'firmware/hello/hello.elf');
const traps = join(root, 'firmware/traps/traps.elf');
const source = join(root, 'firmware/hello/hello.c');
const bare = { program: hello, bare: true, sourceMap: { '/hv440/firmware': join(root, 'firmware') } };

let client: DapClient;
afterEach(() => client.kill());

const top = async (threadId = 1): Promise<Dap.StackFrame[]> =>
  (await client.body<Dap.StackTraceResponse['body']>('stackTrace', { threadId })).stackFrames;
const value = async (expression: string): Promise<string> =>
  (await client.body<{ result: string }>('evaluate', { expression })).result;

test('a session: breakpoint at a line, stack, registers, steps, and the end', async () => {
  client = new DapClient();
  await client.begin(bare);
  const lines = await client.body<{ breakpoints: Dap.Breakpoint[] }>('setFunctionBreakpoints', {
    breakpoints: [{ name: 'guest_main' }, { name: 'nothing' }],
  });
  expect(lines.breakpoints.map(({ verified }) => verified)).toEqual([true, false]);
  await client.body('configurationDone');
  expect(await client.event('stopped')).toMatchObject({
    reason: 'function breakpoint',
    threadId: 1,
    allThreadsStopped: true,
  });
  expect(await client.body('threads')).toEqual({ threads: [{ id: 1, name: 'board/cpu0' }] });
  const [frame, caller] = await top();
  expect(frame).toMatchObject({ name: 'guest_main', source: { path: source } });
  expect(caller!.name).toMatch(/^guest_start\+0x/);
  const { scopes } = await client.body<{ scopes: Dap.Scope[] }>('scopes', { frameId: frame!.id });
  expect(scopes.map(({ name }) => name)).toEqual(['Registers', 'System registers']);
  const { variables } = await client.body<{ variables: Dap.Variable[] }>('variables', {
    variablesReference: scopes[0]!.variablesReference,
  });
  expect(variables.find(({ name }) => name === 'pc')!.value).toMatch(/guest_main$/);
  const msr = variables.find(({ name }) => name === 'msr')!;
  const fields = await client.body<{ variables: Dap.Variable[] }>('variables', {
    variablesReference: msr.variablesReference,
  });
  expect(fields.variables.map(({ name }) => name)).toContain('EE');
  await client.body('setVariable', {
    variablesReference: scopes[0]!.variablesReference,
    name: 'r31',
    value: '0x12345678',
  });
  expect(await value('$r31')).toBe('0x12345678 305419896');

  const placed = await client.body<{ breakpoints: Dap.Breakpoint[] }>('setBreakpoints', {
    source: { path: source },
    breakpoints: [{ line: frame!.line + 1 }],
  });
  expect(placed.breakpoints[0]).toMatchObject({ verified: true });
  const before = frame!.line;
  await client.body('next', { threadId: 1 });
  expect(await client.event('stopped')).toMatchObject({ threadId: 1 });
  expect((await top())[0]!.line).not.toBe(before);
  await client.body('stepIn', { threadId: 1, granularity: 'instruction' });
  expect(await client.event('stopped')).toMatchObject({ reason: 'step' });
  await client.body('setFunctionBreakpoints', { breakpoints: [{ name: 'console_put' }] });
  await client.body('continue', { threadId: 1 });
  expect(await client.event('stopped')).toMatchObject({ reason: 'function breakpoint' });
  const depth = (await top()).length;
  const outside = (await top())[1]!.name;
  await client.body('setFunctionBreakpoints', { breakpoints: [] });
  await client.body('stepOut', { threadId: 1 });
  expect(await client.event('stopped')).toMatchObject({ reason: 'step' });
  const after = await top();
  expect(after).toHaveLength(depth - 1);
  expect(after[0]!.name).toBe(outside);

  await client.body('setBreakpoints', { source: { path: source }, breakpoints: [] });
  await client.body('evaluate', { expression: 'type exit 3\\n', context: 'repl' });
  await client.body('continue', { threadId: 1 });
  expect(await client.event('exited')).toEqual({ exitCode: 3 });
  await client.event('terminated');
  expect(client.output).toContain('hello> exit 3');
  await client.body('disconnect');
  expect(await client.exited).toBe(0);
});

test('stepping back and running back return to where it was, with the registers of then', async () => {
  client = new DapClient();
  await client.begin({ ...bare, stopOnEntry: true });
  await client.body('configurationDone');
  expect(await client.event('stopped')).toMatchObject({ reason: 'entry' });
  await client.body('setFunctionBreakpoints', { breakpoints: [{ name: 'guest_main' }] });
  await client.body('continue', { threadId: 1 });
  await client.event('stopped');
  const there = [await value('$pc'), await value('$r1'), await value('$lr')];
  for (let i = 0; i < 3; i++) {
    await client.body('stepIn', { threadId: 1, granularity: 'instruction' });
    await client.event('stopped');
  }
  expect(await value('$pc')).not.toBe(there[0]);
  for (let i = 0; i < 3; i++) {
    await client.body('stepBack', { threadId: 1, granularity: 'instruction' });
    await client.event('stopped');
  }
  expect([await value('$pc'), await value('$r1'), await value('$lr')]).toEqual(there);
  await client.body('setFunctionBreakpoints', { breakpoints: [{ name: 'guest_start' }] });
  await client.body('reverseContinue', { threadId: 1 });
  expect(await client.event('stopped')).toMatchObject({ reason: 'function breakpoint' });
  expect((await top())[0]!.name).toBe('guest_start');
});

test('partitions are threads; memory, disassembly, and breakpoints at instructions and data', async () => {
  client = new DapClient();
  await client.begin({ program: join(root, 'devicetrees/two-partitions.dts'), stopOnEntry: true });
  await client.body('configurationDone');
  await client.event('stopped');
  const { threads } = await client.body<{ threads: Dap.Thread[] }>('threads');
  expect(threads.map(({ name }) => name)).toEqual(['hello/cpu0', 'traps/cpu0']);
  await client.body('setFunctionBreakpoints', { breakpoints: [{ name: 'traps:guest_main' }] });
  await client.body('continue', { threadId: 1 });
  expect(await client.event('stopped')).toMatchObject({ threadId: 2 });
  const [frame] = await top(2);
  const memoryReference = frame!.instructionPointerReference!;
  const { instructions } = await client.body<{ instructions: Dap.DisassembledInstruction[] }>('disassemble', {
    memoryReference,
    instructionOffset: -2,
    instructionCount: 5,
  });
  expect(instructions).toHaveLength(5);
  expect(instructions[2]).toMatchObject({ symbol: 'guest_main', location: { name: 'traps.c' } });
  const { data } = await client.body<{ data: string }>('readMemory', { memoryReference, offset: 0, count: 4 });
  expect(Buffer.from(data, 'base64').toString('hex')).toBe(instructions[2]!.instructionBytes);
  const at = instructions[4]!.address;
  await client.body('setInstructionBreakpoints', { breakpoints: [{ instructionReference: `traps/cpu0:${at}` }] });
  await client.body('continue', { threadId: 2 });
  expect(await client.event('stopped')).toMatchObject({ reason: 'instruction breakpoint', threadId: 2 });
  await client.body('setInstructionBreakpoints', { breakpoints: [] });
  const info = await client.body<{ dataId: string }>('dataBreakpointInfo', { name: '$r1 - 64', bytes: 64 });
  await client.body('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId, accessType: 'write' }] });
  await client.body('continue', { threadId: 2 });
  expect(await client.event('stopped')).toMatchObject({ reason: 'data breakpoint', threadId: 2 });
  await client.body('writeMemory', {
    memoryReference: 'traps/cpu0:0x100000',
    data: Buffer.from('hv44').toString('base64'),
  });
  expect(await value('*0x100000')).toMatch(/^0x68763434/);
  const shown = await client.body<{ result: string }>('evaluate', { expression: 'partitions', context: 'repl' });
  expect(shown.result).toContain('traps');
});

test('exceptions are traps: it stops where the handler is entered', async () => {
  client = new DapClient();
  await client.begin({ program: traps, bare: true });
  await client.body('setExceptionBreakpoints', { filters: ['decrementer'] });
  await client.body('configurationDone');
  expect(await client.event('stopped')).toMatchObject({ reason: 'exception', text: 'decrementer' });
  expect(await client.body('exceptionInfo', { threadId: 1 })).toMatchObject({ exceptionId: 'decrementer' });
  await client.body('setExceptionBreakpoints', { filters: ['program'] });
  await client.body('continue', { threadId: 1 });
  expect(await client.event('stopped')).toMatchObject({ reason: 'exception', text: 'program' });
});

test('conditions, hit counts and log points', async () => {
  client = new DapClient();
  await client.begin(bare);
  await client.body('setFunctionBreakpoints', { breakpoints: [{ name: 'console_put', condition: '$r3 == 0x34' }] });
  await client.body('configurationDone');
  expect(await client.event('stopped')).toMatchObject({ reason: 'function breakpoint' });
  expect(await value('$r3 & 255')).toMatch(/^0x00000034/);
});

test('what cannot be launched, or is no request, is said', async () => {
  client = new DapClient();
  expect(await client.ask('threads')).toMatchObject({ success: false });
  expect(await client.ask('nonsense')).toMatchObject({ success: false });
  const missing = await client.ask('launch', { program: '/nowhere.elf' });
  expect(missing).toMatchObject({
    success: false,
    body: { error: { format: expect.stringContaining('/nowhere.elf') } },
  });
  await client.begin(bare);
  expect(await client.ask('variables', { variablesReference: 77 })).toMatchObject({
    success: true,
    body: { variables: [] },
  });
  expect(await client.ask('evaluate', { expression: 'no such thing' })).toMatchObject({ success: false });
  await client.body('disconnect');
  expect(await client.exited).toBe(0);
});
