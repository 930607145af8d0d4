/* A manager of another partition, and with `worker` in its bootargs the partition that it manages. The manager starts the
 * worker, hears of its states by doorbells, looks into its memory, changes its tree, has it woken, hears its watchdog expire
 * and tells it to shut down. */
#include "console.h"
#include "interrupts.h"
#include "machine.h"
#include "string.h"
#include "trap.h"

enum {
  EV_DOORBELL_SEND = 0x1000e,
  GET_DTPROP = 0x20002,
  SET_DTPROP,
  RESTART,
  GET_STATUS,
  START,
  STOP,
  MEMCPY,
};

/* Where the worker leaves a text for its manager. */
#define NOTE 0x300000
#define NOTE_BYTES 64

static volatile u32 changes, expiries, requests, rings, shutdowns;

static void state_changed(void) { changes++; }
static void watchdog_expired(void) { expiries++; }
static void reset_requested(void) { requests++; }
static void was_rung(void) { rings++; }
static void shut_down(void) { shutdowns++; }

/* Waits until an interrupt has made *count more than it was. */
static void wait_beyond(volatile u32 *count, u32 was) {
  for (;;) {
    mtmsr(MSR_ME); /* nothing may come between looking and waiting */
    if (*count != was) break;
    mtmsr(MSR_ME | MSR_EE | MSR_WE);
  }
  mtmsr(MSR_ME | MSR_EE);
}

/* Has the first node behind `from` that is compatible call a handler; says so where there is none. */
static void hear(int from, const char *compatible, interrupt_handler *handler) {
  int node = fdt_compatible(from, compatible), line = node == FDT_NONE ? -1 : interrupt_of(node, 0);
  if (line < 0) printf("no %s\n", compatible);
  else interrupt_handle((u32)line, handler);
}

static u32 call(u32 token, u32 a, u32 b, u32 c) {
  u32 r[8] = {a, b, c};
  hypercall(token, r);
  return r[0];
}

static void ring(int node) {
  u32 status = call(EV_DOORBELL_SEND, fdt_cell(node, "hv-handle", 0, 0), 0, 0);
  if (status) printf("ring: status %u\n", status);
}

/* ---- The worker ---- */

static const char *text_or(int node, const char *property, const char *otherwise) {
  const char *text = fdt_text(node, property);
  return text ? text : otherwise;
}

static void work(void) {
  int hypervisor = fdt_find("/hypervisor");
  hear(FDT_NONE, "epapr,hv-receive-doorbell", was_rung);
  hear(FDT_NONE, "fsl,hv-shutdown-doorbell", shut_down);
  printf("worker: last stopped by %s, reason %s\n", text_or(hypervisor, "fsl,hv-stopped-by", "nobody"),
         text_or(hypervisor, "fsl,hv-reason-stopped", "none"));
  format_into((char *)NOTE, NOTE_BYTES, "bootargs are '%s'", machine.bootargs);
  wait_beyond(&rings, 0);
  printf("worker: woken, its watchdog runs\n");
  mtspr(SPR_TSR, 0xffffffff);
  mtspr(SPR_TCR, TCR_WRC_SYSTEM); /* TCR[WP] = 0: 2^21 ticks */
  wait_beyond(&shutdowns, 0);
  printf("worker: told to shut down\n");
}

/* ---- The manager ---- */

static u32 worker;

static const char *state(void) {
  static const char *const names[] = {"stopped", "running", "starting", "stopping", "pausing", "paused", "resuming"};
  u32 r[8] = {worker};
  hypercall(GET_STATUS, r);
  return r[0] || r[1] >= COUNT(names) ? "?" : names[r[1]];
}

/* Does something to the worker and waits for its state to change. */
static void change(const char *what, u32 token, u32 entry, u32 load) {
  u32 was = changes, status = call(token, worker, entry, load);
  printf("%s: status %u", what, status);
  if (status == 0) wait_beyond(&changes, was);
  printf(", the worker is %s\n", state());
}

struct piece {
  u64 source, target, size, reserved;
} __attribute__((aligned(32)));

/* Reads the worker's memory; the status of the call. */
static u32 read_memory(u32 from, void *to, u32 size) {
  static struct piece pieces[1];
  pieces[0] = (struct piece){from, (u32)to, size, 0};
  u32 r[8] = {worker, 0xffffffff, (u32)pieces, 0, 1};
  hypercall(MEMCPY, r);
  return r[0];
}

/* The note that the worker has left, once there is one. */
static void print_note(void) {
  static char note[NOTE_BYTES];
  do note[0] = 0;
  while (read_memory(NOTE, note, sizeof note) == 0 && !note[0]);
  printf("in its memory: %s\n", note);
}

static u32 property(u32 token, const char *path, const char *name, void *value, u32 length) {
  u32 r[8] = {worker, 0, (u32)path, 0, (u32)name, 0, (u32)value, length};
  hypercall(token, r);
  return r[0];
}

static void manage(int node) {
  static char label[16], news[] = "worker with news";
  worker = fdt_cell(node, "hv-handle", 0, 0);
  hear(node, "fsl,hv-state-change-doorbell", state_changed);
  hear(node, "fsl,hv-watchdog-expiration-doorbell", watchdog_expired);
  hear(node, "fsl,hv-reset-request-doorbell", reset_requested);
  mtmsr(MSR_ME | MSR_EE);
  printf("manager of '%s', which is %s\n", text_or(node, "label", "?"), state());
  change("start", START, 0, 1);
  change("start again", START, 0, 1);
  print_note();
  change("stop", STOP, 0, 0);
  printf("outside its memory: status %u\n", read_memory(0x7fffffe0, label, sizeof label));
  printf("label: status %u", property(GET_DTPROP, "/", "label", label, sizeof label));
  printf(", '%s'\n", label);
  printf("new bootargs: status %u\n", property(SET_DTPROP, "/chosen", "bootargs", news, sizeof news));
  change("start", START, 0, 1);
  print_note();
  change("restart", RESTART, 0, 0);
  print_note();
  ring(fdt_compatible(FDT_NONE, "epapr,hv-send-doorbell"));
  wait_beyond(&expiries, 0);
  printf("its watchdog has expired, and it is %s\n", state());
  u32 was = changes;
  ring(fdt_compatible(node, "fsl,hv-shutdown-doorbell"));
  wait_beyond(&changes, was);
  printf("shut down: the worker is %s\n", state());
  printf("somebody else's handle: status %u\n", call(STOP, worker + 100, 0, 0));
}

void guest_main(void) {
  if (boot_flag("worker")) return work();
  int node = fdt_compatible(FDT_NONE, "fsl,hv-partition-handle");
  if (node == FDT_NONE) printf("no partition to manage\n");
  else manage(node);
}
