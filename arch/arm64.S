/* SPDX-License-Identifier: MIT */
/* AArch64: makes and switches contexts. */

/*
 * What the switch leaves on the stack of a context that does not run:
 *
 *	sp +  0	x19 ... x28
 *	   + 80	x29 (frame pointer), x30 (where to go on)
 *	   + 96	d8 ... d15
 *	   +160	FPCR
 *
 * FPSR holds the flags of past operations, which no call has to keep.
 */
	.text

/*
 * void *task_contextpass(Context *from, Context *to, uintptr_t value)
 * int task_contextswitch(Context *from, Context *to, uintptr_t value)
 */
	.globl	task_contextpass
	.hidden	task_contextpass
	.type	task_contextpass, %function
	.p2align 4
task_contextpass:
	.cfi_startproc
	sub	sp, sp, #176
	.cfi_def_cfa_offset 176
	stp	x19, x20, [sp, #0]	/* the caller's registers */
	stp	x21, x22, [sp, #16]
	stp	x23, x24, [sp, #32]
	stp	x25, x26, [sp, #48]
	stp	x27, x28, [sp, #64]
	stp	x29, x30, [sp, #80]
	stp	d8, d9, [sp, #96]
	stp	d10, d11, [sp, #112]
	stp	d12, d13, [sp, #128]
	stp	d14, d15, [sp, #144]
	.cfi_offset x19, -176
	.cfi_offset x20, -168
	.cfi_offset x21, -160
	.cfi_offset x22, -152
	.cfi_offset x23, -144
	.cfi_offset x24, -136
	.cfi_offset x25, -128
	.cfi_offset x26, -120
	.cfi_offset x27, -112
	.cfi_offset x28, -104
	.cfi_offset x29, -96
	.cfi_offset x30, -88
	mrs	x9, fpcr
	str	x9, [sp, #160]
	adrp	x10, task_contextway
	ldrsb	w10, [x10, #:lo12:task_contextway]
	cbnz	w10, 3f
	mov	x11, sp
	str	x11, [x0]		/* from->sp */
	ldr	x11, [x1]
	mov	sp, x11			/* to->sp: from here on its stack */
	ldr	x12, [sp, #160]
	cmp	x9, x12
	b.ne	2f			/* writing it is slow */
1:	ldp	x19, x20, [sp, #0]
	ldp	x21, x22, [sp, #16]
	ldp	x23, x24, [sp, #32]
	ldp	x25, x26, [sp, #48]
	ldp	x27, x28, [sp, #64]
	ldp	x29, x30, [sp, #80]
	ldp	d8, d9, [sp, #96]
	ldp	d10, d11, [sp, #112]
	ldp	d12, d13, [sp, #128]
	ldp	d14, d15, [sp, #144]
	mov	x0, x2			/* return value, in to */
	add	sp, sp, #176
	/* not ret: it would be predicted to return to from */
	br	x30
2:	msr	fpcr, x12
	b	1b
3:	mov	x19, x2			/* it is on the stack already */
	mov	x2, sp
	bl	task_tellbefore		/* sanitizers: where it has sp */
	mov	sp, x0
	bl	task_tellafter
	mov	x2, x19
	ldr	x12, [sp, #160]
	b	2b
	.cfi_endproc
	.size	task_contextpass, .-task_contextpass
	.globl	task_contextswitch
	.hidden	task_contextswitch
	.set	task_contextswitch, task_contextpass

/*
 * void *task_contextframe(low, top, void (*fn)(void*), void *arg,
 *	const Fpenv *fp)
 */
	.globl	task_contextframe
	.hidden	task_contextframe
	.type	task_contextframe, %function
	.p2align 4
task_contextframe:
	.cfi_startproc
	and	x1, x1, #-16
	sub	x0, x1, #176		/* the frame that the switch expects */
	stp	x2, x3, [x0, #0]	/* x19: fn, x20: arg */
	adr	x9, entry
	stp	xzr, x9, [x0, #80]	/* x29: frame pointer walks end here */
	ldr	x9, [x4]
	str	x9, [x0, #160]
	ret
	.cfi_endproc
	.size	task_contextframe, .-task_contextframe

/* void task_contextfp(Fpenv *fp) */
	.globl	task_contextfp
	.hidden	task_contextfp
	.type	task_contextfp, %function
	.p2align 4
task_contextfp:
	.cfi_startproc
	mrs	x9, fpcr
	str	x9, [x0]
	ret
	.cfi_endproc
	.size	task_contextfp, .-task_contextfp

/* The first thing to run in a context. */
	.type	entry, %function
	.p2align 4
	.cfi_startproc
	/* the end of the chain of calls, for unwinders */
	.cfi_undefined x30
	/* unwinders look one instruction before the address returned to */
	nop
entry:
	mov	x0, x20
	mov	x30, xzr
	blr	x19
	brk	#1			/* fn never returns */
	.cfi_endproc
	.size	entry, .-entry

	.section .note.GNU-stack, "", %progbits
