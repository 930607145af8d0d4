import { expect, test } from 'vitest';
import { Snapshots, snapshotOf, stateHash } from '../../src/board/snapshot.js';
import { Replay, type RecordedInput } from '../../src/board/inputs.js';
import { EV } from '../../src/hypervisor/hypercall.js';
import { MSR, TCR } from '../../src/isa/registers.js';
import { Code } from './code.js';
import { hex, hypervisor, runToEnd, type Guest, type Program, type Slicing } from './guest.js';

const SEND = 0x10001;
const RECEIVE = 0x10002;
const POLL = 0x10003;

/** Cycles of a character of ten bits, at 400 MHz and 115,200 bits a second. */
const CHARACTER = 34_722;

const end = (label: string, endpoint: string): string => `
  ${label}: link { compatible = "epapr,hv-byte-channel"; endpoint = <&${endpoint}>; };
  finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; };`;

/** Two partitions whose byte channels, handle 1 of each, are connected. */
const pair = (left: Program, right: Program, more: Partial<Guest> = {}) =>
  hypervisor(
    { left: { program: left, ports: end('a', 'b') }, right: { program: right, ports: end('b', 'a'), ...more } },
    { trusting: true, partitions: 'quantum = <1000>;' },
  );
type Pair = ReturnType<typeof pair>;

const end1 = ({ partition }: Pair, name: string) => partition(name).byteChannel(1)!;
const wordOf = ({ partition }: Pair, name: string, address: number): number =>
  partition(name).board.bus.ram.find(address)!.target.read(address, 4);

/** r3 and up get the arguments, then `sc` with LEV 1. */
const call = (code: Code, token: number, ...args: number[]): Code => {
  args.forEach((value, i) => code.li(3 + i, value));
  return code.li(11, token).op('sc', { lev: 1 });
};

/** Wait, with interrupts. */
const wait = (code: Code): Code =>
  code
    .label('wait')
    .setMsr(MSR.WE | MSR.EE)
    .b('wait');

/** Waits for a decrementer that was never set: for ever, but it has not halted. */
const idle = (code = new Code()): Code => wait(code.setSpr('TCR', TCR.DIE));

/** Sends three bytes and waits for ever. */
const three = () => idle(call(new Code(), SEND, 1, 3, 0x61626300));

/** Sends sixteen bytes whenever its send interrupt says that there is room, and counts at 0x100 what was taken. */
function flooder(): Code {
  const code = new Code().vector(4, 'external').li(20, 0);
  code.li(3, -1).op('mtdcr', { rs: 3, dcr: 0xc4 }).li(3, 0).op('mtdcr', { rs: 3, dcr: 0xc5 });
  wait(code.li(3, 0x40000000).op('mtdcr', { rs: 3, dcr: 0xc2 }));
  call(code.at(0x2000).label('external'), SEND, 1, 16, 0x30313233, 0x34353637, 0x38396162, 0x63646566);
  return code.op('add', { rt: 20, ra: 20, rb: 4 }).stw(20, 0x100).op('rfi');
}

/** Sends sixteen bytes, waits until as many are back, and keeps them at 0x100. */
function caller(): Code {
  const code = call(new Code(), SEND, 1, 16, 0x61626364, 0x65666768, 0x696a6b6c, 0x6d6e6f70).label('poll');
  call(code, POLL, 1).op('cmpi', { bf: 0, ra: 4, si: 16 }).bc(4, 2, 'poll');
  call(code, RECEIVE, 1, 16);
  return code.stw(5, 0x100).stw(6, 0x104).stw(7, 0x108).stw(8, 0x10c).finish();
}

/** Sends back the first sixteen bytes that it receives. */
function echo(): Code {
  const code = call(new Code().li(20, 0).label('loop'), RECEIVE, 1, 16).op('add', { rt: 20, ra: 20, rb: 4 });
  code.li(3, 1).li(11, SEND).op('sc', { lev: 1 });
  return code.op('cmpi', { bf: 0, ra: 20, si: 16 }).bc(4, 2, 'loop').finish();
}

test('bytes arrive one after the other, each a character time on its way', () => {
  const made = pair(three(), idle());
  const arrivals: number[] = [];
  for (;;) {
    const progress = made.hv.run(10_000_000);
    if (progress.kind !== 'idle' || progress.until === Infinity) break;
    expect(end1(made, 'right').waiting).toBe(arrivals.length);
    arrivals.push(progress.until);
    made.hv.skip(progress.until);
  }
  expect(
    end1(made, 'right')
      .take(16)
      .map((byte) => String.fromCharCode(byte)),
  ).toEqual(['a', 'b', 'c']);
  expect(arrivals[0]! - CHARACTER).toBeGreaterThan(0);
  expect(arrivals[0]! - CHARACTER).toBeLessThan(3000);
  expect(arrivals.slice(1).map((cycle, i) => cycle - arrivals[i]!)).toEqual([CHARACTER, CHARACTER]);
});

test('a connected channel has no stream and no input', () => {
  const made = pair(three(), idle());
  expect(made.hv.streams).toEqual([]);
  expect(made.hv.type('left/link', Buffer.from('x'))).not.toBe(true);
  expect([...made.output.streams.keys()].filter((name) => name.includes('link'))).toEqual([]);
});

test('what is sent comes back from a guest that echoes, however the run is cut up', () => {
  const slices: Slicing[] = [() => Infinity, () => 777, () => 34_722];
  const hashes = slices.map((slice) => {
    const made = pair(caller(), echo());
    expect(runToEnd(made.hv, 3_000_000, slice)).toEqual({ kind: 'ended', ending: { kind: 'finished', status: 0 } });
    expect([0, 4, 8, 12].map((at) => hex(wordOf(made, 'left', 0x100 + at)))).toEqual([
      '61626364',
      '65666768',
      '696a6b6c',
      '6d6e6f70',
    ]);
    return stateHash(snapshotOf(made.hv));
  });
  expect(new Set(hashes).size).toBe(1);
});

test('a snapshot has what is on its way, in both directions', () => {
  const [made, other] = [pair(caller(), echo()), pair(caller(), echo())];
  runToEnd(made.hv, 10 * CHARACTER);
  const snapshot = snapshotOf(made.hv);
  new Snapshots(other.hv).restore(snapshot);
  expect(stateHash(snapshotOf(other.hv))).toBe(stateHash(snapshot));
  expect(runToEnd(made.hv, 3_000_000).kind).toBe('ended');
  expect(runToEnd(other.hv, 3_000_000).kind).toBe('ended');
  expect(stateHash(snapshotOf(other.hv))).toBe(stateHash(snapshotOf(made.hv)));
});

test('where nobody receives, 512 bytes are taken and none is lost; the send interrupt waits for room', () => {
  const made = pair(flooder(), idle());
  runToEnd(made.hv, CHARACTER / 2);
  expect(wordOf(made, 'left', 0x100)).toBe(256);
  expect(end1(made, 'left').space).toBe(0);
  expect(runToEnd(made.hv, 600 * CHARACTER)).toEqual({ kind: 'idle', until: Infinity });
  expect(wordOf(made, 'left', 0x100)).toBe(512);
  expect([end1(made, 'right').waiting, end1(made, 'left').space]).toEqual([256, 0]);
  expect(end1(made, 'right').take(3)).toEqual([0x30, 0x31, 0x32]);
  runToEnd(made.hv, 10 * CHARACTER);
  expect(wordOf(made, 'left', 0x100)).toBe(515);
});

test('a send to a line that is full is EAGAIN, and poll tells that there is no room', () => {
  const code = new Code().li(20, 0).label('loop');
  call(code, SEND, 1, 15, 0).op('add', { rt: 20, ra: 20, rb: 4 }).op('cmpi', { bf: 0, ra: 3, si: 0 }).bc(12, 2, 'loop');
  call(code.stw(3, 0x100).stw(20, 0x104), POLL, 1).stw(3, 0x108).stw(5, 0x10c).finish();
  const made = pair(code, idle());
  runToEnd(made.hv, CHARACTER);
  expect([0, 4, 8, 12].map((at) => wordOf(made, 'left', 0x100 + at))).toEqual([EV.EAGAIN, 256, 0, 0]);
});

test('an end that is restarted has lost what was meant for it, and the other has room again', () => {
  const made = pair(flooder(), idle());
  runToEnd(made.hv, 600 * CHARACTER);
  made.hv.ask('restart', made.partition('right'));
  expect([end1(made, 'right').waiting, end1(made, 'left').space]).toEqual([0, 256]);
  runToEnd(made.hv, 600 * CHARACTER);
  expect(wordOf(made, 'left', 0x100)).toBe(1024);
});

test('what an end has sent before it is restarted or stopped still arrives', () => {
  const made = pair(three(), idle());
  runToEnd(made.hv, CHARACTER);
  made.hv.ask('restart', made.partition('left'));
  runToEnd(made.hv, CHARACTER / 2);
  made.hv.ask('stop', made.partition('left'));
  runToEnd(made.hv, 10 * CHARACTER);
  expect(Buffer.from(end1(made, 'right').take(16)).toString()).toBe('abcabc');
});

test('a congested line takes nothing of what is sent, until it does again', () => {
  const made = pair(flooder(), idle());
  runToEnd(made.hv, CHARACTER / 2);
  expect(made.hv.inject({ kind: 'congestion', stream: 'left/link', congested: true })).toBeUndefined();
  expect(runToEnd(made.hv, 600 * CHARACTER)).toEqual({ kind: 'idle', until: Infinity });
  expect([end1(made, 'left').space, wordOf(made, 'left', 0x100)]).toEqual([0, 256]); // what was on its way arrived
  expect(end1(made, 'right').waiting).toBe(256);
  made.hv.inject({ kind: 'congestion', stream: 'left/link', congested: false });
  runToEnd(made.hv, 600 * CHARACTER);
  expect(wordOf(made, 'left', 0x100)).toBe(512);
});

test('bytes that nobody sent arrive at once, and what there is no room for is lost', () => {
  const made = pair(three(), idle());
  const flood = (stream: string, count: number) =>
    made.hv.inject({ kind: 'flood', stream, bytes: Array.from({ length: count }, () => 0x78) });
  expect(flood('right/link', 300)).toBeUndefined();
  expect([end1(made, 'right').waiting, end1(made, 'left').waiting]).toEqual([256, 0]);
  runToEnd(made.hv, 10 * CHARACTER);
  expect(end1(made, 'right').take(256)).toEqual(Array.from({ length: 256 }, () => 0x78));
  runToEnd(made.hv, 10 * CHARACTER);
  expect(Buffer.from(end1(made, 'right').take(16)).toString()).toBe('abc'); // they waited on the line
  expect(flood('right/other', 1)).toBe("there is no stream 'right/other'");
  const damaged = made.hv.inject({ kind: 'serial-error', stream: 'right/link', error: 'parity', byte: 0 });
  expect(damaged).toBe("'right/link' is no serial line, and has no parity errors");
});

test('a replay of what was done to both ends, in other slices, comes to the same state', () => {
  const inputs: RecordedInput[] = [];
  const made = pair(flooder(), echo());
  made.hv.listeners.push((input) => inputs.push({ ...input, ...made.hv.moment }));
  const actions: readonly (() => unknown)[] = [
    () => made.hv.ask('pause', made.partition('right')),
    () => made.hv.inject({ kind: 'flood', stream: 'left/link', bytes: [1, 2, 3] }),
    () => made.hv.ask('resume', made.partition('right')),
    () => made.hv.inject({ kind: 'congestion', stream: 'right/link', congested: true }),
    () => made.hv.ask('restart', made.partition('left')),
    () => made.hv.inject({ kind: 'congestion', stream: 'right/link', congested: false }),
  ];
  actions.forEach((act, i) => {
    runToEnd(made.hv, 3 * CHARACTER + 777 * i, () => 10_007);
    act();
  });
  runToEnd(made.hv, 40 * CHARACTER);
  expect(inputs.map(({ kind }) => kind)).toEqual(['asked', 'injected', 'asked', 'injected', 'asked', 'injected']);
  expect(wordOf(made, 'left', 0x100)).toBeGreaterThan(20); // of its second life
  const again = pair(flooder(), echo());
  const replay = new Replay(again.hv, [...inputs, { kind: 'end', hash: '', ...made.hv.moment }]);
  for (let i = 0; i < 1000 && !replay.ended; i++) if (replay.run({}, 2_000_000).kind !== 'ran') break;
  expect(stateHash(snapshotOf(again.hv))).toBe(stateHash(snapshotOf(made.hv)));
});

test('what is sent to a stopped partition is lost when it starts, and the line is as before', () => {
  const made = pair(three(), idle(), { node: 'no-auto-start;' });
  runToEnd(made.hv, 10 * CHARACTER);
  made.hv.ask('start', made.partition('right'));
  expect(end1(made, 'right').waiting).toBe(0);
  made.hv.ask('restart', made.partition('left'));
  runToEnd(made.hv, 10 * CHARACTER);
  expect(Buffer.from(end1(made, 'right').take(16)).toString()).toBe('abc');
});
