import { inRoot as pair, type Example, type Examples } from './example.js';

const cells = (property: string): Example => pair(`node { ${property} = <1 2>; };`, `node { ${property} = <1>; };`);

const text = (property: string): Example => pair(`node { ${property} = <1>; };`, `node { ${property} = "text"; };`);

/** A reference with a cell too few behind it, and one with all. */
const reference = (property: string, cellsName: string): Example =>
  pair(
    `source: source { ${cellsName} = <1>; };\nuser { ${property} = <&source>; };`,
    `source: source { ${cellsName} = <1>; };\nuser { ${property} = <&source 0>; };`,
  );

/** The root of addresses and sizes of a cell each. */
const addressed = (body: string): string => `#address-cells = <1>;\n#size-cells = <1>;\n${body}`;

const bothAddressed = (wrong: string, right: string): Example => pair(addressed(wrong), addressed(right));

const pciBus = (device: string): string => `#address-cells = <2>;
#size-cells = <1>;
pci@80000000 {
	device_type = "pci";
	#address-cells = <3>;
	#size-cells = <2>;
	reg = <0 0x80000000 0x100>;
	ranges = <0x02000000 0 0 0 0 0 0x1000>;
	${device}
};`;

const simpleBus = (child: string): string =>
  addressed(`soc {
	compatible = "simple-bus";
	#address-cells = <1>;
	#size-cells = <1>;
	ranges;
	${child}
};`);

const controller = 'pic: pic { interrupt-controller; #interrupt-cells = <2>; #address-cells = <0>; };';

const interrupting = (interrupts: string): string => `${controller}
uart { interrupt-parent = <&pic>; interrupts = ${interrupts}; };`;

const mapped = (map: string): string => `${controller}
bridge { #address-cells = <1>; #interrupt-cells = <1>; interrupt-map = ${map}; };`;

const camera = (body: string): string => `camera {\n\t${body}\n};`;
const screen = (body: string): string => `screen {\n\t${body}\n};`;

/** Examples for dtc's checks. */
export const dtcExamples: Examples = {
  node_name_vs_property_name: pair('node { clocks; clocks { }; };', 'node { clocks; clock { }; };'),
  address_cells_is_cell: cells('#address-cells'),
  size_cells_is_cell: cells('#size-cells'),
  device_type_is_string: text('device_type'),
  model_is_string: text('model'),
  status_is_string: text('status'),
  label_is_string: text('label'),
  compatible_is_string_list: text('compatible'),
  names_is_string_list: text('clock-names'),
  property_name_chars_strict: pair('node { my_property; };', 'node { vendor,#my-property; device_type = "kept"; };'),
  node_name_chars_strict: pair('my_node { };', 'my-node { };'),
  reg_format: bothAddressed('uart@1000 { reg = <0x1000>; };', 'uart@1000 { reg = <0x1000 8>; };'),
  ranges_format: pair(
    '#address-cells = <2>;\n#size-cells = <1>;\nbus { #address-cells = <1>; #size-cells = <1>; ranges; };',
    '#address-cells = <1>;\n#size-cells = <1>;\nbus { #address-cells = <1>; #size-cells = <1>; ranges; };',
  ),
  dma_ranges_format: bothAddressed(
    'bus { #address-cells = <1>; #size-cells = <1>; dma-ranges = <0 0>; };',
    'bus { #address-cells = <1>; #size-cells = <1>; dma-ranges = <0 0 0x1000>; };',
  ),
  unit_address_vs_reg: bothAddressed('uart { reg = <0x1000 8>; };', 'uart@1000 { reg = <0x1000 8>; };'),
  unit_address_format: bothAddressed('uart@0x1000 { reg = <0x1000 8>; };', 'uart@1000 { reg = <0x1000 8>; };'),
  pci_bridge: pair(
    `#address-cells = <2>;
#size-cells = <1>;
pci@80000000 {
	device_type = "pci";
	#address-cells = <3>;
	#size-cells = <1>;
	reg = <0 0x80000000 0x100>;
	ranges = <0x02000000 0 0 0 0 0x1000>;
};`,
    `#address-cells = <2>;
#size-cells = <1>;
pci@80000000 {
	device_type = "pci";
	#address-cells = <3>;
	#size-cells = <2>;
	reg = <0 0x80000000 0x100>;
	ranges = <0x02000000 0 0 0 0 0 0x1000>;
	bus-range = <0 255>;
};`,
  ),
  pci_device_reg: pair(
    pciBus('device@1 { reg = <0x1000 0 0 0 0>; };'),
    pciBus('device@2 { reg = <0x1000 0 0 0 0>; };'),
  ),
  pci_device_bus_num: pair(
    pciBus('device@2 { reg = <0x11000 0 0 0 0>; };'),
    pciBus('device@2 { reg = <0x1000 0 0 0 0>; };'),
  ),
  simple_bus_reg: pair(simpleBus('uart@2000 { reg = <0x1000 8>; };'), simpleBus('uart@1000 { reg = <0x1000 8>; };')),
  i2c_bus_bridge: pair(
    'i2c { #address-cells = <1>; #size-cells = <1>; eeprom@50 { reg = <0x50 1>; }; };',
    'i2c { #address-cells = <1>; #size-cells = <0>; eeprom@50 { reg = <0x50>; }; };',
  ),
  i2c_bus_reg: pair(
    'i2c { #address-cells = <1>; #size-cells = <0>; eeprom@a0 { reg = <0xa0>; }; };',
    'i2c { #address-cells = <1>; #size-cells = <0>; eeprom@50 { reg = <0x50>; }; };',
  ),
  spi_bus_bridge: pair(
    'spi { #address-cells = <1>; #size-cells = <1>; flash@0 { reg = <0 1>; }; };',
    'spi { #address-cells = <1>; #size-cells = <0>; flash@0 { reg = <0>; }; };',
  ),
  spi_bus_reg: pair(
    'spi { #address-cells = <1>; #size-cells = <0>; flash@0 { reg = <1>; }; };',
    'spi { #address-cells = <1>; #size-cells = <0>; flash@1 { reg = <1>; }; };',
  ),
  avoid_default_addr_size: pair(
    '#address-cells = <2>;\nuart@1000 { reg = <0 0x1000 8>; };',
    '#address-cells = <2>;\n#size-cells = <1>;\nuart@1000 { reg = <0 0x1000 8>; };',
  ),
  avoid_unnecessary_addr_size: pair(
    'keys { #address-cells = <1>; #size-cells = <0>; enter { }; };',
    'keys { #address-cells = <1>; #size-cells = <0>; enter@1 { reg = <1>; }; };',
  ),
  unique_unit_address: bothAddressed(
    'one@10 { reg = <0x10 4>; };\nother@10 { reg = <0x10 4>; };',
    'one@10 { reg = <0x10 4>; };\nother@14 { reg = <0x14 4>; };',
  ),
  unique_unit_address_if_enabled: bothAddressed(
    'one@10 { reg = <0x10 4>; };\nother@10 { reg = <0x10 4>; };',
    'one@10 { reg = <0x10 4>; };\nother@10 { reg = <0x10 4>; status = "disabled"; };',
  ),
  obsolete_chosen_interrupt_controller: pair(
    'pic: pic { };\nchosen { interrupt-controller = <&pic>; };',
    'pic: pic { interrupt-controller; #interrupt-cells = <1>; #address-cells = <0>; };\nchosen { };',
  ),
  chosen_node_is_root: pair('soc { chosen { }; };', 'chosen { };'),
  chosen_node_bootargs: pair(
    'chosen { bootargs = "console=ttyS0", "quiet"; };',
    'chosen { bootargs = "console=ttyS0 quiet"; };',
  ),
  chosen_node_stdout_path: pair('chosen { linux,stdout-path = "/uart"; };', 'chosen { stdout-path = "/uart"; };'),
  clocks_property: reference('clocks', '#clock-cells'),
  clocks_is_cell: cells('#clock-cells'),
  cooling_device_property: reference('cooling-device', '#cooling-cells'),
  cooling_device_is_cell: cells('#cooling-cells'),
  dmas_property: reference('dmas', '#dma-cells'),
  dmas_is_cell: cells('#dma-cells'),
  hwlocks_property: reference('hwlocks', '#hwlock-cells'),
  hwlocks_is_cell: cells('#hwlock-cells'),
  interrupts_extended_property: reference('interrupts-extended', '#interrupt-cells'),
  interrupts_extended_is_cell: cells('#interrupt-cells'),
  io_channels_property: reference('io-channels', '#io-channel-cells'),
  io_channels_is_cell: cells('#io-channel-cells'),
  iommus_property: reference('iommus', '#iommu-cells'),
  iommus_is_cell: cells('#iommu-cells'),
  mboxes_property: reference('mboxes', '#mbox-cells'),
  mboxes_is_cell: cells('#mbox-cells'),
  msi_parent_property: pair(
    'source: source { #msi-cells = <1>; };\nuser { msi-parent = <&source>; };',
    'source: source { };\nuser { msi-parent = <&source>; };',
  ),
  msi_parent_is_cell: cells('#msi-cells'),
  mux_controls_property: reference('mux-controls', '#mux-control-cells'),
  mux_controls_is_cell: cells('#mux-control-cells'),
  phys_property: reference('phys', '#phy-cells'),
  phys_is_cell: cells('#phy-cells'),
  power_domains_property: reference('power-domains', '#power-domain-cells'),
  power_domains_is_cell: cells('#power-domain-cells'),
  pwms_property: reference('pwms', '#pwm-cells'),
  pwms_is_cell: cells('#pwm-cells'),
  resets_property: reference('resets', '#reset-cells'),
  resets_is_cell: cells('#reset-cells'),
  sound_dai_property: reference('sound-dai', '#sound-dai-cells'),
  sound_dai_is_cell: cells('#sound-dai-cells'),
  thermal_sensors_property: reference('thermal-sensors', '#thermal-sensor-cells'),
  thermal_sensors_is_cell: cells('#thermal-sensor-cells'),
  deprecated_gpio_property: pair(
    'gpio: pins { #gpio-cells = <2>; };\nled { led-gpio = <&gpio 1 0>; };',
    'gpio: pins { #gpio-cells = <2>; };\nled { led-gpios = <&gpio 1 0>; };',
  ),
  gpios_property: pair(
    'gpio: pins { #gpio-cells = <2>; };\nled { gpios = <&gpio 1>; };',
    'gpio: pins { #gpio-cells = <2>; };\nled { gpios = <&gpio 1 0>; vendor,nr-gpios = <32>; };',
  ),
  interrupts_property: pair(interrupting('<5>'), interrupting('<5 4>')),
  interrupt_provider: pair(
    'pic { interrupt-controller; #interrupt-cells = <2>; };',
    'pic { interrupt-controller; #interrupt-cells = <2>; #address-cells = <0>; };',
  ),
  interrupt_map: pair(mapped('<0 1 &pic 5>'), mapped('<0 1 &pic 5 4>')),
  alias_paths: pair('aliases { serial0 = "/uart"; };', 'aliases { serial0 = "/uart@0"; };\nuart@0 { };'),
  graph_child_address: pair(
    camera('#address-cells = <1>;\n\t#size-cells = <0>;\n\tport@0 { reg = <0>; endpoint { }; };'),
    camera('port { endpoint { }; };'),
  ),
  graph_port: pair(camera('output { endpoint { }; };'), camera('port { endpoint { }; };')),
  graph_endpoint: {
    frame: 'root',
    wrong: `${camera('port { one: endpoint { remote-endpoint = <&other>; }; };')}
${screen('port { other: endpoint { }; };')}`,
    right: `${camera('port { one: endpoint { remote-endpoint = <&other>; }; };')}
${screen('port { other: endpoint { remote-endpoint = <&one>; }; };')}`,
  },
};
