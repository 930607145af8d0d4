/** The part of binary-parser that hv440 uses: its own declarations are not found by Node's module resolution. */
declare module 'binary-parser' {
  /** Builds a parser field by field; `T` is what it gives. */
  export class Parser<T extends object = object> {
    endianness(order: 'big' | 'little'): this;
    uint8<K extends string>(name: K): Parser<T & Record<K, number>>;
    uint16<K extends string>(name: K): Parser<T & Record<K, number>>;
    uint32<K extends string>(name: K): Parser<T & Record<K, number>>;
    seek(bytes: number): this;
    /** Throws a RangeError when the bytes end too early. */
    parse(bytes: Uint8Array): T;
  }
}
