import { expect, test } from 'vitest';
import { configure } from '../../src/devicetree/configuration.js';
import { decodeBlob, encodeBlob } from '../../src/devicetree/blob.js';
import { printTree } from '../../src/devicetree/print.js';
import type { Tree } from '../../src/devicetree/tree.js';
import { guestTree } from '../../src/hypervisor/guest-tree.js';
import { Code } from './code.js';
import { source, treeOf, type Guest, type Setting } from './guest.js';

/** The tree that the first of these guests gets. */
function treeFor(guest: Partial<Guest>, setting: Setting = {}): Tree {
  const text = source({ guest: { program: new Code(), ...guest } }, setting);
  const whole = treeOf(text, { inspect: () => ({ ok: true, segments: [{ address: 0, size: 4 }], entry: 0 }) });
  return guestTree(configure(whole).partitions[0]!, whole, 1);
}

const phandles = (tree: Tree): number[] => [...tree.root.walk()].flatMap((n) => n.phandle ?? []);
const cells = (tree: Tree, path: string, name: string): number[] => tree.find(path)!.get(name)!.cells;

test('a guest’s tree has the board’s processor and controller, its own memory and devices, and the hypervisor’s', () => {
  const ports = `
    uart: serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };
    console { compatible = "epapr,hv-byte-channel"; };
    finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; };`;
  const node = `label = "First"; bootargs = "quiet"; devices = <&UART3>;
    node-update { delete-prop = "model"; chosen { my-flag; }; };`;
  const tree = treeFor({ ports, node, memory: '<0 0 0 0x100000>, <1 0x20000000 0 0x8000>' });
  expect(printTree(tree)).toMatchInlineSnapshot(`
    "/dts-v1/;

    / {
    	compatible = "hv440,board", "amcc,bamboo";
    	epapr-version = "ePAPR-1.1";
    	label = "First";
    	#address-cells = <0x02>;
    	#size-cells = <0x01>;
    	dcr-parent = <0x01>;
    	interrupt-parent = <0x02>;

    	aliases {
    		serial0 = "/plb/serial@ef600300";
    	};

    	chosen {
    		stdout-path = "/plb/serial@ef600300";
    		linux,stdout-path = "/plb/serial@ef600300";
    		bootargs = "quiet";
    		my-flag;
    	};

    	cpus {
    		#address-cells = <0x01>;
    		#size-cells = <0x00>;

    		cpu@0 {
    			device_type = "cpu";
    			model = "PowerPC,440EP";
    			reg = <0x00>;
    			clock-frequency = <0x17d78400>;
    			timebase-frequency = <0x17d78400>;
    			mmu-type = "ppc440";
    			tlb-size = <0x40>;
    			tlb-sets = <0x01>;
    			i-cache-size = <0x8000>;
    			i-cache-sets = <0x10>;
    			i-cache-block-size = <0x20>;
    			i-cache-line-size = <0x20>;
    			d-cache-size = <0x8000>;
    			d-cache-sets = <0x10>;
    			d-cache-block-size = <0x20>;
    			d-cache-line-size = <0x20>;
    			dcr-controller;
    			dcr-access-method = "native";
    			status = "okay";
    			phandle = <0x01>;
    		};
    	};

    	memory@0 {
    		device_type = "memory";
    		reg = <0x00 0x00 0x100000>;
    	};

    	memory@120000000 {
    		device_type = "memory";
    		reg = <0x01 0x20000000 0x8000>;
    	};

    	interrupt-controller0 {
    		compatible = "ibm,uic-440ep", "ibm,uic";
    		interrupt-controller;
    		cell-index = <0x00>;
    		dcr-reg = <0xc0 0x09>;
    		#address-cells = <0x00>;
    		#size-cells = <0x00>;
    		#interrupt-cells = <0x02>;
    		phandle = <0x02>;
    	};

    	plb {
    		compatible = "simple-bus";
    		#address-cells = <0x01>;
    		#size-cells = <0x01>;
    		ranges = <0x00 0x00 0x00 0x80000000 0x80000000 0x00 0x80000000 0x80000000>;

    		serial@ef600300 {
    			compatible = "ns16550";
    			reg = <0xef600300 0x08>;
    			device_type = "serial";
    			interrupts = <0x00 0x04>;
    			clock-frequency = <0xa8c000>;
    			current-speed = <0x1c200>;
    		};

    		finisher@ef601000 {
    			compatible = "hv440,finisher";
    			reg = <0xef601000 0x04>;
    		};

    		serial@ef600600 {
    			device_type = "serial";
    			compatible = "ns16550";
    			reg = <0xef600600 0x08>;
    			virtual-reg = <0xef600600>;
    			clock-frequency = <0xa8c000>;
    			current-speed = <0x1c200>;
    			phandle = <0x03>;
    			interrupts = <0x04 0x04>;
    		};
    	};

    	hypervisor {
    		compatible = "hv440,hypervisor", "epapr,hypervisor-1.1", "epapr,hypervisor-1", "simple-bus";
    		#address-cells = <0x01>;
    		#size-cells = <0x00>;
    		guest-id = <0x01>;
    		guest-name = "First";
    		fsl,hv-version = <0x01 0x00 0x01 0x01>;
    		hcall-instructions = <0x44000022>;

    		handles {
    			compatible = "epapr,hypervisor-handles", "simple-bus";
    			#address-cells = <0x01>;
    			#size-cells = <0x00>;

    			console {
    				compatible = "epapr,hv-byte-channel";
    				hv-handle = <0x01>;
    				reg = <0x01>;
    				interrupts = <0x01 0x04 0x02 0x04>;
    			};
    		};
    	};
    };
    "
  `);
});

test('the tree survives being a blob, as the guest gets it', () => {
  const tree = treeFor({ node: 'devices = <&UART1>;' });
  expect(printTree(decodeBlob(encodeBlob(tree), 'guest.dtb'))).toBe(printTree(tree));
});

test('a byte channel that is the console is what stdout-path names', () => {
  const ports = 'one { compatible = "epapr,hv-byte-channel"; }; two { compatible = "epapr,hv-byte-channel"; };';
  const tree = treeFor({ ports, node: 'stdout = "two";' });
  for (const name of ['stdout-path', 'linux,stdout-path'])
    expect(tree.find('/chosen')!.get(name)!.string).toBe('/hypervisor/handles/two');
  expect(cells(tree, '/hypervisor/handles/two', 'hv-handle')).toEqual([2]);
  expect(cells(tree, '/hypervisor/handles/two', 'interrupts')).toEqual([2, 4, 3, 4]);
});

test('references of the guest’s nodes lead to its own processor and controller', () => {
  const tree = treeFor({});
  expect(tree.byPhandle(tree.root.cell('interrupt-parent')!)!.name).toBe('interrupt-controller0');
  expect(tree.byPhandle(tree.root.cell('dcr-parent')!)!.path).toBe('/cpus/cpu@0');
});

test('phandles that node-update brings along stay unique, and all that refers to them stays right', () => {
  const update = `node-update {
      clocks { osc: oscillator { #clock-cells = <0>; }; pll: pll { clocks = <&osc>; }; };
      user { clocks = <&pll &osc>; interrupt-parent = <&UIC0>; uart = <&UART3>; port = <&uart>; };
    };`;
  const ports = 'uart: serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };';
  const tree = treeFor({ ports, node: `devices = <&UART3>; ${update}` });
  expect(new Set(phandles(tree)).size).toBe(phandles(tree).length);
  const at = (name: string): string[] => cells(tree, '/user', name).map((p) => tree.byPhandle(p)?.path ?? 'nowhere');
  expect(at('clocks')).toEqual(['/clocks/pll', '/clocks/oscillator']);
  expect(at('interrupt-parent')).toEqual(['/interrupt-controller0']);
  expect(at('uart')).toEqual(['/plb/serial@ef600600']);
  expect(at('port')).toEqual(['/plb/serial@ef600300']);
  expect(tree.byPhandle(cells(tree, '/clocks/pll', 'clocks')[0]!)!.path).toBe('/clocks/oscillator');
});

test.each([1, 2, 3, 4])('a phandle %i that somebody wrote by hand collides with none that was made', (phandle) => {
  const tree = treeFor({ node: `devices = <&UART3>; node-update { mine { phandle = <${phandle}>; }; };` });
  expect(new Set(phandles(tree)).size).toBe(phandles(tree).length);
  expect(tree.byPhandle(phandle)!.path).toBe('/mine');
  expect(tree.byPhandle(tree.root.cell('interrupt-parent')!)!.name).toBe('interrupt-controller0');
  expect(tree.byPhandle(tree.root.cell('dcr-parent')!)!.path).toBe('/cpus/cpu@0');
});

test('a processor that nothing on the board refers to gets a phandle that nobody else has', () => {
  const board = '&memory0 { reg = <0x0 0x0 0x00800000>; }; / { /delete-property/ dcr-parent; };';
  const tree = treeFor({ node: 'node-update { mine { phandle = <1>; }; yours { phandle = <7>; }; };' }, { board });
  const cpu = tree.byPhandle(tree.root.cell('dcr-parent')!)!;
  expect([cpu.path, cpu.phandle]).toEqual(['/cpus/cpu@0', 8]);
  expect(new Set(phandles(tree)).size).toBe(phandles(tree).length);
});

test('node-update may label the guest’s own controller, and the root follows', () => {
  const update = 'node-update { pic: interrupt-controller0 { extra; }; user { pic = <&pic>; }; };';
  const tree = treeFor({ node: update });
  const pic = tree.find('/interrupt-controller0')!;
  expect(cells(tree, '/', 'interrupt-parent')).toEqual([pic.phandle]);
  expect(cells(tree, '/user', 'pic')).toEqual([pic.phandle]);
  expect(new Set(phandles(tree)).size).toBe(phandles(tree).length);
});

test('devices of the same name on different buses are told apart by where the processor finds them', () => {
  const board = `&memory0 { reg = <0x0 0x0 0x00800000>; };
    / { plb { far { compatible = "simple-bus"; #address-cells = <2>; #size-cells = <1>; ranges = <0x0 0xef600600 0x0 0xe8000000 0x100>;
      FAR: serial@ef600600 { compatible = "ns16550"; reg = <0x0 0xef600600 8>; interrupt-parent = <&UIC0>; interrupts = <9 4>;
        clock-frequency = <11059200>; current-speed = <115200>; }; }; }; };`;
  const tree = treeFor({ node: 'devices = <&UART3 &FAR>;' }, { board });
  const names = tree.find('/plb')!.children.map((c) => c.name);
  expect(names).toEqual(['serial@ef600300', 'finisher@ef601000', 'serial@ef600600', 'serial@e8000000']);
  expect(cells(tree, '/plb/serial@e8000000', 'reg')).toEqual([0xe8000000, 8]);
  expect(cells(tree, '/plb/serial@e8000000', 'interrupts')).toEqual([9, 4]);
});

test('making a tree changes nothing of the configuration, so each time it is the same', () => {
  const text = source({ guest: { program: new Code(), node: 'node-update { chosen { a = <1>; }; };' } });
  const whole = treeOf(text, { inspect: () => ({ ok: true, segments: [{ address: 0, size: 4 }], entry: 0 }) });
  const before = printTree(whole);
  const [one, two] = [1, 1].map((id) => printTree(guestTree(configure(whole).partitions[0]!, whole, id)));
  expect(one).toBe(two);
  expect(printTree(whole)).toBe(before);
});
