/** The part of WebAssembly that hv440 uses; declared here because the ES library has none and the DOM's is not wanted. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: SharedArrayBuffer;
  }
  class Table {
    constructor(descriptor: { element: 'anyfunc'; initial: number; maximum?: number });
    readonly length: number;
    grow(by: number): number;
    set(index: number, value: Callable | null): void;
  }
  type Callable = (...words: number[]) => number;
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  const Module: {
    new (bytes: Uint8Array<ArrayBuffer>): Module;
    imports(module: Module): { name: string; kind: 'memory' | 'table' | 'function' }[];
  };
  class Instance {
    constructor(module: Module, imports: { env: Readonly<Record<string, Memory | Table | Callable>> });
    readonly exports: Readonly<Record<string, Callable>>;
  }
}
