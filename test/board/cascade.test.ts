import { expect, test } from 'vitest';
import { Code } from '../hypervisor/code.js';
import { bareBoard } from '../hypervisor/guest.js';

/** A second controller on inputs 30 (noncritical) and 31 (critical) of the first, as on a 440EP, with UART3 on it. */
const board = `
&memory0 { reg = <0x0 0x0 0x00100000>; };
/ {
	UIC1: interrupt-controller1 {
		compatible = "ibm,uic";
		interrupt-controller;
		cell-index = <1>;
		dcr-reg = <0xd0 9>;
		#address-cells = <0>;
		#interrupt-cells = <2>;
		interrupt-parent = <&UIC0>;
		interrupts = <30 4 31 4>;
	};
};
&UART3 { interrupt-parent = <&UIC1>; interrupts = <2 4>; };
`;

const LINE_2 = 0x20000000;
const INPUT_30 = 0x2;
const INPUT_31 = 0x1;
const [SR, ER, CR, PR] = [0, 2, 3, 4];

test.each([
  ['noncritical', 0, INPUT_30, 'external'],
  ['critical', LINE_2, INPUT_31, 'critical'],
] as const)('a %s interrupt of the second controller comes through the first', (_, critical, input, wire) => {
  const { machine, core } = bareBoard(new Code().finish(), { board });
  const [first, second] = machine.board.uics;
  for (const uic of [first!, second!]) uic.writeDcr(PR, 0xffffffff); // active high
  first!.writeDcr(CR, INPUT_31);
  first!.writeDcr(ER, INPUT_30 | INPUT_31);
  second!.writeDcr(CR, critical);
  second!.writeDcr(ER, LINE_2);
  const uart = machine.board.ports.find((p) => p.name === 'serial@ef600600')!.uart;
  expect(core.inputs).toEqual({ external: false, critical: false });
  uart.write(1, 1, 2); // the transmitter is empty, and that interrupts
  expect([second!.readDcr(SR), first!.readDcr(SR)]).toEqual([LINE_2, input]);
  expect(core.inputs[wire]).toBe(true);
  uart.write(1, 1, 0);
  expect([second!.readDcr(SR), first!.readDcr(SR)]).toEqual([0, 0]);
  expect(core.inputs).toEqual({ external: false, critical: false });
});
