// What is run: the project's own program, and those of ../shared/bench where they and the cross compiler are there.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

export const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..');

/**
 * Iterations of each program of firmware/bench: a thousand million instructions where little traps, so that what compiling it
 * takes at first is little too. `nothing` is what the others are compared with.
 */
const own = {
  integer: 300,
  memory: 4000,
  mix: 3500,
  recursion: 7000,
  nodes: 1800,
  switch: 35000,
  calls: 750,
  misses: 750,
};

/** Iterations of a shared guest are chosen so that it costs about so much, an exit counted as so many instructions. */
const SHARED_COST = 1e9;
const EXIT_COST = 500;

/**
 * A guest: its name, and what to give a machine for so many iterations: an image, and its boot arguments. Iterations of 0 do
 * nothing but start and end. One that is `whole` is counted from reset on.
 */
export function ownGuests(quick) {
  const image = join(root, 'firmware', 'bench', 'bench.elf');
  return Object.entries(own).map(([name, iterations]) => ({
    name,
    iterations: quick ? Math.ceil(iterations / 10) : iterations,
    with: (rounds) => ({ image, bootargs: rounds === 0 ? 'bench=nothing' : `bench=${name} rounds=${rounds}` }),
  }));
}

const ports = ['ef600300', 'ef600400', 'ef600500', 'ef600600', '9c000000'];

/** Linux from its first line to its shell, with the board's ports in the partition too. QEMU wants it unpacked. */
export function linuxGuest(folder) {
  const image = join(root, 'firmware', 'linux', 'vmlinux.gz');
  const plain = join(folder, 'vmlinux');
  writeFileSync(plain, gunzipSync(readFileSync(image)));
  const bootargs = 'console=ttyS0,115200';
  const config = join(folder, 'linux.dts');
  const serials = ports.map((at) => `serial@${at} { compatible = "ns16550"; reg = <0x${at} 8>; };`).join(' ');
  writeFileSync(
    config,
    `/dts-v1/;
    /include/ "${join(root, 'devicetrees', 'hv440-board.dtsi')}"
    &partitions { linux { compatible = "hv440,partition"; image = "${image}"; bootargs = "${bootargs}";
      memory = <0 0 0 0x4000000>; ${serials} }; };\n`,
  );
  const marks = { start: 'Linux version', end: /(BOOT-OK)/, last: 'BOOT-OK' };
  const given = { image, plain, config, memory: '64M', bootargs, marks };
  return { name: 'linux', whole: true, iterations: 1, with: () => given };
}

export const hasProgram = (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0;

/** Builds the guests beside the project into `folder`; says by `skip` why there are none. */
export function sharedGuests(folder, skip) {
  const source = resolve(root, '..', 'shared', 'bench');
  if (!existsSync(join(source, 'guest', 'build.sh'))) return skip('the guests of ../shared/bench: they are not there');
  if (!hasProgram('powerpc-linux-gnu-gcc'))
    return skip(
      'the guests of ../shared/bench: powerpc-linux-gnu-gcc is not installed (apt-get install gcc-powerpc-linux-gnu)',
    );
  cpSync(join(source, 'guest'), join(folder, 'guest'), { recursive: true });
  const built = spawnSync('bash', [join(folder, 'guest', 'build.sh')], { encoding: 'utf8' });
  if (built.status !== 0) return skip(`the guests of ../shared/bench: they do not build\n${built.stderr}`);
  const build = join(folder, 'build');
  const images = readdirSync(build)
    .filter((name) => name.endsWith('.elf'))
    .sort();
  return images.map((file) => sharedGuest(build, file.slice(0, -'.elf'.length)));
}

/** How often a shared guest goes round is a variable in its image, whose address is in the .sym file beside it. */
function sharedGuest(build, name) {
  const elf = readFileSync(join(build, `${name}.elf`));
  const at = fileOffset(elf, parseInt(readFileSync(join(build, `${name}.sym`), 'latin1'), 16));
  return {
    name: `shared/${name}`,
    with: (iterations) => {
      const image = join(build, `${name}-${iterations}.elf`);
      elf.writeUInt32BE(iterations, at);
      if (!existsSync(image)) writeFileSync(image, elf);
      return { image };
    },
  };
}

/** The place in an ELF file (32 bits, big-endian) of an address in one of its segments. */
function fileOffset(elf, address) {
  const [table, size, count] = [elf.readUInt32BE(28), elf.readUInt16BE(42), elf.readUInt16BE(44)];
  for (let at = table; at < table + size * count; at += size) {
    const [offset, base, bytes] = [elf.readUInt32BE(at + 4), elf.readUInt32BE(at + 8), elf.readUInt32BE(at + 16)];
    if (elf.readUInt32BE(at) === 1 && address >= base && address < base + bytes) return address - base + offset;
  }
  throw new Error(`no segment has 0x${address.toString(16)}`);
}

/** So many iterations that the guest costs about the same as the others; exact counts, so that it is the same everywhere. */
export async function calibrate(guest, count) {
  const [one, three] = [await count(guest.with(1)), await count(guest.with(3))];
  const cost = ({ instructions, exits }) =>
    instructions + EXIT_COST * Object.values(exits).reduce((sum, exit) => sum + exit.count, 0);
  return Math.max(1, Math.round(SHARED_COST / Math.max(1, (cost(three) - cost(one)) / 2)));
}
