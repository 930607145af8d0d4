import { PAGE_SIZE, type Ram } from '../bus/memory.js';
import type { Core } from '../cpu/core.js';
import { R, S, type SystemRegister } from '../cpu/state.js';
import { MSR, sprs } from '../isa/registers.js';
import type { ShadowTlb } from './shadow-tlb.js';

/**
 * Where a vcpu's magic page lies on its guest's own bus: beyond the 36 bits of a TLB entry, so that the guest reaches it at
 * the address that it asked for and nowhere else.
 */
export const magicPageAt = (vcpu: number): number => 2 ** 36 + vcpu * PAGE_SIZE;

/** What a map of the page may say in the low bits of its address: the guest does not want to execute it. */
export const NOT_EXECUTABLE = 1;

/** Bits of the answer to a map: ESR, PIR and SPRG4 to SPRG7 are kept too. The other one, segment registers, no 440 has. */
export const MAGIC_FEATURES = 2;

/** Registers that the page shows: the word of each, by byte offset; a 64-bit field's low word holds the register. */
// prettier-ignore
const shown: readonly { readonly offset: number; readonly name: string; readonly bits?: number }[] = [
  { offset: 36,  name: 'SPRG0' }, { offset: 44,  name: 'SPRG1' }, { offset: 52,  name: 'SPRG2' }, { offset: 60,  name: 'SPRG3' },
  { offset: 68,  name: 'SRR0' },  { offset: 76,  name: 'SRR1' },  { offset: 84,  name: 'DEAR' },
  { offset: 92,  name: 'MSR', bits: MSR.EE }, // any other change of the MSR has to trap
  { offset: 200, name: 'ESR' },   { offset: 204, name: 'PIR', bits: 0 },
  { offset: 212, name: 'SPRG4' }, { offset: 220, name: 'SPRG5' }, { offset: 228, name: 'SPRG6' }, { offset: 236, name: 'SPRG7' },
];
/** The low word of `critical`: the guest is in a critical section while it equals r1. */
const CRITICAL = 28;
/** Not zero while an interrupt waits that MSR[EE] lets through or holds back. */
const INT_PENDING = 100;

/** SPRG4 to SPRG7 lie among the registers that a user program sees. */
const userWords: Readonly<Record<string, number>> = { SPRG4: R.SPRG4, SPRG5: R.SPRG5, SPRG6: R.SPRG6, SPRG7: R.SPRG7 };

/** How soon a guest that an interrupt found in a critical section is looked at again; such a section has twenty instructions. */
const RETRY_CYCLES = 32;

/** A word of the page and the register that it shows. */
interface Field {
  /** Index of the page's word in the shared memory. */
  readonly at: number;
  readonly user: boolean;
  readonly word: number;
  /** The bits that the guest may change in the page. */
  readonly bits: number;
}

/**
 * KVM's magic page of a vcpu: supervisor registers as memory, so that a guest reads and writes them without an exit
 * (Linux, Documentation/virt/kvm/ppc-pv.rst; layout: struct kvm_vcpu_arch_shared of its uapi/asm/kvm_para.h). The guest's
 * supervisor has it at the address that it asked for whatever its TLB says. Registers and page are made equal whenever the
 * guest has left the core: what the guest changed in the page counts, then what an emulation or an interrupt changed.
 */
export class MagicPage {
  /** Everything a snapshot needs beside the page itself: where the guest has it, and what each word was when last made equal. */
  readonly state = { address: -1, executable: false, retryAt: Infinity, last: shown.map(() => 0) };
  readonly #fields: readonly Field[];

  constructor(
    private readonly machine: Core,
    private readonly shadowTlb: ShadowTlb,
    private readonly ram: Ram,
    /** Where the page lies on the guest's own bus, and on the board. */
    private readonly place: { readonly physical: number; readonly real: number },
  ) {
    this.#fields = shown.map(({ offset, name, bits }) => {
      const user = name in userWords;
      return {
        at: (ram.offset + offset) >>> 2,
        user,
        word: user ? userWords[name]! : S[name.toLowerCase() as SystemRegister],
        bits: bits ?? sprs.find((spr) => spr.name === name && spr.write === 's')?.bits ?? 0,
      };
    });
  }

  get mapped(): boolean {
    return this.state.address >= 0;
  }

  /** Have it at an effective address, a multiple of 4096, and no longer where it was. */
  map(address: number, executable: boolean): void {
    if (!this.mapped) this.ram.fill(0, PAGE_SIZE, 0);
    this.#forget();
    this.state.address = address;
    this.state.executable = executable;
    const { physical, real } = this.place;
    this.machine.fixedPage = { address, physical, executable };
    this.machine.lookaside.invalidate(address, PAGE_SIZE);
    this.shadowTlb.pin({ address, physical, real, executable });
    this.#fields.forEach(({ at }, i) => (this.state.last[i] = this.ram.memory.words[at]!));
    this.sync();
  }

  /** As before it was asked for. */
  reset(): void {
    this.#forget();
    this.state.address = -1;
    this.state.retryAt = Infinity;
    this.ram.fill(0, PAGE_SIZE, 0);
  }

  save() {
    return { ...this.state, last: [...this.state.last] };
  }

  /** Memory and the translations that show the page are others' to bring back. */
  restore({ last, ...own }: ReturnType<MagicPage['save']>): void {
    Object.assign(this.state, own, { last: [...last] });
    const { address, executable } = own;
    const page = { address, ...this.place, executable };
    this.machine.fixedPage = this.mapped ? { address, physical: page.physical, executable } : undefined;
    this.shadowTlb.keepPin(this.mapped ? page : undefined);
  }

  #forget(): void {
    if (!this.mapped) return;
    this.machine.fixedPage = undefined;
    this.machine.lookaside.invalidate(this.state.address, PAGE_SIZE);
    this.shadowTlb.pin(undefined);
  }

  /** Make page and registers equal. Without a change on either side nothing happens. */
  sync(): void {
    if (!this.mapped) return;
    const { words } = this.ram.memory;
    const { last } = this.state;
    const [user, system] = [this.machine.regs.words, this.machine.system.words];
    for (let i = 0; i < this.#fields.length; i++) {
      const field = this.#fields[i]!;
      const registers = field.user ? user : system;
      const inPage = words[field.at]!;
      if (inPage !== last[i]) registers[field.word] = (registers[field.word]! & ~field.bits) | (inPage & field.bits);
      const value = registers[field.word]!;
      if (value !== inPage) this.#write(field.at, value);
      last[i] = value;
    }
    const pending = this.machine.noncriticalInterrupt() === null ? 0 : 1;
    const at = (this.ram.offset + INT_PENDING) >>> 2;
    if (words[at] !== pending) this.#write(at, pending);
  }

  /** What the guest would read of a register now, for a debugger: while it runs, the page may be ahead of the registers. */
  peek(name: string): number | undefined {
    const i = this.mapped ? shown.findIndex((each) => each.name === name) : -1;
    const field = this.#fields[i];
    if (!field) return undefined;
    const value = (field.user ? this.machine.regs : this.machine.system).words[field.word]!;
    const inPage = this.ram.memory.words[field.at]!;
    return inPage === this.state.last[i] ? value : (value & ~field.bits) | (inPage & field.bits);
  }

  /** A debugger wrote a register that the page may show. */
  poke(name: string): void {
    const i = this.mapped ? shown.findIndex((each) => each.name === name) : -1;
    const field = this.#fields[i];
    if (!field) return;
    const value = (field.user ? this.machine.regs : this.machine.system).words[field.word]!;
    this.state.last[i] = value;
    this.#write(field.at, value);
  }

  /** While the guest runs: has an interrupt come up that it has to be told of, or that comes whatever MSR[EE] is? */
  get isBehind(): boolean {
    const held = this.machine.noncriticalInterrupt();
    if (held && this.ram.memory.words[(this.ram.offset + INT_PENDING) >>> 2] === 0) return true;
    const trap = this.machine.pendingInterrupt();
    return trap !== null && trap.kind !== held?.kind && this.state.retryAt === Infinity;
  }

  #write(at: number, value: number): void {
    this.ram.touch(0);
    this.ram.memory.words[at] = value;
  }

  /** Is the guest's supervisor amid something that no interrupt may come into: its scratch words hold registers? */
  get critical(): boolean {
    if (!this.mapped || this.machine.system.msr & MSR.PR) return false;
    return this.ram.memory.words[(this.ram.offset + CRITICAL) >>> 2] === this.machine.regs.gpr[1];
  }

  /** An interrupt has to wait for the end of a critical section, or none has. */
  set interruptWaits(waits: boolean) {
    const { state, machine } = this;
    if (!waits) state.retryAt = Infinity;
    else if (state.retryAt === Infinity || state.retryAt <= machine.clock.now)
      state.retryAt = machine.clock.now + RETRY_CYCLES;
  }
}
