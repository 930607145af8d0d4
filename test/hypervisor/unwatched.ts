// Guests that nobody watches, whose exits an engine may deal with by itself, and what they leave.

import { vi } from 'vitest';
import { snapshotOf } from '../../src/board/snapshot.js';
import { encodeState } from '../../src/board/state-text.js';
import type { Engine } from '../../src/cpu/engine/engine.js';
import { Interpreter } from '../../src/cpu/engine/interpreter.js';
import { Translator } from '../../src/cpu/engine/translator.js';
import type { Code } from './code.js';
import { hypervisor, type Setting } from './guest.js';

/** A guest that nobody watches, its whole state after each so many cycles, and how many instructions were emulated for it. */
export function states(
  code: Code,
  engine: Engine,
  quantum: number,
  { node = '', ...setting }: Setting & { node?: string } = {},
) {
  const { hv, partition } = hypervisor({ guest: { program: code, node } }, { ...setting, engine, trusting: true });
  const [vcpu] = partition('guest').vcpus;
  const step = vi.spyOn(vcpu!.machine, 'step');
  const seen: string[] = [];
  for (let i = 0; i < 3000 && partition('guest').running; i++) {
    const progress = hv.run(quantum);
    if (progress.kind === 'idle' && progress.until < Infinity) hv.skip(progress.until);
    if (i % 64 === 0) seen.push(encodeState(hv.save()));
  }
  seen.push(encodeState(snapshotOf(hv)));
  return { hv, vcpu: vcpu!, account: vcpu!.account, steps: step.mock.calls.length, seen };
}

export const ENGINES = { cold: () => new Translator(), eager: () => new Translator({ eager: true }) };
export const reference = new Interpreter();
