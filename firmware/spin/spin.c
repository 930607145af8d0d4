/* Never yields: counts in a register and in memory, with every interrupt masked, and is not a branch to itself. */
#include "console.h"
#include "machine.h"

volatile u32 spins;

void guest_main(void) {
  printf("spin\n");
  console_flush();
  mtmsr(0);
  for (u32 count = 1;; count++) spins = count;
}
