import { guest, inPartition, inPartitions, onBoard, type Examples } from './example.js';

const two = (first: string, second = ''): string => `${guest('one', '', first)}\n${guest('two', '', second)}`;

/** Examples for the rules on cores and what of them is guaranteed. */
export const cores: Examples = {
  'exit-costs-exceed-quantum': inPartitions(
    `quantum = <1000>;\nexit-cycles = <1000>;\n${guest('hello')}`,
    `quantum = <100000>;\nexit-cycles = <1000>;\n${guest('hello')}`,
  ),
  'affinity-unknown-core': inPartition('affinity = <1>;', 'affinity = <0>;'),
  'affinity-core-twice': inPartition('affinity = <0 0>;', 'affinity = <0>;'),
  'cores-over-committed': inPartitions(
    two('guarantee = <70>;', 'guarantee = <40>;'),
    two('guarantee = <70>;', 'guarantee = <30>;'),
  ),
  'guarantees-leave-nothing': inPartitions(two('guarantee = <100>;'), two('guarantee = <90>;')),
  'guarantee-in-rare-turns': onBoard(
    '&partitions {\n\tquantum = <4000000>;\n\tguest { guarantee = <5>; };\n};',
    '&partitions {\n\tquantum = <2000000>;\n\tguest { guarantee = <5>; };\n};',
  ),
};
