import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Clock } from '../../../src/bus/clock.js';
import { SharedMemory } from '../../../src/bus/memory.js';
import { checkConfig } from '../../../src/launch/config.js';
import { Files, namedImage, namedInitrd, readFile } from '../../../src/launch/files.js';
import { mapHtml } from '../../../src/cli/map/html.js';
import { ownershipOf, type Ownership } from '../../../src/cli/map/model.js';
import { mapSvg } from '../../../src/cli/map/svg.js';
import { mapText } from '../../../src/cli/map/text.js';
import { configure, type Configuration } from '../../../src/devicetree/configuration.js';
import { parse } from '../../../src/devicetree/source.js';
import type { Tree } from '../../../src/devicetree/tree.js';
import { Interpreter } from '../../../src/cpu/engine/interpreter.js';
import { Hypervisor } from '../../../src/hypervisor/hypervisor.js';
import { cli, root } from '../../tools.js';
import { put } from '../child.js';

const own = ['two-partitions', 'hostile', 'manager', 'pass-through', 'two-linux'];
const path = (name: string): string => join(root, 'devicetrees', `${name}.dts`);

interface Mapped {
  readonly tree: Tree;
  readonly configuration: Configuration;
  readonly files: Files;
  readonly map: Ownership;
}

function mapped(source: string, file: string): Mapped {
  const files = new Files();
  const { tree, findings } = checkConfig(parse(source, file, readFile), files);
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  const configuration = configure(tree);
  const map = ownershipOf(tree, configuration, ({ image, initrd }) => ({
    image: namedImage(files, image),
    ...(initrd !== undefined && { initrd: namedInitrd(initrd).length }),
  }));
  return { tree, configuration, files, map };
}

const mapOf = (name: string): Mapped => mapped(readFileSync(path(name), 'utf8'), path(name));

function hypervisorOf({ tree, configuration, files }: Mapped): Hypervisor {
  const machine = new Hypervisor({
    memory: new SharedMemory(0x18000000),
    clock: new Clock(),
    engine: new Interpreter(),
    tree,
    configuration,
    transmit: () => () => {},
    recordInput: () => {},
    log: () => {},
  });
  const guests = configuration.partitions.map(
    ({ name, image, initrd }) =>
      [
        name,
        { image: namedImage(files, image), ...(initrd !== undefined && { initrd: namedInitrd(initrd) }) },
      ] as const,
  );
  expect(machine.start(new Map(guests))).toBeUndefined();
  return machine;
}

test('two connected byte channels are one row, with an arrow at either end', () => {
  const image = JSON.stringify(join(root, 'firmware/hello/hello.elf'));
  const partition = (name: string, label: string, endpoint: string): string =>
    `${name} { compatible = "hv440,partition"; image = ${image}; memory = <0 0 0 0x01000000>;
      serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };
      ${label}: ${label} { compatible = "epapr,hv-byte-channel"; endpoint = <&${endpoint}>; }; };`;
  const text = `/dts-v1/;\n/include/ "hv440-board.dtsi"
&partitions { ${partition('one', 'left', 'right')} ${partition('two', 'right', 'left')} };`;
  const { map } = mapped(text, join(root, 'devicetrees', 'pair.dts'));
  expect(map.channels).toEqual([{ kind: 'byte-channel', name: 'left ↔ right', from: ['one'], to: ['two'] }]);
  expect(map.partitions.map(({ console }) => console)).toEqual(['serial@ef600300', 'serial@ef600300']);
  expect(map.partitions[1]!.traits).toContain('byte channel right to one');
  expect(mapText('pair', map)).toMatch(/byte channel left ↔ right +one ↔ two/);
  expect(mapSvg('pair', map)).toContain('byte channel left ↔ right');
});

test('the row of a core, and its dots in the picture, tell what is guaranteed of it', () => {
  const { map } = mapOf('guarantees');
  expect(mapText('guarantees', map)).toMatch(
    /\n {2}cpu@0 {2}control 60 %, logger 15 %, batch, hello 20 % {2}turns of 40,000 cycles \(100 µs\)\n/,
  );
  const dots = mapSvg('guarantees', map).match(/>1 vcpu[^<]*</g);
  expect(dots).toEqual(['>1 vcpu, 60 %<', '>1 vcpu, 15 %<', '>1 vcpu<', '>1 vcpu, 20 %<']);
});

test.for(own)('%s: each byte of the board’s memory is in one row', (name) => {
  const { memory } = mapOf(name).map;
  let at = 0;
  for (const { base, size } of memory) {
    expect(base).toBe(at);
    at += size;
  }
  expect(at).toBe(256 * 2 ** 20);
});

test.for(own)('%s: memory, image and tree are where the hypervisor has put them', (name) => {
  const all = mapOf(name);
  const machine = hypervisorOf(all);
  for (const partition of machine.partitions) {
    const drawn = all.map.partitions.find((p) => p.name === partition.name)!;
    const [physical] = all.map.memory.filter(({ owner, kind }) => owner === partition.name && kind === 'memory');
    const grant = partition.grant(physical!.guest!)!;
    expect({ physical: grant.physical, size: grant.size }).toEqual({ physical: physical!.base, size: physical!.size });
    const tree = drawn.blocks.find(({ kind }) => kind === 'device-tree')!;
    const ram = partition.board.bus.ram.find(0)!.target;
    expect(ram.read(tree.base, 4)).toBe(0xd00dfeed);
    expect(ram.read(tree.base + 4, 4)).toBe(tree.size);
    expect(machine.programs.find((p) => p.name === partition.name)?.pc).toBe(drawn.entry);
  }
});

test('the map of a manager and its worker', async () => {
  const { status, stdout, stderr } = await cli(['map', 'devicetrees/manager.dts']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(
    stdout
      .split('\n')
      .filter((line) => !/dcr|\.elf|device tree/.test(line))
      .join('\n'),
  ).toBe(MANAGER);
});

const MANAGER = `devicetrees/manager.dts: amcc,bamboo, 1 core at 400 MHz, 256 MiB, 2 partitions

  [aaaabbbb........................................................]
   a manager  b worker  . free

Memory of the board
  0x00000000–0x00ffffff   16 MiB  manager  at its 0x00000000
  0x01000000–0x01ffffff   16 MiB  worker   at its 0x00000000
  0x02000000–0x0fffffff  224 MiB  free

Devices of the board
  0xef600300–0xef600307  serial@ef600300        interrupt-controller0 0 level high   the hypervisor
  0xef600400–0xef600407  serial@ef600400        interrupt-controller0 1 level high   the hypervisor
  0xef600500–0xef600507  serial@ef600500        interrupt-controller0 3 level high   the hypervisor
  0xef600600–0xef600607  serial@ef600600        interrupt-controller0 4 level high   the hypervisor
  0x9c000000–0x9c000007  serial@9c000000        interrupt-controller0 23 level high  the hypervisor

Cores
  cpu@0  manager, worker  turns of 20,000 cycles (50 µs)

Channels
  doorbell wake  manager → worker
  manages        manager → worker

Partition manager: runs from power-on, on-reset: stop
  0x00000000–0x00ffffff      16 MiB  memory
  0xef600300–0xef600307         8 B  serial@ef600300, virtual, its console
  0xef601000–0xef601003         4 B  finisher@ef601000, virtual
  interrupt 0                        serial@ef600300, level high
  interrupt 1                        worker: state change, rising edge
  interrupt 2                        worker: watchdog expiration, rising edge
  interrupt 3                        worker: reset request, rising edge

Partition worker: waits to be started, on-reset: stop, watchdog: manager-notify
  0x00000000–0x00ffffff      16 MiB  memory
  0xef600300–0xef600307         8 B  serial@ef600300, virtual, its console
  0xef601000–0xef601003         4 B  finisher@ef601000, virtual
  interrupt 0                        serial@ef600300, level high
  interrupt 1                        woken (doorbell wake), rising edge
  interrupt 2                        shutdown, from its manager, rising edge
`;

test('a device that is given away is its owner’s, with how it is reached', () => {
  const { devices, partitions } = mapOf('pass-through').map;
  const uart = devices.find(({ name }) => name === 'serial@9c000000')!;
  expect(uart).toMatchObject({ owner: 'owner', direct: true, wires: [{ line: 23 }] });
  expect(devices.filter(({ owner }) => owner !== undefined)).toEqual([uart]);
  expect(partitions[0]!.console).toBe('serial@9c000000');
  expect(partitions[0]!.wires).toMatchObject([{ line: 23, source: 'serial@9c000000' }]);
});

test('a magic page and a second range of memory have rows of their own', () => {
  const source = `/dts-v1/;
/include/ "${root}/devicetrees/hv440-board.dtsi"
&partitions {
  guest {
    compatible = "hv440,partition";
    image = "${root}/firmware/hello/hello.elf";
    memory = <0 0 0 0x100000  0 0x1000000 0 0x200000>;
    paravirtualization = "kvm", "magic-page";
    serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };
  };
};`;
  const { memory } = mapped(source, '/map.dts').map;
  const own = memory.filter(({ owner }) => owner === 'guest');
  expect(own.map(({ kind, size, guest }) => ({ kind, size, guest }))).toEqual([
    { kind: 'memory', size: 0x200000, guest: 0x1000000 },
    { kind: 'memory', size: 0x100000, guest: 0 },
    { kind: 'magic-page', size: 0x1000, guest: undefined },
  ]);
});

/** Every tag that is opened is closed, in order: enough for what has no scripts. */
function unclosed(markup: string): string[] {
  const open: string[] = [];
  for (const [, close, name, attributes] of markup.matchAll(/<(\/?)([a-z]+)((?:[^<>"]|"[^"]*")*)>/gi)) {
    if (close === '/') expect(open.pop()).toBe(name);
    else if (!attributes!.endsWith('/') && name !== 'meta') open.push(name!);
  }
  return open;
}

test.for(own)('%s: the picture is sound markup, and the page refers to nothing outside', (name) => {
  const { map } = mapOf(name);
  const svg = mapSvg('a <name> & "more"', map);
  expect(unclosed(svg)).toEqual([]);
  expect(svg).toContain('a &lt;name&gt; &amp; &quot;more&quot;');
  for (const { name: partition } of map.partitions) expect(svg).toContain(`>${partition}</text>`);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  const page = mapHtml(name, map);
  expect(unclosed(page.replace('<!doctype html>', ''))).toEqual([]);
  expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|src=|href=|<script/);
  expect(mapSvg(name, mapOf(name).map)).toBe(mapSvg(name, map));
});

test('what is written goes by the name of the file, or by --format', async () => {
  const file = put('map.html', '');
  expect((await cli(['map', path('manager'), '-o', file])).status).toBe(0);
  expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>/);
  const json = JSON.parse((await cli(['map', path('manager'), '--format', 'json'])).stdout) as Ownership;
  expect(json.channels).toEqual(mapOf('manager').map.channels);
  expect((await cli(['map', path('manager'), '--format', 'svg'])).stdout).toMatch(/^<svg /);
});

test('a configuration with mistakes is refused with all of them', async () => {
  const file = put(
    'wrong.dts',
    readFileSync(path('manager'), 'utf8')
      .replace('hv440-board.dtsi', path('../devicetrees/hv440-board').replace('.dts', '.dtsi'))
      .replaceAll('memory = <0x0 0x0 0x0 0x01000000>', 'memory = <0x0 0x0 0x0 0x40000000>'),
  );
  const { status, stdout, stderr } = await cli(['map', file]);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain('error');
});

test('a picture of 64 partitions names them all', () => {
  const partitions = Array.from(
    { length: 64 },
    (
      _,
      i,
    ) => `p${i} { compatible = "hv440,partition"; image = "${root}/firmware/hello/hello.elf"; memory = <0 0 0 0x200000>;
      serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; }; };`,
  );
  const { map } = mapped(
    `/dts-v1/;\n/include/ "${root}/devicetrees/hv440-board.dtsi"\n&partitions { ${partitions.join('\n')} };`,
    '/many.dts',
  );
  const text = mapText('many', map);
  for (let i = 0; i < 64; i++) expect(text).toContain(`Partition p${i}: `);
  expect(unclosed(mapSvg('many', map))).toEqual([]);
});

test('shared memory is a block of the board with its users, and one of each partition', () => {
  const window = (at: string, more = ''): string =>
    `pool@${at} { compatible = "hv440,shared-memory-window"; shared-memory = <&pool>; reg = <0x${at} 0x10000>; ${more} };`;
  const guest = (name: string, node: string): string => `${name} { compatible = "hv440,partition";
    image = "${join(root, 'firmware/hello/hello.elf')}"; memory = <0x0 0x0 0x0 0x01000000>; ${node}
    serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; }; };`;
  const { map } = mapped(
    `/dts-v1/; /include/ "${join(root, 'devicetrees/hv440-board.dtsi')}"
&partitions { pool: pool { compatible = "hv440,shared-memory"; size = <0x0 0x10000>; };
${guest('one', window('80000000'))} ${guest('two', window('90000000', 'read-only;'))} };`,
    join(root, 'devicetrees/test.dts'),
  );
  const text = mapText('test', map);
  expect(text).toMatch(
    /0x02000000–0x0200ffff +64 KiB +shared memory pool: one at 0x80000000, two at 0x90000000 read-only/,
  );
  expect(text).toMatch(/0x80000000–0x8000ffff +64 KiB +shared memory pool\n/);
  expect(text).toMatch(/0x90000000–0x9000ffff +64 KiB +shared memory pool, read-only\n/);
  expect(text).toContain('+ shared');
  expect(mapSvg('test', map).match(/class="box shared"/g)).toHaveLength(3);
});
