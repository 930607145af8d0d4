import { expect, test } from 'vitest';
import { testTree, type TreeTestOptions } from '../../src/testing/tree-test.js';
import { configuration, hello, put, type Guest } from '../cli/child.js';
import { cli } from '../tools.js';

const one: Guest = { name: 'hello', image: hello };

/** Raw code at 0. */
const code = (name: string, ...words: number[]): string =>
  put(`${name}.bin`, Uint8Array.from(words.flatMap((word) => [word >>> 24, word >>> 16, word >>> 8, word])));

/** Not an instruction, and no handler. */
const broken: Guest = { name: 'broken', image: code('broken', 0, 0) };
/** lis r3,0x3000; mtspr DBCR0,r3: it asks for a system reset, again and again. */
const resets: Guest = {
  name: 'resets',
  image: code('resets', 0x3c603000, 0x7c744ba6, 0x48000000),
  more: 'on-reset = "restart";',
};

let files = 0;

/** Runs a test of some guests, a node's text; gives how it failed, `LINE: STEP: REASON`, or `passed`, and its figures. */
async function run(guests: readonly Guest[], text: string, options: TreeTestOptions = {}) {
  const base = put(`base-${++files}.dts`, configuration(guests));
  const file = put(`${files}.test.dts`, `/include/ "${base}"\n/ { test { compatible = "hv440,test";\n${text}\n}; };\n`);
  const { failure, run: figures, ...rest } = await testTree(file, {}, options);
  const said = failure ? `${failure.at.line}: ${failure.step ?? '-'}: ${failure.reason}` : 'passed';
  return { said, cycles: figures.cycles, figures, ...rest };
}

const dialogue = `hello {
	prompt { expect = "hello> "; send = "mem\\n"; };
	answer { expect-regex = "^memory [0-9]+ MiB$"; };
	leave { expect = "hello> "; send = "exit 3\\n"; };
	left { expect-exit = <3>; };
};`;

test('a dialogue passes, and takes the same cycles every time and on every engine', async () => {
  const first = await run([one], dialogue);
  expect(first.said).toBe('passed');
  const again = await run([one], dialogue, { engine: 'interpreter' });
  expect(again.figures).toEqual(first.figures);
  expect(first.cycles).toBeGreaterThan(100_000);
});

test('scripts go on side by side, each with its own partition', async () => {
  const two = [one, { ...one, name: 'other' }];
  const { said } = await run(
    two,
    `${dialogue} other { prompt { expect = "hello> "; send = "exit\\n"; }; left { expect-exit = <0>; }; };`,
  );
  expect(said).toBe('passed');
});

test('time passes as long as a step says', async () => {
  const { cycles } = await run([one], 'hello { a { wait = "10 ms"; }; b { wait = "500 cycles"; }; };');
  expect(cycles).toBe(4_000_500);
});

test('a random time depends on the seed alone', async () => {
  const text = 'seed = <5>; hello { a { wait-up-to = "10 ms"; }; };';
  const cycles = async (options?: TreeTestOptions): Promise<number> => (await run([one], text, options)).cycles;
  const first = await cycles();
  expect(first).toBeLessThanOrEqual(4_000_000);
  expect(await cycles({ seed: 5 })).toBe(first);
  expect(await cycles({ seed: 6 })).not.toBe(first);
});

test('what does not come within its time fails at its place', async () => {
  const { said, cycles } = await run([one], 'hello {\na {\nexpect = "hallo"; within = "2 ms"; }; };');
  expect(said).toBe('5: hello.a: waited for "hallo" from hello/serial@ef600300, and it did not come within 2 ms');
  expect(cycles).toBe(800_000);
});

test('the limit of a test is that of every wait', async () => {
  const { said, cycles } = await run([one], 'limit = "3 ms"; hello { a { expect = "hallo"; within = "1 s"; }; };');
  expect(said).toContain('hello.a: waited for "hallo" from hello/serial@ef600300, and it did not come');
  expect(cycles).toBe(1_200_000);
  const endless = await run([one], 'limit = "3 ms"; hello { a { wait = "1 s"; }; };');
  expect(endless.said).toBe('2: -: waited for the end of the test, and it did not come; its limit is 3 ms');
});

test('what is forbidden fails at the very character, whichever script it is in', async () => {
  const everywhere = await run([one], 'never = "PVR";\nhello { a { expect = "hello> "; }; };');
  expect(everywhere.said).toBe('3: -: hello/serial@ef600300 printed "PVR", which it never should');
  const waiting = await run(
    [one],
    'hello { a { expect = "hello> "; };\nb { wait = "1 ms"; never-regex = "[P]VR"; }; };',
  );
  expect(waiting.said).toBe('passed');
  const inTime = await run([one], 'hello {\na { expect = "hello> ";\nnever-regex = "[P]VR"; }; };');
  expect(inTime.said).toBe('5: -: hello/serial@ef600300 printed /[P]VR/, which it never should');
});

test('a line that may become longer is not at its end', async () => {
  const { said } = await run([one], 'hello { a { expect-regex = "^hello$"; within = "1 ms"; }; };');
  expect(said).toContain('and it did not come within 1 ms');
});

test('partitions are stopped, started, paused and resumed, and the hypervisor says so', async () => {
  const { said } = await run(
    [one],
    `hello {
	prompt { expect = "hello> "; pause; };
	paused { expect-state = "paused"; };
	rest { wait = "1 ms"; resume; };
	goes-on { expect-state = "running"; send = "mem\\n"; };
	answer { expect = "memory"; stop; };
	stopped { expect-state = "stopped"; start; };
	again { expect = "hello> "; restart; };
	once-more { expect = "hello> "; };
}; log { stream = "hypervisor"; a { expect = "partition 'hello' was stopped"; }; b { expect = "was started"; }; };`,
  );
  expect(said).toBe('passed');
});

test('what the state of a partition forbids fails at its place', async () => {
  const { said } = await run([one], 'hello { a { wait = "1 ms";\nresume; }; };');
  expect(said).toMatch(/^4: hello\.a: partition 'hello' is running, and 'resume' is for one that is paused/);
});

test('resets are waited for one by one', async () => {
  const { said } = await run([resets], 'resets { repeat = <5>; a { expect-reset; }; };');
  expect(said).toBe('passed');
  const once = await run([{ ...resets, more: '' }], 'resets { a { expect-reset; }; };');
  expect(once.said).toBe('passed');
});

test('another ending than the one that is waited for fails at once', async () => {
  const { said, cycles } = await run(
    [one],
    'hello { a { expect = "> "; send = "exit 3\\n"; };\nb { expect-exit = <4>; }; };',
  );
  expect(said).toMatch(/^4: hello\.b: waited for partition 'hello' to end with status 4, and it ended with status 3/);
  expect(cycles).toBeLessThan(40_000_000);
});

test('a fault that is waited for is none; another fails the test, with its report', async () => {
  expect((await run([broken], 'broken { a { expect-fault = "no-handler"; }; };')).said).toBe('passed');
  expect((await run([broken], 'broken { a { expect-fault = "any"; }; };')).said).toBe('passed');
  const other = await run([broken], 'broken { a { expect-fault = "handler-faults"; }; };');
  expect(other.said).toContain("waited for the fault 'handler-faults' of partition 'broken', and it was 'no-handler'");
  const nobody = await run([one, broken], dialogue);
  expect(nobody.said).toBe(
    "2: -: partition 'broken' died, and no step expects that: it trapped before it had set up a handler: IVPR and the IVOR are as after reset",
  );
  expect(nobody.describeFailure().join('\n')).toContain('broken/cpu0: no-handler:');
  expect((await run([one, broken], `may-fault = "broken"; ${dialogue}`)).said).toBe('passed');
});

test('nobody waits for what a partition prints that is over', async () => {
  const two = [one, { ...one, name: 'other' }];
  const { said, cycles } = await run(
    two,
    'hello { a { expect = "hello> "; send = "exit\\n"; };\nb { expect = "hello> "; }; }; other { a { wait = "1 s"; }; };',
  );
  expect(said).toBe("4: hello.b: it waits for what partition 'hello' prints, which ended with status 0");
  expect(cycles).toBeLessThan(40_000_000);
});

test('a wait that nothing can end any more fails at once, at its step', async () => {
  const { said, cycles } = await run([{ ...one, more: 'no-auto-start;' }], 'hello {\na { expect = "x"; }; };');
  expect(said).toBe(
    '4: hello.a: waited for "x" from hello/serial@ef600300, and it will not come: no partition runs any more',
  );
  expect(cycles).toBe(0);
});

test('exits are bounded, of all kinds or of one, and counted anew', async () => {
  const bounded = (bound: string): string => `hello { a { expect = "hello> "; };\nb { ${bound} }; };`;
  expect((await run([one], bounded('max-exits = <100000>; max-exits-hypercall = <0>;'))).said).toBe('passed');
  const { said } = await run([one], bounded('max-exits-device = <10>;'));
  expect(said).toMatch(
    /^4: hello\.b: partition 'hello' has made \d+ exits of the kind device, and may make 10 \(.*device \d+/,
  );
  expect((await run([one], bounded('recount; max-exits = <0>;'))).said).toBe('passed');
});

test('shares of the core are bounded from both sides, and counted anew', async () => {
  // li r3,1; addi r3,r3,1; b .-4: it computes for ever
  const spins = code('spins', 0x38600001, 0x38630001, 0x4bfffffc);
  const two = ['a', 'b'].map((name) => ({ name, image: spins, more: name === 'a' ? 'guarantee = <80>;' : '' }));
  const bounded = (bounds: string): string => `a {\nx { wait = "20 ms"; ${bounds} }; };`;
  expect((await run(two, bounded('min-share = <79>; max-share = <81>;'))).said).toBe('passed');
  expect((await run(two, bounded('min-share = <81>;'))).said).toMatch(
    /^4: a\.x: partition 'a' has had (79|80)\.\d\d % of the core, and is to have 81 % at least$/,
  );
  expect((await run(two, bounded('partition = "b"; max-share = <18>;'))).said).toMatch(
    /^4: a\.x: partition 'b' has had (19|20)\.\d\d % of the core, and is to have 18 % at most$/,
  );
  expect((await run(two, bounded('recount; max-share = <0>;'))).said).toBe('passed');
});

test('faults are injected at the very instruction or cycle', async () => {
  const crash = await run(
    [one],
    'hello { a { wait-instructions = <50000>; inject = "crash"; }; b { expect-fault = "machine-check-disabled"; within = "1 cycles"; }; };',
  );
  expect(crash.said).toBe('passed');
  expect(crash.figures.instructions).toBe(50_000);
  const text = (act: string, answer: string): string =>
    `hello { a { expect = "hello> "; ${act} }; b { wait = "20 ms"; send = "\n"; }; c { expect = "${answer}"; within = "20 ms"; }; };`;
  // The port's buffer holds 16 characters, the rest is lost.
  expect((await run([one], text('inject = "flood"; text = "0123456789abcdefghij";', '0123456789abcde'))).said).toBe(
    'passed',
  );
  expect((await run([one], text('inject = "flood"; text = "0123456789abcdefghij";', 'fghij'))).said).toContain(
    'did not come',
  );
  const lost = 'inject = "lost-interrupt"; device = "serial@ef600300"; send = "mem";';
  expect(
    (await run([one], `hello { a { expect = "hello> "; ${lost} }; b { expect = "mem"; within = "20 ms"; }; };`)).said,
  ).toContain('did not come within 20 ms');
});

test('a device that a partition does not have cannot fail', async () => {
  const { said } = await run([one], 'hello { a { wait = "1 ms";\ninject = "bus-error"; device = "seriel"; }; };');
  expect(said).toMatch(/^4: hello\.a: device of partition 'hello' 'seriel': there is none; write 'serial@ef600300'/);
});

test('a failure is had again by its recording, to the bit', async () => {
  const { recording, cycles } = await run(
    [one],
    `hello { a { wait-up-to = "1 ms"; restart; }; b { expect = "> "; send = "mem\\n"; }; c { expect = "no"; within = "1 ms"; }; };`,
  );
  const { status, stderr } = await cli(['replay', put('failure.rec', recording())]);
  expect(stderr).toContain(`replayed to cycle ${cycles}: the same state, bit by bit`);
  expect(status).toBe(0);
});
