/* Short names for the sizes the hardware has, and access to the registers C cannot name. */
#ifndef TYPES_H
#define TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ppc440.h"

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define mfspr(spr)                                                                                                     \
  ({                                                                                                                   \
    u32 value_;                                                                                                        \
    __asm__ volatile("mfspr %0,%1" : "=r"(value_) : "n"(spr) : "memory");                                              \
    value_;                                                                                                            \
  })
#define mtspr(spr, value) __asm__ volatile("mtspr %0,%1; isync" : : "n"(spr), "r"((u32)(value)) : "memory")

static inline u32 mfmsr(void) {
  u32 value;
  __asm__ volatile("mfmsr %0" : "=r"(value) : : "memory");
  return value;
}

static inline void mtmsr(u32 value) { __asm__ volatile("mtmsr %0; isync" : : "r"(value) : "memory"); }

static inline void isync(void) { __asm__ volatile("isync" : : : "memory"); }

/* mbar on the 440: device accesses keep their order. */
static inline void eieio(void) { __asm__ volatile("eieio" : : : "memory"); }

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
