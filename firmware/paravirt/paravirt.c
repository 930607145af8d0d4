/* What a guest may ask of its hypervisor beyond being a 440: byte channels (ePAPR 1.1, chapter 7), KVM's two ways to make a
 * hypercall, and its magic page (Linux, Documentation/virt/kvm/ppc-pv.rst), with wrong arguments too. It needs a partition
 * with paravirtualization = "kvm", "magic-page" and one byte channel, its first. */
#include "console.h"
#include "string.h"
#include "testing/testing.h"

enum status { SUCCESS = 0, EINVAL = 8, UNIMPLEMENTED = 12 };
enum token {
  SEND = 0x10001, RECEIVE = 0x10002, POLL = 0x10003, INT_SET_CONFIG = 0x10004, INT_EOI = 0x1000a, MSGSND = 0x1000f,
  KVM_FEATURES = 0x2a0003, KVM_MAP_MAGIC_PAGE = 0x2a0004,
};

#define PAGE 0xfffff000
#define ELSEWHERE 0x70000000

/* Low words of the page's fields, as indices (struct kvm_vcpu_arch_shared). */
enum field {
  CRITICAL = 7, SPRG0 = 9, SPRG3 = 15, SRR0 = 17, SRR1 = 19, DEAR = 21, MAGIC_MSR = 23, INT_PENDING = 25, ESR = 50,
  PIR = 51, SPRG4 = 53, SPRG7 = 59, FREE = 1000,
};
static volatile u32 *const page = (volatile u32 *)PAGE;

static u32 code[1024] __attribute__((aligned(4096))); /* what runs at PAGED */
static u32 own[1024] __attribute__((aligned(4096)));

/* The registers that the last call gave, r3 first. */
static u32 r[8];

static u32 call(u32 token, u32 r3, u32 r4) {
  memset(r, 0xee, sizeof r);
  r[0] = r3;
  r[1] = r4;
  hypercall(token, r);
  return r[0];
}

/* Runs words at PAGED until they trap. */
static void run_words(const u32 *words, u32 count, u32 msr) {
  memcpy(code, words, count * sizeof(u32));
  code_written(code, sizeof code);
  map(SCRATCH_ENTRY, 0, PAGED, code, ALL_ACCESS);
  run_at(PAGED, msr, 0, 0);
}
#define RUN(msr, ...)                                                                                                  \
  ({                                                                                                                   \
    static const u32 words_[] = {__VA_ARGS__};                                                                         \
    run_words(words_, COUNT(words_), msr);                                                                             \
  })

/* Instructions. */
#define LIS(rt, value) (0x3c000000 | (rt) << 21 | (value))
#define ORI(rt, value) (0x60000000 | (rt) << 21 | (rt) << 16 | (value))
#define SC 0x44000002
#define SC_LEV_1 0x44000022
#define TRAP 0x7fe00008
#define KVM_IN_R0 LIS(0, 0x4b56), ORI(0, 0x4d21)
#define FEATURES_IN_R11 LIS(11, 0x2a), ORI(11, 3)

/* ---- Hypercalls ---- */

static void test_features(void) {
  expect("status", call(KVM_FEATURES, 0, 0), SUCCESS);
  expect("features", r[1], 2);
  expect("r5", r[2], 0xeeeeeeee);
}

static void test_sc_1(void) {
  RUN(SUPERVISOR, FEATURES_IN_R11, SC_LEV_1, TRAP);
  expect_trap(VECTOR_PROGRAM, PAGED + 12, SUPERVISOR);
  expect("r3", last.gpr[3], SUCCESS);
  expect("r4", last.gpr[4], 2);
  expect("r28", last.gpr[28], 0x28282828);
}

static void test_sc_kvm(void) {
  RUN(SUPERVISOR, FEATURES_IN_R11, KVM_IN_R0, SC, TRAP);
  expect_trap(VECTOR_PROGRAM, PAGED + 20, SUPERVISOR);
  expect("r3", last.gpr[3], SUCCESS);
  expect("r4", last.gpr[4], 2);
}

static void test_sc_own(void) {
  RUN(SUPERVISOR, FEATURES_IN_R11, LIS(0, 0x4b56), ORI(0, 0x4d22), SC);
  expect_trap(VECTOR_SYSTEM_CALL, PAGED + 20, SUPERVISOR);
}

static void test_sc_kvm_from_user(void) {
  RUN(USER, FEATURES_IN_R11, KVM_IN_R0, SC);
  expect_trap(VECTOR_SYSTEM_CALL, PAGED + 20, USER);
}

static void test_sc_1_from_user(void) {
  RUN(USER, FEATURES_IN_R11, SC_LEV_1);
  expect_trap(VECTOR_PROGRAM, PAGED + 8, USER);
  expect("ESR", last.esr, ESR_PPR);
}

static void test_unimplemented(void) {
  static const u32 tokens[] = {
    0, 0x10000, INT_SET_CONFIG, 0x10008, INT_EOI, MSGSND, 0x1ffff, 0x2a0000, 0x2a0005, 0x80010001, 0xffffffff,
  };
  for (u32 i = 0; i < COUNT(tokens); i++) {
    expect("status", call(tokens[i], 1, 0x44), UNIMPLEMENTED);
    expect("r4", r[1], 0x44);
  }
}

/* ---- Byte channels ---- */

static void test_send(void) {
  memcpy(&r[2], "sent by hand\r\n..", 16);
  r[0] = 1;
  r[1] = 14;
  hypercall(SEND, r);
  expect("status", r[0], SUCCESS);
  expect("sent", r[1], 14);
}

static void test_send_nothing(void) {
  expect("status", call(SEND, 1, 0), SUCCESS);
  expect("sent", r[1], 0);
}

static void test_channel_errors(void) {
  expect("seventeen bytes", call(SEND, 1, 17), EINVAL);
  expect("sent", r[1], 0);
  expect("no such handle", call(SEND, 2, 1), EINVAL);
  expect("receive", call(RECEIVE, 0, 16), EINVAL);
  expect("poll", call(POLL, 0xffffffff, 0), EINVAL);
}

static void test_poll_and_receive(void) {
  expect("status", call(POLL, 1, 0), SUCCESS);
  expect("waiting", r[1], 0);
  if (r[2] < 16) fail("room for %u bytes", r[2]);
  expect("status", call(RECEIVE, 1, 99), SUCCESS);
  expect("received", r[1], 0);
}

/* ---- The magic page ---- */

static void test_map_errors(void) {
  expect("real address amid a page", call(KVM_MAP_MAGIC_PAGE, 0x10, PAGE), EINVAL);
  expect("features", r[1], 0);
  expect("unknown flag", call(KVM_MAP_MAGIC_PAGE, 0, PAGE | 2), EINVAL);
  run(load_word, SUPERVISOR, 0, PAGE + 4);
  expect_data(VECTOR_DATA_TLB, load_word, SUPERVISOR, 0, PAGE + 4);
}

static void test_map(void) {
  mtspr(SPR_SPRG4, 0x4444);
  expect("status", call(KVM_MAP_MAGIC_PAGE, PAGE, PAGE | 1), SUCCESS);
  expect("features", r[1], 2);
  expect("SPRG4", page[SPRG4], 0x4444);
  expect("the rest", page[FREE], 0);
}

static void test_registers_to_page(void) {
  mtspr(SPR_SRR0, 0x12345679);
  mtspr(SPR_SRR1, MSR_CE | 0x80000000);
  mtspr(SPR_DEAR, 0x2222);
  mtspr(SPR_ESR, ESR_ST);
  mtspr(SPR_SPRG4 + 3, 0x7777);
  expect("SRR0", page[SRR0], 0x12345678);
  expect("SRR1", page[SRR1], MSR_CE);
  expect("DEAR", page[DEAR], 0x2222);
  expect("ESR", page[ESR], ESR_ST);
  expect("SPRG7", page[SPRG7], 0x7777);
  expect("MSR", page[MAGIC_MSR], mfmsr());
  expect("PIR", page[PIR], mfspr(286));
}

static void test_page_to_registers(void) {
  for (u32 i = 0; i < 4; i++) page[SPRG4 + 2 * i] = 0x400 + i;
  page[SRR0] = 0xffff;
  page[SRR1] = 0xffffffff;
  page[DEAR] = 0x3333;
  page[ESR] = ESR_PTR;
  page[PIR] = 5;
  expect("SRR0", mfspr(SPR_SRR0), 0xfffc);
  expect("SRR1", mfspr(SPR_SRR1), 0x6ff30);
  expect("DEAR", mfspr(SPR_DEAR), 0x3333);
  expect("ESR", mfspr(SPR_ESR), ESR_PTR);
  expect("PIR", mfspr(286), 0);
  expect("PIR in the page", page[PIR], 0);
  expect("SPRG4", mfspr(SPR_SPRG4), 0x400);
  expect("SPRG7", mfspr(SPR_SPRG4 + 3), 0x403);
  run(read_user_sprgs, USER, 0, 0); /* r3 to r6 */
  for (u32 i = 0; i < 4; i++) expect("SPRG4-7 read by the user", last.gpr[3 + i], 0x400 + i);
}

static void test_trap_in_page(void) {
  run(load_word, USER, 0, UNMAPPED + 0x124);
  expect_data(VECTOR_DATA_TLB, load_word, USER, 0, UNMAPPED + 0x124);
  expect("DEAR", page[DEAR], UNMAPPED + 0x124);
}

static volatile u32 interrupts;

static bool count_decrementer(struct trap_frame *frame) {
  interrupts++;
  mtspr(SPR_TSR, TSR_DIS);
  (void)frame;
  return true;
}

static void test_interrupt_held_back(void) {
  trap_handle(VECTOR_DECREMENTER, count_decrementer);
  interrupts = 0;
  hold_decrementer();
  expect("int_pending", page[INT_PENDING] != 0, 1);
  expect("interrupts", interrupts, 0);
  page[MAGIC_MSR] |= MSR_EE;
  (void)mfmsr(); /* an exit */
  expect("interrupts", interrupts, 1);
  expect("int_pending after it", page[INT_PENDING], 0);
  page[MAGIC_MSR] &= ~MSR_EE;
  expect("MSR[EE]", mfmsr() & MSR_EE, 0);
  timers_off();
}

/* Spins with MSR[EE] set in the page alone until an interrupt comes: nothing here leaves the guest. */
static bool comes_by_itself(void) {
  u64 start = timebase();
  while (!interrupts)
    if (timebase() - start > machine.timebase) return false;
  return true;
}

static void test_interrupt_by_itself(void) {
  interrupts = 0;
  mtspr(SPR_TCR, TCR_DIE);
  mtspr(SPR_DEC, 5000);
  page[MAGIC_MSR] |= MSR_EE;
  if (!comes_by_itself()) fail("no interrupt came");
  page[MAGIC_MSR] &= ~MSR_EE;
  timers_off();
}

static void test_critical_section(void) {
  u32 stack, seen;
  __asm__ volatile("mr %0,1" : "=r"(stack));
  interrupts = 0;
  hold_decrementer();
  page[CRITICAL] = stack;
  page[MAGIC_MSR] |= MSR_EE;
  (void)mfmsr();
  seen = interrupts;
  page[CRITICAL] = stack + 1;
  if (!comes_by_itself()) fail("no interrupt came after the critical section");
  expect("interrupts in the critical section", seen, 0);
  page[MAGIC_MSR] &= ~MSR_EE;
  timers_off();
  trap_handle(VECTOR_DECREMENTER, 0);
}

static void test_not_executable(void) {
  page[FREE] = SC;
  run_at(PAGE + 4 * FREE, SUPERVISOR, 0, 0);
  expect_trap(VECTOR_INSTRUCTION_STORAGE, PAGE + 4 * FREE, SUPERVISOR);
}

static void test_not_the_users(void) {
  run(load_word, USER, 0, PAGE + 4);
  expect_data(VECTOR_DATA_TLB, load_word, USER, 0, PAGE + 4);
}

/* The guest's own page at the same address: the supervisor keeps the magic one, the user has what the TLB says. */
static void test_own_page_beneath(void) {
  own[0] = 0x600d600d;
  page[0] = 0x3a91c;
  map(SCRATCH_ENTRY + 1, 0, PAGE, own, ALL_ACCESS);
  run(load_word, SUPERVISOR, 0, PAGE);
  expect("supervisor", last.gpr[3], 0x3a91c);
  run(load_word, USER, 0, PAGE);
  expect("user", last.gpr[3], 0x600d600d);
  expect("tlbsx", (u32)tlb_search(PAGE, 0, 0), SCRATCH_ENTRY + 1);
  tlb_invalidate(SCRATCH_ENTRY + 1);
}

static void test_move(void) {
  page[FREE] = 0x1234;
  expect("status", call(KVM_MAP_MAGIC_PAGE, ELSEWHERE, ELSEWHERE), SUCCESS);
  expect("its contents", *(volatile u32 *)(ELSEWHERE + 4 * FREE), 0x1234);
  run(load_word, SUPERVISOR, 0, PAGE + 4);
  expect_data(VECTOR_DATA_TLB, load_word, SUPERVISOR, 0, PAGE + 4);
  *(volatile u32 *)(ELSEWHERE + 4 * FREE) = SC;
  code_written((void *)(ELSEWHERE + 4 * FREE), 4);
  run_at(ELSEWHERE + 4 * FREE, SUPERVISOR, 0, 0); /* this time without the flag that forbids it */
  expect_trap(VECTOR_SYSTEM_CALL, ELSEWHERE + 4 * FREE + 4, SUPERVISOR);
}

static const struct test tests[] = {
  {"features", test_features},
  {"sc-1", test_sc_1},
  {"sc-kvm", test_sc_kvm},
  {"sc-own", test_sc_own},
  {"sc-kvm-from-user", test_sc_kvm_from_user},
  {"sc-1-from-user", test_sc_1_from_user},
  {"unimplemented", test_unimplemented},
  {"send", test_send},
  {"send-nothing", test_send_nothing},
  {"channel-errors", test_channel_errors},
  {"poll-and-receive", test_poll_and_receive},
  {"map-errors", test_map_errors},
  {"map", test_map},
  {"registers-to-page", test_registers_to_page},
  {"page-to-registers", test_page_to_registers},
  {"trap-in-page", test_trap_in_page},
  {"interrupt-held-back", test_interrupt_held_back},
  {"interrupt-by-itself", test_interrupt_by_itself},
  {"critical-section", test_critical_section},
  {"not-executable", test_not_executable},
  {"not-the-users", test_not_the_users},
  {"own-page-beneath", test_own_page_beneath},
  {"move", test_move},
};

void guest_main(void) {
  if (!fdt_is(fdt_find("/hypervisor"), "linux,kvm")) {
    printf("paravirt: KVM's interface is not offered here\n");
    guest_exit(1);
  }
  tests_start("paravirt");
  tests_run(tests, COUNT(tests));
  tests_end();
}
