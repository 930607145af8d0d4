import { consoleOf, consolesOf, devicesOf, isByteChannel, isSerial, offers, streamPortsOf } from '../partitions.js';
import type { Node } from '../tree.js';
import { at, count, nameOf, type Context, type Problem, type Rule } from './rule.js';

/** Machines that Linux's platforms for the 44x answer to (arch/powerpc/platforms/44x: ppc44x_simple.c and its neighbours). */
const machines = [
  'amcc,arches',
  'amcc,bamboo',
  'amcc,canyonlands',
  'amcc,eiger',
  'amcc,glacier',
  'amcc,katmai',
  'amcc,rainier',
  'amcc,redwood',
  'amcc,sequoia',
  'amcc,taishan',
  'amcc,yosemite',
  'apm,bluestone',
  'ibm,ebony',
  'mosaixtech,icon',
  'pika,warp',
];

/** Buses below which those platforms look for devices (of_platform_bus_probe in ppc44x_simple.c). */
const probed = ['ibm,plb4', 'ibm,opb', 'ibm,ebc', 'simple-bus'];

/** What only Linux is told, or given. */
const LINUX_ARGUMENT = /(?:^|\s)(?:console=tty|root=|rdinit=|init=|earlycon)/;

/**
 * How sure it is that a partition runs Linux, as a verb; undefined: it does not. The image tells, or where that cannot be
 * read, that its command line reads so or that it has an initial RAM disk.
 */
function linuxness(partition: Node, context: Context): 'runs' | 'seems to run' | undefined {
  const image = context.inspect(partition, 'image');
  if (image?.ok && image.isLinux !== undefined) return image.isLinux ? 'runs' : undefined;
  const reads = LINUX_ARGUMENT.test(partition.get('bootargs')?.string ?? '');
  return partition.has('initrd') || reads ? 'seems to run' : undefined;
}

const isUart = (node: Node): boolean => node.isCompatible('ns16550', 'ns16550a');

const console: Rule = {
  name: 'linux-console',
  severity: 'warning',
  over: 'partition',
  reads: ['bootargs', 'devices', 'stdout'],
  requires: ['stdout-not-a-console'],
  summary:
    "A console that `bootargs` gives Linux is one that the partition has: `ttySN` a serial port or UART, counted from 0, and `ttyEHV0` the byte channel that is the partition's console.",
  remedy: 'Name one that there is, or add the port; write `stdout` where the console is to be a byte channel.',
  *run(partition, context) {
    const { tree } = context;
    const bootargs = partition.get('bootargs')?.string ?? '';
    const ports = consolesOf(partition);
    const uarts = devicesOf(tree, partition).filter(isUart);
    const aliases = tree.root.child('aliases');
    const numbered = (n: number): boolean => {
      const path = aliases?.get(`serial${n}`)?.string;
      return path !== undefined && uarts.includes(tree.find(path)!);
    };
    const kinds = {
      ttyS: { has: ports.filter(isSerial).length + uarts.length, what: 'serial port' },
      ttyEHV: { has: ports.filter(isByteChannel).length, what: 'byte channel' },
    } as const;
    for (const [, name, number] of bootargs.matchAll(/(?:^|\s)console=(ttyS|ttyEHV)(\d+)/g)) {
      const { has, what } = kinds[name as keyof typeof kinds];
      const n = Number(number);
      if (name === 'ttyEHV' && has > 0) {
        yield* byteChannelConsole(partition, n, context);
        continue;
      }
      if (n < has || (name === 'ttyS' && numbered(n))) continue;
      const names = Array.from({ length: has }, (_, i) => `${name}${i}`);
      yield {
        ...at(partition, 'bootargs'),
        message: `the console ${name}${n} of ${nameOf(partition)} is none that it has: it has ${count(has, what)}`,
        remedy:
          names.length === 0
            ? `add a ${what}, or name another console`
            : `write ${names.map((one) => `console=${one}`).join(' or ')}`,
      };
    }
  },
};

/** Linux's driver for byte channels has its console on the one that is stdout, and calls that ttyEHV0 (drivers/tty/ehv_bytechan.c). */
function* byteChannelConsole(partition: Node, n: number, { tree }: Context): Iterable<Problem> {
  const console = consoleOf(tree, partition);
  const onChannel = console !== undefined && isByteChannel(console);
  if (n === 0 && onChannel) return;
  const streams = streamPortsOf(partition).filter(isByteChannel);
  const is = console ? `which is '${console.name}'` : 'and it has none';
  yield {
    ...at(partition, 'bootargs'),
    message:
      n > 0
        ? `the console ttyEHV${n} of ${nameOf(partition)} prints nothing: of byte channels Linux has its console on ttyEHV0 alone`
        : `the console ttyEHV0 of ${nameOf(partition)} prints nothing: Linux has it on a byte channel that is the partition's console, ${is}`,
    remedy: onChannel
      ? 'write console=ttyEHV0'
      : streams[0]
        ? `write stdout = "${streams[0].name}";${n > 0 ? ' and console=ttyEHV0' : ''}`
        : 'add a byte channel without endpoint, and name it by stdout',
  };
}

const byteChannelNumber: Rule = {
  name: 'linux-byte-channel-number',
  severity: 'warning',
  over: 'partition',
  reads: ['bootargs', 'image', 'initrd', 'stdout'],
  requires: ['stdout-not-a-console'],
  summary:
    'Where a partition that runs Linux has byte channels, one of them is its console: Linux keeps the number 0 for that, and has as many numbers as there are byte channels.',
  remedy: 'Name a byte channel by `stdout`, or add one for the console.',
  *run(partition, context) {
    const channels = consolesOf(partition).filter(isByteChannel);
    const last = channels.at(-1);
    const console = consoleOf(context.tree, partition);
    if (!last || (console && isByteChannel(console))) return;
    const verb = linuxness(partition, context);
    if (!verb) return;
    const others = channels.length > 1 ? `, and the others are ttyEHV1 to ttyEHV${channels.length - 1}` : '';
    yield {
      node: last,
      message: `${nameOf(partition)} ${verb} Linux, which keeps ttyEHV0 for a console on a byte channel: so it finds no number for '${last.name}'${channels.length === 2 ? ', and the other is ttyEHV1' : others}`,
      remedy: 'add a byte channel that is its console, and name it by stdout',
    };
  },
};

const machine: Rule = {
  name: 'linux-machine',
  severity: 'warning',
  over: 'partition',
  reads: ['bootargs', 'image', 'initrd'],
  summary:
    "A partition that runs Linux is shown a board that Linux knows: the root's `compatible`, or that of `node-update`, has a machine of Linux's 44x platforms.",
  remedy: 'Write "amcc,bamboo" last in the root’s `compatible`.',
  *run(partition, context) {
    const update = partition.children.find(({ name }) => name === 'node-update');
    const told = update?.has('compatible') ? update : context.tree.root;
    if (!told.has('compatible') || told.isCompatible(...machines)) return;
    const verb = linuxness(partition, context);
    if (!verb) return;
    yield {
      ...at(told, 'compatible'),
      message: `${nameOf(partition)} ${verb} Linux, which knows no board '${told.compatible.join("', '")}', and stops before it prints anything`,
      remedy: `write compatible = "${told.compatible[0] ?? 'hv440,board'}", "amcc,bamboo";`,
    };
  },
};

const bus: Rule = {
  name: 'linux-bus',
  severity: 'warning',
  over: 'partition',
  reads: ['bootargs', 'devices', 'image', 'initrd'],
  requires: ['device-not-on-board'],
  summary:
    'A device that is given to a partition that runs Linux is on buses below which Linux looks for devices: `ibm,plb4`, `ibm,opb`, `ibm,ebc` or `simple-bus`.',
  remedy: 'Add "simple-bus" to the `compatible` of the bus.',
  *run(partition, context) {
    const { tree } = context;
    const devices = devicesOf(tree, partition);
    const verb = devices.length > 0 ? linuxness(partition, context) : undefined;
    if (!verb) return;
    const told = new Set<Node>();
    for (const device of devices) {
      for (let above = device.parent; above?.parent; above = above.parent) {
        if (above.isCompatible(...probed) || told.has(above)) continue;
        told.add(above);
        yield {
          ...at(partition, 'devices'),
          message: `${nameOf(partition)} ${verb} Linux, which does not look below ${above.path} for ${device.path}`,
          remedy: `add "simple-bus" to the compatible of ${above.path}`,
        };
      }
    }
  },
};

const idle: Rule = {
  name: 'linux-idle',
  severity: 'warning',
  over: 'partition',
  reads: ['bootargs', 'image', 'initrd', 'paravirtualization'],
  summary: 'A partition that runs Linux is not offered `idle` (`has-idle`), on which Linux for the 44x hangs.',
  remedy: 'Take "idle" out of `paravirtualization`.',
  *run(partition, context) {
    const verb = offers(partition, 'idle') ? linuxness(partition, context) : undefined;
    if (!verb) return;
    yield {
      ...at(partition, 'paravirtualization'),
      message: `${nameOf(partition)} ${verb} Linux, and is offered 'idle', on which Linux for the 44x hangs`,
      remedy: 'take "idle" out',
    };
  },
};

/** Linux takes no more of a command line, its NUL included (COMMAND_LINE_SIZE of arch/powerpc). */
const COMMAND_LINE = 2048;

const bootargsTooLong: Rule = {
  name: 'linux-bootargs-too-long',
  severity: 'warning',
  over: 'partition',
  reads: ['bootargs'],
  summary: `\`bootargs\` has fewer than ${COMMAND_LINE} characters: Linux for PowerPC leaves out the rest.`,
  remedy: 'Shorten it, or hand the rest over in the initial RAM disk.',
  *run(partition) {
    const length = partition.get('bootargs')?.string.length ?? 0;
    if (length < COMMAND_LINE) return;
    yield {
      ...at(partition, 'bootargs'),
      message: `'bootargs' of ${nameOf(partition)} has ${length} characters, and Linux takes ${COMMAND_LINE - 1}`,
      remedy: 'shorten it',
    };
  },
};

/** What can be wrong with a partition that runs a stock Linux. */
export const linuxRules: readonly Rule[] = [console, byteChannelNumber, machine, bus, idle, bootargsTooLong];
