// Makes the sample of vectors beside it: `node test/cpu/vectors/make.mjs`. Values come from the definitions in the
// PPC440x5 User's Manual, worked out on exact integers; nothing of the simulator is used. The row format is that of
// test/cpu/vectors.test.ts.

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { files } from './make-rows.mjs';

await import('./make-arithmetic.mjs');
await import('./make-others.mjs');

for (const [name, rows] of Object.entries(files)) {
  const head = 'form,asm,code,in,memin,out,memout,nip,exc,dontcare,source';
  writeFileSync(resolve(import.meta.dirname, `${name}.csv`), `${[head, ...rows].join('\n')}\n`);
}
