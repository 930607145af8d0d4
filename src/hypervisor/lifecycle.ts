import type { StoppedBy } from '../board/machine.js';

/** Topaz's partition states; FH_PARTITION_GET_STATUS gives the place in this list. */
export const PARTITION_STATES = [
  'stopped', // it does not run: it never was started, it ended, or it was stopped
  'running', // it has its turns, even where it only waits for an interrupt
  'starting', // its image is being loaded, in its own turns
  'stopping',
  'pausing',
  'paused', // it has no turns, and its time stands still
  'resuming',
] as const;
export type PartitionState = (typeof PARTITION_STATES)[number];

/** What can be asked of a partition. */
export const ASKS = ['start', 'stop', 'pause', 'resume', 'restart'] as const;
export type Ask = (typeof ASKS)[number];
export const isAsk = (word: string): word is Ask => (ASKS as readonly string[]).includes(word);

type States = Readonly<Record<Ask, readonly PartitionState[]>>;

/** In which states a guest's call is not refused: Topaz, start_guest, stop_guest, restart_guest and so on. */
// prettier-ignore
const byCall: States = {
  start:   ['stopped'],
  stop:    ['running', 'paused'],
  pause:   ['running'],
  resume:  ['paused'],
  restart: ['running'],
};

/** A person need not know what has become of a partition to have it start anew, or to be rid of it. */
// prettier-ignore
const byCommand: States = {
  start:   ['stopped'],
  stop:    ['running', 'starting', 'paused'],
  pause:   ['running'],
  resume:  ['paused'],
  restart: ['stopped', 'running', 'starting', 'paused'],
};

/** Whether somebody may ask this of a partition in that state. */
export const mayAsk = (ask: Ask, state: PartitionState, by: StoppedBy): boolean =>
  (by === 'shell' ? byCommand : byCall)[ask].includes(state);

/** Why it is refused, for a person. */
export function refusal(name: string, ask: Ask, state: PartitionState): string {
  const inStates = byCommand[ask].join(', ');
  return `partition '${name}' is ${state}, and '${ask}' is for one that is ${inStates.replace(/, ([^,]*)$/, ' or $1')}`;
}

/** What a stopped partition's next guest reads in /hypervisor: fsl,hv-stopped-by and fsl,hv-reason-stopped. */
export interface StopReason {
  readonly by: StoppedBy;
  /** `stop`, `restart`, or for a watchdog `vcpu-0`. */
  readonly reason: string;
}
