/* The few functions of the C library that guests need; GCC itself calls the first three. */
#ifndef STRING_H
#define STRING_H

#include "types.h"

void *memcpy(void *to, const void *from, size_t count);
void *memset(void *to, int byte, size_t count);
int memcmp(const void *one, const void *other, size_t count);
size_t strlen(const char *text);
int strcmp(const char *one, const char *other);
int strncmp(const char *one, const char *other, size_t count);
const char *strstr(const char *text, const char *part);

/* The unsigned number (decimal, or hexadecimal after 0x) that text is; false if it is anything else or too large. */
bool parse_number(const char *text, u32 *value);

#endif
