// All fields of an object and of what it refers to, private ones too, as a debugger of JavaScript sees them: for tests that must
// notice state that somebody forgot.

import { Session, type Runtime } from 'node:inspector';

/** Whose fields are not followed: what is made once and never changes, and typed arrays over the shared memory. */
const CLOSED =
  /^(Tree|Node|Property|Interpreter|Translator|SharedMemory|SharedArrayBuffer|Memory|RegExp|Promise|WeakMap|Debugger)$/;

type Value = Runtime.RemoteObject | undefined;

/** Two objects side by side, field by field. */
class Comparison {
  readonly #session = new Session();
  readonly found: string[] = [];
  readonly #waiting: { path: string; one: Runtime.RemoteObject; other: Runtime.RemoteObject }[] = [];

  constructor(private readonly but: RegExp) {
    this.#session.connect();
  }

  /** The session is of this very thread, so answers come before `post` returns. */
  #post<T>(method: string, params: object): T {
    let answer: T | undefined;
    this.#session.post(method, params, (error: Error | null, result?: object) => {
      if (error) throw new Error(JSON.stringify(error));
      answer = result as T;
    });
    if (answer === undefined) throw new Error(`${method} was not answered at once`);
    return answer;
  }

  /** What a function of the object gives. */
  #call({ objectId }: Runtime.RemoteObject, functionDeclaration: string): Runtime.RemoteObject {
    const params = { objectId: objectId!, functionDeclaration };
    return this.#post<Runtime.CallFunctionOnReturnType>('Runtime.callFunctionOn', params).result;
  }

  run(one: object, other: object): string[] {
    const place = globalThis as { compared?: readonly object[]; comparedIds?: Map<object, number> };
    place.compared = [one, other];
    place.comparedIds = new Map();
    const [a, b] = [0, 1].map(
      (i) => this.#post<Runtime.EvaluateReturnType>('Runtime.evaluate', { expression: `compared[${i}]` }).result,
    );
    this.#compare('', a, b);
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift())
      this.#open(next.path, next.one, next.other);
    delete place.compared;
    delete place.comparedIds;
    this.#session.disconnect();
    return this.found;
  }

  #compare(path: string, one: Value, other: Value): void {
    if (this.but.test(path) || one?.type === 'function') return;
    const isObject = (value: Value): boolean => value?.type === 'object' && value.subtype !== 'null';
    if (isObject(one) && isObject(other)) return void this.#waiting.push({ path, one: one!, other: other! });
    const text = (value: Value): string => value?.unserializableValue ?? JSON.stringify(value?.value) ?? 'undefined';
    if (isObject(one) !== isObject(other) || text(one) !== text(other))
      this.found.push(`${path}: ${text(one)}, ${text(other)}`);
  }

  #open(path: string, one: Runtime.RemoteObject, other: Runtime.RemoteObject): void {
    const { className = '', subtype } = one;
    if (CLOSED.test(className)) return;
    const seen = this.#call(
      one,
      'function () { const seen = comparedIds.has(this); comparedIds.set(this, 0); return seen; }',
    ).value as boolean;
    if (seen) return;
    if (subtype === 'typedarray') return this.#compare(`${path}[]`, this.#sum(one), this.#sum(other));
    if (subtype === 'map' || subtype === 'set') {
      const list = 'function () { return [...this]; }';
      return this.#compare(`${path}[]`, this.#call(one, list), this.#call(other, list));
    }
    const [fields, others] = [this.#fields(one), this.#fields(other)];
    for (const name of new Set([...fields.keys(), ...others.keys()]))
      this.#compare(`${path}.${name}`, fields.get(name), others.get(name));
  }

  #fields({ objectId }: Runtime.RemoteObject): Map<string, Value> {
    type Answer = Runtime.GetPropertiesReturnType & {
      privateProperties?: Pick<Runtime.PropertyDescriptor, 'name' | 'value'>[];
    };
    const params = { objectId: objectId!, ownProperties: true };
    const { result, privateProperties = [] } = this.#post<Answer>('Runtime.getProperties', params);
    const all = [...result, ...privateProperties].filter(({ name, value }) => value && name !== '__proto__');
    return new Map(all.map(({ name, value }) => [name, value]));
  }

  /** Of an array that is not in the shared memory. */
  #sum(array: Runtime.RemoteObject): Runtime.RemoteObject {
    const sum =
      'function () { return this.buffer instanceof SharedArrayBuffer ? 0 : this.reduce((sum, x, i) => (Math.imul(sum, 31) + Number(x) + i) | 0, 7); }';
    return this.#call(array, sum);
  }
}

/** The fields in which two objects differ, with both values; what matches is not looked at, nor anything below it. */
export const differences = (one: object, other: object, but: RegExp): string[] => new Comparison(but).run(one, other);
