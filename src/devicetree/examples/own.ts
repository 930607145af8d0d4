import { byteChannels } from './byte-channels.js';
import { sharedMemories } from './shared-memory.js';
import { cores } from './cores.js';
import { asSource, guest, inPartition, inPartitions, inRoot, onBoard, type Examples } from './example.js';

const memory = (value: string): string => `memory = ${value};`;

const port = (name: string, reg: string, more = ''): string =>
  `${name} { compatible = "ns16550"; reg = <${reg} 8>;${more === '' ? '' : ` ${more}`} };`;

const finisher = (address: string): string =>
  `finisher@${address} { compatible = "hv440,finisher"; reg = <0x${address} 4>; };`;

const uart = port('serial@ef600300', '0xef600300');

const script = (body: string): string => `/ {
	test {
		compatible = "hv440,test";
		${body}
	};
};`;

const manages = (name: string): string => `worker { compatible = "managed-partition"; partition = <&${name}>; };`;

/** Examples for the rules on values, nodes and properties. */
const shapes: Examples = {
  'property-type': inPartition('vcpus = "1";', 'vcpus = <1>;'),
  'value-range': inPartition('vcpus = <0>;', 'vcpus = <1>;'),
  'value-count': inPartition(memory('<0x0 0x01000000>'), memory('<0x0 0x0 0x0 0x01000000>')),
  'unknown-value': inPartition('on-reset = "retsart";', 'on-reset = "restart";'),
  'empty-value': inPartition('label = "";', 'label = "first";'),
  'malformed-value': onBoard(
    script('guest { greets { expect = "hello> "; within = "10 min"; }; };'),
    script('guest { greets { expect = "hello> "; within = "10 ms"; }; };'),
  ),
  'phandle-to-nowhere': inPartition('devices = <99>;', 'devices = <&UART3>;'),
  'missing-compatible': inPartition('console { };', 'console { compatible = "epapr,hv-byte-channel"; };'),
  'unknown-compatible': inPartition(
    'ethernet@ef600e00 { compatible = "ibm,emac4"; reg = <0xef600e00 0x70>; };',
    'console { compatible = "epapr,hv-byte-channel"; };',
  ),
  'misplaced-node': onBoard(
    '/ {\n\tfinisher@ef601000 { compatible = "hv440,finisher"; reg = <0x0 0xef601000 4>; };\n};',
    '',
  ),
  'unexpected-child': inPartition(
    port('serial@ef600300', '0xef600300', finisher('ef601000')),
    `${uart}\n${finisher('ef601000')}`,
  ),
  'no-partitions': onBoard('/delete-node/ &partitions;', ''),
  'no-partition': inPartitions('', guest('hello')),
  'missing-property': inPartition('finisher { compatible = "hv440,finisher"; };', finisher('ef601000')),
  'unknown-property': inPartition('vcpu = <1>;', 'vcpus = <1>;'),
};

/** Examples for the rules on the board. */
const board: Examples = {
  'board-cpu-missing': onBoard('&cpu0 { status = "disabled"; };', '&cpu0 { status = "okay"; };'),
  'board-cpus-unsupported': onBoard(
    `&{/cpus} {
	cpu@1 { device_type = "cpu"; reg = <1>; clock-frequency = <400000000>; timebase-frequency = <400000000>; };
};`,
    `&{/cpus} {
	cpu@1 {
		device_type = "cpu";
		reg = <1>;
		status = "disabled";
		clock-frequency = <400000000>;
		timebase-frequency = <400000000>;
	};
};`,
  ),
  'board-memory-missing': onBoard('/delete-node/ &memory0;', ''),
  'board-interrupt-controller-missing': onBoard('&UIC0 { cell-index = <1>; };', '&UIC0 { cell-index = <0>; };'),
  'address-unreachable': onBoard('&{/plb/opb} { ranges = <0x0 0x0 0x0 0x1000>; };', ''),
  'address-too-wide': onBoard(
    '&memory0 { reg = <0xf 0xf8000000 0x10000000>; };',
    '&memory0 { reg = <0x0 0x0 0x08000000>; };',
  ),
  'board-device-overlap': onBoard(
    '&memory0 { reg = <0x0 0x0 0xf0000000>; };',
    '&memory0 { reg = <0x0 0x0 0x80000000>; };',
  ),
  'board-dcr-overlap': onBoard('&CPR0 { dcr-reg = <0x0e 2>; };', '&CPR0 { dcr-reg = <0x0c 2>; };'),
  'interrupt-parent-missing': onBoard(
    '&UART0 { interrupt-parent = <&memory0>; };',
    '&UART0 { interrupt-parent = <&UIC0>; };',
  ),
  'alias-to-nowhere': onBoard(
    '/ { aliases { console = "/plb/opb/serial@ef600030"; }; };',
    '/ { aliases { console = &UART0; }; };',
  ),
  'stdout-path-to-nowhere': onBoard(
    '/ { chosen { stdout-path = "serial9:115200"; }; };',
    '/ { chosen { stdout-path = "serial0:115200"; }; };',
  ),
};

/** Examples for the rules on partitions, and what they share. */
const partitions: Examples = {
  'partition-name': inPartitions(guest('hello').replace('hello: hello', 'hello: hello@0'), guest('hello')),
  'reserved-name': inPartitions(guest('board'), guest('boards')),
  'duplicate-label': inPartitions(
    `${guest('one', '', 'label = "two";')}\n${guest('two')}`,
    `${guest('one', '', 'label = "first";')}\n${guest('two')}`,
  ),
  'too-many-vcpus': inPartition('vcpus = <2>;', 'vcpus = <1>;'),
  'kvm-not-offered': inPartition('paravirtualization = "magic-page";', 'paravirtualization = "kvm", "magic-page";'),
  'memory-empty': inPartition(
    memory('<0x0 0x0 0x0 0x01000000>, <0x0 0x10000000 0x0 0x0>'),
    memory('<0x0 0x0 0x0 0x01000000>, <0x0 0x10000000 0x0 0x1000>'),
  ),
  'memory-too-wide': inPartition(memory('<0x0 0x0 0x01000000 0x0>'), memory('<0x0 0x0 0x0 0x01000000>')),
  'memory-not-page-aligned': inPartition(memory('<0x0 0x0 0x0 0x01000200>'), memory('<0x0 0x0 0x0 0x01001000>')),
  'memory-overlap': inPartition(
    memory('<0x0 0x0 0x0 0x01000000>, <0x0 0x00fff000 0x0 0x1000>'),
    memory('<0x0 0x0 0x0 0x01000000>, <0x0 0x01000000 0x0 0x1000>'),
  ),
  'memory-not-at-zero': inPartition(
    `image = "64K-at-0x1000000.elf";\n${memory('<0x0 0x01000000 0x0 0x01000000>')}`,
    memory('<0x0 0x0 0x0 0x01000000>'),
  ),
  'memory-large-pages': inPartition(
    memory('<0x0 0x0 0x0 0x01000000>, <0x0 0x01010000 0x0 0x01000000>'),
    memory('<0x0 0x0 0x0 0x01000000>, <0x0 0x02000000 0x0 0x01000000>'),
  ),
  'memory-exceeds-board': inPartition(memory('<0x0 0x0 0x0 0x20000000>'), memory('<0x0 0x0 0x0 0x08000000>')),
};

/** Examples for the rules on registers, devices and interrupts. */
const devices: Examples = {
  'reg-size': inPartition(
    'serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 4>; };',
    'serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };',
  ),
  'reg-wraps': inPartition(port('serial@fffffffc', '0xfffffffc'), port('serial@fffffff8', '0xfffffff8')),
  'unit-address': inPartition(port('serial@ef600300', '0xef600400'), port('serial@ef600400', '0xef600400')),
  'device-not-on-board': inPartition('devices = <&cpu0>;', 'devices = <&UART3>;'),
  'device-given-twice': inPartitions(
    `${guest('one', '', 'devices = <&UART3>;')}\n${guest('two', '', 'devices = <&UART3>;')}`,
    `${guest('one', '', 'devices = <&UART2>;')}\n${guest('two', '', 'devices = <&UART3>;')}`,
  ),
  'reg-overlap': inPartition(`${uart}\n${finisher('ef600304')}`, `${uart}\n${finisher('ef600308')}`),
  'reg-in-memory': inPartition(
    `${memory('<0x0 0x0 0x0 0x01000000>, <0x0 0xef600000 0x0 0x1000>')}\n${uart}`,
    `${memory('<0x0 0x0 0x0 0x01000000>, <0x0 0xef601000 0x0 0x1000>')}\n${uart}`,
  ),
  'device-shares-page': inPartition('devices = <&UART3>;', 'devices = <&UART4>;'),
  'two-finishers': inPartition(`${finisher('ef601000')}\n${finisher('ef601004')}`, finisher('ef601000')),
  'stdout-not-a-console': inPartition(`stdout = "serial@ef600400";\n${uart}`, `stdout = "serial@ef600300";\n${uart}`),
  'no-console': inPartition(`/* no console */\n${finisher('ef601000')}`, `${uart}\n${finisher('ef601000')}`),
  'interrupt-line-range': inPartition(
    port('serial@ef600300', '0xef600300', 'interrupts = <32 4>;'),
    port('serial@ef600300', '0xef600300', 'interrupts = <31 4>;'),
  ),
  'interrupt-type': inPartition(
    port('serial@ef600300', '0xef600300', 'interrupts = <0 0>;'),
    port('serial@ef600300', '0xef600300', 'interrupts = <0 4>;'),
  ),
  'interrupt-line-twice': inPartition(
    `${port('serial@ef600300', '0xef600300', 'interrupts = <5 4>;')}\n${port('serial@ef600400', '0xef600400', 'interrupts = <5 4>;')}`,
    `${port('serial@ef600300', '0xef600300', 'interrupts = <5 4>;')}\n${port('serial@ef600400', '0xef600400', 'interrupts = <6 4>;')}`,
  ),
  'interrupt-sense-conflict': onBoard(
    '/ { key { interrupt-parent = <&UIC0>; interrupts = <9 1>; }; pen { interrupt-parent = <&UIC0>; interrupts = <9 4>; }; };',
    '/ { key { interrupt-parent = <&UIC0>; interrupts = <9 4>; }; pen { interrupt-parent = <&UIC0>; interrupts = <9 4>; }; };',
  ),
  'interrupt-elsewhere': onBoard(
    `/ { pic: pic { interrupt-controller; #interrupt-cells = <2>; #address-cells = <0>; }; };
&UART3 { interrupt-parent = <&pic>; };
&{/partitions/guest} { devices = <&UART3>; };`,
    '&{/partitions/guest} { devices = <&UART3>; };',
  ),
  'interrupt-lines-exhausted': inPartition(channels(17), channels(16)),
};

/** So many byte channels, of two interrupts each. */
function channels(count: number): string {
  const lines = Array.from({ length: count }, (_, i) => `c${i} { compatible = "epapr,hv-byte-channel"; };`);
  return lines.join('\n');
}

const bell = 'wake: wake { compatible = "doorbell"; };';
const ring = 'ring { compatible = "send-doorbell"; global-doorbell = <&wake>; };';
const woken = (more = ''): string => `woken { compatible = "receive-doorbell"; global-doorbell = <&wake>;${more} };`;

/** Examples for the rules on doorbells and managers. */
const management: Examples = {
  'doorbell-unknown': inPartitions(
    guest('one', 'ring { compatible = "send-doorbell"; global-doorbell = <&one>; };'),
    `${bell}\n${guest('one', ring)}\n${guest('two', woken())}`,
  ),
  'doorbell-edge': inPartitions(
    `${bell}\n${guest('one', ring)}\n${guest('two', woken(' interrupts = <7 4>;'))}`,
    `${bell}\n${guest('one', ring)}\n${guest('two', woken(' interrupts = <7 1>;'))}`,
  ),
  'doorbell-one-ended': inPartitions(
    `${bell}\n${guest('one', ring)}`,
    `${bell}\n${guest('one', ring)}\n${guest('two', woken())}`,
  ),
  'managed-partition-unknown': inPartitions(
    guest('one', manages('one')),
    `${guest('one', manages('two'))}\n${guest('two')}`,
  ),
  'manager-cycle': inPartitions(
    `${guest('one', manages('two'))}\n${guest('two', manages('one'))}`,
    `${guest('one', manages('two'))}\n${guest('two')}`,
  ),
};

/** Examples for the rules on relations. */
const relations: Examples = {
  'doorbell-twice': inPartitions(
    `${bell}\n${guest('one', `${ring}\n\tagain { compatible = "send-doorbell"; global-doorbell = <&wake>; };`)}\n${guest('two', woken())}`,
    `${bell}\n${guest('one', ring)}\n${guest('two', woken())}`,
  ),
  'doorbell-to-itself': inPartitions(
    `${bell}\n${guest('one', `${ring}\n\t${woken()}`)}`,
    `${bell}\n${guest('one', ring)}\n${guest('two', woken())}`,
  ),
  'managed-twice': inPartitions(
    `${guest('one', `${manages('two')}\n\tagain { compatible = "managed-partition"; partition = <&two>; };`)}\n${guest('two')}`,
    `${guest('one', manages('two'))}\n${guest('two')}`,
  ),
  'never-started': inPartitions(
    `${guest('one')}\n${guest('two', '', 'no-auto-start;')}`,
    `${guest('one', manages('two'))}\n${guest('two', '', 'no-auto-start;')}`,
  ),
  'watchdog-without-manager': inPartitions(
    `${guest('one')}\n${guest('two', '', 'watchdog-timeout = "manager-notify";')}`,
    `${guest('one', manages('two'))}\n${guest('two', '', 'watchdog-timeout = "manager-notify";')}`,
  ),
};

const LONG = 'word '.repeat(410).trim();

/** Examples for the rules on Linux. */
const linux: Examples = {
  'linux-console': inPartition('bootargs = "console=ttyS1,115200";', 'bootargs = "console=ttyS0,115200";'),
  'linux-byte-channel-number': inPartition(
    `image = "64K-linux.elf";\n${uart}\nconsole { compatible = "epapr,hv-byte-channel"; };`,
    `image = "64K-linux.elf";\nstdout = "console";\n${uart}\nconsole { compatible = "epapr,hv-byte-channel"; };`,
  ),
  'linux-machine': onBoard(
    '/ { compatible = "acme,board"; };\n&{/partitions/guest} { bootargs = "console=ttyS0"; };',
    '/ { compatible = "acme,board", "amcc,bamboo"; };\n&{/partitions/guest} { bootargs = "console=ttyS0"; };',
  ),
  'linux-bus': onBoard(
    '&{/plb/opb} { compatible = "acme,bus"; };\n&{/partitions/guest} { bootargs = "console=ttyS0"; devices = <&UART3>; };',
    '&{/plb/opb} { compatible = "acme,bus", "simple-bus"; };\n&{/partitions/guest} { bootargs = "console=ttyS0"; devices = <&UART3>; };',
  ),
  'linux-idle': inPartition(
    'bootargs = "console=ttyS0";\nparavirtualization = "idle";',
    'bootargs = "console=ttyS0";\nparavirtualization = "kvm";',
  ),
  'linux-bootargs-too-long': inPartition(`bootargs = "${LONG}";`, 'bootargs = "console=ttyS0";'),
};

/** Examples for the rules on nodes that the specification knows. */
const conformance: Examples = {
  'root-incomplete': onBoard('/ { /delete-property/ compatible; };', ''),
  'cpus-cells': onBoard(
    '&{/cpus} { #size-cells = <1>; };\n&cpu0 { reg = <0 1>; };',
    '&{/cpus} { #size-cells = <0>; };',
  ),
  'reservation-outside-memory': asSource(reserving('0x10000000'), reserving('0x0ffff000')),
};

/** A board of 256 MiB that keeps a page free. */
function reserving(address: string): string {
  return `/dts-v1/;
/memreserve/ ${address} 0x1000;
/ {
	compatible = "amcc,bamboo";
	#address-cells = <2>;
	#size-cells = <1>;
	cpus {
		#address-cells = <1>;
		#size-cells = <0>;
		cpu@0 { device_type = "cpu"; reg = <0>; clock-frequency = <400000000>; timebase-frequency = <400000000>; };
	};
	memory@0 { device_type = "memory"; reg = <0x0 0x0 0x10000000>; };
	uic { compatible = "ibm,uic"; interrupt-controller; #interrupt-cells = <2>; cell-index = <0>; dcr-reg = <0xc0 9>; };
	partitions {
		compatible = "hv440,partitions";
${guest('hello').replaceAll(/^/gm, '\t\t')}
	};
};
`;
}

/** Examples for the rules on images. */
const images: Examples = {
  'path-absolute': inPartition('image = "/srv/guests/hello.elf";', 'image = "guests/hello.elf";'),
  'image-not-found': inPartition('image = "missing.elf";', 'image = "hello.elf";'),
  'image-not-loadable': inPartition('image = "x86.elf";', 'image = "hello.elf";'),
  'image-too-large': inPartition(
    `image = "32M.elf";\n${memory('<0x0 0x0 0x0 0x01000000>')}`,
    `image = "32M.elf";\n${memory('<0x0 0x0 0x0 0x04000000>')}`,
  ),
  'image-outside-memory': inPartition(
    `image = "64K-at-0xff8000.elf";\n${memory('<0x0 0x0 0x0 0x01000000>')}`,
    `image = "64K-at-0xff8000.elf";\n${memory('<0x0 0x0 0x0 0x02000000>')}`,
  ),
  'entry-outside-image': inPartition('image = "64K-entry-0x10000.elf";', 'image = "64K-entry-0x1000.elf";'),
  'device-tree-does-not-fit': inPartition(
    `image = "16364K.elf";\n${memory('<0x0 0x0 0x0 0x01000000>')}`,
    `image = "16364K.elf";\n${memory('<0x0 0x0 0x0 0x02000000>')}`,
  ),
  'image-patch-misplaced': inPartition(
    'image-patch = <0x1002 0x60000000 0x7fe00008>;',
    'image-patch = <0x1000 0x60000000 0x7fe00008>;',
  ),
  'initrd-not-found': inPartition('initrd = "missing.cpio";', 'initrd = "1M.cpio";'),
  'initrd-not-loadable': inPartition('initrd = "folder.cpio";', 'initrd = "1M.cpio";'),
  'initrd-does-not-fit': inPartition(
    `initrd = "16M.cpio";\n${memory('<0x0 0x0 0x0 0x01000000>')}`,
    `initrd = "16M.cpio";\n${memory('<0x0 0x0 0x0 0x02000000>')}`,
  ),
};

/** Examples for the rules on tests. */
const tests: Examples = {
  'test-axis-empty': onBoard(
    script('guest { greets { expect = "hello> "; }; };\n\t\tmatrix { quantum { }; };'),
    script('guest { greets { expect = "hello> "; }; };'),
  ),
  'test-step-does-nothing': onBoard(
    script('guest { ends { send = "exit 0\\n"; within = "10 ms"; }; };'),
    script('guest { ends { send = "exit 0\\n"; }; };'),
  ),
  'test-step-injects': onBoard(
    script('guest { fails { inject = "bus-error"; }; };'),
    script('guest { fails { inject = "bus-error"; device = "serial@ef600300"; }; };'),
  ),
  'test-step-waits': onBoard(
    script('guest { ends { expect = "bye"; expect-exit = <0>; }; };'),
    script('guest { says { expect = "bye"; }; ends { expect-exit = <0>; }; };'),
  ),
  'test-unknown-partition': onBoard(
    script('may-fault = "rogue";\n\t\tguest { greets { expect = "hello> "; }; };'),
    script('may-fault = "guest";\n\t\tguest { greets { expect = "hello> "; }; };'),
  ),
  'test-unknown-stream': onBoard(
    script('greeting { stream = "guest/serial@ef600400"; greets { expect = "hello> "; }; };'),
    script('greeting { stream = "guest/serial@ef600300"; greets { expect = "hello> "; }; };'),
  ),
  'test-without-steps': onBoard(script('guest { };'), script('guest { greets { expect = "hello> "; }; };')),
};

/** Examples for the rules on comments that ignore findings. */
const ignores: Examples = {
  'ignore-without-reason': inRoot('/* hv440-ignore: no-partitions */\nnode { };', 'node { };'),
  'ignore-unknown-rule': inRoot('/* hv440-ignore: no-consol it is mute */\nnode { };', 'node { };'),
  'ignore-of-error': asSource(
    '/dts-v1/;\n/* hv440-ignore: no-partitions they come later */\n/ { };\n',
    '/dts-v1/;\n/ { };\n',
  ),
  'ignore-unused': inRoot('/* hv440-ignore: no-console it is mute */\nnode { };', 'node { };'),
};

/** Examples for all rules on configurations. */
export const ownExamples: Examples = {
  ...shapes,
  ...board,
  ...partitions,
  ...cores,
  ...devices,
  ...management,
  ...relations,
  ...byteChannels,
  ...sharedMemories,
  ...linux,
  ...conformance,
  ...images,
  ...tests,
  ...ignores,
};
