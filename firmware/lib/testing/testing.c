#include "testing/testing.h"
#include "console.h"
#include "string.h"

/* ---- Results ---- */

static const char *guest;
static char trouble[160]; /* the first thing wrong in the running test */
static u32 passed, failed;

void fail(const char *format, ...) {
  va_list arguments;
  if (trouble[0]) return;
  va_start(arguments, format);
  vformat_into(trouble, sizeof trouble, format, arguments);
  va_end(arguments);
}

void expect(const char *what, u32 got, u32 expected) {
  if (got != expected) fail("%s: got %08x, expected %08x", what, got, expected);
}

bool failing(void) { return trouble[0] != 0; }

void report(const char *prefix, const char *name) {
  if (trouble[0]) printf("FAIL %s%s: %s\n", prefix, name, trouble), failed++;
  else printf("ok   %s%s\n", prefix, name), passed++;
  trouble[0] = 0;
}

void tests_run(const struct test *tests, u32 count) {
  for (u32 i = 0; i < count; i++) {
    tests[i].run();
    report("", tests[i].name);
  }
}

void tests_end(void) {
  printf("%s: %u ok, %u FAIL\n", guest, passed, failed);
  guest_exit(failed ? 1 : 0);
}

/* ---- The address space ---- */

u32 frames[FRAMES][1024] __attribute__((aligned(4096)));

void map(u32 index, u32 tid, u32 address, const void *frame, u32 attributes) {
  struct tlb_entry entry = {tid, {address | TLB_VALID | TLB_4K, (u32)frame, attributes}};
  tlb_write(index, &entry);
}

static void map_pages(void) {
  for (u32 at = 0, i = 0; at < (u32)(snippets_end - snippets_start); at += 4096, i++)
    map(i, 0, CODE + at, snippets_start + at, TLB_UX | TLB_UR | TLB_SX | TLB_SR);
  map(8, 0, DATA, frames[0], ALL_ACCESS);
  map(9, 0, DATA + 0x1000, frames[2], ALL_ACCESS);
  map(10, 0, SUPERVISOR_ONLY, frames[3], TLB_SR | TLB_SW);
  map(11, 0, READ_ONLY, frames[4], TLB_UR | TLB_SR);
  map(12, 0, UNCACHED, frames[1], ALL_ACCESS | TLB_I | TLB_G);
  map(13, 0, NOT_EXECUTABLE, frames[9], TLB_UR | TLB_UW | TLB_SR | TLB_SW);
}

void tests_start(const char *name) {
  guest = name;
  printf("hv440 %s\n", guest);
  uart = console_uart();
  line_bit = console_line() < 0 ? 0 : UIC_BIT(console_line());
  map_pages();
}

/* ---- Running code until it traps ---- */

struct trap_frame last;

u32 code_address(const char *code) { return CODE + (u32)(code - snippets_start); }

static void run_from(u32 esr, u32 pc, u32 msr, u32 r4, u32 r5) {
  memset(&last, 0, sizeof last);
  last.pc = pc;
  last.msr = msr;
  last.gpr[4] = r4;
  last.gpr[5] = r5;
  last.gpr[28] = 0x28282828;
  last.gpr[29] = 0x29292929;
  last.gpr[30] = 0x30303030;
  last.gpr[31] = 0x31313131;
  mtspr(SPR_ESR, esr);
  mtspr(SPR_DEAR, DEAR_BEFORE);
  probe(&last);
}

void run_at(u32 pc, u32 msr, u32 r4, u32 r5) { run_from(ESR_BEFORE, pc, msr, r4, r5); }

void run(const char *code, u32 msr, u32 r4, u32 r5) { run_at(code_address(code), msr, r4, r5); }

void run_with_esr(u32 esr, const char *code, u32 msr, u32 r4, u32 r5) {
  run_from(esr, code_address(code), msr, r4, r5);
}

void expect_trap(u32 vector, u32 pc, u32 msr) {
  if (last.vector != vector)
    fail("got %s interrupt (at %08x, ESR %08x), expected %s", vector_name(last.vector), last.pc, last.esr,
         vector_name(vector));
  bool critical = vector == VECTOR_CRITICAL_INPUT || vector == VECTOR_WATCHDOG;
  expect(critical ? "CSRR0" : "SRR0", last.pc, pc);
  expect(critical ? "CSRR1" : "SRR1", last.msr, msr);
}

void expect_program(const char *code, u32 msr, u32 esr) {
  last.msr &= ~SRR1_KIND;
  expect_data(VECTOR_PROGRAM, code, msr, esr, DEAR_BEFORE);
}

void expect_end(const char *code, u32 words, u32 msr) {
  expect_trap(VECTOR_SYSTEM_CALL, code_address(code) + 4 * words, msr);
}

void expect_data(u32 vector, const char *code, u32 msr, u32 esr, u32 dear) {
  expect_trap(vector, code_address(code), msr);
  expect("ESR", last.esr, esr);
  expect("DEAR", last.dear, dear);
}

void expect_interrupt(u32 vector, u32 msr) {
  u32 pc = code_address(spin_here);
  expect_trap(vector, last.pc == pc + 4 ? pc + 4 : pc, msr);
  expect("ESR", last.esr, ESR_BEFORE);
  expect("DEAR", last.dear, DEAR_BEFORE);
}

/* ---- Timers ---- */

#define LOOK_TICKS 2000 /* between two looks at TSR: they may be dear, of a privileged register */
#define DUE_SECONDS 4

void timers_off(void) {
  mtspr(SPR_TCR, 0);
  mtspr(SPR_DECAR, 0);
  mtspr(SPR_DEC, 0x7fffffff); /* what an earlier test set must not run out in a later one */
  mtspr(SPR_TSR, 0xfc000000);
}

bool timer_comes(u32 bit, u64 ticks) {
  u64 start = timebase();
  for (u64 look = start;;) {
    u64 now = timebase();
    if (now < look) continue;
    if (mfspr(SPR_TSR) & bit) return true;
    if (now - start >= ticks) return false;
    look = now + LOOK_TICKS;
  }
}

bool timer_due(u32 bit) {
  if (timer_comes(bit, (u64)DUE_SECONDS * machine.timebase)) return true;
  fail("TSR: got %08x after %u seconds, expected %08x", mfspr(SPR_TSR), DUE_SECONDS, bit);
  return false;
}

void hold_decrementer(void) {
  timers_off();
  mtspr(SPR_TCR, TCR_DIE);
  mtspr(SPR_DEC, 10);
  timer_due(TSR_DIS);
}

/* ---- The serial port's interrupt ---- */

volatile u8 *uart;
u32 line_bit;

bool raise_uart(bool critical) {
  console_flush();
  uic_write(UIC_ER, 0);
  uic_write(UIC_CR, critical ? line_bit : 0);
  uic_write(UIC_SR, 0xffffffff);
  uic_write(UIC_ER, line_bit);
  uart[UART_IER] = UART_IER_EMPTY;
  u32 pending = uic_read(UIC_MSR);
  if (pending == line_bit) return true;
  fail("UIC0_MSR: got %08x, expected %08x", pending, line_bit);
  return false;
}

void quiet_uart(void) {
  uart[UART_IER] = 0;
  (void)uart[UART_IIR];
  uic_write(UIC_ER, 0);
  uic_write(UIC_CR, 0);
  uic_write(UIC_SR, 0xffffffff);
}

/* ---- Priorities ---- */

static u32 order[4], orders; /* vectors in the order their handlers ran */
static struct trap_frame critical_frame;

static bool note_order(struct trap_frame *frame) {
  if (orders < COUNT(order)) order[orders++] = frame->vector;
  if (frame->vector == VECTOR_DECREMENTER || frame->vector == VECTOR_WATCHDOG) {
    mtspr(SPR_TCR, 0);
    mtspr(SPR_TSR, 0xfc000000);
  } else {
    quiet_uart();
  }
  if (frame->vector == VECTOR_WATCHDOG || frame->vector == VECTOR_CRITICAL_INPUT) critical_frame = *frame;
  return true;
}

void expect_order(u32 first, u32 second) {
  trap_handler *old_first = trap_handle(first, note_order), *old_second = trap_handle(second, note_order);
  orders = 0;
  run(enable_by_mtmsr, SUPERVISOR, SUPERVISOR | MSR_EE | MSR_CE, 0);
  trap_handle(first, old_first);
  trap_handle(second, old_second);
  quiet_uart();
  timers_off();
  expect("interrupts", orders, 2);
  expect("first vector", order[0], first);
  expect("second vector", order[1], second);
  expect("r3 in the end", last.gpr[3], 1);
}

void expect_critical_saved(void) {
  expect("CSRR0", critical_frame.pc, code_address(enable_by_mtmsr) + 4);
  expect("CSRR1", critical_frame.msr, SUPERVISOR | MSR_EE | MSR_CE);
}
