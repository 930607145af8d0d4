import type { Lookaside } from '../../mmu/lookaside.js';
import { R } from '../state.js';
import {
  ENTRY,
  ENTRY_BITS,
  FINISH,
  PARAMETERS,
  RESUMED,
  WHY,
  writeInterpret,
  writeCount,
  writeGo,
  writeLookup,
  type Why,
} from './dispatch.js';
import { EffectWriter } from './emit-effects.js';
import { LEFT, REGISTERS, type Comparison } from './emit-values.js';
import { analyse, changes, mayRefuse, successorsOf, type Flow } from './flow.js';
import type { Assumptions } from './effects.js';
import { Places } from './places.js';
import type { Block, Region, Way } from './region.js';
import { structure, type Item } from './structure.js';
import type { Value } from './value.js';
import { Body, op, type Label } from './wasm-encoder.js';

/** What code is translated for. */
export interface Setting {
  readonly lookaside: Lookaside;
  readonly assumptions: Assumptions;
  /** The effective address of the page. */
  readonly page: number;
  /** Where the translations of the page's words are listed, in the shared memory. */
  readonly translations: number;
}

/** A region as the body of a function (registers, left, entry) → why. */
export function translate(region: Region, setting: Setting): Body {
  return new Translation(region, setting).body;
}

/** A place outside the body that several ways out of it share. */
interface Exit {
  readonly label: Label;
  readonly write: () => void;
}

/** Where a branch to these blocks goes; `several`: a loop that chooses among its heads. */
interface Frame {
  readonly heads: readonly number[];
  readonly label: Label;
  readonly several: boolean;
}

class Translation {
  readonly body = new Body(PARAMETERS);
  readonly #writer: EffectWriter;
  readonly #flow: Flow;
  readonly #exits = new Map<string, Exit>();
  readonly #frames: Frame[] = [];
  /** Where the region is being left: word of the page and instructions not run, for exits to the interpreter. */
  readonly #at = this.body.local();
  /** The address to go on at. */
  readonly #target = this.body.local();
  /** The head to choose. */
  readonly #head = this.body.local();
  readonly #scratch = this.body.local();

  constructor(
    private readonly region: Region,
    private readonly setting: Setting,
  ) {
    this.#writer = new EffectWriter(this.body, setting.lookaside, setting.assumptions.noOverflow);
    this.#flow = analyse(region);
    const items = structure(region.blocks.map(successorsOf), region.entries);
    this.#root(items);
    this.#closeExits();
  }

  /** Choose the entry, load what it needs, and go to its block. */
  #root(items: readonly Item[]): void {
    const { body, region } = this;
    this.#loadContext();
    this.#items(items, true, () => {
      const { entries } = region;
      const labels = entries.map(() => body.block()).reverse();
      if (entries.length > 1) {
        body.get(ENTRY);
        body.brTable(labels.slice(0, -1), labels.at(-1)!);
      }
      for (const entry of entries) {
        body.end();
        this.#checkOverflow(entry);
        this.#writer.load(this.#flow.needed[entry]!);
        this.#goto({ block: entry }, Places.none);
      }
    });
    body.op(op.unreachable);
  }

  #loadContext(): void {
    const local = this.#writer.context;
    this.body.get(REGISTERS);
    this.body.memory(op.load, 4 * R.DATA_CONTEXT);
    this.body.set(local);
  }

  #checkOverflow(entry: number): void {
    if (!this.setting.assumptions.noOverflow) return;
    const { body } = this;
    this.#mark(this.region.blocks[entry]!.pc, 0);
    body.get(REGISTERS);
    body.memory(op.load, 4 * R.XER);
    body.const(0);
    body.op(op.lts);
    body.brIf(this.#leave(WHY.OVERFLOW, Places.none));
  }

  /**
   * Items one behind the other, each at the end of a block that branches forward to it leave. `before` writes what chooses
   * among them; without it the first is run into.
   */
  #items(items: readonly Item[], chosen: boolean, before: () => void): void {
    const { body } = this;
    for (const item of items.slice(chosen ? 0 : 1).reverse()) this.#push(item, body.block());
    before();
    items.forEach((item, i) => {
      if (chosen || i > 0) {
        this.#frames.pop();
        body.end();
      }
      if (item.kind === 'block') this.#block(item.heads[0]);
      else this.#loop(item);
    });
  }

  #push({ kind, heads }: Item, label: Label): void {
    this.#frames.push({ heads, label, several: kind === 'loop' && heads.length > 1 });
  }

  #loop(item: Extract<Item, { kind: 'loop' }>): void {
    const { body } = this;
    const { heads, items } = item;
    this.#push(item, body.loop());
    if (heads.length === 1) this.#items(items, false, () => {});
    else {
      this.#items(items, true, () => {
        const labels = heads.map((head) => this.#frames.findLast((f) => f.heads.includes(head) && !f.several)!.label);
        body.get(this.#head);
        body.brTable(labels.slice(0, -1), labels.at(-1)!);
      });
    }
    this.#frames.pop();
    body.op(op.unreachable);
    body.end();
  }

  #block(number: number): void {
    const { body } = this;
    const block = this.region.blocks[number]!;
    const { instructions } = block;
    let changed = this.#flow.changed[number]!;
    let rest = instructions.reduce((sum, { lowered }) => sum + lowered.cycles, 0);
    if (rest > 0) this.#count(block.pc, rest, changed);
    this.#writer.comparison = comparisonFor(block);
    for (const instruction of instructions) {
      const before = changed;
      if (mayRefuse(instruction)) this.#mark(instruction.pc, rest);
      rest -= instruction.lowered.cycles;
      const behind = rest;
      this.#writer.pc = () => body.const(instruction.pc);
      this.#writer.effects(instruction.lowered.effects, before, {
        refuse: () => body.brIf(this.#leave(WHY.INTERPRET, before)),
        behind: () => {
          this.#mark(instruction.pc + 4, behind);
          body.brIf(this.#leave(WHY.INTERPRET, before));
        },
      });
      changed = changed.with(changes(instruction));
    }
    this.#end(block, changed);
  }

  /** Take a block's instructions from what may be run; leave before it if that is too little. */
  #count(pc: number, size: number, changed: Places): void {
    const { body } = this;
    this.#mark(pc, size);
    body.get(LEFT);
    body.const(size);
    body.op(op.sub);
    body.tee(LEFT);
    body.const(0);
    body.op(op.lts);
    body.brIf(this.#finish(changed));
  }

  /** If the region is left for the interpreter now: it goes on here, and so many instructions counted have not been run. */
  #mark(pc: number, uncounted: number): void {
    this.body.const((uncounted << ENTRY_BITS) | ((pc >>> 2) & 1023));
    this.body.set(this.#at);
  }

  #end(block: Block, changed: Places): void {
    const { body } = this;
    const branch = block.instructions.at(-1)?.lowered.effects.at(-1);
    if (branch?.kind !== 'branch') {
      if (block.interprets) {
        this.#mark((block.next as { address: number }).address, 0);
        return body.br(this.#leave(WHY.INTERPRET, changed));
      }
      return this.#goto(block.next!, changed);
    }
    if (branch.condition) {
      this.#writer.value(branch.condition, changed);
      body.if();
      this.#take(block, branch.target, changed);
      body.end();
      return this.#goto(block.next!, changed);
    }
    this.#take(block, branch.target, changed);
  }

  /** The branch at a block's end is taken. */
  #take(block: Block, target: Value, changed: Places): void {
    const { body } = this;
    if (block.target) return this.#goto(block.target, changed);
    this.#writer.value(target, changed);
    body.set(this.#target);
    body.br(this.#dispatch(changed));
  }

  #goto(way: Way, changed: Places): void {
    const { body } = this;
    if ('address' in way) {
      if ((way.address & -4096) === (this.setting.page | 0)) return body.br(this.#within(way.address, changed));
      body.const(way.address);
      body.set(this.#target);
      return body.br(this.#dispatch(changed));
    }
    const frame = this.#frames.findLast(({ heads }) => heads.includes(way.block))!;
    if (frame.several) {
      body.const(frame.heads.indexOf(way.block));
      body.set(this.#head);
    }
    body.br(frame.label);
  }

  #exit(key: string, write: () => void): Label {
    let exit = this.#exits.get(key);
    if (!exit) this.#exits.set(key, (exit = { label: this.body.labelAround(), write }));
    return exit.label;
  }

  /** Back to whoever called; the pc and what was not run are as `#mark` said. */
  #leave(why: Why, changed: Places): Label {
    return this.#exit(`${why} ${changed.key}`, () => {
      const { body } = this;
      this.#writer.spill(changed);
      body.get(REGISTERS);
      this.#markedPc();
      body.memory(op.store, 4 * R.PC);
      writeCount(body, () => this.#unspent());
      body.const(why);
      body.op(op.return);
    });
  }

  /** Fewer cycles may be spent than the block takes: the interpreter goes on where `#mark` said. */
  #finish(changed: Places): Label {
    return this.#exit(`finish ${changed.key}`, () => {
      this.#writer.spill(changed);
      writeInterpret(
        this.body,
        () => this.#unspent(),
        () => this.#markedPc(RESUMED | FINISH),
      );
    });
  }

  #markedPc(bits = 0): void {
    const { body } = this;
    body.get(this.#at);
    body.const(1023);
    body.op(op.and);
    body.const(2);
    body.op(op.shl);
    body.const(this.setting.page | bits);
    body.op(op.or);
  }

  #unspent(): void {
    const { body } = this;
    body.get(LEFT);
    body.get(this.#at);
    body.const(ENTRY_BITS);
    body.op(op.shru, op.add);
  }

  /** On to an address of this page, whose mapping cannot have changed meanwhile. */
  #within(address: number, changed: Places): Label {
    return this.#exit(`within ${address} ${changed.key}`, () => {
      const { body } = this;
      this.#writer.spill(changed);
      body.const(0);
      body.memory(op.load, this.setting.translations + (address & 0xffc));
      body.set(this.#scratch);
      this.#go(() => body.const(address));
    });
  }

  /** On to the address in `#target`, wherever it is. */
  #dispatch(changed: Places): Label {
    return this.#exit(`dispatch ${changed.key}`, () => {
      this.#writer.spill(changed);
      writeLookup(this.body, this.setting.lookaside, this.#target, this.#scratch);
      this.#go(() => this.body.get(this.#target));
    });
  }

  /** Go to the translation in `#scratch` if there is one; else leave. */
  #go(address: () => void): void {
    writeGo(this.body, this.#scratch, address);
  }

  #closeExits(): void {
    for (const { write } of this.#exits.values()) {
      this.body.closeAround();
      write();
    }
    this.body.op(op.unreachable);
  }
}

/** The comparison whose outcome alone a block's branch depends on. */
function comparisonFor({ instructions }: Block): Comparison | undefined {
  const branch = instructions.at(-1)?.lowered.effects.at(-1);
  if (branch?.kind !== 'branch' || !branch.condition) return undefined;
  const field = fieldOf(branch.condition);
  if (field === undefined) return undefined;
  const effects = instructions.flatMap(({ lowered }) => lowered.effects);
  const effect = effects.findLast(
    (e) =>
      ((e.kind === 'compare' || e.kind === 'field') && e.field === field) || (e.kind === 'bit' && e.bit >> 2 === field),
  );
  return effect?.kind === 'compare' ? { effect, field, signed: effect.signed } : undefined;
}

function fieldOf(value: Value): number | undefined {
  if (value.op === 'crbit') return value.n >> 2;
  for (const operand of [value.a, value.b]) {
    const field = operand && fieldOf(operand);
    if (field !== undefined) return field;
  }
  return undefined;
}
