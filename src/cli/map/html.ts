import type { Ownership } from './model.js';
import { sectionsOf, summaryOf, type Section } from './sections.js';
import { escape, mapSvg } from './svg.js';

/** Who owns what, as a page that needs nothing else: the picture, then all of it in tables. */
export const mapHtml = (name: string, map: Ownership): string =>
  [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escape(name)}: who owns what</title>`,
    '<style>',
    ':root { color-scheme: light dark; } body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; }',
    '.picture { overflow-x: auto; } table { border-collapse: collapse; } td { padding: 0.1rem 1.2rem 0.1rem 0; white-space: pre; }',
    'td:first-child { font-family: ui-monospace, monospace; } td.size { text-align: right; } h2 { font-size: 1rem; margin: 1.6rem 0 0.3rem; }',
    '</style>',
    '</head>',
    '<body>',
    `<h1>${escape(name)}</h1>`,
    `<p>${escape(summaryOf(map))}</p>`,
    `<div class="picture">${mapSvg(name, map)}</div>`,
    ...sectionsOf(map).flatMap(table),
    '</body>',
    '</html>',
    '',
  ].join('\n');

const table = ({ title, rows }: Section): string[] => [
  `<h2>${escape(title)}</h2>`,
  '<table>',
  ...rows.map((row) => `<tr>${row.map((cell) => `<td>${escape(cell)}</td>`).join('')}</tr>`),
  '</table>',
];
