import { isByteChannel, isSerial, portsOf } from '../devicetree/partitions.js';
import type { Node } from '../devicetree/tree.js';
import type { VcpuReport } from '../hypervisor/report.js';

/** A way to give a guest to the hypervisor. */
export interface Variant {
  readonly name: VariantName;
  /** Changes a partition's node; says why it cannot be done. */
  apply(node: Node): string | undefined;
  /** Says why a run is no example of it: the guest took no notice. */
  uses(counts: VcpuReport): string | undefined;
}

export const variantNames = ['plain', 'magic-page', 'byte-channel', 'both'] as const;
export type VariantName = (typeof variantNames)[number];

const NO_CALL = 'the image makes no such hypercall';

function magicPage(node: Node): string | undefined {
  node.setStrings('paravirtualization', 'kvm', 'magic-page');
  return undefined;
}

/** Its console becomes a byte channel, and its serial ports go: a Linux that finds one prints there as well. */
function byteChannel(node: Node): string | undefined {
  if (portsOf(node).some(isByteChannel)) return 'the configuration has a byte channel already';
  for (const port of portsOf(node).filter(isSerial)) node.children.splice(node.children.indexOf(port), 1);
  const channel = node.add('overhead-console');
  channel.setStrings('compatible', 'epapr,hv-byte-channel');
  node.setStrings('stdout', channel.name);
  return undefined;
}

const called = ({ exits }: VcpuReport, name: string): boolean =>
  exits.hypercall?.details.some((d) => d.name.startsWith(name)) ?? false;

const usesMagicPage = (counts: VcpuReport): string | undefined => (called(counts, 'KVM_') ? undefined : NO_CALL);
const usesByteChannel = (counts: VcpuReport): string | undefined =>
  called(counts, 'EV_BYTE_CHANNEL_SEND') ? undefined : NO_CALL;

/** From nothing to all that a guest may be offered. */
export const variants: readonly Variant[] = [
  { name: 'plain', apply: () => undefined, uses: () => undefined },
  { name: 'magic-page', apply: magicPage, uses: usesMagicPage },
  { name: 'byte-channel', apply: byteChannel, uses: usesByteChannel },
  {
    name: 'both',
    apply: (node) => magicPage(node) ?? byteChannel(node),
    uses: (counts) => usesMagicPage(counts) ?? usesByteChannel(counts),
  },
];
