import type { Duration as Time } from '../devicetree/duration.js';
import type { Act } from '../devicetree/test-plan.js';
import type { TestBoard } from './test-board.js';

/** Has a fault happen that a step of a test asks for, at this very cycle. */
export function inject(
  { inject: faults }: TestBoard,
  act: Extract<Act, { kind: 'inject' }>,
  stream: string,
  partition: string,
): void {
  const { fault, address = 0, bit = 0, device = '', count, text = new Uint8Array() } = act;
  const line = device === '' ? stream : `${partition}/${device}`;
  const during = act.during && { during: asText(act.during) };
  switch (fault) {
    case 'crash':
      return faults.crash(partition);
    case 'bit-flip':
      return faults.flipBit(partition, address, bit);
    case 'bus-error':
      return faults.busError(partition, device, { ...(count !== undefined && { count }), ...during });
    case 'lost-interrupt':
      return faults.loseInterrupt(partition, device, { ...during });
    case 'spurious-interrupt':
      return faults.spuriousInterrupt(partition, device);
    case 'flood':
      return faults.flood(line, text);
    case 'congestion':
      return faults.congest(line, { ...during });
    default:
      return faults.serialError(stream, fault);
  }
}

const asText = (duration: Time): string | number =>
  'cycles' in duration ? `${duration.cycles} cycles` : duration.seconds;
