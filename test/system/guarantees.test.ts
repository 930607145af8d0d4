import { expect, test } from 'vitest';
import { putConfiguration, spin, type Guest } from '../cli/child.js';
import { cli, type CliResult } from '../tools.js';
import { shareOf, statsOf } from './hostile.js';
import { helloWith, QUANTUM, waitsOfHello } from './waits.js';

const spins = (name: string, guarantee?: number): Guest => ({
  name,
  image: spin,
  more: guarantee === undefined ? '' : `guarantee = <${guarantee}>;`,
});

const boot = (guests: readonly Guest[], ...args: readonly string[]): Promise<CliResult> => {
  const config = putConfiguration('shares.dts', guests, `quantum = <${QUANTUM}>;`);
  return cli(['boot', config, '--headless', '--max-instructions', '1e8', ...args], { timeout: 100_000 });
};

const three = [spins('control', 70), spins('logger', 20), spins('batch')];

test('guests that never yield have 70, 20 and the rest of the core, but for a quantum', async () => {
  const result = await boot(three, '--stats', 'json');
  const stats = statsOf(result);
  expect(stats.cycles).toBeGreaterThan(9e7);
  for (const [name, share] of Object.entries({ control: 0.7, logger: 0.2, batch: 0.1 }))
    expect(Math.abs(shareOf(name, stats) - share), name).toBeLessThan((1.01 * QUANTUM) / stats.cycles);
  expect(JSON.parse(result.stdout.trimEnd().split('\n').at(-1)!).partitions).toMatchObject([
    { name: 'control', vcpus: [{ guarantee: 70 }] },
    { name: 'logger', vcpus: [{ guarantee: 20 }] },
    { name: 'batch', vcpus: [{}] },
  ]);
});

test('the statistics have what is guaranteed beside what was had', async () => {
  const { stderr } = await boot(three, '--stats');
  expect(stderr.match(/core {6}guaranteed .*/g)).toEqual([
    expect.stringMatching(/^core {6}guaranteed 70 %, had (69\.9|70\.0)\d %$/),
    expect.stringMatching(/^core {6}guaranteed 20 %, had (19\.9|20\.0)\d %$/),
  ]);
});

const longestWait = (guests: readonly Guest[]): number => Math.max(...waitsOfHello(guests));

test('a guest with a guarantee answers within a bound, however many others never yield', () => {
  const others = Array.from({ length: 7 }, (_, i) => spins(`other${i}`, 8));
  const wait = longestWait([helloWith('guarantee = <40>;'), ...others]);
  // Half a quantum by its share, half a quantum more, and its answer; in turns it would be seven
  expect(wait).toBeLessThan(0.5 * 2.5 + 0.5 + 0.1);
  expect(longestWait([helloWith(), ...others.map(({ name }) => spins(name))])).toBeGreaterThan(6);
});

test('what is guaranteed twice over is told before anything boots', async () => {
  const { status, stderr } = await boot([spins('control', 70), spins('logger', 31)]);
  expect(status).toBe(2);
  expect(stderr).toMatch(
    /shares\.dts:\d+:\d+: error: partitions 'control' and 'logger' are guaranteed 101 % of core 0, and there is 100 %/,
  );
});
