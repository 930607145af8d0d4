import { mergeInto } from '../devicetree/merge.js';
import type { PartitionConfiguration } from '../devicetree/configuration.js';
import { Node, Tree } from '../devicetree/tree.js';
import { HCALL_INSTRUCTION } from './hypercalls.js';

const UIC_PHANDLE = 1;
const CPU_PHANDLE = 2;
const FIRST_COPY = 3;

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
  copyProperties(board.root, root, ['model', 'compatible']);
  root.setStrings('label', config.label);
  root.setCells('#address-cells', 2);
  root.setCells('#size-cells', 1);
  root.setCells('dcr-parent', CPU_PHANDLE);
  root.setCells('interrupt-parent', UIC_PHANDLE);
  const aliases = root.add('aliases');
  const chosen = root.add('chosen');
  addProcessors(root, board, config);
  for (const { base, size } of config.memory) addMemory(root, base, size);
  addController(root, board);
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
  return tree;
}

/** Properties that only the hypervisor's own configuration has, or that get a new value in the guest's tree. */
const NOT_COPIED = ['phandle', 'linux,phandle', 'interrupt-parent', 'interrupts', 'status', 'dcr-parent'];

function copyProperties(from: Node, to: Node, only?: readonly string[]): void {
  for (const { name, value, form } of from.properties.values()) {
    if (only ? only.includes(name) : !NOT_COPIED.includes(name)) to.set(name, value, form);
  }
}

function addProcessors(root: Node, board: Tree, config: PartitionConfiguration): void {
  const cpus = root.add('cpus');
  cpus.setCells('#address-cells', 1);
  cpus.setCells('#size-cells', 0);
  const model = [...board.root.walk()].find((n) => n.get('device_type')?.string === 'cpu');
  for (let i = 0; i < config.vcpus; i++) {
    const cpu = cpus.add(`cpu@${i}`);
    if (model) copyProperties(model, cpu);
    cpu.setCells('reg', i);
    if (i === 0) cpu.setCells('phandle', CPU_PHANDLE);
  }
}

function addMemory(root: Node, base: number, size: number): void {
  const memory = root.add(`memory@${base.toString(16)}`);
  memory.setStrings('device_type', 'memory');
  memory.setCells('reg', Math.floor(base / 2 ** 32), base >>> 0, size);
}

/** The first controller of the board; the guest has a virtual one just like it. */
function addController(root: Node, board: Tree): void {
  const model = [...board.root.walk()].find((n) => n.isCompatible('ibm,uic'));
  const uic = root.add(model?.name ?? 'interrupt-controller0');
  if (model) copyProperties(model, uic);
  uic.setCells('phandle', UIC_PHANDLE);
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
  config.devices.forEach((device, i) => {
    const node = addDevice(bus, device);
    const [interrupts] = [device.get('interrupts')];
    if (interrupts) node.set('interrupts', interrupts.value, interrupts.form);
    node.setCells('phandle', FIRST_COPY + i);
    paths.set(device.name, node.path);
  });
  return paths;
}

function addDevice(bus: Node, from: Node): Node {
  const node = bus.add(from.name);
  copyProperties(from, node);
  return node;
}

/** /hypervisor with its byte channels. Gives the path of each by its name. */
function addHypervisor(root: Node, config: PartitionConfiguration, guestId: number): Map<string, string> {
  const hypervisor = root.add('hypervisor');
  hypervisor.setStrings('compatible', 'hv440,hypervisor', 'epapr,hypervisor-1', 'simple-bus');
  hypervisor.setCells('#address-cells', 1);
  hypervisor.setCells('#size-cells', 0);
  hypervisor.setCells('guest-id', guestId);
  hypervisor.setStrings('guest-name', config.label);
  hypervisor.setCells('hcall-instructions', HCALL_INSTRUCTION);
  const handles = hypervisor.add('handles');
  handles.setStrings('compatible', 'epapr,hypervisor-handles', 'simple-bus');
  handles.setCells('#address-cells', 1);
  handles.setCells('#size-cells', 0);
  const paths = new Map<string, string>();
  config.byteChannels.forEach(({ name, rx, tx }, i) => {
    const node = handles.add(name);
    node.setStrings('compatible', 'epapr,hv-byte-channel');
    node.setCells('hv-handle', byteChannelHandle(i));
    node.setCells('reg', byteChannelHandle(i));
    node.setCells('interrupts', rx.line, rx.type, tx.line, tx.type);
    paths.set(name, node.path);
  });
  return paths;
}
