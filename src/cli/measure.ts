import { BareMachine } from '../board/bare.js';
import { describeEnding, type Machine } from '../board/machine.js';
import { Clock } from '../bus/clock.js';
import { SharedMemory } from '../bus/memory.js';
import { Expecter, parseExchanges } from '../console/script.js';
import type { PartitionConfiguration } from '../devicetree/configuration.js';
import { configure } from '../devicetree/configuration.js';
import type { Tree } from '../devicetree/tree.js';
import { guestTree } from '../hypervisor/guest-tree.js';
import { Hypervisor } from '../hypervisor/hypervisor.js';
import type { BareCounts } from '../hypervisor/overhead.js';
import { report, type VcpuReport } from '../hypervisor/report.js';
import { engineFor } from '../launch/engines.js';
import { frequencyOf, guestFiles, memorySize, STATE_BYTES } from '../launch/machine.js';
import { UsageError } from '../launch/errors.js';
import type { Files } from '../launch/files.js';

/** Where a run is over. */
export interface Until {
  /** What a guest's console prints, with C escapes; undefined: the guest's end. */
  readonly expect?: string;
  readonly maxInstructions: number;
}

/** How a guest came to where its counts were taken: `printed "…"`, `ended with status 0`, `retired 1000 instructions`, … */
export type Reached = string;

interface Measured<Counts> {
  readonly counts: Counts;
  readonly reached: Reached;
  /** Whether it is where it should be: what was expected has appeared, or it has ended by itself. */
  readonly complete: boolean;
}

export type MeasuredBare = Measured<BareCounts>;
export type MeasuredPartition = Measured<VcpuReport> & { readonly name: string };

const SLICE = 5_000_000;
/** Nothing was printed for so long, and the guests did next to nothing: there is nothing to wait for. */
const QUIET_SECONDS = 60;

/** What is waited for on one stream. Time stops at the very byte that completes it, so that counts are exact. */
class Watch {
  readonly #expecter: Expecter | undefined;
  printed = 0;

  constructor(
    { expect }: Until,
    private readonly clock: Clock,
  ) {
    const exchanges = expect === undefined ? [] : parseExchanges([expect], []);
    if ('problem' in exchanges) throw new UsageError(exchanges.problem);
    this.#expecter = exchanges.length > 0 ? new Expecter(exchanges) : undefined;
  }

  readonly feed = (byte: number): void => {
    this.printed += 1;
    if (this.done) return;
    this.#expecter?.feed(byte);
    if (this.done) this.clock.hold(this);
  };

  get done(): boolean {
    return this.#expecter?.endsRun ?? false;
  }

  release(): void {
    this.clock.release(this);
  }
}

interface Driven {
  readonly machine: Machine;
  readonly frequency: number;
  readonly watches: readonly Watch[];
  /** Called when time stands still since something has appeared. */
  appeared(): void;
  /** Whether nothing is waited for any more. */
  over(): boolean;
}

/** Run until it is over; gives why it ended otherwise, or undefined. */
function drive({ machine, frequency, watches, appeared, over }: Driven, limit: number): Reached | undefined {
  const printed = (): number => watches.reduce((sum, w) => sum + w.printed, 0);
  let quiet = { cycle: 0, printed: 0 };
  for (;;) {
    const left = limit - machine.retired;
    if (left <= 0) return `retired ${limit.toLocaleString('en-US')} instructions`;
    const progress = machine.run(Math.min(SLICE, left));
    appeared();
    if (over()) return undefined;
    if (progress.kind === 'ended') return describeEnding(progress.ending);
    if (printed() !== quiet.printed) quiet = { cycle: machine.clock.now, printed: printed() };
    if (progress.kind !== 'idle') continue;
    if (progress.until === Infinity) return 'waits for ever';
    if (machine.clock.now - quiet.cycle > QUIET_SECONDS * frequency)
      return `printed nothing for ${QUIET_SECONDS} s of its time`;
    machine.skip(progress.until);
  }
}

const appearedText = ({ expect = '' }: Until): Reached => `printed ${JSON.stringify(expect)}`;

/**
 * The machine that a partition's guest believes it has, without the hypervisor. The tree's node for that stays, as guests that
 * read it take longer for a longer one; but the property that tells how to call has another name, so that nobody does.
 */
function bareTree(config: PartitionConfiguration, tree: Tree): Tree {
  const own = guestTree(config, tree, 1);
  const node = own.find('/hypervisor');
  const call = node?.get('hcall-instructions');
  if (!node || !call) return own;
  const others = [...node.properties.values()];
  node.properties.clear();
  for (const property of others) node.set(property === call ? NO_CALLS : property.name, property.value, property.form);
  return own;
}

/** As long as `hcall-instructions`. */
const NO_CALLS = 'hv440,bare-machine';

/** Run a partition's image with nothing between it and the machine. */
export function measureBare(config: PartitionConfiguration, tree: Tree, files: Files, until: Until): MeasuredBare {
  const clock = new Clock();
  const watch = new Watch(until, clock);
  const own = bareTree(config, tree);
  const machine = new BareMachine({
    memory: new SharedMemory(memorySize(own) + STATE_BYTES),
    clock,
    engine: engineFor(own, {}),
    tree: own,
    transmit: (stream) => (stream === `board/${config.stdout}` ? watch.feed : () => {}),
    recordInput: () => {},
    restart: false,
  });
  const problem = machine.start({ ...guestFiles(config, files), tree: own });
  if (problem) throw new UsageError(`${config.name} on the bare board: ${problem.problem}`);
  const why = drive(
    { machine, frequency: frequencyOf(own), watches: [watch], appeared: () => {}, over: () => watch.done },
    until.maxInstructions,
  );
  const { idleCycles, interrupts } = machine.account;
  const delivered = [...interrupts.values()].reduce((sum, n) => sum + n, 0);
  return {
    counts: { instructions: machine.retired, interrupts: delivered, idle: idleCycles },
    reached: why ?? appearedText(until),
    complete: why === undefined || (until.expect === undefined && machine.programs.every((p) => p.ending)),
  };
}

/** Run a configuration, and take each partition's counts where it has got to what it is waited for. */
export function measurePartitions(tree: Tree, files: Files, until: Until): MeasuredPartition[] {
  const clock = new Clock();
  const configuration = configure(tree);
  const watches = new Map(configuration.partitions.map(({ name }) => [name, new Watch(until, clock)]));
  const console = new Map(
    configuration.partitions.map(({ name, stdout }) => [`${name}/${stdout}`, watches.get(name)!]),
  );
  const machine = new Hypervisor({
    memory: new SharedMemory(memorySize(tree) + STATE_BYTES),
    clock,
    engine: engineFor(tree, {}),
    tree,
    configuration,
    transmit: (stream) => console.get(stream)?.feed ?? (() => {}),
    recordInput: () => {},
    log: () => {},
  });
  const guests = new Map(configuration.partitions.map((config) => [config.name, guestFiles(config, files)]));
  const problem = machine.start(guests);
  if (problem) throw new UsageError(problem.problem);
  const taken = new Map<string, VcpuReport>();
  const countsOf = (name: string): VcpuReport => report(machine).partitions.find((p) => p.name === name)!.vcpus[0]!;
  const appeared = (): void => {
    for (const [name, watch] of watches) {
      if (!watch.done || taken.has(name)) continue;
      taken.set(name, countsOf(name));
      watch.release();
    }
  };
  const over = (): boolean => machine.partitions.every((p) => !p.running || taken.has(p.name));
  const why = drive(
    { machine, frequency: frequencyOf(tree), watches: [...watches.values()], appeared, over },
    until.maxInstructions,
  );
  return machine.partitions.map(({ name, ending }) => ({
    name,
    counts: taken.get(name) ?? countsOf(name),
    reached: taken.has(name) ? appearedText(until) : ending ? describeEnding(ending) : (why ?? 'runs'),
    complete: taken.has(name) || (until.expect === undefined && ending !== undefined),
  }));
}
