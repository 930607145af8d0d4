import { Cursor, Unreadable } from './cursor.js';
import {
  addLabels,
  addLabelsBefore,
  deleteNode,
  type DraftNode,
  draftNode,
  draftProperty,
  type DraftProperty,
  findDraft,
  mergeDraft,
} from './draft.js';
import { integer } from './expression.js';
import type { Finding } from './finding.js';
import type { Ignore } from './ignores.js';
import { Lexer } from './lexer.js';
import { addFragment } from './overlay.js';
import { type FindFile, findFile } from './paths.js';
import { preprocess, type Preprocessing } from './preprocessor.js';
import { Report } from './report.js';
import { resolve } from './resolve.js';
import type { ReadFile, Token } from './tokens.js';
import type { Reservation, Tree } from './tree.js';
import { readValue } from './value.js';

const MAX_DEPTH = 256;

/** How a source is read. */
export interface SourceOptions extends Preprocessing {
  /** Name every label in `/__symbols__`, as `dtc -@` does; default false. */
  readonly symbols?: boolean;
  /** What stands between its header and the rest has been read before. */
  readonly begun?: Begun;
}

/** What a source has said up to a place: a tree to which anything may be merged yet. */
export interface Begun {
  readonly root: DraftNode;
  readonly ignores: readonly Ignore[];
}

/** What a source says, and what is wrong with it. */
export interface Parsed {
  readonly tree: Tree;
  readonly findings: Finding[];
}

/**
 * Reads device-tree source (the language of dtc 1.6: the device-tree specification's chapter 6, with overlays) into a tree whose
 * phandles are those dtc gives. It always returns a tree; where there are findings of severity error, it is what could
 * be made of the text, and should not be used for more than looking for further mistakes.
 *
 * @param file the path of the source: positions show it, and what it includes is relative to it
 * @param read gets the bytes of an included file, or undefined where there is none
 */
export function parse(text: string, file: string, read: ReadFile, options: SourceOptions = {}): Parsed {
  const report = new Report();
  const { source, cursor, ignores } = draftOf(text, file, read, report, options);
  const { root, reservations, plugin } = source;
  const { symbols = false } = options;
  const tree = resolve({ root, reservations, plugin, symbols, lostLabels: cursor.lostLabels }, report);
  tree.ignores.push(...(options.begun?.ignores ?? []), ...ignores);
  return { tree, findings: report.findings };
}

/** What a source says that others may go on from; undefined where it says more than nodes, or has mistakes. */
export function readBegun(text: string, file: string, read: ReadFile): Begun | undefined {
  const report = new Report();
  const { source, cursor, ignores } = draftOf(text, file, read, report, {});
  const { root, reservations, plugin } = source;
  const more = report.findings.length + reservations.length + cursor.lostLabels.size;
  return plugin || more > 0 ? undefined : { root, ignores };
}

function draftOf(text: string, file: string, read: ReadFile, report: Report, options: SourceOptions) {
  const lexer = new Lexer(preprocess(text, file, read, report, options), report);
  const cursor = new Cursor(lexer, report);
  const source = new SourceReader(cursor, findFile(read, options.includePaths ?? []));
  source.read(options.begun);
  return { source, cursor, ignores: lexer.ignores };
}

/** Reads a whole source by recursive descent. */
class SourceReader {
  root: DraftNode;
  readonly reservations: Reservation[] = [];
  plugin = false;
  /** Whether a node has been given; nothing can be merged or deleted before that. */
  #begun = false;
  #depth = 0;
  /** How many changes to nodes elsewhere an overlay has made so far. */
  #fragments = 0;
  /** Whether a missing closing brace was reported: the braces around it are missing too. */
  #unclosed = false;

  constructor(
    readonly cursor: Cursor,
    readonly find: FindFile,
  ) {
    this.root = draftNode('', cursor.token.at);
  }

  read(begun?: Begun): void {
    this.#statement(() => this.#header());
    this.#begun = begun !== undefined;
    this.root = begun?.root ?? this.root;
    while (this.cursor.token.kind !== 'end') this.#statement(() => this.#topLevel());
    const { findings } = this.cursor.report;
    if (!this.#begun && findings.length === 0)
      this.cursor.complain('a root node', "write '/ { };', the root of the tree");
  }

  /** Reads one statement; where that fails, goes on behind it. */
  #statement(read: () => void): void {
    try {
      read();
    } catch (trouble) {
      if (!(trouble instanceof Unreadable)) throw trouble;
      this.cursor.skipStatement();
      if (this.#depth === 0 && this.cursor.accept('}')) this.cursor.accept(';');
    }
  }

  /** `/dts-v1/;`, with `/plugin/;` behind it for an overlay; several headers must agree. */
  #header(): void {
    const { cursor } = this;
    if (!cursor.is('/dts-v1/')) {
      const remedy = "write '/dts-v1/;' as its first statement";
      cursor.report.error('dts-version', cursor.token.at, 'this source does not say its version', remedy);
      return;
    }
    for (let first = true; cursor.is('/dts-v1/'); first = false) {
      const { at } = cursor.advance();
      cursor.endStatement("'/dts-v1/'");
      const plugin = cursor.accept('/plugin/') !== undefined;
      if (plugin) cursor.endStatement("'/plugin/'");
      if (!first && plugin !== this.plugin) {
        cursor.report.error(
          'dts-syntax',
          at,
          'this header differs from the one before',
          "write '/plugin/;' in both or none",
        );
      }
      this.plugin ||= plugin;
    }
  }

  #topLevel(): void {
    const { cursor } = this;
    const label = cursor.acceptKind('label');
    if (cursor.is('/memreserve/') || (label && cursor.token.kind === 'label')) return this.#reservation();
    if (cursor.token.kind === 'reference') return this.#referenced(label);
    if (label) return cursor.fail("a reference or '/memreserve/' behind a label", "label a node inside '/ { };'");
    if (cursor.is('/')) return this.#rootBody();
    if (cursor.is('/delete-node/') || cursor.is('/omit-if-no-ref/')) return this.#mark();
    return cursor.fail("'/ {', '&label {' or a directive", "put it inside '/ { };', or take it out");
  }

  /** `/memreserve/ address size;` */
  #reservation(): void {
    const { cursor } = this;
    while (cursor.acceptKind('label'));
    const directive = cursor.expect('/memreserve/', 'behind labels', 'give a node one label here');
    if (this.#begun) {
      const remedy = "move it to before '/ {'";
      cursor.report.error('dts-syntax', directive.at, "'/memreserve/' stands behind the root node", remedy);
    }
    const address = integer(cursor, 'the address that is reserved');
    const size = integer(cursor, 'the number of bytes that are reserved');
    this.reservations.push({ address, size });
    cursor.endStatement('the reservation');
  }

  #rootBody(): void {
    const { at } = this.cursor.advance();
    const body = draftNode('', at);
    if (!this.#begun) this.root = body;
    const first = !this.#begun;
    this.#begun = true;
    this.#body(body, 'the root node');
    if (!first) mergeDraft(this.root, body);
  }

  /** `label: &reference { … };`; what an overlay changes in a node it does not have becomes a fragment. */
  #referenced(label: Token | undefined): void {
    const { cursor } = this;
    const reference = cursor.advance();
    const body = draftNode(reference.name, reference.at);
    const target = this.#begun ? findDraft(this.root, reference.name) : undefined;
    this.#body(body, `'${reference.text}'`);
    const fragment = this.plugin && !label && (!target || reference.name.startsWith('/'));
    this.#begun = true;
    if (fragment) return addFragment(this.root, reference, body, this.#fragments++);
    if (label && target) addLabelsBefore(target.labels, [label.name]);
    if (target) mergeDraft(target, body);
    else this.#unknown(reference);
  }

  /** `/delete-node/ &reference;` and `/omit-if-no-ref/ &reference;` */
  #mark(): void {
    const { cursor } = this;
    const directive = cursor.advance();
    if (!this.#begun) {
      const message = `'${directive.text}' stands before the root node`;
      cursor.report.error('dts-syntax', directive.at, message, "move it to behind '/ { };'");
      throw new Unreadable();
    }
    const remedy = 'write &label or &{/path}; inside a node, its name';
    const reference = cursor.expectKind('reference', `a reference behind '${directive.text}'`, remedy);
    cursor.endStatement(`'${directive.text}'`);
    const target = findDraft(this.root, reference.name);
    if (!target) return this.#unknown(reference);
    if (directive.text === '/omit-if-no-ref/') target.omit = true;
    else if (target !== this.root) deleteNode(target);
    else cursor.report.error('dts-delete-root', reference.at, 'this deletes the whole tree', 'delete the nodes in it');
  }

  #unknown({ name, text, at }: Token): void {
    if (this.cursor.lostLabels.has(name)) return;
    if (name.startsWith('/')) {
      this.cursor.report.error(
        'dts-unknown-path',
        at,
        `no node is at '${text}' here`,
        'define it before this, or correct the path',
      );
    } else {
      this.cursor.report.error(
        'dts-unknown-label',
        at,
        `no node has the label '${name}' here`,
        'define it before this, or correct the label',
      );
    }
  }

  /** `{ properties children };` */
  #body(node: DraftNode, what: string): void {
    const { cursor } = this;
    if (this.#depth >= MAX_DEPTH) {
      const message = `${what} is more than ${MAX_DEPTH} levels deep`;
      cursor.report.error('dts-too-deep', node.at, message, 'move it up');
      throw new Unreadable();
    }
    cursor.expect('{', `to begin ${what}`);
    this.#depth++;
    while (cursor.token.kind !== 'end' && !cursor.is('}')) this.#statement(() => this.#member(node));
    this.#depth--;
    if (cursor.accept('}')) return cursor.endBody(what);
    const opened = `'}' to end ${what}, which begins in line ${node.at.line}`;
    if (!this.#unclosed) cursor.complain(opened, "write '};' at its end");
    this.#unclosed = true;
  }

  /** A property, a child, or the deletion of one. */
  #member(node: DraftNode): void {
    const { cursor } = this;
    const labels: string[] = [];
    let omit = false;
    for (;;) {
      const label = cursor.acceptKind('label');
      if (label) addLabels(labels, [label.name]);
      else if (cursor.accept('/omit-if-no-ref/')) omit = true;
      else break;
    }
    if (cursor.accept('/delete-property/')) return this.#deleteProperty(node);
    if (cursor.accept('/delete-node/')) return this.#deleteChild(node);
    if (cursor.token.kind !== 'name') for (const label of labels) cursor.lostLabels.add(label);
    const remedy = omit ? 'name the child that may be left out' : 'give a property or a child its name';
    const name = cursor.expectKind('name', 'the name of a property or child', remedy);
    if (omit || cursor.is('{')) return this.#child(node, name, labels, omit);
    return this.#property(node, name, labels);
  }

  #child(node: DraftNode, { name, at }: Token, labels: string[], omit: boolean): void {
    const child = draftNode(name, at);
    addLabels(child.labels, labels);
    child.omit = omit;
    node.children.push(child);
    this.#body(child, `node '${name}'`);
  }

  #property(node: DraftNode, { name, at, text }: Token, labels: string[]): void {
    const { cursor } = this;
    const property = draftProperty(name, at);
    addLabels(property.labels, labels);
    this.#addProperty(node, property);
    if (cursor.accept('=')) {
      const value = readValue(cursor, this.find);
      Object.assign(property, { value: value.bytes, form: value.form(), markers: value.markers });
    } else if (!cursor.is(';') && cursor.token.at.line === cursor.previous.endLine) {
      cursor.fail(`'=', '{' or ';' behind '${text}'`, `write '${text} = value;', '${text} { … };' or '${text};'`);
    }
    cursor.endStatement(`property '${name}'`);
  }

  #addProperty(node: DraftNode, property: DraftProperty): void {
    if (node.children.length > 0) {
      const message = `property '${property.name}' stands behind a child of its node`;
      this.cursor.report.error('dts-property-order', property.at, message, 'move it to before the first child');
    }
    node.properties.push(property);
  }

  #deleteProperty(node: DraftNode): void {
    const { cursor } = this;
    const name = cursor.expectKind('name', 'the name of a property to delete', 'write its name, without quotes');
    this.#addProperty(node, { ...draftProperty(name.name, name.at), deleted: true });
    cursor.endStatement("'/delete-property/'");
  }

  #deleteChild(node: DraftNode): void {
    const { cursor } = this;
    const remedy = 'write its name; a reference is deleted outside of all nodes';
    const name = cursor.expectKind('name', 'the name of a child to delete', remedy);
    node.children.push({ ...draftNode(name.name, name.at), deleted: true });
    cursor.endStatement("'/delete-node/'");
  }
}
