/* The programs of the benchmark. Each does `rounds` rounds of the same work and returns a checksum of all of it. */
#ifndef BENCH_H
#define BENCH_H

#include "types.h"

u32 bench_nothing(u32 rounds);
u32 bench_integer(u32 rounds);
u32 bench_memory(u32 rounds);
u32 bench_mix(u32 rounds);
u32 bench_recursion(u32 rounds);
u32 bench_nodes(u32 rounds);
u32 bench_switch(u32 rounds);
u32 bench_calls(u32 rounds);
u32 bench_misses(u32 rounds);

/* The next pseudo-random number after `state`, which it replaces (Numerical Recipes' generator; the high bits are good). */
static inline u32 next_random(u32 *state) {
  *state = *state * 1664525 + 1013904223;
  return *state >> 8;
}

/* One step of a checksum. */
static inline u32 mixed(u32 sum, u32 value) { return (sum << 5 | sum >> 27) ^ value; }

#endif
