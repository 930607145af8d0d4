import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { interruptsOf, physicalReg } from '../../src/devicetree/addresses.js';
import { exitKinds } from '../../src/devicetree/bindings/partitions.js';
import { decodeBlob, encodeBlob } from '../../src/devicetree/blob.js';
import { check, type ImageInspector } from '../../src/devicetree/checks/index.js';
import { boardSerials, configure, type Configuration } from '../../src/devicetree/configuration.js';
import { costModels } from '../../src/devicetree/cost-models.js';
import { findingsIn, treeOf } from './images.js';

const here = import.meta.dirname;

/** The configuration of partitions on hv440's board; it must pass the checks. */
function configured(partitions: string, properties = '') {
  const file = join(here, 'test.dts');
  const text = `/dts-v1/;\n/include/ "../../devicetrees/hv440-board.dtsi"\n&partitions { ${properties} ${partitions} };`;
  expect(findingsIn(text, file).map(({ message }) => message)).toEqual([]);
  return configure(treeOf(text, file));
}

const partition = (body: string): string =>
  `a { compatible = "hv440,partition"; image = "hello.elf"; memory = <0x0 0x0 0x0 0x01000000>; ${body} };`;
const uart = (address: string, more = ''): string =>
  `serial@${address} { compatible = "ns16550"; reg = <0x${address} 8>; ${more} };`;
const channel = (name: string, more = ''): string => `${name} { compatible = "epapr,hv-byte-channel"; ${more} };`;

/** Every port of the only partition with its lines. */
function linesIn(body: string): Record<string, string> {
  const [only] = configured(partition(body)).partitions;
  const lines: Record<string, string> = {};
  for (const { name, line, type } of only!.serials) lines[name] = `${line}/${type}`;
  for (const { name, rx, tx } of only!.byteChannels) lines[name] = `${rx.line}/${rx.type} ${tx.line}/${tx.type}`;
  return lines;
}

test('a connected byte channel knows its peer, and is no console that is not asked for', () => {
  const ends = (label: string, endpoint: string): string =>
    `${label}: ${channel('link', `endpoint = <&${endpoint}>;`)} ${channel('console')}`;
  const { partitions } = configured(
    `${partition(ends('left', 'right'))} ${partition(ends('right', 'left')).replace('a {', 'b {')}`,
  );
  expect(partitions.map(({ stdout }) => stdout)).toEqual(['console', 'console']);
  expect(partitions.map(({ byteChannels }) => byteChannels.map(({ peer }) => peer))).toEqual([
    [{ partition: 'b', name: 'link' }, undefined],
    [{ partition: 'a', name: 'link' }, undefined],
  ]);
});

test('everything that is left out has the default of its binding', () => {
  const { partitions, quantum, worldSwitchCycles, exitCycles } = configured(partition(uart('ef600300')));
  expect({ quantum, worldSwitchCycles, hypercall: exitCycles('hypercall') }).toEqual({
    quantum: 100_000,
    worldSwitchCycles: 1,
    hypercall: 1,
  });
  const { node, at, ...rest } = partitions[0]!;
  expect(node.path).toBe('/partitions/a');
  expect(at.line).toBe(3);
  expect(rest).toEqual({
    name: 'a',
    label: 'a',
    image: join(here, 'hello.elf'),
    memory: [{ base: 0, size: 0x1000000 }],
    vcpus: 1,
    affinity: [0],
    onReset: 'stop',
    autoStart: true,
    privileged: false,
    sendDoorbells: [],
    receiveDoorbells: [],
    managedPartitions: [],
    imagePatches: [],
    paravirtualization: { kvm: false, idle: false, hcallInstructions: 'epapr' },
    magicPages: [],
    windows: [],
    serials: [
      {
        node: node.children[0],
        name: 'serial@ef600300',
        base: 0xef600300,
        size: 8,
        line: 0,
        type: 4,
        clockFrequency: 11_059_200,
        currentSpeed: 115_200,
      },
    ],
    byteChannels: [],
    devices: [],
    pages: [],
    stdout: 'serial@ef600300',
  });
});

test('everything that is said is there', () => {
  const { partitions, quantum, worldSwitchCycles, exitCycles } = configured(
    `a { compatible = "hv440,partition"; label = "The A"; image = "hello.elf"; initrd = "1M.cpio"; bootargs = "quiet";
      memory = <0x0 0x0 0x0 0x01000000>, <0x1 0x80000000 0x0 0x00100000>; on-reset = "restart"; vcpus = <1>;
      devices = <&UART3 &UART1>; stdout = <&hvc>;
      ${uart('ef600300', 'clock-frequency = <1843200>; current-speed = <9600>; interrupts = <9 8>;')}
      hvc: ${channel('console')}
      finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; };
      node-update { chosen { my-flag; }; };
    };`,
    'quantum = <5000>; exit-cycles = <7>; exit-cycles-device = <30>; world-switch-cycles = <40>;',
  );
  expect(quantum).toBe(5000);
  expect(worldSwitchCycles).toBe(40);
  expect(exitKinds.map((kind) => exitCycles(kind))).toEqual(exitKinds.map((kind) => (kind === 'device' ? 30 : 7)));
  const [a] = partitions;
  expect(a).toMatchObject({
    label: 'The A',
    initrd: join(here, '1M.cpio'),
    bootargs: 'quiet',
    memory: [
      { base: 0, size: 0x1000000 },
      { base: 0x180000000, size: 0x100000 },
    ],
    onReset: 'restart',
    serials: [{ line: 9, type: 8, clockFrequency: 1_843_200, currentSpeed: 9600 }],
    finisher: { base: 0xef601000 },
    stdout: 'console',
  });
  expect(a!.devices.map((node) => node.labels[0])).toEqual(['UART3', 'UART1']);
  expect(a!.nodeUpdate?.child('chosen')?.has('my-flag')).toBe(true);
});

test("a port has the interrupt of the board's device with its unit address, or else the lowest free line", () => {
  expect(linesIn(uart('ef600500') + uart('ef700000') + uart('ef600400') + channel('hvc'))).toEqual({
    'serial@ef600500': '3/4',
    'serial@ef600400': '1/4',
    'serial@ef700000': '0/4',
    hvc: '2/4 4/4',
  });
});

test('a line that is said, or that a passed-through device has, is not chosen for another', () => {
  expect(linesIn(`devices = <&UART1>; ${uart('ef600300')} ${channel('hvc', 'interrupts = <0 4 3 1>;')}`)).toEqual({
    'serial@ef600300': '2/4',
    hvc: '0/4 3/1',
  });
});

test('a console is named by node, by node without its address where that is enough, by path or by reference', () => {
  const consoleIn = (stdout: string): string | undefined =>
    configured(partition(`${stdout} ${channel('one')} two: ${uart('ef600300')}`)).partitions[0]!.stdout;
  expect(consoleIn('')).toBe('one');
  for (const said of ['"serial@ef600300"', '"serial"', '"/partitions/a/serial@ef600300"', '&two', '<&two>'])
    expect(consoleIn(`stdout = ${said};`), said).toBe('serial@ef600300');
  expect(consoleIn('stdout = "one:115200";')).toBe('one');
});

test('disabled partitions and ports are left out', () => {
  const { partitions } = configured(
    `${partition(uart('ef600300', 'status = "disabled";') + uart('ef600400', 'status = "okay";'))}
     b { compatible = "hv440,partition"; status = "disabled"; image = "missing.elf"; memory = <0 0 0 0>; };`,
  );
  expect(partitions.map(({ name }) => name)).toEqual(['a']);
  expect(partitions[0]!.serials.map(({ name }) => name)).toEqual(['serial@ef600400']);
});

test("the board's serial ports are where the processor sees them", () => {
  const file = join(here, '../../devicetrees/hv440-board.dtsi');
  const tree = treeOf(readFileSync(file, 'utf8'), file);
  const ports = boardSerials(tree).map((node) => {
    const [interrupt] = interruptsOf(node);
    return [node.labels[0], physicalReg(node), interrupt!.controller.labels[0], interrupt!.line, interrupt!.type];
  });
  expect(ports).toEqual([
    ['UART0', [{ base: 0xef600300, size: 8 }], 'UIC0', 0, 4],
    ['UART1', [{ base: 0xef600400, size: 8 }], 'UIC0', 1, 4],
    ['UART2', [{ base: 0xef600500, size: 8 }], 'UIC0', 3, 4],
    ['UART3', [{ base: 0xef600600, size: 8 }], 'UIC0', 4, 4],
    ['UART4', [{ base: 0x9c000000, size: 8 }], 'UIC0', 23, 4],
  ]);
});

test('an address goes through the ranges of every bus above', () => {
  const tree = treeOf(`/dts-v1/; / { #address-cells = <2>; #size-cells = <1>;
    bus { #address-cells = <1>; #size-cells = <1>; ranges = <0x0 0x1 0x40000000 0x1000>, <0x8000 0x2 0x0 0x100>;
      inner { #address-cells = <1>; #size-cells = <1>; ranges = <0x0 0x8000 0x10>;
        in { reg = <0x8 0x8>; };
        out { reg = <0xc 0x8>; };
      };
      both { reg = <0x10 4>, <0x8010 4>, <0x1000 4>; };
    };
    closed { #address-cells = <1>; #size-cells = <1>; lost { reg = <0 4>; }; };
  };`);
  const reg = (path: string): string[] =>
    physicalReg(tree.find(path)!).map(({ base, size }) => `${base.toString(16)}+${size}`);
  expect(reg('/bus/inner/in')).toEqual(['200000008+8']);
  expect(reg('/bus/inner/out')).toEqual([]);
  expect(reg('/bus/both')).toEqual(['140000010+4', '200000010+4']);
  expect(reg('/closed/lost')).toEqual([]);
});

test("an interrupt's controller is the nearest interrupt-parent above, or each that interrupts-extended names", () => {
  const tree = treeOf(`/dts-v1/; / { interrupt-parent = <&one>;
    one: one { interrupt-controller; #interrupt-cells = <1>; };
    two: two { interrupt-controller; #interrupt-cells = <2>; };
    a { interrupts = <5 6>; };
    bus { interrupt-parent = <&two>; b { interrupts = <7 8>; }; };
    c { interrupts-extended = <&two 1 2 &one 3>; };
    d { interrupt-parent = <99>; interrupts = <1>; };
  };`);
  const of = (path: string): string[] =>
    interruptsOf(tree.find(path)!).map(({ controller, line, type }) => `${controller.name} ${line}/${type}`);
  expect(of('/a')).toEqual(['one 5/4', 'one 6/4']);
  expect(of('/bus/b')).toEqual(['two 7/8']);
  expect(of('/c')).toEqual(['two 1/2', 'one 3/4']);
  expect(of('/d')).toEqual([]);
});

test('a configuration read back from a blob is the same', () => {
  const file = join(here, '../../devicetrees/two-partitions.dts');
  const tree = treeOf(readFileSync(file, 'utf8'), file);
  const back = decodeBlob(encodeBlob(tree), file);
  const anything: ImageInspector = {
    inspect: () => ({ ok: true, segments: [{ address: 0, size: 4096 }], entry: 0 }),
  };
  expect(check(back, anything).map(({ message }) => message)).toEqual([]);
  const said = (configuration: Configuration) =>
    configuration.partitions.map(({ name, image, memory, serials, stdout, finisher }) => ({
      name,
      image,
      memory,
      stdout,
      end: finisher?.base,
      lines: serials.map(({ line, type }) => [line, type]),
    }));
  expect(said(configure(back))).toEqual(said(configure(tree)));
});

test('a cost model says what exits cost where nothing nearer does', () => {
  const model = costModels.ppc440;
  const all = configured(partition(uart('ef600300')), 'exit-cost-model = "ppc440";');
  expect(exitKinds.map((kind) => all.exitCycles(kind))).toEqual(exitKinds.map((kind) => model.exits[kind]));
  expect(all).toMatchObject({ worldSwitchCycles: model.worldSwitch, runAheadCycles: model.runAhead });
  const some = configured(partition(uart('ef600300')), 'exit-cost-model = "ppc440"; exit-cycles-device = <9>;');
  expect([some.exitCycles('device'), some.exitCycles('emulate')]).toEqual([9, model.exits.emulate]);
});
