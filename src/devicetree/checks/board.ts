import { dcrsOf, hex, interruptParent, physicalReg, regOf, span, type Range } from '../addresses.js';
import { memo } from '../memo.js';
import { RangeIndex } from '../range-index.js';
import { disabled } from '../partitions.js';
import { nearest } from '../nearest.js';
import type { Node, Tree } from '../tree.js';
import { at, type Context, type Rule } from './rule.js';

/** How many cores of a board this version runs. */
const SUPPORTED_CORES = 1;
const PHYSICAL_END = 2 ** 36;

const ofType = (board: readonly Node[], type: string): Node[] =>
  board.filter((node) => node.get('device_type')?.string === type && !disabled(node));

const cpuMissing: Rule = {
  name: 'board-cpu-missing',
  severity: 'error',
  over: 'tree',
  summary: 'The board has a processor.',
  remedy: 'Include `hv440-board.dtsi`, or add a `cpu@0` with `device_type = "cpu"` to `/cpus`.',
  *run(root, { board }) {
    if (ofType(board, 'cpu').length > 0) return;
    const remedy = 'add cpu@0 { device_type = "cpu"; reg = <0>; … }; to /cpus, or include hv440-board.dtsi';
    yield { node: root.child('cpus') ?? root, message: 'the board has no processor', remedy };
  },
};

const tooManyCpus: Rule = {
  name: 'board-cpus-unsupported',
  severity: 'error',
  over: 'tree',
  summary: `The board has no more processors than this version runs: ${SUPPORTED_CORES}.`,
  remedy: 'Take the others out, or give them `status = "disabled"`.',
  *run(_root, { board }) {
    for (const node of ofType(board, 'cpu').slice(SUPPORTED_CORES))
      yield {
        node,
        message: `${node.path} is one processor too many: this version runs ${SUPPORTED_CORES}`,
        remedy: 'take it out, or add status = "disabled";',
      };
  },
};

const memoryMissing: Rule = {
  name: 'board-memory-missing',
  severity: 'error',
  over: 'tree',
  summary: 'The board has memory.',
  remedy: 'Include `hv440-board.dtsi`, or add a `memory@0` with `device_type = "memory"` to the root.',
  *run(root, context) {
    const memories = ofType(context.board, 'memory');
    if (memories.some((node) => !node.has('reg') || !context.sound(node, 'reg'))) return;
    if (memories.flatMap(physicalReg).some(({ size }) => size > 0)) return;
    const [empty] = memories;
    const remedy = 'add memory@0 { device_type = "memory"; reg = <0x0 0x0 0x10000000>; }; to the root';
    yield empty
      ? {
          ...at(empty, 'reg'),
          message: `the board's memory ${empty.path} has size 0`,
          remedy: 'write reg = <0x0 0x0 0x10000000>;',
        }
      : { node: root, message: 'the board has no memory', remedy };
  },
};

const controllerMissing: Rule = {
  name: 'board-interrupt-controller-missing',
  severity: 'error',
  over: 'tree',
  summary: 'The board has a universal interrupt controller with `cell-index = <0>`, which the core hears.',
  remedy: 'Include `hv440-board.dtsi`, or add its `interrupt-controller0`.',
  *run(root, context) {
    const controllers = context.board.filter((node) => node.isCompatible('ibm,uic') && !disabled(node));
    if (controllers.some((node) => !context.sound(node, 'cell-index') || (node.cell('cell-index') ?? 0) === 0)) return;
    const [other] = controllers;
    yield other
      ? {
          ...at(other, 'cell-index'),
          message: `the board's interrupt controllers begin with cell-index ${other.cell('cell-index')}, and the core hears that with 0`,
          remedy: 'write cell-index = <0>;',
        }
      : {
          node: root,
          message: 'the board has no interrupt controller',
          remedy:
            'add interrupt-controller0 { compatible = "ibm,uic"; interrupt-controller; … };, or include hv440-board.dtsi',
        };
  },
};

const addressUnreachable: Rule = {
  name: 'address-unreachable',
  severity: 'error',
  over: 'board-serial',
  reads: ['reg'],
  summary: 'Every bus above a serial port of the board passes its address on to the processor.',
  remedy: 'Give the bus `ranges` that cover the address; an empty one passes all on unchanged.',
  *run(node) {
    if (physicalReg(node).length === regOf(node).length) return;
    yield {
      ...at(node, 'reg'),
      message: `no bus passes the address ${hex(regOf(node)[0]?.base ?? 0)} of ${node.path} on to the processor`,
      remedy: `add ranges; to ${node.parent!.path}, or let its ranges cover the address`,
    };
  },
};

const addressTooWide: Rule = {
  name: 'address-too-wide',
  severity: 'error',
  over: 'board',
  reads: ['reg'],
  summary: 'A device or memory of the board lies within the 36 bits that a 440 can address.',
  remedy: 'Mend `reg`, or the `ranges` of the buses above it; the high cell comes first.',
  *run(node) {
    for (const range of physicalReg(node)) {
      if (range.base + range.size <= PHYSICAL_END) continue;
      yield {
        ...at(node, 'reg'),
        message: `${node.path} is at ${span(range)}, beyond the 36 address bits of a 440`,
        remedy: "mend its reg, or its bus's ranges; the high cell comes first",
      };
    }
  },
};

const isMemory = (node: Node): boolean => node.get('device_type')?.string === 'memory';

const isAbove = (node: Node, other: Node): boolean => {
  for (let at = other.parent; at; at = at.parent) if (at === node) return true;
  return false;
};

/** The addresses of all that the board has, by what is sound and not disabled. */
function addressesOf(context: Context): RangeIndex<{ readonly node: Node; readonly range: Range }> {
  const nodes = context.board.filter((node) => !disabled(node) && context.sound(node, 'reg'));
  return new RangeIndex(nodes.flatMap((node) => physicalReg(node).map((range) => ({ node, range }))));
}

const boardOverlap: Rule = {
  name: 'board-device-overlap',
  severity: 'error',
  over: 'board',
  reads: ['reg'],
  requires: ['address-too-wide'],
  summary: 'No two devices of the board have an address in common, nor with its memory.',
  remedy: 'Mend the `reg` of one of the two.',
  *run(node, context) {
    if (disabled(node)) return;
    const index = memo(context.tree.root, 'addresses of the board', () => addressesOf(context));
    const isEarlier = (other: Node): boolean => context.boardOrder.get(other)! < context.boardOrder.get(node)!;
    for (const range of physicalReg(node)) {
      const others = index.overlapping(range).flatMap(({ node: other }) => (other === node ? [] : other));
      // A memory that reaches over devices is to blame for all of them, once; of devices the later one is.
      const devices = others.filter((o) => !isMemory(o) && (isMemory(node) || isEarlier(o)));
      const memories = others.filter((o) => isMemory(o) && isMemory(node) && isEarlier(o));
      const other = [...devices, ...memories].find((o) => !isAbove(o, node));
      if (!other) continue;
      yield {
        ...at(node, 'reg'),
        message: `${node.path} is at ${span(range)}, where ${other.path} ${isMemory(node) ? '' : 'already '}is`,
        remedy: isMemory(node)
          ? `end it before ${hex(physicalReg(other)[0]!.base)}`
          : 'give one of them another address',
      };
    }
  },
};

const dcrOverlap: Rule = {
  name: 'board-dcr-overlap',
  severity: 'error',
  over: 'board',
  reads: ['dcr-reg'],
  summary: 'No two devices of the board have a device control register in common.',
  remedy: 'Mend the `dcr-reg` of one of the two: it is the first register, and how many there are.',
  *run(node, context) {
    if (disabled(node)) return;
    const index = memo(context.tree.root, 'DCRs of the board', () => {
      const nodes = context.board.filter((one) => !disabled(one) && context.sound(one, 'dcr-reg'));
      return new RangeIndex(nodes.flatMap((one) => dcrsOf(one).map((range) => ({ node: one, range }))));
    });
    const mine = context.boardOrder.get(node)!;
    for (const range of dcrsOf(node)) {
      const other = index.overlapping(range).find((o) => context.boardOrder.get(o.node)! < mine)?.node;
      if (!other) continue;
      yield {
        ...at(node, 'dcr-reg'),
        message: `${node.path} has the DCRs ${span(range)}, where ${other.path} already is`,
        remedy: 'give one of them other registers',
      };
    }
  },
};

const interruptParentMissing: Rule = {
  name: 'interrupt-parent-missing',
  severity: 'error',
  over: 'board-serial',
  reads: ['interrupts', 'interrupt-parent'],
  summary:
    'A serial port of the board with interrupts says, itself or by a node above it, to which controller they go.',
  remedy: 'Add `interrupt-parent = <&UIC0>` to the device, or to the root.',
  *run(node) {
    if (!node.has('interrupts')) return;
    const controller = interruptParent(node);
    if (controller?.has('interrupt-controller')) return;
    const message = controller
      ? `the interrupts of ${node.path} go to ${controller.path}, which is no interrupt controller`
      : `${node.path} has interrupts, and nothing says to which controller they go`;
    const place = controller && node.has('interrupt-parent') ? 'interrupt-parent' : 'interrupts';
    yield { ...at(node, place), message, remedy: 'add interrupt-parent = <&UIC0>;' };
  },
};

/** What a path or an alias leads to, without the options behind a colon. */
const target = (tree: Tree, path: string): Node | undefined => tree.find(path.split(':')[0]!);

const aliasToNowhere: Rule = {
  name: 'alias-to-nowhere',
  severity: 'warning',
  over: 'tree',
  summary: 'An alias leads to a node.',
  remedy: 'Write the alias as a reference, `serial0 = &UART0`, so that it follows the node.',
  *run(root, { tree }) {
    const aliases = root.child('aliases');
    if (!aliases) return;
    for (const property of aliases.properties.values()) {
      if (!property.string.startsWith('/') || tree.find(property.string)) continue;
      const paths = memo(tree.root, 'paths', () => [...tree.root.walk()].map((node) => node.path));
      const meant = nearest(property.string, paths);
      yield {
        node: aliases,
        property,
        message: `the alias '${property.name}' leads to '${property.string}', where no node is`,
        remedy: meant === undefined ? 'mend it, or take it out' : `did you mean '${meant}'?`,
      };
    }
  },
};

const stdoutPathToNowhere: Rule = {
  name: 'stdout-path-to-nowhere',
  severity: 'warning',
  over: 'tree',
  summary: "The board's `/chosen` names a console that there is.",
  remedy: 'Write it as a reference, `stdout-path = &UART0`, so that it follows the node.',
  *run(root, { tree }) {
    const chosen = root.child('chosen');
    for (const name of ['stdout-path', 'linux,stdout-path']) {
      const property = chosen?.get(name);
      if (!chosen || !property || target(tree, property.string)) continue;
      yield {
        node: chosen,
        property,
        message: `'${name}' leads to '${property.string}', where no node is`,
        remedy: `write ${name} = &LABEL, with the label of a serial port`,
      };
    }
  },
};

/** What can be wrong with the board. */
export const boardRules: readonly Rule[] = [
  cpuMissing,
  tooManyCpus,
  memoryMissing,
  controllerMissing,
  addressUnreachable,
  addressTooWide,
  boardOverlap,
  dcrOverlap,
  interruptParentMissing,
  aliasToNowhere,
  stdoutPathToNowhere,
];
