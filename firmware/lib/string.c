#include "string.h"

void *memcpy(void *to, const void *from, size_t count) {
  u8 *out = to;
  const u8 *in = from;
  while (count--) *out++ = *in++;
  return to;
}

void *memset(void *to, int byte, size_t count) {
  u8 *out = to;
  while (count--) *out++ = (u8)byte;
  return to;
}

int memcmp(const void *one, const void *other, size_t count) {
  const u8 *a = one, *b = other;
  for (; count; count--, a++, b++)
    if (*a != *b) return *a - *b;
  return 0;
}

size_t strlen(const char *text) {
  size_t length = 0;
  while (text[length]) length++;
  return length;
}

int strcmp(const char *one, const char *other) {
  while (*one && *one == *other) one++, other++;
  return (u8)*one - (u8)*other;
}

int strncmp(const char *one, const char *other, size_t count) {
  for (; count; count--, one++, other++)
    if (*one != *other || !*one) return (u8)*one - (u8)*other;
  return 0;
}

const char *strstr(const char *text, const char *part) {
  size_t length = strlen(part);
  for (; *text; text++)
    if (strncmp(text, part, length) == 0) return text;
  return length ? 0 : text;
}

bool parse_number(const char *text, u32 *value) {
  u32 base = 10, sum = 0;
  if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) base = 16, text += 2;
  if (!*text) return false;
  for (; *text; text++) {
    u32 digit = (u32)(*text >= '0' && *text <= '9'   ? *text - '0'
                      : *text >= 'a' && *text <= 'f' ? *text - 'a' + 10
                      : *text >= 'A' && *text <= 'F' ? *text - 'A' + 10
                                                     : 99);
    if (digit >= base || sum > (0xffffffffu - digit) / base) return false;
    sum = sum * base + digit;
  }
  *value = sum;
  return true;
}
