/* Functions that call themselves, once and twice, with little else to do: what calls and returns cost. */
#include "bench.h"

static __attribute__((noinline)) u32 fibonacci(u32 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

static __attribute__((noinline)) u32 ackermann(u32 m, u32 n) {
  if (m == 0) return n + 1;
  return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

/* The towers of Hanoi, with a checksum of who went where. */
static __attribute__((noinline)) u32 move(u32 disks, u32 from, u32 to, u32 by) {
  if (disks == 0) return 0;
  u32 sum = move(disks - 1, from, by, to);
  return mixed(sum, from * 7 + to) + move(disks - 1, by, to, from);
}

u32 bench_recursion(u32 rounds) {
  u32 sum = 0;
  while (rounds--) {
    sum = mixed(sum, fibonacci(18));
    sum = mixed(sum, ackermann(2, 9));
    sum = mixed(sum, move(10, 1, 2, 3));
  }
  return sum;
}
