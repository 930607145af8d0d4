import { asm } from '../../src/isa/assemble.js';
import { sprs } from '../../src/isa/registers.js';
import type { Image } from '../../src/loader/contents.js';

/** Where `Code` puts what is not said to lie elsewhere; the first page stays free for data and vectors. */
export const START = 0x1000;

/** The number by which a supervisor reads or writes an SPR. */
export function sprNumber(name: string, way: 'read' | 'write'): number {
  const alike = sprs.filter((spr) => spr.name === name && spr[way] !== '-');
  const spr = alike.find((s) => s[way] === 's') ?? alike[0];
  if (!spr) throw new Error(`there is no SPR ${name} to ${way}`);
  return spr.number;
}

function reach(address: number): number {
  if (address >= 0x8000) throw new Error(`a displacement does not reach 0x${address.toString(16)}`);
  return address;
}

type Fields = Readonly<Record<string, number>>;

/** A program being written: instructions in order, with labels and a place for each. */
export class Code {
  readonly #words = new Map<number, number>();
  readonly #labels = new Map<string, number>();
  readonly #fixups: { at: number; label: string; name: string; fields: Fields; field: string }[] = [];
  #here: number;

  constructor(readonly start = START) {
    this.#here = start;
  }

  /** The address of the next instruction. */
  get here(): number {
    return this.#here;
  }

  /** Go on at another address. */
  at(address: number): this {
    this.#here = address;
    return this;
  }

  word(value: number): this {
    this.#words.set(this.#here, value);
    this.#here += 4;
    return this;
  }

  op(name: string, fields: Fields = {}): this {
    return this.word(asm(name, fields));
  }

  label(name: string): this {
    this.#labels.set(name, this.#here);
    return this;
  }

  /** The address of a label that stands before or behind; for a test's expectation. */
  address(label: string): number {
    const address = this.#labels.get(label);
    if (address === undefined) throw new Error(`no label ${label}`);
    return address;
  }

  /** rt <- a 32-bit number; always two instructions. */
  li(rt: number, value: number): this {
    return this.op('addis', { rt, ra: 0, si: (value >> 16) & 0xffff }).op('ori', {
      ra: rt,
      rs: rt,
      ui: value & 0xffff,
    });
  }

  b(label: string, lk = 0): this {
    return this.#branch('b', label, { lk }, 'li');
  }

  /** bo 12 if the condition holds, 4 if not, 16 counting down; bi 2 is CR0[EQ]. */
  bc(bo: number, bi: number, label: string): this {
    return this.#branch('bc', label, { bo, bi }, 'bd');
  }

  #branch(name: string, label: string, fields: Fields, field: string): this {
    this.#fixups.push({ at: this.#here, label, name, fields, field });
    return this.word(0);
  }

  mtspr(name: string, rs: number): this {
    return this.op('mtspr', { rs, spr: sprNumber(name, 'write') });
  }

  mfspr(rt: number, name: string): this {
    return this.op('mfspr', { rt, spr: sprNumber(name, 'read') });
  }

  /** Through r31: SPR <- number. */
  setSpr(name: string, value: number): this {
    return this.li(31, value).mtspr(name, 31);
  }

  /** Through r31: MSR <- number. */
  setMsr(value: number): this {
    return this.li(31, value).op('mtmsr', { rs: 31 });
  }

  /** A word at an address below 32 KiB. */
  stw(rs: number, address: number): this {
    return this.op('stw', { rs, ra: 0, d: reach(address) });
  }

  lwz(rt: number, address: number): this {
    return this.op('lwz', { rt, ra: 0, d: reach(address) });
  }

  /** Through r29, r30, r31: write a TLB entry. `size` is the SIZE field, `tid` goes through MMUCR[STID]. */
  tlb(entry: number, page: TlbPage): this {
    const { ea, pa, size, space = 0, tid = 0, rights = 0x3f, attributes = 0, valid = true } = page;
    this.li(30, tid).mtspr('MMUCR', 30).li(29, entry);
    const words = [
      (ea & 0xfffffc00) | (valid ? 0x200 : 0) | (space << 8) | (size << 4),
      (pa & 0xfffffc00) | Math.floor(pa / 2 ** 32),
      rights | attributes,
    ];
    words.forEach((value, ws) => this.li(31, value).op('tlbwe', { rs: 31, ra: 29, ws }));
    return this;
  }

  /** rt <- the address of a label below 64 KiB; always two instructions. */
  la(rt: number, label: string): this {
    this.op('addi', { rt, ra: 0, si: 0 });
    return this.#branch('ori', label, { ra: rt, rs: rt }, 'ui');
  }

  /** Through r31: an interrupt's handler, IVPR being 0; the label lies at a multiple of 16 below 64 KiB. */
  vector(ivor: number, label: string): this {
    return this.la(31, label).mtspr(`IVOR${ivor}`, 31);
  }

  /** Through r28: registers into words from an address on. */
  report(address: number, ...names: string[]): this {
    names.forEach((name, i) => this.mfspr(28, name).stw(28, address + 4 * i));
    return this;
  }

  /** End with a status by the finisher, through r30 and r31. */
  finish(status = 0): this {
    return this.li(30, FINISHER).li(31, status).op('stw', { rs: 31, ra: 30, d: 0 });
  }

  /** End with what a register holds. */
  finishWith(rs: number): this {
    return this.li(30, FINISHER).op('stw', { rs, ra: 30, d: 0 });
  }

  /** Through r31: rfi to a label with this MSR. */
  rfi(label: string, msr: number): this {
    return this.la(31, label).mtspr('SRR0', 31).setSpr('SRR1', msr).op('rfi');
  }

  /** Through r30 and r31: send characters by the UART. */
  print(text: string): this {
    this.li(30, UART);
    for (const c of text) this.op('addi', { rt: 31, ra: 0, si: c.charCodeAt(0) }).op('stb', { rs: 31, ra: 30, d: 0 });
    return this;
  }

  /** What is said to lie somewhere, as an image that is entered at the start. */
  image(): Image {
    for (const { at, label, name, fields, field } of this.#fixups) {
      const target = this.address(label);
      const value = name === 'ori' ? target : (target - at) / 4;
      this.#words.set(at, asm(name, { ...fields, [field]: value }));
    }
    const addresses = [...this.#words.keys()].toSorted((a, b) => a - b);
    const runs: number[][] = [];
    for (const address of addresses) {
      const last = runs.at(-1);
      if (last && last.at(-1)! + 4 === address) last.push(address);
      else runs.push([address]);
    }
    const segments = runs.map((run) => {
      const view = new DataView(new ArrayBuffer(run.length * 4));
      run.forEach((address, i) => view.setUint32(i * 4, this.#words.get(address)! >>> 0));
      return { address: run[0]!, bytes: new Uint8Array(view.buffer), size: run.length * 4 };
    });
    return { ok: true, format: 'raw', segments, entry: this.start };
  }
}

export interface TlbPage {
  readonly ea: number;
  readonly pa: number;
  readonly size: number;
  readonly space?: 0 | 1;
  readonly tid?: number;
  readonly rights?: number;
  readonly attributes?: number;
  readonly valid?: boolean;
}

/** Where the test boards have these. */
export const UART = 0xef600300;
export const FINISHER = 0xef601000;

/** SIZE fields of the pages that exist. */
export const size = { k1: 0, k4: 1, k16: 2, k64: 3, k256: 4, m1: 5, m16: 7, m256: 9 } as const;
