import { bindingOf, bindings, bindingsAt, placeOf } from '../bindings/index.js';
import { SUPPORTED_VCPUS } from '../bindings/partition.js';
import { memo } from '../memo.js';
import { offers, partitionsNode } from '../partitions.js';
import { didYouMean, either } from '../suggest.js';
import type { Node } from '../tree.js';
import { at, compatiblesOf, nameOf, type Problem, type Rule } from './rule.js';

const noPartitions: Rule = {
  name: 'no-partitions',
  severity: 'error',
  over: 'tree',
  summary: 'The tree has a node `/partitions`.',
  remedy: "Include hv440's board, which has one, or add one at the root.",
  *run(root, { tree }) {
    if (partitionsNode(tree)) return;
    const remedy = 'add partitions { compatible = "hv440,partitions"; }; to the root, and a partition to that';
    yield { node: root, message: 'there is no /partitions node, so nothing says what to run', remedy };
  },
};

const noPartition: Rule = {
  name: 'no-partition',
  severity: 'error',
  over: 'partitions',
  requires: ['missing-compatible', 'unknown-compatible'],
  summary: 'There is at least one partition that is not disabled.',
  remedy: 'Add a partition to `/partitions`, or take `status = "disabled"` out of one.',
  *run(node, { partitions }) {
    if (partitions.length > 0) return;
    // A partition whose compatible is wrong has its own finding.
    if (node.children.some((child) => !child.isCompatible('hv440,partition'))) return;
    const disabled = node.children.length > 0;
    yield disabled
      ? {
          node: node.children[0]!,
          message: 'every partition is disabled, so there is nothing to run',
          remedy: 'take status = "disabled" out of one of them',
        }
      : {
          node,
          message: '/partitions has no partition, so there is nothing to run',
          remedy: 'add one: &partitions { hello { compatible = "hv440,partition"; … }; };',
        };
  },
};

/** The nodes that are told by `compatible` and are hv440's own, known or not. */
const isOwn = (node: Node): boolean => ['root', 'partitions', 'partition', 'test'].includes(placeOf(node) ?? '');

const knownAt = (node: Node): string[] => compatiblesOf(bindingsAt(placeOf(node)!));

const missingCompatible: Rule = {
  name: 'missing-compatible',
  severity: 'error',
  over: 'node',
  summary: '`/partitions`, every child of it and every child of a partition but `node-update` say what they are.',
  remedy: 'Add the `compatible` of the kind of node that it should be.',
  *run(node) {
    if (!isOwn(node) || node.has('compatible')) return;
    const known = knownAt(node);
    const remedy = known.length === 1 ? `add compatible = "${known[0]}";` : `add a compatible: ${either(known)}`;
    yield { node, message: `${nameOf(node)} does not say what it is`, remedy };
  },
};

const unknownCompatible: Rule = {
  name: 'unknown-compatible',
  severity: 'error',
  over: 'node',
  requires: ['missing-compatible'],
  reads: ['compatible'],
  summary: '`/partitions`, its children and theirs are of a kind that may stand there.',
  remedy: 'Spell the `compatible` as the bindings do; a device of the board goes into `devices` instead.',
  *run(node) {
    if (!isOwn(node) || bindingOf(node) || !node.has('compatible')) return;
    const known = knownAt(node);
    yield {
      ...at(node, 'compatible'),
      message: `${nameOf(node)} is '${node.compatible.join("', '")}', which cannot stand there`,
      remedy: didYouMean(node.compatible[0] ?? '', known),
    };
  },
};

/** Kinds that only hv440 reads, and that elsewhere would be lost in silence. */
const ownKinds = compatiblesOf(bindings).filter((name) => name.startsWith('hv440,'));

const misplacedNode: Rule = {
  name: 'misplaced-node',
  severity: 'error',
  waivable: true,
  over: 'board',
  reads: ['compatible'],
  summary: 'Nodes that only hv440 reads are not outside of `/partitions`, where nobody would look at them.',
  remedy: 'Move the node into `/partitions`, or into a partition.',
  *run(node) {
    const kind = node.compatible.find((name) => ownKinds.includes(name));
    if (kind === undefined) return;
    const home = homes[kind] ?? 'a partition';
    yield {
      ...at(node, 'compatible'),
      message: `${node.path} is '${kind}', and nobody looks for one there`,
      remedy: `move it into ${home}`,
    };
  },
};

const homes: Readonly<Record<string, string>> = {
  'hv440,partitions': "the root, under the name 'partitions'",
  'hv440,partition': '/partitions',
  'hv440,test': "the root, under the name 'test'",
};

const unexpectedChild: Rule = {
  name: 'unexpected-child',
  severity: 'error',
  waivable: true,
  over: 'port',
  summary: 'A device of a partition has no nodes below it.',
  remedy: 'Move the node out of the device, most likely by an earlier closing brace.',
  *run(port) {
    for (const child of port.children)
      yield {
        node: child,
        message: `'${child.name}' stands inside ${nameOf(port)}, where nobody looks`,
        remedy: `close '${port.name}' before it`,
      };
  },
};

/** How a partition may be called: its name begins the names of its streams, log files and links. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/;

const partitionName: Rule = {
  name: 'partition-name',
  severity: 'error',
  over: 'partition',
  summary:
    "A partition's name can begin the names of streams and files: letters, digits and `.` `_` `+` `-`, the first a letter or a digit.",
  remedy: 'Rename the node; a `label` may hold any text.',
  *run(node) {
    if (NAME.test(node.name)) return;
    const wrong = [...node.name].find((c, i) => !/[A-Za-z0-9._+-]/.test(c) || (i === 0 && !/[A-Za-z0-9]/.test(c)));
    const better = node.name.replaceAll(/[^A-Za-z0-9._+-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '') || 'guest';
    yield {
      node,
      message: `the partition's name '${node.name}' has '${wrong}', which cannot be in the name of a stream`,
      remedy: `call it '${better}'; a label may hold any text`,
    };
  },
};

/** Names before the slash in the names of streams that are not a partition's. */
const RESERVED = ['board', 'hypervisor'];

const reservedName: Rule = {
  name: 'reserved-name',
  severity: 'error',
  over: 'partition',
  summary: "A partition is not called `board` or `hypervisor`: streams of the board and of the hypervisor's log are.",
  remedy: 'Rename the node; a `label` may hold any text.',
  *run(node) {
    if (!RESERVED.includes(node.name)) return;
    const message = `a partition cannot be called '${node.name}': other streams are called so`;
    yield { node, message, remedy: `call it '${node.name}-guest', and label it as you like` };
  },
};

/** The first partition of every label, and of every name. */
function shownNames(partitions: readonly Node[]) {
  const [byLabel, byName] = [new Map<string, Node>(), new Map<string, Node>()];
  for (const partition of partitions) {
    const label = partition.get('label')?.string;
    if (label !== undefined && !byLabel.has(label)) byLabel.set(label, partition);
    if (!byName.has(partition.name)) byName.set(partition.name, partition);
  }
  return { byLabel, byName };
}

const duplicateLabel: Rule = {
  name: 'duplicate-label',
  severity: 'error',
  waivable: true,
  over: 'partition',
  reads: ['label'],
  summary: 'No partition shows itself under the name of another.',
  remedy: 'Give every partition a label of its own, or none.',
  *run(node, { partitions, tree }) {
    const label = node.get('label')?.string;
    if (label === undefined) return;
    const shown = memo(tree.root, 'labels of partitions', () => shownNames(partitions));
    const labelled = shown.byLabel.get(label);
    const named = shown.byName.get(label);
    const other = labelled !== node ? labelled : named !== node ? named : undefined;
    if (!other) return;
    yield {
      ...at(node, 'label'),
      message: `the label '${label}' is ${other === labelled ? 'also that' : 'the name'} of partition '${other.name}'`,
      remedy: 'give one of them another label',
    };
  },
};

const tooManyVcpus: Rule = {
  name: 'too-many-vcpus',
  severity: 'error',
  over: 'partition',
  reads: ['vcpus'],
  summary: `A partition has no more processors than this version can run: ${SUPPORTED_VCPUS}.`,
  remedy: `Write \`vcpus = <${SUPPORTED_VCPUS}>\`, or leave it out.`,
  *run(node) {
    const wanted = node.cell('vcpus') ?? 0;
    if (wanted <= SUPPORTED_VCPUS) return;
    yield {
      ...at(node, 'vcpus'),
      message: `${nameOf(node)} wants ${wanted} processors, and this version runs ${SUPPORTED_VCPUS}`,
      remedy: `write vcpus = <${SUPPORTED_VCPUS}>;`,
    };
  },
};

const kvmNotOffered: Rule = {
  name: 'kvm-not-offered',
  severity: 'error',
  over: 'partition',
  reads: ['paravirtualization', 'hcall-instructions'],
  summary: "What a guest asks for by KVM's interface is only offered together with that interface.",
  remedy: 'Add "kvm" to `paravirtualization`.',
  *run(node) {
    if (offers(node, 'kvm')) return;
    const others = node.get('paravirtualization')?.strings.map((said) => `, "${said}"`) ?? [];
    const remedy = `write paravirtualization = "kvm"${others.join('')};`;
    const wants = (property: string, what: string): Problem => ({
      ...at(node, property),
      message: `${nameOf(node)} is offered ${what}, and not KVM's interface, by which a guest uses it`,
      remedy,
    });
    if (offers(node, 'magic-page')) yield wants('paravirtualization', 'the magic page');
    if (node.get('hcall-instructions')?.string === 'kvm')
      yield wants('hcall-instructions', "KVM's hypercall instructions");
  },
};

/** What can be wrong with which nodes there are. */
export const structureRules: readonly Rule[] = [
  missingCompatible,
  unknownCompatible,
  misplacedNode,
  unexpectedChild,
  noPartitions,
  noPartition,
];

/** What can be wrong with a partition as such. */
export const partitionRules: readonly Rule[] = [
  partitionName,
  reservedName,
  duplicateLabel,
  tooManyVcpus,
  kvmNotOffered,
];
