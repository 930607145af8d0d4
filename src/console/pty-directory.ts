import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Problem } from './names.js';

const ownerFile = '.owner';

/** The result of a system call, or the code of its error (`EAGAIN`). */
export function attempt<T>(call: () => T): T | { code: string } {
  try {
    return call();
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}

/** Whether an `attempt` failed. */
export function failed<T>(result: T | { code: string }): result is { code: string } {
  return typeof result === 'object' && result !== null && 'code' in result;
}

/**
 * Make `directory` this process's own place for links, and clear it of what a run that is dead left behind. A living
 * process keeps its directory: two runs that give one stream's name to two ptys would mislead whoever opens it.
 */
export function claimDirectory(directory: string): Problem | undefined {
  const path = join(directory, ownerFile);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const owner = attempt(() => readFileSync(path, 'utf8'));
    if (!failed(owner)) {
      const pid = livingOwner(owner);
      if (pid !== undefined && pid !== process.pid)
        return { problem: `${directory} has the ptys of process ${pid}, which still runs; name another folder` };
      for (const name of readdirSync(directory)) removeStaleLink(join(directory, name));
    }
    writeFileSync(path, `${process.pid} ${startOf(process.pid) ?? ''}\n`);
    return undefined;
  } catch (error) {
    return { problem: `no ptys: ${(error as Error).message}; name a folder that can be written` };
  }
}

/** Give the directory up, and remove it where nothing else is in it. */
export function releaseDirectory(directory: string): void {
  const path = join(directory, ownerFile);
  const owner = attempt(() => readFileSync(path, 'utf8'));
  if (failed(owner) || livingOwner(owner) !== process.pid) return;
  rmSync(path, { force: true });
}

/** Remove a link that an earlier run left; what stands in the way, as part of a sentence, where it is anything else. */
export function removeStaleLink(link: string): string | undefined {
  const status = attempt(() => lstatSync(link));
  if (failed(status)) return undefined;
  if (!status.isSymbolicLink()) return `${link} is there and is not a link; move it away`;
  const target = readlinkSync(link);
  if (!target.startsWith('/dev/'))
    return `${link} is there and points to ${target}, which is no terminal; move it away`;
  unlinkSync(link);
  return undefined;
}

function livingOwner(text: string): number | undefined {
  const [number = '', start = ''] = text.trim().split(' ');
  const pid = Number(number);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const alive = attempt(() => process.kill(pid, 0));
  if (failed(alive) && alive.code !== 'EPERM') return undefined;
  return start === '' || (startOf(pid) ?? start) === start ? pid : undefined;
}

/** When a process began, in the kernel's ticks since boot, as a number is used again by later processes; proc(5), stat. */
function startOf(pid: number): string | undefined {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (failed(stat)) return undefined;
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
