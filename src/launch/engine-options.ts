/** What `--engine` can ask for. All give the same results, to the instruction; they differ in speed. */
export const engineNames = ['auto', 'translator', 'interpreter', 'reference'] as const;

/** Options of commands that run programs. */
export interface EngineOptions {
  readonly engine?: (typeof engineNames)[number];
  /** Instructions whose translations are kept at a time. */
  readonly codeCache?: number;
}
