import type { Connection } from './client.js';
import * as data from './data.js';
import { fileOperation } from './files.js';
import * as lifetime from './lifetime.js';
import * as points from './points.js';
import * as queries from './queries.js';
import { backward, interrupt, resumeBy, resumePlainly } from './resume.js';
import { nextStopped } from './stops.js';
import { targetsOf, threadId } from './thread-ids.js';

/** What answers a packet: the text behind its name is given; undefined where the answer comes later, or none does. */
type Answer = (connection: Connection, text: string) => string | undefined;

const agree =
  (change: (connection: Connection, on: boolean) => void): Answer =>
  (connection, text) => {
    change(connection, text === ':1' || text === '1');
    return 'OK';
  };

/** vCont? lists what vCont takes. */
function actions({ options }: Connection): string {
  const without = options.without ?? new Set<string>();
  const letters = ['c', 'C', 's', 'S', 't', 'r'].filter((letter) => !without.has(`vCont;${letter}`));
  return `vCont;${letters.join(';')}`;
}

/** Hg and Hc. */
function setThread(connection: Connection, text: string): string {
  const targets = targetsOf(connection, text.slice(1));
  if (!targets || targets.length === 0) return 'E01';
  const any = /^(p?-1|0|p0\.0)$/.test(text.slice(1));
  if (text.startsWith('g') && !any && !targets.includes(connection.current)) connection.current = targets[0]!;
  return 'OK';
}

function isAlive(connection: Connection, text: string): string {
  const [target] = targetsOf(connection, text) ?? [];
  return target && !target.process.ending ? 'OK' : 'E01';
}

/** Is the process one that was there before GDB came? */
const isAttached: Answer = ({ options }, text) =>
  text === '' || options.processes.some(({ number }) => number === parseInt(text.slice(1), 16)) ? '1' : 'E01';

/**
 * Packets by their names, which are what they begin with; of several that match, the longest. The names, and those of
 * `offers` in `queries.ts`, are the items that a server can be told to do without.
 */
// prettier-ignore
const packets: Readonly<Record<string, Answer>> = {
  // Base
  'qSupported':       queries.supported,
  'vMustReplyEmpty':  () => '',
  'QStartNoAckMode':  agree((connection) => (connection.acknowledges = false)),
  '?':                lifetime.whyStopped,
  'g':                data.readRegisters,
  'G':                data.writeRegisters,
  'p':                data.readRegister,
  'P':                data.writeRegister,
  'm':                data.readMemory,
  'M':                data.writeMemory,
  'X':                data.writeBinary,
  'H':                setThread,
  'T':                isAlive,
  'qC':               (connection) => `QC${threadId(connection, connection.current)}`,
  'qAttached':        isAttached,
  'D':                lifetime.detach,
  'vKill':            lifetime.kill,
  'k':                (connection) => { lifetime.killProcess(connection, connection.options.processes[0]!); return undefined; },
  // Run
  'vCont?':           actions,
  'vCont':            resumeBy,
  'vCtrlC':           (connection) => { interrupt(connection); return 'OK'; },
  'c':                (connection, text) => resumePlainly(connection, 'run', text),
  'C':                (connection) => resumePlainly(connection, 'run', ''),
  's':                (connection, text) => resumePlainly(connection, 'step', text),
  'S':                (connection) => resumePlainly(connection, 'step', ''),
  'bs':               (connection) => backward(connection, 'step'),
  'bc':               (connection) => backward(connection, 'continue'),
  // Breakpoints and watchpoints: Z0 to Z4
  'Z':                points.insert,
  'z':                points.remove,
  // Description
  'qXfer:':           queries.transfer,
  'qfThreadInfo':     queries.firstThreads,
  'qsThreadInfo':     () => 'l',
  'qThreadExtraInfo,': queries.threadName,
  'qSymbol':          () => 'OK',
  // Processes
  'vAttach':          lifetime.attach,
  'QThreadEvents':    agree((connection, on) => (connection.threadEvents = on)),
  'QNonStop':         agree((connection, on) => (connection.nonStop = on)),
  'vStopped':         nextStopped,
  '!':                (connection) => { connection.extended = true; return 'OK'; },
  'R':                (connection) => { lifetime.restart(connection); return undefined; },
  'vRun':             lifetime.runAgain,
  // Files, monitor, memory
  'vFile:':           fileOperation,
  'qRcmd,':           queries.monitorCommand,
  'qCRC:':            data.checksum,
  'qSearch:memory:':  data.search,
  'Qqemu.PhyMemMode:': agree((connection, on) => (connection.physical = on)),
  'qqemu.PhyMemMode': ({ physical }) => (physical ? '1' : '0'),
};

const names = Object.keys(packets).toSorted((a, b) => b.length - a.length);

/** The item that a packet is of, which may be more exact than its name: `Z2`. */
const itemOf = (name: string, rest: string): string => {
  if (name === 'Z' || name === 'z') return `Z${rest[0] ?? ''}`;
  return name.replace(/[:,]$/, '');
};

/** What a server says that does not do as the protocol wants where it knows nothing of a packet: for tests. */
const IMPOLITE = 'E01';

/** Answer a packet: a reply, an empty one for what is not known, or undefined where none is due now. */
export function answer(connection: Connection, text: string): string | undefined {
  const { without } = connection.options;
  const name = names.find((each) => text.startsWith(each));
  if (name === undefined || name === 'vMustReplyEmpty') return without?.has('empty') ? IMPOLITE : '';
  if (without?.has(itemOf(name, text.slice(name.length)))) return '';
  return packets[name]!(connection, text.slice(name.length));
}
