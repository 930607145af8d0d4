import { allowed, typeNames } from '../bindings/markdown.js';
import type { PropertySpec, PropertyType } from '../bindings/binding.js';
import { bindingOf, propertiesOf } from '../bindings/index.js';
import { childCells } from '../addresses.js';
import { DURATION_FORM, parseDuration } from '../duration.js';
import { nearest } from '../nearest.js';
import { didYouMean } from '../suggest.js';
import type { Node, Property } from '../tree.js';
import { count, nameOf, type Context, type Problem, type Rule } from './rule.js';

/** A rule on the shape of single properties: what it finds keeps other rules from reading the property. */
const shape = (rule: Omit<Rule, 'over' | 'severity' | 'run'>, run: ShapeCheck): Rule => ({
  ...rule,
  severity: 'error',
  over: 'node',
  *run(node, context) {
    const specs = propertiesOf(node);
    for (const property of node.properties.values()) {
      const spec = Object.hasOwn(specs, property.name) ? specs[property.name] : undefined;
      if (!spec || !context.sound(node, property.name)) continue;
      const problem = run(property, spec, node, context);
      if (problem) yield { node, property, ...problem };
    }
  },
});

type ShapeCheck = (
  property: Property,
  spec: PropertySpec,
  node: Node,
  context: Context,
) => Pick<Problem, 'message' | 'remedy'> | undefined;

const textTypes: readonly PropertyType[] = ['string', 'strings', 'path', 'duration', 'regex', 'regexes'];
const oneString: readonly PropertyType[] = ['string', 'path', 'console', 'duration', 'regex'];
const references: readonly PropertyType[] = ['phandle', 'phandles'];

const missingProperty: Rule = {
  name: 'missing-property',
  severity: 'error',
  over: 'node',
  summary: 'A node has every property that its kind must have.',
  remedy: 'Add the property; the message shows one.',
  *run(node) {
    const properties = bindingOf(node)?.properties ?? {};
    for (const [name, spec] of Object.entries(properties)) {
      if (!spec.required || node.has(name)) continue;
      const text = spec.example === '' ? `${name};` : `${name} = ${spec.example};`;
      yield { node, message: `${nameOf(node)} has no '${name}'`, remedy: `add one: ${text}` };
    }
  },
};

const unknownProperty: Rule = {
  name: 'unknown-property',
  severity: 'error',
  waivable: true,
  over: 'own',
  summary: "A node of hv440's own has only properties that its kind knows: a misspelt one would be lost in silence.",
  remedy: 'Spell it as the list of properties does, or take it out.',
  *run(node) {
    const binding = bindingOf(node)!;
    const known = Object.keys(binding.properties);
    for (const property of node.properties.values()) {
      if (known.includes(property.name)) continue;
      const meant = nearest(property.name, known);
      yield {
        node,
        property,
        message: `${nameOf(node)} has an unknown property '${property.name}'`,
        remedy: meant === undefined ? `a ${binding.title} knows none like it: take it out` : `did you mean '${meant}'?`,
      };
    }
  },
};

const propertyType = shape(
  {
    name: 'property-type',
    summary:
      'A value is of the type that its property has: a number in angle brackets, a string in quotes, a flag bare.',
    remedy: 'Write the value in the form that the message shows.',
  },
  (property, spec) => {
    const is = formOf(property);
    if (fits(is, spec.type)) return undefined;
    return {
      message: `'${property.name}' takes ${typeNames[spec.type]}, and this is ${is.says}`,
      remedy: spec.type === 'flag' ? `write ${property.name};` : `write ${property.name} = ${spec.example};`,
    };
  },
);

interface Form {
  readonly says: string;
  readonly kind: 'nothing' | 'text' | 'cells' | 'bytes' | 'mixed' | 'unknown';
}

function formOf({ form, value }: Property): Form {
  if (value.length === 0) return { kind: 'nothing', says: 'empty' };
  if (form === 'strings') return { kind: 'text', says: 'text' };
  if (form === 'cells') return { kind: 'cells', says: 'numbers' };
  if (form === 'mixed') return { kind: 'mixed', says: 'a mixture' };
  // A blob does not say how a value was written: what it could have been will do.
  return { kind: value.length % 4 === 0 || value.at(-1) === 0 ? 'unknown' : 'bytes', says: 'bytes' };
}

function fits({ kind }: Form, type: PropertyType): boolean {
  if (type === 'flag') return kind === 'nothing';
  if (type === 'ranges') return kind === 'nothing' || kind === 'cells' || kind === 'unknown';
  if (type === 'console') return kind === 'text' || kind === 'cells' || kind === 'unknown';
  if (kind === 'unknown') return true;
  return kind === (textTypes.includes(type) ? 'text' : 'cells');
}

const valueCount = shape(
  {
    name: 'value-count',
    summary: 'A value has as many cells or strings as its property takes.',
    remedy: 'Give as many as the message says; a 64-bit number takes two cells, the high one first.',
  },
  (property, spec, node) => {
    const is = formOf(property);
    if (oneString.includes(spec.type) && is.kind === 'text') {
      if (property.strings.length === 1) return undefined;
      return {
        message: `'${property.name}' has ${count(property.strings.length, 'string')}, and takes 1`,
        remedy: `write ${property.name} = ${spec.example};`,
      };
    }
    // In a blob, the name of a console is bytes like any.
    if (spec.type === 'console' && is.kind === 'unknown' && property.value.at(-1) === 0) return undefined;
    const wanted = cellsOf(spec, node);
    const has = property.value.length / 4;
    if (wanted === undefined || wanted.fits(has)) return undefined;
    return {
      message: `'${property.name}' has ${Number.isInteger(has) ? count(has, 'cell') : count(has * 4, 'byte')}, and takes ${wanted.says}`,
      remedy: `write ${property.name} = ${spec.example};`,
    };
  },
);

/** How many cells a property takes, where it takes cells. */
function cellsOf(spec: PropertySpec, node: Node): { says: string; fits: (cells: number) => boolean } | undefined {
  const exactly = (n: number) => ({ says: `${n}`, fits: (cells: number) => cells === n });
  const each = (n: number, what: string) => ({
    says: `${n} for each ${what}`,
    fits: (cells: number) => cells > 0 && cells % n === 0,
  });
  switch (spec.type) {
    case 'cell':
    case 'phandle':
    case 'console':
      return exactly(1);
    case 'cells':
    case 'phandles':
      return { says: 'whole cells', fits: Number.isInteger };
    case 'ranges64':
      return each(4, 'range');
    case 'dcrs':
      return each(2, 'run of registers');
    case 'interrupts':
      return exactly((spec.interrupts ?? 1) * 2);
    case 'reg': {
      const { address, size } = childCells(node.parent ?? node);
      const one = spec.minSize !== undefined;
      return address + size === 0 ? undefined : one ? exactly(address + size) : each(address + size, 'address');
    }
    default:
      return undefined;
  }
}

const valueRange = shape(
  {
    name: 'value-range',
    summary: 'A number is within the range that its property has.',
    remedy: 'Choose a number within the range that the message names.',
  },
  (property, spec) => {
    if (spec.min === undefined && spec.max === undefined) return undefined;
    // Several cells where one belongs are no number at all: that is for value-count to say.
    if (spec.type === 'cell' && property.value.length !== 4) return undefined;
    const outside = property.cells.find((cell) => cell < (spec.min ?? 0) || cell > (spec.max ?? 0xffffffff));
    if (outside === undefined) return undefined;
    const fixed = spec.min === spec.max;
    const low = outside < (spec.min ?? 0);
    const bound = `write ${property.name} = <${low ? spec.min : spec.max}>;`;
    return {
      message: `'${property.name}' is ${outside}, and must be ${fixed ? spec.min : allowed(spec)}`,
      remedy: fixed ? bound : `${bound} or ${low ? 'more' : 'less'}`,
    };
  },
);

const unknownValue = shape(
  {
    name: 'unknown-value',
    summary: 'A string is one of those that its property knows.',
    remedy: 'Write one of the strings that the message names.',
  },
  (property, spec) => {
    const wrong = spec.values && property.strings.find((said) => !spec.values!.includes(said));
    if (!spec.values || wrong === undefined) return undefined;
    return {
      message: `'${property.name}' cannot be '${wrong}'`,
      remedy: didYouMean(wrong, spec.values),
    };
  },
);

const emptyValue = shape(
  {
    name: 'empty-value',
    summary: 'A name or a path is not the empty string.',
    remedy: 'Write the name, or leave the property out.',
  },
  (property, spec, node) => {
    const named = spec.type === 'path' || spec.type === 'console' || mustSay.includes(property.name);
    if (!named || formOf(property).kind === 'cells' || property.strings.every((text) => text !== '')) return undefined;
    const remedy = spec.required ? `write ${property.name} = ${spec.example};` : 'write one, or leave it out';
    return { message: `the '${property.name}' of ${nameOf(node)} is an empty string`, remedy };
  },
);

/** Texts that mean nothing where they are empty. */
const mustSay = ['label', 'expect', 'expect-regex', 'never', 'never-regex', 'send'];

const malformedValue = shape(
  {
    name: 'malformed-value',
    summary: 'A duration is a number and a unit, and a regular expression can be read.',
    remedy: 'Write the duration as `10 ms`; in a regular expression put two backslashes before what stands for itself.',
  },
  (property, spec) => {
    if (spec.type === 'duration' && !parseDuration(property.string))
      return {
        message: `'${property.name}' is '${property.string}', and takes ${DURATION_FORM}`,
        remedy: `write ${property.name} = ${spec.example};`,
      };
    if (spec.type !== 'regex' && spec.type !== 'regexes') return undefined;
    const reason = property.strings.map(unreadable).find((found) => found !== undefined);
    if (reason === undefined) return undefined;
    return {
      message: `'${property.name}' is no regular expression: ${reason}`,
      remedy: `write a backslash before what stands for itself, in a string of a tree "\\\\(", or take plain text`,
    };
  },
);

/** Why a text is no regular expression. */
function unreadable(text: string): string | undefined {
  try {
    RegExp(text);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^Invalid regular expression: /, '');
  }
}

const phandleToNowhere = shape(
  {
    name: 'phandle-to-nowhere',
    summary: 'A reference leads to a node.',
    remedy: 'Refer to a node by its label, <&label>, instead of a number.',
  },
  (property, spec, _node, { tree }) => {
    const refers = references.includes(spec.type) || (spec.type === 'console' && formOf(property).kind === 'cells');
    if (!refers) return undefined;
    const lost = property.cells.find((phandle) => !tree.byPhandle(phandle));
    if (lost === undefined) return undefined;
    return {
      message: `'${property.name}' refers to <${lost}>, and no node has that phandle`,
      remedy: `refer by label: ${property.name} = ${spec.example.startsWith('<&') ? spec.example : '<&label>'};`,
    };
  },
);

/** What can be wrong with the shape of a single property. */
export const shapeRules: readonly Rule[] = [
  propertyType,
  valueRange,
  valueCount,
  unknownValue,
  emptyValue,
  malformedValue,
  phandleToNowhere,
];

/** What can be wrong with which properties a node has. */
export const propertyRules: readonly Rule[] = [missingProperty, unknownProperty];
