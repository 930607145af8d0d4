/* Branches to places that only data tells: an interpreter of bytes with a jump table, and calls through a table of functions. */
#include "bench.h"
#include "machine.h"

enum { PUSH, ADD, SUB, MUL, DUP, SWAP, JUMP_UNLESS_0, DECREMENT, XOR, SHIFT, LOAD, STORE, HALT };

/* x <- 1; a hundred times: x <- (y ^ y << 1), y being 3 x + 7 */
static const signed char program[] = {PUSH, 100, STORE, 0,     PUSH, 1, STORE,     1,   LOAD,  1, PUSH,          3,   MUL,
                                      PUSH, 7,   ADD,   DUP,   SHIFT, 1, XOR,      STORE, 1,   LOAD, 0,           DECREMENT,
                                      DUP,  STORE, 0,   JUMP_UNLESS_0, -22, LOAD,  1,   HALT};

static __attribute__((noinline)) u32 interpret(const signed char *code) {
  u32 stack[32], memory[4], *top = stack;
  for (;;) switch (*code++) {
      case PUSH: *top++ = (u32)*code++; break;
      case ADD: top--, top[-1] += *top; break;
      case SUB: top--, top[-1] -= *top; break;
      case MUL: top--, top[-1] *= *top; break;
      case DUP: *top = top[-1], top++; break;
      case SWAP: {
        u32 other = top[-1];
        top[-1] = top[-2], top[-2] = other;
        break;
      }
      case JUMP_UNLESS_0: {
        int distance = *code++;
        if (*--top) code += distance;
        break;
      }
      case DECREMENT: top[-1]--; break;
      case XOR: top--, top[-1] ^= *top; break;
      case SHIFT: top[-1] <<= *code++; break;
      case LOAD: *top++ = memory[(u32)*code++]; break;
      case STORE: memory[(u32)*code++] = *--top; break;
      default: return top[-1];
    }
}

static __attribute__((noinline)) u32 more(u32 x) { return x + 3; }
static __attribute__((noinline)) u32 times(u32 x) { return x * 5; }
static __attribute__((noinline)) u32 folded(u32 x) { return x ^ x >> 3; }
static __attribute__((noinline)) u32 less(u32 x) { return x - (x >> 2); }
static u32 (*const volatile functions[])(u32) = {more, times, folded, less, more, folded, times, less};

u32 bench_switch(u32 rounds) {
  u32 sum = 0;
  while (rounds--) {
    sum = mixed(sum, interpret(program));
    for (u32 i = 0; i < 500; i++) sum = functions[i % COUNT(functions)](sum);
  }
  return sum;
}
