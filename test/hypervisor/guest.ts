// What the tests of boards and the hypervisor share: machines from a few lines of device tree, with programs as values.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { BareMachine } from '../../src/board/bare.js';
import type { Board } from '../../src/board/board.js';
import type { Machine, Progress } from '../../src/board/machine.js';
import type { InputRecord } from '../../src/board/serial-input.js';
import { Clock } from '../../src/bus/clock.js';
import { SharedMemory } from '../../src/bus/memory.js';
import type { Engine } from '../../src/cpu/engine/engine.js';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { physicalReg } from '../../src/devicetree/addresses.js';
import { check, checkBoard, type ImageInspector } from '../../src/devicetree/checks/index.js';
import { configure } from '../../src/devicetree/configuration.js';
import { describe as describeFinding } from '../../src/devicetree/finding.js';
import { parse } from '../../src/devicetree/source.js';
import type { Tree } from '../../src/devicetree/tree.js';
import type { FaultReport } from '../../src/hypervisor/fault-report.js';
import { Hypervisor } from '../../src/hypervisor/hypervisor.js';
import type { Observation } from '../../src/hypervisor/settle.js';
import type { Image } from '../../src/loader/contents.js';
import { root } from '../tools.js';
import { Code } from './code.js';

const interpreter = new Interpreter();
const board = join(root, 'devicetrees/hv440-board.dtsi');
const readFile = (path: string): Uint8Array => readFileSync(path);

/** Both consoles of every machine: what came out, by stream. */
export class Output {
  readonly streams = new Map<string, number[]>();
  transmit = (stream: string): ((byte: number) => void) => {
    const bytes: number[] = [];
    this.streams.set(stream, bytes);
    return (byte) => void bytes.push(byte);
  };
  text(stream: string): string {
    return Buffer.from(this.streams.get(stream) ?? []).toString('latin1');
  }
}

/** A program: written down, an image, or nothing but instructions that are entered at 0x1000. */
export type Program = Code | Image | readonly number[];

export function imageOf(program: Program): Image {
  if (program instanceof Code) return program.image();
  if ('segments' in program) return program;
  return program.reduce<Code>((code, word) => code.word(word), new Code()).image();
}

/** A partition of a test: its program, and more of its node. */
export interface Guest {
  readonly program: Program;
  /** Replaces `memory`, default 1 MiB at 0. */
  readonly memory?: string;
  /** Further properties and nodes. */
  readonly node?: string;
  /** Replaces its virtual UART and finisher. */
  readonly ports?: string;
  readonly initrd?: Uint8Array;
}

export interface Setting {
  /** Default: the interpreter. */
  readonly engine?: Engine;
  /** Properties of /partitions: `quantum = <1000>;`. */
  readonly partitions?: string;
  /** Anything about the board, default 8 MiB of memory. */
  readonly board?: string;
  readonly observe?: (observation: Observation) => void;
  /** Do not look at exits: engines deal with some where nobody does, and looking at the shadow TLB takes longer than an exit. */
  readonly trusting?: boolean;
  readonly onFault?: (report: FaultReport) => void;
}

const MEMORY = '&memory0 { reg = <0x0 0x0 0x00800000>; };';
const PORTS = `
  serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };
  finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; };`;

/** Every instruction that is emulated has an exit of its own. */
export const oneByOne: Setting = { partitions: 'run-ahead = <0>;' };

/** The whole source of a configuration. */
export function source(guests: Readonly<Record<string, Guest>>, setting: Setting = {}): string {
  const nodes = Object.entries(guests).map(
    ([name, { memory = '<0x0 0x0 0x0 0x00100000>', node = '', ports = PORTS, initrd }]) => `
  ${name} { compatible = "hv440,partition"; image = "${name}.elf"; memory = ${memory};
    ${initrd ? `initrd = "${name}.cpio";` : ''} ${node} ${ports} };`,
  );
  return `/dts-v1/;
/include/ "${board}"
${setting.board ?? MEMORY}
&partitions { ${setting.partitions ?? ''} ${nodes.join('\n')} };`;
}

/** Read a source that has nothing wrong with it but what only a file system could tell. */
export function treeOf(text: string, files: ImageInspector | undefined): Tree {
  const { tree, findings } = parse(text, 'test.dts', readFile);
  const all = [...findings, ...(files ? check(tree, files) : checkBoard(tree))];
  const errors = all.filter((f) => f.severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(describeFinding).join('\n'));
  return tree;
}

const inspector = (guests: Readonly<Record<string, Guest>>): ImageInspector => ({
  inspect(path, kind) {
    const guest = guests[path.replace(/\.\w+$/, '')]!;
    if (kind === 'image') return imageOf(guest.program);
    return { ok: true, segments: [{ address: 0, size: guest.initrd!.length }], entry: 0 };
  },
});

const memoryOf = (tree: Tree): number =>
  [...tree.root.walk()]
    .filter((n) => n.get('device_type')?.string === 'memory')
    .flatMap(physicalReg)
    .reduce((sum, range) => sum + range.size, 0);

/** Partitions under the hypervisor, started. */
export function hypervisor(guests: Readonly<Record<string, Guest>>, setting: Setting = {}) {
  const tree = treeOf(source(guests, setting), inspector(guests));
  const output = new Output();
  const log: string[] = [];
  const inputs: InputRecord[] = [];
  const exits: string[] = [];
  const hv = new Hypervisor({
    memory: new SharedMemory(memoryOf(tree) + 0x100000),
    clock: new Clock(),
    engine: setting.engine ?? interpreter,
    tree,
    configuration: configure(tree),
    transmit: output.transmit,
    recordInput: (record) => inputs.push(record),
    log: (line) => log.push(line),
    ...(setting.onFault && { fault: setting.onFault }),
  });
  const look = (observation: Observation): void => {
    // What the exits before this one have left behind
    const { shadowTlb } = observation.vcpu;
    if (!shadowTlb.withinGrants) throw new Error('the shadow reaches beyond what was granted');
    if (!shadowTlb.agreesWithGuest) throw new Error('the shadow says what the guest’s TLB does not');
    exits.push(observation.exit.kind);
    setting.observe?.(observation);
  };
  if (!setting.trusting) hv.observers.push(look);
  const files = Object.entries(guests).map(([name, { program, initrd }]) => {
    return [name, { image: imageOf(program), ...(initrd && { initrd }) }] as const;
  });
  const problem = hv.start(new Map(files));
  if (problem) throw new Error(problem.problem);
  const partition = (name: string) => hv.partitions.find((p) => p.name === name)!;
  return { hv, tree, output, log, inputs, exits, partition };
}

/** One guest called `guest`, under the hypervisor, run to its end. */
export function guest(program: Program, options: Omit<Guest, 'program'> & Setting & { cycles?: number } = {}) {
  const made = hypervisor({ guest: { ...options, program } }, options);
  const progress = runToEnd(made.hv, options.cycles);
  const partition = made.partition('guest');
  const vcpu = partition.vcpus[0]!;
  return { ...made, progress, vcpu, ...look(vcpu.machine, partition.board), ending: partition.ending };
}

export interface BareSetting {
  readonly board?: string;
  readonly restart?: boolean;
  /** Default: the interpreter. */
  readonly engine?: Engine;
  readonly initrd?: Uint8Array;
}

/** A bare board with a program on it, not yet run. Its streams are called `board/…`. */
export function bareBoard(program: Program, setting: BareSetting = {}) {
  const memory = '&memory0 { reg = <0x0 0x0 0x00100000>; };';
  const finisher =
    '/ { plb { opb { finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; }; }; }; };';
  const text = `/dts-v1/;\n/include/ "${board}"\n${setting.board ?? memory}\n${finisher}`;
  const tree = treeOf(text, undefined);
  const output = new Output();
  const inputs: InputRecord[] = [];
  const machine = new BareMachine({
    memory: new SharedMemory(memoryOf(tree) + 0x100000),
    clock: new Clock(),
    engine: setting.engine ?? interpreter,
    tree,
    transmit: output.transmit,
    recordInput: (record) => inputs.push(record),
    restart: setting.restart ?? false,
  });
  const { initrd } = setting;
  const problem = machine.start({ image: imageOf(program), tree, ...(initrd && { initrd }) });
  if (problem) throw new Error(problem.problem);
  const core = machine.board.cores[0]!;
  return { machine, tree, output, inputs, core, ...look(core, machine.board) };
}

/** The same, run to its end. */
export function bare(program: Program, setting: BareSetting & { cycles?: number } = {}) {
  const made = bareBoard(program, setting);
  return { ...made, progress: runToEnd(made.machine, setting.cycles) };
}

/** What a test wants to know of a program that ran. */
function look(core: Board['cores'][number], { bus }: Board) {
  const word = (address: number): number => {
    const region = bus.ram.find(address)!;
    return region.target.read(address - region.base, 4);
  };
  return {
    word,
    /** So many words from an address on. */
    words: (address: number, count: number) => Array.from({ length: count }, (_, i) => word(address + 4 * i)),
    gpr: (n: number) => core.regs.gpr[n]! >>> 0,
    /** All of its memory at 0. */
    memory: () => bus.ram.regions[0]!.target.slice(0, bus.ram.regions[0]!.size),
  };
}

/** How a run is cut up: the cycles of the next slice. */
export type Slicing = () => number;

/** Run until it ends, or waits for what cannot come by itself, or has used up the cycles; idle time is jumped over. */
export function runToEnd(machine: Machine, cycles = 1_000_000, slice: Slicing = () => Infinity): Progress {
  const end = machine.clock.now + cycles;
  for (;;) {
    const left = end - machine.clock.now;
    if (left <= 0) return { kind: 'ran' };
    const progress = machine.run(Math.min(left, slice()));
    if (progress.kind === 'idle' && progress.until < end) machine.skip(progress.until);
    else if (progress.kind !== 'ran') return progress;
  }
}

/** It ended with this status, by its finisher. */
export const finished = (status: number): Progress => ({ kind: 'ended', ending: { kind: 'finished', status } });

/** What a program left in words from an address on, once it had ended with status 0; printed in hexadecimal. */
export function results(run: { progress: Progress; words(address: number, count: number): number[] }, count: number) {
  expect(run.progress).toEqual(finished(0));
  return run.words(0x100, count).map(hex);
}

export const hex = (value: number): string => (value >>> 0).toString(16);

/** The same program on a bare board and as a partition: it must leave the same words and retire as many instructions. */
export function both(program: Program, count: number, options: Omit<Guest, 'program'> & Setting = {}) {
  const alone = bare(program);
  const virtual = guest(program, options);
  expect(results(virtual, count)).toEqual(results(alone, count));
  expect(virtual.hv.retired).toBe(alone.machine.retired);
  return { alone, virtual, exits: virtual.exits, left: results(virtual, count) };
}
