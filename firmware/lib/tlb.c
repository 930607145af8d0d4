#include "tlb.h"
#include "machine.h"

#define RAM_ACCESS (TLB_SX | TLB_SW | TLB_SR)

static u32 next_fixed = 62; /* start.S made 63, and 62 where the tree lies elsewhere */
static u64 device_pages[4];
static u32 devices;

void tlb_write(u32 index, const struct tlb_entry *entry) {
  u32 mmucr = mfspr(SPR_MMUCR);
  mtspr(SPR_MMUCR, (mmucr & ~0xffu) | entry->tid);
  __asm__ volatile("tlbwe %1,%0,0; isync; tlbwe %2,%0,1; tlbwe %3,%0,2; tlbwe %4,%0,0; isync"
                   :
                   : "r"(index), "r"(0), "r"(entry->word[1]), "r"(entry->word[2]), "r"(entry->word[0])
                   : "memory");
  mtspr(SPR_MMUCR, mmucr);
}

struct tlb_entry tlb_read(u32 index) {
  struct tlb_entry entry;
  u32 mmucr = mfspr(SPR_MMUCR);
  __asm__ volatile("tlbre %0,%3,0; tlbre %1,%3,1; tlbre %2,%3,2"
                   : "=&r"(entry.word[0]), "=&r"(entry.word[1]), "=&r"(entry.word[2])
                   : "r"(index)
                   : "memory");
  entry.tid = mfspr(SPR_MMUCR) & 0xff; /* tlbre of word 0 leaves it there */
  mtspr(SPR_MMUCR, mmucr);
  return entry;
}

void tlb_invalidate(u32 index) {
  static const struct tlb_entry none;
  tlb_write(index, &none);
}

int tlb_search(u32 address, u32 space, u32 pid) {
  u32 index, cr, mmucr = mfspr(SPR_MMUCR);
  mtspr(SPR_MMUCR, (space ? MMUCR_STS : 0) | pid);
  __asm__ volatile("tlbsx. %0,0,%2; mfcr %1" : "=&r"(index), "=r"(cr) : "r"(address) : "cr0", "memory");
  mtspr(SPR_MMUCR, mmucr);
  return cr & 0x20000000 ? (int)index : -1;
}

static void map(u32 index, u32 address, u32 size_bits) {
  struct tlb_entry entry = {0, {address | TLB_VALID | size_bits, address, RAM_ACCESS}};
  tlb_write(index, &entry);
}

void tlb_map_memory(void) {
  static const struct {
    u32 bytes, bits;
  } sizes[] = {{256u << 20, TLB_256M}, {16u << 20, TLB_16M}, {1u << 20, TLB_1M}, {256u << 10, TLB_256K},
               {64u << 10, TLB_64K},   {16u << 10, TLB_16K}, {4u << 10, TLB_4K}};
  u64 base, size;
  if (tlb_search((u32)machine.tree, 0, 0) != 63) next_fixed--;
  for (u32 range = 0; memory_range(range, &base, &size); range++) {
    u64 end = base + size < DEVICE_WINDOW ? base + size : DEVICE_WINDOW;
    for (u64 at = base & ~0xfffull; at < end && next_fixed >= TLB_FIRST_FIXED + COUNT(device_pages);) {
      int have = tlb_search((u32)at, 0, 0);
      u32 step = 0;
      if (have >= 0) step = (16u << 20) - ((u32)at & 0xffffff); /* one of start.S's two entries */
      for (u32 i = 0; !step && i < COUNT(sizes); i++) {
        bool fits = (at & (sizes[i].bytes - 1)) == 0 && end - at >= sizes[i].bytes;
        u32 tree = (u32)machine.tree & ~0xffffffu; /* a page must not lie over the tree's own */
        if (!fits || tree - (u32)at < sizes[i].bytes) continue;
        step = sizes[i].bytes;
        map(next_fixed--, (u32)at, sizes[i].bits);
      }
      if (!step) break;
      at += step;
    }
  }
}

volatile u8 *tlb_map_device(u64 physical) {
  u64 page = physical & ~0xfffull;
  u32 slot = 0;
  while (slot < devices && device_pages[slot] != page) slot++;
  if (slot == COUNT(device_pages)) return 0;
  u32 address = DEVICE_WINDOW + (slot << 12);
  if (slot == devices) {
    device_pages[devices++] = page;
    struct tlb_entry entry = {
      0, {address | TLB_VALID | TLB_4K, (u32)page | (u32)(page >> 32), TLB_I | TLB_G | TLB_SW | TLB_SR}};
    tlb_write(TLB_FIRST_FIXED + slot, &entry);
  }
  return (volatile u8 *)(address + ((u32)physical & 0xfff));
}
