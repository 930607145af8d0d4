import { physicalReg } from '../addresses.js';
import { disabled } from '../partitions.js';
import { at, type Rule } from './rule.js';

const rootIncomplete: Rule = {
  name: 'root-incomplete',
  severity: 'warning',
  over: 'tree',
  summary:
    'The root has `compatible`, `#address-cells` and `#size-cells` (Devicetree Specification 0.4, 3.2): without them every reader guesses.',
  remedy: 'Add what is missing, or include `hv440-board.dtsi`.',
  *run(root) {
    const examples = { compatible: '"amcc,bamboo"', '#address-cells': '<2>', '#size-cells': '<1>' };
    for (const [name, example] of Object.entries(examples))
      if (!root.has(name))
        yield { node: root, message: `the root has no '${name}'`, remedy: `add ${name} = ${example};` };
  },
};

const cpusCells: Rule = {
  name: 'cpus-cells',
  severity: 'warning',
  over: 'tree',
  summary:
    '`/cpus` has `#address-cells = <1>` and `#size-cells = <0>`: a processor has a number, and no size (Devicetree Specification 0.4, 3.7).',
  remedy: 'Write `#address-cells = <1>; #size-cells = <0>;` into `/cpus`.',
  *run(root, context) {
    const cpus = root.children.find(({ name }) => name === 'cpus');
    if (!cpus) return;
    for (const [name, wanted, otherwise] of [
      ['#address-cells', 1, 2],
      ['#size-cells', 0, 1],
    ] as const) {
      const has = cpus.cell(name) ?? otherwise;
      if (has === wanted || !context.sound(cpus, name)) continue;
      const says = cpus.has(name) ? `is ${has}` : `is left out, and counts as ${has}`;
      yield {
        ...at(cpus, name),
        message: `'${name}' of /cpus ${says}, and a processor's reg has one number and no size`,
        remedy: `write ${name} = <${wanted}>;`,
      };
    }
  },
};

const hexadecimal = (value: bigint): string => `0x${value.toString(16)}`;

const reservationOutside: Rule = {
  name: 'reservation-outside-memory',
  severity: 'warning',
  over: 'tree',
  summary: "What `/memreserve/` keeps free is within the board's memory.",
  remedy: 'Mend the address or the size, or take the reservation out.',
  *run(root, context) {
    const memories = context.board.filter((n) => n.get('device_type')?.string === 'memory' && !disabled(n));
    if (memories.length === 0 || memories.some((node) => !context.sound(node, 'reg'))) return;
    const ranges = memories.flatMap(physicalReg);
    for (const { address, size } of context.tree.reservations) {
      const end = address + size;
      const inside = ranges.some((r) => address >= BigInt(r.base) && end <= BigInt(r.base) + BigInt(r.size));
      if (inside || size === 0n) continue;
      yield {
        node: root,
        message: `/memreserve/ keeps ${hexadecimal(address)}–${hexadecimal(end - 1n)} free, where the board has no memory, or not all of it`,
        remedy: 'mend its address or size, or take it out',
      };
    }
  },
};

/** Whether nodes that the specification knows are as it says. */
export const conformanceRules: readonly Rule[] = [rootIncomplete, cpusCells, reservationOutside];
