/** Our own mistakes stop the program here. Neither a guest nor a user can reach one. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`hv440 is broken: ${message}`);
}
