import { featuresOf } from '../board/board.js';
import type { Engine } from '../cpu/engine/engine.js';
import { Interpreter } from '../cpu/engine/interpreter.js';
import { Translator } from '../cpu/engine/translator.js';
import type { Tree } from '../devicetree/tree.js';
import type { EngineOptions } from './engine-options.js';

/** What runs the instructions of a board's processors. */
export function engineFor(tree: Tree, { engine = 'auto', codeCache }: EngineOptions): Engine {
  const features = featuresOf(tree);
  switch (engine) {
    case 'interpreter':
      return new Interpreter({ features });
    case 'auto':
    case 'translator':
      return new Translator({ features, ...(codeCache !== undefined && { cache: codeCache }) });
    case 'reference':
      return new Interpreter({ features, inline: false });
  }
}
