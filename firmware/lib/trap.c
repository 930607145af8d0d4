#include "trap.h"
#include "console.h"
#include "machine.h"

_Static_assert(offsetof(struct trap_frame, cr) == FRAME_CR, "ppc440.h knows the frame");
_Static_assert(offsetof(struct trap_frame, vector) == FRAME_VECTOR, "ppc440.h knows the frame");
_Static_assert(offsetof(struct trap_frame, handler_msr) == FRAME_HANDLER_MSR, "ppc440.h knows the frame");
_Static_assert(sizeof(struct trap_frame) <= FRAME_SIZE, "ppc440.h knows the frame");

void probe_enter(struct trap_frame *frame);
void trap_dispatch(struct trap_frame *frame);
extern char probe_return[];

static const char *const names[VECTORS] = {
  "critical input",   "machine check",  "data storage",     "instruction storage",
  "external input",   "alignment",      "program",          "floating-point unavailable",
  "system call",      "auxiliary processor unavailable",    "decrementer",
  "fixed-interval timer", "watchdog timer", "data TLB error", "instruction TLB error",
  "debug",
};

static trap_handler *handlers[VECTORS];
static struct trap_frame *probed; /* where the trap of a running probe goes, null when none runs */
static u32 probe_msr;             /* the MSR to go back to */

const char *vector_name(u32 vector) { return vector < VECTORS ? names[vector] : "no trap"; }

trap_handler *trap_handle(u32 vector, trap_handler *handler) {
  trap_handler *old = handlers[vector];
  handlers[vector] = handler;
  return old;
}

void probe(struct trap_frame *frame) {
  probe_msr = mfmsr();
  mtmsr(probe_msr & ~(MSR_EE | MSR_CE)); /* SRR0 and SRR1 are in use */
  probed = frame;
  probe_enter(frame);
  mtmsr(probe_msr);
}

void trap_dispatch(struct trap_frame *frame) {
  trap_handler *handler = handlers[frame->vector];
  if (handler && handler(frame)) return;
  if (!probed) panic(frame);
  *probed = *frame;
  probed = 0;
  frame->pc = (u32)probe_return;
  frame->msr = probe_msr & ~(MSR_EE | MSR_CE | MSR_WE);
}

void panic(const struct trap_frame *frame) {
  mtmsr(0);
  printf("\nunexpected %s interrupt at %08x, MSR %08x, ESR %08x, DEAR %08x\n", vector_name(frame->vector), frame->pc,
         frame->msr, frame->esr, frame->dear);
  guest_exit(255);
}
