/* Counts what the handlers of handlers.S take for each kind of exit, in cycles of the time base: on the simulated board an
 * instruction, and an interrupt delivered, takes one. One line each, `NAME CYCLES`, and at the end whether every handler did
 * what it should. */
#include "cost-model.h"
#include "console.h"
#include "machine.h"
#include "string.h"
#include "tlb.h"
#include "trap.h"

struct guest_entry {
  u32 mask, tag, word1, word2, tid;
};

extern struct vcpu {
  u32 gpr[32], cr, lr, ctr, xer, msr, pending, tsr, tcr, quantum;
  struct vcpu *next;
  u32 runnable, base, ram, victim, mmucr, uart[3];
  u8 ring[64];
  u32 pid, srr0, srr1, dear, esr, ivpr, sprg[8], ivor[16], usprg0;
  u8 real_pid[512], shadow_of[64];
  struct guest_entry tlb[64];
} vcpu;

_Static_assert(offsetof(struct vcpu, uart) == V_UART && offsetof(struct vcpu, pid) == V_PID, "cost-model.h knows the vcpu");
_Static_assert(offsetof(struct vcpu, real_pid) == V_REAL_PID && offsetof(struct vcpu, tlb) == V_TLB, "it does");
_Static_assert(sizeof(struct vcpu) == V_SIZE, "it does");

u32 enter_guest(u32 address, u32 msr, u32 r9, u32 r10, u32 r11, u32 r12);
extern char program_entry[], data_tlb_entry[], system_call_entry[], decrementer_entry[], vectors[];
extern char guest_nop[], guest_mfmsr[], guest_mtmsr[], guest_wrtee[], guest_wrteei[], guest_mfspr[], guest_mtspr[],
  guest_mtpid[], guest_tlbwe[], guest_tlbwe0[], guest_touch[], guest_uart_read[], guest_uart_write[], guest_poll[],
  guest_rfi[], guest_after[], guest_wait[];

#define GUEST_MSR (MSR_PR | MSR_IS | MSR_DS | MSR_ME | MSR_EE | MSR_CE)
#define PAGE 0x50000000
#define PORT 0x51000000
#define NOWHERE 0x60000000

#define ENTRY(vector, handler) \
  __asm__ volatile("mtspr %0, %1" : : "i"(SPR_IVOR0 + (vector)), "r"((handler) - vectors))

static u8 memory[4096] __attribute__((aligned(4096)));
static u32 failures;
static u32 nothing; /* what is read when only a nop lies between the readings */

static void expect(const char *what, u32 got, u32 wanted) {
  if (got == wanted) return;
  printf("FAIL %s: got %x, expected %x\n", what, got, wanted);
  failures++;
}

/* A guest just started: supervisor, one page of memory and a port in the middle of its TLB. */
static void fresh_guest(void) {
  memset(&vcpu, 0, sizeof vcpu);
  vcpu.next = &vcpu;
  vcpu.runnable = 1;
  vcpu.quantum = 100;
  vcpu.base = (u32)memory;
  vcpu.ram = sizeof memory;
  vcpu.victim = FIRST_SHADOW;
  vcpu.uart[0] = 0x60;
  vcpu.ivpr = GUEST_WINDOW + ((u32)guest_after & 0xffff0000);
  for (u32 i = 0; i < 16; i++) vcpu.ivor[i] = (u32)guest_after & 0xffff;
  for (u32 i = 0; i < 256; i++) vcpu.real_pid[i] = 1, vcpu.real_pid[256 + i] = 2;
  for (u32 i = 0; i < 64; i++) vcpu.tlb[i] = (struct guest_entry){0, 1, 0, 0, 0}, vcpu.shadow_of[i] = NO_SHADOW;
  vcpu.tlb[30] = (struct guest_entry){0xfffff000, PORT, UART_PAGE, TLB_SR | TLB_SW, 0};
  vcpu.tlb[31] = (struct guest_entry){0xfffff000, PAGE, 0, TLB_SR | TLB_SW, 0};
  for (u32 i = FIRST_SHADOW; i <= LAST_SHADOW; i++) tlb_invalidate(i);
}

/* Runs one of the guest's pieces and says what it took more than nothing. */
static u32 measure(const char *name, const char *piece, u32 r9, u32 r10, u32 r11, u32 r12) {
  u32 cycles = enter_guest(GUEST_WINDOW + (u32)piece, GUEST_MSR, r9, r10, r11, r12) - nothing;
  if (name) printf("%s %d\n", name, cycles);
  return cycles;
}

static void measure_emulation(void) {
  fresh_guest();
  measure("emulate mfmsr", guest_mfmsr, 0, 0, 1, 0);
  vcpu.gpr[0] = 0;
  measure("emulate mtmsr", guest_mtmsr, 0, 0, 1, MSR_ME);
  expect("mtmsr", vcpu.msr, MSR_ME);
  measure("emulate wrtee", guest_wrtee, 0, 0, 1, MSR_EE);
  expect("wrtee", vcpu.msr, MSR_ME | MSR_EE);
  measure("emulate wrteei", guest_wrteei, 0, 0, 1, 0);
  expect("wrteei", vcpu.msr, MSR_ME);
  measure("emulate mtspr SPRG0", guest_mtspr, 0, 0, 1, 1234);
  expect("mtspr", vcpu.sprg[0], 1234);
  measure("emulate mfspr SPRG0", guest_mfspr, 0, 0, 1, 0);
  measure("emulate mtspr PID", guest_mtpid, 0, 0, 1, 7);
  expect("mtspr PID", vcpu.pid, 7);
  measure("emulate tlbwe word 1", guest_tlbwe, 0, 5, 1, 0x1000);
  expect("tlbwe word 1", vcpu.tlb[5].word1, 0x1000);
  measure("emulate tlbwe word 0", guest_tlbwe0, 0x70000000 | TLB_VALID | TLB_64K, 5, 1, 0);
  expect("tlbwe mask", vcpu.tlb[5].mask, 0xffff0000);
  expect("tlbwe tag", vcpu.tlb[5].tag, 0x70000000);
  vcpu.shadow_of[5] = LAST_SHADOW;
  measure("emulate tlbwe word 0, shadowed", guest_tlbwe0, 0x70000000 | TLB_VALID | TLB_64K, 5, 1, 0);
  expect("shadow gone", vcpu.shadow_of[5], NO_SHADOW);
  vcpu.srr0 = GUEST_WINDOW + (u32)guest_after;
  vcpu.srr1 = MSR_ME;
  measure("emulate rfi", guest_rfi, 0, 0, 1, 0);
}

static void measure_memory(void) {
  fresh_guest();
  memory[0] = 0xaa;
  measure("shadow-miss", guest_touch, PAGE, 0, 1, 0);
  expect("shadow of", vcpu.shadow_of[31], FIRST_SHADOW);
  expect("a second touch", measure(0, guest_touch, PAGE, 0, 1, 0), 0);
  measure("device read LSR", guest_uart_read, PORT, 0, 1, 0);
  measure("device write THR", guest_uart_write, PORT, 0, 1, 'x');
  expect("what was sent", vcpu.ring[0], 'x');
  measure("reflect data TLB miss", guest_touch, NOWHERE, 0, 1, 0);
  expect("DEAR", vcpu.dear, NOWHERE);
}

static void measure_calls(void) {
  fresh_guest();
  vcpu.msr = MSR_PR | MSR_EE;
  measure("reflect system call", guest_poll, 0, 0, 1, 0);
  expect("SRR1", vcpu.srr1, MSR_PR | MSR_EE);
  fresh_guest();
  measure("hypercall poll", guest_poll, 0, 0, CALL_POLL, 0);
  measure("hypercall send 1", guest_poll, 0, 0, CALL_SEND, 1);
  measure("hypercall send 16", guest_poll, 0, 0, CALL_SEND, 16);
  expect("sent", vcpu.uart[2], 17);
}

/* The hypervisor's timer comes between the guest's two readings, if not at once then at another try. */
static void measure_timer(const char *name, u32 quantum, u32 to_itself) {
  for (u32 delay = 60;; delay++) {
    fresh_guest();
    vcpu.quantum = quantum;
    vcpu.tsr = to_itself;
    __asm__ volatile("mtspr %0, %1; mtspr %2, %3; mtspr %4, %5"
                     : : "i"(SPR_TSR), "r"(TSR_DIS), "i"(SPR_DEC), "r"(delay), "i"(SPR_TCR), "r"(TCR_DIE));
    int cycles = enter_guest(GUEST_WINDOW + (u32)guest_wait, GUEST_MSR, 0, 0, 1, 100) - nothing + 1;
    __asm__ volatile("mtspr %0, %1" : : "i"(SPR_TCR), "r"(0));
    if (cycles < 8) continue;
    printf("%s %d\n", name, cycles);
    return;
  }
}

void guest_main(void) {
  struct tlb_entry window = {0, {GUEST_WINDOW | TLB_VALID | TLB_16M | TLB_TS, 0, 0x3f}};
  tlb_write(0, &window);
  ENTRY(VECTOR_PROGRAM, program_entry);
  ENTRY(VECTOR_DATA_TLB, data_tlb_entry);
  ENTRY(VECTOR_SYSTEM_CALL, system_call_entry);
  ENTRY(VECTOR_DECREMENTER, decrementer_entry);
  __asm__ volatile("mtspr %0, %1; isync" : : "i"(SPR_PID), "r"(1));
  fresh_guest();
  nothing = measure(0, guest_nop, 0, 0, 1, 0);
  measure_emulation();
  measure_memory();
  measure_calls();
  measure_timer("host-interrupt", 100, 0);
  measure_timer("preempted", 1, 0);
  measure_timer("preempted, world switch", 1, 1);
  printf(failures ? "%d failures\n" : "all handlers did what they should\n", failures);
  guest_exit(failures ? 1 : 0);
}
