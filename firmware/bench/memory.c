/* Loads and stores: copying by bytes and by words, filling, strings, strided and unaligned access over 64 KiB. */
#include "bench.h"
#include "string.h"

#define WORDS 16384

static u32 from[WORDS], to[WORDS];
static char text[4096], copy[4096];

static __attribute__((noinline)) void copy_words(u32 *out, const u32 *in, u32 count) {
  for (; count >= 4; count -= 4, in += 4, out += 4) {
    u32 a = in[0], b = in[1], c = in[2], d = in[3];
    out[0] = a;
    out[1] = b;
    out[2] = c;
    out[3] = d;
  }
}

/* Every 33rd halfword and every 129th byte: another page every few accesses. */
static __attribute__((noinline)) u32 strided(void) {
  const u16 *halves = (const u16 *)from;
  const u8 *bytes = (const u8 *)to;
  u32 sum = 0;
  for (u32 i = 0; i < 2 * WORDS; i += 33) sum += halves[i];
  for (u32 i = 0; i < 4 * WORDS; i += 129) sum = mixed(sum, bytes[i]);
  return sum;
}

static __attribute__((noinline)) u32 unaligned(void) {
  const u8 *at = (const u8 *)from + 1;
  u32 sum = 0;
  for (u32 i = 0; i < 1024; i++, at += 7) sum += *(const volatile u32 *)(const void *)at;
  return sum;
}

u32 bench_memory(u32 rounds) {
  u32 random = 1, sum = 0;
  for (u32 i = 0; i < WORDS; i++) from[i] = next_random(&random);
  for (u32 i = 0; i + 1 < sizeof text; i++) text[i] = (char)('a' + i % 23);
  for (u32 round = 0; round < rounds; round++) {
    copy_words(to, from, WORDS);
    memcpy((u8 *)to + 1, (const u8 *)from + 3 + (round & 15), 16384);
    memset((u8 *)to + 40000, (int)round, 8192);
    memcpy(copy, text, sizeof copy);
    copy[4000 - (round & 63)] ^= 1;
    sum = mixed(sum, (u32)strcmp(text, copy) + strlen(copy));
    sum = mixed(sum, strstr(text, "wab") - text + (strstr(copy, "xyz") ? 1u : 0u));
    sum = mixed(sum, strided() ^ unaligned() ^ to[round & (WORDS - 1)]);
    from[round & (WORDS - 1)] = sum;
  }
  return sum;
}
