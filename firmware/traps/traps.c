/* Every kind of trap a 440 program meets, each with exact checks of what the processor saved. Chapter and section numbers
 * are those of the PPC440x5 CPU Core User's Manual. A test is one line of the table at the end. Where QEMU departs from the
 * manual, a test here looks at what both have in common, and one of guest `manual` at the rest. */
#include "console.h"
#include "testing/testing.h"

#define REFILL_ENTRY 32
#define REFILL_ENTRIES 8

/* ---- Program interrupts (6.5.7) ---- */

static const char *const privileged_names[] = {
  "mtmsr", "mfmsr", "wrtee", "wrteei", "mfspr", "mtspr", "rfi", "rfci", "tlbwe", "tlbre", "tlbsx", "tlbsync",
  "mfdcr", "mtdcr", "dcbi", "dccci", "iccci",
};

static void privileged(u32 which) {
  const char *code = privileged_start + 8 * which;
  run(code, USER, 0x1234, DATA);
  expect_program(code, USER, ESR_PPR);
  expect("r3", last.gpr[3], 0);
}

static void test_illegal_zero(void) {
  run(illegal_zero, SUPERVISOR, 0, 0);
  expect_program(illegal_zero, SUPERVISOR, ESR_PIL);
  run(illegal_zero, USER, 0, 0);
  expect_program(illegal_zero, USER, ESR_PIL);
}

static void test_illegal_op31(void) {
  run(illegal_op31, SUPERVISOR, 0, 0);
  expect_program(illegal_op31, SUPERVISOR, ESR_PIL);
  run(illegal_op31, USER, 0, 0);
  expect_program(illegal_op31, USER, ESR_PIL);
}

/* An SPR number that users may name, but no register has. Which program interrupt that is, only `manual` asks. */
static void test_illegal_user_spr(void) {
  run(illegal_user_spr, USER, 0, 0);
  expect_program(illegal_user_spr, USER, last.esr == ESR_PPR ? ESR_PPR : ESR_PIL);
  expect("r3", last.gpr[3], 0);
}

/* For users the number alone makes it privileged, whether there is a register or not. */
static void test_privileged_number(void) {
  run(privileged_number, USER, 0, 0);
  expect_program(privileged_number, USER, ESR_PPR);
  expect("r3", last.gpr[3], 0);
}

static void test_tw_taken(void) {
  run(trap_word, USER, 0xfffffffe, 1);
  expect_program(trap_word, USER, ESR_PTR);
  run(trap_word, SUPERVISOR, 0xfffffffe, 1);
  expect_program(trap_word, SUPERVISOR, ESR_PTR);
  run(trap_always, USER, 0, 0);
  expect_program(trap_always, USER, ESR_PTR);
}

static void test_tw_not_taken(void) {
  run(trap_word, USER, 1, 0xfffffffe);
  expect_end(trap_word, 2, USER);
  run(trap_word, USER, 1, 1);
  expect_end(trap_word, 2, USER);
}

static void test_twi_taken(void) {
  run(trap_immediate, USER, 0xffffffff, 0);
  expect_program(trap_immediate, USER, ESR_PTR);
}

static void test_twi_not_taken(void) {
  run(trap_immediate, USER, 7, 0);
  expect_end(trap_immediate, 2, USER);
}

static bool skip_instruction(struct trap_frame *frame) {
  frame->pc += 4;
  frame->msr &= ~SRR1_KIND;
  return true;
}

/* A handler that steps over the instruction comes back with all registers as they were. */
static void test_trap_resumed(void) {
  trap_handle(VECTOR_PROGRAM, skip_instruction);
  run(trap_always, USER, 0x44444444, 0x55555555);
  trap_handle(VECTOR_PROGRAM, 0);
  expect_end(trap_always, 2, USER);
  expect("r4", last.gpr[4], 0x44444444);
  expect("r5", last.gpr[5], 0x55555555);
  expect("r31", last.gpr[31], 0x31313131);
}

/* ---- System call (6.5.9) ---- */

static void test_sc(void) {
  run(system_call, USER, 0, 0);
  expect_trap(VECTOR_SYSTEM_CALL, code_address(system_call) + 4, USER);
  expect("ESR", last.esr, ESR_BEFORE);
  expect("DEAR", last.dear, DEAR_BEFORE);
  run(system_call, SUPERVISOR, 0, 0);
  expect_trap(VECTOR_SYSTEM_CALL, code_address(system_call) + 4, SUPERVISOR);
}

/* ---- TLB misses (6.5.14, 6.5.15) ---- */

static void test_data_miss(void) {
  run(load_word, USER, 0, UNMAPPED + 0x124);
  expect_data(VECTOR_DATA_TLB, load_word, USER, 0, UNMAPPED + 0x124);
  expect("r3", last.gpr[3], 0);
  run(load_word, SUPERVISOR, 0, UNMAPPED + 0x124);
  expect_data(VECTOR_DATA_TLB, load_word, SUPERVISOR, 0, UNMAPPED + 0x124);
}

static void test_data_miss_store(void) {
  run(store_word, USER, 1, UNMAPPED + 0x124);
  expect_data(VECTOR_DATA_TLB, store_word, USER, ESR_ST, UNMAPPED + 0x124);
}

/* The page after DATA's two is not mapped: DEAR is its first byte. */
static void test_data_miss_crossing(void) {
  run(load_word, USER, 0, DATA + 0x1ffe);
  expect_data(VECTOR_DATA_TLB, load_word, USER, 0, DATA + 0x2000);
  run(store_word, USER, 1, DATA + 0x1fff);
  expect_data(VECTOR_DATA_TLB, store_word, USER, ESR_ST, DATA + 0x2000);
}

static void test_touch_miss(void) {
  run(touch_block, USER, 0, UNMAPPED);
  expect_end(touch_block, 3, USER);
}

static void test_instruction_miss(void) {
  run(jump, USER, 0, UNMAPPED + 0x40);
  expect_trap(VECTOR_INSTRUCTION_TLB, UNMAPPED + 0x40, USER);
  expect("new bits of ESR", last.esr & ~ESR_BEFORE, 0);
  run(jump, SUPERVISOR, 0, UNMAPPED + 0x40);
  expect_trap(VECTOR_INSTRUCTION_TLB, UNMAPPED + 0x40, SUPERVISOR);
}

/* A page table of sixteen pages from PAGED, refilled round-robin into REFILL_ENTRIES entries. */
static u32 refills, refill_next;

static bool refill(struct trap_frame *frame) {
  u32 address = frame->vector == VECTOR_DATA_TLB ? frame->dear : frame->pc;
  u32 page = (address - PAGED) >> 12;
  if (page >= FRAMES) return false;
  refills++;
  map(REFILL_ENTRY + refill_next++ % REFILL_ENTRIES, 0, address & ~0xfffu, frames[page ^ 5], ALL_ACCESS);
  return true;
}

static void refilling(bool on) {
  trap_handle(VECTOR_DATA_TLB, on ? refill : 0);
  trap_handle(VECTOR_INSTRUCTION_TLB, on ? refill : 0);
  refills = refill_next = 0;
  for (u32 i = 0; i < REFILL_ENTRIES; i++) tlb_invalidate(REFILL_ENTRY + i);
}

static void test_data_refill(void) {
  refilling(true);
  for (u32 round = 0; round < 3; round++)
    for (u32 page = 0; page < FRAMES; page++) {
      run(round ? load_word : store_word, USER, 0xabc00000 + page, PAGED + (page << 12) + 0x100);
      expect_end(round ? load_word : store_word, 2, USER);
      if (round) expect("loaded", last.gpr[3], 0xabc00000 + page);
    }
  expect("refills", refills, 3 * FRAMES); /* round-robin with fewer entries than pages: all miss */
  for (u32 page = 0; page < FRAMES; page++) expect("in memory", frames[page ^ 5][0x40], 0xabc00000 + page);
  refilling(false);
}

static void test_instruction_refill(void) {
  for (u32 page = 0; page < FRAMES; page++) {
    frames[page ^ 5][0x80] = 0x38600000 | page; /* li r3,page */
    frames[page ^ 5][0x81] = 0x44000002;        /* sc */
    code_written(&frames[page ^ 5][0x80], 8);
  }
  refilling(true);
  for (u32 page = 0; page < FRAMES; page++) {
    run(jump, USER, 0, PAGED + (page << 12) + 0x200);
    expect_trap(VECTOR_SYSTEM_CALL, PAGED + (page << 12) + 0x208, USER);
    expect("r3", last.gpr[3], page);
  }
  expect("refills", refills, FRAMES);
  refilling(false);
}

/* ---- Storage interrupts (6.5.3, 6.5.4) ---- */

static void test_no_read(void) {
  run(load_word, USER, 0, SUPERVISOR_ONLY + 0x10);
  expect_data(VECTOR_DATA_STORAGE, load_word, USER, 0, SUPERVISOR_ONLY + 0x10);
  run(load_word, SUPERVISOR, 0, SUPERVISOR_ONLY + 0x10);
  expect_end(load_word, 2, SUPERVISOR);
}

static void test_no_write(void) {
  frames[4][4] = 0x600d600d;
  run(store_word, USER, 1, READ_ONLY + 0x10);
  expect_data(VECTOR_DATA_STORAGE, store_word, USER, ESR_ST, READ_ONLY + 0x10);
  run(store_word, SUPERVISOR, 1, READ_ONLY + 0x10);
  expect_data(VECTOR_DATA_STORAGE, store_word, SUPERVISOR, ESR_ST, READ_ONLY + 0x10);
  expect("memory", frames[4][4], 0x600d600d);
  run(load_word, USER, 0, READ_ONLY + 0x10);
  expect_end(load_word, 2, USER);
  expect("loaded", last.gpr[3], 0x600d600d);
}

static void test_no_zero_block(void) {
  run(zero_block, USER, 0, READ_ONLY + 0x20);
  expect_data(VECTOR_DATA_STORAGE, zero_block, USER, ESR_ST, READ_ONLY + 0x20);
}

static void test_no_execute(void) {
  run(jump, USER, 0, NOT_EXECUTABLE + 0x20);
  expect_trap(VECTOR_INSTRUCTION_STORAGE, NOT_EXECUTABLE + 0x20, USER);
  run(jump, SUPERVISOR, 0, NOT_EXECUTABLE + 0x20);
  expect_trap(VECTOR_INSTRUCTION_STORAGE, NOT_EXECUTABLE + 0x20, SUPERVISOR);
}

static void test_no_execute_syndrome(void) {
  run(jump, USER, 0, NOT_EXECUTABLE + 0x20);
  expect_trap(VECTOR_INSTRUCTION_STORAGE, NOT_EXECUTABLE + 0x20, USER);
  expect("ESR", last.esr, 0);
  expect("DEAR", last.dear, DEAR_BEFORE);
}

/* ---- Alignment (6.5.6) and accesses that need none ---- */

static void test_lwarx_alignment(void) {
  for (u32 at = 1; at < 4; at++) {
    run_with_esr(0, load_reserved, USER, 0, DATA + at);
    expect_data(VECTOR_ALIGNMENT, load_reserved, USER, 0, DATA + at);
    expect("r3", last.gpr[3], 0);
    run_with_esr(0, load_reserved, SUPERVISOR, 0, DATA + at);
    expect_data(VECTOR_ALIGNMENT, load_reserved, SUPERVISOR, 0, DATA + at);
  }
}

static void test_misaligned(void) {
  for (u32 at = 0x101; at < 0x104; at++) {
    run(store_word, USER, 0x11223344, DATA + at);
    expect_end(store_word, 2, USER);
    run(load_word, USER, 0, DATA + at);
    expect_end(load_word, 2, USER);
    expect("word", last.gpr[3], 0x11223344);
    run(load_reversed, USER, 0, DATA + at);
    expect_end(load_reversed, 2, USER);
    expect("reversed word", last.gpr[3], 0x44332211);
    run(store_half, USER, 0x5566, DATA + at);
    expect_end(store_half, 2, USER);
    run(load_half, USER, 0, DATA + at);
    expect_end(load_half, 2, USER);
    expect("half", last.gpr[3], 0x5566);
  }
}

static void test_misaligned_crossing(void) {
  const u8 *first = (const u8 *)frames[0], *second = (const u8 *)frames[2];
  for (u32 before = 1; before < 4; before++) {
    u32 at = DATA + 0x1000 - before;
    run(store_word, USER, 0xa1b2c3d4, at);
    expect_end(store_word, 2, USER);
    expect("last byte of the first page", first[0xfff], (0xa1b2c3d4u >> (32 - 8 * before)) & 0xff);
    expect("first byte of the second", second[0], (0xa1b2c3d4u >> (24 - 8 * before)) & 0xff);
    run(load_word, USER, 0, at);
    expect_end(load_word, 2, USER);
    expect("word", last.gpr[3], 0xa1b2c3d4);
  }
}

static void test_multiple_crossing(void) {
  run(store_multiple, USER, 0, DATA + 0xff8);
  expect_end(store_multiple, 2, USER);
  expect("in the first page", frames[0][1023], 0x29292929);
  expect("in the second", frames[2][0], 0x30303030);
  frames[2][1] = 0x77777777;
  run(load_multiple, USER, 0, DATA + 0xff8);
  expect_end(load_multiple, 2, USER);
  expect("r31", last.gpr[31], 0x77777777);
}

/* ---- Timers (chapter 7) ---- */

static void test_decrementer(void) {
  timers_off();
  mtspr(SPR_TCR, TCR_DIE);
  mtspr(SPR_DEC, 5000);
  run(spin_here, USER | MSR_EE, 0, 0);
  expect_interrupt(VECTOR_DECREMENTER, USER | MSR_EE);
  expect("TSR[DIS]", mfspr(SPR_TSR) & TSR_DIS, TSR_DIS);
  mtspr(SPR_TSR, TSR_DIS);
  expect("TSR[DIS] after clearing", mfspr(SPR_TSR) & TSR_DIS, 0);
  timers_off();
}

/* Without reload the decrementer stops at 0 (7.2): it interrupts once. */
static void test_decrementer_once(void) {
  timers_off();
  mtspr(SPR_TCR, TCR_DIE);
  mtspr(SPR_DEC, 100);
  if (timer_due(TSR_DIS)) {
    mtspr(SPR_TSR, TSR_DIS);
    expect("TSR[DIS], a second time", timer_comes(TSR_DIS, 100000), false);
    run(system_call, USER | MSR_EE, 0, 0);
    expect_trap(VECTOR_SYSTEM_CALL, code_address(system_call) + 4, USER | MSR_EE);
  }
  timers_off();
}

static volatile u32 reloads;

static bool count_reloads(struct trap_frame *frame) {
  (void)frame;
  mtspr(SPR_TSR, TSR_DIS);
  return ++reloads < 4;
}

static void test_auto_reload(void) {
  timers_off();
  reloads = 0;
  trap_handle(VECTOR_DECREMENTER, count_reloads);
  mtspr(SPR_DECAR, 20000);
  mtspr(SPR_TCR, TCR_DIE | TCR_ARE);
  u64 start = timebase();
  mtspr(SPR_DEC, 2000);
  run(spin_here, USER | MSR_EE, 0, 0);
  u32 ticks = (u32)(timebase() - start);
  timers_off();
  trap_handle(VECTOR_DECREMENTER, 0);
  expect_interrupt(VECTOR_DECREMENTER, USER | MSR_EE);
  expect("interrupts", reloads, 4);
  if (ticks < 62000) fail("four interrupts after %u ticks, expected 62000 at least", ticks);
}

/* QEMU's processor: it marks the kind of a program interrupt in SRR1, which no 440 does. */
static bool is_qemu(void) {
  run(illegal_zero, SUPERVISOR, 0, 0);
  return last.msr & SRR1_KIND;
}

/* The period is 2^13 ticks; a status that is pending comes when MSR[EE] lets it, the next one while the program runs. QEMU's
 * timer never starts: nothing to see there is right, everywhere else it is wrong. */
static void test_fixed_interval(void) {
  bool qemu = is_qemu();
  timers_off();
  mtspr(SPR_TCR, TCR_FIE | TCR_FP_2_13);
  if (qemu && !timer_comes(TSR_FIS, 4000000)) return timers_off();
  if (timer_due(TSR_FIS)) {
    run(system_call, USER, 0, 0); /* held by MSR[EE] = 0 */
    expect_trap(VECTOR_SYSTEM_CALL, code_address(system_call) + 4, USER);
  }
  for (u32 round = 0; round < 2 && !failing(); round++) {
    run(spin_here, USER | MSR_EE, 0, 0);
    expect_interrupt(VECTOR_FIXED_INTERVAL, USER | MSR_EE);
    expect("TSR[FIS]", mfspr(SPR_TSR) & TSR_FIS, TSR_FIS);
    mtspr(SPR_TSR, TSR_FIS);
    expect("TSR[FIS] after clearing", mfspr(SPR_TSR) & TSR_FIS, 0);
  }
  timers_off();
}

/* ---- External and critical input through the UIC (6.5.1, 6.5.5) ---- */

static void test_external(void) {
  if (raise_uart(false)) {
    run(spin_here, USER | MSR_EE, 0, 0);
    expect_interrupt(VECTOR_EXTERNAL_INPUT, USER | MSR_EE);
  }
  expect("UIC0_SR", uic_read(UIC_SR) & line_bit, line_bit);
  expect("UART IIR", uart[UART_IIR] & 0x0f, 2); /* transmitter empty; reading clears it */
  uic_write(UIC_SR, line_bit);
  expect("UIC0_SR after clearing", uic_read(UIC_SR) & line_bit, 0);
  expect("UIC0_MSR after clearing", uic_read(UIC_MSR), 0);
  run(system_call, USER | MSR_EE, 0, 0); /* and no second interrupt */
  expect_trap(VECTOR_SYSTEM_CALL, code_address(system_call) + 4, USER | MSR_EE);
  quiet_uart();
}

/* A level input's status comes back as long as the device asks. */
static void test_external_level(void) {
  if (raise_uart(false)) {
    uic_write(UIC_SR, line_bit);
    expect("UIC0_SR after clearing too early", uic_read(UIC_SR) & line_bit, line_bit);
  }
  if (!failing()) {
    run(spin_here, USER | MSR_EE, 0, 0);
    expect_interrupt(VECTOR_EXTERNAL_INPUT, USER | MSR_EE);
  }
  quiet_uart();
}

static void test_external_masked(void) {
  raise_uart(false);
  uic_write(UIC_ER, 0); /* masked in the controller */
  run(system_call, USER | MSR_EE, 0, 0);
  expect_trap(VECTOR_SYSTEM_CALL, code_address(system_call) + 4, USER | MSR_EE);
  expect("UIC0_SR", uic_read(UIC_SR) & line_bit, line_bit);
  expect("UIC0_MSR", uic_read(UIC_MSR), 0);
  quiet_uart();
}

static void test_critical(void) {
  if (raise_uart(true)) {
    run(spin_here, USER | MSR_CE, 0, 0);
    expect_interrupt(VECTOR_CRITICAL_INPUT, USER | MSR_CE);
  }
  quiet_uart();
}

static void test_critical_masked(void) {
  raise_uart(true);
  run(system_call, USER | MSR_EE, 0, 0); /* MSR[EE] does not let it through */
  expect_trap(VECTOR_SYSTEM_CALL, code_address(system_call) + 4, USER | MSR_EE);
  quiet_uart();
}

/* The vector register: base address and 512 bytes an input, counted from the one of the highest priority, which VCR[PRO]
 * makes the first or the last. Manuals and QEMU differ on which value of PRO is which: either will do. */
static void test_critical_vector(void) {
  u32 first = 0x00800000 + 512 * (u32)console_line(), last_one = 0x00800000 + 512 * (31 - (u32)console_line());
  raise_uart(true);
  uic_write(UIC_VCR, 0x00800000);
  u32 without = uic_read(UIC_VR);
  uic_write(UIC_VCR, 0x00800001);
  u32 with = uic_read(UIC_VR);
  uic_write(UIC_VCR, 0);
  quiet_uart();
  if (without != last_one) expect("UIC0_VR with PRO = 0", without, first);
  expect("UIC0_VR with PRO = 1", with, without == first ? last_one : first);
}

/* ---- Masking and priorities (6.1, 6.7) ---- */

static void test_held(void) {
  hold_decrementer();
  run(system_call, SUPERVISOR, 0, 0);
  expect_trap(VECTOR_SYSTEM_CALL, code_address(system_call) + 4, SUPERVISOR);
  timers_off();
}

static void delivered_after(const char *code, u32 words, u32 msr) {
  hold_decrementer();
  run(code, SUPERVISOR, msr, DATA);
  expect_trap(VECTOR_DECREMENTER, code_address(code) + 4 * words, SUPERVISOR | MSR_EE);
  expect("r3", last.gpr[3], 0);
  timers_off();
}

static void test_wrteei(void) { delivered_after(enable_by_wrteei, 1, 0); }
static void test_wrtee(void) { delivered_after(enable_by_wrtee, 1, MSR_EE); }
static void test_mtmsr(void) { delivered_after(enable_by_mtmsr, 1, SUPERVISOR | MSR_EE); }

static void test_rfi_enables(void) {
  hold_decrementer();
  run(enable_by_rfi, SUPERVISOR, USER | MSR_EE, code_address(spin_here));
  expect_trap(VECTOR_DECREMENTER, code_address(spin_here), USER | MSR_EE);
  expect("r3", last.gpr[3], 0);
  timers_off();
}

static void test_external_first(void) {
  hold_decrementer();
  raise_uart(false);
  expect_order(VECTOR_EXTERNAL_INPUT, VECTOR_DECREMENTER);
}

static void test_critical_input_first(void) {
  hold_decrementer();
  raise_uart(true);
  expect_order(VECTOR_CRITICAL_INPUT, VECTOR_DECREMENTER);
  expect_critical_saved();
}

/* ---- What the MSR is in a handler (6.5), and returning from one (6.4) ---- */

static void test_handler_msr(void) {
  run(system_call, USER | MSR_EE, 0, 0);
  expect("MSR in the handler", last.handler_msr, MSR_ME);
  run(system_call, MSR_PR | MSR_EE, 0, 0);
  expect("MSR in the handler", last.handler_msr, 0);
}

/* SRR1 has all of the MSR, and rfi brings it back: bits that the handler runs with, and bits that it does not. */
static void test_msr_saved(void) {
  static const u32 values[] = {USER, USER | MSR_CE, USER | MSR_EE, USER | MSR_DS, SUPERVISOR | MSR_EE | MSR_CE, MSR_CE, 0};
  for (u32 i = 0; i < COUNT(values); i++) {
    run(system_call, values[i], 0, 0);
    expect_trap(VECTOR_SYSTEM_CALL, code_address(system_call) + 4, values[i]);
    expect("MSR in the handler", last.handler_msr & ~MSR_CE, values[i] & MSR_ME);
  }
}

static void test_critical_msr(void) {
  if (raise_uart(true)) {
    run(spin_here, USER | MSR_CE | MSR_EE, 0, 0);
    expect_interrupt(VECTOR_CRITICAL_INPUT, USER | MSR_CE | MSR_EE);
    expect("MSR in the handler", last.handler_msr, MSR_ME);
  }
  quiet_uart();
}

static void test_rfi(void) {
  run(return_by_rfi, SUPERVISOR, USER | MSR_EE, code_address(system_call));
  expect_trap(VECTOR_SYSTEM_CALL, code_address(system_call) + 4, USER | MSR_EE);
}

static void test_rfci(void) {
  run(return_by_rfci, SUPERVISOR, USER | MSR_EE, code_address(system_call));
  expect_trap(VECTOR_SYSTEM_CALL, code_address(system_call) + 4, USER | MSR_EE);
}

static bool resume_in_user(struct trap_frame *frame) {
  frame->pc += 4;
  frame->msr = USER;
  return true;
}

/* A handler may return elsewhere than it came from: here from supervisor into user state. */
static void test_rfi_changes_state(void) {
  trap_handle(VECTOR_PROGRAM, resume_in_user);
  run(trap_always, SUPERVISOR, 0, 0);
  trap_handle(VECTOR_PROGRAM, 0);
  expect_end(trap_always, 2, USER);
}

/* ---- MSR[WE] (6.4.1) ---- */

static void test_wait(void) {
  timers_off();
  mtspr(SPR_TCR, TCR_DIE);
  u64 start = timebase();
  mtspr(SPR_DEC, 20000);
  run(wait_here, SUPERVISOR, SUPERVISOR | MSR_EE | MSR_WE, 0);
  u64 waited = timebase() - start;
  if (last.vector != VECTOR_DECREMENTER) fail("got %s interrupt", vector_name(last.vector));
  expect("SRR0", last.pc, code_address(wait_here) + 4);
  expect("SRR1 without WE", last.msr & ~MSR_WE, SUPERVISOR | MSR_EE);
  expect("r3", last.gpr[3], 0);
  if (waited < 19000) fail("waited %u ticks only", (u32)waited);
  timers_off();
}

static void test_wait_saved(void) {
  timers_off();
  mtspr(SPR_TCR, TCR_DIE);
  mtspr(SPR_DEC, 20000);
  run(wait_here, SUPERVISOR, SUPERVISOR | MSR_EE | MSR_WE, 0);
  expect_trap(VECTOR_DECREMENTER, code_address(wait_here) + 4, SUPERVISOR | MSR_EE | MSR_WE);
  timers_off();
}

/* ---- Registers users may touch ---- */

static void test_user_sprgs(void) {
  mtspr(SPR_SPRG4, 0x44);
  mtspr(SPR_SPRG4 + 1, 0x55);
  mtspr(SPR_SPRG4 + 2, 0x66);
  mtspr(SPR_SPRG4 + 3, 0x77);
  run(read_user_sprgs, USER, 0, 0);
  expect_end(read_user_sprgs, 5, USER);
  expect("SPRG4", last.gpr[3], 0x44);
  expect("SPRG5", last.gpr[4], 0x55);
  expect("SPRG6", last.gpr[5], 0x66);
  expect("SPRG7", last.gpr[6], 0x77);
}

static void test_usprg0(void) {
  mtspr(SPR_USPRG0, 0x5a5a);
  run(swap_usprg0, USER, 0xa5a5, 0);
  expect_end(swap_usprg0, 3, USER);
  expect("USPRG0 as user", last.gpr[3], 0x5a5a);
  expect("USPRG0", mfspr(SPR_USPRG0), 0xa5a5);
}

static void test_user_time_base(void) {
  u64 before = timebase();
  run(read_time_base, USER, 0, 0);
  u64 seen = (u64)last.gpr[4] << 32 | last.gpr[3], after = timebase();
  expect_end(read_time_base, 3, USER);
  if (seen < before || seen > after)
    fail("time base: got %08x, expected %08x-%08x", (u32)seen, (u32)before, (u32)after);
}

/* ---- Matching of PID and address space, and the TLB instructions (5.5, 5.7) ---- */

static void test_pid(void) {
  frames[6][0] = 0x66;
  map(SCRATCH_ENTRY, 5, PAGED, frames[6], ALL_ACCESS);
  mtspr(SPR_PID, 5);
  run(load_word, USER, 0, PAGED);
  expect_end(load_word, 2, USER);
  expect("loaded", last.gpr[3], 0x66);
  mtspr(SPR_PID, 6);
  run(load_word, USER, 0, PAGED);
  expect_data(VECTOR_DATA_TLB, load_word, USER, 0, PAGED);
  mtspr(SPR_PID, 0);
  run(load_word, USER, 0, PAGED);
  expect_data(VECTOR_DATA_TLB, load_word, USER, 0, PAGED);
  tlb_invalidate(SCRATCH_ENTRY);
}

/* The same address for two process ids, without touching the TLB in between. */
static void test_two_pids(void) {
  frames[6][0] = 0x66;
  frames[7][0] = 0x77;
  map(SCRATCH_ENTRY, 5, PAGED, frames[6], ALL_ACCESS);
  map(SCRATCH_ENTRY + 1, 6, PAGED, frames[7], ALL_ACCESS);
  for (u32 pid = 5; pid <= 6; pid++) {
    mtspr(SPR_PID, pid);
    run(load_word, USER, 0, PAGED);
    expect_end(load_word, 2, USER);
    expect("loaded", last.gpr[3], pid == 5 ? 0x66 : 0x77);
  }
  mtspr(SPR_PID, 0);
  tlb_invalidate(SCRATCH_ENTRY);
  tlb_invalidate(SCRATCH_ENTRY + 1);
}

static void test_tid_zero(void) {
  frames[6][0] = 0x66;
  map(SCRATCH_ENTRY, 0, PAGED, frames[6], ALL_ACCESS);
  mtspr(SPR_PID, 200);
  run(load_word, USER, 0, PAGED);
  mtspr(SPR_PID, 0);
  expect_end(load_word, 2, USER);
  tlb_invalidate(SCRATCH_ENTRY);
}

static void test_address_space(void) {
  frames[6][0] = 0x66;
  frames[7][0] = 0x77;
  map(SCRATCH_ENTRY, 0, PAGED, frames[6], ALL_ACCESS);
  map(SCRATCH_ENTRY + 1, 0, PAGED | TLB_TS, frames[7], ALL_ACCESS);
  run(load_word, USER, 0, PAGED);
  expect("loaded from space 0", last.gpr[3], 0x66);
  run(load_word, USER | MSR_DS, 0, PAGED);
  expect_end(load_word, 2, USER | MSR_DS);
  expect("loaded from space 1", last.gpr[3], 0x77);
  tlb_invalidate(SCRATCH_ENTRY + 1);
  run(load_word, USER | MSR_DS, 0, PAGED);
  expect_data(VECTOR_DATA_TLB, load_word, USER | MSR_DS, 0, PAGED);
  run(load_word, USER | MSR_IS, 0, PAGED);
  expect_trap(VECTOR_INSTRUCTION_TLB, code_address(load_word), USER | MSR_IS);
  tlb_invalidate(SCRATCH_ENTRY);
}

static void test_permissions_change(void) {
  frames[6][0] = 0x66;
  map(SCRATCH_ENTRY, 0, PAGED, frames[6], ALL_ACCESS);
  run(store_word, USER, 1, PAGED);
  expect_end(store_word, 2, USER);
  map(SCRATCH_ENTRY, 0, PAGED, frames[6], TLB_UR | TLB_SR);
  run(store_word, USER, 2, PAGED);
  expect_data(VECTOR_DATA_STORAGE, store_word, USER, ESR_ST, PAGED);
  tlb_invalidate(SCRATCH_ENTRY);
  run(load_word, USER, 0, PAGED);
  expect_data(VECTOR_DATA_TLB, load_word, USER, 0, PAGED);
}

static void test_tlbre(void) {
  struct tlb_entry written = {0x5a, {PAGED | TLB_VALID | TLB_TS | TLB_16K, 0x00abc00d, TLB_I | TLB_G | TLB_UR | TLB_SW}};
  tlb_write(SCRATCH_ENTRY, &written);
  struct tlb_entry read = tlb_read(SCRATCH_ENTRY);
  expect("TID", read.tid, written.tid);
  for (u32 i = 0; i < 3; i++) expect("word", read.word[i], written.word[i]);
  tlb_invalidate(SCRATCH_ENTRY);
  expect("word 0 after", tlb_read(SCRATCH_ENTRY).word[0] & TLB_VALID, 0);
}

static void test_tlbsx(void) {
  map(SCRATCH_ENTRY, 7, PAGED, frames[6], ALL_ACCESS);
  expect("found", (u32)tlb_search(PAGED + 0x123, 0, 7), SCRATCH_ENTRY);
  expect("for another process", (u32)tlb_search(PAGED, 0, 8), (u32)-1);
  expect("not mapped", (u32)tlb_search(PAGED + 0x1000, 0, 7), (u32)-1);
  expect("this code", (u32)tlb_search((u32)test_tlbsx, 0, 3), 63);
  map(SCRATCH_ENTRY, 7, PAGED | TLB_TS, frames[6], ALL_ACCESS);
  expect("found in space 1", (u32)tlb_search(PAGED + 0x123, 1, 7), SCRATCH_ENTRY);
  expect("in space 1 for another process", (u32)tlb_search(PAGED, 1, 8), (u32)-1);
  tlb_invalidate(SCRATCH_ENTRY);
}

/* ---- Code that changes ---- */

static void test_changed_code(void) {
  u32 *code = frames[8];
  map(SCRATCH_ENTRY, 0, PAGED, code, ALL_ACCESS);
  code[1] = 0x44000002; /* sc */
  for (u32 value = 1; value <= 4; value++) {
    code[0] = 0x38600000 | value; /* li r3,value */
    code_written(code, 8);
    run_at(PAGED, USER, 0, 0);
    expect_trap(VECTOR_SYSTEM_CALL, PAGED + 8, USER);
    expect("r3", last.gpr[3], value);
  }
  tlb_invalidate(SCRATCH_ENTRY);
}

/* ---- Reservations ---- */

static void test_reservation(void) {
  frames[0][0] = 1;
  run(reserve_and_store, USER, 0xbeef, DATA);
  expect_end(reserve_and_store, 5, USER);
  expect("CR0[EQ]", last.gpr[3], 1);
  expect("loaded", last.gpr[6], 1);
  expect("stored", frames[0][0], 0xbeef);
  run(store_without_reservation, USER, 0xdead, DATA);
  expect_end(store_without_reservation, 4, USER);
  expect("CR0[EQ]", last.gpr[3], 0);
  expect("not stored", frames[0][0], 0xbeef);
}

/* Handlers end a reservation by a conditional store of their own, as operating systems do. */
static bool store_conditionally(struct trap_frame *frame) {
  static u32 own;
  __asm__ volatile("stwcx. %0,0,%1" : : "r"(0), "r"(&own) : "cr0", "memory");
  frame->pc += 4;
  frame->msr &= ~SRR1_KIND;
  return true;
}

static void test_reservation_broken(void) {
  frames[0][0] = 1;
  trap_handle(VECTOR_PROGRAM, store_conditionally);
  run(reserve_trap_store, USER, 0xdead, DATA);
  trap_handle(VECTOR_PROGRAM, 0);
  expect_end(reserve_trap_store, 6, USER);
  expect("CR0[EQ]", last.gpr[3], 0);
  expect("not stored", frames[0][0], 1);
}

/* ---- The table ---- */

static const struct test tests[] = {
  {"illegal-zero", test_illegal_zero},
  {"illegal-op31", test_illegal_op31},
  {"illegal-user-spr", test_illegal_user_spr},
  {"privileged-spr-number", test_privileged_number},
  {"tw-taken", test_tw_taken},
  {"tw-not-taken", test_tw_not_taken},
  {"twi-taken", test_twi_taken},
  {"twi-not-taken", test_twi_not_taken},
  {"trap-resumed", test_trap_resumed},
  {"system-call", test_sc},
  {"data-miss", test_data_miss},
  {"data-miss-store", test_data_miss_store},
  {"data-miss-crossing", test_data_miss_crossing},
  {"data-miss-touch", test_touch_miss},
  {"data-miss-refill", test_data_refill},
  {"instruction-miss", test_instruction_miss},
  {"instruction-miss-refill", test_instruction_refill},
  {"data-storage-read", test_no_read},
  {"data-storage-write", test_no_write},
  {"data-storage-dcbz", test_no_zero_block},
  {"instruction-storage", test_no_execute},
  {"instruction-storage-esr", test_no_execute_syndrome},
  {"alignment-lwarx", test_lwarx_alignment},
  {"misaligned", test_misaligned},
  {"misaligned-crossing", test_misaligned_crossing},
  {"multiple-crossing", test_multiple_crossing},
  {"decrementer", test_decrementer},
  {"decrementer-once", test_decrementer_once},
  {"decrementer-auto-reload", test_auto_reload},
  {"fixed-interval", test_fixed_interval},
  {"external-input", test_external},
  {"external-input-level", test_external_level},
  {"external-input-masked", test_external_masked},
  {"critical-input", test_critical},
  {"critical-input-masked", test_critical_masked},
  {"critical-input-vector", test_critical_vector},
  {"held-by-ee", test_held},
  {"delivered-after-wrteei", test_wrteei},
  {"delivered-after-wrtee", test_wrtee},
  {"delivered-after-mtmsr", test_mtmsr},
  {"delivered-after-rfi", test_rfi_enables},
  {"external-before-decrementer", test_external_first},
  {"critical-before-decrementer", test_critical_input_first},
  {"handler-msr", test_handler_msr},
  {"handler-msr-critical", test_critical_msr},
  {"msr-saved", test_msr_saved},
  {"rfi", test_rfi},
  {"rfci", test_rfci},
  {"rfi-changes-state", test_rfi_changes_state},
  {"wait", test_wait},
  {"wait-saved-in-srr1", test_wait_saved},
  {"user-sprgs", test_user_sprgs},
  {"user-usprg0", test_usprg0},
  {"user-time-base", test_user_time_base},
  {"pid-and-tid", test_pid},
  {"pid-switch", test_two_pids},
  {"tid-zero", test_tid_zero},
  {"address-space", test_address_space},
  {"permissions-change", test_permissions_change},
  {"tlbre", test_tlbre},
  {"tlbsx", test_tlbsx},
  {"changed-code", test_changed_code},
  {"reservation", test_reservation},
  {"reservation-broken", test_reservation_broken},
};

void guest_main(void) {
  tests_start("traps");
  for (u32 i = 0; i < COUNT(privileged_names); i++) {
    privileged(i);
    report("privileged-", privileged_names[i]);
  }
  tests_run(tests, COUNT(tests));
  tests_end();
}
