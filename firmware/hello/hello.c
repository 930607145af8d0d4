/* Says who and where it is, then is a small monitor: input comes by UART interrupt, ticks by the decrementer. */
#include "console.h"
#include "machine.h"
#include "string.h"
#include "trap.h"

#define TICKS_A_SECOND 100

static volatile u32 ticks;

static bool tick(struct trap_frame *frame) {
  ticks++;
  mtspr(SPR_TSR, TSR_DIS);
  frame->msr &= ~MSR_WE; /* what waited goes on */
  return true;
}

static void start_ticks(void) {
  trap_handle(VECTOR_DECREMENTER, tick);
  mtspr(SPR_DECAR, machine.timebase / TICKS_A_SECOND);
  mtspr(SPR_DEC, machine.timebase / TICKS_A_SECOND);
  mtspr(SPR_TCR, TCR_DIE | TCR_ARE);
}

/* The next typed character; the core waits in MSR[WE] as long as there is none. */
static char wait_for_character(void) {
  for (;;) {
    mtmsr(MSR_ME); /* nothing may come between looking and waiting */
    int character = console_get();
    if (character >= 0) {
      mtmsr(MSR_ME | MSR_EE);
      return (char)character;
    }
    mtmsr(MSR_ME | MSR_EE | MSR_WE);
  }
}

/* Reads a line with echo; backspace and delete take a character back, Ctrl-U and Ctrl-C the line. False: start anew. */
static bool read_line(char *text, size_t room) {
  static bool after_return;
  size_t length = 0;
  for (;;) {
    char c = wait_for_character();
    bool second_half = c == '\n' && after_return;
    after_return = c == '\r';
    if (second_half) continue;
    if (c == '\r' || c == '\n') {
      printf("\n");
      text[length] = 0;
      return true;
    }
    if (c == 3) {
      printf("^C\n");
      return false;
    }
    if ((c == '\b' || c == 0x7f) && length) printf("\b \b"), length--;
    if (c == 21)
      for (; length; length--) printf("\b \b");
    if (c >= ' ' && c <= '~' && length + 1 < room) console_put(text[length++] = c);
  }
}

static void help(const char *argument) {
  (void)argument;
  printf("help           this list\n"
         "mem            memory, and what lies in it\n"
         "ticks          ticks of the decrementer so far, %d a second\n"
         "trap           cause a program interrupt and report it\n"
         "exit [status]  end\n",
         TICKS_A_SECOND);
}

static const char *tree_place(void) {
  u64 base, size;
  for (u32 i = 0; memory_range(i, &base, &size); i++)
    if ((u32)machine.tree >= base && (u64)(u32)machine.tree + fdt_size() <= base + size)
      return (u32)machine.tree >= (u32)image_end ? "in memory, above the image" : "in memory, below the image's end";
  return "outside memory";
}

static void mem(const char *argument) {
  (void)argument;
  u64 base, size;
  printf("memory %u MiB\n", (u32)(machine.memory >> 20));
  for (u32 i = 0; memory_range(i, &base, &size); i++)
    printf("range  %09llx-%09llx\n", (unsigned long long)base, (unsigned long long)(base + size - 1));
  printf("image  %09x-%09x\n", (u32)image_start, (u32)image_end - 1);
  printf("stack  %09x-%09x\n", (u32)stack_bottom, (u32)stack_top - 1);
  printf("tree   %s\n", tree_place());
}

static void print_ticks(const char *argument) {
  (void)argument;
  printf("ticks %u\n", ticks);
}

static struct trap_frame program;

static bool program_interrupt(struct trap_frame *frame) {
  program = *frame;
  frame->pc += 4;
  return true;
}

static const char *program_kind(u32 esr) {
  return esr == ESR_PIL   ? "illegal instruction"
         : esr == ESR_PPR ? "privileged instruction"
         : esr == ESR_PTR ? "trap instruction"
                          : "unknown kind";
}

static void trap(const char *argument) {
  (void)argument;
  u32 at;
  program = (struct trap_frame){.pc = 0};
  trap_handle(VECTOR_PROGRAM, program_interrupt);
  __asm__ volatile("bl 1f; 1: mflr %0; addi %0,%0,2f-1b; 2: trap" : "=r"(at) : : "lr", "memory");
  trap_handle(VECTOR_PROGRAM, 0);
  printf("program interrupt: %s, ESR %08x, SRR0 %s\n", program_kind(program.esr), program.esr,
         program.pc == at ? "at the instruction" : "elsewhere");
  printf("and went on after it\n");
}

static void exit_command(const char *argument) {
  u32 status = 0;
  if (*argument && !parse_number(argument, &status)) {
    printf("exit: '%s' is not a number\n", argument);
    return;
  }
  printf("exit %u\n", status);
  guest_exit(status);
}

static const struct {
  const char *name;
  void (*run)(const char *argument);
} commands[] = {
  {"help", help}, {"mem", mem}, {"ticks", print_ticks}, {"trap", trap}, {"exit", exit_command},
};

static void run(char *text) {
  while (*text == ' ') text++;
  char *argument = text;
  while (*argument && *argument != ' ') argument++;
  if (*argument) *argument++ = 0;
  while (*argument == ' ') argument++;
  for (size_t end = strlen(argument); end && argument[end - 1] == ' ';) argument[--end] = 0;
  if (!*text) return;
  for (u32 i = 0; i < COUNT(commands); i++)
    if (strcmp(text, commands[i].name) == 0) {
      commands[i].run(argument);
      return;
    }
  printf("%s: unknown command; try 'help'\n", text);
}

void guest_main(void) {
  char text[80];
  printf("hv440 hello\nPVR %08x\nname %s\nmemory %u MiB\n", mfspr(SPR_PVR), machine.name, (u32)(machine.memory >> 20));
  start_ticks();
  console_listen();
  mtmsr(MSR_ME | MSR_EE);
  for (;;) {
    printf("hello> ");
    if (read_line(text, sizeof text)) run(text);
  }
}
