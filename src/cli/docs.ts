import { writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { documents } from './documents.js';

/** `npm run docs`: writes the generated documents anew. */
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
for (const [path, text] of Object.entries(documents)) writeFileSync(resolve(root, path), text());
