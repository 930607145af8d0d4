/* The PPC440's registers and fields by the names of the PPC440x5 CPU Core User's Manual. Plain numbers: assembly includes
 * this file too. */
#ifndef PPC440_H
#define PPC440_H

/* Machine state register, manual 6.4.1. */
#define MSR_WE 0x00040000
#define MSR_CE 0x00020000
#define MSR_EE 0x00008000
#define MSR_PR 0x00004000
#define MSR_FP 0x00002000
#define MSR_ME 0x00001000
#define MSR_DE 0x00000200
#define MSR_IS 0x00000020
#define MSR_DS 0x00000010

/* Special purpose registers, manual chapter 10. */
#define SPR_XER 1
#define SPR_LR 8
#define SPR_CTR 9
#define SPR_DEC 22
#define SPR_SRR0 26
#define SPR_SRR1 27
#define SPR_PID 48
#define SPR_DECAR 54
#define SPR_CSRR0 58
#define SPR_CSRR1 59
#define SPR_DEAR 61
#define SPR_ESR 62
#define SPR_IVPR 63
#define SPR_USPRG0 256
#define SPR_SPRG4_USER 260
#define SPR_TBL_READ 268
#define SPR_TBU_READ 269
#define SPR_SPRG0 272
#define SPR_SPRG4 276
#define SPR_TBL 284
#define SPR_TBU 285
#define SPR_PVR 287
#define SPR_DBSR 304
#define SPR_DBCR0 308
#define SPR_TSR 336
#define SPR_TCR 340
#define SPR_IVOR0 400
#define SPR_MCSR 572
#define SPR_CCR0 947
#define SPR_MMUCR 946

/* Exception syndrome register, manual 6.4.11. */
#define ESR_MCI 0x80000000
#define ESR_PIL 0x08000000
#define ESR_PPR 0x04000000
#define ESR_PTR 0x02000000
#define ESR_ST 0x00800000

/* Timer control and status, manual 7.5 and 7.6. */
#define TCR_WP_2_33 0xc0000000
#define TCR_WRC_SYSTEM 0x30000000
#define TCR_WIE 0x08000000
#define TCR_DIE 0x04000000
#define TCR_FP_2_13 0x00000000
#define TCR_FP_2_17 0x01000000
#define TCR_FP_2_21 0x02000000
#define TCR_FIE 0x00800000
#define TCR_ARE 0x00400000
#define TSR_ENW 0x80000000
#define TSR_WIS 0x40000000
#define TSR_DIS 0x08000000
#define TSR_FIS 0x04000000

/* DBCR0[RST] = system reset, manual 8.6.1. */
#define DBCR0_RST_SYSTEM 0x30000000

/* MMUCR, manual 5.7.1: the search address space; the search process id is the low 8 bits. */
#define MMUCR_STS 0x00010000

/* TLB entry words as tlbwe and tlbre see them, manual 5.7. */
#define TLB_VALID 0x00000200
#define TLB_TS 0x00000100
#define TLB_1K 0x00000000
#define TLB_4K 0x00000010
#define TLB_16K 0x00000020
#define TLB_64K 0x00000030
#define TLB_256K 0x00000040
#define TLB_1M 0x00000050
#define TLB_16M 0x00000070
#define TLB_256M 0x00000090
#define TLB_W 0x00000800
#define TLB_I 0x00000400
#define TLB_M 0x00000200
#define TLB_G 0x00000100
#define TLB_UX 0x00000020
#define TLB_UW 0x00000010
#define TLB_UR 0x00000008
#define TLB_SX 0x00000004
#define TLB_SW 0x00000002
#define TLB_SR 0x00000001
#define TLB_ENTRIES 64

/* Interrupt vectors by their IVOR numbers, manual 6.5. */
#define VECTOR_CRITICAL_INPUT 0
#define VECTOR_MACHINE_CHECK 1
#define VECTOR_DATA_STORAGE 2
#define VECTOR_INSTRUCTION_STORAGE 3
#define VECTOR_EXTERNAL_INPUT 4
#define VECTOR_ALIGNMENT 5
#define VECTOR_PROGRAM 6
#define VECTOR_FP_UNAVAILABLE 7
#define VECTOR_SYSTEM_CALL 8
#define VECTOR_AP_UNAVAILABLE 9
#define VECTOR_DECREMENTER 10
#define VECTOR_FIXED_INTERVAL 11
#define VECTOR_WATCHDOG 12
#define VECTOR_DATA_TLB 13
#define VECTOR_INSTRUCTION_TLB 14
#define VECTOR_DEBUG 15
#define VECTORS 16

/* Byte offsets in struct trap_frame (trap.h), for the assembly that fills it. */
#define FRAME_CR 128
#define FRAME_XER 132
#define FRAME_LR 136
#define FRAME_CTR 140
#define FRAME_PC 144
#define FRAME_MSR 148
#define FRAME_ESR 152
#define FRAME_DEAR 156
#define FRAME_VECTOR 160
#define FRAME_HANDLER_MSR 164
#define FRAME_SIZE 176

#endif
