import { hex } from '../addresses.js';
import type { Node, Property } from '../tree.js';
import { isCell } from './formats.js';
import { byteCount, isMultiple, type Complaint, type State, type Warning } from './warning.js';

/** Cells that are no phandle: an entry of a list that is left out, or one that an overlay's target fills in. */
const isNoPhandle = (cell: number): boolean => cell === 0 || cell === 0xffffffff;

/** Complains of a list of phandles, each with as many cells behind it as the node that it leads to says. */
function* phandlesWithCells(
  node: Node,
  property: Property,
  cellsName: string,
  state: State,
  optional = false,
): Iterable<Complaint> {
  const tell = (message: string, remedy?: string): Complaint => ({
    node,
    property,
    message,
    ...(remedy ? { remedy } : {}),
  });
  const what = `'${property.name}' of ${node.path}`;
  if (property.value.length % 4 !== 0)
    return void (yield tell(`${what} has ${byteCount(property)}, which are no whole cells`));
  const { cells, references } = property;
  for (let at = 0; at < cells.length;) {
    const phandle = cells[at]!;
    if (isNoPhandle(phandle)) {
      if (state.tree.plugin) return;
      at += 1;
      continue;
    }
    if (references && !references.includes(at * 4))
      yield tell(`cell ${at} of ${what} is no reference`, 'write <&LABEL …>');
    const provider = state.byPhandle(phandle);
    if (!provider)
      return void (yield tell(
        `cell ${at} of ${what} is ${hex(phandle)}, and no node has that phandle`,
        'write <&LABEL …>',
      ));
    if (!provider.has(cellsName) && !optional)
      return void (yield {
        node,
        message: `${what} leads to ${provider.path}, which has no ${cellsName}`,
        remedy: `add ${cellsName} to ${provider.path}, or mend the reference`,
      });
    const more = provider.cell(cellsName) ?? 0;
    if (cells.length < at + 1 + more)
      yield tell(`${what} ends within an entry: ${provider.path} has ${cellsName} = <${more}>`);
    at += 1 + more;
  }
}

/** The two checks of a kind of reference: the provider's number of cells, and the references themselves. */
function provided(name: string, property: string, cells: string, optional = false): readonly Warning[] {
  return [
    {
      name: `${name}_property`,
      level: 'warning',
      after: [`${name}_is_cell`, 'phandle_references'],
      summary: `\`${property}\` is references, each with as many cells as \`${cells}\` of the node it leads to says.`,
      remedy: `write ${property} = <&LABEL …>; with all of its cells`,
      *run(node, state) {
        const found = node.get(property);
        if (found) yield* phandlesWithCells(node, found, cells, state, optional);
      },
    },
    isCell(`${name}_is_cell`, cells),
  ];
}

const isGpio = (name: string): boolean => !name.endsWith(',nr-gpios') && /(?:^|-)gpios?$/.test(name);

const gpioProperties = (node: Node): Property[] => [...node.properties.values()].filter(({ name }) => isGpio(name));

const gpios: Warning = {
  name: 'gpios_property',
  level: 'warning',
  after: ['phandle_references'],
  summary: '`gpios` and `…-gpios` are references, each with as many cells as `#gpio-cells` of the controller says.',
  remedy: 'write <&LABEL …> with all of its cells',
  *run(node, state) {
    if (node.has('gpio-hog')) return;
    for (const property of gpioProperties(node)) yield* phandlesWithCells(node, property, '#gpio-cells', state);
  },
};

const deprecatedGpio: Warning = {
  name: 'deprecated_gpio_property',
  level: 'off',
  summary: '`gpio` and `…-gpio` are deprecated.',
  remedy: 'call it …-gpios',
  *run(node) {
    for (const property of gpioProperties(node))
      if (property.name.endsWith('gpio'))
        yield { node, property, message: `'${property.name}' of ${node.path} is a deprecated name` };
  },
};

const isInterruptProvider = (node: Node): boolean => node.has('interrupt-controller') || node.has('interrupt-map');

const interruptProvider: Warning = {
  name: 'interrupt_provider',
  level: 'warning',
  summary: 'A node with `interrupt-controller` or `interrupt-map` has `#interrupt-cells` and `#address-cells`.',
  remedy: 'add #interrupt-cells = <2>; and #address-cells = <0>;',
  *run(node) {
    if (!isInterruptProvider(node)) return;
    for (const name of ['#interrupt-cells', '#address-cells'])
      if (!node.has(name)) yield { node, message: `${node.path} takes interrupts, and has no ${name}` };
  },
};

/** The node that a node's interrupts go to, with what is wrong on the way there. */
function interruptParentOf(node: Node, state: State): { to?: Node; complaints: Complaint[]; lost?: boolean } {
  for (let from: Node | null = node; from; from = from.parent) {
    if (from !== node && isInterruptProvider(from)) return { to: from, complaints: [] };
    const property = from.get('interrupt-parent');
    if (!property) continue;
    const phandle = property.cells[0] ?? 0;
    const bad = (what: string): Complaint => ({
      node: from!,
      property,
      message: `'interrupt-parent' of ${from!.path} ${what}`,
      remedy: 'write interrupt-parent = <&LABEL>;',
    });
    if (isNoPhandle(phandle))
      return state.tree.plugin ? { complaints: [], lost: true } : { complaints: [bad('refers to nothing')] };
    const to = state.byPhandle(phandle);
    if (!to) return { complaints: [bad(`is ${hex(phandle)}, and no node has that phandle`)], lost: true };
    const message = `${to.path} gets interrupts, and has neither interrupt-controller nor interrupt-map`;
    return {
      to,
      complaints: isInterruptProvider(to)
        ? []
        : [{ node: to, message, remedy: 'let interrupt-parent lead to a controller' }],
    };
  }
  return { complaints: [] };
}

const interrupts: Warning = {
  name: 'interrupts_property',
  level: 'warning',
  summary:
    '`interrupts` is whole entries of as many cells as `#interrupt-cells` of the controller says, and it is known which that is.',
  remedy: 'write <&LABEL> of the controller as interrupt-parent, and whole entries',
  *run(node, state) {
    const property = node.get('interrupts');
    if (!property) return;
    if (property.value.length % 4 !== 0)
      yield {
        node,
        property,
        message: `'interrupts' of ${node.path} has ${byteCount(property)}, which are no whole cells`,
      };
    const { to, complaints, lost } = interruptParentOf(node, state);
    yield* complaints;
    if (lost) return;
    if (!to) return void (yield { node, message: `nothing says where the interrupts of ${node.path} go` });
    const cells = to.cell('#interrupt-cells');
    if (cells === undefined || isMultiple(property.value.length, cells * 4)) return;
    yield {
      node,
      property,
      message: `'interrupts' of ${node.path} has ${byteCount(property)}, and ${to.path} takes ${cells} cells for each`,
    };
  },
};

const interruptMap: Warning = {
  name: 'interrupt_map',
  level: 'warning',
  after: ['phandle_references', 'addr_size_cells', 'interrupt_provider'],
  summary:
    '`interrupt-map` is whole entries of child address, child interrupt, controller, and that controller’s address and interrupt; `interrupt-map-mask` has the cells of the first two (dtc 1.7).',
  remedy: 'write <child-address child-interrupt &CONTROLLER parent-address parent-interrupt …>',
  *run(node, state) {
    const map = node.get('interrupt-map');
    if (!map) return;
    const tell = (message: string, property = map): Complaint => ({ node, property, message });
    if (state.stated(node).address === -1)
      return void (yield { node, message: `${node.path} has an interrupt-map, and no #address-cells` });
    const own = state.addressCells(node) + (node.cell('#interrupt-cells') ?? 0);
    const mask = node.get('interrupt-map-mask');
    if (mask && mask.value.length !== own * 4)
      yield tell(
        `'interrupt-map-mask' of ${node.path} has ${byteCount(mask)}, and an address and an interrupt have ${own * 4}`,
        mask,
      );
    if (map.value.length % 4 !== 0)
      return void (yield tell(`'interrupt-map' of ${node.path} has ${byteCount(map)}, which are no whole cells`));
    const { cells } = map;
    for (let at = 0; at < cells.length;) {
      at += own;
      if (at >= cells.length) return void (yield tell(`'interrupt-map' of ${node.path} ends within an entry`));
      const phandle = cells[at]!;
      if (isNoPhandle(phandle) && state.tree.plugin) return;
      const to = isNoPhandle(phandle) ? undefined : state.byPhandle(phandle);
      if (!to)
        return void (yield tell(
          `cell ${at} of 'interrupt-map' of ${node.path} is ${hex(phandle)}, and no node has that phandle`,
        ));
      const irqCells = to.cell('#interrupt-cells');
      if (irqCells === undefined)
        return void (yield {
          node,
          message: `'interrupt-map' of ${node.path} leads to ${to.path}, which has no #interrupt-cells`,
        });
      if (!to.has('#address-cells'))
        yield tell(`'interrupt-map' of ${node.path} leads to ${to.path}, which has no #address-cells`);
      at += 1 + irqCells + (to.cell('#address-cells') ?? 0);
      if (at > cells.length) yield tell(`'interrupt-map' of ${node.path} ends within an entry`);
    }
  },
};

/** References with cells of their own behind them. */
export const providerWarnings: readonly Warning[] = [
  provided('clocks', 'clocks', '#clock-cells'),
  provided('cooling_device', 'cooling-device', '#cooling-cells'),
  provided('dmas', 'dmas', '#dma-cells'),
  provided('hwlocks', 'hwlocks', '#hwlock-cells'),
  provided('interrupts_extended', 'interrupts-extended', '#interrupt-cells'),
  provided('io_channels', 'io-channels', '#io-channel-cells'),
  provided('iommus', 'iommus', '#iommu-cells'),
  provided('mboxes', 'mboxes', '#mbox-cells'),
  provided('msi_parent', 'msi-parent', '#msi-cells', true),
  provided('mux_controls', 'mux-controls', '#mux-control-cells'),
  provided('phys', 'phys', '#phy-cells'),
  provided('power_domains', 'power-domains', '#power-domain-cells'),
  provided('pwms', 'pwms', '#pwm-cells'),
  provided('resets', 'resets', '#reset-cells'),
  provided('sound_dai', 'sound-dai', '#sound-dai-cells'),
  provided('thermal_sensors', 'thermal-sensors', '#thermal-sensor-cells'),
].flat();

/** GPIOs and interrupts. */
export const lineWarnings: readonly Warning[] = [deprecatedGpio, gpios, interrupts, interruptProvider, interruptMap];
