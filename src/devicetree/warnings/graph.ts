import type { Node } from '../tree.js';
import { unit, type Complaint, type State, type Warning } from './warning.js';

const isEndpoint = (node: Node): boolean => node.baseName === 'endpoint' || node.has('remote-endpoint');

const graphNodes: Warning = {
  name: 'graph_nodes',
  silent: true,
  level: 'warning',
  summary: 'Nodes with an `endpoint` are ports, and what has ports is their device, or their `ports`.',
  remedy: 'mend the ports that are named',
  run(node, { buses }) {
    const { parent } = node;
    if (!parent || !node.children.some(isEndpoint)) return;
    buses.set(node, 'graph-port');
    if (!buses.has(parent) && (parent.name === 'ports' || node.has('reg'))) buses.set(parent, 'graph-ports');
  },
};

const childAddress: Warning = {
  name: 'graph_child_address',
  level: 'warning',
  after: ['graph_nodes'],
  summary: 'The only port of a device, and the only endpoint of a port, needs no address.',
  remedy: 'take #address-cells and #size-cells out, and the reg of the child',
  *run(node, state) {
    const bus = state.buses.get(node);
    if (bus !== 'graph-ports' && bus !== 'graph-port') return;
    if (node.children.some((child) => (child.cell('reg') ?? 0) !== 0)) return;
    if (node.children.length === 1 && state.stated(node).address !== -1)
      yield { node, message: `${node.path} has a single child, '${node.children[0]!.name}', and #address-cells` };
  },
};

/** A port or endpoint with a `reg` has one cell of it, its unit address, and a parent that says so. */
function* graphReg(node: Node, state: State): Iterable<Complaint> {
  const property = node.get('reg');
  if (!property || !node.parent) return;
  if (property.value.length !== 4)
    return void (yield {
      node,
      property,
      message: `the 'reg' of ${node.path} is not one cell`,
      remedy: 'write reg = <0>; or another number',
    });
  const wanted = property.cells[0]!.toString(16);
  if (unit(node) !== wanted)
    yield {
      node,
      message: `the unit address of ${node.path} is not that of its reg`,
      remedy: `call it ${node.baseName}@${wanted}`,
    };
  const { address, size } = state.stated(node.parent);
  const remedy = 'write #address-cells = <1>; #size-cells = <0>;';
  if (address !== 1) yield { node, message: `${node.parent.path} has not 1 #address-cells for ${node.path}`, remedy };
  if (size !== 0) yield { node, message: `${node.parent.path} has not 0 #size-cells for ${node.path}`, remedy };
}

const graphPort: Warning = {
  name: 'graph_port',
  level: 'warning',
  after: ['graph_nodes'],
  summary: 'What has an endpoint is called `port`, and has a sound `reg` where it has one.',
  remedy: "call it 'port'",
  *run(node, state) {
    if (state.buses.get(node) !== 'graph-port') return;
    if (node.baseName !== 'port') yield { node, message: `${node.path} has an endpoint, and is not called 'port'` };
    yield* graphReg(node, state);
  },
};

/** Where an endpoint leads to; a complaint where it leads nowhere. */
function remoteOf(endpoint: Node, state: State): { remote?: Node | undefined; complaint?: Complaint } {
  const property = endpoint.get('remote-endpoint');
  const phandle = property?.cells[0] ?? 0;
  if (!property || phandle === 0 || phandle === 0xffffffff) return {};
  const remote = state.byPhandle(phandle);
  const message = `'remote-endpoint' of ${endpoint.path} leads to no node`;
  return remote
    ? { remote }
    : { complaint: { node: endpoint, property, message, remedy: 'write remote-endpoint = <&LABEL>;' } };
}

const graphEndpoint: Warning = {
  name: 'graph_endpoint',
  level: 'warning',
  after: ['graph_nodes'],
  summary: 'What is in a port is called `endpoint`, and the endpoint that it leads to leads back.',
  remedy: "call it 'endpoint'",
  *run(node, state) {
    if (state.busAbove(node) !== 'graph-port') return;
    if (node.baseName !== 'endpoint')
      yield { node, message: `${node.path} is in a port, and is not called 'endpoint'` };
    yield* graphReg(node, state);
    const there = remoteOf(node, state);
    if (there.complaint) yield there.complaint;
    if (!there.remote) return;
    const back = remoteOf(there.remote, state);
    if (back.complaint) yield back.complaint;
    if (back.remote !== node)
      yield {
        node,
        message: `${node.path} leads to ${there.remote.path}, which does not lead back`,
        remedy: `write remote-endpoint = <&…>; in ${there.remote.path} too`,
      };
  },
};

/** The graph of devices that are connected to each other. */
export const graphWarnings: readonly Warning[] = [graphNodes, childAddress, graphPort, graphEndpoint];
