import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { root } from './tools.js';

/** The strata, lowest first. A folder may import only itself and the folders named beside it. */
// prettier-ignore
const mayImport: Readonly<Record<string, readonly string[]>> = {
  isa:        [],
  bus:        [],
  devicetree: [],
  console:    [],
  mmu:        ['bus'], // its tables live in the shared memory
  devices:    ['bus'],
  cpu:        ['isa', 'mmu', 'bus'],
  loader:     ['bus', 'devicetree'],
  board:      ['cpu', 'isa', 'devices', 'bus', 'mmu', 'devicetree', 'loader'],
  hypervisor: ['board', 'cpu', 'isa', 'mmu', 'bus', 'devices', 'devicetree', 'loader'],
  debug:      ['hypervisor', 'board', 'cpu', 'isa', 'mmu', 'bus', 'loader', 'devicetree'],
  launch:     ['hypervisor', 'board', 'cpu', 'bus', 'loader', 'devicetree', 'console'],
  testing:    ['launch', 'debug', 'hypervisor', 'board', 'devices', 'cpu', 'mmu', 'bus', 'isa', 'loader', 'devicetree', 'console'],
  cli:        ['testing', 'launch', 'debug', 'hypervisor', 'board', 'devices', 'cpu', 'mmu', 'bus', 'isa', 'loader', 'devicetree', 'console'],
};

/** Where the outside world may be touched: files, sockets, terminals. Elsewhere it is bytes in, bytes out. */
const mayUseNode = ['cli', 'console', 'launch', 'testing'];

/** Where time, chance and the environment may be read. Elsewhere the same input must give the same result. */
const mayLookOutside = ['cli', 'console'];

/** Packages, each with its one home. */
const packages: Readonly<Record<string, readonly string[]>> = {
  commander: ['cli'],
  'binary-parser': ['loader', 'devicetree'],
  fflate: ['loader'],
  '@vscode/debugadapter': ['cli'],
  '@vscode/debugprotocol': ['cli'],
  'node-pty': ['console'],
  vitest: ['testing'], // the user's own
};

const LONGEST = 400;

/** Files that may be longer, each with the reason. */
const mayBeLong: Readonly<Record<string, string>> = {};

/** What a program can learn or do that its inputs do not say. */
const outside = new Set([
  'Date',
  'performance',
  'process',
  'crypto',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'fetch',
]);

interface Source {
  /** Below src/, with forward slashes. */
  readonly name: string;
  readonly folder: string;
  readonly lines: number;
  /** What it imports, as written. */
  readonly imports: readonly string[];
  /** The names of `outside`, and Math.random, that it uses. */
  readonly looks: readonly string[];
}

const src = join(root, 'src');

const sources: readonly Source[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .sort()
  .map((name) => readSource(name.split(sep).join('/'), readFileSync(join(src, name), 'utf8')));

function readSource(name: string, text: string): Source {
  const imports: string[] = [];
  const looks: string[] = [];
  const own = new Set<string>();
  const visit = (node: ts.Node): void => {
    const target = importTarget(node);
    if (target && ts.isStringLiteralLike(target)) imports.push(target.text);
    if (ts.isIdentifier(node) && outside.has(node.text) && !isMemberName(node)) looks.push(node.text);
    if (declaresName(node)) own.add(node.name.getText());
    if (ts.isPropertyAccessExpression(node) && node.getText() === 'Math.random') looks.push('Math.random');
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true));
  const lines = text.split('\n').length - 1;
  return { name, folder: name.split('/')[0]!, lines, imports, looks: looks.filter((look) => !own.has(look)) };
}

/** What a static, type-only or dynamic import, a re-export, or a require names. */
function importTarget(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  if (!ts.isCallExpression(node)) return undefined;
  const called = node.expression;
  const isImport =
    called.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(called) && called.text === 'require');
  return isImport ? node.arguments[0] : undefined;
}

/** Whether a node gives a name a meaning of its own in this file: a `fetch` that is ours is not the outside's. */
function declaresName(node: ts.Node): node is ts.NamedDeclaration & { name: ts.Node } {
  const declares = [
    ts.isFunctionDeclaration,
    ts.isVariableDeclaration,
    ts.isParameter,
    ts.isBindingElement,
    ts.isImportSpecifier,
  ];
  return declares.some((is) => is(node)) && (node as ts.NamedDeclaration).name !== undefined;
}

/** Whether an identifier is the `b` of `a.b`, `{ b: … }` or a member's declaration. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent))
    return parent.name === node && parent.expression.getText() !== 'globalThis';
  return (
    (ts.isClassElement(parent) || ts.isTypeElement(parent) || ts.isPropertyAssignment(parent)) && parent.name === node
  );
}

/** One line for each import, of those that `isWrong` says are. */
function imports(isWrong: (from: Source, target: string) => boolean): string[] {
  return sources.flatMap((from) =>
    from.imports.filter((target) => isWrong(from, target)).map((target) => `${from.name} imports ${target}`),
  );
}

const isRelative = (target: string): boolean => target.startsWith('.');

const folderOf = (from: Source, target: string): string =>
  relative(src, resolve(src, dirname(from.name), target)).split(sep)[0]!;

test('there are sources, and each is in a stratum', () => {
  expect(sources.length).toBeGreaterThan(0);
  expect(sources.filter(({ folder }) => !(folder in mayImport)).map(({ name }) => name)).toEqual([]);
});

test('the strata are in order: nothing names one that comes after it', () => {
  const order = Object.keys(mayImport);
  for (const [folder, targets] of Object.entries(mayImport)) {
    for (const target of targets)
      expect(order.indexOf(target), `${folder}: ${target}`).toBeLessThan(order.indexOf(folder));
  }
});

test('imports follow the strata', () => {
  const broken = imports((from, target) => {
    if (!isRelative(target)) return false;
    const to = folderOf(from, target);
    return to !== from.folder && mayImport[from.folder]?.includes(to) !== true;
  });
  expect(broken).toEqual([]);
});

test('relative imports name the .js file, so that plain Node finds it', () => {
  expect(imports((_, target) => isRelative(target) && !target.endsWith('.js'))).toEqual([]);
});

test('only cli, console, launch and testing import from Node', () => {
  expect(imports((from, target) => target.startsWith('node:') && !mayUseNode.includes(from.folder))).toEqual([]);
});

test('each package is imported in its one home, and no other package is', () => {
  const isOutside = (target: string): boolean => !isRelative(target) && !target.startsWith('node:');
  expect(imports((from, target) => isOutside(target) && packages[target]?.includes(from.folder) !== true)).toEqual([]);
});

test('only cli and console read the clock, chance or the environment', () => {
  const broken = sources.filter(({ folder, looks }) => !mayLookOutside.includes(folder) && looks.length > 0);
  expect(broken.map(({ name, looks }) => `${name} uses ${looks.join(', ')}`)).toEqual([]);
});

test(`a file has at most ${LONGEST} lines, but for the lists named here`, () => {
  const long = sources.filter(({ lines }) => lines > LONGEST).map(({ name }) => name);
  expect(long).toEqual(Object.keys(mayBeLong).sort());
});

test('this test sees what it looks for', () => {
  const program = `
    import { a } from 'one'; import type { B } from './two.js'; export * from '../three.js';
    const four = await import('node:four'); type Five = import('./five.js').Five;
    const text = "import 'no'"; // import 'no'; Date.now()
    const now = Date.now(); const other = machine.process; Math.random(); globalThis.setTimeout(now);
    function fetch() {} fetch();`;
  const { imports, looks, lines } = readSource('cpu/x.ts', program);
  expect(imports).toEqual(['one', './two.js', '../three.js', 'node:four', './five.js']);
  expect(looks).toEqual(['Date', 'Math.random', 'setTimeout']);
  expect(lines).toBe(5);
});
