/* The machine as its device tree describes it, and how a guest on it starts and ends. */
#ifndef MACHINE_H
#define MACHINE_H

#include "fdt.h"
#include "types.h"

extern struct machine {
  const void *tree;      /* what r3 pointed at */
  bool epapr;            /* r6 had the ePAPR magic */
  u32 initial_mapping;   /* r7, where epapr */
  u64 memory;            /* bytes in all memory nodes together */
  u32 timebase;          /* ticks a second */
  const char *bootargs;  /* /chosen/bootargs or "" */
  const char *name;      /* label, else name= of the bootargs, else model */
  u32 hypercall[4];      /* /hypervisor's hcall-instructions, filled up with nops; the first is 0 if there are none */
} machine;

/* What a guest does: called on its own stack with memory mapped, console up and all interrupts off (MSR[ME] on). */
void guest_main(void);

/* Ends the guest: writes the status to the finisher if the tree has one, then resets the system. */
void guest_exit(u32 status) __attribute__((noreturn));

/* Memory range number `index` of all memory nodes together. */
bool memory_range(u32 index, u64 *base, u64 *size);

/* The value of `name=value` in the bootargs, copied out; false if it is not there. */
bool boot_argument(const char *name, char *value, size_t room);

/* Whether the bootargs have this word. */
bool boot_flag(const char *word);

/* The 64-bit time base. */
u64 timebase(void);

/* Reads and writes a device control register whose number is known at run time only. */
u32 dcr_read(u32 number);
void dcr_write(u32 number, u32 value);

/* Makes words that were just stored executable at the next instruction. */
void code_written(const void *start, size_t bytes);

/* An ePAPR hypercall: r11 = token, r3-r10 in and out. */
void hypercall(u32 token, u32 registers[8]);

extern char image_start[], image_end[], stack_bottom[], stack_top[];

#endif
