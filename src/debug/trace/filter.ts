import { exitKinds } from '../../devicetree/bindings/partitions.js';
import { nearest } from '../../devicetree/nearest.js';
import { trapNames } from '../../hypervisor/exit-detail.js';

/** What a trace is of. */
export const eventNames = ['slice', 'exit', 'interrupt', 'console'] as const;
export type EventName = (typeof eventNames)[number];

/** Which events of a run are written; undefined: whatever it is. */
export interface TraceFilter {
  readonly events?: ReadonlySet<string> | undefined;
  /** Kinds of exits and of traps; other events are not asked. */
  readonly kinds?: ReadonlySet<string> | undefined;
  readonly partitions?: ReadonlySet<string> | undefined;
}

/**
 * Read `KEY=VALUE,…`: `event` (slice, exit, interrupt, console), `kind` (of an exit or a trap) and `partition`. Of one key
 * any value may hold, of several keys each must. Gives what is wrong as a sentence.
 */
export function parseFilter(text: string, partitions: readonly string[]): TraceFilter | { readonly problem: string } {
  const known: Readonly<Record<string, readonly string[]>> = {
    event: eventNames,
    kind: [...exitKinds, ...trapNames],
    partition: partitions,
  };
  const found = new Map<string, Set<string>>();
  for (const part of text.split(',')) {
    const [, key = '', value = ''] = /^([^=]*)=?(.*)$/.exec(part.trim()) ?? [];
    const values = Object.hasOwn(known, key) ? known[key] : undefined;
    if (!values) return { problem: `there is no '${key}'; filter by ${Object.keys(known).join('=, ')}=` };
    if (!values.includes(value)) return { problem: unknownValue(key, value, values) };
    found.set(key, (found.get(key) ?? new Set()).add(value));
  }
  return { events: found.get('event'), kinds: found.get('kind'), partitions: found.get('partition') };
}

function unknownValue(key: string, value: string, values: readonly string[]): string {
  const close = nearest(value, values);
  return `there is no ${key} '${value}'; ${close === undefined ? `there are ${values.join(', ')}` : `did you mean '${close}'?`}`;
}

/** Is it wanted? */
export function passes(filter: TraceFilter, event: EventName, kind?: string, partition?: string): boolean {
  if (filter.events && !filter.events.has(event)) return false;
  if (filter.kinds && kind !== undefined && !filter.kinds.has(kind)) return false;
  return !filter.partitions || (partition !== undefined && filter.partitions.has(partition));
}
