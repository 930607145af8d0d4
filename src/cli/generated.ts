import type { Core } from '../cpu/core.js';

/** `--show-generated ADDRESS`: what the engine makes of the code at an address, on each processor that has run its page. */
export function generatedCode(cores: readonly Core[], address: number): string[] {
  const shown = cores.flatMap((core) => {
    const lines = core.engine.show?.(core, address) ?? [];
    return lines.length > 0 ? [`processor ${core.model.number}, ${hexadecimal(address)}`, ...lines] : [];
  });
  return shown.length > 0 ? shown : [`${hexadecimal(address)}: no engine that translates has run`];
}

const hexadecimal = (address: number): string => `0x${address.toString(16).padStart(8, '0')}`;
