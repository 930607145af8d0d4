import { BareMachine } from '../../board/bare.js';
import type { Board } from '../../board/board.js';
import { interruptsOf } from '../../devicetree/addresses.js';
import type { DebuggedMachine } from '../processes.js';

type Tell = (program: string, kind: string, name: string, args: Readonly<Record<string, unknown>>) => void;

/**
 * Tells of interrupt wires: a device asserts an input of a controller, or takes that back, and the controller asserts the
 * processor's input. What is taken is told by who delivers it.
 */
export function watchInterrupts(machine: DebuggedMachine, tell: Tell): void {
  watchBoard('board', machine.board, tell);
  if (machine instanceof BareMachine) return;
  for (const { name, board } of machine.partitions) watchBoard(name, board, tell);
}

function watchBoard(program: string, board: Board, tell: Tell): void {
  const { uics, cores } = board;
  const names = lineNames(board);
  const levels = uics.map((uic) => uic.state.input);
  const before = { external: false, critical: false };
  const inputs = (uic: number): void => {
    const { input, pr } = uics[uic]!.state;
    const changed = input ^ levels[uic]!;
    levels[uic] = input;
    for (let line = 0; line < 32; line++) {
      const mask = 0x80000000 >>> line;
      if ((changed & mask) === 0) continue;
      const asserted = ((input ^ ~pr) & mask) !== 0; // active high where PR says so
      const wire = `UIC${uic} line ${line}`;
      const device = names.get(`${uic}/${line}`);
      const what = device === undefined ? wire : `${wire} (${device})`;
      tell(program, 'external-input', `${asserted ? 'assert' : 'release'} ${what}`, { uic, line, device, asserted });
    }
  };
  const outputs = (): void => {
    const { external, critical } = cores[0]?.inputs ?? before;
    if (external !== before.external) told('external-input', external);
    if (critical !== before.critical) told('critical-input', critical);
    Object.assign(before, { external, critical });
  };
  const told = (kind: string, asserted: boolean): void =>
    tell(program, kind, `${asserted ? 'deliver' : 'withdraw'} ${kind}`, { asserted });
  uics.forEach((uic, i) => {
    uic.onDrive = () => {
      inputs(i);
      outputs();
    };
  });
}

/** The devices of a board by `controller/line`. */
function lineNames({ tree }: Board): ReadonlyMap<string, string> {
  const nodes = [...tree.root.walk()];
  const controllers = nodes.filter((node) => node.has('interrupt-controller'));
  const names = new Map<string, string>();
  for (const node of nodes)
    for (const { controller, line } of interruptsOf(node)) {
      const number = controllers.indexOf(controller);
      if (number >= 0) names.set(`${number}/${line}`, node.name);
    }
  return names;
}
