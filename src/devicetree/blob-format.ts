/** The flattened format of the device-tree specification, chapter 5: what its blocks begin with, in 32-bit words. */
export const MAGIC = 0xd00dfeed;
export const VERSION = 17;
/** The oldest version that a reader of this one has to understand it is written as. */
export const LAST_COMPATIBLE = 16;
/** Bytes of the header of version 17. */
export const HEADER_SIZE = 40;
/** Bytes of an entry of the memory reservation block; the last one is all zero. */
export const RESERVATION_SIZE = 16;

/** What stands at a place of the structure block (section 5.4.1). */
export const token = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 } as const;

/** The words of the header, in order (section 5.2). */
export const headerFields = [
  'magic',
  'totalsize',
  'off_dt_struct',
  'off_dt_strings',
  'off_mem_rsvmap',
  'version',
  'last_comp_version',
  'boot_cpuid_phys',
  'size_dt_strings',
  'size_dt_struct',
] as const;

/** The header, its fields by the specification's names. */
export type Header = Record<(typeof headerFields)[number], number>;

export const align4 = (offset: number): number => (offset + 3) & ~3;
