/**
 * The special purpose registers that have a mnemonic of their own in binutils' text for a 440: the name behind `mf` and
 * `mt`, the number, and which of the two (`f`rom, `t`o) there are. Some are registers of other PowerPC processors.
 */
// prettier-ignore
export const registerNames: readonly (readonly [name: string, number: number, access: 'f' | 't' | 'ft'])[] = [
  ['xer', 1, 'ft'], ['rtcu', 4, 'f'], ['rtcl', 5, 'f'], ['lr', 8, 'ft'], ['ctr', 9, 'ft'],
  ['dsisr', 18, 'ft'], ['dar', 19, 'ft'], ['rtcu', 20, 't'], ['rtcl', 21, 't'], ['dec', 22, 'ft'],
  ['sdr1', 25, 'ft'], ['srr0', 26, 'ft'], ['srr1', 27, 'ft'],
  ['pid', 48, 'ft'], ['decar', 54, 't'], ['csrr0', 58, 'ft'], ['csrr1', 59, 'ft'],
  ['dear', 61, 'ft'], ['esr', 62, 'ft'], ['ivpr', 63, 'ft'],
  ['usprg0', 256, 'ft'], ['tb', 268, 'f'], ['tbu', 269, 'f'], ['ear', 282, 'ft'], ['tbl', 284, 't'], ['tbu', 285, 't'],
  ['pir', 286, 'f'], ['pvr', 287, 'f'],
  ['dbsr', 304, 'ft'], ['dbcr0', 308, 'ft'], ['dbcr1', 309, 'ft'], ['dbcr2', 310, 'ft'],
  ['iac1', 312, 'ft'], ['iac2', 313, 'ft'], ['iac3', 314, 'ft'], ['iac4', 315, 'ft'],
  ['dac1', 316, 'ft'], ['dac2', 317, 'ft'], ['dvc1', 318, 'ft'], ['dvc2', 319, 'ft'],
  ['tsr', 336, 'ft'], ['tcr', 340, 'ft'],
  ['ivor0', 400, 'ft'], ['ivor1', 401, 'ft'], ['ivor2', 402, 'ft'], ['ivor3', 403, 'ft'],
  ['ivor4', 404, 'ft'], ['ivor5', 405, 'ft'], ['ivor6', 406, 'ft'], ['ivor7', 407, 'ft'],
  ['ivor8', 408, 'ft'], ['ivor9', 409, 'ft'], ['ivor10', 410, 'ft'], ['ivor11', 411, 'ft'],
  ['ivor12', 412, 'ft'], ['ivor13', 413, 'ft'], ['ivor14', 414, 'ft'], ['ivor15', 415, 'ft'],
  ['mcsrr0', 570, 'ft'], ['mcsrr1', 571, 'ft'], ['mcsr', 572, 'ft'], ['mcar', 573, 'f'],
];
