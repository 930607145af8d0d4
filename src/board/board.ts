import { Bus, type DcrDevice, type Device, type Line } from '../bus/bus.js';
import type { Clock } from '../bus/clock.js';
import type { Ram, SharedMemory } from '../bus/memory.js';
import { Core } from '../cpu/core.js';
import type { Engine } from '../cpu/engine/engine.js';
import { timeBaseRate, type TimeBaseRate } from '../cpu/timers.js';
import { dcrsOf, deviceName, interruptsOf, physicalReg } from '../devicetree/addresses.js';
import type { Node, Tree } from '../devicetree/tree.js';
import type { Feature } from '../isa/spec.js';
import { Finisher } from '../devices/finisher.js';
import type { IndirectDcrs } from '../devices/indirect-dcrs.js';
import { Uart16550 } from '../devices/uart16550.js';
import { Uic } from '../devices/uic.js';
import { configurationDcrs, factsOf, type BoardFacts } from './configuration-dcrs.js';
import { SerialInput, type InputRecord } from './serial-input.js';

/** PVR of the 440EP revision B, which QEMU's bamboo shows too. */
const PVR_440EP = 0x422218d3;

/** What the surroundings of a board supply: the real one's by the command line, a partition's by the hypervisor. */
export interface Environment {
  readonly memory: SharedMemory;
  readonly clock: Clock;
  readonly engine: Engine;
  /** The memory for a range of physical addresses. */
  ram(base: number, size: number): Ram;
  /** Where the bytes go that a port sends; `name` is its `deviceName`. */
  transmit(name: string): (byte: number) => void;
  /** The stream that a port's input is recorded under. */
  streamOf(name: string): string;
  readonly recordInput: (record: InputRecord) => void;
  /** Devices that are broken, of a bus that leads to some of the same ones. */
  readonly refusals?: Map<Device, number>;
  /** The program ends with this status. */
  finish(status: number): void;
  /** An existing device to put in the place of a node's own: pass-through. */
  provide?(node: Node, line: Line): Device | undefined;
  /** Another end for a device's interrupt wire than the board's controller. */
  redirect?(node: Node): Line | undefined;
}

/** A serial port and what has been typed at it. */
export interface Port {
  readonly name: string;
  readonly uart: Uart16550;
  readonly input: SerialInput;
}

/** A device tree made into a machine. The same builder makes the real board and a partition's virtual one. */
export interface Board {
  readonly tree: Tree;
  readonly bus: Bus;
  readonly cores: readonly Core[];
  readonly uics: readonly Uic[];
  readonly ports: readonly Port[];
  /** Clocking, system, SDRAM and external bus DCRs. */
  readonly configuration: readonly IndirectDcrs[];
  /** Everything but memory as after power-on. */
  reset(): void;
  /** Everything but memory. */
  save(): SavedBoard;
  /** Take over a state that was saved of such a board; the clock has that moment's cycle already. */
  restore(saved: SavedBoard): void;
}

export interface SavedBoard {
  readonly cores: readonly ReturnType<Core['save']>[];
  readonly uics: readonly Uic['state'][];
  readonly uarts: readonly Uart16550['state'][];
  readonly inputs: readonly ReturnType<SerialInput['save']>[];
  readonly configuration: readonly IndirectDcrs['state'][];
  /** Devices that answer with bus errors. */
  readonly broken?: readonly (readonly [number, number])[] | undefined;
  /** For each controller, the inputs of which an assertion is being lost, if there are any. */
  readonly lost?: readonly number[] | undefined;
}

/** Build what a tree describes. The tree has been checked: what is missing here is our mistake. */
export function buildBoard(tree: Tree, environment: Environment): Board {
  const { memory, clock, engine } = environment;
  const bus = new Bus(environment.refusals);
  const nodes = [...tree.root.walk()].filter(isBoardNode);
  for (const node of nodes.filter((n) => n.get('device_type')?.string === 'memory')) {
    for (const { base, size } of physicalReg(node)) bus.ram.attach(node.name, base, size, environment.ram(base, size));
  }
  const cpus = nodes.filter((n) => n.get('device_type')?.string === 'cpu');
  const cores = cpus.map((node) => {
    const model = { pvr: PVR_440EP, number: node.cell('reg') ?? 0, rate: rateOf(node) };
    return new Core(memory, bus, clock, engine, model);
  });
  const uics = buildControllers(nodes, bus, cores[0]!);
  const ports: Port[] = [];
  const configuration: IndirectDcrs[] = [];
  const frequency = cpus[0]?.cell('clock-frequency') ?? 0;
  const wiring = { environment, bus, uics, ports, configuration, frequency, facts: factsOf(nodes) };
  for (const node of nodes) builders.find(([compatible]) => node.isCompatible(...compatible))?.[1](node, wiring);
  return {
    tree,
    bus,
    cores,
    uics: [...uics.values()],
    ports,
    configuration,
    reset() {
      for (const uic of uics.values()) uic.reset();
      for (const { uart } of ports) uart.reset();
      for (const controller of configuration) controller.reset();
      for (const core of cores) core.reset();
    },
    save: () => ({
      ...saveBoard(cores, [...uics.values()], ports, configuration),
      broken: bus.saveRefusals(),
      lost: lostAt([...uics.values()]),
    }),
    restore: (saved) => {
      bus.restoreRefusals(saved.broken);
      restoreBoard(saved, cores, [...uics.values()], ports, configuration);
    },
  };
}

function saveBoard(
  cores: readonly Core[],
  uics: readonly Uic[],
  ports: readonly Port[],
  configuration: readonly IndirectDcrs[],
): SavedBoard {
  return structuredClone({
    cores: cores.map((core) => core.save()),
    uics: uics.map(({ state }) => state),
    uarts: ports.map(({ uart }) => uart.state),
    inputs: ports.map(({ input }) => input.save()),
    configuration: configuration.map(({ state }) => state),
  });
}

const lostAt = (uics: readonly Uic[]): number[] | undefined => {
  const lost = uics.map((uic) => uic.lost);
  return lost.some((mask) => mask !== 0) ? lost : undefined;
};

/** Lines are driven anew by whoever drives them: devices, then controllers, the last of a cascade first. */
function restoreBoard(
  saved: SavedBoard,
  cores: readonly Core[],
  uics: readonly Uic[],
  ports: readonly Port[],
  configuration: readonly IndirectDcrs[],
): void {
  cores.forEach((core, i) => core.restore(saved.cores[i]!));
  configuration.forEach((controller, i) => controller.restore(saved.configuration[i]!));
  ports.forEach(({ uart }, i) => uart.restore(saved.uarts[i]!));
  for (let i = uics.length - 1; i >= 0; i--) uics[i]!.restore(saved.uics[i]!, saved.lost?.[i]);
  ports.forEach(({ input }, i) => input.restore(saved.inputs[i]!));
}

/** What the tree's processors have beyond the 440's common instructions. */
export function featuresOf(tree: Tree): ReadonlySet<Feature> {
  const cpus = [...tree.root.walk()].filter((n) => n.get('device_type')?.string === 'cpu');
  const names = ['fpu', 'isel'] as const;
  return new Set(names.filter((name) => cpus.some((cpu) => cpu.has(`hv440,${name}`))));
}

/** What lies below /partitions or /hypervisor is no part of the board, nor is what is switched off. */
function isBoardNode(node: Node): boolean {
  for (let at: Node | null = node; at; at = at.parent) {
    if (at.get('status')?.string === 'disabled') return false;
    if (at.parent?.parent === null && (at.baseName === 'partitions' || at.baseName === 'hypervisor')) return false;
  }
  return true;
}

function rateOf(cpu: Node): TimeBaseRate {
  const clock = cpu.cell('clock-frequency') ?? 1;
  return timeBaseRate(cpu.cell('timebase-frequency') ?? clock, clock);
}

/** The first controller drives the core; one that has interrupts of its own drives those lines of its parent. */
function buildControllers(nodes: readonly Node[], bus: Bus, core: Core): Map<Node, Uic> {
  const uics = new Map<Node, Uic>();
  for (const node of nodes.filter((n) => n.isCompatible('ibm,uic'))) {
    const [outputs, critical] = interruptsOf(node).map((i) => ({ parent: uics.get(i.controller), line: i.line }));
    const uic = new Uic(
      outputs?.parent?.line(outputs.line) ?? core.input('external'),
      critical?.parent?.line(critical.line) ?? core.input('critical'),
    );
    attachDcrs(node, bus, uic);
    uics.set(node, uic);
  }
  const first = [...uics.values()][0];
  if (first) core.canRise = (input) => first.canRise(input === 'critical');
  return uics;
}

function attachDcrs(node: Node, bus: Bus, device: DcrDevice): void {
  const [dcrs] = dcrsOf(node);
  if (dcrs) bus.dcrs.attach(node.name, dcrs.base, dcrs.size, device);
}

interface Wiring {
  readonly environment: Environment;
  readonly bus: Bus;
  readonly uics: ReadonlyMap<Node, Uic>;
  readonly ports: Port[];
  readonly configuration: IndirectDcrs[];
  readonly facts: BoardFacts;
  /** Of the processor, in Hz. */
  readonly frequency: number;
}

/** What makes a device of a node, by `compatible`: one row a device. */
// prettier-ignore
const builders: readonly (readonly [readonly string[], (node: Node, wiring: Wiring) => void])[] = [
  [['ns16550', 'ns16550a'], buildSerial],
  [['hv440,finisher'],      buildFinisher],
  ...configurationDcrs.map(([compatible, make]) => [[compatible], buildConfiguration(make)] as const),
];

function buildConfiguration(make: (facts: BoardFacts) => IndirectDcrs) {
  return (node: Node, { bus, configuration, facts }: Wiring): void => {
    const controller = make(facts);
    attachDcrs(node, bus, controller);
    configuration.push(controller);
  };
}

const BITS_PER_CHARACTER = 10; // start, eight data, stop

function buildSerial(node: Node, wiring: Wiring): void {
  const { environment, bus, ports, frequency } = wiring;
  const { clock } = environment;
  const [reg] = physicalReg(node);
  if (!reg) return;
  const line = lineOf(node, wiring);
  const provided = environment.provide?.(node, line);
  const name = deviceName(node);
  if (provided) return bus.devices.attach(name, reg.base, reg.size, provided);
  const speed = node.cell('current-speed') || 115200;
  const divisor = Math.max(1, Math.round((node.cell('clock-frequency') ?? 11059200) / (16 * speed)));
  const cyclesPerCharacter = Math.max(1, Math.round((frequency * BITS_PER_CHARACTER) / speed));
  const uart = new Uart16550(line, environment.transmit(name), clock, cyclesPerCharacter, divisor);
  bus.devices.attach(name, reg.base, reg.size, uart);
  const input = new SerialInput(environment.streamOf(name), uart, clock, environment.recordInput);
  ports.push({ name, uart, input });
}

function buildFinisher(node: Node, { environment, bus }: Wiring): void {
  const [reg] = physicalReg(node);
  if (reg) bus.devices.attach(node.name, reg.base, reg.size, new Finisher((status) => environment.finish(status)));
}

const NOWHERE: Line = { set: () => {} };

/** The controller's end of a device's wire; a line that is active low is driven the other way round. */
function lineOf(node: Node, { environment, uics }: Wiring): Line {
  const redirected = environment.redirect?.(node);
  if (redirected) return redirected;
  const [interrupt] = interruptsOf(node);
  const line = interrupt && uics.get(interrupt.controller)?.line(interrupt.line);
  if (!line) return NOWHERE;
  const activeLow = interrupt.type === 2 || interrupt.type === 8;
  if (!activeLow) return line;
  line.set(true);
  return { set: (asserted) => line.set(!asserted) };
}
