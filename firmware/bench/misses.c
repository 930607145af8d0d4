/* More pages than the TLB has entries, visited in a scattered order: a data TLB error and a refill by the guest for most
 * visits, as in a kernel with a large working set. */
#include "bench.h"
#include "tlb.h"
#include "trap.h"

#define WINDOW 0x50000000
#define PAGES 128
#define ENTRIES 32 /* of the TLB, from entry 0 on */
#define VISITS 16  /* words of a page before the next */

static u32 frames[PAGES][1024] __attribute__((aligned(4096)));
static u32 refills;

static bool refill(struct trap_frame *frame) {
  u32 page = (frame->dear - WINDOW) >> 12;
  if (page >= PAGES) return false;
  u32 frame_number = page * 37 % PAGES; /* pages that follow each other do not in memory */
  struct tlb_entry entry = {
    0, {(frame->dear & 0xfffff000) | TLB_VALID | TLB_4K, (u32)frames[frame_number], TLB_SW | TLB_SR}};
  tlb_write(refills++ % ENTRIES, &entry);
  return true;
}

u32 bench_misses(u32 rounds) {
  u32 random = 3, sum = 0;
  for (u32 i = 0; i < PAGES; i++)
    for (u32 j = 0; j < 1024; j++) frames[i][j] = next_random(&random);
  trap_handle(VECTOR_DATA_TLB, refill);
  while (rounds--)
    for (u32 i = 0; i < PAGES; i++) {
      u32 page = (i * 45 + rounds) % PAGES;
      volatile u32 *at = (volatile u32 *)(WINDOW + page * 4096);
      for (u32 j = 0; j < VISITS; j++) sum = mixed(sum, at[j * 61]);
      at[i] = sum;
    }
  for (u32 i = 0; i < ENTRIES; i++) tlb_invalidate(i);
  return mixed(sum, refills);
}
