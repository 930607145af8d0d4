#include "machine.h"
#include "console.h"
#include "interrupts.h"
#include "string.h"
#include "tlb.h"

struct machine machine;

void guest_start(const void *tree, u32 magic, u32 mapping);

bool memory_range(u32 index, u64 *base, u64 *size) {
  for (int node = fdt_next(FDT_ROOT); node != FDT_NONE; node = fdt_next(node)) {
    const char *type = fdt_text(node, "device_type");
    if (!type || strcmp(type, "memory") != 0) continue;
    for (u32 entry = 0; fdt_reg(node, entry, base, size); entry++)
      if (*size && index-- == 0) return true;
  }
  return false;
}

/* The value behind `name=`, or the end of the word `name`, at the start of a word of the bootargs; null if not there. */
static const char *argument(const char *name) {
  size_t length = strlen(name);
  for (const char *at = machine.bootargs; *at; at++)
    if ((at == machine.bootargs || at[-1] == ' ') && strncmp(at, name, length) == 0) return at + length;
  return 0;
}

bool boot_argument(const char *name, char *value, size_t room) {
  const char *from = argument(name);
  if (!from || *from++ != '=') return false;
  size_t count = 0;
  while (from[count] && from[count] != ' ' && count + 1 < room) value[count] = from[count], count++;
  value[count] = 0;
  return true;
}

bool boot_flag(const char *word) {
  const char *end = argument(word);
  return end && (*end == 0 || *end == ' ');
}

static const char *choose_name(void) {
  static char from_bootargs[64];
  const char *label = fdt_text(FDT_ROOT, "label"), *model = fdt_text(FDT_ROOT, "model");
  if (label) return label;
  if (boot_argument("name", from_bootargs, sizeof from_bootargs)) return from_bootargs;
  return model ? model : "nobody";
}

static void read_tree(void) {
  u64 base, size;
  for (u32 i = 0; memory_range(i, &base, &size); i++) machine.memory += size;
  int cpu = fdt_find("/cpus/cpu");
  machine.timebase = fdt_cell(cpu, "timebase-frequency", 0, 400000000);
  const char *bootargs = fdt_text(fdt_find("/chosen"), "bootargs");
  machine.bootargs = bootargs ? bootargs : "";
  machine.name = choose_name();
  for (u32 i = 0; i < COUNT(machine.hypercall); i++)
    machine.hypercall[i] = fdt_cell(fdt_find("/hypervisor"), "hcall-instructions", i, i == 0 ? 0 : 0x60000000);
}

void guest_start(const void *tree, u32 magic, u32 mapping) {
  machine.tree = tree;
  machine.epapr = magic == 0x45504150;
  machine.initial_mapping = machine.epapr ? mapping : 0;
  if (!fdt_open(tree)) guest_exit(254); /* nobody to tell */
  read_tree();
  tlb_map_memory();
  interrupts_start();
  console_start();
  mtmsr(MSR_ME);
  guest_main();
  guest_exit(0);
}

void guest_exit(u32 status) {
  mtmsr(0);
  console_flush();
  u64 base, size;
  if (fdt_reg(fdt_compatible(FDT_NONE, "hv440,finisher"), 0, &base, &size)) {
    volatile u32 *finisher = (volatile u32 *)tlb_map_device(base);
    if (finisher) *finisher = status;
    eieio();
  }
  mtspr(SPR_DBCR0, DBCR0_RST_SYSTEM);
  for (;;) isync();
}

u64 timebase(void) {
  u32 high, low;
  do {
    high = mfspr(SPR_TBU_READ);
    low = mfspr(SPR_TBL_READ);
  } while (mfspr(SPR_TBU_READ) != high);
  return (u64)high << 32 | low;
}

void code_written(const void *start, size_t bytes) {
  u32 from = (u32)start & ~31u, to = (u32)start + bytes;
  for (u32 line = from; line < to; line += 32) __asm__ volatile("dcbst 0,%0" : : "r"(line) : "memory");
  __asm__ volatile("msync" : : : "memory");
  for (u32 line = from; line < to; line += 32) __asm__ volatile("icbi 0,%0" : : "r"(line) : "memory");
  __asm__ volatile("msync; isync" : : : "memory");
}

/* A two-instruction function for one DCR: the 440 has the number in the instruction only. Few are in use at a time. */
static void *dcr_code(u32 opcode, u32 number) {
  static u32 code[32][2];
  static u32 next;
  u32 word = opcode | (number & 0x1f) << 16 | (number >> 5 & 0x1f) << 11;
  for (u32 i = 0; i < COUNT(code); i++)
    if (code[i][0] == word) return code[i];
  u32 *slot = code[next++ % COUNT(code)];
  slot[0] = word;
  slot[1] = 0x4e800020; /* blr */
  code_written(slot, 8);
  return slot;
}

u32 dcr_read(u32 number) { return ((u32(*)(void))dcr_code(0x7c600286, number))(); } /* mfdcr r3,number */

void dcr_write(u32 number, u32 value) { ((void (*)(u32))dcr_code(0x7c600386, number))(value); } /* mtdcr number,r3 */

void hypercall(u32 token, u32 registers[8]) {
  static u32 code[5];
  if (code[0] != machine.hypercall[0]) {
    memcpy(code, machine.hypercall, sizeof machine.hypercall);
    code[4] = 0x4e800020; /* blr */
    code_written(code, sizeof code);
  }
  register u32 r3 __asm__("r3") = registers[0], r4 __asm__("r4") = registers[1], r5 __asm__("r5") = registers[2],
               r6 __asm__("r6") = registers[3], r7 __asm__("r7") = registers[4], r8 __asm__("r8") = registers[5],
               r9 __asm__("r9") = registers[6], r10 __asm__("r10") = registers[7], r11 __asm__("r11") = token;
  register void *r12 __asm__("r12") = code;
  __asm__ volatile("mtctr %8; bctrl"
                   : "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7), "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r12),
                     "+r"(r11)
                   :
                   : "r0", "cr0", "cr1", "cr5", "cr6", "cr7", "xer", "ctr", "lr", "memory");
  u32 out[8] = {r3, r4, r5, r6, r7, r8, r9, r10};
  memcpy(registers, out, sizeof out);
}
