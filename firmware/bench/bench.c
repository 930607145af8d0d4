/* Runs one of the programs beside this file and prints START before it and END with its checksum after it, for whoever
 * holds the stop watch. Which one and for how many rounds is in the bootargs: `bench=mix rounds=100`. */
#include "bench.h"
#include "console.h"
#include "machine.h"
#include "string.h"

static const struct {
  const char *name;
  u32 (*run)(u32 rounds);
  u32 rounds; /* where the bootargs say nothing: about half a second at 100 million instructions a second */
} programs[] = {
  {"nothing", bench_nothing, 0},
  {"integer", bench_integer, 30},
  {"memory", bench_memory, 50},
  {"mix", bench_mix, 100},
  {"recursion", bench_recursion, 100},
  {"nodes", bench_nodes, 100},
  {"switch", bench_switch, 1000},
  {"calls", bench_calls, 100},
  {"misses", bench_misses, 100},
};

u32 bench_nothing(u32 rounds) { return rounds; }

static void run(u32 index) {
  char value[16];
  u32 rounds = programs[index].rounds;
  if (boot_argument("rounds", value, sizeof value) && !parse_number(value, &rounds)) {
    printf("rounds=%s is not a number\n", value);
    guest_exit(1);
  }
  printf("START\n");
  console_flush();
  u32 sum = programs[index].run(rounds);
  printf("END %08x\n", sum);
  console_flush();
}

void guest_main(void) {
  char name[16] = "mix";
  boot_argument("bench", name, sizeof name);
  for (u32 i = 0; i < COUNT(programs); i++)
    if (strcmp(name, programs[i].name) == 0) {
      run(i);
      guest_exit(0);
    }
  printf("bench=%s: there is no such program; there are", name);
  for (u32 i = 0; i < COUNT(programs); i++) printf(" %s", programs[i].name);
  printf("\n");
  guest_exit(1);
}
