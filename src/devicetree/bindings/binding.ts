/** What a property's value is made of. */
export type PropertyType =
  | 'flag' // no value; that it is there says it
  | 'cell' // one 32-bit number
  | 'cells'
  | 'ranges64' // base and size, 64 bits each: four cells a range
  | 'reg' // address and size, in the cells that the parent declares
  | 'interrupts' // line and type: two cells an interrupt
  | 'dcrs' // first device control register and how many: two cells a run of them
  | 'phandle' // a reference to another node: <&label>
  | 'phandles'
  | 'string'
  | 'strings'
  | 'duration' // simulated time, as text: 10 ms
  | 'regex' // a regular expression, as text
  | 'regexes'
  | 'path' // a file, relative to the one that holds the property
  | 'console' // a node of the partition by name, or by reference
  | 'ranges'; // how a bus passes addresses on: cells, or nothing

/** What may be said by one property. */
export interface PropertySpec {
  readonly type: PropertyType;
  /** One sentence: what it means, in which unit. */
  readonly meaning: string;
  /** Who says so. */
  readonly source: string;
  /** A value as one writes it, for remedies and documentation: `<1>`. */
  readonly example: string;
  readonly required?: boolean;
  /** What holds where it is left out: the value itself … */
  readonly default?: number | string;
  /** … or in words, where it depends on something else. */
  readonly otherwise?: string;
  /** Least and greatest number, for cells. */
  readonly min?: number;
  readonly max?: number;
  /** The strings that it may be. */
  readonly values?: readonly string[];
  /** How many interrupts, exactly. */
  readonly interrupts?: number;
  /** Least size in bytes, and what the base must be a multiple of, for `reg`. */
  readonly minSize?: number;
  readonly alignment?: number;
}

export type Properties = Readonly<Record<string, PropertySpec>>;

/**
 * Where a node stands: below the board's root, at `/partitions`, directly in it, or in a partition; at `/test`, directly in it,
 * or in a script; at `/test/matrix`, or directly in it.
 */
export type Place = 'board' | 'root' | 'partitions' | 'partition' | 'test' | 'script' | 'step' | 'matrix' | 'axis';

/** What a kind of node may say. */
export interface Binding {
  readonly title: string;
  readonly place: Place;
  /** It is told by its `compatible`, or, for what the specification tells so, by its `device_type`; without either, by its place alone. */
  readonly compatible?: readonly string[];
  readonly deviceType?: string;
  /** Whether a property that is not listed is a mistake: so for nodes that only hv440 reads. */
  readonly closed: boolean;
  /** A paragraph on what the node is for. */
  readonly meaning: string;
  readonly properties: Properties;
  readonly example: string;
}

export const SPEC = 'Devicetree Specification 0.4';
export const EPAPR = 'ePAPR 1.1';
export const HV440 = 'hv440';
