// A configuration with so many partitions, with all that partitions have: for measuring how checks grow.

/** The source text; `board` is the path of hv440's board. */
export function manyPartitions(count, board) {
  const partition = (i) => `bell${i}: bell${i} { compatible = "doorbell"; };
p${i}: p${i} {
	compatible = "hv440,partition";
	label = "Partition ${i}";
	image = "hello.elf";
	memory = <0x0 0x0 0x0 0x00200000>;
	serial@ef600300 { compatible = "ns16550"; reg = <0xef600300 8>; };
	finisher@ef601000 { compatible = "hv440,finisher"; reg = <0xef601000 4>; };
	console { compatible = "epapr,hv-byte-channel"; };
	ring { compatible = "send-doorbell"; global-doorbell = <&bell${i}>; };
	woken { compatible = "receive-doorbell"; global-doorbell = <&bell${(i + 1) % count}>; };
	${i % 8 === 0 && i + 1 < count ? `worker { compatible = "managed-partition"; partition = <&p${i + 1}>; };` : ''}
	node-update { chosen { partition = <${i}>; }; };
};`;
  const partitions = Array.from({ length: count }, (_, i) => partition(i));
  return `/dts-v1/;
/include/ "${board}"
&memory0 { reg = <0x0 0x0 0x80000000>; };
&partitions {
${partitions.join('\n')}
};
`;
}
