#include "interrupts.h"
#include "fdt.h"
#include "machine.h"
#include "trap.h"

static u32 first_dcr;
static interrupt_handler *handlers[32];

u32 uic_read(enum uic reg) { return dcr_read(first_dcr + reg); }

void uic_write(enum uic reg, u32 value) { dcr_write(first_dcr + reg, value); }

/* Serves every enabled input; its status bit is cleared after the device is quiet, as level inputs need it. */
static bool external_input(struct trap_frame *frame) {
  u32 pending = uic_read(UIC_MSR);
  for (u32 line = 0; line < 32; line++) {
    if (!(pending & UIC_BIT(line))) continue;
    if (!handlers[line]) return false;
    handlers[line]();
    uic_write(UIC_SR, UIC_BIT(line));
  }
  frame->msr &= ~MSR_WE; /* what waited goes on */
  return true;
}

void interrupts_start(void) {
  first_dcr = fdt_cell(fdt_compatible(FDT_NONE, "ibm,uic"), "dcr-reg", 0, 0xc0);
  uic_write(UIC_ER, 0);
  uic_write(UIC_CR, 0);
  uic_write(UIC_SR, 0xffffffff);
  trap_handle(VECTOR_EXTERNAL_INPUT, external_input);
}

int interrupt_of(int node, u32 index) {
  if (fdt_cell(fdt_interrupt_parent(node), "dcr-reg", 0, 0) != first_dcr) return -1;
  u32 line = fdt_cell(node, "interrupts", 2 * index, 32), type = fdt_cell(node, "interrupts", 2 * index + 1, 4);
  if (line > 31) return -1;
  /* Types: 1 rising edge, 2 falling edge, 4 level high, 8 level low. */
  u32 bit = UIC_BIT(line), high = type & 5 ? bit : 0, edge = type & 3 ? bit : 0;
  uic_write(UIC_PR, (uic_read(UIC_PR) & ~bit) | high);
  uic_write(UIC_TR, (uic_read(UIC_TR) & ~bit) | edge);
  uic_write(UIC_SR, bit);
  return (int)line;
}

void interrupt_handle(u32 line, interrupt_handler *handler) {
  u32 enabled = uic_read(UIC_ER);
  handlers[line] = handler;
  uic_write(UIC_ER, handler ? enabled | UIC_BIT(line) : enabled & ~UIC_BIT(line));
}
