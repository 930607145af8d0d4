import { guest, inPartitions, type Examples } from './example.js';

const shared = (size = '<0x0 0x10000>'): string =>
  `pool: pool { compatible = "hv440,shared-memory"; size = ${size}; };`;
const window = (more = '', size = '0x10000', memory = 'pool'): string =>
  `pool@80000000 { compatible = "hv440,shared-memory-window"; shared-memory = <&${memory}>; reg = <0x80000000 ${size}>;${more} };`;
const sharing = `${shared()}\n${guest('one', window())}\n${guest('two', window(' read-only;'))}`;

/** Examples for the rules on memory that is shared. */
export const sharedMemories: Examples = {
  'shared-memory-size': inPartitions(
    `${shared('<0x0 0x10800>')}\n${guest('one', window())}\n${guest('two', window())}`,
    sharing,
  ),
  'shared-memory-unknown': inPartitions(guest('one', window('', '0x10000', 'one')), sharing),
  'shared-memory-window-size': inPartitions(
    `${shared()}\n${guest('one', window())}\n${guest('two', window('', '0x8000'))}`,
    sharing,
  ),
  'shared-memory-seen-twice': inPartitions(
    `${shared()}\n${guest('one', window())}\n${guest('two', `${window(' read-only;')}\n\t${window().replaceAll('8000', '9000')}`)}`,
    sharing,
  ),
  'shared-memory-one-ended': inPartitions(`${shared()}\n${guest('one', window())}`, sharing),
  'shared-memory-not-written': inPartitions(
    `${shared()}\n${guest('one', window(' read-only;'))}\n${guest('two', window(' read-only;'))}`,
    sharing,
  ),
  'shared-memory-unused': inPartitions(`${shared()}\n${guest('one')}`, sharing),
};
