import { expect } from 'vitest';
import { cli, shared, testWith } from '../tools.js';
import { linux, partitions, typing } from './linux.js';

const kernel = shared('guests/vmlinux-paravirt');
const withLinux = testWith(kernel);

const MAGIC = 'paravirtualization = "kvm", "magic-page";';
/**
 * Linux 6.1 looks whether the page is there by a function that refuses all addresses but a user's (fault_in_readable), and
 * so it never is. Without that branch it patches itself.
 */
const MENDED = 'image-patch = <0x000b3fa4 0x418000dc 0x60000000>;';

/** What `--stats=json` says of a vcpu's exits. */
interface Account {
  readonly exitCount: number;
  readonly instructions: number;
  readonly exits: Readonly<Record<string, { count: number; details?: readonly { name: string; count: number }[] }>>;
}

async function bootLinux(file: string, properties: string, console: 'UART' | 'byte channel') {
  const guest = {
    name: 'linux',
    image: kernel!,
    properties,
    memory: 0x08000000,
    ...(console === 'byte channel' && { console }),
  };
  const result = await linux(['boot', partitions(file, [guest]), ...typing('poweroff -f')]);
  const statistics = result.stdout.trimEnd().split('\n').at(-1)!;
  const { partitions: all } = JSON.parse(statistics) as { partitions: { vcpus: Account[] }[] };
  const account = all[0]!.vcpus[0]!;
  const count = (kind: string, detail: string): number =>
    account.exits[kind]?.details?.find(({ name }) => name === detail)?.count ?? 0;
  return { ...result, count, perMillion: account.exitCount / (account.instructions / 1e6) };
}

withLinux('a plain partition shows no KVM, and leaves less than 2,800 times in a million instructions', async () => {
  const { count, perMillion } = await bootLinux('plain.dts', '', 'UART');
  expect(perMillion).toBeLessThan(2800);
  expect(count('hypercall', 'KVM_HC_FEATURES')).toBe(0);
});

withLinux('a stock Linux finds KVM and asks for the magic page, and its own test of it fails', async () => {
  const { boot, count, perMillion } = await bootLinux('stock.dts', MAGIC, 'byte channel');
  expect(boot).toMatch(/ehv-bc hypervisor:handles:console: registered \/dev\/ttyEHV0 for byte channel 1\n/);
  expect([count('hypercall', 'KVM_HC_FEATURES'), count('hypercall', 'KVM_HC_PPC_MAP_MAGIC_PAGE')]).toEqual([1, 1]);
  expect(boot).not.toContain('Live patching');
  expect(perMillion).toBeLessThan(2300);
});

withLinux('with that test mended Linux patches itself until its buffer is full', async () => {
  const { boot, count } = await bootLinux('mended.dts', `${MAGIC} ${MENDED}`, 'byte channel');
  expect(boot).toMatch(/KVM: No more space \(65536 \+ \d+\)\n/);
  expect(boot).toMatch(/KVM: Live patching for a fast VM failed\n/); // since not all of it found room
  expect(boot).toContain('BOOT-OK');
  // What needs no room is gone, but for what came before
  for (const register of ['SPRG0', 'SPRG1', 'SPRG4', 'SPRG5', 'SPRG7'])
    expect(count('emulate', `mtspr ${register}`), register).toBeLessThan(5);
  for (const register of ['SPRG3', 'SRR0', 'SRR1', 'DEAR', 'ESR'])
    expect(count('emulate', `mfspr ${register}`), register).toBe(0);
});

withLinux('a patch for another image stops it before it starts', async () => {
  const properties = 'image-patch = <0x000b3fa4 0x60000000 0x60000000>;';
  const file = partitions('other.dts', [{ name: 'linux', image: kernel!, properties }]);
  const { stderr, status } = await cli(['boot', file, '--headless']);
  expect(stderr).toContain('image-patch expects 0x60000000 at 0xb3fa4, and there is 0x418000dc');
  expect(status).toBe(2);
});
