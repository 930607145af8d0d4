import type { Amendment } from '../board/inputs.js';
import type { Injection } from '../board/injection.js';
import type { Ending } from '../board/machine.js';
import type { ExitKind } from '../devicetree/bindings/partitions.js';
import { didYouMean } from '../devicetree/suggest.js';
import { translate } from '../debug/memory.js';
import type { Target } from '../debug/target.js';
import type { FaultKind } from '../hypervisor/fault-kinds.js';
import type { FaultReport } from '../hypervisor/fault-report.js';
import type { Ask } from '../hypervisor/lifecycle.js';
import type { Partition } from '../hypervisor/partition.js';
import { report, type VcpuReport } from '../hypervisor/report.js';
import type { Hypervisor } from '../hypervisor/hypervisor.js';
import { UsageError } from '../launch/errors.js';
import type { Within } from './console-stream.js';
import type { Duration } from './duration.js';

/** What a partition needs of its board. */
export interface PartitionHost {
  readonly hypervisor: Hypervisor;
  readonly targets: readonly Target[];
  faults(): readonly FaultReport[];
  wait<T>(what: string, within: Duration | undefined, look: () => T | undefined): Promise<T>;
  ask(ask: Ask): void;
  inject(injection: Injection): void;
  amend(amendment: Amendment): void;
  fail(reason: string): Error;
}

/** Where memory is read or written: a guest-physical address, or a name of the image's: `jiffies`, `init_uts_ns+0x4`. */
export type Address = number | string;

/** Which addresses are meant. */
export interface Space {
  /** Effective addresses, as its program has them mapped now. Names are always effective addresses. */
  readonly virtual?: boolean;
  /** Whose. Default the first. */
  readonly vcpu?: number;
}

/** A partition of a board under test. */
export class TestPartition {
  #resetsSeen = 0;
  #faultsSeen = 0;

  /** Made by the board. */
  constructor(
    private readonly partition: Partition,
    private readonly host: PartitionHost,
  ) {}

  get name(): string {
    return this.partition.name;
  }

  /** `running`, `paused`, `stopped`, `starting`; of one that has ended: `finished`, `reset`, `halted`, `checkstop`, `fault-loop`. */
  get state(): ReturnType<typeof stateOf> {
    return stateOf(this.partition);
  }

  /** How it ended; undefined while it has not. */
  get ending(): Ending | undefined {
    return this.partition.ending;
  }

  /** What it died of, or loops in; the oldest first. */
  get faults(): readonly FaultReport[] {
    return this.host.faults().filter(({ program }) => program === this.name);
  }

  /** How often each of its vcpus left the core, by kind, all in one. */
  get exits(): Readonly<Partial<Record<ExitKind, number>>> {
    const counts: Partial<Record<ExitKind, number>> = {};
    for (const { exits } of this.vcpus)
      for (const [kind, { count }] of Object.entries(exits)) {
        const known = kind as ExitKind;
        counts[known] = (counts[known] ?? 0) + count;
      }
    return counts;
  }

  /** What is counted of its vcpus, as `stats` has it. */
  get vcpus(): readonly VcpuReport[] {
    return report(this.host.hypervisor).partitions.find(({ name }) => name === this.name)!.vcpus;
  }

  /** What of a core's time it had since power-on, or since counting began anew, in per cent; what waits has none. */
  get share(): number {
    const { cycles } = report(this.host.hypervisor);
    return (100 * this.vcpus.reduce((sum, vcpu) => sum + vcpu.cycles, 0)) / Math.max(cycles, 1);
  }

  /** Instructions that its program has retired. */
  get instructions(): number {
    return this.partition.vcpus.reduce((sum, vcpu) => sum + vcpu.steps - vcpu.events, 0);
  }

  /** How often it was started again without having been stopped: resets of its processor, restarts. */
  get resets(): number {
    return this.partition.restarts;
  }

  /** Stop it; its memory can still be read. Throws where its state forbids that, as all these do. */
  stop(): void {
    this.host.ask('stop');
  }

  /** Load it and start it, from clean memory. */
  start(): void {
    this.host.ask('start');
  }

  /** Stop it and start it, from clean memory. */
  restart(): void {
    this.host.ask('restart');
  }

  /** Take it from the core; its time stands still. */
  pause(): void {
    this.host.ask('pause');
  }

  /** Let it go on where it was paused. */
  resume(): void {
    this.host.ask('resume');
  }

  /** It dies at this instruction, as by a machine check that it cannot take. */
  crash(): void {
    this.host.inject({ kind: 'crash', partition: this.name });
  }

  /** Wait until it has ended by itself, with this status if one is given. Another end fails at once. */
  expectExit(status?: number, { within }: Within = {}): Promise<Ending> {
    const wanted = status === undefined ? 'to end' : `to end with status ${status}`;
    return this.host.wait(`partition '${this.name}' ${wanted}`, within, () => {
      const { ending } = this;
      if (!ending) return undefined;
      const got = ending.kind === 'finished' ? ending.status : undefined;
      if (ending.kind === 'finished' && (status === undefined || got === status)) return ending;
      throw this.host.fail(`waited for partition '${this.name}' ${wanted}, and it ${this.partition.state}`);
    });
  }

  /** Wait until it has died, or faults in a loop, of this kind of fault if one is given. Another one fails at once. */
  expectFault(kind?: FaultKind, { within }: Within = {}): Promise<FaultReport> {
    const wanted = kind === undefined ? 'a fault' : `the fault '${kind}'`;
    const seen = this.#faultsSeen;
    return this.host.wait(`${wanted} of partition '${this.name}'`, within, () => {
      const fault = this.faults[seen];
      if (!fault) return undefined;
      this.#faultsSeen = seen + 1;
      if (kind === undefined || fault.kind === kind) return fault;
      throw this.host.fail(`waited for ${wanted} of partition '${this.name}', and it was '${fault.kind}'`);
    });
  }

  /** Wait until it has been started again since the last time this was waited for. Gives the number of all resets. */
  expectReset({ within }: Within = {}): Promise<number> {
    return this.host.wait(`a reset of partition '${this.name}'`, within, () => {
      const running = this.partition.lifecycle === 'running';
      if (this.resets <= this.#resetsSeen || !running) return undefined;
      this.#resetsSeen += 1;
      return this.resets;
    });
  }

  /** Bytes of its memory. Throws where there are not so many. Devices are looked at without any effect. */
  read(address: Address, length: number, space: Space = {}): Uint8Array {
    const { at, memory } = this.#place(address, space);
    const bytes = memory.read(at, length);
    if (bytes.length === length) return bytes;
    throw new UsageError(
      `partition '${this.name}' has ${bytes.length} of the ${length} bytes at ${shown(address)} that were to be read`,
    );
  }

  /** A word of its memory, unsigned. */
  readWord(address: Address, space: Space = {}): number {
    const [a, b, c, d] = this.read(address, 4, space);
    return ((a! << 24) | (b! << 16) | (c! << 8) | d!) >>> 0;
  }

  /** Change its memory: an input of the run, as what is typed. Throws, with nothing changed, where there is none. */
  write(address: Address, bytes: Uint8Array, space: Space = {}): void {
    this.read(address, bytes.length, space);
    const { at, target, space: kind } = this.#place(address, space);
    this.host.amend({ kind: 'memory', processor: target.name, space: kind, address: at, bytes: [...bytes] });
  }

  /** Change a word of its memory. */
  writeWord(address: Address, value: number, space: Space = {}): void {
    this.write(address, Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value), space);
  }

  /** Its first vcpu's registers by name (`r3`, `pc`, `msr`, `srr0`), unsigned. */
  get registers(): Registers {
    return this.registersOf(0);
  }

  registersOf(vcpu: number): Registers {
    const { registers, name: processor } = this.#target(vcpu);
    const known = (name: string): string => {
      if (registers.find(name)) return name.toLowerCase();
      throw new UsageError(
        `there is no register '${name}'; ${didYouMean(
          name,
          registers.all.map((each) => each.name),
        )}`,
      );
    };
    return {
      get: (name) => registers.get(known(name)),
      set: (name, value) =>
        this.host.amend({ kind: 'register', processor, register: known(name), value: (value >>> 0).toString(16) }),
      all: () =>
        Object.fromEntries(
          registers.all.filter(({ bits }) => bits === 32).map(({ name }) => [name, registers.get(name)]),
        ),
    };
  }

  /** The effective address of a name of its image, which may have an offset behind it. Throws where there is no such name. */
  addressOf(symbol: string): number {
    const [, base = symbol, offset = '0'] = /^(.+)\+(0x[0-9a-f]+|\d+)$/i.exec(symbol) ?? [];
    const found = this.partition.symbols.find(({ name }) => name === base);
    if (found) return found.address + Number(offset);
    const many = this.partition.symbols.length;
    const why = many === 0 ? 'its image has no symbols' : `its image has ${many} symbols, and not this one`;
    throw new UsageError(`partition '${this.name}' has nothing called '${base}': ${why}`);
  }

  /** Where memory lies in its physical memory; a name's as its program has it mapped now. */
  physicalOf(address: Address): number {
    if (typeof address === 'number') return address;
    const effective = this.addressOf(address);
    const found = translate(this.#target(0).core, effective);
    if (found) return found.physical;
    throw new UsageError(
      `partition '${this.name}' has '${address}' at 0x${effective.toString(16)}, which is not mapped now`,
    );
  }

  /** For the board: it is at another moment, and what has happened up to there is known. */
  forget(): void {
    this.#resetsSeen = this.resets;
    this.#faultsSeen = this.faults.length;
  }

  #target(vcpu: number): Target {
    const target = this.host.targets[vcpu];
    if (target) return target;
    throw new UsageError(`partition '${this.name}' has no vcpu ${vcpu}: it has ${this.host.targets.length}`);
  }

  #place(address: Address, { virtual = false, vcpu = 0 }: Space) {
    const target = this.#target(vcpu);
    const effective = virtual || typeof address === 'string';
    const at = typeof address === 'string' ? this.addressOf(address) : address;
    const kind = effective ? ('effective' as const) : ('physical' as const);
    return { at, memory: target[kind], target, space: kind };
  }
}

/** A processor's registers of 32 bits by name. Both throw for a name that there is not. */
export interface Registers {
  get(name: string): number;
  /** An input of the run. Bits that the register has not are dropped. */
  set(name: string, value: number): void;
  /** All that have 32 bits. */
  all(): Readonly<Record<string, number>>;
}

const shown = (address: Address): string =>
  typeof address === 'string' ? `'${address}'` : `0x${address.toString(16)}`;

const stateOf = ({ lifecycle, ending }: Partition) => (lifecycle === 'stopped' && ending ? ending.kind : lifecycle);
