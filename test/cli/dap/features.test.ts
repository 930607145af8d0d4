// What editors do with the adapter, over standard input and output and over a port.

import { join } from 'node:path';
import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import { afterEach, expect, test } from 'vitest';
import { root } from '../../tools.js';
import { Child, hello, put, traps, twoPartitions } from '../child.js';
import { DapClient } from './client.js';

const sourceMap = { '/hv440/firmware': join(root, 'firmware') };
const source = join(root, 'firmware/hello/hello.c');

const clients: DapClient[] = [];
afterEach(() => clients.splice(0).forEach((client) => client.kill()));

/** A debugger that serves editors, whose machine waits for one; gives its port. */
async function served(...args: string[]): Promise<{ child: Child; port: number }> {
  const child = new Child(['debug', '--headless', '--dap', '0', ...args]);
  await child.shows('debug adapter for editors: port ', 'stderr');
  await child.shows(' without a password', 'stderr');
  return { child, port: Number(/editors: port (\d+)/.exec(child.stderr)![1]) };
}

/** Begin a session: `over` a child of its own, or a port. */
async function open(
  over: string,
  program: string,
  args: Record<string, unknown> = {},
  bare = true,
): Promise<DapClient> {
  if (over === 'stdio') {
    const client = new DapClient();
    clients.push(client);
    await client.begin({ program, bare, sourceMap, ...args });
    return client;
  }
  const { port } = await served('--wait', ...(bare ? ['--bare'] : []), program);
  const client = new DapClient(port);
  clients.push(client);
  await client.begin({ sourceMap, ...args }, 'attach');
  return client;
}

const over = test.each([['stdio'], ['a port']]);
const top = async (client: DapClient, threadId = 1): Promise<Dap.StackFrame> =>
  (await client.body<Dap.StackTraceResponse['body']>('stackTrace', { threadId })).stackFrames[0]!;
const value = async (client: DapClient, expression: string): Promise<number> =>
  Number((await client.body<{ result: string }>('evaluate', { expression })).result.split(' ')[0]);
const command = async (client: DapClient, expression: string): Promise<string> =>
  (await client.body<{ result: string }>('evaluate', { expression, context: 'repl' })).result;
const runs = async (client: DapClient, request: string, args: object = {}) => {
  await client.body(request, { threadId: 1, ...args });
  return client.event('stopped');
};
const breakAt = (client: DapClient, name: string, terms: object = {}) =>
  client.body<{ breakpoints: Dap.Breakpoint[] }>('setFunctionBreakpoints', { breakpoints: [{ name, ...terms }] });

over('over %s: hit counts stop at the third time, and every fifth', async (how) => {
  const client = await open(how, hello);
  await breakAt(client, 'console_put', { hitCondition: '==3' });
  await client.body('configurationDone');
  expect(await client.event('stopped')).toMatchObject({ reason: 'function breakpoint' });
  expect(String.fromCharCode(await value(client, '$r3'))).toBe('4'); // of "hv440 hello"
  await breakAt(client, 'console_put', { hitCondition: '%5' });
  await runs(client, 'continue');
  expect(await value(client, '$r3')).toBe('ello'.charCodeAt(0));
});

over('over %s: log points say what they are told, and do not stop', async (how) => {
  const client = await open(how, hello);
  await client.body('setFunctionBreakpoints', {
    breakpoints: [
      { name: 'console_put', condition: '$r3 >= 0x30 && $r3 <= 0x34', logMessage: 'digit {$r3} at {$pc}' },
      { name: 'tick' },
    ],
  });
  await client.body('configurationDone');
  expect(await client.event('stopped')).toMatchObject({ reason: 'function breakpoint' });
  expect((await top(client)).name).toBe('tick');
  expect(client.output).toMatch(/digit 0x34 at 0x[\da-f]+\n[^]*digit 0x34 at[^]*digit 0x30 at/);
  expect(client.output).not.toContain('digit 0x68');
});

over('over %s: conditions, and a line whose breakpoint moves to code', async (how) => {
  const client = await open(how, hello);
  const { breakpoints } = await client.body<{ breakpoints: Dap.Breakpoint[] }>('setBreakpoints', {
    source: { path: source },
    breakpoints: [{ line: 11, condition: '*ticks == 1' }, { line: 5000 }],
  });
  expect(breakpoints[0]).toMatchObject({ verified: true });
  expect(breakpoints[1]).toMatchObject({ verified: false });
  await client.body('configurationDone');
  expect(await client.event('stopped')).toMatchObject({ reason: 'breakpoint', hitBreakpointIds: [breakpoints[0]!.id] });
  expect(await value(client, '*ticks')).toBe(1);
});

over('over %s: data breakpoints tell a write from a read', async (how) => {
  const client = await open(how, hello);
  await breakAt(client, 'tick');
  await client.body('configurationDone');
  await client.event('stopped');
  await client.body('setFunctionBreakpoints', { breakpoints: [] });
  const { dataId } = await client.body<{ dataId: string }>('dataBreakpointInfo', { name: 'ticks' });
  await client.body('setDataBreakpoints', { breakpoints: [{ dataId, accessType: 'read' }] });
  expect(await runs(client, 'continue')).toMatchObject({ reason: 'data breakpoint' });
  expect(await value(client, '*ticks')).toBe(0);
  await client.body('setDataBreakpoints', { breakpoints: [{ dataId, accessType: 'write' }] });
  expect(await runs(client, 'continue')).toMatchObject({ reason: 'data breakpoint' });
  expect(await value(client, '*ticks')).toBe(1);
});

over('over %s: registers and their fields are written, and memory', async (how) => {
  const client = await open(how, hello, { stopOnEntry: true });
  await client.body('configurationDone');
  expect(await client.event('stopped')).toMatchObject({ reason: 'entry' });
  const { scopes } = await client.body<{ scopes: Dap.Scope[] }>('scopes', { frameId: (await top(client)).id });
  const system = scopes.find(({ name }) => name === 'System registers')!.variablesReference;
  const read = async (variablesReference: number) =>
    (await client.body<{ variables: Dap.Variable[] }>('variables', { variablesReference })).variables;
  await client.body('setVariable', { variablesReference: system, name: 'sprg3', value: '0x55aa' });
  expect((await read(system)).find(({ name }) => name === 'sprg3')!.value).toBe('0x000055aa');
  const tcr = (await read(system)).find(({ name }) => name === 'tcr')!;
  await client.body('setVariable', { variablesReference: tcr.variablesReference, name: 'DIE', value: '1' });
  expect((await read(system)).find(({ name }) => name === 'tcr')!.value).toContain('DIE');
  await client.body('writeMemory', { memoryReference: '0x100000', data: Buffer.from('abcd').toString('base64') });
  const { data } = await client.body<{ data: string }>('readMemory', { memoryReference: '0x100001', count: 2 });
  expect(Buffer.from(data, 'base64').toString()).toBe('bc');
  expect(await client.body('readMemory', { memoryReference: '0x20000000', count: 8 })).toMatchObject({
    unreadableBytes: 8,
  });
});

over('over %s: back over a write that was made by hand, and forward over it again', async (how) => {
  const client = await open(how, hello);
  await breakAt(client, 'guest_main');
  await client.body('configurationDone');
  await client.event('stopped');
  await client.body('writeMemory', { memoryReference: '0x100000', data: Buffer.from('abcd').toString('base64') });
  await runs(client, 'stepIn', { granularity: 'instruction' });
  await runs(client, 'stepBack', { granularity: 'instruction' });
  await runs(client, 'stepBack', { granularity: 'instruction' });
  expect(await value(client, '*0x100000')).toBe(0);
  await runs(client, 'stepIn', { granularity: 'instruction' });
  await runs(client, 'stepIn', { granularity: 'instruction' });
  expect(await value(client, '*0x100000')).toBe(0x61626364);
  expect(await runs(client, 'reverseContinue')).toMatchObject({ reason: 'function breakpoint' });
});

over('over %s: restart begins the program again', async (how) => {
  const client = await open(how, hello);
  await breakAt(client, 'guest_main');
  await client.body('configurationDone');
  await client.event('stopped');
  await runs(client, 'next');
  expect((await top(client)).name).not.toBe('guest_main');
  await client.body('restart');
  expect(await client.event('stopped')).toMatchObject({ reason: 'function breakpoint' });
  expect((await top(client)).name).toBe('guest_main');
});

over('over %s: one processor runs on where another stops, and one thread is stepped alone', async (how) => {
  const client = await open(how, twoPartitions, { stopAll: false }, false);
  await breakAt(client, 'traps:guest_main');
  await client.body('configurationDone');
  expect(await client.event('stopped')).toMatchObject({ threadId: 2, allThreadsStopped: false });
  const there = await value(client, '$pc');
  await client.body('pause', { threadId: 1 });
  await client.event('stopped');
  const { threads } = await client.body<{ threads: Dap.Thread[] }>('threads');
  expect(threads).toHaveLength(2);
  expect(await runs(client, 'next', { threadId: 2, singleThread: true, granularity: 'instruction' })).toMatchObject({
    threadId: 2,
  });
  expect((await top(client, 2)).instructionPointerReference).not.toContain(there.toString(16));
});

over('over %s: exceptions of a kind, with what is known of each', async (how) => {
  const client = await open(how, traps);
  await client.body('setExceptionBreakpoints', { filters: ['system-call'] });
  await client.body('configurationDone');
  expect(await client.event('stopped')).toMatchObject({ reason: 'exception', text: 'system-call' });
  expect(await client.body('exceptionInfo', { threadId: 1 })).toMatchObject({ exceptionId: 'system-call' });
  await client.body('setExceptionBreakpoints', { filters: [] });
  await breakAt(client, 'guest_main'); // it is passed already
  await client.body('continue', { threadId: 1 });
  for (;;) if ((await client.event('exited')) !== undefined) break;
  expect(client.events.filter(({ event }) => event === 'stopped')).toHaveLength(1);
});

over('over %s: the debug console has our prompt’s commands, with what they print', async (how) => {
  const client = await open(how, hello, { stopOnEntry: true }, false);
  await client.body('configurationDone');
  await client.event('stopped');
  const name = (await client.body<{ threads: Dap.Thread[] }>('threads')).threads[0]!.name;
  expect(await command(client, 'break tick')).toMatch(/^breakpoint 1 of hello at [\da-f]{8} <tick>/);
  expect(await command(client, 'info breakpoints')).toContain('<tick>');
  expect(await command(client, 'continue')).toBe('');
  await client.event('continued');
  expect(await client.event('stopped')).toMatchObject({ description: 'breakpoint 1', threadId: 1 });
  expect(client.output).toMatch(/breakpoint 1\nhello\/cpu0 .*<tick>.*\n12\s+ticks\+\+;/);
  expect(await command(client, 'backtrace')).toContain('-- decrementer came here --');
  expect(await command(client, 'where')).toContain(name);
  expect(await command(client, 'x/i $pc')).toMatch(/^=> [\da-f]{8} <tick>/);
  expect(await command(client, 'set $r31 = 0x1234')).toBe('');
  expect(await client.event('invalidated')).toMatchObject({ areas: ['variables', 'stacks'] });
  expect(await value(client, '$r31')).toBe(0x1234);
  await command(client, 'trap-step');
  expect(await client.event('stopped')).toMatchObject({ description: expect.stringMatching(/^#\d+ {2}hello\/cpu0/) });
  await command(client, 'reverse-stepi');
  expect(await client.event('stopped')).toMatchObject({ reason: 'goto' });
  expect(await command(client, 'traps 2')).toMatch(/^#\d+ /);
  const bad = await client.ask('evaluate', { expression: 'break nowhere', context: 'repl' });
  expect(bad).toMatchObject({ success: false, body: { error: { format: "there is no symbol 'nowhere'" } } });
  const { targets } = await client.body<{ targets: Dap.CompletionItem[] }>('completions', { text: 'trap-', column: 6 });
  expect(targets.map(({ label }) => label)).toEqual(['trap-finish', 'trap-into', 'trap-step']);
  await command(client, 'quit');
  await client.event('terminated');
});

test('clients attach one after another; the machine goes on in between, and takes nothing of theirs along', async () => {
  const { child, port } = await served('--wait', '--bare', hello);
  const first = new DapClient(port);
  clients.push(first);
  expect(await first.ask('launch', { program: hello })).toMatchObject({
    success: false,
    body: { error: { format: expect.stringContaining('"attach"') } },
  });
  await first.begin({}, 'attach');
  await breakAt(first, 'tick');
  await first.body('configurationDone');
  await first.event('stopped');
  await first.body('disconnect');
  await first.exited;
  const second = new DapClient(port);
  clients.push(second);
  await second.begin({ stopOnEntry: true }, 'attach');
  await second.body('configurationDone');
  expect(await second.event('stopped')).toMatchObject({ reason: 'entry' });
  const ticks = await value(second, '*ticks');
  second.kill(); // without a word
  await second.exited;
  const third = new DapClient(port);
  clients.push(third);
  await third.begin({}, 'attach');
  await breakAt(third, 'tick', { condition: `*ticks > ${ticks}` });
  await third.body('configurationDone');
  await third.event('stopped');
  expect(await value(third, '*ticks')).toBeGreaterThan(ticks);
  await third.body('disconnect', { terminateDebuggee: true });
  expect((await child.ended).status).toBe(0);
}, 60_000);

test('a request "attach" to hv440 dap is told what is for that', async () => {
  const client = new DapClient();
  clients.push(client);
  await client.body('initialize', { adapterID: 'hv440' });
  expect(await client.ask('attach', {})).toMatchObject({
    success: false,
    body: { error: { format: expect.stringContaining('hv440 debug --dap PORT') } },
  });
});

test('a trace is written while an editor stops at exceptions', async () => {
  const file = put('both.json', '');
  const { child, port } = await served('--wait', '--trace', file, '--bare', traps);
  const client = new DapClient(port);
  clients.push(client);
  await client.begin({}, 'attach');
  await client.body('setExceptionBreakpoints', { filters: ['system-call'] });
  await client.body('configurationDone');
  expect(await client.event('stopped')).toMatchObject({ text: 'system-call' });
  await client.body('setExceptionBreakpoints', { filters: [] });
  await client.body('continue', { threadId: 1 });
  await client.event('exited');
  await client.body('disconnect', { terminateDebuggee: true });
  await child.ended;
  const { readFileSync } = await import('node:fs');
  const events = JSON.parse(readFileSync(file, 'utf8')) as { name: string; ts: number }[];
  const calls = events.filter(({ name }) => name === 'take system-call');
  expect(calls.length).toBeGreaterThan(0);
  expect(events.filter(({ name, ts }) => name === 'take program' && ts > calls[0]!.ts).length).toBeGreaterThan(0);
}, 60_000);
