import { expect, test } from 'vitest';
import { PidPool } from '../../src/hypervisor/pid-pool.js';
import { MSR } from '../../src/isa/registers.js';
import { TLB_ENTRIES } from '../../src/mmu/tlb.js';
import { Code, size } from './code.js';
import { both, guest, hypervisor, runToEnd } from './guest.js';

/** The pages that a guest's shadow holds, by effective address: `10000000+1000 -> 210000`. */
function shadowOf(vcpu: ReturnType<typeof guest>['vcpu']): string[] {
  const { tlb } = vcpu.shadow;
  return Array.from({ length: TLB_ENTRIES }, (_, i) => i)
    .filter((i) => tlb.valid(i))
    .map((i) => `${tlb.base(i).toString(16)}+${tlb.bytes(i).toString(16)} -> ${tlb.realBase(i).toString(16)}`)
    .toSorted();
}

/** A neighbour whose memory comes first on the board, since it is larger. */
const neighbour = { program: new Code().finish(), memory: '<0 0 0 0x200000>' };

test('a large page is shadowed by one large page where it is aligned alike in both memories', () => {
  const code = new Code()
    .li(3, 0x40000000)
    .op('lwz', { rt: 4, ra: 3, d: 0 })
    .tlb(4, { ea: 0x40000000, pa: 0, size: size.m1 });
  for (let i = 0; i < 16; i++) code.li(3, 0x40000000 + i * 0x10000).op('lwz', { rt: 4, ra: 3, d: 0 });
  code.label('end').b('end');
  const { hv, partition, exits } = hypervisor({ neighbour, guest: { program: code } });
  runToEnd(hv);
  const misses = exits.filter((e) => e === 'shadow-miss').length;
  expect(shadowOf(partition('guest').vcpus[0]!)).toEqual(['0+100000 -> 200000', '40000000+100000 -> 200000']);
  expect(misses).toBeLessThan(8);
});

test('a page that is larger than the memory is shadowed in parts, the largest that lie in it', () => {
  const code = new Code();
  for (let at = 0; at < 0x1c0000; at += 0x10000) code.li(3, at).op('lwz', { rt: 4, ra: 3, d: 0 });
  code.label('end').b('end');
  const { vcpu } = guest(code, { memory: '<0 0 0 0x1c0000>' });
  expect(shadowOf(vcpu)).toEqual([
    '0+100000 -> 0',
    '100000+40000 -> 100000',
    '140000+40000 -> 140000',
    '180000+40000 -> 180000',
  ]);
});

test('256 MiB over 40 MiB of memory that lies behind another’s are pages of 16 MiB, and of 1 MiB at its end', () => {
  const code = new Code();
  for (let at = 0; at < 0x2800000; at += 0x400000) code.li(3, at).op('lwz', { rt: 4, ra: 3, d: 0 });
  code.label('end').b('end');
  const { hv, partition } = hypervisor(
    { larger: { ...neighbour, memory: '<0 0 0 0x3000000>' }, guest: { program: code, memory: '<0 0 0 0x2800000>' } },
    { board: '&memory0 { reg = <0x0 0x0 0x8000000>; };' },
  );
  runToEnd(hv);
  expect(shadowOf(partition('guest').vcpus[0]!)).toEqual([
    '0+1000000 -> 4000000',
    '1000000+1000000 -> 5000000',
    '2000000+100000 -> 6000000',
    '2400000+100000 -> 6400000',
  ]);
});

test('a page with an address askew to its memory is shadowed by pages of 4 KiB at most', () => {
  // The second guest's memory does not begin at a multiple of 64 KiB, since the board is full
  const odd = '<0 0 0 0x13000>';
  const code = new Code().li(3, 0x8000).op('lwz', { rt: 4, ra: 3, d: 0 }).label('end').b('end');
  const board = '&memory0 { reg = <0x0 0x0 0x26000>; };';
  const { hv, partition } = hypervisor(
    { first: { program: new Code().finish(), memory: odd }, guest: { program: code, memory: odd } },
    { board },
  );
  runToEnd(hv);
  expect(shadowOf(partition('guest').vcpus[0]!)).toEqual(['1000+1000 -> 14000', '8000+1000 -> 1b000']);
});

test('the two ranges of a partition’s memory are shadowed where each lies', () => {
  const code = new Code()
    .li(3, 0x20000000)
    .li(4, 77)
    .op('stw', { rs: 4, ra: 3, d: 8 })
    .op('lwz', { rt: 5, ra: 3, d: 8 })
    .finishWith(5);
  const memory = '<0 0 0 0x100000>, <0 0x20000000 0 0x40000>';
  const { vcpu, ending } = guest(code, { memory });
  expect(ending).toEqual({ kind: 'finished', status: 77 });
  expect(shadowOf(vcpu)).toEqual(['0+100000 -> 0', '20000000+40000 -> 100000']);
});

test('an entry that changes takes effect at the next instruction', () => {
  const code = new Code().li(5, 1).stw(5, 0x4000).li(5, 2).stw(5, 0x5000).li(3, 0x40000000).vector(13, 'miss');
  code.tlb(4, { ea: 0x40000000, pa: 0x4000, size: size.k4 }).op('lwz', { rt: 6, ra: 3, d: 0 }).stw(6, 0x100);
  code.li(31, 0x5000).op('tlbwe', { rs: 31, ra: 29, ws: 1 }).op('lwz', { rt: 6, ra: 3, d: 0 }).stw(6, 0x104);
  code.li(31, 0).op('tlbwe', { rs: 31, ra: 29, ws: 0 }).op('lwz', { rt: 6, ra: 3, d: 0 }).finish(1);
  code.at(0x2000).label('miss').report(0x108, 'DEAR').finish();
  expect(both(code, 3).left).toEqual(['1', '2', '40000000']);
});

test('an entry that is made to overlap an older one takes over where it comes first, and gives way where it does not', () => {
  for (const [entry, seen] of [
    [3, '2'],
    [60, '1'],
  ] as const) {
    const code = new Code().li(5, 1).stw(5, 0x4000).li(5, 2).stw(5, 0x5000).li(3, 0x40000000);
    code.tlb(40, { ea: 0x40000000, pa: 0x4000, size: size.k16 }).tlb(4, { ea: 0, pa: 0, size: 0, valid: false });
    code.op('lwz', { rt: 6, ra: 3, d: 0 }).tlb(entry, { ea: 0x40000000, pa: 0x5000, size: size.k1 });
    code
      .op('lwz', { rt: 7, ra: 3, d: 0 })
      .op('lwz', { rt: 8, ra: 3, d: 0x1000 })
      .stw(6, 0x100)
      .stw(7, 0x104)
      .stw(8, 0x108)
      .finish();
    expect(both(code, 3).left).toEqual(['1', seen, '2']);
  }
});

test('a large page that was shadowed last does not hide a small one before it', () => {
  const code = new Code().li(5, 1).stw(5, 0x4400).li(5, 2).stw(5, 0x5000).li(3, 0x40000000);
  code.tlb(40, { ea: 0x40000000, pa: 0x4000, size: size.k16 }).tlb(3, { ea: 0x40000400, pa: 0x5000, size: size.k1 });
  code.tlb(4, { ea: 0, pa: 0, size: 0, valid: false }).op('lwz', { rt: 6, ra: 3, d: 0x2000 });
  code.op('lwz', { rt: 6, ra: 3, d: 0 }).op('lwz', { rt: 7, ra: 3, d: 0x400 }).stw(7, 0x100).finish();
  expect(both(code, 1).left).toEqual(['2']);
});

test('a full shadow makes room, and what it let go is found again', () => {
  const pages = 100;
  const code = new Code().tlb(4, { ea: 0x40000000, pa: 0, size: 0, valid: false }).li(9, 0);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < pages; i++) {
      code.tlb(20 + (i % 40), { ea: 0x40000000 + i * 0x1000, pa: 0x40000 + i * 0x1000, size: size.k4 });
      code
        .li(3, 0x40000000 + i * 0x1000)
        .op('lwz', { rt: 4, ra: 3, d: 4 })
        .op('add', { rt: 9, ra: 9, rb: 4 });
      code.op('addi', { rt: 4, ra: 4, si: i }).op('stw', { rs: 4, ra: 3, d: 4 });
    }
  }
  code.stw(9, 0x100).finish();
  expect(both(code, 1).left).toEqual([((pages * (pages - 1)) / 2).toString(16)]);
});

test('a page that had to make room is forgotten altogether: a later change of its entry counts', () => {
  // Askew to its memory, so that one large entry of the guest becomes many small ones, more than there are
  const memory = '<0 0 0 0x81000>';
  const board = '&memory0 { reg = <0x0 0x0 0x102000>; };';
  const code = new Code().li(4, 0x44000).li(5, 2).op('stw', { rs: 5, ra: 4, d: 0 }).li(5, 1).stw(5, 0x4000);
  code.tlb(4, { ea: 0x40000000, pa: 0, size: size.k256 }).li(3, 0x40004000).op('lwz', { rt: 6, ra: 3, d: 0 });
  for (let page = 5; page < 64; page++) {
    for (const base of [0x40000000, 0]) code.li(7, base + page * 0x1000).op('lwz', { rt: 8, ra: 7, d: 0 });
  }
  code.li(31, 0x40000).op('tlbwe', { rs: 31, ra: 29, ws: 1 }).op('lwz', { rt: 7, ra: 3, d: 0 });
  code.stw(6, 0x100).stw(7, 0x104).finish();
  const { hv, partition } = hypervisor(
    { first: { program: new Code().finish(), memory }, guest: { program: code, memory } },
    { board },
  );
  runToEnd(hv);
  const ram = partition('guest').board.bus.ram.regions[0]!.target;
  expect([ram.read(0x100, 4), ram.read(0x104, 4)]).toEqual([1, 2]);
});

/** For every PID, a page of its own is written and read through, by the supervisor and by the user; ends with the sum. */
function everyPid(last: number): Code {
  const code = new Code().tlb(0, { ea: 0, pa: 0, size: size.m256 }).vector(8, 'call').li(9, 0).li(10, 0);
  code
    .tlb(4, { ea: 0, pa: 0, size: 0, valid: false })
    .label('next')
    .op('addi', { rt: 10, ra: 10, si: 1 })
    .mtspr('PID', 10);
  // r11 <- the page 0x40000 + 0x1000 * (PID & 63), mapped for this PID alone at 0x40000000
  code
    .op('mtspr', { rs: 10, spr: 946 })
    .op('rlwinm', { ra: 11, rs: 10, sh: 12, mb: 14, me: 19 })
    .op('addis', { rt: 11, ra: 11, si: 4 });
  code.li(29, 50).li(31, 0x40000210).op('tlbwe', { rs: 31, ra: 29, ws: 0 }).op('tlbwe', { rs: 11, ra: 29, ws: 1 });
  code.li(31, 0x3f).op('tlbwe', { rs: 31, ra: 29, ws: 2 }).li(3, 0x40000000).op('stw', { rs: 10, ra: 3, d: 0 });
  code.rfi('user', MSR.PR).label('user').op('lwz', { rt: 4, ra: 3, d: 0 }).op('add', { rt: 9, ra: 9, rb: 4 }).op('sc');
  code.at(0x4000).label('call').op('lwz', { rt: 5, ra: 11, d: 0 }).op('add', { rt: 9, ra: 9, rb: 5 });
  code.op('cmpi', { bf: 0, ra: 10, si: last }).bc(4, 2, 'next').stw(9, 0x100).finish();
  return code;
}

test('more contexts than the real core has PIDs stay apart', () => {
  const last = 255;
  expect(both(everyPid(last), 1).left).toEqual([(last * (last + 1)).toString(16)]);
});

test('two guests that use up the PIDs between them do not see each other', () => {
  const program = everyPid(200);
  const { hv, partition } = hypervisor({ a: { program }, b: { program } }, { partitions: 'quantum = <1000>;' });
  runToEnd(hv);
  for (const name of ['a', 'b']) {
    expect(partition(name).ending).toEqual({ kind: 'finished', status: 0 });
    expect(partition(name).board.bus.ram.regions[0]!.target.read(0x100, 4)).toBe(200 * 201);
  }
});

test('a guest with few PIDs stays right while another takes all of them again and again', () => {
  const last = 7;
  const code = new Code().tlb(4, { ea: 0, pa: 0, size: 0, valid: false }).li(3, 0x40000000).li(10, 0).li(20, 3000);
  for (let pid = 0; pid <= last; pid++) {
    code.tlb(40 + pid, { ea: 0x40000000, pa: 0x40000 + pid * 0x1000, size: size.k4, tid: pid || 0xff });
    code
      .li(4, 0x40000 + pid * 0x1000)
      .li(5, pid)
      .op('stw', { rs: 5, ra: 4, d: 0 });
  }
  // Every order of PIDs comes by: 1 + (17 n + n / 8) & 7, as far as it goes
  code.label('next').op('mulli', { rt: 11, ra: 20, si: 17 }).op('rlwinm', { ra: 12, rs: 20, sh: 29, mb: 3, me: 31 });
  code.op('add', { rt: 11, ra: 11, rb: 12 }).op('andi.', { ra: 11, rs: 11, ui: last }).bc(12, 2, 'skip');
  code.mtspr('PID', 11).op('lwz', { rt: 6, ra: 3, d: 0 }).op('cmp', { bf: 0, ra: 6, rb: 11 }).bc(4, 2, 'wrong');
  code.label('skip').op('addic.', { rt: 20, ra: 20, si: -1 }).bc(4, 2, 'next').finish(0).label('wrong').finish(1);
  const greedy = new Code().li(10, 0).label('next').op('addi', { rt: 10, ra: 10, si: 1 }).mtspr('PID', 10).b('next');
  const { hv, partition } = hypervisor(
    { few: { program: code }, greedy: { program: greedy } },
    { partitions: 'quantum = <1009>;' },
  );
  while (partition('few').running && hv.clock.now < 3_000_000) hv.run(10_000);
  expect(partition('few').ending).toEqual({ kind: 'finished', status: 0 });
});

/** Holds PIDs, and notes those that are taken back. */
class Holder {
  readonly lost: number[] = [];
  dropPid(real: number): void {
    this.lost.push(real);
  }
}

test('the pool gives each PID once, then takes back the one that was not used for longest', () => {
  const pool = new PidPool();
  const owner = new Holder();
  const given = Array.from({ length: 255 }, () => pool.allocate(owner));
  expect(new Set(given).size).toBe(255);
  expect([Math.min(...given), Math.max(...given), owner.lost]).toEqual([1, 255, []]);
  pool.used(given[0]!);
  expect(pool.allocate(owner)).toBe(given[1]);
  expect(pool.allocate(owner)).toBe(given[2]);
  expect(owner.lost).toEqual([given[1], given[2]]);
});

test('it takes PIDs from whoever holds the most, so that a greedy guest takes them from itself', () => {
  const pool = new PidPool();
  const [modest, greedy] = [new Holder(), new Holder()];
  const first = [1, 2, 3].map(() => pool.allocate(modest));
  for (let i = 0; i < 1000; i++) pool.allocate(greedy);
  expect([modest.lost.length, greedy.lost.length]).toEqual([0, 1000 - (255 - first.length)]);
  for (let i = 0; i < 200; i++) pool.allocate(modest);
  expect(pool.heldBy(modest) + pool.heldBy(greedy)).toBe(255);
  expect(Math.abs(pool.heldBy(modest) - pool.heldBy(greedy))).toBe(1);
});

test('a page that is filled when the last PID has just been used up is still known to be there', () => {
  const { partition } = hypervisor({ guest: { program: new Code().finish() } });
  const { shadowTlb, machine, partition: owner } = partition('guest').vcpus[0]!;
  machine.system.tlb.write(0, 0, 0x210, 0);
  machine.system.tlb.write(0, 2, 0x3f, 0);
  const memory = owner.grant(0)!;
  for (let pid = 0; pid < 256; pid++) {
    machine.system.set('pid', pid);
    machine.system.msr = pid & 1 ? MSR.PR : 0;
    shadowTlb.fill(0x10, 0, 0x10, memory);
    expect(shadowTlb.withinGrants).toBe(true);
  }
  shadowTlb.guestChanged(0);
  expect(shadowOf(partition('guest').vcpus[0]!)).toEqual([]);
});

test('when one guest uses up the PIDs, what another has under its own stays', () => {
  const program = new Code().finish();
  const { partition } = hypervisor({ few: { program }, greedy: { program } });
  const [few, greedy] = ['few', 'greedy'].map((name) => partition(name).vcpus[0]!);
  few!.shadowTlb.fill(0x1000, 0, 0x1000, few!.partition.grant(0x1000)!);
  const before = few!.shadowTlb.pidFor(false, 0);
  expect(shadowOf(few!)).toHaveLength(1);
  for (let pid = 0; pid < 256; pid++) for (const user of [false, true]) greedy!.shadowTlb.pidFor(user, pid);
  expect(shadowOf(few!)).toHaveLength(1);
  expect(few!.shadowTlb.pidFor(false, 0)).toBe(before);
  expect(greedy!.account.shadow.pidsReclaimed).toBe(512 - 254);
});

test('a guest that goes through all PIDs in both states, and its neighbours, see what a board shows', () => {
  const program = everyPid(255);
  const { hv, partition } = hypervisor(
    { a: { program }, b: { program }, c: { program } },
    { partitions: 'quantum = <1000>;' },
  );
  runToEnd(hv, 3_000_000);
  for (const name of ['a', 'b', 'c']) {
    expect(partition(name).ending).toEqual({ kind: 'finished', status: 0 });
    expect(partition(name).board.bus.ram.regions[0]!.target.read(0x100, 4)).toBe(255 * 256);
  }
});

test('a page that a handler has just mapped is there when the guest comes back to it: one exit, not two', () => {
  const code = new Code().tlb(4, { ea: 0, pa: 0, size: 0, valid: false }).vector(13, 'miss').li(3, 0x40000000);
  code.li(5, 77).stw(5, 0x4010).op('lwz', { rt: 4, ra: 3, d: 0x10 }).stw(4, 0x100).finish();
  code.at(0x2000).label('miss').tlb(20, { ea: 0x40000000, pa: 0x4000, size: size.k4 }).op('rfi');
  const { virtual, exits, left } = both(code, 1);
  expect(left).toEqual([(77).toString(16)]);
  expect(exits.filter((e) => e === 'shadow-miss')).toHaveLength(1); // of the first instruction
  expect(virtual.vcpu.account.shadow).toMatchObject({ fills: 2, foreseen: 1, evictions: 0 });
  expect(virtual.vcpu.account.injections).toEqual([{ kind: 'data-tlb-miss', count: 1 }]);
});

test('a user program cannot be told its supervisor’s pages from holes by what the shadow holds', () => {
  const code = new Code()
    .tlb(0, { ea: 0, pa: 0, size: size.k16 })
    .tlb(40, { ea: 0x4000, pa: 0x4000, size: size.k4, rights: 7 });
  code.lwz(3, 0x4000).vector(2, 'storage').vector(13, 'storage').rfi('user', MSR.PR).label('user').lwz(3, 0x4000);
  code.at(0x2000).label('storage').report(0x100, 'DEAR', 'SRR1').finish();
  code.at(0x3000);
  const opened = code.tlb(15, { ea: 0xf0000000, pa: 0xf0000000, size: size.m256 });
  expect(both(opened, 2).left).toEqual(['4000', '4000']);
});
