import { expect, test } from 'vitest';
import { MSR } from '../../src/isa/registers.js';
import { Code } from './code.js';
import { hypervisor, runToEnd } from './guest.js';

const REAL = 0xef600600;
const STREAM = 'guest/serial@ef600600';

/** Enables UART3's receive interrupt, line 4 of the controller; its handler sends back what came, adding one. */
function listener(): Code {
  const code = new Code().vector(4, 'external').li(3, -1).op('mtdcr', { rs: 3, dcr: 0xc4 });
  code.li(3, 0x08000000).op('mtdcr', { rs: 3, dcr: 0xc2 }).li(5, REAL).li(3, 1).op('stb', { rs: 3, ra: 5, d: 1 });
  code.li(20, 2).setMsr(MSR.EE).label('spin').op('addi', { rt: 6, ra: 6, si: 1 }).b('spin');
  code.at(0x2000).label('external').op('mfdcr', { rt: 7, dcr: 0xc6 }).stw(7, 0x100).op('lbz', { rt: 4, ra: 5, d: 0 });
  code.op('addi', { rt: 4, ra: 4, si: 1 }).op('stb', { rs: 4, ra: 5, d: 0 }).op('addic.', { rt: 20, ra: 20, si: -1 });
  return code.bc(12, 2, 'done').op('rfi').label('done').finish();
}

const spin = { program: new Code().label('spin').op('addi', { rt: 3, ra: 3, si: 1 }).b('spin') };

test('a guest drives the board’s own UART at its address, with its interrupt, and the stream is called by the guest', () => {
  const made = hypervisor({ guest: { program: listener(), node: 'devices = <&UART3>;' }, spin });
  expect(made.hv.streams).toContain(STREAM);
  expect(made.hv.type('board/serial@ef600600', Buffer.from('x'))).toBe(false);
  expect(made.hv.type(STREAM, Buffer.from('AX'))).toBe(true);
  runToEnd(made.hv, 2_000_000);
  expect(made.partition('guest').ending).toEqual({ kind: 'finished', status: 0 });
  expect(made.output.text(STREAM)).toBe('BY');
  expect(made.partition('guest').board.bus.ram.regions[0]!.target.read(0x100, 4)).toBe(0x08000000);
  expect(made.inputs.map((i) => i.stream)).toEqual([STREAM, STREAM]);
  const real = made.hv.board.ports.find((p) => p.name === 'serial@ef600600')!;
  expect(real.uart.peek(1, 1)).toBe(1); // it was the real one
});

test('who was not given the device finds nothing at its address, and its interrupt goes to nobody else', () => {
  const probe = new Code().vector(1, 'check').setMsr(MSR.ME).li(3, REAL).op('lbz', { rt: 4, ra: 3, d: 5 }).finish(1);
  probe.at(0x2000).label('check').op('mfdcr', { rt: 4, dcr: 0xc0 }).finishWith(4);
  const made = hypervisor({ guest: { program: listener(), node: 'devices = <&UART3>;' }, probe: { program: probe } });
  made.hv.type(STREAM, Buffer.from('ab'));
  runToEnd(made.hv, 2_000_000);
  expect(made.partition('probe').ending).toEqual({ kind: 'finished', status: 0 });
  expect(made.hv.board.uics[0]!.state.input).toBe(0);
});

test('a restart resets the device that was passed through', () => {
  const code = new Code().li(5, REAL).op('lbz', { rt: 3, ra: 5, d: 7 }).op('lbz', { rt: 4, ra: 5, d: 1 });
  code.op('or', { ra: 3, rs: 3, rb: 4, rc: 1 }).bc(4, 2, 'dirty').li(3, 0x5a).op('stb', { rs: 3, ra: 5, d: 7 });
  code
    .op('stb', { rs: 3, ra: 5, d: 1 })
    .op('stb', { rs: 3, ra: 5, d: 0 })
    .setSpr('DBCR0', 0x30000000)
    .label('dirty')
    .finish(1);
  const made = hypervisor({ guest: { program: code, node: 'devices = <&UART3>; on-reset = "restart";' } });
  runToEnd(made.hv, 1000);
  expect(made.partition('guest').ending).toBeUndefined();
  expect(made.partition('guest').restarts).toBeGreaterThan(5);
  expect(made.output.text(STREAM)).toMatch(/^Z{5,}$/);
});

test('two devices of the same name, on buses at different places, stay two devices', () => {
  const board = `&memory0 { reg = <0x0 0x0 0x00800000>; };
    / { plb { far { compatible = "simple-bus"; #address-cells = <1>; #size-cells = <1>; ranges = <0xef600600 0x0 0xe8000000 0x100>;
      FAR: serial@ef600600 { compatible = "ns16550"; reg = <0xef600600 8>; interrupt-parent = <&UIC0>; interrupts = <9 4>;
        clock-frequency = <11059200>; current-speed = <115200>; }; }; }; };`;
  const code = new Code().li(3, 0x41).li(5, REAL).op('stb', { rs: 3, ra: 5, d: 0 }).li(3, -1);
  code.op('mtdcr', { rs: 3, dcr: 0xc4 }).li(3, 0x42).li(5, 0xe8000000).op('stb', { rs: 3, ra: 5, d: 0 });
  // The far one's transmitter interrupt is on line 9
  code.li(3, 2).op('stb', { rs: 3, ra: 5, d: 1 }).op('mfdcr', { rt: 4, dcr: 0xc0 }).stw(4, 0x100).finish();
  const { hv, output, partition } = hypervisor(
    { guest: { program: code, node: 'devices = <&UART3 &FAR>;' } },
    { board },
  );
  runToEnd(hv);
  expect([output.text(STREAM), output.text('guest/serial@e8000000')]).toEqual(['A', 'B']);
  expect(partition('guest').board.bus.ram.regions[0]!.target.read(0x100, 4)).toBe(0x80000000 >>> 9);
});
