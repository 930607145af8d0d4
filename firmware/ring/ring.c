/* Two partitions that talk by memory that they share, in one direction: a ring of bytes that the producer writes and the
 * consumer may only read, and a page by which the consumer tells how far it has come, which the producer may only read.
 * Which of the two it is, the guest sees by its windows. Doorbells tell that there is something new; they carry nothing,
 * and one that nobody hears is no harm, since both look before they wait. devicetrees/shared-memory.dts has it all. */
#include "console.h"
#include "interrupts.h"
#include "machine.h"
#include "string.h"
#include "tlb.h"
#include "trap.h"

enum { EV_DOORBELL_SEND = 0x1000e };

/* What the producer writes: all of one shared memory. Counts go round at 2^32, so the ring's size is a power of two. */
struct ring {
  u32 written; /* bytes, since power-on */
  u32 closed;  /* no more will come */
  u32 spare[14]; /* 0 */
  u8 bytes[];
};

/* What the consumer writes. */
struct progress {
  u32 read; /* bytes, since power-on */
};

#define MESSAGES 1000 /* that are sent where the bootargs say nothing: several times what a ring of 4 KiB holds */
#define MOST 64       /* bytes of a message, and one for its length */

static volatile struct ring *ring;
static volatile struct progress *progress;
static u32 room; /* bytes of the ring */
static bool producer;
static int bell; /* the doorbell by which the other end is called */
static volatile u32 rings, checks;

static void was_rung(void) { rings++; }

static void ring_bell(void) {
  u32 r[8] = {fdt_cell(bell, "hv-handle", 0, 0)};
  hypercall(EV_DOORBELL_SEND, r);
  if (r[0]) printf("ring: status %u\n", r[0]);
}

/* ---- Windows ---- */

/* Maps a window at its own address, by pages of 4 KiB from TLB entry *entry on. */
static void *map_window(int node, u32 *entry, u32 *bytes) {
  u64 base = 0, size = 0;
  fdt_reg(node, 0, &base, &size);
  *bytes = (u32)size;
  for (u32 at = (u32)base; at < (u32)(base + size) && *entry < TLB_FIRST_FIXED; at += 4096) {
    struct tlb_entry page = {0, {at | TLB_VALID | TLB_4K, at, TLB_SW | TLB_SR}};
    tlb_write((*entry)++, &page);
  }
  return (void *)(u32)base;
}

static bool find_windows(void) {
  u32 entry = 0, bytes;
  for (int node = FDT_NONE; (node = fdt_compatible(node, "hv440,shared-memory-window")) != FDT_NONE;) {
    const char *label = fdt_text(node, "label");
    u32 length;
    bool read_only = fdt_property(node, "read-only", &length) != 0;
    void *memory = map_window(node, &entry, &bytes);
    printf("%s: %u KiB at %08x%s\n", label ? label : "?", bytes >> 10, (u32)memory, read_only ? ", only read" : "");
    if (label && strcmp(label, "ring") == 0) {
      ring = memory;
      producer = !read_only;
      for (room = 1; room * 2 <= bytes - sizeof(struct ring);) room *= 2;
    }
    if (label && strcmp(label, "progress") == 0) progress = memory;
  }
  return ring && progress;
}

/* ---- Waiting ---- */

static u32 waiting(void) { return ring->written - progress->read; }
static bool has_room(void) { return room - waiting() >= MOST + 1; }
static bool has_news(void) { return waiting() > 0 || ring->closed; }

/* What the producer waits for at its console. */
static int typed;
static bool was_typed(void) { return (typed = console_get()) >= 0; }

/* Waits until something holds. Whenever it may have begun to there is an interrupt; they are off while it looks. */
static void wait_until(bool (*holds)(void)) {
  for (;;) {
    mtmsr(MSR_ME);
    if (holds()) break;
    mtmsr(MSR_ME | MSR_EE | MSR_WE);
  }
  mtmsr(MSR_ME | MSR_EE);
}

/* ---- The producer ---- */

/* A length and so many bytes; the count comes last, so that the other end never sees half of it. */
static void send(const char *text) {
  u32 length = strlen(text), at = ring->written;
  wait_until(has_room);
  ring->bytes[at++ & (room - 1)] = (u8)length;
  for (u32 i = 0; i < length; i++) ring->bytes[at++ & (room - 1)] = (u8)text[i];
  eieio();
  ring->written = at;
  ring_bell();
}

/* Each line that is typed, until an empty one. */
static void send_typed(void) {
  char line[MOST];
  console_listen();
  for (size_t length = 0;;) {
    wait_until(was_typed);
    if (typed != '\r' && typed != '\n') {
      if (length + 1 < sizeof line) line[length++] = (char)typed;
      continue;
    }
    if (length == 0) return;
    line[length] = 0;
    length = 0;
    printf("sent: %s\n", line);
    send(line);
  }
}

static void produce(void) {
  u32 count = MESSAGES;
  char text[MOST];
  if (boot_argument("messages", text, sizeof text)) parse_number(text, &count);
  for (u32 i = 0; i < count; i++) {
    format_into(text, sizeof text, "message %u of %u", i + 1, count);
    send(text);
  }
  printf("%u messages sent\n", count);
  if (boot_flag("typed")) send_typed();
  ring->closed = 1;
  ring_bell();
}

/* ---- The consumer ---- */

static bool machine_check(struct trap_frame *frame) {
  checks++;
  mtspr(SPR_MCSR, 0xffffffff);
  frame->pc += 4;
  return true;
}

/* Tries to do what it may not. */
static void vandalise(void) {
  trap_handle(VECTOR_MACHINE_CHECK, machine_check);
  __asm__ volatile("stw %0,0(%1); msync" : : "r"(1), "b"(ring->spare) : "memory");
  printf("a store to the ring: %s, %s\n", checks == 1 ? "a machine check" : "no machine check",
         ring->spare[0] == 0 ? "and nothing is changed" : "and it is changed");
  if (checks != 1 || ring->spare[0] != 0) guest_exit(1);
}

/* Takes out the next message; false where the producer has none any more. */
static bool receive(char *text) {
  wait_until(has_news);
  u32 at = progress->read;
  if (at == ring->written) return false;
  u32 length = ring->bytes[at++ & (room - 1)] % MOST;
  for (u32 i = 0; i < length; i++) text[i] = (char)ring->bytes[at++ & (room - 1)];
  text[length] = 0;
  eieio();
  u32 free = room - waiting(), freed = at - progress->read;
  progress->read = at;
  if (free < room / 2 && free + freed >= room / 2) ring_bell(); /* who waits for room wants a good deal of it */
  return true;
}

/* The messages that are numbered come in their order and whole; all others are printed. */
static void consume(void) {
  char text[MOST], expected[MOST];
  u32 numbered = 0;
  vandalise();
  while (receive(text)) {
    const char *total = strstr(text, " of ");
    format_into(expected, sizeof expected, "message %u%s", numbered + 1, total ? total : "");
    if (total && strcmp(text, expected) == 0) numbered++;
    else printf("received: %s\n", text);
  }
  printf("%u messages received in their order, %u bytes\n", numbered, progress->read);
}

void guest_main(void) {
  int line = -1, node = fdt_compatible(FDT_NONE, "epapr,hv-receive-doorbell");
  bell = fdt_compatible(FDT_NONE, "epapr,hv-send-doorbell");
  if (!find_windows() || node == FDT_NONE || bell == FDT_NONE || (line = interrupt_of(node, 0)) < 0) {
    printf("two windows and two doorbells are needed: devicetrees/shared-memory.dts\n");
    guest_exit(2);
  }
  interrupt_handle((u32)line, was_rung);
  mtmsr(MSR_ME | MSR_EE);
  if (producer) produce();
  else consume();
}
