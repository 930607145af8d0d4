#!/usr/bin/env node
import { bundled } from './bundled.js';

const { main } = bundled() ?? (await import('./program.js'));
await main(process.argv.slice(2));
