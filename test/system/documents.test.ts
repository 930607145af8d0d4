import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../tools.js';

const documents = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)];

const read = (name: string): string => readFileSync(join(root, name), 'utf8');

const filesOf = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(root, folder, name)).isFile())
    .map((name) => name.split(sep).join('/'))
    .sort();

test('the reading guide names every file of src, and none that is not there', () => {
  // Each is the first thing of its line: - `uic.ts`: …, below a heading that names the folder.
  let folder = '';
  const named: string[] = [];
  for (const line of read('docs/reading-guide.md').split('\n')) {
    folder = /^##+ .*`src\/([^`]+)`/.exec(line)?.[1] ?? folder;
    const file = /^- `([^`]+\.ts)`/.exec(line)?.[1];
    if (file !== undefined) named.push(`${folder}/${file}`);
  }
  expect(named.sort()).toEqual(filesOf('src'));
});

test("the README's map names every folder of src", () => {
  for (const folder of new Set(filesOf('src').map((name) => name.split('/')[0]!))) {
    expect(read('README.md')).toMatch(new RegExp(`\\b${folder}\\b`));
  }
});

test.each(documents)('the links of %s lead somewhere', (name) => {
  const targets = [...read(name).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map((match) => match[1]!);
  const broken = targets.filter(
    (target) => !/^https?:/.test(target) && !existsSync(resolve(root, dirname(name), target)),
  );
  expect(broken).toEqual([]);
});

test('each dependency is in docs/dependencies.md with its reason', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json'));
  for (const name of Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })) {
    expect(read('docs/dependencies.md')).toMatch(new RegExp(`^\\| \`${name}\`.*\\|.*\\w`, 'm'));
  }
});
