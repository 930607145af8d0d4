import { nearest } from './nearest.js';

/** A remedy for a misspelt word: `did you mean 'X'?`, or else the words there are. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const meant = nearest(word, candidates);
  return meant === undefined ? `write ${either(candidates)}` : `did you mean '${meant}'?`;
}

/** `'a', 'b' or 'c'`. */
export function either(words: readonly string[]): string {
  const quoted = words.map((word) => `'${word}'`);
  if (quoted.length < 2) return quoted.join('');
  return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}
