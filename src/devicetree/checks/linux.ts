import { consolesOf, devicesOf, isByteChannel, isSerial, offers } from '../partitions.js';
import type { Node } from '../tree.js';
import { at, count, nameOf, type Rule } from './rule.js';

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

/** Whether a partition most likely runs Linux: its command line reads so, or it has an initial RAM disk. */
const seemsLinux = (partition: Node): boolean =>
  partition.has('initrd') || LINUX_ARGUMENT.test(partition.get('bootargs')?.string ?? '');

const isUart = (node: Node): boolean => node.isCompatible('ns16550', 'ns16550a');

const console: Rule = {
  name: 'linux-console',
  severity: 'warning',
  over: 'partition',
  reads: ['bootargs', 'devices'],
  summary:
    'A console that `bootargs` gives Linux is one that the partition has: `ttySN` a serial port or UART, `ttyEHVN` a byte channel, counted from 0.',
  remedy: 'Name one that there is, or add the port.',
  *run(partition, { tree }) {
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

const machine: Rule = {
  name: 'linux-machine',
  severity: 'warning',
  over: 'partition',
  reads: ['bootargs', 'initrd'],
  summary:
    "A partition that seems to run Linux is shown a board that Linux knows: the root's `compatible`, or that of `node-update`, has a machine of Linux's 44x platforms.",
  remedy: 'Write "amcc,bamboo" last in the root’s `compatible`.',
  *run(partition, { tree }) {
    if (!seemsLinux(partition)) return;
    const update = partition.children.find(({ name }) => name === 'node-update');
    const told = update?.has('compatible') ? update : tree.root;
    if (!told.has('compatible') || told.isCompatible(...machines)) return;
    yield {
      ...at(told, 'compatible'),
      message: `${nameOf(partition)} seems to run Linux, which knows no board '${told.compatible.join("', '")}', and stops before it prints anything`,
      remedy: `write compatible = "${told.compatible[0] ?? 'hv440,board'}", "amcc,bamboo";`,
    };
  },
};

const bus: Rule = {
  name: 'linux-bus',
  severity: 'warning',
  over: 'partition',
  reads: ['bootargs', 'initrd', 'devices'],
  requires: ['device-not-on-board'],
  summary:
    'A device that is given to a partition that seems to run Linux is on buses below which Linux looks for devices: `ibm,plb4`, `ibm,opb`, `ibm,ebc` or `simple-bus`.',
  remedy: 'Add "simple-bus" to the `compatible` of the bus.',
  *run(partition, { tree }) {
    if (!seemsLinux(partition)) return;
    const told = new Set<Node>();
    for (const device of devicesOf(tree, partition)) {
      for (let above = device.parent; above?.parent; above = above.parent) {
        if (above.isCompatible(...probed) || told.has(above)) continue;
        told.add(above);
        yield {
          ...at(partition, 'devices'),
          message: `${nameOf(partition)} seems to run Linux, which does not look below ${above.path} for ${device.path}`,
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
  reads: ['bootargs', 'initrd', 'paravirtualization'],
  summary: 'A partition that seems to run Linux is not offered `idle` (`has-idle`), on which Linux for the 44x hangs.',
  remedy: 'Take "idle" out of `paravirtualization`.',
  *run(partition) {
    if (!offers(partition, 'idle') || !seemsLinux(partition)) return;
    yield {
      ...at(partition, 'paravirtualization'),
      message: `${nameOf(partition)} seems to run Linux, and is offered 'idle', on which Linux for the 44x hangs`,
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
export const linuxRules: readonly Rule[] = [console, machine, bus, idle, bootargsTooLong];
