/* A vcpu as the handlers keep it: offsets for the assembly, the same as a struct for C. */
#ifndef COST_MODEL_H
#define COST_MODEL_H

#define V_GPR 0       /* r0 to r31 */
#define V_CR 128
#define V_LR 132
#define V_CTR 136
#define V_XER 140
#define V_MSR 144     /* the MSR that the guest believes it has */
#define V_PENDING 148 /* not 0: an interrupt waits for the guest's MSR[EE] */
#define V_TSR 152
#define V_TCR 156
#define V_QUANTUM 160 /* ticks left */
#define V_NEXT 164    /* the next vcpu in turn */
#define V_RUNNABLE 168
#define V_BASE 172    /* where the guest's memory lies */
#define V_RAM 176     /* bytes of it */
#define V_VICTIM 180  /* the next shadow entry to replace */
#define V_MMUCR 184
#define V_UART 188    /* LSR, IER, place in the ring */
#define V_RING 200    /* 64 bytes that were sent */
#define V_SPR 264     /* the guest's SPRs, a word each, where spr_places says */
#define V_PID 264
#define V_SRR0 268
#define V_SRR1 272
#define V_DEAR 276
#define V_ESR 280
#define V_IVPR 284
#define V_SPRG 288    /* eight */
#define V_IVOR 320    /* sixteen */
#define V_USPRG0 384
#define V_REAL_PID 388   /* a byte for each guest PID, user and supervisor: 512 */
#define V_SHADOW_OF 900  /* a byte for each guest entry: its shadow entry, 255 if it has none */
#define V_TLB 964        /* 64 entries: mask, tag, word 1, word 2, tid */
#define TLB_STRIDE 20
#define V_SIZE 2244

#define NO_SHADOW 255
#define GUEST_WINDOW 0x40000000 /* where the guest's code is, in address space 1 */
#define UART_PAGE 0xef600000
#define FIRST_SHADOW 8
#define LAST_SHADOW 31

/* Hypercalls of the measurement. */
#define CALL_END 0
#define CALL_POLL 0x10003
#define CALL_SEND 0x10001

#endif
