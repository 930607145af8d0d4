#include "console.h"
#include "fdt.h"
#include "interrupts.h"
#include "machine.h"
#include "string.h"
#include "tlb.h"

static volatile u8 *uart;
static bool fifo; /* sixteen bytes may follow each other */
static u32 room;  /* bytes the port takes without asking again */
static u32 channel, has_channel;
static int line = -1;

static u8 typed[256];
static volatile u32 typed_in, typed_out;

static void keep(u8 character) {
  if (typed_in - typed_out < sizeof typed) typed[typed_in++ % sizeof typed] = character;
}

static bool is_console(int node) {
  const char *type = fdt_text(node, "device_type");
  return fdt_is(node, "ns16550") || fdt_is(node, "ns16550a") || fdt_is(node, "epapr,hv-byte-channel") ||
         (type && strcmp(type, "serial") == 0);
}

static int console_node(void) {
  int chosen = fdt_find("/chosen");
  const char *const paths[] = {fdt_text(chosen, "stdout-path"), fdt_text(chosen, "linux,stdout-path"), "stdout",
                               "serial0"};
  for (u32 i = 0; i < COUNT(paths); i++) {
    int node = paths[i] ? fdt_find(paths[i]) : FDT_NONE;
    if (node != FDT_NONE && is_console(node)) return node;
  }
  for (int node = FDT_ROOT; node != FDT_NONE; node = fdt_next(node))
    if (is_console(node)) return node;
  return FDT_NONE;
}

static void receive_uart(void) {
  while (uart[UART_LSR] & UART_LSR_RECEIVED) keep(uart[UART_DATA]);
}

static void receive_channel(void) {
  for (;;) {
    u32 r[8] = {channel, 16};
    hypercall(0x10002, r); /* EV_BYTE_CHANNEL_RECEIVE */
    if (r[0] || !r[1] || r[1] > 16) return;
    const u8 *bytes = (const u8 *)&r[2];
    for (u32 i = 0; i < r[1]; i++) keep(bytes[i]);
  }
}

static void start_uart(int node, u64 base) {
  uart = tlb_map_device(base);
  u32 speed = fdt_cell(node, "current-speed", 0, 0), clock = fdt_cell(node, "clock-frequency", 0, 0);
  uart[UART_IER] = 0;
  if (speed && clock) {
    u32 divisor = (clock + 8 * speed) / (16 * speed);
    uart[UART_LCR] = 0x80;
    uart[0] = (u8)divisor;
    uart[1] = (u8)(divisor >> 8);
  }
  uart[UART_LCR] = 3;  /* eight bits, no parity, one stop bit */
  uart[UART_MCR] = 11; /* DTR, RTS, and OUT2, which lets interrupts through on some boards */
  receive_uart();      /* enabling the FIFO clears what came before */
  if ((uart[UART_IIR] & 0xc0) != 0xc0) uart[UART_FCR] = 1;
  fifo = (uart[UART_IIR] & 0xc0) == 0xc0;
}

void console_start(void) {
  int node = console_node();
  u64 base, size;
  if (fdt_is(node, "epapr,hv-byte-channel")) {
    channel = fdt_cell(node, "hv-handle", 0, fdt_cell(node, "reg", 0, 0));
    has_channel = machine.hypercall[0] != 0;
    line = interrupt_of(node, 0);
  } else if (fdt_reg(node, 0, &base, &size)) {
    start_uart(node, base);
    line = interrupt_of(node, 0);
  }
}

void console_listen(void) {
  if (line < 0) return;
  interrupt_handle((u32)line, uart ? receive_uart : receive_channel);
  if (uart) uart[UART_IER] = UART_IER_RECEIVED;
}

static void put_channel(char character) {
  u32 r[8];
  do {
    r[0] = channel;
    r[1] = 1;
    r[2] = (u32)(u8)character << 24;
    hypercall(0x10001, r); /* EV_BYTE_CHANNEL_SEND */
  } while (r[0] == 4);     /* EAGAIN */
}

void console_put(char character) {
  if (has_channel) put_channel(character);
  if (!uart) return;
  if (room == 0) {
    while (!(uart[UART_LSR] & UART_LSR_EMPTY)) eieio();
    room = fifo ? 16 : 1;
  }
  uart[UART_DATA] = (u8)character;
  eieio();
  room--;
}

int console_get(void) {
  return typed_in == typed_out ? -1 : typed[typed_out++ % sizeof typed];
}

void console_flush(void) {
  while (uart && !(uart[UART_LSR] & UART_LSR_IDLE)) eieio();
  room = 0;
}

volatile u8 *console_uart(void) { return uart; }

int console_line(void) { return line; }
