import { expect, test } from 'vitest';
import { inRoot, paravirt, put } from '../cli/child.js';
import { cli } from '../tools.js';

const names = [
  'features',
  'sc-1',
  'sc-kvm',
  'sc-own',
  'sc-kvm-from-user',
  'sc-1-from-user',
  'unimplemented',
  'send',
  'send-nothing',
  'channel-errors',
  'poll-and-receive',
  'map-errors',
  'map',
  'registers-to-page',
  'page-to-registers',
  'trap-in-page',
  'interrupt-held-back',
  'interrupt-by-itself',
  'critical-section',
  'not-executable',
  'not-the-users',
  'own-page-beneath',
  'move',
];
const report = ['hv440 paravirt', ...names.map((name) => `ok   ${name}`), `paravirt: ${names.length} ok, 0 FAIL`, ''];

const board = inRoot('devicetrees', 'hv440-board.dtsi');
const config = (file: string, properties: string): string =>
  put(
    file,
    `/dts-v1/;
/include/ "${board}"
&partitions {
	guest {
		compatible = "hv440,partition";
		image = "${paravirt}";
		memory = <0 0 0 0x01000000>;
		${properties}
		serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };
		channel { compatible = "epapr,hv-byte-channel"; };
		finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; };
	};
};
`,
  );
const boot = async (file: string, properties: string) => {
  const { stdout, status } = await cli(['boot', config(file, properties), '--headless']);
  return { lines: stdout.replaceAll('\r\n', '\n').split('\n'), status };
};

test('the firmware finds hypercalls, byte channel and magic page as it should', async () => {
  const { lines, status } = await boot(
    'paravirt.dts',
    'paravirtualization = "kvm", "magic-page"; stdout = "serial@ef600300";',
  );
  expect(lines.filter((line) => !line.includes('sent by hand'))).toEqual(report);
  expect(status).toBe(0);
});

test('so it does with KVM’s four instructions for every call, its console’s too', async () => {
  const properties = 'paravirtualization = "kvm", "magic-page"; hcall-instructions = "kvm"; stdout = "channel";';
  const { lines, status } = await boot('paravirt-kvm.dts', properties);
  expect(lines.filter((line) => line !== 'sent by hand')).toEqual(report);
  expect(lines).toContain('sent by hand');
  expect(status).toBe(0);
});

test('without KVM’s interface it says so', async () => {
  const { lines, status } = await boot('plain.dts', 'stdout = "serial@ef600300";');
  expect(lines).toEqual(["paravirt: KVM's interface is not offered here", '']);
  expect(status).toBe(1);
});
