/* Traps: what a handler sees, who handles which, and running code until it traps. */
#ifndef TRAP_H
#define TRAP_H

#include "types.h"

/* The machine at a trap. The assembly knows the offsets (ppc440.h). */
struct trap_frame {
  u32 gpr[32];
  u32 cr, xer, lr, ctr;
  u32 pc;          /* SRR0, or CSRR0 for the critical class */
  u32 msr;         /* SRR1 or CSRR1 */
  u32 esr, dear;   /* as the handler found them */
  u32 vector;      /* the IVOR number */
  u32 handler_msr; /* the MSR the handler was entered with */
};

/* Handles a trap: true resumes at frame->pc under frame->msr, false leaves it to a probe, or to the panic message. */
typedef bool trap_handler(struct trap_frame *frame);

/* Gives a vector its handler (null: none) and returns the one it had. */
trap_handler *trap_handle(u32 vector, trap_handler *handler);

/* Runs from frame->pc under frame->msr with the frame's registers until a trap that no handler resumes; the frame then
 * holds the machine at that trap. Goes back to the caller's MSR. */
void probe(struct trap_frame *frame);

/* The name of a vector, as the manual has it. */
const char *vector_name(u32 vector);

/* Ends the guest with status 255 after saying what trap nobody expected. */
void panic(const struct trap_frame *frame);

#endif
