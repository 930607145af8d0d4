import { deviceName, physicalReg } from '../devicetree/addresses.js';
import { mergeInto } from '../devicetree/merge.js';
import type { PartitionConfiguration } from '../devicetree/configuration.js';
import { Node, Tree } from '../devicetree/tree.js';
import { HCALL_INSTRUCTIONS } from './hypercall.js';
import { addHandles } from './management.js';

/**
 * Nodes keep the phandles that they have in the configuration, which are unique there: so what node-update brings along,
 * and what it refers to, stays right. A node that has none and needs one gets the next free number.
 */
class Phandles {
  #next: number;

  constructor(configuration: Tree) {
    this.#next = 1 + Math.max(0, ...[...configuration.root.walk()].map((node) => node.phandle ?? 0));
  }

  of(node: Node | undefined): number {
    return node?.phandle ?? this.#next++;
  }
}

/** The number that a guest names its n-th byte channel by. Fixed, so that early debug output can have it built in. */
export const byteChannelHandle = (index: number): number => index + 1;

/**
 * The device tree that a partition's guest gets: the processor and the interrupt controller of the board, its own memory
 * and devices, and the hypervisor's (ePAPR 7, and what Linux looks for: hypervisor and handles are simple buses). The board's
 * model and compatible stay, since Linux picks its platform by them.
 */
export function guestTree(config: PartitionConfiguration, board: Tree, guestId: number): Tree {
  const root = new Node('', config.at);
  const tree = new Tree(root);
  const phandles = new Phandles(board);
  copyProperties(board.root, root, ['model', 'compatible']);
  root.setStrings('epapr-version', 'ePAPR-1.1');
  root.setStrings('label', config.label);
  root.setCells('#address-cells', 2);
  root.setCells('#size-cells', 1);
  root.setCells('dcr-parent', 0); // both follow
  root.setCells('interrupt-parent', 0);
  const aliases = root.add('aliases');
  const chosen = root.add('chosen');
  const cpu = addProcessors(root, board, config, phandles);
  for (const { base, size } of config.memory) addMemory(root, base, size);
  const uic = addController(root, board, phandles);
  const paths = addBus(root, config);
  const channels = addHypervisor(root, config, guestId);
  config.serials.forEach((serial, i) => aliases.setStrings(`serial${i}`, paths.get(serial.name)!));
  const console = config.stdout === undefined ? undefined : (paths.get(config.stdout) ?? channels.get(config.stdout));
  if (console !== undefined) {
    chosen.setStrings('stdout-path', console);
    chosen.setStrings('linux,stdout-path', console);
  }
  if (config.bootargs !== undefined) chosen.setStrings('bootargs', config.bootargs);
  if (config.nodeUpdate) mergeInto(root, config.nodeUpdate);
  refer(root, 'dcr-parent', cpu, config);
  refer(root, 'interrupt-parent', uic, config);
  return tree;
}

/** Point a property of the root to a node, by the phandle that it has now, unless node-update has its own idea. */
function refer(root: Node, property: string, to: Node, { nodeUpdate }: PartitionConfiguration): void {
  if (!nodeUpdate?.has(property) && root.has(property)) root.setCells(property, to.phandle!);
}

/** Properties that only the hypervisor's own configuration has, or that get a new value in the guest's tree. */
const NOT_COPIED = ['phandle', 'linux,phandle', 'interrupt-parent', 'interrupts', 'status', 'dcr-parent'];

function copyProperties(from: Node, to: Node, only?: readonly string[]): void {
  for (const { name, value, form } of from.properties.values()) {
    if (only ? only.includes(name) : !NOT_COPIED.includes(name)) to.set(name, value, form);
  }
}

/** Gives the first one. */
function addProcessors(root: Node, board: Tree, config: PartitionConfiguration, phandles: Phandles): Node {
  const cpus = root.add('cpus');
  cpus.setCells('#address-cells', 1);
  cpus.setCells('#size-cells', 0);
  const model = [...board.root.walk()].find((n) => n.get('device_type')?.string === 'cpu');
  for (let i = 0; i < config.vcpus; i++) {
    const cpu = cpus.add(`cpu@${i}`);
    if (model) copyProperties(model, cpu);
    cpu.setCells('reg', i);
    cpu.setStrings('status', i === 0 ? 'okay' : 'disabled'); // disabled: not running until another starts it (ePAPR 3.7)
    if (i === 0) cpu.setCells('phandle', phandles.of(model));
  }
  return cpus.children[0]!;
}

function addMemory(root: Node, base: number, size: number): void {
  const memory = root.add(`memory@${base.toString(16)}`);
  memory.setStrings('device_type', 'memory');
  memory.setCells('reg', Math.floor(base / 2 ** 32), base >>> 0, size);
}

/** The first controller of the board; the guest has a virtual one just like it. */
function addController(root: Node, board: Tree, phandles: Phandles): Node {
  const model = [...board.root.walk()].find((n) => n.isCompatible('ibm,uic'));
  const uic = root.add(model?.name ?? 'interrupt-controller0');
  if (model) copyProperties(model, uic);
  uic.setCells('phandle', phandles.of(model));
  return uic;
}

/** One bus for all devices, with addresses as the processor sees them. Gives the path of each by its name. */
function addBus(root: Node, config: PartitionConfiguration): Map<string, string> {
  const bus = root.add('plb');
  bus.setStrings('compatible', 'simple-bus');
  bus.setCells('#address-cells', 1);
  bus.setCells('#size-cells', 1);
  bus.setCells('ranges', 0, 0, 0, 0x80000000, 0x80000000, 0, 0x80000000, 0x80000000);
  const paths = new Map<string, string>();
  for (const serial of config.serials) {
    const node = addDevice(bus, serial.node);
    node.setStrings('device_type', 'serial');
    node.setCells('reg', serial.base, serial.size);
    node.setCells('interrupts', serial.line, serial.type);
    node.setCells('clock-frequency', serial.clockFrequency);
    node.setCells('current-speed', serial.currentSpeed);
    paths.set(serial.name, node.path);
  }
  if (config.finisher) addDevice(bus, config.finisher.node).setCells('reg', config.finisher.base, 4);
  for (const device of config.devices) {
    const node = addDevice(bus, device);
    const registers = physicalReg(device).flatMap(({ base, size }) => [base, size]);
    if (registers.length > 0) node.setCells('reg', ...registers);
    const interrupts = device.get('interrupts');
    if (interrupts) node.set('interrupts', interrupts.value, interrupts.form);
  }
  for (const { node: from, base, size, memory } of config.windows) {
    const node = addDevice(bus, from);
    node.properties.delete('shared-memory');
    node.setCells('reg', base, size);
    node.setStrings('label', memory);
  }
  return paths;
}

function addDevice(bus: Node, from: Node): Node {
  const node = bus.add(deviceName(from));
  copyProperties(from, node);
  keepPhandle(from, node);
  return node;
}

function keepPhandle(from: Node, to: Node): void {
  if (from.phandle !== undefined) to.setCells('phandle', from.phandle);
}

/** Topaz's fsl,hv-version: ours, major and minor, and that of the calls, and the oldest that they are compatible with. */
const VERSION = [1, 0, 1, 1];

/** /hypervisor with its byte channels. Gives the path of each by its name. */
function addHypervisor(root: Node, config: PartitionConfiguration, guestId: number): Map<string, string> {
  const hypervisor = root.add('hypervisor');
  const { kvm, idle, hcallInstructions } = config.paravirtualization;
  const offered = kvm ? ['linux,kvm'] : [];
  hypervisor.setStrings(
    'compatible',
    'hv440,hypervisor',
    ...offered,
    'epapr,hypervisor-1.1',
    'epapr,hypervisor-1',
    'simple-bus',
  );
  hypervisor.setCells('#address-cells', 1);
  hypervisor.setCells('#size-cells', 0);
  hypervisor.setCells('guest-id', guestId);
  hypervisor.setStrings('guest-name', config.label);
  hypervisor.setCells('fsl,hv-version', ...VERSION);
  hypervisor.setCells('hcall-instructions', ...HCALL_INSTRUCTIONS[hcallInstructions]);
  if (idle) hypervisor.set('has-idle', new Uint8Array(0), 'cells');
  const handles = hypervisor.add('handles');
  handles.setStrings('compatible', 'epapr,hypervisor-handles', 'simple-bus');
  handles.setCells('#address-cells', 1);
  handles.setCells('#size-cells', 0);
  const paths = new Map<string, string>();
  config.byteChannels.forEach(({ node: from, name, rx, tx }, i) => {
    const node = handles.add(name);
    node.setStrings('compatible', 'epapr,hv-byte-channel');
    node.setCells('hv-handle', byteChannelHandle(i));
    node.setCells('reg', byteChannelHandle(i));
    node.setCells('interrupts', rx.line, rx.type, tx.line, tx.type);
    keepPhandle(from, node);
    paths.set(name, node.path);
  });
  addHandles(handles, config);
  return paths;
}
