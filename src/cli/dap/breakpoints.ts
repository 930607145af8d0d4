import type { DebugProtocol as Dap } from '@vscode/debugprotocol';
import type { Breakpoint } from '../../debug/breakpoints.js';
import type { Client, Debugger } from '../../debug/debugger.js';
import type { Target } from '../../debug/target.js';
import { evaluate, type Programs } from './programs.js';

/** A breakpoint for some targets. */
export interface Placed {
  readonly breakpoint: Breakpoint;
  readonly targets: ReadonlySet<Target>;
  /** Its number in the client's eyes, and what kind of breakpoint it is. */
  readonly id?: number;
  readonly reason: string;
}

/** What may be asked of a breakpoint beside its place. */
interface Terms {
  readonly condition?: string;
  readonly hitCondition?: string;
  readonly logMessage?: string;
}

/** The breakpoints that the client has set, by where they come from: a source file, functions, instructions, data. */
export class DapBreakpoints {
  readonly #sets = new Map<string, readonly Placed[]>();
  #ids = 0;

  constructor(
    private readonly debug: Debugger,
    private readonly client: Client,
    private readonly programs: Programs,
    private readonly log: (text: string) => void,
  ) {}

  #running(): readonly Target[] {
    return this.debug.targets.filter(({ runs }) => runs);
  }

  /** Replace all of one origin; a step's own go with them. */
  set(origin: string, placed: readonly Placed[]): void {
    if (placed.length === 0 && !this.#sets.has(origin)) return;
    this.#sets.set(origin, placed);
    this.debug.setBreakpoints(this.client, [...this.#sets.values()].flat());
  }

  /** What a stop at this breakpoint is to be called. */
  find(breakpoint: Breakpoint): Placed | undefined {
    return [...this.#sets.values()].flat().find((placed) => placed.breakpoint === breakpoint);
  }

  source(path: string, wanted: readonly Dap.SourceBreakpoint[]): Dap.Breakpoint[] {
    const all: Placed[] = [];
    const answers = wanted.map(({ line, ...terms }): Dap.Breakpoint => {
      const id = ++this.#ids;
      let found: number | undefined;
      for (const target of this.#running()) {
        const place = this.programs.of(target.process).places(path, line);
        if (!place) continue;
        found = found === undefined ? place.line : Math.min(found, place.line);
        for (const address of place.addresses) all.push(this.#execute(id, address, [target], 'breakpoint', terms));
      }
      if (found === undefined) return { id, verified: false, message: 'no program has code for this line' };
      return { id, verified: true, line: found };
    });
    this.set(`source ${path}`, all);
    return answers;
  }

  /** By symbol, `PARTITION:symbol` for one partition's alone. */
  functions(wanted: readonly Dap.FunctionBreakpoint[]): Dap.Breakpoint[] {
    const all: Placed[] = [];
    const answers = wanted.map(({ name, ...terms }): Dap.Breakpoint => {
      const id = ++this.#ids;
      const [, partition, symbol = name] = /^([^:]+):(.+)$/.exec(name) ?? [];
      let address: number | undefined;
      for (const target of this.#running()) {
        const at = this.programs.of(target.process).find(symbol);
        if (at === undefined || (partition !== undefined && partition !== target.process.name)) continue;
        address = at;
        all.push(this.#execute(id, at, [target], 'function breakpoint', terms));
      }
      if (address === undefined) return { id, verified: false, message: `no program has a symbol '${symbol}'` };
      return { id, verified: true, instructionReference: `0x${address.toString(16)}` };
    });
    this.set('functions', all);
    return answers;
  }

  instructions(
    wanted: readonly Dap.InstructionBreakpoint[],
    place: (reference: string) => { readonly address: number; readonly targets: readonly Target[] } | undefined,
  ): Dap.Breakpoint[] {
    const all: Placed[] = [];
    const answers = wanted.map(({ instructionReference, offset = 0, ...terms }): Dap.Breakpoint => {
      const id = ++this.#ids;
      const found = place(instructionReference);
      if (!found) return { id, verified: false, message: `'${instructionReference}' is no address` };
      const address = (found.address + offset) >>> 0;
      all.push(this.#execute(id, address, found.targets, 'instruction breakpoint', terms));
      return { id, verified: true, instructionReference: `0x${address.toString(16)}` };
    });
    this.set('instructions', all);
    return answers;
  }

  /** `dataId` is `TARGET ADDRESS LENGTH`, as `dataBreakpointInfo` gives it. */
  data(wanted: readonly Dap.DataBreakpoint[]): Dap.Breakpoint[] {
    const all: Placed[] = [];
    const answers = wanted.map(({ dataId, accessType = 'write', ...terms }): Dap.Breakpoint => {
      const id = ++this.#ids;
      const [name, address, length] = dataId.split(' ');
      const target = this.#running().find((each) => each.name === name);
      if (!target || address === undefined) return { id, verified: false, message: `'${dataId}' is unknown` };
      const kind = accessType === 'readWrite' ? 'access' : accessType;
      const place = { kind, space: 'effective', address: Number(address), length: Number(length) } as const;
      all.push({
        breakpoint: { ...place, ...this.#condition(terms) },
        targets: new Set([target]),
        id,
        reason: 'data breakpoint',
      });
      return { id, verified: true };
    });
    this.set('data', all);
    return answers;
  }

  #execute(id: number, address: number, targets: readonly Target[], reason: string, terms: Terms): Placed {
    const place = { kind: 'execute', space: 'effective', address, length: 4 } as const;
    return { breakpoint: { ...place, ...this.#condition(terms) }, targets: new Set(targets), id, reason };
  }

  /** Conditions that cannot be read stop, and say why. A log message is said instead of stopping. */
  #condition({ condition, hitCondition, logMessage }: Terms): Pick<Breakpoint, 'condition'> {
    if (!condition && !hitCondition && !logMessage) return {};
    let hits = 0;
    const holds = (target: Target, text: string): boolean => {
      try {
        return evaluate(text, target, this.programs.of(target.process)) !== 0;
      } catch (error) {
        this.log(`condition ${text}: ${(error as Error).message}\n`);
        return true;
      }
    };
    return {
      condition: (target) => {
        if (condition && !holds(target, condition)) return false;
        hits += 1;
        if (hitCondition && !hitsEnough(hits, hitCondition)) return false;
        if (!logMessage) return true;
        this.log(`${this.#message(logMessage, target)}\n`);
        return false;
      },
    };
  }

  #message(text: string, target: Target): string {
    return text.replaceAll(/\{([^}]*)\}/g, (_, expression: string) => {
      try {
        return `0x${evaluate(expression, target, this.programs.of(target.process)).toString(16)}`;
      } catch (error) {
        return `{${(error as Error).message}}`;
      }
    });
  }
}

/** `5` and `>=5`: from the fifth time on; `==5`: the fifth time; `%5`: every fifth time. */
function hitsEnough(hits: number, text: string): boolean {
  const [, sign, number] = /^\s*(==|=|>=|>|%)?\s*(\d+)\s*$/.exec(text) ?? [];
  const count = Number(number);
  if (number === undefined || count === 0) return true;
  if (sign === '%') return hits % count === 0;
  if (sign === '>') return hits > count;
  return sign === undefined || sign === '>=' ? hits >= count : hits === count;
}
