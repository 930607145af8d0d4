/* The console: the serial port or byte channel that /chosen names (stdout-path or linux,stdout-path; a path or an alias),
 * else alias serial0, else the first one in the tree. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "types.h"

/* Registers of a 16550. */
enum uart { UART_DATA = 0, UART_IER = 1, UART_IIR = 2, UART_FCR = 2, UART_LCR = 3, UART_MCR = 4, UART_LSR = 5 };

enum { UART_IER_RECEIVED = 1, UART_IER_EMPTY = 2, UART_LSR_RECEIVED = 1, UART_LSR_EMPTY = 0x20, UART_LSR_IDLE = 0x40 };

/* Finds and sets up the console. Without one, output goes nowhere and input never comes. */
void console_start(void);

/* Lets input come by interrupt; MSR[EE] is the caller's. */
void console_listen(void);

void console_put(char character);

/* A character that was typed, or -1 if there is none now. */
int console_get(void);

/* Waits until everything has left the port. */
void console_flush(void);

/* The registers of the console's serial port, null if the console is something else, and its UIC input or -1. */
volatile u8 *console_uart(void);
int console_line(void);

/* Formatted output with %s %c %d %u %x %%, width and leading zeros; %lld %llu %llx for 64 bits. \n puts \r\n. */
void printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same into a buffer, cut to its size and always ended by a zero byte. */
void format_into(char *buffer, size_t room, const char *format, ...) __attribute__((format(printf, 3, 4)));
void vformat_into(char *buffer, size_t room, const char *format, va_list arguments);

#endif
