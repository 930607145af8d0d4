/* The universal interrupt controller (AMCC's UIC) that the tree's interrupts go to, over device control registers. */
#ifndef INTERRUPTS_H
#define INTERRUPTS_H

#include "types.h"

/* Registers of a UIC, as offsets from its first DCR. */
enum uic { UIC_SR = 0, UIC_ER = 2, UIC_CR = 3, UIC_PR = 4, UIC_TR = 5, UIC_MSR = 6, UIC_VR = 7, UIC_VCR = 8 };

/* Input n of a UIC is its bit n, counted from the most significant. */
#define UIC_BIT(line) (0x80000000u >> (line))

/* Serves an interrupt of one UIC input. */
typedef void interrupt_handler(void);

/* Finds the controller in the tree and masks all its inputs. */
void interrupts_start(void);

u32 uic_read(enum uic reg);
void uic_write(enum uic reg, u32 value);

/* The UIC input of a node's interrupt number `index`, set up for its type and masked; -1 if it has none. */
int interrupt_of(int node, u32 index);

/* Enables a UIC input with its handler: as external input interrupt. A null handler masks it. */
void interrupt_handle(u32 line, interrupt_handler *handler);

#endif
