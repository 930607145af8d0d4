// Preloaded into hv440 by memory.mjs: answers how much memory the process has, once what can be freed is.

import { readFileSync } from 'node:fs';

const WASM_PAGE = 65536;

/** Bytes of the one shared memory, which is reserved whole and given out by the system page by page as it is touched. */
let shared = 0;
const { Memory } = WebAssembly;
WebAssembly.Memory = class extends Memory {
  constructor(limits) {
    super(limits);
    shared = limits.initial * WASM_PAGE;
  }
};

process.on('message', () => {
  for (let i = 0; i < 3; i++) globalThis.gc();
  const areas = readFileSync('/proc/self/smaps', 'latin1').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const bytes = (area, name) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(area)?.[1] ?? 0) * 1024;
  const resident = areas.reduce((sum, area) => sum + bytes(area, 'Rss'), 0);
  const guests = areas.filter((area) => bytes(area, 'Size') === shared).map((area) => bytes(area, 'Rss'));
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  process.send({ resident, guest: Math.max(0, ...guests), heap: heapUsed, buffers: arrayBuffers });
});
process.channel.unref(); // asking must not keep it alive
