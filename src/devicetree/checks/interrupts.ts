import { interruptParent, interruptsOf } from '../addresses.js';
import { bindingOf, placeOf } from '../bindings/index.js';
import {
  LINES,
  devicesOf,
  disabled,
  isManaged,
  linesOf,
  portsOf,
  statedLines,
  wiredPortsOf,
  type Line,
} from '../partitions.js';
import type { Node } from '../tree.js';
import { at, nameOf, type Context, type Problem, type Rule } from './rule.js';

/** How an interrupt can be sensed (Linux bindings, interrupt-controller/interrupts.txt). */
const types: Readonly<Record<number, string>> = {
  1: 'rising edge',
  2: 'falling edge',
  4: 'level high',
  8: 'level low',
};

/** The lines that a node states: of a partition's port those of the partition's own controller. */
const linesStatedBy = (node: Node): Line[] => (placeOf(node) === 'partition' ? statedLines(node) : interruptsOf(node));

/** Nodes whose lines are those of a UIC: the ports of partitions, and what on the board is wired to one. */
const wiredToUic = (node: Node): boolean =>
  placeOf(node) === 'partition'
    ? bindingOf(node) !== undefined
    : interruptsOf(node).some(({ controller }) => controller.isCompatible('ibm,uic'));

const lineRange: Rule = {
  name: 'interrupt-line-range',
  severity: 'error',
  over: 'node',
  reads: ['interrupts'],
  summary: `An interrupt line is one of the ${LINES} inputs of a UIC, 0 to ${LINES - 1}.`,
  remedy: 'Choose a line from 0 to 31; the line comes before the type.',
  *run(node) {
    if (!wiredToUic(node)) return;
    for (const { line } of linesStatedBy(node)) {
      if (line < LINES) continue;
      yield {
        ...at(node, 'interrupts'),
        message: `${nameOf(node)} has interrupt line ${line}, and a UIC has lines 0 to ${LINES - 1}`,
        remedy: 'write <line type>, the line from 0 to 31',
      };
    }
  },
};

const interruptType: Rule = {
  name: 'interrupt-type',
  severity: 'error',
  over: 'node',
  reads: ['interrupts'],
  summary: 'An interrupt is of type 1 (rising edge), 2 (falling edge), 4 (level high) or 8 (level low).',
  remedy: 'Write 4 behind the line, unless the device is otherwise wired.',
  *run(node) {
    if (!wiredToUic(node)) return;
    for (const { line, type } of linesStatedBy(node)) {
      if (types[type]) continue;
      const known = Object.entries(types).map(([number, name]) => `${number} ${name}`);
      yield {
        ...at(node, 'interrupts'),
        message: `${nameOf(node)} has interrupt line ${line} of type ${type}, which there is not`,
        remedy: `write <${line} 4>: ${known.join(', ')}`,
      };
    }
  },
};

const wellFormed = ['interrupt-line-range', 'interrupt-type'];

const lineTwice: Rule = {
  name: 'interrupt-line-twice',
  severity: 'error',
  over: 'tree',
  summary: 'No two devices of a partition, and no two serial ports of the board, have an interrupt line in common.',
  remedy: 'Choose another line, or leave `interrupts` out: a free one is then chosen.',
  *run(_root, context) {
    const { partitions, board } = context;
    yield* shared(
      board.filter((n) => n.isCompatible('ns16550', 'ns16550a') && !disabled(n)),
      context,
    );
    for (const partition of partitions) {
      const devices = context.sound(partition, 'devices') ? [...new Set(devicesOf(context.tree, partition))] : [];
      yield* shared([...devices, ...portsOf(partition)], context, partition);
    }
  },
};

/** A problem for each line that a node has and one before it too; of a partition's devices, all lead to its one controller. */
function* shared(nodes: readonly Node[], context: Context, partition?: Node): Iterable<Problem> {
  const holders = new Map<string, Node>();
  for (const node of nodes) {
    if (!context.sound(node, 'interrupts') || !context.passed(node, ...wellFormed)) continue;
    const controller = partition ? '' : (interruptParent(node)?.path ?? '');
    for (const { line } of linesStatedBy(node)) {
      const key = `${controller} ${line}`;
      const before = holders.get(key);
      if (before) {
        const passedOn = partition !== undefined && placeOf(node) === 'board';
        const twice = before === node;
        yield {
          ...(passedOn ? at(partition, 'devices') : at(node, 'interrupts')),
          message: twice
            ? `${nameOf(node)} has interrupt line ${line} twice`
            : `${nameOf(node)} has interrupt line ${line}, which ${nameOf(before)} already has`,
          remedy: passedOn
            ? 'take one of the two devices out'
            : partition
              ? 'choose another, or leave interrupts out'
              : 'choose another',
        };
      }
      holders.set(key, node);
    }
  }
}

/** Types whose meaning is an event, not a state. */
const isEdge = (type: number): boolean => type === 1 || type === 2;

const senseConflict: Rule = {
  name: 'interrupt-sense-conflict',
  severity: 'warning',
  over: 'tree',
  summary: 'Devices of the board that share an interrupt line have it of the same type: a line is sensed in one way.',
  remedy: 'Give both the same type, most likely 4 (level high), or lines of their own.',
  *run(_root, context) {
    const holders = new Map<string, { readonly node: Node; readonly type: number }>();
    for (const node of context.board) {
      if (disabled(node) || !context.sound(node, 'interrupts') || !context.passed(node, ...wellFormed)) continue;
      for (const { controller, line, type } of interruptsOf(node)) {
        const key = `${line} ${controller.path}`;
        const before = holders.get(key);
        if (!before) holders.set(key, { node, type });
        if (!before || before.type === type || before.node === node) continue;
        const told = (one: number): string => types[one] ?? `type ${one}`;
        yield {
          ...at(node, node.has('interrupts-extended') ? 'interrupts-extended' : 'interrupts'),
          message: `${nameOf(node)} has interrupt line ${line} of ${controller.path} as ${told(type)}, and ${nameOf(before.node)} as ${told(before.type)}`,
          remedy:
            isEdge(type) === isEdge(before.type)
              ? 'give both the same type'
              : `write <${line} 4> for both, or choose another line`,
        };
      }
    }
  },
};

const interruptElsewhere: Rule = {
  name: 'interrupt-elsewhere',
  severity: 'warning',
  over: 'partition',
  reads: ['devices'],
  requires: ['device-not-on-board'],
  summary:
    "The interrupts of a device that is given to a partition go to the board's UIC with `cell-index = <0>`, which the partition's own controller stands for.",
  remedy: 'Give a device whose `interrupt-parent` is `&UIC0`, or one that is polled.',
  *run(partition, { tree }) {
    for (const device of devicesOf(tree, partition)) {
      const other = interruptsOf(device).find(
        ({ controller }) => !controller.isCompatible('ibm,uic') || (controller.cell('cell-index') ?? 0) !== 0,
      );
      if (!other) continue;
      yield {
        ...at(partition, 'devices'),
        message: `the interrupt of ${device.path}, which ${nameOf(partition)} is given, goes to ${other.controller.path}, and the partition hears the board's first UIC alone`,
        remedy: 'let its interrupt-parent be &UIC0, or take it out',
      };
    }
  },
};

const linesExhausted: Rule = {
  name: 'interrupt-lines-exhausted',
  severity: 'error',
  over: 'partition',
  reads: ['devices'],
  summary: `A partition's devices need no more interrupt lines than there are, ${LINES}.`,
  remedy: 'Take devices out, or put them into another partition.',
  *run(partition, context) {
    const wired = wiredPortsOf(partition);
    if (wired.some((node) => !context.sound(node, 'interrupts') || !context.passed(node, ...wellFormed))) return;
    const lines = linesOf(context.tree, partition);
    for (const node of isManaged(context.tree, partition) ? [...wired, partition] : wired) {
      if (lines.has(node)) continue;
      yield {
        node,
        message: `there is no interrupt line left for ${node === partition ? 'the shutdown doorbell of ' : ''}${nameOf(node)}: a controller has ${LINES}`,
        remedy: 'take a device out of the partition',
      };
    }
  },
};

/** What can be wrong with interrupts. */
export const interruptRules: readonly Rule[] = [
  lineRange,
  interruptType,
  lineTwice,
  senseConflict,
  interruptElsewhere,
  linesExhausted,
];
