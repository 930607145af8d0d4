/* The fast paths of a hypervisor on a real 440, one for each kind of exit, as a careful programmer would write them: a guest
 * runs in user state and in address space 1, the handlers in supervisor state and in address space 0; a handler saves what
 * it uses, finds out what the guest wanted, does it to the vcpu in memory, and goes back. SPRG0 is scratch, SPRG1 holds the
 * vcpu. What they take is counted from inside the guest, by the time base on both sides of the instruction that exits.
 */
#include "cost-model.h"
#include "ppc440.h"

#define SPR_SPRG1 273
#define KEPT (MSR_CE | MSR_ME | MSR_DE)

        .section .vectors, "ax", @progbits

/* Room for r3 to r8, CR, LR and CTR; r3 becomes the vcpu. */
        .macro  enter
        mtspr   SPR_SPRG0, %r3
        mfspr   %r3, SPR_SPRG1
        .irp    n, 4, 5, 6, 7, 8
        stw     %r\n, V_GPR + 4*\n(%r3)
        .endr
        mfspr   %r4, SPR_SPRG0
        mfcr    %r5
        mflr    %r6
        mfctr   %r7
        stw     %r4, V_GPR + 12(%r3)
        stw     %r5, V_CR(%r3)
        stw     %r6, V_LR(%r3)
        stw     %r7, V_CTR(%r3)
        .endm

/* r6 is where the guest goes on. */
leave:  mtspr   SPR_SRR0, %r6
        lwz     %r4, V_CR(%r3)
        lwz     %r5, V_LR(%r3)
        lwz     %r6, V_CTR(%r3)
        mtcr    %r4
        mtlr    %r5
        mtctr   %r6
        .irp    n, 4, 5, 6, 7, 8, 3
        lwz     %r\n, V_GPR + 4*\n(%r3)
        .endr
        rfi

advance:
        addi    %r6, %r6, 4
        b       leave

/* r4 <- the instruction at SRR0 (r6), read in the guest's address space. */
        .macro  fetch
        mfspr   %r6, SPR_SRR0
        mfmsr   %r7
        ori     %r8, %r7, MSR_DS
        mtmsr   %r8
        isync
        lwz     %r4, 0(%r6)
        mtmsr   %r7
        isync
        .endm

/* r7 <- the register that a field of r4 names (11 bits from the left for RA, 6 for RS): a jump into `getters`. */
        .macro  get field
        rlwinm  %r5, %r4, (\field + 5 + 3) & 31, 24, 28
        addis   %r5, %r5, getters@ha
        addi    %r5, %r5, getters@l
        mtctr   %r5
        bctrl
        .endm

/* The register that RT of r4 names <- r7, and behind the instruction. */
set_rt: rlwinm  %r5, %r4, 14, 24, 28
        addis   %r5, %r5, setters@ha
        addi    %r5, %r5, setters@l
        mtctr   %r5
        bctr

/* r3 to r8 are in the vcpu, all others in themselves. */
getters:
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        .if     \n >= 3 && \n <= 8
        lwz     %r7, V_GPR + 4*\n(%r3)
        .else
        mr      %r7, %r\n
        .endif
        blr
        .endr
setters:
        .irp    n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        .if     \n >= 3 && \n <= 8
        stw     %r7, V_GPR + 4*\n(%r3)
        .else
        mr      %r\n, %r7
        .endif
        b       advance
        .endr

/* The real PID for the guest's PID and the privilege in r7, its MSR. */
        .macro  switch_pid
        lwz     %r5, V_PID(%r3)
        rlwimi  %r5, %r7, 26, 23, 23
        add     %r5, %r5, %r3
        lbz     %r5, V_REAL_PID(%r5)
        mtspr   SPR_PID, %r5
        .endm

/* The guest's MSR is r7 and it goes on at r6: unless an interrupt waits that it lets through. */
resume: andi.   %r5, %r7, MSR_EE
        beq     leave
        lwz     %r5, V_PENDING(%r3)
        cmpwi   %r5, 0
        beq     leave
        li      %r8, V_IVOR + 4*VECTOR_EXTERNAL_INPUT
/* Enter the guest's handler whose IVOR lies at r8 of the vcpu; r6 is what it comes back to. */
inject: lwz     %r7, V_MSR(%r3)
        stw     %r6, V_SRR0(%r3)
        stw     %r7, V_SRR1(%r3)
        andi.   %r4, %r7, MSR_PR
        lis     %r5, KEPT@h
        ori     %r5, %r5, KEPT@l
        and     %r7, %r7, %r5
        stw     %r7, V_MSR(%r3)
        lwz     %r6, V_IVPR(%r3)
        lwzx    %r5, %r3, %r8
        or      %r6, %r6, %r5
        cmpwi   %r4, 0
        beq     leave
        switch_pid
        b       leave

/* ---- emulate ---- */
        .balign 16
        .globl  program_entry
program_entry:
        enter
        mfspr   %r4, SPR_ESR
        andis.  %r5, %r4, ESR_PPR@h
        beq     reflect_program
        lwz     %r5, V_MSR(%r3)
        andi.   %r5, %r5, MSR_PR
        bne     reflect_program
        fetch
        rlwinm  %r5, %r4, 6, 26, 31
        cmpwi   %r5, 31
        bne     emulate_rfi
        rlwinm  %r5, %r4, 1, 20, 29
        addis   %r5, %r5, emulators@ha
        lwz     %r5, emulators@l(%r5)
        mtctr   %r5
        bctr

reflect_program:
        stw     %r4, V_ESR(%r3)
        mfspr   %r6, SPR_SRR0
        li      %r8, V_IVOR + 4*VECTOR_PROGRAM
        b       inject

emulate_mfmsr:
        lwz     %r7, V_MSR(%r3)
        b       set_rt

emulate_wrteei:
        lwz     %r7, V_MSR(%r3)
        rlwimi  %r7, %r4, 0, 16, 16     /* E lies where MSR[EE] does */
        stw     %r7, V_MSR(%r3)
        addi    %r6, %r6, 4
        b       resume

emulate_wrtee:
        get     6
        lwz     %r5, V_MSR(%r3)
        rlwimi  %r5, %r7, 0, 16, 16
        mr      %r7, %r5
        stw     %r7, V_MSR(%r3)
        addi    %r6, %r6, 4
        b       resume

emulate_mtmsr:
        get     6
        stw     %r7, V_MSR(%r3)
        addi    %r6, %r6, 4
        switch_pid
        b       resume

emulate_rfi:
        rlwinm  %r5, %r4, 31, 22, 31
        cmpwi   %r5, 50
        bne     reflect_program
        lwz     %r7, V_SRR1(%r3)
        lwz     %r6, V_SRR0(%r3)
        stw     %r7, V_MSR(%r3)
        switch_pid
        b       resume

/* r5 <- where in the vcpu the SPR of r4 is kept, CR0[EQ] if it is none of those. */
        .macro  find_spr
        rlwinm  %r5, %r4, 17, 26, 30
        rlwimi  %r5, %r4, 27, 21, 25
        addis   %r5, %r5, spr_places@ha
        lhz     %r5, spr_places@l(%r5)
        cmpwi   %r5, 0
        .endm

emulate_mfspr:
        find_spr
        beq     reflect_program
        lwzx    %r7, %r3, %r5
        b       set_rt

emulate_mtspr:
        get     6
        find_spr
        beq     reflect_program
        stwx    %r7, %r3, %r5
        cmpwi   %r5, V_PID
        bne     advance
        lwz     %r7, V_MSR(%r3)
        switch_pid
        b       advance

/* Word 0 becomes a mask and a tag to compare with; what the entry was shadowed by goes. */
emulate_tlbwe:
        get     11
        andi.   %r8, %r7, 63
        get     6
        mulli   %r5, %r8, TLB_STRIDE
        add     %r5, %r5, %r3
        add     %r8, %r8, %r3
        andi.   %r4, %r4, 0xf800
        beq     1f
        srwi    %r4, %r4, 9             /* WS * 4: words 1 and 2 lie behind mask and tag */
        add     %r5, %r5, %r4
        stw     %r7, V_TLB + 4(%r5)
        b       3f
1:      lwz     %r4, V_MMUCR(%r3)
        stw     %r4, V_TLB + 16(%r5)
        rlwinm  %r6, %r7, 29, 27, 30    /* SIZE * 2: a page has 4^SIZE KiB */
        li      %r4, -1024
        slw     %r4, %r4, %r6
        and     %r6, %r7, %r4
        andi.   %r7, %r7, TLB_VALID
        bne     2f
        li      %r4, 0                  /* a mask and a tag that never agree */
        li      %r6, 1
2:      stw     %r4, V_TLB(%r5)
        stw     %r6, V_TLB + 4(%r5)
        mfspr   %r6, SPR_SRR0
3:      lbz     %r5, V_SHADOW_OF(%r8)
        cmpwi   %r5, NO_SHADOW
        beq     advance
        li      %r4, 0
        tlbwe   %r4, %r5, 0
        li      %r4, NO_SHADOW
        stb     %r4, V_SHADOW_OF(%r8)
        b       advance

/* ---- shadow miss, device, and the guest's own miss ---- */

        .balign 16
        .globl  data_tlb_entry
data_tlb_entry:
        enter
        mfspr   %r6, SPR_DEAR
        addi    %r5, %r3, V_TLB - TLB_STRIDE
        li      %r4, TLB_ENTRIES
        mtctr   %r4
1:      lwzu    %r7, TLB_STRIDE(%r5)
        lwz     %r8, 4(%r5)
        and     %r7, %r7, %r6
        cmplw   %r7, %r8
        bdnzf   2, 1b
        bne     reflect_miss
        lwz     %r4, V_PID(%r3)         /* the entry's own PID, or 0 */
        lwz     %r7, 16(%r5)
        cmpwi   %r7, 0
        beq     2f
        cmpw    %r7, %r4
        bne     1b
2:      lwz     %r7, 0(%r5)
        lwz     %r4, 8(%r5)             /* guest-physical: the entry's RPN, and the address within the page */
        andc    %r8, %r6, %r7
        and     %r4, %r4, %r7
        or      %r4, %r4, %r8
        lwz     %r7, V_RAM(%r3)
        cmplw   %r4, %r7
        bge     device

        lwz     %r7, V_BASE(%r3)
        add     %r4, %r4, %r7
        rlwinm  %r4, %r4, 0, 0, 19
        rlwinm  %r6, %r6, 0, 0, 19
        ori     %r6, %r6, TLB_VALID | TLB_4K | TLB_TS
        lwz     %r7, 12(%r5)            /* the supervisor's rights or the user's, given as a user's and as ours */
        lwz     %r8, V_MSR(%r3)
        andi.   %r8, %r8, MSR_PR
        bne     3f
        rlwimi  %r7, %r7, 3, 26, 28
3:      rlwimi  %r7, %r7, 29, 29, 31
        lwz     %r8, V_VICTIM(%r3)
        subf    %r5, %r3, %r5
        tlbwe   %r4, %r8, 1
        tlbwe   %r7, %r8, 2
        mfspr   %r7, SPR_PID
        mtspr   SPR_MMUCR, %r7
        tlbwe   %r6, %r8, 0
        addi    %r5, %r5, -V_TLB
        li      %r7, TLB_STRIDE
        divwu   %r5, %r5, %r7
        add     %r5, %r5, %r3
        stb     %r8, V_SHADOW_OF(%r5)
        addi    %r8, %r8, 1
        cmpwi   %r8, LAST_SHADOW
        ble     4f
        li      %r8, FIRST_SHADOW
4:      stw     %r8, V_VICTIM(%r3)
        mfspr   %r6, SPR_SRR0
        b       leave

reflect_miss:
        mfspr   %r4, SPR_ESR
        stw     %r6, V_DEAR(%r3)
        stw     %r4, V_ESR(%r3)
        mfspr   %r6, SPR_SRR0
        li      %r8, V_IVOR + 4*VECTOR_DATA_TLB
        b       inject

/* r4 is the guest-physical address: a register of the virtual UART. lbz and stb, which drivers use. */
device: rlwinm  %r5, %r4, 0, 0, 19
        lis     %r7, UART_PAGE@h
        cmplw   %r5, %r7
        bne     reflect_miss
        andi.   %r8, %r4, 7
        stw     %r8, V_XER(%r3)
        fetch
        lwz     %r8, V_XER(%r3)
        rlwinm  %r5, %r4, 6, 26, 31
        cmpwi   %r5, 34
        beq     uart_read
        cmpwi   %r5, 38
        bne     reflect_miss
        cmpwi   %r8, 0
        bne     reflect_miss
        get     6                       /* THR: into the ring, and the interrupt that it is empty again */
        lwz     %r5, V_UART + 8(%r3)
        add     %r8, %r5, %r3
        stb     %r7, V_RING(%r8)
        addi    %r5, %r5, 1
        rlwinm  %r5, %r5, 0, 26, 31
        stw     %r5, V_UART + 8(%r3)
        lwz     %r7, V_UART(%r3)
        ori     %r7, %r7, 0x60
        stw     %r7, V_UART(%r3)
        lwz     %r7, V_UART + 4(%r3)
        andi.   %r7, %r7, 2
        beq     advance
        stw     %r7, V_PENDING(%r3)
        lwz     %r7, V_MSR(%r3)
        addi    %r6, %r6, 4
        b       resume
uart_read:
        cmpwi   %r8, 5
        bne     reflect_miss
        lwz     %r7, V_UART(%r3)
        b       set_rt

/* ---- system call, hypercall ---- */

        .balign 16
        .globl  system_call_entry
system_call_entry:
        enter
        mfspr   %r6, SPR_SRR0
        lwz     %r7, V_MSR(%r3)
        li      %r8, V_IVOR + 4*VECTOR_SYSTEM_CALL
        andi.   %r5, %r7, MSR_PR
        bne     inject
        cmpwi   %r11, CALL_END
        beq     leave_guest
        srwi    %r5, %r11, 16
        cmpwi   %r5, 1
        bne     inject
        clrlwi  %r5, %r11, 16
        cmplwi  %r5, 3
        bgt     inject
        slwi    %r5, %r5, 2
        addis   %r5, %r5, calls@ha
        lwz     %r5, calls@l(%r5)
        mtctr   %r5
        bctr

/* What it returns goes where r3 to r5 are kept. */
call_poll:
        lwz     %r5, V_UART + 8(%r3)
        li      %r4, 0
        stw     %r4, V_GPR + 12(%r3)
        stw     %r4, V_GPR + 16(%r3)
        subfic  %r5, %r5, 64
        stw     %r5, V_GPR + 20(%r3)
        b       leave

/* r4 bytes of r5 to r8. */
call_send:
        lwz     %r4, V_GPR + 16(%r3)
        cmplwi  %r4, 16
        bgt     inject
        cmpwi   %r4, 0
        beq     2f
        mtctr   %r4
        addi    %r7, %r3, V_GPR + 20 - 1
        lwz     %r5, V_UART + 8(%r3)
1:      lbzu    %r8, 1(%r7)
        add     %r4, %r5, %r3
        stb     %r8, V_RING(%r4)
        addi    %r5, %r5, 1
        rlwinm  %r5, %r5, 0, 26, 31
        bdnz    1b
        stw     %r5, V_UART + 8(%r3)
2:      li      %r4, 0
        stw     %r4, V_GPR + 12(%r3)
        b       leave

/* ---- the hypervisor's own timer ---- */

        .balign 16
        .globl  decrementer_entry
decrementer_entry:
        enter
        lis     %r4, TSR_DIS@h
        mtspr   SPR_TSR, %r4
        lwz     %r5, V_QUANTUM(%r3)
        addi    %r5, %r5, -1
        stw     %r5, V_QUANTUM(%r3)
        cmpwi   %r5, 0
        mfspr   %r6, SPR_SRR0
        lwz     %r7, V_MSR(%r3)
        bgt     resume
        li      %r5, 100                /* a new quantum, and whose turn is it? */
        stw     %r5, V_QUANTUM(%r3)
        mr      %r4, %r3
1:      lwz     %r4, V_NEXT(%r4)
        lwz     %r5, V_RUNNABLE(%r4)
        cmpwi   %r5, 0
        beq     1b
        lwz     %r5, V_TSR(%r3)         /* the measurement's: a switch to itself is one */
        or      %r5, %r5, %r5
        cmpwi   %r5, 0
        bne     world_switch
        cmpw    %r4, %r3
        beq     resume

world_switch:
        .irp    n, 0,1,2,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        stw     %r\n, V_GPR + 4*\n(%r3)
        .endr
        mfxer   %r5
        stw     %r5, V_XER(%r3)
        .irp    n, 0, 1, 2, 3
        mfspr   %r5, SPR_SPRG4 + \n
        stw     %r5, V_SPRG + 16 + 4*\n(%r3)
        .endr
        mfspr   %r5, SPR_USPRG0
        stw     %r5, V_USPRG0(%r3)
        stw     %r6, V_TCR(%r3)
        mtspr   SPR_SPRG1, %r4
        mr      %r3, %r4
        lwz     %r6, V_TCR(%r3)
        lwz     %r5, V_USPRG0(%r3)
        mtspr   SPR_USPRG0, %r5
        .irp    n, 0, 1, 2, 3
        lwz     %r5, V_SPRG + 16 + 4*\n(%r3)
        mtspr   SPR_SPRG4 + \n, %r5
        .endr
        lwz     %r5, V_XER(%r3)
        mtxer   %r5
        .irp    n, 0,1,2,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        lwz     %r\n, V_GPR + 4*\n(%r3)
        .endr
        lwz     %r7, V_MSR(%r3)
        switch_pid
        b       resume

/* ---- tables ---- */

        .section .rodata, "a", @progbits
        .balign 4
calls:  .long   reflect_program, call_send, reflect_program, call_poll

emulators:
        .set    xo, 0
        .rept   1024
        .if     xo == 83
        .long   emulate_mfmsr
        .elseif xo == 131
        .long   emulate_wrtee
        .elseif xo == 146
        .long   emulate_mtmsr
        .elseif xo == 163
        .long   emulate_wrteei
        .elseif xo == 339
        .long   emulate_mfspr
        .elseif xo == 467
        .long   emulate_mtspr
        .elseif xo == 978
        .long   emulate_tlbwe
        .else
        .long   reflect_program
        .endif
        .set    xo, xo + 1
        .endr

spr_places:
        .set    spr, 0
        .rept   1024
        .if     spr == SPR_PID
        .short  V_PID
        .elseif spr == SPR_SRR0
        .short  V_SRR0
        .elseif spr == SPR_SRR1
        .short  V_SRR1
        .elseif spr == SPR_DEAR
        .short  V_DEAR
        .elseif spr == SPR_ESR
        .short  V_ESR
        .elseif spr == SPR_MMUCR
        .short  V_MMUCR
        .elseif spr >= SPR_SPRG0 && spr < SPR_SPRG0 + 8
        .short  V_SPRG + 4*(spr - SPR_SPRG0)
        .else
        .short  0
        .endif
        .set    spr, spr + 1
        .endr

/* ---- into the guest and out of it ---- */

        .section .bss
        .balign 4
        .globl  vcpu
vcpu:   .space  V_SIZE
saved:  .space  88

        .text
/* enter_guest(address, msr, r9, r10, r11, r12): runs the guest there, its r4 as its r12, until CALL_END; gives r21 - r20. */
        .globl  enter_guest
enter_guest:
        mr      %r9, %r5
        mr      %r10, %r6
        mr      %r11, %r7
        mr      %r12, %r8
        lis     %r5, saved@ha
        addi    %r5, %r5, saved@l
        stmw    %r13, 8(%r5)
        mflr    %r6
        stw     %r6, 0(%r5)
        stw     %r1, 4(%r5)
        mfmsr   %r6
        stw     %r6, 84(%r5)
        lis     %r5, vcpu@ha
        addi    %r5, %r5, vcpu@l
        mtspr   SPR_SPRG1, %r5
        mtspr   SPR_SRR0, %r3
        mtspr   SPR_SRR1, %r4
        mr      %r4, %r12
        rfi
leave_guest:
        subf    %r3, %r20, %r21
        lis     %r5, saved@ha
        addi    %r5, %r5, saved@l
        lwz     %r6, 0(%r5)
        mtlr    %r6
        lwz     %r1, 4(%r5)
        lwz     %r2, 84(%r5)
        lmw     %r13, 8(%r5)
        mtmsr   %r2
        isync
        blr

/* What is measured: time before, one instruction, time behind; then the end. */
        .macro  measured name
        .globl  guest_\name
guest_\name:
        mfspr   %r20, SPR_TBL_READ
        .endm
        .macro  end
        mfspr   %r21, SPR_TBL_READ
1:      li      %r11, CALL_END
        sc
        .endm

        measured nop
        nop
        end
        measured mfmsr
        mfmsr   %r12
        end
        measured mtmsr
        mtmsr   %r12
        end
        measured wrtee
        wrtee   %r12
        end
        measured wrteei
        wrteei  0
        end
        measured mfspr
        mfspr   %r12, SPR_SPRG0
        end
        measured mtspr
        mtspr   SPR_SPRG0, %r12
        end
        measured mtpid
        mtspr   SPR_PID, %r12
        end
        measured tlbwe
        tlbwe   %r12, %r10, 1
        end
        measured tlbwe0
        tlbwe   %r9, %r10, 0
        end
        measured touch
        lwz     %r12, 0(%r9)
        end
        measured uart_read
        lbz     %r12, 5(%r9)
        end
        measured uart_write
        stb     %r12, 0(%r9)
        end
        measured poll
        sc
        end
        measured rfi
        rfi
        .globl  guest_after
guest_after:
        end
        .globl  guest_wait
/* An interrupt between the two readings, if r12 tries are enough; then the guest ends. */
guest_wait:
        mfspr   %r20, SPR_TBL_READ
        mfspr   %r21, SPR_TBL_READ
        subf    %r22, %r20, %r21
        cmpwi   %r22, 8
        bge     1f
        addic.  %r12, %r12, -1
        bne     guest_wait
1:      li      %r11, CALL_END
        sc
