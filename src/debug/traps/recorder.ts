import { BareMachine } from '../../board/bare.js';
import type { Core } from '../../cpu/core.js';
import { S } from '../../cpu/state.js';
import { syndrome, vectors, type Trap } from '../../cpu/trap.js';
import { MSR } from '../../isa/registers.js';
import { TLB_WORDS } from '../../mmu/tlb.js';
import type { ExitWitness } from '../../hypervisor/exit-witness.js';
import type { Exit } from '../../hypervisor/exit.js';
import { isPrivilegedWord } from '../../hypervisor/run-ahead.js';
import { Vcpu } from '../../hypervisor/vcpu.js';
import { wordAt } from '../memory.js';
import type { Target } from '../target.js';
import { StateCopy, entryChanges } from './changes.js';
import { accessOf, dcrOf, timerOf } from './instruction.js';
import type { Interrupted, Resume, TrapRecord, TrapStage } from './record.js';
import { InterruptSources } from './sources.js';

/** How far a trap has got: the program has left, one more thing was done, it goes on. */
export type TrapPoint = 'exit' | 'stage' | 'resume';

/** Hears of traps as they happen; true to have the processor stop there. */
export type TrapListener = (point: TrapPoint, record: TrapRecord) => boolean;

type Open = { -readonly [Key in keyof TrapRecord]: TrapRecord[Key] } & { stages: TrapStage[] };

interface Handling {
  readonly exit: Exit;
  readonly ahead: boolean;
  readonly pc: number;
  readonly word: number | undefined;
  readonly dcr: ReturnType<typeof dcrOf>;
}

const DEEPEST = 64;
const RETURNS = new Set([0x4c000064, 0x4c000066, 0x4c00004c]); // rfi, rfci, rfmci

/** Makes records of one processor's traps. */
export class TrapRecorder implements ExitWitness {
  stop = false;
  readonly #handlers: Interrupted[] = [];
  #open: Open | undefined;
  #handling: Handling | undefined;
  #delivering:
    { readonly trap: Trap; readonly source: string | undefined; readonly pc: number; readonly msr: number } | undefined;
  #last: number | undefined;
  readonly #copy = new StateCopy();
  readonly #shadow = new Int32Array(TLB_WORDS);
  readonly #sources: InterruptSources;
  readonly #core: Core;
  readonly #vcpu: Vcpu | undefined;

  constructor(
    private readonly target: Target,
    private readonly counter: { next: number; moment(): number },
    private readonly listener: TrapListener,
  ) {
    const { runs } = target;
    this.#core = target.core;
    this.#vcpu = runs instanceof Vcpu ? runs : undefined;
    if (runs instanceof Vcpu) {
      this.#sources = new InterruptSources(runs.partition.board);
      runs.witness = this;
    } else if (runs instanceof BareMachine) {
      this.#sources = new InterruptSources(runs.board);
      runs.witness = this;
    } else this.#sources = new InterruptSources(undefined);
  }

  /** Nobody is told any more. */
  detach(): void {
    const { runs } = this.target;
    if (runs instanceof Vcpu || runs instanceof BareMachine) runs.witness = undefined;
    this.#open = undefined;
    this.stop = false;
  }

  /**
   * The handlers that the program is in, the outermost first. The bare board's returns from handlers are not seen: there a
   * handler counts as left once the save register is another, or interrupts are on again.
   */
  get handlers(): readonly Interrupted[] {
    if (this.#vcpu) return this.#handlers;
    const { words } = this.#core.system;
    while (this.#handlers.length > 0) {
      const { trap, pc } = this.#handlers.at(-1)!;
      const { level } = vectors[trap.kind];
      const saved = words[{ base: S.srr0, critical: S.csrr0, 'machine-check': S.mcsrr0 }[level]]! >>> 0;
      const masked = level === 'base' ? MSR.EE | MSR.PR : MSR.CE | MSR.PR;
      if (saved === pc && !(words[S.msr]! & masked)) break;
      this.#handlers.pop();
    }
    return this.#handlers;
  }

  /** The trap that is being dealt with. */
  get open(): TrapRecord | undefined {
    return this.#open;
  }

  /** Tell nobody until what is given is called. */
  mute(): () => void {
    const { runs } = this.target;
    if (!(runs instanceof Vcpu || runs instanceof BareMachine)) return () => {};
    runs.witness = undefined;
    return () => (runs.witness = this);
  }

  /** The program is at another point of its past, and this was its last trap there. */
  standBehind(record: TrapRecord | undefined): void {
    this.#open = undefined;
    this.#handling = undefined;
    this.#delivering = undefined;
    this.#last = record?.cycle;
    this.#handlers.splice(0, Infinity, ...(record?.handlers ?? []));
    this.stop = false;
  }

  meets(trap: Trap): void {
    this.#begin(undefined, isInterrupt(trap) ? undefined : trap);
  }

  left(exit: Exit): void {
    const interrupted = exit.kind === 'preempted' || exit.kind === 'host-interrupt';
    const vcpu = this.#vcpu!;
    const observed = vcpu.machine.observed;
    if (observed) {
      const word = wordAt(this.#core, this.#core.regs.pc);
      if (word === undefined || !isPrivilegedWord(word)) return; // stepped, as an instruction is
    }
    this.#begin(exit, interrupted || observed ? undefined : (vcpu.core.trap ?? undefined));
  }

  handles(exit: Exit, ahead: boolean): void {
    const { pc } = this.#core.regs;
    const word = exit.kind === 'hypercall' ? undefined : wordAt(this.#core, pc);
    this.#handling = { exit, ahead, pc, word, dcr: dcrOf(word, this.#core, this.#sources.board) };
    this.#copy.take(this.#core, this.target.registers, timerOf(word));
    if (exit.kind === 'shadow-miss') this.#shadow.set(this.#vcpu!.shadow.tlb.words);
  }

  handled(): void {
    this.#endHandling();
    const vcpu = this.#vcpu!;
    if (!vcpu.partition.running) this.#close('ended');
  }

  delivers(trap: Trap): void {
    this.#endHandling(trap);
    if (!this.#open) this.#begin(undefined, isInterrupt(trap) ? undefined : trap);
    const { regs, system } = this.#core;
    const source = this.#sources.of(trap);
    this.#delivering = { trap, source, pc: regs.pc, msr: system.msr };
    const { pc } = regs;
    const sp = regs.gpr[1]! >>> 0;
    const lr = this.target.registers.get('lr');
    if (this.handlers.length === DEEPEST) this.#handlers.shift();
    this.#handlers.push({ trap, pc, msr: system.msr, sp, lr });
  }

  delivered(): void {
    const delivering = this.#delivering;
    if (!delivering) return;
    this.#delivering = undefined;
    const { source, ...rest } = delivering;
    const { trap } = rest;
    const { words } = this.#core.system;
    const left = {
      ...(source !== undefined && { source }),
      ...(syndrome(trap) !== undefined && { esr: words[S.esr]! >>> 0 }),
      ...('access' in trap && { dear: words[S.dear]! >>> 0 }),
    };
    this.#did({ kind: 'deliver', ...rest, ...left, handler: this.#core.regs.pc });
  }

  resumes(): void {
    if (this.#open) this.#close('runs');
  }

  rests(): void {
    if (this.#open) this.#close('waits');
  }

  #begin(exit: Exit | undefined, cause: Trap | undefined): void {
    if (this.#open) this.#close('runs');
    const { target, counter } = this;
    const { regs, system, clock } = this.#core;
    const call = exit?.kind === 'hypercall' || cause?.kind === 'system-call';
    const pc = call ? (regs.pc - 4) >>> 0 : regs.pc;
    const made = call ? 1 : 0; // a call is a step that has been made when it is heard of
    const since = this.#last === undefined ? undefined : clock.now - this.#last;
    this.#last = clock.now;
    this.#open = {
      number: counter.next++,
      target,
      pc,
      word: wordAt(this.#core, pc),
      msr: system.msr,
      pid: system.pid,
      steps: target.runs!.steps - made,
      cycle: clock.now,
      moment: counter.moment() - made,
      since,
      exit,
      cause,
      stages: [],
      handlers: [],
      resume: undefined,
    };
    this.#tell('exit');
  }

  #close(kind: Resume['kind']): void {
    const record = this.#open;
    if (!record) return;
    const { regs, system, clock } = this.#core;
    record.handlers = [...this.#handlers];
    record.resume = { kind, pc: regs.pc, msr: system.msr, cycle: clock.now };
    this.#open = undefined;
    if (this.listener('resume', record)) this.stop = true;
  }

  #tell(point: 'exit' | 'stage'): void {
    if (this.#open && this.listener(point, this.#open)) this.stop = true;
  }

  #did(stage: TrapStage): void {
    this.#open?.stages.push(stage);
    this.#tell('stage');
  }

  /** What has been done is known: nothing is left of it to be done, or what is left is an interrupt. */
  #endHandling(raised?: Trap): void {
    const handling = this.#handling;
    if (!handling) return;
    this.#handling = undefined;
    const stage = this.#stageOf(handling, raised);
    if (stage && (this.#open || raised)) this.#did(stage);
  }

  #stageOf({ exit, ahead, pc, word, dcr }: Handling, raised: Trap | undefined): TrapStage | undefined {
    const core = this.#core;
    const outcome = raised ? { raised } : {};
    switch (exit.kind) {
      case 'preempted':
      case 'host-interrupt':
      case 'reflect':
        return undefined;
      case 'hypercall': {
        const gprs = (from: number, count: number, of: (n: number) => number): number[] =>
          Array.from({ length: count }, (_, i) => of(from + i));
        const args = gprs(3, 8, (n) => this.#copy.gpr(n));
        const results = gprs(3, 6, (n) => core.regs.gpr[n]! >>> 0);
        return { kind: 'hypercall', token: this.#copy.gpr(11), args, results };
      }
      case 'shadow-miss':
        return {
          kind: 'fill',
          address: exit.address,
          origin: exit.entry,
          entries: entryChanges(this.#vcpu!.shadow.tlb, this.#shadow),
        };
      case 'device': {
        const changes = this.#copy.compare(core, this.target.registers);
        const access = accessOf(exit, word, core, this.#copy);
        return { kind: 'device', ...access, pc, word, changes, ...outcome };
      }
      case 'emulate': {
        const changes = this.#copy.compare(core, this.target.registers);
        if (word !== undefined && RETURNS.has(word >>> 0) && !raised) this.#handlers.pop();
        const written = dcr && { name: dcr.name, before: dcr.before, after: dcr.now() };
        return { kind: 'emulate', pc, word, ahead, changes, ...(written && { dcr: written }), ...outcome };
      }
      default:
        return exit satisfies never;
    }
  }
}

const interrupts: readonly Trap['kind'][] = [
  'critical-input',
  'external-input',
  'decrementer',
  'fixed-interval',
  'watchdog',
  'debug', // prettier-ignore
];

/** Does it come from outside of the instruction that it stands at? */
const isInterrupt = ({ kind }: Trap): boolean => interrupts.includes(kind);
