import { R } from '../state.js';
import { ENTRY, PARAMETERS, WHY, writeIsMapped } from './dispatch.js';
import { EffectWriter } from './emit-effects.js';
import { LEFT, REGISTERS } from './emit-values.js';
import { Exits, type Setting } from './exits.js';
import { analyse, comparisonFor, type Flow } from './flow.js';
import { Places } from './places.js';
import { pageOf, successorsOf, type Block, type Guess, type Region, type Way } from './region.js';
import { structure, type Item } from './structure.js';
import type { Value } from './value.js';
import { Body, op, type Label } from './wasm-encoder.js';

/** A region as the body of a function (registers, left, entry) → why. */
export function translate(region: Region, setting: Setting): Body {
  return new Translation(region, setting).body;
}

/** More guesses than that are looked up, if they are no more words than that apart. */
const FEW = 3;
const WIDEST = 1024;

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
  readonly #exits: Exits;
  readonly #frames: Frame[] = [];
  /** The head to choose. */
  readonly #head = this.body.local();
  /** For each page whether its mapping is known to be as it was: 1 once it has been looked at since the region was entered. */
  readonly #isMapped: ReadonlyMap<number, number>;

  constructor(
    private readonly region: Region,
    private readonly setting: Setting,
  ) {
    this.#writer = new EffectWriter(this.body, setting.lookaside, setting.assumptions.noOverflow);
    this.#flow = analyse(region);
    const first = pageOf(region.blocks[region.entries[0]!]!.pc);
    this.#exits = new Exits(this.body, this.#writer, setting, first);
    const pages = new Set(region.blocks.map(({ pc }) => pageOf(pc)));
    this.#isMapped = new Map([...pages].map((page) => [page, this.body.localOf(page === first ? 1 : 0)]));
    const items = structure(region.blocks.map(successorsOf), region.entries);
    this.#root(items);
    this.#exits.close();
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
    this.#exits.mark(this.region.blocks[entry]!.pc, 0);
    body.get(REGISTERS);
    body.memory(op.load, 4 * R.XER);
    body.const(0);
    body.op(op.lts);
    body.brIf(this.#exits.leave(WHY.OVERFLOW, Places.none));
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
    this.#exits.page = pageOf(block.pc);
    let changed = this.#flow.changed[number]!;
    let rest = instructions.reduce((sum, { lowered }) => sum + lowered.cycles, 0);
    if (rest > 0) this.#count(block.pc, rest, changed);
    this.#writer.comparison = comparisonFor(block);
    instructions.forEach((instruction, i) => {
      const before = changed;
      body.note(instruction.pc);
      if (instruction.lowered.refuses) this.#exits.mark(instruction.pc, rest);
      rest -= instruction.lowered.cycles;
      const behind = rest;
      this.#writer.pc = () => body.const(instruction.pc);
      this.#writer.effects(instruction.lowered.effects, before, {
        refuse: (denied) => body.brIf(denied ? this.#exits.finish(before) : this.#exits.leave(WHY.INTERPRET, before)),
        behind: () => {
          this.#exits.mark(instruction.pc + 4, behind);
          body.brIf(this.#exits.leave(WHY.INTERPRET, before));
          this.#forgetMappings();
        },
      });
      changed = changed.with(instruction.lowered.changes);
      const retired = this.#flow.retired[number]![i];
      if (!retired || retired.equals(Places.none)) return;
      this.#writer.spill(retired);
      changed = changed.without(retired);
    });
    this.#end(block, changed);
  }

  /** Take a block's instructions from what may be run; leave before it if that is too little. */
  #count(pc: number, size: number, changed: Places): void {
    const { body } = this;
    this.#exits.mark(pc, size);
    body.get(LEFT);
    body.const(size);
    body.op(op.sub);
    body.tee(LEFT);
    body.const(0);
    body.op(op.lts);
    body.brIf(this.#exits.finish(changed));
  }

  /** The TLB has changed, though not for this page. */
  #forgetMappings(): void {
    for (const [page, isMapped] of this.#isMapped) {
      if (page === this.#exits.page) continue;
      this.body.const(0);
      this.body.set(isMapped);
    }
  }

  #end(block: Block, changed: Places): void {
    const { body } = this;
    const branch = block.instructions.at(-1)?.lowered.effects.at(-1);
    if (branch?.kind !== 'branch') {
      if (block.interprets) {
        this.#exits.mark((block.next as { address: number }).address, 0);
        return body.br(this.#exits.leave(WHY.INTERPRET, changed));
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
    body.set(this.#exits.target);
    this.#guess(block.guesses, changed);
    if (block.learns) this.#exits.learn(block, changed);
    body.br(this.#exits.dispatch(changed));
  }

  /** Go to the guess that is right, if one is. */
  #guess(guesses: readonly Guess[], changed: Places): void {
    const { body } = this;
    const addresses = guesses.map(({ address }) => address);
    const first = Math.min(...addresses);
    const span = (Math.max(...addresses) - first) / 4 + 1;
    if (guesses.length <= FEW || span > WIDEST) {
      for (const { address, block } of guesses) {
        body.get(this.#exits.target);
        body.const(address);
        body.op(op.eq);
        body.if();
        this.#goto({ block }, changed);
        body.end();
      }
      return;
    }
    const none = body.block();
    const labels = guesses.map(() => body.block()).reverse();
    const places = Array.from({ length: span }, (_, i) => labels[addresses.indexOf(first + 4 * i)] ?? none);
    body.get(this.#exits.target);
    body.const(first);
    body.op(op.sub);
    body.const(2);
    body.op(op.shru);
    body.brTable(places, none);
    for (const { block } of guesses) {
      body.end();
      this.#goto({ block }, changed);
    }
    body.end();
  }

  #goto(way: Way, changed: Places): void {
    const { body } = this;
    if ('address' in way) {
      if (pageOf(way.address) === this.#exits.page) return body.br(this.#exits.within(way.address, changed));
      body.const(way.address);
      body.set(this.#exits.target);
      return body.br(this.#exits.dispatch(changed));
    }
    this.#enterPage(this.region.blocks[way.block]!.pc, changed);
    const frame = this.#frames.findLast(({ heads }) => heads.includes(way.block))!;
    if (frame.several) {
      body.const(frame.heads.indexOf(way.block));
      body.set(this.#head);
    }
    body.br(frame.label);
  }

  /** On at an address in another page of the region, perhaps: only if that is mapped as it was. */
  #enterPage(address: number, changed: Places): void {
    const { body } = this;
    const page = pageOf(address);
    if (page === this.#exits.page) return;
    const isMapped = this.#isMapped.get(page)!;
    body.get(isMapped);
    body.op(op.eqz);
    body.if();
    body.const(address);
    body.set(this.#exits.target);
    writeIsMapped(body, this.setting.lookaside, page, this.setting.translations.get(page)!);
    body.op(op.eqz);
    body.brIf(this.#exits.dispatch(changed));
    body.const(1);
    body.set(isMapped);
    body.end();
  }
}
