/* The instructions under test. tests_start() maps them for user and supervisor at CODE. Each snippet begins with the
 * instruction that is to trap unless its comment says otherwise, and ends with `sc`, whose system call tells the test that
 * nothing else happened. */
#include "ppc440.h"

        .macro  snippet name
        .balign 16
        .globl  \name
\name:
        .endm

        .section .snippets, "ax", @progbits
        .globl  snippets_start
snippets_start:

        /* Privileged instructions. */
        .globl  privileged_start
        .balign 16
privileged_start:
        mtmsr   %r4
        sc
        mfmsr   %r3
        sc
        wrtee   %r4
        sc
        wrteei  0
        sc
        mfspr   %r3, SPR_SRR0
        sc
        mtspr   SPR_SPRG0, %r4
        sc
        rfi
        sc
        rfci
        sc
        tlbwe   %r4, %r5, 0
        sc
        tlbre   %r3, %r5, 0
        sc
        tlbsx   %r3, 0, %r5
        sc
        tlbsync
        sc
        .long   0x7c600286 | 0x00000000 | (0xc0 & 0x1f) << 16 | (0xc0 >> 5) << 11      /* mfdcr r3, 0xc0 */
        sc
        .long   0x7c800386 | (0xc0 & 0x1f) << 16 | (0xc0 >> 5) << 11                   /* mtdcr 0xc0, r4 */
        sc
        dcbi    0, %r5
        sc
        dccci   0, %r5
        sc
        iccci   0, %r5
        sc

        snippet illegal_zero
        .long   0
        sc
        snippet illegal_op31            /* opcode 31, an extended opcode that nothing has */
        .long   0x7ffffffe
        sc
        snippet illegal_user_spr        /* an SPR number that users may name, but no register has */
        mfspr   %r3, 3
        sc
        snippet privileged_number       /* the number of a supervisor's SPR (bit 0x10), but no register has it */
        mfspr   %r3, 1023
        sc

        snippet trap_word               /* tw: r4 < r5 signed */
        tw      16, %r4, %r5
        sc
        snippet trap_immediate          /* twi: r4 > 7 unsigned */
        twi     1, %r4, 7
        sc
        snippet trap_always
        trap
        sc

        snippet system_call
        sc
        nop

        snippet load_word
        lwz     %r3, 0(%r5)
        sc
        snippet store_word
        stw     %r4, 0(%r5)
        sc
        snippet load_half
        lhz     %r3, 0(%r5)
        sc
        snippet store_half
        sth     %r4, 0(%r5)
        sc
        snippet load_reversed
        lwbrx   %r3, 0, %r5
        sc
        snippet load_multiple
        lmw     %r28, 0(%r5)
        sc
        snippet store_multiple
        stmw    %r28, 0(%r5)
        sc
        snippet load_reserved
        lwarx   %r3, 0, %r5
        sc
        snippet store_conditional
        stwcx.  %r4, 0, %r5
        sc
        snippet zero_block
        dcbz    0, %r5
        sc
        snippet touch_block             /* a touch never traps */
        dcbt    0, %r5
        dcbtst  0, %r5
        sc

        snippet reserve_and_store       /* r3 = 1 where both worked */
        lwarx   %r6, 0, %r5
        stwcx.  %r4, 0, %r5
        mfcr    %r3
        rlwinm  %r3, %r3, 3, 31, 31
        sc
        snippet store_without_reservation
        stwcx.  %r4, 0, %r5
        mfcr    %r3
        rlwinm  %r3, %r3, 3, 31, 31
        sc
        snippet reserve_trap_store      /* the trap's handler stores conditionally itself */
        lwarx   %r6, 0, %r5
        trap
        stwcx.  %r4, 0, %r5
        mfcr    %r3
        rlwinm  %r3, %r3, 3, 31, 31
        sc

        snippet spin_here               /* until an interrupt comes */
1:      addi    %r3, %r3, 1
        b       1b

        snippet enable_by_wrteei        /* traps at the instruction after */
        wrteei  1
        li      %r3, 1
        sc
        snippet enable_by_wrtee         /* traps at the instruction after */
        wrtee   %r4
        li      %r3, 1
        sc
        snippet enable_by_mtmsr         /* traps at the instruction after */
        mtmsr   %r4
        li      %r3, 1
        sc
        snippet enable_by_rfi           /* traps at the address that rfi goes to: r5 */
        mtspr   SPR_SRR0, %r5
        mtspr   SPR_SRR1, %r4
        rfi
        sc
        snippet wait_here               /* r4 has MSR[WE] and MSR[EE] */
        mtmsr   %r4
        isync
        li      %r3, 1
        sc

        snippet return_by_rfi           /* to r5 under r4 */
        mtspr   SPR_SRR0, %r5
        mtspr   SPR_SRR1, %r4
        rfi
        sc
        snippet return_by_rfci
        mtspr   SPR_CSRR0, %r5
        mtspr   SPR_CSRR1, %r4
        rfci
        sc

        snippet read_user_sprgs
        mfspr   %r3, 260
        mfspr   %r4, 261
        mfspr   %r5, 262
        mfspr   %r6, 263
        sc
        snippet swap_usprg0
        mfspr   %r3, SPR_USPRG0
        mtspr   SPR_USPRG0, %r4
        sc
        snippet read_time_base
        mfspr   %r3, SPR_TBL_READ
        mfspr   %r4, SPR_TBU_READ
        sc
        snippet jump                    /* traps where r5 points */
        mtctr   %r5
        bctr

        .globl  snippets_end
snippets_end:
        .balign 4096
