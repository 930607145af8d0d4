import { expect, test } from 'vitest';
import { describeCycles, durationCycles, parseDuration } from '../../src/devicetree/duration.js';
import { applyVariants, axesOf, combinations, testPlan, withoutTest } from '../../src/devicetree/test-plan.js';
import { bindings } from '../../src/devicetree/bindings/index.js';
import { findingsIn, treeOf } from './images.js';

const board = `/dts-v1/;
/include/ "../../devicetrees/hv440-board.dtsi"
&partitions { hello { compatible = "hv440,partition"; image = "hello.elf"; memory = <0x0 0x0 0x0 0x01000000>;
	stdout = "serial@ef600300";
	console { compatible = "epapr,hv-byte-channel"; };
	serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; }; }; };
`;

const file = `${import.meta.dirname}/plan.dts`;
const treeWith = (text: string) => treeOf(`${board}/ { test { compatible = "hv440,test"; ${text} }; };`, file);
const planOf = (text: string) => testPlan(treeWith(text))!;

test('scripts and steps are in the order of the source, with what they wait for and do', () => {
  const { scripts, limit, seed } = planOf(`hello {
    b { expect = "a\\0b"; within = "10 ms"; send = "x\\n"; max-exits-hypercall = <3>; restart; };
    a { expect-exit = <3>; };
    off { status = "disabled"; stop; };
  };`);
  expect([limit, seed]).toEqual([{ seconds: 10 }, 1]);
  expect(scripts).toMatchObject([
    {
      name: 'hello',
      partition: 'hello',
      stream: 'hello/serial@ef600300',
      repeat: 1,
      steps: [
        {
          name: 'b',
          wait: { kind: 'output', pattern: { text: 'a\0b' } },
          within: { seconds: 0.01 },
          acts: [
            { kind: 'send', bytes: new Uint8Array([0x78, 0x0a]) },
            { kind: 'max-exits', exit: 'hypercall', most: 3 },
            { kind: 'ask', ask: 'restart' },
          ],
        },
        { name: 'a', wait: { kind: 'exit', status: 3 }, acts: [] },
      ],
    },
  ]);
});

test('a script may be about a stream other than the console, or about the hypervisor', () => {
  const { scripts } = planOf(`
    one { stream = "hello/console"; a { expect = "x"; }; };
    two { stream = "hypervisor"; a { expect = "x"; }; };
    three { partition = "hello"; never = "panic"; a { expect = "x"; }; };`);
  expect(scripts.map(({ partition, stream }) => [partition, stream])).toEqual([
    ['hello', 'hello/console'],
    [undefined, 'hypervisor'],
    ['hello', 'hello/serial@ef600300'],
  ]);
  expect(scripts[2]?.never).toMatchObject([{ text: 'panic' }]);
});

test('the combinations of a matrix are all, the last axis changing fastest, and each is merged over the tree', () => {
  const text = `hello { a { expect = "x"; }; }; matrix {
    quantum { short { partitions { quantum = <5000>; }; }; long { partitions { quantum = <400000>; }; }; };
    memory { small { }; large { partitions { hello { memory = <0x0 0x0 0x0 0x02000000>; }; }; }; };
  };`;
  const all = combinations(axesOf(treeWith(text)));
  expect(all).toEqual([
    { quantum: 'short', memory: 'small' },
    { quantum: 'short', memory: 'large' },
    { quantum: 'long', memory: 'small' },
    { quantum: 'long', memory: 'large' },
  ]);
  const tree = treeWith(text);
  applyVariants(tree, all[3]!);
  expect(tree.find('/partitions')!.cell('quantum')).toBe(400000);
  expect(tree.find('/partitions/hello')!.get('memory')!.cells).toEqual([0, 0, 0, 0x02000000]);
  expect(combinations(axesOf(treeWith('hello { a { expect = "x"; }; };')))).toEqual([{}]);
});

test('a tree without its test is what it was before one was written', () => {
  const tree = withoutTest(treeWith('hello { a { expect = "x"; }; };'));
  expect(tree.find('/test')).toBeUndefined();
  expect(testPlan(tree)).toBeUndefined();
});

test('a node /test of something else is the board’s', () => {
  const tree = treeOf('/dts-v1/; / { test { compatible = "acme,self-test"; }; };');
  expect(testPlan(tree)).toBeUndefined();
});

test('the examples of the bindings of tests have nothing wrong', () => {
  const example = (title: string): string => bindings.find((b) => b.title === title)!.example;
  const step = `steps { partition = "hello"; ${example('step of a test')} };`;
  const parts = [example('script of a test'), step, example('matrix of a test')];
  const whole = example('test').replace(/\};$/, `${parts.join('\n')} };`);
  expect(findingsIn(`${board}/ { ${whole} };`, file).map(({ message }) => message)).toEqual([]);
  expect(findingsIn(`${board}/ { test { matrix { ${example('axis of a matrix')} }; }; };`, file)).toHaveLength(2);
});

test.each([
  ['10 ms', 4_000_000],
  ['1.5s', 600_000_000],
  ['2 us', 800],
  ['100 ns', 40],
  ['1 cycle', 1],
  ['5000 cycles', 5000],
])('%s are %i cycles at 400 MHz', (text, cycles) => {
  expect(durationCycles(parseDuration(text)!, 400e6)).toBe(cycles);
});

test.each(['10', '10 min', '-1 s', '1.5 cycles', 's', ''])('%j is no duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test('cycles are shown in a unit with three digits', () => {
  expect([400e6, 5e6, 48_123, 40, 0].map((cycles) => describeCycles(cycles, 400e6))).toEqual([
    '1.00 s',
    '12.5 ms',
    '120 us',
    '0.10 us',
    '0.00 us',
  ]);
});
