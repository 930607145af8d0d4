/* What the PPC440x5 CPU Core User's Manual says and QEMU does otherwise: guest `traps` tests what both have in common, this
 * one the rest. Chapter and section numbers are the manual's; README.md has what QEMU does, and why that is not followed. */
#include "testing/testing.h"

/* ---- Program interrupts (6.5.7) ---- */

/* SRR1 is the MSR, no more. */
static void test_program_srr1(void) {
  run(illegal_zero, USER, 0, 0);
  expect_trap(VECTOR_PROGRAM, code_address(illegal_zero), USER);
  run(privileged_start, USER, 0, 0);
  expect_trap(VECTOR_PROGRAM, code_address(privileged_start), USER);
  run(trap_always, USER, 0, 0);
  expect_trap(VECTOR_PROGRAM, code_address(trap_always), USER);
}

/* The number of an SPR that users may name, but no register has. */
static void test_illegal_user_spr(void) {
  run(illegal_user_spr, USER, 0, 0);
  expect_program(illegal_user_spr, USER, ESR_PIL);
}

/* ---- Interrupts that leave ESR and DEAR alone, and those that clear ESR (6.4.11) ---- */

static void test_instruction_miss_keeps(void) {
  run(jump, USER, 0, UNMAPPED + 0x40);
  expect_trap(VECTOR_INSTRUCTION_TLB, UNMAPPED + 0x40, USER);
  expect("ESR", last.esr, ESR_BEFORE);
  expect("DEAR", last.dear, DEAR_BEFORE);
}

static void test_alignment_esr(void) {
  run(load_reserved, USER, 0, DATA + 2); /* ESR_BEFORE says store */
  expect_data(VECTOR_ALIGNMENT, load_reserved, USER, 0, DATA + 2);
}

/* ---- Alignment (6.5.6) ---- */

static void test_stwcx_alignment(void) {
  frames[0][0] = 0x600d600d;
  run(store_conditional, USER, 0, DATA + 2);
  expect_data(VECTOR_ALIGNMENT, store_conditional, USER, ESR_ST, DATA + 2);
  expect("memory", frames[0][0], 0x600d600d);
}

static void test_dcbz_alignment(void) {
  run(zero_block, USER, 0, UNCACHED + 0x40);
  expect_data(VECTOR_ALIGNMENT, zero_block, USER, ESR_ST, UNCACHED + 0x40);
}

/* ---- The decrementer's value (7.2) ---- */

/* A tick of DEC is a tick of the time base. */
static void test_decrementer_counts(void) {
  timers_off();
  u64 before = timebase();
  mtspr(SPR_DEC, 0x40000000);
  u32 value = mfspr(SPR_DEC), least = 0x40000000 - (u32)(timebase() - before);
  if (value < least || value > 0x40000000) fail("DEC: got %08x, expected %08x-40000000", value, least);
  for (u64 start = timebase(); timebase() - start < 1000;) isync();
  if (value - mfspr(SPR_DEC) < 1000) fail("DEC: went down less than the time base up");
  timers_off();
}

/* Without auto-reload. */
static void test_decrementer_stops(void) {
  timers_off();
  mtspr(SPR_DEC, 100);
  if (timer_due(TSR_DIS)) {
    expect("DEC", mfspr(SPR_DEC), 0);
    for (u64 start = timebase(); timebase() - start < 1000;) isync();
    expect("DEC later", mfspr(SPR_DEC), 0);
  }
  timers_off();
}

/* With auto-reload. */
static void test_reload_value(void) {
  timers_off();
  mtspr(SPR_DECAR, 0x40000000);
  mtspr(SPR_TCR, TCR_DIE | TCR_ARE);
  mtspr(SPR_DEC, 2000);
  run(spin_here, USER | MSR_EE, 0, 0);
  u32 now = mfspr(SPR_DEC);
  expect_interrupt(VECTOR_DECREMENTER, USER | MSR_EE);
  if (now > 0x40000000 || now < 0x30000000) fail("DEC: got %08x, expected little less than 40000000", now);
  timers_off();
}

/* ---- The fixed-interval timer (7.3) ---- */

static u64 transitions(u64 time, u32 period) { return (time + period / 2) / period; } /* of a time base bit from 0 to 1 */

/* The status is set on each transition of the bit that TCR[FP] chooses, whether the interrupt is enabled or not. */
static void test_fixed_interval_status(void) {
  static const struct {
    u32 choice, period;
  } periods[] = {{TCR_FP_2_13, 1 << 13}, {TCR_FP_2_17, 1 << 17}, {TCR_FP_2_21, 1 << 21}};
  for (u32 i = 0; i < COUNT(periods); i++) {
    timers_off();
    mtspr(SPR_TCR, periods[i].choice);
    for (u32 round = 0; round < 3; round++) {
      u64 before = timebase();
      mtspr(SPR_TSR, TSR_FIS);
      if (!timer_due(TSR_FIS)) break;
      if (transitions(timebase(), periods[i].period) == transitions(before, periods[i].period))
        fail("TSR[FIS]: set without a transition, period %08x", periods[i].period);
    }
  }
  timers_off();
}

static void test_fixed_interval(void) {
  timers_off();
  mtspr(SPR_TCR, TCR_FIE | TCR_FP_2_13);
  if (timer_due(TSR_FIS)) {
    run(spin_here, USER | MSR_EE, 0, 0);
    expect_interrupt(VECTOR_FIXED_INTERVAL, USER | MSR_EE);
  }
  timers_off();
}

/* ---- The watchdog (7.4) ---- */

/* The first time-out sets ENW, the second WIS (figure 7-6); the period is 2^21 ticks, and WRC = 0: never a reset. */
static bool watchdog_pending(void) {
  timers_off();
  u64 start = transitions(timebase(), 1 << 21);
  mtspr(SPR_TSR, TSR_ENW | TSR_WIS);
  mtspr(SPR_TCR, TCR_WIE);
  if (!timer_due(TSR_ENW)) return false;
  u32 status = mfspr(SPR_TSR);
  if (transitions(timebase(), 1 << 21) - start < 2) expect("TSR at the first time-out", status & TSR_WIS, 0);
  return timer_due(TSR_WIS);
}

static void test_watchdog(void) {
  if (watchdog_pending()) {
    run(system_call, USER | MSR_EE, 0, 0); /* MSR[EE] does not let it through */
    expect_trap(VECTOR_SYSTEM_CALL, code_address(system_call) + 4, USER | MSR_EE);
    run(spin_here, USER | MSR_CE, 0, 0);
    expect_interrupt(VECTOR_WATCHDOG, USER | MSR_CE);
    expect("TSR[ENW,WIS]", mfspr(SPR_TSR) & (TSR_ENW | TSR_WIS), TSR_ENW | TSR_WIS);
  }
  timers_off();
  expect("TSR[ENW,WIS] after clearing", mfspr(SPR_TSR) & (TSR_ENW | TSR_WIS), 0);
}

/* A critical interrupt goes before an external one (6.7). */
static void test_watchdog_first(void) {
  if (watchdog_pending()) {
    raise_uart(false);
    expect_order(VECTOR_WATCHDOG, VECTOR_EXTERNAL_INPUT);
    expect_critical_saved();
  }
  quiet_uart();
  timers_off();
}

/* ---- What the MSR is in a handler (6.5) ---- */

/* An interrupt of the base class leaves MSR[CE] set. */
static void test_handler_keeps_ce(void) {
  run(system_call, USER | MSR_CE, 0, 0);
  expect_trap(VECTOR_SYSTEM_CALL, code_address(system_call) + 4, USER | MSR_CE);
  expect("MSR in the handler", last.handler_msr, MSR_CE | MSR_ME);
}

/* ---- The TLB (5.7) ---- */

/* MMUCR[STS] is the address space that tlbsx searches. */
static void test_tlbsx_space(void) {
  map(SCRATCH_ENTRY, 7, PAGED | TLB_TS, frames[6], ALL_ACCESS);
  expect("found in space 1", (u32)tlb_search(PAGED + 0x123, 1, 7), SCRATCH_ENTRY);
  expect("found in space 0", (u32)tlb_search(PAGED + 0x123, 0, 7), (u32)-1);
  map(SCRATCH_ENTRY + 1, 7, PAGED, frames[7], ALL_ACCESS);
  expect("found in space 0", (u32)tlb_search(PAGED + 0x123, 0, 7), SCRATCH_ENTRY + 1);
  tlb_invalidate(SCRATCH_ENTRY);
  tlb_invalidate(SCRATCH_ENTRY + 1);
}

/* ---- The table ---- */

static const struct test tests[] = {
  {"program-srr1", test_program_srr1},
  {"illegal-user-spr-esr", test_illegal_user_spr},
  {"instruction-miss-keeps-esr-dear", test_instruction_miss_keeps},
  {"alignment-lwarx-esr", test_alignment_esr},
  {"alignment-stwcx", test_stwcx_alignment},
  {"alignment-dcbz-uncached", test_dcbz_alignment},
  {"decrementer-counts-down", test_decrementer_counts},
  {"decrementer-stops-at-zero", test_decrementer_stops},
  {"decrementer-reload-value", test_reload_value},
  {"fixed-interval-status", test_fixed_interval_status},
  {"fixed-interval", test_fixed_interval},
  {"watchdog", test_watchdog},
  {"watchdog-before-external", test_watchdog_first},
  {"handler-msr-keeps-ce", test_handler_keeps_ce},
  {"tlbsx-address-space", test_tlbsx_space},
};

void guest_main(void) {
  tests_start("manual");
  tests_run(tests, COUNT(tests));
  tests_end();
}
