/* Arithmetic in registers: CRC-32 bit by bit and by table, multiplication, division, a shift-register generator. */
#include "bench.h"

#define POLYNOMIAL 0xedb88320 /* CRC-32, bits reversed */

static u32 table[256];

static void make_table(void) {
  for (u32 byte = 0; byte < 256; byte++) {
    u32 crc = byte;
    for (u32 bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
    table[byte] = crc;
  }
}

static __attribute__((noinline)) u32 crc_by_bits(u32 crc, u32 word) {
  crc ^= word;
  for (u32 bit = 0; bit < 32; bit++) crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
  return crc;
}

static __attribute__((noinline)) u32 crc_by_table(u32 crc, u32 word) {
  for (u32 byte = 0; byte < 4; byte++, word >>= 8) crc = crc >> 8 ^ table[(crc ^ word) & 0xff];
  return crc;
}

/* Marsaglia's xorshift, period 2^32 - 1. */
static inline u32 xorshift(u32 x) {
  x ^= x << 13;
  x ^= x >> 17;
  return x ^ x << 5;
}

static __attribute__((noinline)) u32 arithmetic(u32 x) {
  u32 sum = 0;
  for (u32 i = 1; i <= 16; i++) {
    x = xorshift(x);
    sum += x / (i * 3 + 4);
    sum ^= (u32)((u64)x * (sum | 1) >> 32);
    sum += (u32)((int32_t)x >> (i & 7)) - x % (i + 6);
  }
  return sum;
}

u32 bench_integer(u32 rounds) {
  u32 x = 2463534242, crc = 0xffffffff;
  make_table();
  while (rounds--)
    for (u32 i = 0; i < 4096; i++) {
      x = xorshift(x);
      crc = crc_by_bits(crc, x);
      for (u32 j = 0; j < 8; j++) crc = crc_by_table(crc, x + j);
      crc ^= arithmetic(crc | 1);
    }
  return crc;
}
