// A reader of XML that takes nothing but what is well-formed, and the rules of the JUnit schema of Jenkins' xunit plug-in.

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

const NAME = /[A-Za-z_][\w.-]*/y;
const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Characters that XML 1.0 allows. */
const LEGAL = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

/** Reads a document of one root element. Throws for whatever is not well-formed. */
export function readXml(text: string): Element {
  if (!LEGAL.test(text)) throw new Error('a character that XML cannot hold');
  const declaration = /^<\?xml version="1\.0" encoding="UTF-8"\?>\n/.exec(text)?.[0] ?? '';
  if (declaration === '') throw new Error('no XML declaration');
  const reader = new Reader(text, declaration.length);
  const root = reader.element();
  if (text.slice(reader.at).trim() !== '') throw new Error('something behind the root');
  return root;
}

class Reader {
  constructor(
    readonly text: string,
    public at: number,
  ) {}

  element(): Element {
    this.#take('<');
    const name = this.#match(NAME);
    const attributes: Record<string, string> = {};
    while (/\s/.test(this.#next)) {
      this.#match(/\s+/y);
      const key = this.#match(NAME);
      if (key in attributes) throw new Error(`attribute ${key} twice`);
      this.#take('="');
      attributes[key] = decode(this.#match(/[^<"]*/y));
      this.#take('"');
    }
    if (this.text.startsWith('/>', this.at)) {
      this.at += 2;
      return { name, attributes, children: [], text: '' };
    }
    this.#take('>');
    const children: Element[] = [];
    let text = '';
    for (;;) {
      text += decode(this.#match(/[^<]*/y));
      if (this.text.startsWith('</', this.at)) break;
      children.push(this.element());
    }
    this.#take(`</${name}>`);
    return { name, attributes, children, text };
  }

  get #next(): string {
    return this.text[this.at] ?? '';
  }

  #take(what: string): void {
    if (!this.text.startsWith(what, this.at))
      throw new Error(`'${what}' expected at ${this.text.slice(this.at, this.at + 40)}`);
    this.at += what.length;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw new Error(`${pattern} expected at ${this.text.slice(this.at, this.at + 40)}`);
    this.at += found.length;
    return found;
  }
}

function decode(text: string): string {
  return text.replaceAll(/&([^;]*);?/g, (all, name: string) => {
    const number = /^#(\d+)$/.exec(name)?.[1];
    const character = number === undefined ? entities[name] : String.fromCodePoint(Number(number));
    if (character === undefined || !all.endsWith(';')) throw new Error(`${all} is no entity`);
    return character;
  });
}

const whole = /^\d+$/;
const decimal = /^\d+\.\d+$/;
const any = /[^]*/;

interface Rule {
  readonly required: Readonly<Record<string, RegExp>>;
  readonly optional?: Readonly<Record<string, RegExp>>;
  /** Children in this order, each any number of times. */
  readonly children: readonly string[];
  readonly hasText?: boolean;
}

const counts = { tests: whole, failures: whole, errors: whole, skipped: whole, time: decimal };
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/;

// prettier-ignore
const rules: Readonly<Record<string, Rule>> = {
  testsuites: { required: {}, optional: { name: any, disabled: whole, ...counts }, children: ['testsuite'] },
  testsuite: { required: { name: /./, tests: whole }, optional: { ...counts, timestamp, hostname: any, id: any, package: any },
    children: ['properties', 'testcase', 'system-out', 'system-err'] },
  testcase: { required: { name: /./, classname: /./ }, optional: { time: decimal, assertions: whole, status: any },
    children: ['skipped', 'error', 'failure', 'system-out', 'system-err'] },
  skipped: { required: {}, optional: { message: any }, children: [], hasText: true },
  error: { required: {}, optional: { message: any, type: any }, children: [], hasText: true },
  failure: { required: {}, optional: { message: any, type: any }, children: [], hasText: true },
  'system-out': { required: {}, children: [], hasText: true },
  'system-err': { required: {}, children: [], hasText: true },
};

/** In what a document does not keep to the schema, or its counts are not those of what it holds. */
export function junitProblems(element: Element): string[] {
  const { name, attributes, children, text } = element;
  const rule = rules[name];
  if (!rule) return [`<${name}> is unknown`];
  const known: Readonly<Record<string, RegExp>> = { ...rule.required, ...rule.optional };
  const places = children.map((child) => rule.children.indexOf(child.name));
  return [
    ...Object.keys(rule.required)
      .filter((key) => !(key in attributes))
      .map((key) => `<${name}> without ${key}`),
    ...Object.entries(attributes)
      .filter(([key, value]) => !known[key]?.test(value))
      .map(([key, value]) => `<${name} ${key}="${value}">`),
    ...(places.includes(-1) ? [`<${name}> holds what it may not`] : []),
    ...(places.some((place, i) => place < (places[i - 1] ?? 0)) ? [`<${name}> holds its parts in another order`] : []),
    ...(text.trim() !== '' && !rule.hasText ? [`<${name}> holds text`] : []),
    ...countProblems(element),
    ...children.flatMap(junitProblems),
  ];
}

function countProblems(element: Element): string[] {
  if (!element.name.startsWith('testsuite')) return [];
  const cases = descendants(element).filter(({ name }) => name === 'testcase');
  const having = (kind: string): number =>
    cases.filter(({ children }) => children.some(({ name }) => name === kind)).length;
  const wanted = {
    tests: cases.length,
    failures: having('failure'),
    errors: having('error'),
    skipped: having('skipped'),
  };
  return Object.entries(wanted)
    .filter(([key, value]) => element.attributes[key] !== undefined && element.attributes[key] !== String(value))
    .map(([key, value]) => `<${element.name} ${key}="${element.attributes[key]}">, and there are ${value}`);
}

const descendants = (element: Element): Element[] => [element, ...element.children.flatMap(descendants)];
