/** The program and arguments of a server that listens at a port, in a scenario. */
export type Server = (scenario: string, port: number, without?: string) => readonly [string, readonly string[]];
export const ours: Server;
export const qemus: Server;
/** What became of each item, in all scenarios: `ok`, or `no: ` and why. */
export function score(server: Server): Promise<Map<string, { readonly scenario: string; readonly result: string }>>;
/** A line for each item that is there: whether it fails when it is switched off. */
export function withoutEach(results: Awaited<ReturnType<typeof score>>): AsyncGenerator<string>;
