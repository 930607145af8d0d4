import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Alarm, Clock } from '../../src/bus/clock.js';

/** An alarm that notes its name when it rings, and is then due `every` cycles later, or never again. */
function alarm(name: string, due: number, heard: string[], every = Infinity): Alarm {
  const made = new (class extends Alarm {
    ring(): void {
      heard.push(`${name}@${this.due}`);
      this.due += every;
    }
  })();
  made.due = due;
  return made;
}

test('alarms ring earliest first, those of one cycle in the order in which they were added', () => {
  const clock = new Clock();
  const heard: string[] = [];
  for (const [name, due] of [
    ['late', 9],
    ['b', 5],
    ['early', 2],
    ['a', 5],
    ['future', 11],
  ] as const)
    clock.add(alarm(name, due, heard));
  expect(clock.next).toBe(2);
  clock.now = 10;
  clock.ring();
  expect(heard).toEqual(['early@2', 'b@5', 'a@5', 'late@9']);
  expect(clock.next).toBe(11);
});

test('an alarm rings as often as it has fallen due, in its place among the others', () => {
  const clock = new Clock();
  const heard: string[] = [];
  clock.add(alarm('slow', 7, heard, 7));
  clock.add(alarm('quick', 3, heard, 3));
  clock.now = 9;
  clock.ring();
  expect(heard).toEqual(['quick@3', 'quick@6', 'slow@7', 'quick@9']);
});

test('an alarm may add, remove and move others while it rings', () => {
  const clock = new Clock();
  const heard: string[] = [];
  const victim = alarm('victim', 4, heard);
  const moved = alarm('moved', 4, heard);
  const first = alarm('first', 1, heard);
  const ring = first.ring.bind(first);
  first.ring = () => {
    ring();
    clock.remove(victim);
    moved.due = 20;
    clock.add(alarm('added', 3, heard));
  };
  for (const a of [first, victim, moved]) clock.add(a);
  clock.now = 10;
  clock.ring();
  expect(heard).toEqual(['first@1', 'added@3']);
  expect(clock.next).toBe(20);
});

test('the next alarm is the earliest there is, and none is at Infinity', () => {
  const clock = new Clock();
  expect(clock.next).toBe(Infinity);
  const only = alarm('only', 5, []);
  clock.add(only);
  expect(clock.next).toBe(5);
  clock.remove(alarm('stranger', 1, []));
  expect(clock.next).toBe(5);
  clock.remove(only);
  expect(clock.next).toBe(Infinity);
});

test('whatever alarms do, the next is the earliest of those that are there', () => {
  const act = fc.record({ what: fc.constantFrom('add', 'remove', 'move'), which: fc.nat(4), due: fc.nat(30) });
  fc.assert(
    fc.property(fc.array(act), (acts) => {
      const clock = new Clock();
      const alarms = Array.from({ length: 5 }, (_, i) => alarm(String(i), Infinity, []));
      const there = new Set<Alarm>();
      for (const { what, which, due } of acts) {
        const one = alarms[which]!;
        if (what === 'move') one.due = due;
        else if (what === 'remove') clock.remove(one);
        else if (!there.has(one)) clock.add(one);
        if (what === 'add') there.add(one);
        if (what === 'remove') there.delete(one);
        expect(clock.next).toBe(Math.min(Infinity, ...[...there].map((each) => each.due)));
      }
    }),
  );
});

test('any alarms ring in the order of a sorted list', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 12 }), fc.nat(25), (dues, now) => {
      const clock = new Clock();
      const heard: string[] = [];
      dues.forEach((due, i) => clock.add(alarm(String(i), due, heard)));
      clock.now = now;
      clock.ring();
      const sorted = [...dues.entries()].filter(([, due]) => due <= now).toSorted((a, b) => a[1] - b[1]);
      expect(heard).toEqual(sorted.map(([i, due]) => `${i}@${due}`));
    }),
  );
});

test('time is held until everybody who holds it has let go', () => {
  const clock = new Clock();
  const [a, b] = [{}, {}];
  clock.hold(a);
  clock.hold(b);
  clock.hold(b);
  clock.release(a);
  expect(clock.held).toBe(true);
  clock.release(b);
  expect(clock.held).toBe(false);
});

test('an alarm that is taken away no longer holds time', () => {
  const clock = new Clock();
  const holder = alarm('holder', Infinity, []);
  clock.add(holder);
  clock.hold(holder);
  clock.remove(holder);
  expect(clock.held).toBe(false);
});
