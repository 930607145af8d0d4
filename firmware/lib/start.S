/* Start-up and trap entry of a guest.
 *
 * A guest is entered at physical 0 upwards, in address space 0, supervisor state, with r3 = address of its device tree.
 * Whatever mapped it (QEMU's two 2 GiB entries, a board's sixteen of 256 MiB, a hypervisor's initial mapping of r7
 * bytes) is replaced by entries of its own: entry 63 maps the first 16 MiB, entry 62 the 16 MiB that hold the tree, and C
 * maps the rest when it has read the tree. As long as the entries change, the code runs from address space 1.
 */
#include "ppc440.h"

#define MAP_BITS (TLB_VALID | TLB_16M)
#define RAM_ACCESS (TLB_SX | TLB_SW | TLB_SR)

        .macro  load_address reg, symbol
        lis     \reg, \symbol@ha
        addi    \reg, \reg, \symbol@l
        .endm

        .section .text.start, "ax", @progbits
        .globl  _start
_start: mr      %r31, %r3               /* device tree */
        mr      %r30, %r6               /* ePAPR magic */
        mr      %r29, %r7               /* size of the initial mapping */
        li      %r0, 0
        mtmsr   %r0                     /* no interrupts: there are no vectors yet */
        isync

        /* Which entry maps this code? It stays until the code has left it. */
        mfspr   %r4, SPR_PID
        mtspr   SPR_MMUCR, %r4
        isync
        load_address %r5, _start
        tlbsx   %r6, 0, %r5
        li      %r7, 0                  /* the temporary entry: 0, or 1 if 0 is ours */
        cmpwi   %r6, 0
        bne     1f
        li      %r7, 1

        /* The first 16 MiB in address space 1, all process ids. */
1:      mtspr   SPR_MMUCR, %r0
        isync
        tlbwe   %r0, %r7, 0
        tlbwe   %r0, %r7, 1
        li      %r4, RAM_ACCESS
        tlbwe   %r4, %r7, 2
        li      %r4, MAP_BITS | TLB_TS
        tlbwe   %r4, %r7, 0
        isync
        li      %r4, MSR_IS | MSR_DS
        load_address %r5, 2f
        mtspr   SPR_SRR0, %r5
        mtspr   SPR_SRR1, %r4
        rfi

        /* In address space 1: no other entry is left. */
2:      li      %r5, TLB_ENTRIES
        mtctr   %r5
        li      %r5, 0
3:      cmpw    %r5, %r7
        beq     4f
        tlbwe   %r0, %r5, 0
4:      addi    %r5, %r5, 1
        bdnz    3b
        mtspr   SPR_PID, %r0

        /* Entry 63: the first 16 MiB, cacheable. */
        li      %r5, 63
        tlbwe   %r0, %r5, 1
        li      %r4, RAM_ACCESS
        tlbwe   %r4, %r5, 2
        li      %r4, MAP_BITS
        tlbwe   %r4, %r5, 0

        /* Entry 62: the 16 MiB of the tree, unless entry 63 has it. */
        clrrwi. %r6, %r31, 24
        beq     5f
        li      %r5, 62
        tlbwe   %r6, %r5, 1
        li      %r4, RAM_ACCESS
        tlbwe   %r4, %r5, 2
        ori     %r4, %r6, MAP_BITS
        tlbwe   %r4, %r5, 0
5:      isync
        load_address %r5, 6f
        mtspr   SPR_SRR0, %r5
        mtspr   SPR_SRR1, %r0
        rfi

6:      tlbwe   %r0, %r7, 0             /* back in address space 0: the temporary entry goes */
        isync

        /* Quiet timers, no debug events, own vectors. */
        mtspr   SPR_TCR, %r0
        lis     %r4, 0xfc00
        mtspr   SPR_TSR, %r4
        mtspr   SPR_ESR, %r0
        mtxer   %r0
        mtspr   SPR_IVPR, %r0
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        li      %r4, vector_\n - vectors
        mtspr   SPR_IVOR0 + \n, %r4
        .endr
        isync

        load_address %r3, bss_start
        load_address %r4, bss_end
7:      cmplw   %r3, %r4
        bge     8f
        stw     %r0, 0(%r3)
        addi    %r3, %r3, 4
        b       7b

8:      load_address %r1, stack_top
        stwu    %r0, -16(%r1)
        mr      %r3, %r31
        mr      %r4, %r30
        mr      %r5, %r29
        bl      guest_start             /* never returns */
9:      b       9b

/* Trap entry. Each class of interrupts has a stack of its own, on which it never nests, and an SPRG to keep r1 in. */
        .macro  vector number, class, sprg
        .balign 32
vector_\number:
        mtspr   SPR_SPRG0 + \sprg, %r1
        lis     %r1, (\class\()_stack_top - FRAME_SIZE - 16)@ha
        addi    %r1, %r1, (\class\()_stack_top - FRAME_SIZE - 16)@l
        stw     %r3, 16 + 12(%r1)
        li      %r3, \number
        b       \class\()_entry
        .endm

        .section .vectors, "ax", @progbits
        .globl  vectors
vectors:
        .space  256                     /* a jump through a null pointer meets an illegal instruction */
        vector  0, critical, 2
        vector  1, machine_check, 3
        vector  2, base, 0
        vector  3, base, 0
        vector  4, base, 0
        vector  5, base, 0
        vector  6, base, 0
        vector  7, base, 0
        vector  8, base, 0
        vector  9, base, 0
        vector  10, base, 0
        vector  11, base, 0
        vector  12, critical, 2
        vector  13, base, 0
        vector  14, base, 0
        vector  15, critical, 2

        /* Saves all registers as struct trap_frame at r1 + 16, calls trap_dispatch(frame), restores, returns. */
        .macro  trap_path class, sprg, save0, save1, return
\class\()_entry:
        stw     %r3, 16 + FRAME_VECTOR(%r1)
        stw     %r0, 16(%r1)
        mfspr   %r0, SPR_SPRG0 + \sprg
        stw     %r0, 16 + 4(%r1)
        stw     %r2, 16 + 8(%r1)
        stmw    %r4, 16 + 16(%r1)
        mfcr    %r4
        stw     %r4, 16 + FRAME_CR(%r1)
        mfxer   %r4
        stw     %r4, 16 + FRAME_XER(%r1)
        mflr    %r4
        stw     %r4, 16 + FRAME_LR(%r1)
        mfctr   %r4
        stw     %r4, 16 + FRAME_CTR(%r1)
        mfspr   %r4, \save0
        stw     %r4, 16 + FRAME_PC(%r1)
        mfspr   %r4, \save1
        stw     %r4, 16 + FRAME_MSR(%r1)
        mfspr   %r4, SPR_ESR
        stw     %r4, 16 + FRAME_ESR(%r1)
        mfspr   %r4, SPR_DEAR
        stw     %r4, 16 + FRAME_DEAR(%r1)
        mfmsr   %r4
        stw     %r4, 16 + FRAME_HANDLER_MSR(%r1)
        li      %r4, 0
        stw     %r4, 0(%r1)             /* a debugger's back trace ends here */
        addi    %r3, %r1, 16
        bl      trap_dispatch
        lwz     %r4, 16 + FRAME_CR(%r1)
        mtcrf   0xff, %r4
        lwz     %r4, 16 + FRAME_XER(%r1)
        mtxer   %r4
        lwz     %r4, 16 + FRAME_LR(%r1)
        mtlr    %r4
        lwz     %r4, 16 + FRAME_CTR(%r1)
        mtctr   %r4
        lwz     %r4, 16 + FRAME_PC(%r1)
        mtspr   \save0, %r4
        lwz     %r4, 16 + FRAME_MSR(%r1)
        mtspr   \save1, %r4
        lmw     %r2, 16 + 8(%r1)
        lwz     %r0, 16(%r1)
        lwz     %r1, 16 + 4(%r1)
        \return
        .endm

        .text
        trap_path base, 0, SPR_SRR0, SPR_SRR1, rfi
        trap_path critical, 2, SPR_CSRR0, SPR_CSRR1, rfci
        /* The 440EP keeps a machine check's state in CSRR0/1; cores with MCSRR0/1 that also fill CSRR0/1 work too. */
        trap_path machine_check, 3, SPR_CSRR0, SPR_CSRR1, rfci

/* void probe_enter(struct trap_frame *in): saves the C context and runs from in->pc under in->msr with in's registers.
 * The next trap that no handler resumes comes back out of here (trap.c). */
        .globl  probe_enter
probe_enter:
        load_address %r4, probe_context
        stmw    %r13, 0(%r4)
        stw     %r1, 76(%r4)
        stw     %r2, 80(%r4)
        mflr    %r5
        stw     %r5, 84(%r4)
        mfcr    %r5
        stw     %r5, 88(%r4)
        lwz     %r4, FRAME_CR(%r3)
        mtcrf   0xff, %r4
        lwz     %r4, FRAME_XER(%r3)
        mtxer   %r4
        lwz     %r4, FRAME_LR(%r3)
        mtlr    %r4
        lwz     %r4, FRAME_CTR(%r3)
        mtctr   %r4
        lwz     %r4, FRAME_PC(%r3)
        mtspr   SPR_SRR0, %r4
        lwz     %r4, FRAME_MSR(%r3)
        mtspr   SPR_SRR1, %r4
        lwz     %r0, 0(%r3)
        lwz     %r1, 4(%r3)
        lwz     %r2, 8(%r3)
        lmw     %r4, 16(%r3)
        lwz     %r3, 12(%r3)
        rfi

        .globl  probe_return
probe_return:
        load_address %r4, probe_context
        lwz     %r5, 84(%r4)
        mtlr    %r5
        lwz     %r5, 88(%r4)
        mtcrf   0xff, %r5
        lwz     %r1, 76(%r4)
        lwz     %r2, 80(%r4)
        lmw     %r13, 0(%r4)
        blr

        .section .bss
        .balign 4
probe_context:
        .space  96
