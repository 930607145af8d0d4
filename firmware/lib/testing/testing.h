/* What the guests that test the processor share: a line of output for each test, and running a few instructions until they
 * trap. Only guests that call it have it in their image. */
#ifndef TESTING_H
#define TESTING_H

#include "interrupts.h"
#include "machine.h"
#include "tlb.h"
#include "trap.h"

/* ---- A guest of tests ---- */

struct test {
  const char *name;
  void (*run)(void);
};

/* Prints the title line and maps the addresses below. */
void tests_start(const char *guest);

/* Runs each test and prints its line: `ok   NAME`, or `FAIL NAME: what: got …, expected …`. */
void tests_run(const struct test *tests, u32 count);

/* Prints the line of what was checked since the last line, under a name of two parts. */
void report(const char *prefix, const char *name);

/* Prints the total, `GUEST: N ok, N FAIL`, and ends the guest with status 0, or 1 where anything failed. */
void tests_end(void) __attribute__((noreturn));

/* The first of a test is what its line says. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void expect(const char *what, u32 got, u32 expected);

/* Whether the running test has failed already. */
bool failing(void);

/* ---- The address space: TLB entries 0-15 hold what does not change, from 16 on they are the tests' own ---- */

#define CODE 0x40000000
#define DATA 0x50000000          /* two pages that follow each other here, but not in memory; all may read and write */
#define SUPERVISOR_ONLY 0x50010000
#define READ_ONLY 0x50011000
#define UNCACHED 0x50012000
#define NOT_EXECUTABLE 0x50013000
#define UNMAPPED 0x5ff00000
#define PAGED 0x60000000         /* mapped by a test only */
#define SCRATCH_ENTRY 16

#define ALL_ACCESS (TLB_UX | TLB_UW | TLB_UR | TLB_SX | TLB_SW | TLB_SR)
#define USER (MSR_PR | MSR_ME)
#define SUPERVISOR MSR_ME

/* Physical pages: 0 and 2 back DATA, so that a crossing access meets two frames apart; 3 backs SUPERVISOR_ONLY, 4
 * READ_ONLY, 1 UNCACHED and 9 NOT_EXECUTABLE. */
#define FRAMES 16
extern u32 frames[FRAMES][1024];

/* Maps a page of 4 KiB by a TLB entry. */
void map(u32 index, u32 tid, u32 address, const void *frame, u32 attributes);

/* ---- Running code until it traps ---- */

extern char snippets_start[], snippets_end[], privileged_start[], illegal_zero[], illegal_op31[], illegal_user_spr[],
  privileged_number[], trap_word[], trap_immediate[], trap_always[], system_call[], load_word[], store_word[], load_half[],
  store_half[], load_reversed[], load_multiple[], store_multiple[], load_reserved[], store_conditional[], zero_block[],
  touch_block[], reserve_and_store[], store_without_reservation[], reserve_trap_store[], spin_here[], enable_by_wrteei[],
  enable_by_wrtee[], enable_by_mtmsr[], enable_by_rfi[], wait_here[], return_by_rfi[], return_by_rfci[],
  read_user_sprgs[], swap_usprg0[], read_time_base[], jump[];

/* The machine at the trap that ended run(). */
extern struct trap_frame last;

/* What run() leaves in ESR and DEAR, for handlers to find unchanged where an interrupt leaves them alone. */
#define ESR_BEFORE 0x00800000
#define DEAR_BEFORE 0x12345678

/* Where a snippet runs. */
u32 code_address(const char *code);

/* Runs a snippet, or code at an address, under an MSR with r4 and r5; r28-r31 are their numbers, four times. */
void run(const char *code, u32 msr, u32 r4, u32 r5);
void run_at(u32 pc, u32 msr, u32 r4, u32 r5);

/* run() with something else in ESR before. */
void run_with_esr(u32 esr, const char *code, u32 msr, u32 r4, u32 r5);

/* QEMU marks the kind of a program interrupt in SRR1, as other families do. */
#define SRR1_KIND 0x000e0000

/* Checks vector, saved pc and saved MSR of the last trap. */
void expect_trap(u32 vector, u32 pc, u32 msr);

/* A program interrupt at a snippet's first instruction; SRR1_KIND may be anything. */
void expect_program(const char *code, u32 msr, u32 esr);

/* The snippet ended by its own sc, `words` instructions after its start. */
void expect_end(const char *code, u32 words, u32 msr);

/* An interrupt at a snippet's first instruction that sets ESR and DEAR. */
void expect_data(u32 vector, const char *code, u32 msr, u32 esr, u32 dear);

/* An interrupt in the two instructions of spin_here, ESR and DEAR unchanged. */
void expect_interrupt(u32 vector, u32 msr);

/* ---- Interrupts to come ---- */

/* No timer interrupt enabled, pending or soon to come. */
void timers_off(void);

/* Whether a TSR bit is set after so many ticks at most. */
bool timer_comes(u32 bit, u64 ticks);

/* The same for a few seconds, time enough for a simulator that has other things to do; fails if it is not. */
bool timer_due(u32 bit);

/* Makes a decrementer interrupt pending, held by MSR[EE] = 0. */
void hold_decrementer(void);

/* The console's serial port, and the bit of its interrupt in the UIC. */
extern volatile u8 *uart;
extern u32 line_bit;

/* Raises the serial port's interrupt (transmitter empty) and lets it through the UIC, as critical input or not. False: it
 * does not come, and nothing may wait for it. */
bool raise_uart(bool critical);
void quiet_uart(void);

/* Sets MSR[EE] and MSR[CE] with two interrupts pending, and checks which came first and which second. */
void expect_order(u32 first, u32 second);

/* The critical interrupt of expect_order() saw the interrupted program, not the handler of one of lower priority. */
void expect_critical_saved(void);

#endif
