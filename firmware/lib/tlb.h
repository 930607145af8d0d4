/* TLB entries, manual chapter 5, and the mappings every guest has. */
#ifndef TLB_H
#define TLB_H

#include "types.h"

/* Entries from here upwards belong to the library: memory and device pages. Below, a guest may do as it likes. */
#define TLB_FIRST_FIXED 40

/* Where device pages are mapped, so that physical addresses of 36 bits fit. */
#define DEVICE_WINDOW 0xf0000000

/* The three words that tlbre gives for an entry, and its TID. */
struct tlb_entry {
  u32 tid, word[3];
};

/* Writes an entry: it is invalid while its words change, so that nobody ever sees half of it. */
void tlb_write(u32 index, const struct tlb_entry *entry);
struct tlb_entry tlb_read(u32 index);
void tlb_invalidate(u32 index);

/* The entry that translates an address in an address space (0 or 1) for a process id, or -1. */
int tlb_search(u32 address, u32 space, u32 pid);

/* Maps all memory ranges of the tree that lie below DEVICE_WINDOW at their own addresses, as far as entries last. */
void tlb_map_memory(void);

/* Maps the page of a device's register (caching inhibited, guarded) and returns where it can be touched. */
volatile u8 *tlb_map_device(u64 physical);

#endif
