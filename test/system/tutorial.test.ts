import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { cli, root, run } from '../tools.js';

/** A fenced block: its language, what stands behind that, and its lines. */
const BLOCK = /^```(\w+)(?: ([^\n]*))?\n([^]*?)^```$/gm;

/**
 * Does what a page says: writes each ```dts block to the file that it names, and runs each command of a ```console block. Gives
 * the page with what was really printed.
 */
async function play(page: string, folder: string): Promise<string> {
  let played = '';
  let at = 0;
  for (const match of page.matchAll(BLOCK)) {
    const [all, language = '', name, text = ''] = match;
    played += page.slice(at, match.index);
    at = match.index + all.length;
    if (language === 'dts' && name !== undefined) write(join(folder, name), text);
    played += language === 'console' ? `\`\`\`console\n${await perform(text, folder)}\`\`\`` : all;
  }
  return played + page.slice(at);
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Runs the lines that begin with `$`. */
async function perform(text: string, folder: string): Promise<string> {
  let shown = '';
  for (const [, command = ''] of text.matchAll(/^\$ (.*)$/gm)) {
    shown += `$ ${command}\n`;
    const [, alone = '', last] = /^(.*?)(?: 2>&1 \| tail -n (\d+))?$/.exec(command) ?? [];
    const [program = '', ...args] = words(alone);
    if (program === 'touch' || program === 'sed') shown += printed(await run(program, args, { cwd: folder }));
    else if (program === 'npx' && args[0] === 'hv440')
      shown += tail(printed(await cli(args.slice(1), { cwd: folder })), Number(last ?? Infinity));
    else throw new Error(`the page has a command that nobody knows: ${command}`);
  }
  return shown;
}

/** The last lines of a text. */
const tail = (text: string, lines: number): string =>
  text
    .split('\n')
    .slice(-lines - 1)
    .join('\n');

/** Words of a shell's command, with quotes. */
const words = (command: string): string[] =>
  [...command.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ''));

/** What a terminal would show, but for wall time, which differs. */
function printed({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): string {
  const all = `${stdout}${stdout === '' || stdout.endsWith('\n') ? '' : '\n'}${stderr}`;
  return all
    .replaceAll('\r', '')
    .replaceAll(/ +$/gm, '')
    .replaceAll(/\(\d+\.\d s\)/g, '(1.0 s)');
}

test(
  'every step of the tutorial is as it says (vitest -u writes what is printed now)',
  { timeout: 300_000 },
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'hv440-tutorial-'));
    try {
      for (const folder of ['devicetrees', 'firmware']) symlinkSync(join(root, folder), join(home, folder));
      const folder = join(home, 'my-board');
      mkdirSync(folder);
      const file = join(root, 'docs', 'tutorial.md');
      await expect(await play(readFileSync(file, 'utf8'), folder)).toMatchFileSnapshot(file);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  },
);
