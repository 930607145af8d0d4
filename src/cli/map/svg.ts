import type { Block, Ownership, PartitionMap } from './model.js';
import { hex, sense, size } from './format.js';
import { channelName, holds, summaryOf, wayOf } from './sections.js';

/** Pixels. Each partition has a column, and the board the first; below the columns each device and channel has a row. */
const COLUMN = 250;
const GAP = 50;
const MARGIN = 20;
const HEAD = 74;
const ROW = 24;

/** A box of a column of memory: low addresses are at the bottom. */
interface Box extends Block {
  readonly top: number;
  readonly height: number;
}

/** Who owns what, as a picture that stands alone. The same map always gives the same bytes. */
export function mapSvg(name: string, map: Ownership): string {
  const columns = [boardColumn(map), ...map.partitions.map(guestColumn)];
  const tallest = Math.max(...columns.map(heightOf));
  const stacked = columns.map((blocks) => stack(blocks, HEAD + tallest));
  const below = HEAD + tallest + 40;
  const table = matrix(map, below);
  const width = MARGIN * 2 + columns.length * COLUMN + (columns.length - 1) * GAP;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${table.bottom + MARGIN}" width="${width}" height="${table.bottom + MARGIN}" role="img" aria-label="${escape(`who owns what in ${name}`)}">`,
    style(map.partitions.length),
    `<text class="title" x="${MARGIN}" y="26">${escape(name)}</text>`,
    `<text class="quiet" x="${MARGIN}" y="44">${escape(summaryOf(map))}</text>`,
    ...bands(map, stacked),
    `<text class="head" x="${MARGIN}" y="${HEAD - 10}">board, physical addresses</text>`,
    ...map.partitions.map((p, i) => `<text class="head" x="${left(i + 1)}" y="${HEAD - 10}">${escape(p.name)}</text>`),
    ...stacked.flatMap((boxes, i) => boxes.flatMap((box) => drawBox(box, left(i), hueOf(box, i, map)))),
    ...table.lines,
    '</svg>',
    '',
  ].join('\n');
}

const left = (column: number): number => MARGIN + column * (COLUMN + GAP);
/** Where the marks of a column stand; the board's leave room for the names of the rows. */
const center = (column: number): number => left(column) + COLUMN * (column === 0 ? 0.66 : 0.5);

export const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** Hues far from each other, however many there are. */
export const hue = (partition: number): number => Math.round(partition * 137.508 + 210) % 360;

const style = (partitions: number): string =>
  [
    '<style>',
    'text { font: 12px system-ui, sans-serif; fill: #1b1f24; } .title { font-size: 16px; font-weight: 600; } .head { font-weight: 600; }',
    '.quiet { fill: #59636e; } .address { font: 10px ui-monospace, monospace; fill: #59636e; } .box { stroke: #59636e; stroke-width: 0.7; }',
    '.shared { fill: #dcd6c4; } .free { fill: #f3f4f6; } .nothing { fill: none; stroke-dasharray: 3 3; } .line { stroke: #59636e; fill: none; } .grid { stroke: #d0d7de; }',
    ...Array.from(
      { length: partitions },
      (_, i) =>
        `.p${i} { fill: hsl(${hue(i)} 65% 86%); } .d${i} { fill: hsl(${hue(i)} 60% 72%); } .b${i} { fill: hsl(${hue(i)} 65% 60%); fill-opacity: 0.13; }`,
    ),
    '@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .quiet, .address { fill: #9198a1; } .free { fill: #21262d; } .grid { stroke: #30363d; }',
    ...Array.from(
      { length: partitions },
      (_, i) => `.p${i} { fill: hsl(${hue(i)} 40% 26%); } .d${i} { fill: hsl(${hue(i)} 45% 36%); }`,
    ),
    '}',
    '</style>',
  ].join('\n');

/** Physical memory; a gap between two ranges of it is drawn as one. */
const boardColumn = ({ memory }: Ownership): Block[] => [...memory];

/** Memory with what lies in it cut out, then the devices. */
function guestColumn({ blocks }: PartitionMap): Block[] {
  const inside = blocks.filter(
    (block) => block.kind !== 'memory' && blocks.some((m) => m.kind === 'memory' && holds(m, block)),
  );
  const pieces = blocks
    .filter((block) => block.kind === 'memory')
    .flatMap((memory) =>
      cut(
        memory,
        inside.filter((block) => holds(memory, block)),
      ),
    );
  const others = blocks.filter((block) => block.kind !== 'memory' && !inside.includes(block));
  return [...pieces, ...inside, ...others].toSorted((a, b) => a.base - b.base);
}

/** What is left of a stretch of memory. */
function cut(memory: Block, taken: readonly Block[]): Block[] {
  const pieces: Block[] = [];
  let at = memory.base;
  for (const { base, size: bytes } of taken) {
    if (base > at) pieces.push({ ...memory, base: at, size: base - at });
    at = Math.max(at, base + bytes);
  }
  const end = memory.base + memory.size;
  if (end > at) pieces.push({ ...memory, base: at, size: end - at });
  return pieces;
}

/** More for what is larger, but never too little for its name. */
const blockHeight = ({ size: bytes }: Block): number => Math.round(Math.max(34, Math.log2(bytes / 4096) * 8));

const SPACE = 14;

/** Do two stretches that follow each other leave addresses out? */
const isApart = (lower: Block | undefined, upper: Block): boolean =>
  lower !== undefined && lower.base + lower.size < upper.base;

const heightOf = (blocks: readonly Block[]): number =>
  blocks.reduce((sum, block, i) => sum + blockHeight(block) + (isApart(blocks[i - 1], block) ? SPACE : 0), 0);

/** From the lowest address at the bottom upwards. */
function stack(blocks: readonly Block[], bottom: number): Box[] {
  let at = bottom;
  return blocks.map((block, i) => {
    if (isApart(blocks[i - 1], block)) at -= SPACE;
    const height = blockHeight(block);
    at -= height;
    return { ...block, top: at, height };
  });
}

/** The number of the partition whose colour a box of a column has; none for what is nobody's. */
function hueOf(box: Box, column: number, { partitions }: Ownership): string {
  if (box.kind === 'shared') return 'shared';
  if (column > 0) return box.kind === 'memory' ? `p${column - 1}` : `d${column - 1}`;
  const owner = 'owner' in box ? partitions.findIndex(({ name }) => name === box.owner) : -1;
  return owner < 0 ? 'free' : `p${owner}`;
}

function drawBox({ top, height, base, size: bytes, what }: Box, x: number, kind: string): string[] {
  const middle = top + height / 2;
  return [
    `<g><title>${escape(`${hex(base)}–${hex(base + bytes - 1)}: ${what}`)}</title>`,
    `<rect class="box ${kind}" x="${x}" y="${top}" width="${COLUMN}" height="${height}"/>`,
    `<text x="${x + 8}" y="${middle - 2}">${escape(shorten(what.replace(/ .*\//, ' '), 36))}</text>`,
    `<text class="address" x="${x + 8}" y="${middle + 11}">${hex(base)}</text>`,
    `<text class="address" x="${x + COLUMN - 8}" y="${middle + 11}" text-anchor="end">${size(bytes)}</text></g>`,
  ];
}

/** The end of a long name says more than its beginning. */
const shorten = (text: string, length: number): string => (text.length <= length ? text : `…${text.slice(1 - length)}`);

/** From each stretch of the board's memory to where its owner finds it. */
function bands(map: Ownership, [board = [], ...guests]: readonly (readonly Box[])[]): string[] {
  return map.memory.flatMap(({ owner, guest, size: bytes }, i) => {
    const column = map.partitions.findIndex(({ name }) => name === owner);
    const from = board[i];
    if (column < 0 || guest === undefined || !from) return [];
    const whole = { base: guest, size: bytes };
    const to = guests[column]!.filter((box) => holds(whole, box));
    const top = Math.min(...to.map((box) => box.top));
    const bottom = Math.max(...to.map((box) => box.top + box.height));
    const [x1, x2] = [left(0) + COLUMN, left(column + 1)];
    const bend = (x1 + x2) / 2;
    return [
      `<path class="b${column}" d="M${x1} ${from.top} C${bend} ${from.top} ${bend} ${top} ${x2} ${top} L${x2} ${bottom} C${bend} ${bottom} ${bend} ${from.top + from.height} ${x1} ${from.top + from.height} Z"/>`,
    ];
  });
}

/** A row for each core, device and channel, with a mark in the columns of those that have it. */
function matrix(map: Ownership, top: number): { readonly lines: string[]; readonly bottom: number } {
  const columnOf = (partition: string): number => map.partitions.findIndex(({ name }) => name === partition) + 1;
  const lines: string[] = [];
  let y = top;
  const row = (label: string, title: string, marks: readonly string[]): void => {
    const right = left(map.partitions.length) + COLUMN;
    lines.push(
      `<g><title>${escape(title)}</title><text x="${MARGIN}" y="${y}">${escape(shorten(label, 40))}</text>`,
      `<line class="grid" x1="${MARGIN}" x2="${right}" y1="${y + 7}" y2="${y + 7}"/>`,
      ...marks,
      '</g>',
    );
    y += ROW;
  };
  const mark = (column: number, text: string): string =>
    `<circle class="box ${column === 0 ? 'free' : `d${column - 1}`}" cx="${center(column)}" cy="${y - 4}" r="6"/><text class="quiet" x="${center(column) + 12}" y="${y}">${escape(text)}</text>`;
  for (const core of map.cores)
    row(
      core.name,
      'a core',
      map.partitions.flatMap((p, i) => (p.cores.includes(core.name) ? mark(i + 1, vcpuText(p)) : [])),
    );
  for (const device of map.devices) {
    const wires = device.wires.map(({ controller, line, type }) => `${controller} ${line} ${sense(type)}`);
    const owner = device.owner === undefined ? 0 : columnOf(device.owner);
    row(device.name, [device.name, ...wires].join(', '), [
      mark(owner, [owner === 0 ? 'hypervisor' : '', ...wires].filter(Boolean).join(', ')),
    ]);
  }
  for (const channel of map.channels) {
    const { kind, from, to } = channel;
    const label = kind === 'manager' ? `${from.join(', ')} manages` : channelName(channel);
    const arrowsOf = (ends: readonly string[], others: readonly string[]): string[] =>
      ends.flatMap((one) => others.map((other) => arrow(center(columnOf(one)), center(columnOf(other)), y - 4)));
    const back = kind === 'byte-channel' ? arrowsOf(to, from) : [];
    row(label, `${from.join(', ')} ${wayOf(channel)} ${to.join(', ')}`, [...arrowsOf(from, to), ...back]);
  }
  return { lines, bottom: y };
}

function arrow(from: number, to: number, y: number): string {
  const way = Math.sign(to - from) || 1;
  return `<path class="line" d="M${from} ${y} L${to} ${y} M${to - way * 7} ${y - 4} L${to} ${y} L${to - way * 7} ${y + 4}"/><circle cx="${from}" cy="${y}" r="3"/>`;
}

/** `1 vcpu, 20 %`: how many, and what of a core each of them is guaranteed. */
function vcpuText({ vcpus, guarantee }: PartitionMap): string {
  const count = vcpus === 1 ? '1 vcpu' : `${vcpus} vcpus`;
  return guarantee === undefined ? count : `${count}, ${guarantee} %`;
}
