// What dtc says of a source by its checks' names, to compare with.

import { spawnSync } from 'node:child_process';
import { complaintsOf, dtcCheckNames, Levels, warnings } from '../../src/devicetree/warnings/index.js';
import type { Tree } from '../../src/devicetree/tree.js';

/** The names of dtc's checks that this version of it has; the one that finds everything is left out. */
export function knownChecks(program: string): string[] {
  const refuses = (name: string): boolean => {
    const options = { input: '/dts-v1/; / { };', encoding: 'utf8' as const };
    return /Unrecognized check name/.test(spawnSync(program, ['-W', name, '-O', 'null'], options).stderr);
  };
  return dtcCheckNames.filter((name) => name !== 'always_fail' && !refuses(name));
}

/** dtc's warnings as `check node`, each once; undefined where it refuses the source, or breaks down. */
export function dtcWarnings(
  program: string,
  input: string | Uint8Array,
  names: readonly string[],
  folder = '.',
): string[] | undefined {
  const flags = names.flatMap((name) => ['-W', name]);
  const options = { input, maxBuffer: 1 << 28, encoding: 'utf8' as const };
  const { status, stderr } = spawnSync(program, ['-I', 'dts', '-O', 'null', ...flags, '-i', folder, '-'], options);
  if (status !== 0) return undefined;
  const said = [...stderr.matchAll(/: Warning \((\w+)\): (\/[^\s:]*):/g)];
  return [...new Set(said.map(([, name, node]) => `${name} ${node}`))].sort();
}

/** The same of a tree that was read here. */
export function ourWarnings(tree: Tree, names: readonly string[]): string[] {
  const levels = new Levels();
  for (const { name } of warnings) if (!names.includes(name)) levels.option('warning', `no-${name}`);
  for (const name of names) levels.option('warning', name);
  return [...new Set(complaintsOf(tree, levels).map(({ warning, node }) => `${warning.name} ${node.path}`))].sort();
}
