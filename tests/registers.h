/* SPDX-License-Identifier: MIT */
/* Random values in the registers that a call must keep, around one call. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

/*
 * REGISTERS_AROUND(name, fn) defines
 *
 *	void name(const uint64_t in[], uint64_t out[], void *a, void *b, int c);
 *
 * which loads RegisterCount registers from in, calls fn(a, b, c), and stores
 * what they hold then in out.  fn is called while the values are in the
 * registers themselves: a switch in it has nobody else to thank if they
 * survive.
 */
#if defined(__x86_64__)
enum { RegisterCount = 6 };

#define REGISTERS_AROUND(name, fn) \
	void name(const uint64_t *, uint64_t *, void *, void *, int); \
	__asm__( \
		".text\n" \
		".type " #name ", @function\n" \
		#name ":\n" \
		"	pushq %rbx\n" \
		"	pushq %rbp\n" \
		"	pushq %r12\n" \
		"	pushq %r13\n" \
		"	pushq %r14\n" \
		"	pushq %r15\n" \
		"	pushq %rsi\n" \
		"	movq 0(%rdi), %rbx\n" \
		"	movq 8(%rdi), %rbp\n" \
		"	movq 16(%rdi), %r12\n" \
		"	movq 24(%rdi), %r13\n" \
		"	movq 32(%rdi), %r14\n" \
		"	movq 40(%rdi), %r15\n" \
		"	movq %rdx, %rdi\n" \
		"	movq %rcx, %rsi\n" \
		"	movl %r8d, %edx\n" \
		"	call " #fn "\n" \
		"	popq %rsi\n" \
		"	movq %rbx, 0(%rsi)\n" \
		"	movq %rbp, 8(%rsi)\n" \
		"	movq %r12, 16(%rsi)\n" \
		"	movq %r13, 24(%rsi)\n" \
		"	movq %r14, 32(%rsi)\n" \
		"	movq %r15, 40(%rsi)\n" \
		"	popq %r15\n" \
		"	popq %r14\n" \
		"	popq %r13\n" \
		"	popq %r12\n" \
		"	popq %rbp\n" \
		"	popq %rbx\n" \
		"	ret\n" \
		".size " #name ", .-" #name "\n")
#elif defined(__aarch64__)
enum { RegisterCount = 19 };

#define REGISTERS_AROUND(name, fn) \
	void name(const uint64_t *, uint64_t *, void *, void *, int); \
	__asm__( \
		".text\n" \
		".type " #name ", %function\n" \
		#name ":\n" \
		"	sub sp, sp, #176\n" \
		"	stp x19, x20, [sp, #0]\n" \
		"	stp x21, x22, [sp, #16]\n" \
		"	stp x23, x24, [sp, #32]\n" \
		"	stp x25, x26, [sp, #48]\n" \
		"	stp x27, x28, [sp, #64]\n" \
		"	stp x29, x30, [sp, #80]\n" \
		"	stp d8, d9, [sp, #96]\n" \
		"	stp d10, d11, [sp, #112]\n" \
		"	stp d12, d13, [sp, #128]\n" \
		"	stp d14, d15, [sp, #144]\n" \
		"	str x1, [sp, #160]\n" \
		"	ldp x19, x20, [x0, #0]\n" \
		"	ldp x21, x22, [x0, #16]\n" \
		"	ldp x23, x24, [x0, #32]\n" \
		"	ldp x25, x26, [x0, #48]\n" \
		"	ldp x27, x28, [x0, #64]\n" \
		"	ldr x29, [x0, #80]\n" \
		"	ldp d8, d9, [x0, #88]\n" \
		"	ldp d10, d11, [x0, #104]\n" \
		"	ldp d12, d13, [x0, #120]\n" \
		"	ldp d14, d15, [x0, #136]\n" \
		"	mov x0, x2\n" \
		"	mov x1, x3\n" \
		"	mov w2, w4\n" \
		"	bl " #fn "\n" \
		"	ldr x1, [sp, #160]\n" \
		"	stp x19, x20, [x1, #0]\n" \
		"	stp x21, x22, [x1, #16]\n" \
		"	stp x23, x24, [x1, #32]\n" \
		"	stp x25, x26, [x1, #48]\n" \
		"	stp x27, x28, [x1, #64]\n" \
		"	str x29, [x1, #80]\n" \
		"	stp d8, d9, [x1, #88]\n" \
		"	stp d10, d11, [x1, #104]\n" \
		"	stp d12, d13, [x1, #120]\n" \
		"	stp d14, d15, [x1, #136]\n" \
		"	ldp x19, x20, [sp, #0]\n" \
		"	ldp x21, x22, [sp, #16]\n" \
		"	ldp x23, x24, [sp, #32]\n" \
		"	ldp x25, x26, [sp, #48]\n" \
		"	ldp x27, x28, [sp, #64]\n" \
		"	ldp x29, x30, [sp, #80]\n" \
		"	ldp d8, d9, [sp, #96]\n" \
		"	ldp d10, d11, [sp, #112]\n" \
		"	ldp d12, d13, [sp, #128]\n" \
		"	ldp d14, d15, [sp, #144]\n" \
		"	add sp, sp, #176\n" \
		"	ret\n" \
		".size " #name ", .-" #name "\n")
#endif

/* xorshift: a stream of values; seed is not 0. */
static inline uint64_t
nextrandom(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

#endif
