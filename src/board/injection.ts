/** What somebody outside does to a machine beyond typing: faults, and changes by hand. Plain data; an input of the run. */
export type Injection =
  /** Bytes of a partition's memory become others, at a guest-physical address. */
  | { readonly kind: 'memory'; readonly partition: string; readonly address: number; readonly bytes: readonly number[] }
  /** A partition dies where it is, as by a machine check that it cannot take. */
  | { readonly kind: 'crash'; readonly partition: string };
