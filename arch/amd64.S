/* SPDX-License-Identifier: MIT */
/* x86-64: makes and switches contexts. */

/*
 * What the switch leaves on the stack of a context that does not run:
 *
 *	sp + 0	MXCSR, then at + 4 the x87 control word
 *	   + 8	r15 r14 r13 r12 rbx rbp
 *	   +56	where to go on
 *
 * No CET note is claimed: a shadow stack would have to be switched too.
 *
 * MXCSR holds control bits, which the calling convention has a call keep, and
 * the flags of past operations, which it does not.  Loading it always is what
 * AMD's processors do best, for comparing waits for the store just before.  On
 * Intel's a load that changes anything, a flag too, takes 28 ns: there it is
 * loaded only if a control bit differs, and a flag stays what it is.  The byte
 * that says so also says whether sanitizers are to be told: see sanitize.c.
 */
	.text

/*
 * void *task_contextpass(Context *from, Context *to, uintptr_t value)
 * int task_contextswitch(Context *from, Context *to, uintptr_t value)
 */
	.globl	task_contextpass
	.hidden	task_contextpass
	.type	task_contextpass, @function
	.p2align 4
task_contextpass:
	.cfi_startproc
	pushq	%rbp		/* the registers that belong to the caller */
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbp, 0
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	pushq	%r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r12, 0
	pushq	%r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r13, 0
	pushq	%r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r14, 0
	pushq	%r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset r15, 0
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	stmxcsr	(%rsp)
	fnstcw	4(%rsp)
	movzwl	4(%rsp), %ecx
	cmpb	$0, task_contextway(%rip)
	jne	3f
	movq	%rsp, (%rdi)	/* from->sp */
	movq	(%rsi), %rsp	/* to->sp: now on its stack, shaped the same */
	ldmxcsr	(%rsp)
0:	cmpw	%cx, 4(%rsp)
	jne	2f		/* fldcw is slow */
1:	.cfi_remember_state
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	popq	%r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore r15
	popq	%r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore r14
	popq	%r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore r13
	popq	%r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore r12
	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	popq	%rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbp
	movq	%rdx, %rax	/* return value, in to */
	popq	%rcx
	.cfi_adjust_cfa_offset -8
	.cfi_register rip, rcx
	/* not ret: it would be predicted to return to from */
	jmp	*%rcx
2:	.cfi_restore_state
	fldcw	4(%rsp)
	jmp	1b
3:	js	4f
	movl	(%rsp), %eax
	movq	%rsp, (%rdi)
	movq	(%rsi), %rsp
	xorl	(%rsp), %eax
	testl	$0xffc0, %eax	/* its control bits */
	je	0b
	ldmxcsr	(%rsp)
	jmp	0b
4:	movq	%rdx, %r12	/* the registers are on the stack already */
	movq	%rsp, %rdx
	call	task_tellbefore	/* sanitizers: returns where to has its sp */
	movq	%rax, %rsp
	call	task_tellafter
	movq	%r12, %rdx
	ldmxcsr	(%rsp)
	jmp	2b
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
	.type	task_contextframe, @function
	.p2align 4
task_contextframe:
	.cfi_startproc
	andq	$-16, %rsi
	leaq	-64(%rsi), %rax	/* the frame that the switch expects */
	movq	(%r8), %r9
	movq	%r9, (%rax)
	movq	%rcx, 32(%rax)	/* r12: arg */
	movq	%rdx, 40(%rax)	/* rbx: fn */
	movq	$0, 48(%rax)	/* rbp: a walk along frame pointers ends here */
	leaq	entry(%rip), %rcx
	movq	%rcx, 56(%rax)
	ret
	.cfi_endproc
	.size	task_contextframe, .-task_contextframe

/* void task_contextfp(Fpenv *fp) */
	.globl	task_contextfp
	.hidden	task_contextfp
	.type	task_contextfp, @function
	.p2align 4
task_contextfp:
	.cfi_startproc
	stmxcsr	(%rdi)
	fnstcw	4(%rdi)
	ret
	.cfi_endproc
	.size	task_contextfp, .-task_contextfp

/* The first thing to run in a context, with the stack aligned for a call. */
	.type	entry, @function
	.p2align 4
	.cfi_startproc
	/* the end of the chain of calls, for unwinders */
	.cfi_undefined rip
	/* unwinders look one byte before the address returned to */
	nop
entry:
	movq	%r12, %rdi
	call	*%rbx
	ud2			/* fn never returns */
	.cfi_endproc
	.size	entry, .-entry

/* When the program is loaded: whose processor is it? */
	.type	choose, @function
	.p2align 4
choose:
	.cfi_startproc
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	xorl	%eax, %eax
	cpuid
	cmpl	$0x68747541, %ebx	/* "Auth"enticAMD */
	je	1f
	cmpl	$0x6f677948, %ebx	/* "Hygo"nGenuine, the same cores */
	je	1f
	orb	$1, task_contextway(%rip)
1:	popq	%rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	ret
	.cfi_endproc
	.size	choose, .-choose

	.section .init_array, "aw", @init_array
	.p2align 3
	.quad	choose

	.section .note.GNU-stack, "", @progbits
