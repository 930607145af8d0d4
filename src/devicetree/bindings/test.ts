import { HV440, type Binding, type Properties, type PropertySpec } from './binding.js';
import { exitKinds } from './partitions.js';
import { injectionProperties } from './test-injections.js';
import { common } from './standard.js';

/** What a step can wait for a partition to die of, as docs/faults.md has them; `any` is any of these. */
export const faultWords = [
  'any',
  'machine-check-disabled',
  'no-handler',
  'handler-not-mapped',
  'handler-not-code',
  'handler-faults',
  'waits-forever',
  'branches-forever',
  'reset',
] as const;

/** The states of a partition that a step can wait for. */
export const stateWords = ['running', 'paused', 'stopped'] as const;

/** What a step can ask of a partition. */
export const askWords = ['start', 'stop', 'pause', 'resume', 'restart'] as const;

const never: Properties = {
  never: {
    type: 'strings',
    otherwise: 'nothing is forbidden',
    meaning: 'Texts that must not be printed meanwhile: the test fails at the very character that completes one.',
    source: HV440,
    example: '"panic", "Oops"',
  },
  'never-regex': {
    type: 'regexes',
    otherwise: 'nothing is forbidden',
    meaning: 'The same by regular expressions.',
    source: HV440,
    example: '"[Ee]rror [0-9]+"',
  },
};

/** What a test of a configuration is. */
export const testNode = {
  title: 'test',
  place: 'test',
  compatible: ['hv440,test'],
  closed: true,
  meaning:
    'Stands at `/test`, and says what `hv440 test` has to see of the configuration (testing.md). Its children are scripts, and `matrix`. No guest is given it, and what boots the configuration otherwise leaves it alone. Durations are simulated time: a number and `s`, `ms`, `us`, `ns` or `cycles`.',
  properties: {
    compatible: {
      type: 'strings',
      required: true,
      meaning: 'Always `hv440,test`.',
      source: HV440,
      example: '"hv440,test"',
    },
    description: {
      type: 'string',
      otherwise: 'none',
      meaning: 'What the test shows, for reports.',
      source: HV440,
      example: '"both partitions answer"',
    },
    limit: {
      type: 'duration',
      default: '10 s',
      meaning: 'Simulated time after which a test that is not over has failed.',
      source: HV440,
      example: '"2 s"',
    },
    seed: {
      type: 'cell',
      min: 0,
      max: 0xffffffff,
      default: 1,
      meaning: 'What its random choices depend on, unless `--seed` says otherwise.',
      source: HV440,
      example: '<7>',
    },
    'may-fault': {
      type: 'strings',
      otherwise: 'none: a partition that dies fails the test, unless a step waits for that',
      meaning: 'Partitions that may die without failing the test.',
      source: HV440,
      example: '"rogue"',
    },
    ...never,
    ...common,
  },
  example: `test {
	compatible = "hv440,test";
	description = "hello answers, and ends with the status that it is told";
	limit = "1 s";
	never = "panic";

	hello {
		prompt { expect = "hello> "; within = "10 ms"; send = "mem\\n"; };
		answer { expect-regex = "[0-9]+ MiB"; };
		leave { expect = "hello> "; send = "exit 3\\n"; };
		left { expect-exit = <3>; max-exits = <20000>; };
	};
};`,
} as const satisfies Binding;

/** The steps that are taken with one stream, or one partition. */
export const testScript = {
  title: 'script of a test',
  place: 'script',
  closed: true,
  meaning:
    'A child of `/test` other than `matrix`. Its children are steps, taken in the order of the source; scripts are taken side by side. A test has passed once all are at their ends. The name is the partition’s, or any where `partition` or `stream` says which one it is about.',
  properties: {
    partition: {
      type: 'string',
      otherwise: "that of `stream`, or the one that has the node's name",
      meaning: 'The partition that the steps are about.',
      source: HV440,
      example: '"hello"',
    },
    stream: {
      type: 'string',
      otherwise: "the partition's console",
      meaning:
        'The stream that is read and typed at, as `PARTITION/NODE`; `hypervisor` is what the hypervisor reports of partitions.',
      source: HV440,
      example: '"hello/serial@ef600300"',
    },
    repeat: {
      type: 'cell',
      min: 1,
      max: 1_000_000,
      default: 1,
      meaning: 'How often the steps are taken, one time after the other.',
      source: HV440,
      example: '<10>',
    },
    ...never,
    ...common,
  },
  example: `resets {
	partition = "hello";
	repeat = <3>;
	prompt { expect = "hello> "; };
	again { restart; };
};`,
} as const satisfies Binding;

const mostExits: PropertySpec = {
  type: 'cell',
  min: 0,
  max: 0xffffffff,
  otherwise: 'any number',
  meaning: 'The partition has made this many exits at most, since power-on or the last `recount`.',
  source: HV440,
  example: '<20000>',
};

const leastShare: PropertySpec = {
  type: 'cell',
  min: 0,
  max: 100,
  otherwise: 'any share',
  meaning:
    'The partition has had this share of the core at least, in per cent of the time since power-on or the last `recount`.',
  source: HV440,
  example: '<69>',
};

const shares: Properties = {
  'min-share': leastShare,
  'max-share': { ...leastShare, meaning: 'The same at most.', example: '<71>' },
};

const flag = (meaning: string): PropertySpec => ({
  type: 'flag',
  otherwise: 'it is not',
  meaning,
  source: HV440,
  example: '',
});

const waits = {
  expect: {
    type: 'string',
    meaning: 'Waits until the stream prints this text, behind what earlier steps have found.',
    source: HV440,
    example: '"hello> "',
    otherwise: 'no such wait',
  },
  'expect-regex': {
    type: 'regex',
    meaning:
      'The same by a regular expression of JavaScript’s. It is tried after every character; `^` begins a line, and `$` is the end of one that is over.',
    source: HV440,
    example: '"[0-9]+ MiB"',
    otherwise: 'no such wait',
  },
  wait: {
    type: 'duration',
    meaning: 'Lets this much time pass.',
    source: HV440,
    example: '"10 ms"',
    otherwise: 'no such wait',
  },
  'wait-up-to': {
    type: 'duration',
    meaning: 'Lets a random part of this time pass, which depends on the seed alone.',
    source: HV440,
    example: '"10 ms"',
    otherwise: 'no such wait',
  },
  'wait-instructions': {
    type: 'cell',
    min: 1,
    max: 0xffffffff,
    meaning: 'Waits until the partition has retired this many instructions since power-on.',
    source: HV440,
    example: '<1000000>',
    otherwise: 'no such wait',
  },
  'expect-exit': {
    type: 'cell',
    min: 0,
    max: 255,
    meaning: 'Waits until the partition has ended by its finisher with this status; any other ending fails the test.',
    source: HV440,
    example: '<0>',
    otherwise: 'no such wait',
  },
  'expect-fault': {
    type: 'string',
    values: faultWords,
    meaning: 'Waits until the partition has died of this (faults.md), or of `any` fault.',
    source: HV440,
    example: '"no-handler"',
    otherwise: 'no such wait',
  },
  'expect-reset': flag('Waits until the partition was reset: it has started anew, or ended so.'),
  'expect-state': {
    type: 'string',
    values: stateWords,
    meaning: 'Waits until the partition is in this state.',
    source: HV440,
    example: '"paused"',
    otherwise: 'no such wait',
  },
} as const satisfies Properties;

/** The properties that make a step wait. */
export const waitNames = Object.keys(waits);

/** What a step waits for, and what is done and seen to then. */
export const testStep = {
  title: 'step of a test',
  place: 'step',
  closed: true,
  meaning:
    'A child of a script; its name is for reports. It waits for one thing at most; then its other properties are done in the order of the source, at the very cycle at which what it waited for happened.',
  properties: {
    ...waits,
    within: {
      type: 'duration',
      otherwise: 'the limit of the test',
      meaning: 'The longest that the step may wait.',
      source: HV440,
      example: '"10 ms"',
    },
    send: {
      type: 'string',
      otherwise: 'nothing',
      meaning: 'Typed at the stream, as fast as a serial line of its speed passes it on.',
      source: HV440,
      example: '"mem\\n"',
    },
    start: flag('The partition is started.'),
    stop: flag('The partition is stopped.'),
    pause: flag('The partition is paused.'),
    resume: flag('The partition is resumed.'),
    restart: flag('The partition is started anew.'),
    recount: flag('Exits, instructions and cycles are counted anew, of all partitions.'),
    'max-exits': mostExits,
    ...Object.fromEntries(
      exitKinds.map((kind): [string, PropertySpec] => [
        `max-exits-${kind}`,
        { ...mostExits, meaning: `The same of exits of the kind \`${kind}\`.` },
      ]),
    ),
    ...shares,
    ...injectionProperties,
    partition: {
      type: 'string',
      otherwise: "the script's",
      meaning: 'The partition that the step is about.',
      source: HV440,
      example: '"hello"',
    },
    ...never,
    ...common,
  } as Properties,
  example: `bounce { expect = "hello> "; within = "5 ms"; restart; recount; };`,
} as const satisfies Binding;

/** What one test is to be run over. */
export const testMatrix = {
  title: 'matrix of a test',
  place: 'matrix',
  closed: true,
  meaning:
    'The node `matrix` of `/test`. Its children are axes, and theirs are variants: what a variant holds is merged over the root of the tree, as `node-update` merges. The test is run once with each combination of one variant of every axis.',
  properties: { ...common },
  example: `matrix {
	quantum {
		short { partitions { quantum = <5000>; }; };
		long { partitions { quantum = <400000>; }; };
	};
	memory {
		small { partitions { hello { memory = <0x0 0x0 0x0 0x00400000>; }; }; };
		large { partitions { hello { memory = <0x0 0x0 0x0 0x04000000>; }; }; };
	};
};`,
} as const satisfies Binding;

/** What is varied. */
export const matrixAxis = {
  title: 'axis of a matrix',
  place: 'axis',
  closed: true,
  meaning:
    'A child of `matrix`: variants of which each run has one. Names are for reports, `--filter` and `--variant`.',
  properties: { ...common },
  example: `offers {
	plain { };
	magic-page { partitions { linux { paravirtualization = "kvm", "magic-page"; }; }; };
};`,
} as const satisfies Binding;
