import { insn } from './spec.js';

/** PPC440x5 User's Manual, "Instruction Set": processor control, TLB management and interrupt return instructions. */

// prettier-ignore
export const system = [
  insn('mfmsr',   '011111 rt:5 00000 00000 0001010011 0', 'rt', (m, f) => {
    m.privileged();
    m.setGpr(f.rt, m.readMsr());
  }),
  insn('mtmsr',   '011111 rs:5 0000. 00000 0010010010 0', 'rs', (m, f) => {
    m.privileged();
    m.writeMsr(m.gpr(f.rs));
  }),
  insn('wrtee',   '011111 rs:5 .0000 00000 0010000011 0', 'rs', (m, f) => {
    m.privileged();
    const ee = m.constant(0x8000);
    m.writeMsr(m.or(m.and(m.readMsr(), m.not(ee)), m.and(m.gpr(f.rs), ee)));
  }),
  insn('wrteei',  '011111 ..... .000. e:1 0000 0010100011 0', 'e', (m, f) => {
    m.privileged();
    m.writeMsr(m.or(m.and(m.readMsr(), m.constant(~0x8000)), m.shiftLeft(m.imm(f.e), m.constant(15))));
  }),

  // Which numbers a user program may name is a matter of the register (registers.ts), not of the instruction.
  insn('mfspr',   '011111 rt:5 spr:x10 0101010011 0', 'rt, spr', (m, f) => m.setGpr(f.rt, m.readSpr(f.spr))),
  insn('mtspr',   '011111 rs:5 spr:x10 0111010011 .', 'spr, rs', (m, f) => m.writeSpr(f.spr, m.gpr(f.rs))),
  insn('mftb',    '011111 rt:5 spr:x10 0101110011 0', 'rt, spr', (m, f) => m.setGpr(f.rt, m.readSpr(f.spr))),
  insn('mfdcr',   '011111 rt:5 dcr:x10 0101000011 0', 'rt, dcr', (m, f) => {
    m.privileged();
    m.setGpr(f.rt, m.readDcr(f.dcr));
  }),
  insn('mtdcr',   '011111 rs:5 dcr:x10 0111000011 0', 'dcr, rs', (m, f) => {
    m.privileged();
    m.writeDcr(f.dcr, m.gpr(f.rs));
  }),

  insn('tlbre',   '011111 rt:5 ra:5 ws:5 1110110010 0', 'rt, ra, ws', (m, f) => {
    m.privileged();
    m.setGpr(f.rt, m.readTlb(m.gpr(f.ra), f.ws));
  }),
  insn('tlbwe',   '011111 rs:5 ra:5 ws:5 1111010010 0', 'rs, ra, ws', (m, f) => {
    m.privileged();
    m.writeTlb(m.gpr(f.ra), f.ws, m.gpr(f.rs));
  }),
  insn('tlbsx',   '011111 rt:5 ra:5 rb:5 1110010010 rc:1', 'rt, ra, rb', (m, f) => {
    m.privileged();
    m.searchTlb(m.add(m.gprOrZero(f.ra), m.gpr(f.rb)), f.rt, f.rc);
  }),
  insn('tlbsync', '011111 00000 00000 00000 1000110110 0', '', (m) => m.privileged()),

  insn('rfi',     '010011 00000 00000 0.... 0000110010 0', '', (m) => {
    m.privileged();
    m.returnFrom('base');
  }),
  insn('rfci',    '010011 00000 00000 0.... 0000110011 0', '', (m) => {
    m.privileged();
    m.returnFrom('critical');
  }),
  insn('rfmci',   '010011 00000 00000 0.... 0000100110 0', '', (m) => {
    m.privileged();
    m.returnFrom('machine-check');
  }),
];
