/* A hostile guest: tries everything that might reach beyond its own partition, recovers from what it gets for it, and
 * prints what it could do. On a machine of its own nothing keeps it in, so there it finds much: that shows that it looks.
 *
 * It does not end itself by what it may rightly do: no reset, no write over its own image, no call on its partition. */
#include "console.h"
#include "interrupts.h"
#include "machine.h"
#include "string.h"
#include "tlb.h"
#include "trap.h"

#define CODE 0x80000000   /* generated code, for user and supervisor */
#define TARGET 0x81000000 /* the page that is aimed at something */
#define RANDOM 0x20000000 /* 16 MiB each for the random TLB entries */
#define CODE_ENTRY 0
#define TARGET_ENTRY 1
#define RANDOM_ENTRY 2
#define RANDOM_ENTRIES (TLB_FIRST_FIXED - RANDOM_ENTRY)
#define ALL_ACCESS (TLB_UX | TLB_UW | TLB_UR | TLB_SX | TLB_SW | TLB_SR)
#define USER (MSR_PR | MSR_ME)
#define SUPERVISOR MSR_ME
#define ESCAPE_TICKS 20000 /* after so long a decrementer interrupt ends an attempt that runs on, */
#define ESCAPES 3          /* and each time that it came too early, after four times as long */
#define SC 0x44000002
#define NOP 0x60000000

static u32 code[1024] __attribute__((aligned(4096)));
static u32 reached, others, seed; /* addresses outside the partition that answered; other things that must not be */
static struct trap_frame last;

/* ---- Small tools ---- */

static u32 random(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed;
}

/* Counts and prints what was found, up to sixteen lines of each kind. */
static void found(u32 *kind, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void found(u32 *kind, const char *format, ...) {
  char text[120];
  va_list arguments;
  if (++*kind > 16) return;
  va_start(arguments, format);
  vformat_into(text, sizeof text, format, arguments);
  va_end(arguments);
  printf("FAIL rogue: %s\n", *kind == 16 ? "and more" : text);
}

/* Physical ranges the tree gives: memory, and every device's registers. */
static struct {
  u64 base, end;
} owned[64];
static u32 owned_count;

static u32 own_handles[32], handle_count; /* of its own byte channels and whatever else its tree has */

static void read_owned(void) {
  for (int node = fdt_next(FDT_ROOT); node != FDT_NONE; node = fdt_next(node))
    for (u32 i = 0; owned_count < COUNT(owned); i++, owned_count++) {
      u64 size;
      if (!fdt_reg(node, i, &owned[owned_count].base, &size)) break;
      owned[owned_count].end = owned[owned_count].base + size;
    }
  for (int node = FDT_ROOT; node != FDT_NONE && handle_count < COUNT(own_handles); node = fdt_next(node))
    if (fdt_property(node, "hv-handle", 0)) own_handles[handle_count++] = fdt_cell(node, "hv-handle", 0, 0);
}

static bool overlaps_owned(u64 from, u64 to) {
  for (u32 i = 0; i < owned_count; i++)
    if (from < owned[i].end && owned[i].base < to) return true;
  return false;
}

/* Clears a machine check's status, or it would come again as soon as MSR[ME] is set. */
static bool clear_machine_check(struct trap_frame *frame) {
  (void)frame;
  mtspr(SPR_MCSR, mfspr(SPR_MCSR));
  return false;
}

/* Debug events go on in the handler of what ended an attempt, because interrupts of the base class leave MSR[DE] set: there
 * they are switched off and passed over. In an attempt they end it. */
static bool end_debugging(struct trap_frame *frame) {
  mtspr(SPR_DBCR0, 0);
  mtspr(SPR_DBSR, 0xffffffff);
  frame->msr &= ~(u32)MSR_DE;
  return frame->pc < (u32)image_end;
}

/* An interrupt from outside: it says nothing about the instruction that it came before. */
static bool asynchronous(void) {
  return last.vector == VECTOR_CRITICAL_INPUT || last.vector == VECTOR_EXTERNAL_INPUT ||
         last.vector == VECTOR_DECREMENTER || last.vector == VECTOR_FIXED_INTERVAL || last.vector == VECTOR_WATCHDOG;
}

/* Runs the machine of `start` until something traps. With MSR[EE] set a decrementer interrupt ends it at last. Where an
 * interrupt comes before the first instruction, because others had the processor meanwhile, nothing was executed: it is run
 * again, with more time. What is still there after the last time does run, as a branch to itself. Feeds the watchdog, whose
 * reset no register can take back once it is enabled. */
static void attempt(const struct trap_frame *start) {
  u32 ticks = ESCAPE_TICKS;
  for (u32 i = 0; i < ESCAPES; i++, ticks *= 4) {
    last = *start;
    if (start->msr & MSR_EE) { /* an old interrupt must not end a new attempt, and the new one must not be lost */
      mtspr(SPR_DEC, 0x7fffffff);
      mtspr(SPR_TSR, 0xfc000000);
      mtspr(SPR_DEC, ticks);
    }
    probe(&last);
    mtspr(SPR_TSR, 0xfc000000);
    if (!asynchronous() || last.pc != start->pc || (start->msr & MSR_WE)) return;
  }
}

/* Runs from an address until something traps. */
static void run_at(u32 pc, u32 msr, u32 r4, u32 r5) {
  static struct trap_frame start; /* all other registers are 0 */
  start.pc = pc;
  start.msr = msr;
  start.gpr[1] = 0xfffffff0;
  start.gpr[4] = r4;
  start.gpr[5] = r5;
  attempt(&start);
}

static void run(const u32 *words, u32 count, u32 msr, u32 r4, u32 r5) {
  memcpy(code, words, count * 4);
  code[count] = SC;
  code_written(code, (count + 1) * 4);
  run_at(CODE, msr, r4, r5);
}

/* Whether all of the words were executed: the sc after them too, or an interrupt came before it. */
static bool completed(u32 count) {
  if (last.vector == VECTOR_SYSTEM_CALL) return last.pc == CODE + 4 * (count + 1);
  return asynchronous() && last.pc == CODE + 4 * count;
}

static bool run_word(u32 word, u32 msr, u32 r4, u32 r5) {
  run(&word, 1, msr, r4, r5);
  return completed(1);
}

static void aim(u64 physical, u32 attributes) {
  struct tlb_entry entry = {0,
                            {TARGET | TLB_VALID | TLB_4K, ((u32)physical & ~0xfffu) | ((u32)(physical >> 32) & 0xf),
                             attributes}};
  tlb_write(TARGET_ENTRY, &entry);
}

/* ---- Privileged instructions ---- */

static u32 spr_field(u32 number) { return (number & 0x1f) << 16 | (number >> 5 & 0x1f) << 11; }

static const struct {
  u32 word;
  bool moves_on; /* in supervisor state control does not come back to the next instruction */
} privileged[] = {
  {0x7c800124, false},                  /* mtmsr r4 */
  {0x7c6000a6, false},                  /* mfmsr r3 */
  {0x7c800106, false},                  /* wrtee r4 */
  {0x7c000146, false},                  /* wrteei 0 */
  {0x7c008146, false},                  /* wrteei 1 */
  {0x4c000064, true},                   /* rfi */
  {0x4c000066, true},                   /* rfci */
  {0x4c00004c, true},                   /* rfmci */
  {0x4c00004e, true},                   /* rfdi */
  {0x7c8507a4, false},                  /* tlbwe r4,r5,0 */
  {0x7c850fa4, false},                  /* tlbwe r4,r5,1 */
  {0x7c8517a4, false},                  /* tlbwe r4,r5,2 */
  {0x7c650764, false},                  /* tlbre r3,r5,0 */
  {0x7c602f24, false},                  /* tlbsx r3,0,r5 */
  {0x7c00046c, false},                  /* tlbsync */
  {0x7c002bac, false},                  /* dcbi 0,r5 */
  {0x7c00038c, false},                  /* dccci */
  {0x7c00078c, false},                  /* iccci */
  {0x7c602bcc, false},                  /* dcread r3,0,r5 */
  {0x7c002fcc, false},                  /* icread 0,r5 */
  {0x7c002e24, false},                  /* tlbivax 0,r5 */
};

static void attack_privileged(void) {
  u32 tried = 0, trapped = 0;
  for (u32 i = 0; i < COUNT(privileged); i++) {
    tried++;
    if (!run_word(privileged[i].word, USER, random(), TARGET)) trapped++;
    else found(&others, "user state executed %08x", privileged[i].word);
    tried++;
    u32 r4 = random(), r5 = TARGET;
    if ((privileged[i].word & 0xfc0007fe) == 0x7c0007a4) r5 = TARGET_ENTRY, r4 &= 0x80ffffff & ~(u32)TLB_VALID;
    if (privileged[i].word == 0x7c800124) r4 = (r4 | MSR_EE | MSR_ME) & ~MSR_DE;
    if (privileged[i].moves_on) {
      mtspr(SPR_CSRR0, TARGET + 0x100000); /* nowhere, as user */
      mtspr(SPR_CSRR1, USER | MSR_EE);
      mtspr(570, TARGET + 0x100000);
      mtspr(571, USER | MSR_EE);
    }
    if (!run_word(privileged[i].word, SUPERVISOR | MSR_EE, r4, r5)) trapped++;
  }
  for (u32 word = 0; word < 2048; word++) { /* opcode 31 in user state, all extended opcodes */
    tried++;
    if (!run_word(0x7c852800 | word, USER | MSR_EE, TARGET, TARGET)) trapped++;
  }
  printf("rogue: %u privileged and opcode 31 instructions tried, %u trapped\n", tried, trapped);
}

/* ---- Special purpose registers ---- */

static bool user_may_read(u32 spr) {
  return spr == SPR_XER || spr == SPR_LR || spr == SPR_CTR || spr == SPR_USPRG0 || (spr >= 260 && spr <= 263) ||
         spr == SPR_TBL_READ || spr == SPR_TBU_READ;
}

static u32 hostile_value(u32 spr) {
  u32 value = random() & 1 ? random() : 0xffffffff;
  if (spr == SPR_DBCR0) return value & ~(0x80000000u | DBCR0_RST_SYSTEM); /* neither a reset nor a halt for a probe */
  if (spr == SPR_TCR) return (value | TCR_WP_2_33) & ~(u32)TCR_DIE;       /* a reset may come, but not soon */
  return value;
}

static void attack_sprs(void) {
  u32 tried = 0, trapped = 0, kept = 0;
  for (u32 spr = 0; spr < 1024; spr++) {
    u32 read = 0x7c6002a6 | spr_field(spr), write = 0x7c8003a6 | spr_field(spr); /* mfspr r3, mtspr r4 */
    tried += 4;
    if (!run_word(read, USER, 0, 0)) trapped++;
    else if (!user_may_read(spr)) found(&others, "user state read SPR %u", spr);
    if (!run_word(write, USER, random(), 0)) trapped++;
    else if (!user_may_read(spr) || spr >= 260) found(&others, "user state wrote SPR %u", spr);
    /* Supervisor: r6 keeps the old value, r7 is what is there after writing. */
    u32 words[] = {0x7cc002a6 | spr_field(spr), write, 0x7ce002a6 | spr_field(spr), 0x7cc003a6 | spr_field(spr)};
    u32 value = hostile_value(spr);
    run(words, COUNT(words), SUPERVISOR, value, 0);
    if (completed(COUNT(words))) {
      kept += last.gpr[7] == value;
      continue;
    }
    trapped++;
    if (last.pc == CODE && !run_word(write, SUPERVISOR, value, 0)) trapped++;
  }
  mtspr(SPR_TCR, TCR_WP_2_33 | TCR_DIE);
  printf("rogue: %u moves of 1024 SPRs tried, %u trapped, %u kept a hostile value\n", tried, trapped, kept);
}

/* ---- Device control registers ---- */

static bool own_dcr[1024]; /* what some node's dcr-reg has */

static void read_own_dcrs(void) {
  for (int node = FDT_ROOT; node != FDT_NONE; node = fdt_next(node)) {
    u32 first = fdt_cell(node, "dcr-reg", 0, 0), count = fdt_cell(node, "dcr-reg", 1, 0);
    for (u32 dcr = first; dcr - first < count && dcr < COUNT(own_dcr); dcr++) own_dcr[dcr] = true;
  }
}

static void attack_dcrs(void) {
  u32 tried = 0, trapped = 0, answered = 0;
  for (u32 dcr = 0; dcr < 1024; dcr++) {
    u32 read = 0x7c600286 | spr_field(dcr), write = 0x7c800386 | spr_field(dcr); /* mfdcr r3, mtdcr r4 */
    tried += 4;
    if (run_word(read, USER, 0, 0)) found(&others, "user state read DCR %03x", dcr);
    else trapped++;
    if (run_word(write, USER, 0, 0)) found(&others, "user state wrote DCR %03x", dcr);
    else trapped++;
    if (!run_word(read, SUPERVISOR, 0, 0)) trapped++;
    else if (!own_dcr[dcr]) {
      answered++;
      if (last.gpr[3]) found(&others, "DCR %03x is readable: %08x", dcr, last.gpr[3]);
    }
    /* A machine of its own would lose its memory by hostile values; there only what was read goes back. */
    if (!run_word(write, SUPERVISOR, machine.hypercall[0] ? random() : last.gpr[3], 0)) trapped++;
  }
  interrupts_start();
  printf("rogue: %u moves of 1024 DCRs tried, %u trapped, %u not its own answered\n", tried, trapped, answered);
}

/* ---- Physical addresses ---- */

static u32 accesses, denied;

/* Whether the access by the first instruction at CODE ended as it must where nothing is. A machine check may come late. */
static bool access_denied(void) {
  bool storage = last.vector == VECTOR_DATA_STORAGE || last.vector == VECTOR_DATA_TLB;
  return last.vector == VECTOR_MACHINE_CHECK || (storage && last.pc == CODE);
}

/* The same for fetching an instruction: anything else comes of executing it, or of what it led to. */
static bool fetch_denied(u32 target) {
  return last.pc == target && (last.vector == VECTOR_MACHINE_CHECK || last.vector == VECTOR_INSTRUCTION_STORAGE ||
                               last.vector == VECTOR_INSTRUCTION_TLB);
}

static void touch(u64 physical) {
  static const u32 load[] = {0x80650000, 0x7c0004ac}, store[] = {0x90850000, 0x7c0004ac}; /* lwz/stw, msync */
  if (physical >> 36 || overlaps_owned(physical & ~3ull, (physical & ~3ull) + 4)) return;
  u32 address = TARGET + ((u32)physical & 0xffc), msr = random() & 1 ? USER : SUPERVISOR;
  aim(physical, ALL_ACCESS | (random() & 0xff80)); /* all attributes, little-endian too */
  run(load, COUNT(load), msr, 0, address);
  accesses++;
  if (access_denied()) denied++;
  else found(&reached, "read %09llx: %08x", (unsigned long long)physical, last.gpr[3]);
  run(store, COUNT(store), msr, random(), address);
  accesses++;
  if (access_denied()) denied++;
  else found(&reached, "wrote %09llx", (unsigned long long)physical);
}

static void attack_memory(void) {
  accesses = denied = 0;
  for (u32 i = 0; i < owned_count; i++) { /* just outside of what it has */
    touch(owned[i].base - 4);
    touch(owned[i].end);
    touch((owned[i].end + 0xfff) & ~0xfffull);
    for (u32 at = 0; owned[i].end - owned[i].base < 4096 && at < 4096; at += 0x80)
      touch((owned[i].base & ~0xfffull) + at + (random() & 0x7c)); /* other devices in the same page */
  }
  for (u32 i = 0; i < 4096; i++) touch(((u64)i << 20) + (random() & 0xffffc));
  for (u32 bank = 1; bank < 16; bank++)
    for (u32 i = 0; i < 256; i++) touch(((u64)bank << 32) + ((u64)i << 24) + (random() & 0xfffffc));
  printf("rogue: %u accesses to %u addresses not its own, %u trapped\n", accesses, accesses / 2, denied);
}

/* ---- Jumps ---- */

static void attack_jumps(void) {
  u32 tried = 0, trapped = 0;
  for (u32 i = 0; i < 512; i++) {
    u64 physical = ((u64)(i & 1 ? random() & 15 : 0) << 32) | (random() & ~3u);
    u32 msr = (i & 2 ? USER : SUPERVISOR) | MSR_EE;
    if (overlaps_owned(physical & ~0xfffull, (physical & ~0xfffull) + 4096)) continue;
    aim(physical, ALL_ACCESS | TLB_I | TLB_G);
    u32 target = TARGET + ((u32)physical & 0xffc), unmapped = 0xa0000000 | (random() & 0x1ffffffc);
    tried++;
    run_at(target, msr, 0, 0);
    if (fetch_denied(target)) trapped++;
    else found(&reached, "executed at %09llx", (unsigned long long)physical);
    tried++;
    run_at(unmapped, msr, 0, 0);
    if (fetch_denied(unmapped)) trapped++;
    else found(&reached, "executed at unmapped %08x", unmapped);
  }
  printf("rogue: %u jumps tried, %u trapped\n", tried, trapped);
}

/* ---- TLB entries at random, for every process id ---- */

static u64 random_physical(void) {
  u64 physical = ((u64)(random() & 15) << 32) | (random() & ~0x3ffu);
  const u32 pick = random() % (owned_count ? owned_count : 1);
  if ((random() & 3) == 0) physical = owned[pick].end & ~0x3ffull;
  else if ((random() & 3) == 0) physical &= 0xfffffc00;
  return physical;
}

static struct tlb_entry entries[RANDOM_ENTRIES]; /* what was written, to judge what is found through it */

/* Bytes of a page by its size code; two of the codes are reserved. */
static u64 page_bytes(const struct tlb_entry *entry) { return 1024ull << (2 * (entry->word[0] >> 4 & 15)); }

/* Whether some entry may lead this address of a process and address space to what the partition has. Entries overlap. */
static bool may_be_own(u32 address, u32 pid, u32 space) {
  for (u32 i = 0; i < RANDOM_ENTRIES; i++) {
    u32 offset = (u32)page_bytes(&entries[i]) - 1;
    u64 target = ((u64)(entries[i].word[1] & 15) << 32) | (entries[i].word[1] & ~0x3ffu & ~offset) | (address & offset);
    if (((entries[i].word[0] ^ address) & ~0x3ffu & ~offset) || (entries[i].word[0] & TLB_TS) != space) continue;
    if ((entries[i].tid == 0 || entries[i].tid == pid) && overlaps_owned(target, target + 4)) return true;
  }
  return false;
}

static void write_random_entries(u32 pid) {
  for (u32 i = 0; i < RANDOM_ENTRIES; i++) {
    u64 physical = random_physical();
    u32 tid = (pid + (random() & 3)) & 0xff, size = random() % 10;
    struct tlb_entry entry = {tid,
                              {(RANDOM + (i << 24)) | (random() & (TLB_TS | 0x0f)) | TLB_VALID | size << 4,
                               ((u32)physical & ~0x3ffu) | (u32)(physical >> 32), random()}};
    entries[i] = entry;
    tlb_write(RANDOM_ENTRY + i, &entry);
  }
}

static void attack_tlb(void) {
  static const u32 load[] = {0x80650000, 0x7c0004ac}, store[] = {0x90850000, 0x7c0004ac};
  u32 written = 0, touched = 0, own = 0;
  for (u32 pid = 0; pid < 256; pid += 4) {
    write_random_entries(pid);
    written += RANDOM_ENTRIES;
    for (u32 i = 0; i < RANDOM_ENTRIES; i++) {
      u32 offset = (u32)page_bytes(&entries[i]) - 1, space = entries[i].word[0] & TLB_TS, tid = entries[i].tid;
      u32 address = ((RANDOM + (i << 24)) & ~offset) | (random() & offset & ~3u);
      u32 msr = (random() & 1 ? USER : SUPERVISOR) | (space ? MSR_DS : 0);
      bool expected = may_be_own(address, tid, space);
      mtspr(SPR_PID, tid);
      run(load, COUNT(load), msr, 0, address);
      bool answered = !access_denied();
      u32 value = last.gpr[3];
      if (!expected) run(store, COUNT(store), msr, random(), address);
      answered |= !expected && !access_denied();
      mtspr(SPR_PID, 0);
      touched++;
      own += expected && answered;
      if (!expected && answered)
        found(&reached, "through entry %08x %08x: %08x", entries[i].word[0], entries[i].word[1], value);
    }
  }
  for (u32 i = 0; i < RANDOM_ENTRIES; i++) tlb_invalidate(RANDOM_ENTRY + i);
  printf("rogue: %u TLB entries written, %u addresses tried through them, %u met its own memory\n", written, touched, own);
}

/* ---- MSR, watchdog, debug ---- */

static void attack_state(void) {
  static const u32 set_msr[] = {0x7c800124, NOP, NOP};                                              /* mtmsr r4 */
  static const u32 set_debug[] = {0x7c8003a6 | 0x14 << 16 | 9 << 11, 0x7ca00124, NOP, NOP}; /* DBCR0 = r4, mtmsr r5 */
  u32 tried = 0, survived = 0;
  mtspr(SPR_TCR, TCR_WIE | TCR_WP_2_33 | TCR_DIE | TCR_FIE);
  for (u32 bit = 0; bit <= 32; bit++) { /* each bit alone, then all; a wait must stay one that ends */
    u32 value = bit < 32 ? 1u << bit : 0xffffffff;
    tried += 2;
    run(set_msr, COUNT(set_msr), SUPERVISOR | MSR_EE, value | MSR_EE | MSR_ME, 0);
    survived++;
    run_at(CODE, SUPERVISOR | (value & ~(u32)MSR_DE) | MSR_EE, SUPERVISOR | MSR_EE, 0);
    survived++;
  }
  for (u32 i = 0; i < 64; i++) { /* every debug event, with debug interrupts on */
    tried++;
    run(set_debug, COUNT(set_debug), SUPERVISOR | MSR_EE, hostile_value(SPR_DBCR0) | 0x40000000,
        SUPERVISOR | MSR_EE | MSR_DE);
    mtspr(SPR_DBCR0, 0);
    mtspr(SPR_DBSR, 0xffffffff);
    survived++;
  }
  mtspr(SPR_TCR, TCR_WP_2_33 | TCR_DIE);
  printf("rogue: %u settings of MSR, watchdog and debug events tried, %u survived\n", tried, survived);
}

/* ---- Hypercalls ---- */

enum { ev_idle = 16, statuses = 14 };

static bool own_handle(u32 handle) {
  for (u32 i = 0; i < handle_count; i++)
    if (own_handles[i] == handle) return true;
  return false;
}

static u32 hostile_argument(void) {
  static const u32 interesting[] = {0,  1,  2,  3,          4,          8,          15,
                                    16, 17, 0x7fffffff, 0x80000000, 0xfffffffe, 0xfffff000, 0xef600300};
  return random() & 1 ? interesting[random() % COUNT(interesting)] : random();
}

static void hostile_call(u32 token, u32 registers[8]) {
  static struct trap_frame start;
  code[0] = SC | 0x20; /* LEV 1, which works whatever hcall-instructions say */
  code[1] = SC;
  code_written(code, 8);
  for (u32 i = 0; i < 32; i++) start.gpr[i] = 0x10101010 * (i & 15) + i;
  for (u32 i = 0; i < 8; i++) start.gpr[3 + i] = registers[i];
  start.gpr[11] = token;
  start.pc = CODE;
  start.msr = SUPERVISOR | MSR_EE;
  attempt(&start);
}

static void attack_hypercalls(void) {
  static const u32 vendors[] = {0, 1, 2, 3, 4, 5, 6, 7, 42, 0x7fff, 0x8000, 0x8001, 0xffff};
  u32 tried = 0, refused = 0;
  if (!machine.hypercall[0]) {
    printf("rogue: no hypervisor here, no hypercalls tried\n");
    return;
  }
  for (u32 v = 0; v < COUNT(vendors); v++)
    for (u32 number = 0; number <= 40; number++)
      for (u32 round = 0; round < 16; round++) {
        u32 arguments[8];
        for (u32 i = 0; i < 8; i++) arguments[i] = hostile_argument();
        while (own_handle(arguments[0]) || arguments[0] == 0xffffffff) arguments[0] = random() | 0x1000;
        hostile_call(vendors[v] << 16 | number, arguments);
        tried++;
        if (!completed(1)) {
          refused++;
          continue;
        }
        for (u32 i = 14; i < 32; i++)
          if (last.gpr[i] != 0x10101010 * (i & 15) + i)
            found(&others, "hypercall %x:%u changed r%u", vendors[v], number, i);
        refused += last.gpr[3] != 0;
        if (last.gpr[3] >= statuses)
          found(&others, "hypercall %x:%u answered status %08x", vendors[v], number, last.gpr[3]);
        bool byte_channel = (vendors[v] & 0x7fff) <= 1 && number >= 1 && number <= 3;
        if (byte_channel && last.gpr[3] == 0)
          found(&others, "hypercall %u took handle %08x of another", number, arguments[0]);
      }
  printf("rogue: %u hypercalls tried, %u refused\n", tried, refused);
}

/* ---- The attack ---- */

static u32 checksum(void) {
  extern char bss_start[];
  u32 sum = 0;
  for (const u32 *word = (const u32 *)image_start; word < (const u32 *)bss_start; word++)
    sum = (sum << 1 | sum >> 31) + *word;
  return sum;
}

static void attack(void) {
  struct tlb_entry entry = {0, {CODE | TLB_VALID | TLB_4K, (u32)code, TLB_UX | TLB_UR | TLB_SX | TLB_SR}};
  tlb_write(CODE_ENTRY, &entry);
  mtspr(SPR_TCR, TCR_WP_2_33 | TCR_DIE);
  attack_privileged();
  attack_sprs();
  attack_dcrs();
  attack_memory();
  attack_jumps();
  attack_tlb();
  attack_state();
  attack_hypercalls();
}

void guest_main(void) {
  printf("hv440 rogue\n");
  trap_handle(VECTOR_MACHINE_CHECK, clear_machine_check);
  trap_handle(VECTOR_DEBUG, end_debugging);
  read_owned();
  read_own_dcrs();
  u32 round = 0;
  do {
    seed = 0x2545f491 + round++ * 0x9e3779b9;
    reached = others = 0;
    u32 before = checksum();
    attack();
    if (checksum() != before) found(&others, "its own image changed");
    printf("rogue: %u other ways out\n", others);
    printf("rogue: reached %u addresses outside its partition\n", reached);
  } while (boot_flag("forever"));
  guest_exit(reached || others ? 1 : 0);
}
