import { waitNames } from '../bindings/test.js';
import { injectionParts, injections } from '../bindings/test-injections.js';
import { disabled } from '../partitions.js';
import { didYouMean, either } from '../suggest.js';
import { HYPERVISOR_STREAM, scriptNodes, scriptPartition, scriptStream, streamsOf } from '../test-plan.js';
import type { Node } from '../tree.js';
import { at, type Context, type Problem, type Rule } from './rule.js';

const outputNames = ['expect', 'expect-regex', 'never', 'never-regex'];
const partitionNames = [
  'start',
  'stop',
  'pause',
  'resume',
  'restart',
  'expect-exit',
  'expect-fault',
  'expect-reset',
].concat('expect-state', 'wait-instructions', 'inject', 'min-share', 'max-share');

const isPartitionProperty = (name: string): boolean => partitionNames.includes(name) || name.startsWith('max-exits');

const stepsOf = (script: Node): Node[] => script.children.filter((step) => !disabled(step));

const withoutSteps: Rule = {
  name: 'test-without-steps',
  severity: 'error',
  over: 'test',
  summary: 'A test has a script, and every script a step: otherwise it would pass whatever happens.',
  remedy: 'Add a script with a step that says what has to be seen.',
  *run(test) {
    const example = 'hello { greets { expect = "hello> "; }; };';
    const scripts = scriptNodes(test);
    if (scripts.length === 0)
      yield {
        node: test,
        message: 'the test has no script, so there is nothing that it could see',
        remedy: `add one: ${example}`,
      };
    for (const script of scripts)
      if (stepsOf(script).length === 0)
        yield {
          node: script,
          message: `the script '${script.name}' has no step, so there is nothing that it could see`,
          remedy: 'add one: greets { expect = "hello> "; };',
        };
  },
};

const unknownPartition: Rule = {
  name: 'test-unknown-partition',
  severity: 'error',
  over: 'test',
  summary: 'What a test says of a partition is said of one that the configuration has and that is not disabled.',
  remedy: 'Name a partition, by `partition` where the script is not called like it.',
  *run(test, context) {
    const known = context.partitions.map(({ name }) => name);
    if (known.length === 0) return;
    const named = function* (node: Node, property: string): Iterable<Problem> {
      if (!context.sound(node, property)) return;
      for (const name of node.get(property)?.strings ?? [])
        if (!known.includes(name))
          yield {
            ...at(node, property),
            message: `'${property}' names '${name}', which is no partition that runs`,
            remedy: didYouMean(name, known),
          };
    };
    yield* named(test, 'may-fault');
    for (const script of scriptNodes(test)) {
      yield* named(script, 'partition');
      for (const step of stepsOf(script)) yield* named(step, 'partition');
      if (!script.has('partition') && !script.has('stream')) yield* unnamed(script, context, known);
      else if (script.get('stream')?.string === HYPERVISOR_STREAM) yield* homeless(script);
    }
  },
};

function* unnamed(script: Node, { tree }: Context, known: readonly string[]): Iterable<Problem> {
  if (scriptPartition(tree, script)) return;
  yield {
    node: script,
    message: `the script '${script.name}' is called like no partition, and does not say which one it is about`,
    remedy: `call it ${either(known)}, or add partition = "…"; with that`,
  };
}

/** Steps of a script about the hypervisor's reports that need a partition. */
function* homeless(script: Node): Iterable<Problem> {
  if (script.has('partition')) return;
  for (const step of stepsOf(script)) {
    const property = [...step.properties.values()].find(({ name }) => isPartitionProperty(name));
    if (!property || step.has('partition')) continue;
    yield {
      node: step,
      property,
      message: `'${property.name}' is about a partition, and the script '${script.name}' is about the hypervisor`,
      remedy: 'add partition = "…"; to the step',
    };
  }
}

const unknownStream: Rule = {
  name: 'test-unknown-stream',
  severity: 'error',
  over: 'test',
  requires: ['test-unknown-partition'],
  summary: 'A script reads a stream that the configuration has, and types to one that can be typed at.',
  remedy: 'Name a stream by `stream`: PARTITION/NODE of a serial port or byte channel, or `hypervisor`.',
  *run(test, context) {
    const { tree, partitions } = context;
    const known = [...partitions.flatMap((partition) => streamsOf(tree, partition)), HYPERVISOR_STREAM];
    for (const script of scriptNodes(test)) {
      if (!context.sound(script, 'stream')) continue;
      const stream = scriptStream(tree, script);
      if (script.has('stream') && !known.includes(stream!)) {
        yield {
          ...at(script, 'stream'),
          message: `there is no stream '${stream}'`,
          remedy: didYouMean(stream!, known),
        };
        continue;
      }
      if (script.has('stream') || scriptPartition(tree, script)) yield* unusable(script, stream);
    }
  },
};

function* unusable(script: Node, stream: string | undefined): Iterable<Problem> {
  for (const node of [script, ...stepsOf(script)])
    for (const property of node.properties.values()) {
      const { name } = property;
      const needs = outputNames.includes(name) || name === 'send';
      if (needs && stream === undefined)
        yield {
          node,
          property,
          message: `'${name}' needs a stream, and the partition of the script '${script.name}' has none`,
          remedy: 'give the partition a serial port or a byte channel',
        };
      if (name === 'send' && stream === HYPERVISOR_STREAM)
        yield {
          node,
          property,
          message: 'nothing can be typed to the hypervisor',
          remedy: 'take it out, or put it into the script of a partition',
        };
    }
}

const stepWaits: Rule = {
  name: 'test-step-waits',
  severity: 'error',
  over: 'step',
  summary: 'A step waits for one thing, so that it is clear what came first.',
  remedy: 'Make a step of each.',
  *run(step) {
    const [first, second] = [...step.properties.values()].filter(({ name }) => waitNames.includes(name));
    if (!first || !second) return;
    yield {
      node: step,
      property: second,
      message: `the step '${step.name}' waits by '${first.name}' and by '${second.name}'`,
      remedy: 'make two steps of it, in the order in which they are to happen',
    };
  },
};

const NOT_DOING = ['within', 'partition', 'never', 'never-regex', 'status', 'phandle', 'linux,phandle'];

const stepIdle: Rule = {
  name: 'test-step-does-nothing',
  severity: 'warning',
  over: 'step',
  summary: 'A step waits for something or does something; `within` and `never` are about its wait.',
  remedy: 'Add what it waits for, or take it out.',
  *run(step) {
    const names = [...step.properties.keys()];
    const waits = names.some((name) => waitNames.includes(name));
    if (waits) return;
    const idle = names.every((name) => NOT_DOING.includes(name));
    const lost = names.find((name) => name === 'within' || name.startsWith('never'));
    if (!idle && lost === undefined) return;
    yield {
      ...(lost === undefined ? { node: step } : at(step, lost)),
      message: idle
        ? `the step '${step.name}' neither waits nor does anything`
        : `'${lost}' of the step '${step.name}' is about a wait, and it waits for nothing`,
      remedy: 'add what it waits for, such as expect = "…";, or take it out',
    };
  },
};

const stepInjects: Rule = {
  name: 'test-step-injects',
  severity: 'error',
  over: 'step',
  reads: ['inject'],
  summary: 'A step says of the fault that it injects what that fault needs, and nothing else.',
  remedy: 'Add the property, or take it out; the description of `inject` says which fault has which.',
  *run(step) {
    const fault = step.get('inject')?.string;
    const { needs = [], takes = [] } = Object.entries(injections).find(([name]) => name === fault)?.[1] ?? {};
    const known: readonly string[] = [...needs, ...takes];
    for (const name of needs)
      if (!step.has(name))
        yield {
          ...at(step, 'inject'),
          message: `the fault '${fault}' needs '${name}', and the step '${step.name}' does not have it`,
          remedy: `add ${name} = …;`,
        };
    for (const name of injectionParts)
      if (step.has(name) && !known.includes(name))
        yield {
          ...at(step, name),
          message:
            fault === undefined
              ? `'${name}' is about a fault, and the step injects none`
              : `the fault '${fault}' has no '${name}'`,
          remedy: 'take it out',
        };
  },
};

const emptyAxis: Rule = {
  name: 'test-axis-empty',
  severity: 'error',
  over: 'axis',
  summary: 'An axis of a matrix has a variant: otherwise there is no combination to run.',
  remedy: 'Add a variant, which may be empty, or take the axis out.',
  *run(axis) {
    if (axis.children.length > 0) return;
    yield {
      node: axis,
      message: `the axis '${axis.name}' has no variant, so the test would not run at all`,
      remedy: 'add one: plain { };',
    };
  },
};

/** What can be wrong with a test. */
export const testRules: readonly Rule[] = [
  withoutSteps,
  unknownPartition,
  unknownStream,
  stepWaits,
  stepIdle,
  stepInjects,
  emptyAxis,
];
