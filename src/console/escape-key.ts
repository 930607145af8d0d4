import type { Problem } from './names.js';

/** The key that speaks to the multiplexer instead of the guest. */
export interface EscapeKey {
  /** The byte a terminal sends for it (0 … 0x1f), or undefined: there is none, and every key goes to the guest. */
  readonly byte: number | undefined;
  /** How to write it in a message: `Ctrl-A`. */
  readonly name: string;
}

/** The keys with Ctrl that no terminal can tell from ordinary ones, or that a program cannot do without. */
const unusable: Readonly<Record<string, string>> = {
  I: 'it is the same as Tab',
  J: 'it is the same as line feed',
  M: 'it is the same as Enter',
  '[': 'it is the same as Esc, which begins the arrow keys',
  C: 'the guest needs it to interrupt',
};

const forms = 'write it as ctrl-a, ^A or C-a, or none for no such key';

/** Read `--escape KEY`: `ctrl-a`, `^A`, `C-a` with any letter or one of `@ [ \ ] ^ _`, or `none`. */
export function parseEscapeKey(text: string): EscapeKey | Problem {
  if (text.toLowerCase() === 'none') return { byte: undefined, name: 'none' };
  const [, key] = /^(?:ctrl[-+]|c-|\^)([a-z@[\\\]^_])$/i.exec(text) ?? [];
  if (key === undefined) return { problem: `--escape ${text}: that is no key; ${forms}` };
  const upper = key.toUpperCase();
  const why = unusable[upper];
  if (why) return { problem: `--escape ${text}: that key cannot be taken, ${why}; ${forms}` };
  return { byte: upper.charCodeAt(0) & 0x1f, name: `Ctrl-${upper}` };
}

/** Ctrl-A, as in screen and QEMU. */
export const defaultEscapeKey: EscapeKey = { byte: 0x01, name: 'Ctrl-A' };
