/* System calls from supervisor and user state, each with a whole handler (all registers saved and restored, rfi), every
 * hundred or so instructions of other work, and changes of MSR[EE] as around a critical section. */
#include "bench.h"
#include "tlb.h"
#include "trap.h"

#define USER_CODE 0x40000000 /* where the image's pages are a user's too */
#define ALL_ACCESS (TLB_UX | TLB_UW | TLB_UR | TLB_SX | TLB_SW | TLB_SR)

static u32 served;

static bool system_call(struct trap_frame *frame) {
  served++;
  if (frame->gpr[0] == 0) return false; /* the user is done: back to probe() */
  frame->gpr[3] = mixed(frame->gpr[3], frame->gpr[4]);
  return true;
}

static inline u32 call(u32 number, u32 sum, u32 value) {
  register u32 r0 __asm__("r0") = number, r3 __asm__("r3") = sum, r4 __asm__("r4") = value;
  __asm__ volatile("sc" : "+r"(r3) : "r"(r0), "r"(r4) : "memory", "cc");
  return r3;
}

static __attribute__((noinline)) u32 work(u32 sum, u32 calls) {
  for (u32 i = 0; i < calls; i++) {
    for (u32 j = 0; j < 20; j++) sum = mixed(sum, sum * 3 + j);
    sum = call(1, sum, i);
  }
  return sum;
}

/* Runs in user state; ends by system call 0. */
static __attribute__((noinline)) void user_work(u32 sum, u32 calls) {
  call(0, work(sum, calls), 0);
}

static u32 in_user_state(u32 sum, u32 calls) {
  static u32 stack[256] __attribute__((aligned(16)));
  struct trap_frame frame = {.pc = USER_CODE + (u32)user_work, .msr = MSR_PR | MSR_ME};
  frame.gpr[1] = USER_CODE + (u32)&stack[COUNT(stack) - 8];
  frame.gpr[3] = sum;
  frame.gpr[4] = calls;
  probe(&frame);
  return frame.gpr[3];
}

static u32 critical_sections(u32 sum, u32 count) {
  for (u32 i = 0; i < count; i++) {
    u32 msr;
    __asm__ volatile("mfmsr %0; wrteei 0" : "=r"(msr) : : "memory");
    sum = mixed(sum, (msr & MSR_EE) + i); /* the other bits differ between machines */
    __asm__ volatile("wrtee %0" : : "r"(msr) : "memory");
  }
  return sum;
}

u32 bench_calls(u32 rounds) {
  struct tlb_entry user = {0, {USER_CODE | TLB_VALID | TLB_16M, 0, ALL_ACCESS}};
  tlb_write(0, &user);
  trap_handle(VECTOR_SYSTEM_CALL, system_call);
  u32 sum = 0;
  while (rounds--) {
    sum = work(sum, 100);
    sum = in_user_state(sum, 100);
    sum = critical_sections(sum, 100);
  }
  tlb_invalidate(0);
  return mixed(sum, served);
}
