import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Mux, Stream } from '../console/mux.js';
import { openPtys, type Ptys } from '../console/pty.js';
import type { Problem } from '../console/names.js';
import { UsageError } from '../launch/errors.js';

/** The ptys of a run. */
export interface PtyLinks {
  /** How many streams have one. */
  readonly count: number;
  /** The path of a stream's. */
  of(stream: Stream): string | undefined;
  /** Where they are, or why there are none, as a line to tell; undefined where none were wanted. */
  readonly place?: string;
}

const NONE: PtyLinks = { count: 0, of: () => undefined };

/**
 * Gives every stream a pty: in DIR where `--ptys DIR` names one (what is wrong with that is a UsageError), in the user's
 * own folder on a terminal or by `--ptys`; none by `--no-ptys` or, unless asked for, without a terminal.
 */
export async function givePtys(
  mux: Mux,
  option: string | boolean | undefined,
  onTerminal: boolean,
  report: (line: string) => void,
): Promise<PtyLinks> {
  const wanted = option ?? onTerminal;
  if (wanted === false) return NONE;
  const ptys = typeof wanted === 'string' ? await inFolder(mux, wanted, report) : await inOwnFolder(mux, report);
  if ('problem' in ptys) return { ...NONE, place: ptys.problem };
  const links = mux.streams.flatMap((stream) => ptys.linkOf(stream) ?? []);
  const place = `ptys in ${ptys.directory}: ${links.map((link) => basename(link)).join(', ')}`;
  return { count: links.length, of: (stream) => ptys.linkOf(stream), place };
}

/** What cannot be helped by naming another folder is no reason to refuse the run. */
const isForGood = ({ problem }: Problem): boolean => problem.includes('node-pty');

async function inFolder(mux: Mux, folder: string, report: (line: string) => void): Promise<Ptys | Problem> {
  const ptys = await openPtys(mux, folder, report);
  if ('problem' in ptys && !isForGood(ptys)) throw new UsageError(`--ptys ${folder}: ${ptys.problem}`);
  return ptys;
}

/** The same names each time, so that a terminal program can be set up for them; a second run at once has other ones. */
async function inOwnFolder(mux: Mux, report: (line: string) => void): Promise<Ptys | Problem> {
  const user = process.getuid?.() ?? 0;
  const folder = join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), `hv440-${user}`);
  const ptys = await openPtys(mux, folder, report);
  if (!('problem' in ptys) || isForGood(ptys)) return ptys;
  return openPtys(mux, `${folder}-${process.pid}`, report);
}
