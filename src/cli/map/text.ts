import type { Ownership, PartitionMap, Physical } from './model.js';
import { sectionsOf, summaryOf, type Section } from './sections.js';

/** How wide the picture of the board's memory is, in characters. */
const BAR = 64;

/** Who owns what, as the text of a terminal. */
export function mapText(name: string, map: Ownership): string {
  const sections = sectionsOf(map).flatMap(({ title, rows }: Section) => ['', title, ...aligned(rows)]);
  return [`${name}: ${summaryOf(map)}`, '', ...bar(map), ...sections].map((line) => `${line}\n`).join('');
}

/** Columns, sizes to the right and all else to the left. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  const used = widths.map((width) => width > 0);
  const pad = (cell: string, width: number): string =>
    /^[\d.]+ ([KMG]i)?B$/.test(cell) ? cell.padStart(width) : cell.padEnd(width);
  return rows.map((row) => {
    const cells = row.map((cell, i) => pad(cell, widths[i]!)).filter((_, i) => used[i]);
    return `  ${cells.join('  ')}`.trimEnd();
  });
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** The board's memory in proportion, a letter for each partition; what has too little for a letter has none. */
function bar({ memory, partitions }: Ownership): string[] {
  const total = memory.reduce((sum, { size }) => sum + size, 0);
  let passed = 0;
  let text = '';
  for (const { size, owner, kind } of memory) {
    passed += size;
    text = text.padEnd(Math.round((passed / total) * BAR), kind === 'shared' ? '+' : letterOf(owner, partitions));
  }
  const legend = partitions.map(({ name }) => `${letterOf(name, partitions)} ${name}`);
  const has = (kind: Physical['kind']): boolean => memory.some((block: Physical) => block.kind === kind);
  const free = [...(has('shared') ? ['+ shared'] : []), ...(has('free') ? ['. free'] : [])];
  return [`  [${text}]`, ...wrapped([...legend, ...free]).map((line) => `   ${line}`)];
}

function letterOf(owner: string | undefined, partitions: readonly PartitionMap[]): string {
  const i = partitions.findIndex(({ name }) => name === owner);
  return i < 0 ? '.' : LETTERS[i % LETTERS.length]!;
}

function wrapped(words: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 2 + word.length <= BAR) lines[lines.length - 1] = `${last}  ${word}`;
    else lines.push(word);
  }
  return lines;
}
