import { exitKinds, partitions as binding } from '../bindings/partitions.js';
import { at, type Rule } from './rule.js';

const costs = [
  'exit-cycles',
  ...exitKinds.map((kind) => `exit-cycles-${kind}`),
  'run-ahead-cycles',
  'world-switch-cycles',
];

const costsExceedQuantum: Rule = {
  name: 'exit-costs-exceed-quantum',
  severity: 'warning',
  over: 'partitions',
  reads: ['quantum', ...costs],
  summary: 'One exit costs less than a turn, a quantum or by a guarantee half of one: otherwise a guest hardly runs.',
  remedy: 'Make the quantum many times the cost of an exit.',
  *run(node, { partitions }) {
    const quantum = node.cell('quantum') ?? binding.properties.quantum.default;
    const halved = partitions.some((partition) => partition.has('guarantee'));
    const half = Math.ceil(quantum / 2);
    for (const name of costs) {
      const cost = node.cell(name);
      if (cost === undefined || cost < (halved ? half : quantum)) continue;
      const turn = cost < quantum ? `a turn by a guarantee, half a quantum, has ${half}` : `a quantum has ${quantum}`;
      yield {
        ...at(node, name),
        message: `'${name}' is ${cost}, and ${turn} cycles: a guest would hardly run`,
        remedy: `make quantum many times that: quantum = <${Math.min(cost * 100, 0xffffffff)}>;`,
      };
    }
  },
};

/** What can be wrong with how partitions share the core. */
export const scheduleRules: readonly Rule[] = [costsExceedQuantum];
