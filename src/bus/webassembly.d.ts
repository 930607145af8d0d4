/** The part of WebAssembly that hv440 uses; declared here because the ES library has none and the DOM's is not wanted. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean });
    readonly buffer: SharedArrayBuffer;
  }
}
