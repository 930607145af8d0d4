import type { Breakpoint } from '../breakpoints.js';
import type { Target } from '../target.js';
import { evaluate, type AgentContext } from './agent.js';
import type { Connection, Point } from './client.js';
import { numbered } from './description.js';
import { fromHex, hexNumber } from './packet.js';

/** Z and z: breakpoints and watchpoints of the current target's process. */

/** By their number in the packet: 0 and 1 are the same here, since neither is in the guest's memory or registers. */
const kinds: readonly Breakpoint['kind'][] = ['execute', 'execute', 'write', 'read', 'access'];
const LONGEST_WATCH = 0x10000;

interface Asked {
  readonly type: number;
  readonly address: number;
  readonly length: number;
  readonly rest: string;
}

/** `type,address,kind;…`: for watchpoints the kind is their length. */
function parse(text: string): Asked | undefined {
  const match = /^([0-4]),([0-9a-fA-F]+),([0-9a-fA-F]+)(?:;(.*))?$/s.exec(text);
  const [address, length] = [hexNumber(match?.[2]), hexNumber(match?.[3])];
  if (!match || address === undefined || length === undefined || address >= 2 ** 36) return undefined;
  const type = Number(match[1]);
  if (type >= 2 && (length === 0 || length > LONGEST_WATCH)) return undefined;
  return { type, address, length: type < 2 ? 4 : length, rest: match[4] ?? '' };
}

const keyOf = ({ type, address, length }: Asked, { current, physical }: Connection): string =>
  [current.process.number, type, physical ? 'physical' : 'effective', address, length].join(' ');

/** Inserting it again replaces its conditions. */
export function insert(connection: Connection, text: string): string {
  const asked = parse(text);
  const code = asked && expressions(asked.rest);
  if (!asked || !code) return 'E01';
  const { current, physical, points } = connection;
  const { process } = current;
  const board = process.kind === 'hypervisor';
  const condition = code.conditions.length + code.commands.length > 0 ? judge(connection, code) : undefined;
  const breakpoint: Breakpoint = {
    kind: kinds[asked.type]!,
    space: physical || board ? 'physical' : 'effective',
    address: asked.address,
    length: asked.length,
    ...(board && { bus: current.core.bus }),
    ...(condition && { condition }),
  };
  points.set(keyOf(asked, connection), { type: asked.type, process, breakpoint });
  connection.place();
  return 'OK';
}

export function remove(connection: Connection, text: string): string {
  const asked = parse(text);
  if (!asked) return 'E01';
  connection.points.delete(keyOf(asked, connection));
  connection.place();
  return 'OK';
}

/** Which targets a point is for: its process's, and of the hypervisor all, since its addresses are the board's. */
export function targetsFor({ process }: Point, all: readonly Target[]): ReadonlySet<Target> {
  return new Set(process.kind === 'hypervisor' ? all : process.targets);
}

interface Expressions {
  readonly conditions: readonly Uint8Array[];
  readonly commands: readonly Uint8Array[];
}

/** `X length,code…` for conditions, and behind `cmds:persist,` for commands; undefined where it is neither. */
function expressions(text: string): Expressions | undefined {
  const found = { conditions: [] as Uint8Array[], commands: [] as Uint8Array[] };
  let list = found.conditions;
  let rest = text;
  while (rest !== '') {
    const commands = /^;?cmds:[01],/.exec(rest);
    if (commands) {
      list = found.commands;
      rest = rest.slice(commands[0].length);
    }
    const match = /^[;,]?X([0-9a-fA-F]+),/.exec(rest);
    const length = hexNumber(match?.[1]);
    if (!match || length === undefined) return undefined;
    const digits = rest.slice(match[0].length, match[0].length + 2 * length);
    const code = fromHex(digits);
    if (code?.length !== length) return undefined;
    list.push(code);
    rest = rest.slice(match[0].length + 2 * length);
  }
  return found;
}

/**
 * Stop if any condition holds, or has no value, which its author should see. With commands it does not stop then: they are
 * run, and the program goes on.
 */
function judge(connection: Connection, { conditions, commands }: Expressions): (target: Target) => boolean {
  return (target) => {
    const context = contextOf(connection, target);
    const holds = conditions.length === 0 || conditions.some((code) => evaluate(code, context) !== 0n);
    if (!holds || commands.length === 0) return holds;
    for (const code of commands) evaluate(code, context);
    return false;
  };
}

function contextOf(connection: Connection, target: Target): AgentContext {
  const registers = numbered(target.registers.hasFloats);
  return {
    register: (number) => {
      const found = registers.find((each) => each.number === number);
      return found && target.registers.read(found.register);
    },
    memory: (address, length) => target.effective.read(address, length),
    print: (text) => connection.print(text),
  };
}
