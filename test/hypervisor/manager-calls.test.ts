import { expect, test } from 'vitest';
import { EV } from '../../src/hypervisor/hypercall.js';
import { MSR } from '../../src/isa/registers.js';
import { Code } from './code.js';
import { hypervisor, runToEnd, type Guest } from './guest.js';

const token = (n: number): number => 0x20000 + n;
const [GET, SET, RESTART, STATUS, START, STOP, MEMCPY, RESET, CORE] = [2, 3, 4, 5, 6, 7, 8, 13, 14].map(token) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];
const RING = 0x1000e;

/** r3 and up get the arguments, then `sc` with LEV 1; r3 and r4 go to the next two words from 0x100 on. */
class Calls extends Code {
  #at = 0x100;
  call(number: number, ...args: number[]): this {
    args.forEach((value, i) => this.li(3 + i, value));
    this.li(11, number)
      .op('sc', { lev: 1 })
      .stw(3, this.#at)
      .stw(4, this.#at + 4);
    this.#at += 8;
    return this;
  }
  text(address: number, text: string): this {
    const bytes = Buffer.concat([Buffer.from(`${text}\0`), Buffer.alloc(4)]);
    for (let i = 0; i + 3 < bytes.length; i += 4) this.li(31, bytes.readInt32BE(i)).stw(31, address + i);
    return this;
  }
}

const spin = () => new Code().print('s').label('spin').op('addi', { rt: 3, ra: 3, si: 1 }).b('spin');
/** The same with 64 KiB more to load, which takes many turns. */
const large = () => {
  const image = spin().image();
  const more = { address: 0x10000, bytes: new Uint8Array(0x10000), size: 0x10000 };
  return { ...image, segments: [...image.segments, more] };
};
const SELF = -1;
/** The manager has no byte channels, so the partition that it manages is 1 and its shutdown doorbell is 2. */
const [WORKER, SHUTDOWN] = [1, 2];

const MANAGES = 'worker { compatible = "managed-partition"; partition = <&{/partitions/worker}>; };';
const PORTS = 'serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };';
const SHORT = { partitions: 'quantum = <1000>;' };

/** A manager that makes some calls and ends, beside a worker that prints `s` at each start and then counts. */
function managed(
  code: Code,
  { worker = {}, node = '', partitions = '' }: { worker?: Partial<Guest>; node?: string; partitions?: string } = {},
) {
  const made = hypervisor(
    { manager: { program: code.finish(), node: `${MANAGES} ${node}` }, worker: { program: spin(), ...worker } },
    { partitions: `${SHORT.partitions} ${partitions}` },
  );
  runToEnd(made.hv, 400_000);
  const { bus } = made.partition('manager').board;
  const answers = Array.from({ length: 20 }, (_, i) =>
    [0, 4].map((at) => bus.ram.find(0)!.target.read(0x100 + 8 * i + at, 4)),
  );
  expect(made.partition('manager').ending).toEqual({ kind: 'finished', status: 0 });
  return { ...made, answers, statuses: answers.map(([status]) => status), worker: made.partition('worker') };
}

test('a manager stops its partition, reads its state, starts it again, and restarts it', () => {
  const code = new Calls().call(STATUS, WORKER).call(STOP, WORKER).call(STATUS, WORKER).call(STOP, WORKER);
  code.call(RESTART, WORKER).call(START, WORKER, 0, 1).call(STATUS, WORKER).call(START, WORKER, 0, 1);
  const made = managed(code, { worker: { program: large() } });
  const { SUCCESS, INVALID_STATE } = EV;
  expect(made.answers.slice(0, 1)).toEqual([[SUCCESS, 1]]);
  expect(made.statuses.slice(1, 8)).toEqual([0, 0, INVALID_STATE, INVALID_STATE, 0, 0, INVALID_STATE]);
  expect([made.answers[2]![1], made.answers[6]![1]]).toEqual([0, 2]);
  expect(made.output.text('worker/serial@ef600300')).toBe('s'); // its first life had no turn
  expect(made.log).toContain("partition 'worker' was started");
  expect(made.worker.tree!.find('/hypervisor')!.get('fsl,hv-stopped-by')!.string).toBe('manager');
});

// prettier-ignore
test.each([
  ['status of a handle it has not',        STATUS,  [9],                 EV.EINVAL],
  ['status of a doorbell',                 STATUS,  [SHUTDOWN],          EV.EINVAL],
  ['stop of handle -2',                    STOP,    [-2],                EV.EINVAL],
  ['a ring of a partition',                RING,    [WORKER],            EV.EINVAL],
  ['a reset of the board',                 RESET,   [],                  EV.EPERM],
  ['the state of a second processor',      CORE,    [WORKER, 1],         EV.EINVAL],
  ['a property at a path outside memory',  GET,     [WORKER, 0, 0x100000, 0, 0x400, 0, 0x400, 4], EV.EFAULT],
  ['a property of 32769 bytes',            SET,     [WORKER, 0, 0x400, 0, 0x400, 0, 0x400, 32769], EV.EINVAL],
  ['a list that is not aligned',           MEMCPY,  [WORKER, SELF, 0x410, 0, 1], EV.EINVAL],
  ['a list that ends outside memory',      MEMCPY,  [WORKER, SELF, 0xfffe0, 0, 2], EV.EFAULT],
  ['a list beyond 4 GiB',                  MEMCPY,  [WORKER, SELF, 0, 1, 1], EV.EFAULT],
  ['a list of four thousand million',      MEMCPY,  [WORKER, SELF, 0, 0, -1], EV.EFAULT],
  ['FH_SEND_NMI',                          token(11), [1],               EV.UNIMPLEMENTED],
  ['FH_ERR_GET_INFO',                      token(1),  [1, 64, 0, 0, 0],  EV.UNIMPLEMENTED],
])('%s is refused', (_, number, args, status) => {
  const run = managed(new Calls().call(number, ...args));
  expect([run.statuses[0], run.worker.lifecycle]).toEqual([status, 'running']);
});

test('a path of more than 4096 bytes is refused', () => {
  const code = new Calls().li(4, 0x8000).li(5, 0x2f2f2f2f).li(6, 1025).op('mtspr', { rs: 6, spr: 9 }).label('fill');
  code.op('stw', { rs: 5, ra: 4, d: 0 }).op('addi', { rt: 4, ra: 4, si: 4 }).bc(16, 0, 'fill');
  expect(managed(code.call(GET, WORKER, 0, 0x8000, 0, 0x600, 0, 0x600, 4)).statuses[0]).toBe(EV.EINVAL);
});

test('memory is copied both ways, and only where both have it', () => {
  const code = new Calls();
  const entry = (at: number, source: number, target: number, size: number): void => {
    [0, source, 0, target, 0, size, 0, 0].forEach((word, i) => code.li(31, word).stw(31, at + 4 * i));
  };
  code.text(0x600, 'written by the manager!');
  entry(0x800, 0x600, 0x7000, 24);
  code.call(MEMCPY, SELF, WORKER, 0x800, 0, 1);
  entry(0x800, 0x7000, 0x680, 8);
  entry(0x820, 0x7008, 0x690, 16);
  code.call(MEMCPY, WORKER, SELF, 0x800, 0, 2);
  entry(0x820, 0xffff8, 0x6a0, 16);
  code.call(MEMCPY, WORKER, SELF, 0x800, 0, 2).call(MEMCPY, WORKER, SELF, 0x800, 0, 0);
  const made = managed(code);
  expect(made.statuses.slice(0, 4)).toEqual([0, 0, EV.EFAULT, 0]);
  const text = (name: string, at: number, size: number) =>
    Buffer.from(made.partition(name).board.bus.ram.find(0)!.target.slice(at, size)).toString();
  expect(text('worker', 0x7000, 23)).toBe('written by the manager!');
  expect(text('manager', 0x680, 8) + text('manager', 0x690, 15)).toBe('written by the manager!');
});

test('memory is copied by windows of shared memory at either end, and never into one that is only read', () => {
  const POOL = 'pool: pool { compatible = "hv440,shared-memory"; size = <0x0 0x10000>; };';
  const window = (at: string, more = ''): string =>
    `pool@${at} { compatible = "hv440,shared-memory-window"; shared-memory = <&pool>; reg = <0x${at} 0x10000>; ${more} };`;
  const [OWN, ITS] = [0x80000000, 0x90000000];
  const code = new Calls();
  const copy = (from: number, to: number, source: number, target: number, size = 16): Calls => {
    [0, source, 0, target, 0, size, 0, 0].forEach((word, i) => code.li(31, word).stw(31, 0x800 + 4 * i));
    return code.call(MEMCPY, from, to, 0x800, 0, 1);
  };
  code.text(0x600, 'by its own window').text(0x640, 'by the worker´s!');
  copy(SELF, SELF, 0x600, OWN); // into the manager's window
  copy(SELF, WORKER, OWN, 0x7000); // from there, to memory of the worker
  copy(WORKER, SELF, ITS, 0x680); // from the worker's window
  copy(WORKER, WORKER, ITS, 0x7010); // there and back, all of it the worker's
  copy(SELF, WORKER, 0x640, ITS); // into the worker's window, which is only read
  copy(WORKER, SELF, ITS + 0xfff8, 0x6a0); // beyond its end
  copy(SELF, SELF, OWN + 0xfff8, OWN + 0x100); // the same of the manager's
  copy(WORKER, SELF, ITS, OWN + 0x200); // the same memory at both ends
  const made = managed(code, {
    node: window('80000000'),
    worker: { node: window('90000000', 'read-only;') },
    partitions: POOL,
  });
  expect(made.statuses.slice(0, 8)).toEqual([0, 0, 0, 0, EV.EFAULT, EV.EFAULT, EV.EFAULT, 0]);
  const text = (name: string, at: number): string => {
    const region = made.partition(name).board.bus.ram.find(at)!;
    return Buffer.from(region.target.slice(at - region.base, 16)).toString('latin1');
  };
  const places = [['manager', OWN] as const, ['worker', 0x7000] as const, ['manager', 0x680] as const];
  for (const [name, at] of [...places, ['worker', 0x7010] as const, ['worker', ITS + 0x200] as const])
    expect(text(name, at), `${name} at 0x${at.toString(16)}`).toBe('by its own windo');
  expect(text('worker', ITS + 0x100)).toBe('\0'.repeat(16));
});

test('properties of the other’s device tree are read and set, and it finds them at its next start', () => {
  const code = new Calls()
    .text(0x600, '/chosen')
    .text(0x640, 'bootargs')
    .text(0x680, 'from the manager')
    .text(0x6c0, '/');
  code.text(0x700, 'label').text(0x740, '/no/such').call(SET, WORKER, 0, 0x600, 0, 0x640, 0, 0x680, 17);
  code.call(GET, WORKER, 0, 0x6c0, 0, 0x700, 0, 0x780, 64).call(GET, WORKER, 0, 0x6c0, 0, 0x700, 0, 0x780, 3);
  code
    .call(GET, WORKER, 0, 0x740, 0, 0x700, 0, 0x780, 64)
    .call(RESTART, WORKER)
    .call(SET, WORKER, 0, 0x600, 0, 0x640, 0, 0x680, 17);
  const made = managed(code, { worker: { program: large() } });
  expect(made.answers.slice(1, 3)).toEqual([
    [0, 7],
    [EV.BUFFER_OVERFLOW, 7],
  ]);
  expect(made.statuses.slice(0, 6)).toEqual([0, 0, EV.BUFFER_OVERFLOW, EV.ENOENT, 0, EV.INVALID_STATE]);
  expect(made.worker.tree!.find('/chosen')!.get('bootargs')!.string).toBe('from the manager');
  const blob = Buffer.from(made.worker.board.bus.ram.find(0)!.target.slice(0x80000, 0x80000)).toString('latin1');
  expect(blob).toContain('from the manager');
});

test('one that restarts itself begins anew, and one that stops itself has ended', () => {
  const code = new Calls().print('r').call(RESTART, SELF).finish(7);
  const made = hypervisor({ guest: { program: code } }, SHORT);
  made.hv.run(100_000);
  expect(made.output.text('guest/serial@ef600300')).toMatch(/^r{3,}$/);
  expect(made.partition('guest').ending).toBeUndefined();
  const stops = hypervisor({ guest: { program: new Calls().call(STOP, SELF).finish(7) } });
  expect(runToEnd(stops.hv)).toEqual({ kind: 'ended', ending: { kind: 'stopped', by: 'self' } });
});

test('a privileged one resets the board: all others begin anew too', () => {
  const code = new Calls()
    .print('p')
    .li(5, 0)
    .label('wait')
    .op('addi', { rt: 5, ra: 5, si: 1 })
    .op('cmpi', { bf: 0, ra: 5, si: 3000 });
  code.bc(4, 2, 'wait').call(RESET).finish(7);
  const made = hypervisor({ guest: { program: code, node: 'privileged;' }, spin: { program: spin() } }, SHORT);
  made.hv.run(50_000);
  const resets = made.log.filter((line) => line === "the board was reset by partition 'guest'").length;
  expect(resets).toBeGreaterThan(1);
  expect(made.output.text('spin/serial@ef600300')).toBe('s'.repeat(resets + 1));
});

test('a state change, a reset that is asked for and a shutdown are heard as edges on lines of the tree', () => {
  const listener = new Calls()
    .vector(4, 'heard')
    .li(3, -1)
    .op('mtdcr', { rs: 3, dcr: 0xc4 })
    .op('mtdcr', { rs: 3, dcr: 0xc5 });
  listener
    .op('mtdcr', { rs: 3, dcr: 0xc2 })
    .setMsr(MSR.EE)
    .call(STOP, WORKER)
    .call(START, WORKER, 0, 1)
    .call(RING, SHUTDOWN);
  listener
    .li(5, 0)
    .label('wait')
    .op('addi', { rt: 5, ra: 5, si: 1 })
    .op('cmpi', { bf: 0, ra: 5, si: 8000 })
    .bc(4, 2, 'wait')
    .finish();
  listener.at(0x4000).label('heard').op('mfdcr', { rt: 20, dcr: 0xc6 }).op('mtdcr', { rs: 20, dcr: 0xc0 });
  listener
    .op('addi', { rt: 21, ra: 21, si: 1 })
    .op('or', { ra: 22, rs: 22, rb: 20 })
    .stw(21, 0x80)
    .stw(22, 0x84)
    .op('rfi');
  const worker = new Code()
    .vector(4, 'asked')
    .li(3, -1)
    .op('mtdcr', { rs: 3, dcr: 0xc4 })
    .op('mtdcr', { rs: 3, dcr: 0xc5 });
  worker.op('mtdcr', { rs: 3, dcr: 0xc2 }).setMsr(MSR.EE).label('spin').op('addi', { rt: 5, ra: 5, si: 1 }).b('spin');
  worker.at(0x4000).label('asked').setSpr('DBCR0', 0x30000000);
  const made = hypervisor(
    {
      manager: {
        program: listener,
        node: MANAGES,
        ports: `${PORTS} finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; };`,
      },
      worker: { program: worker },
    },
    SHORT,
  );
  runToEnd(made.hv, 400_000);
  expect(made.partition('manager').ending).toEqual({ kind: 'finished', status: 0 });
  const [managed] = made.partition('manager').config.managedPartitions;
  const bit = (line: number): number => 0x80000000 >>> line;
  const heard = made.partition('manager').board.bus.ram.find(0)!.target;
  // stopped and running; and, if the worker was up in time to hear the ring, that it asked for a reset and is stopped
  expect(heard.read(0x80, 4)).toBeGreaterThanOrEqual(2);
  expect(heard.read(0x84, 4) & bit(managed!.stateChange.line)).not.toBe(0);
  expect(managed!.stateChange.type).toBe(1);
  expect(made.partition('worker').config.shutdown).toMatchObject({ type: 1 });
});

test('doorbells of /partitions lead from who rings them to who hears them', () => {
  const made = hypervisor(
    {
      one: {
        program: new Calls().call(RING, 1).finish(),
        node: 'ring { compatible = "send-doorbell"; global-doorbell = <&{/partitions/wake}>; };',
      },
      two: {
        program: spin(),
        node: 'woken { compatible = "receive-doorbell"; global-doorbell = <&{/partitions/wake}>; interrupts = <9 1>; };',
      },
    },
    { partitions: 'wake { compatible = "doorbell"; };' },
  );
  made.partition('two').board.uics[0]!.writeDcr(4, 0xffffffff);
  made.partition('two').board.uics[0]!.writeDcr(5, 0xffffffff);
  runToEnd(made.hv, 200_000);
  expect(made.partition('one').board.bus.ram.find(0)!.target.read(0x100, 4)).toBe(0);
  expect(made.partition('two').board.uics[0]!.peekDcr(0) & (0x80000000 >>> 9)).not.toBe(0);
  const node = made.partition('one').tree!.find('/hypervisor/handles/ring')!;
  expect([node.compatible, node.cell('hv-handle')]).toEqual([['epapr,hv-send-doorbell'], 1]);
  const bell = made.partition('two').tree!.find('/hypervisor/handles/woken')!;
  expect([bell.compatible, bell.get('interrupts')!.cells]).toEqual([['epapr,hv-receive-doorbell'], [9, 1]]);
});

// prettier-ignore
test.each([
  ['partition-reset', 1, undefined],
  ['partition-stop',  0, { kind: 'stopped', by: 'watchdog' }],
  ['manager-notify',  0, undefined],
] as const)('watchdog-timeout = "%s"', (action, restarts, ending) => {
  const dog = new Code().mfspr(4, 'TSR').stw(4, 0x100).op('andis.', { ra: 4, rs: 4, ui: 0x3000 }).bc(4, 2, 'spin');
  dog.setSpr('TCR', 0x30000000).label('spin').op('addi', { rt: 3, ra: 3, si: 1 }).b('spin');
  const node = `watchdog-timeout = "${action}";`;
  const made = hypervisor({ manager: { program: spin(), node: MANAGES }, worker: { program: dog, node } }, SHORT);
  const [managed] = made.partition('manager').config.managedPartitions;
  const uic = made.partition('manager').board.uics[0]!;
  uic.writeDcr(4, 0xffffffff);
  uic.writeDcr(5, 0xffffffff);
  made.hv.run(9_000_000);
  const worker = made.partition('worker');
  expect([worker.restarts, worker.ending]).toEqual([restarts, ending]);
  const rung = (uic.peekDcr(0) & (0x80000000 >>> managed!.watchdogExpiration.line)) !== 0;
  expect(rung).toBe(action === 'manager-notify');
  const status = worker.board.bus.ram.find(0)!.target.read(0x100, 4) & 0x30000000;
  expect(status).toBe(action === 'partition-reset' ? 0x30000000 : 0);
});

test('watchdog-autostart-period has the watchdog run from the start', () => {
  const node = 'watchdog-autostart-period = <0>; watchdog-timeout = "partition-stop";';
  const made = hypervisor({ guest: { program: spin(), node } });
  made.hv.run(9_000_000);
  expect(made.partition('guest').ending).toEqual({ kind: 'stopped', by: 'watchdog' });
});
