/* SPDX-License-Identifier: MIT */
/* Has the test's beforecall called before each call of libc's syscall. */
#ifndef BEFORE_H
#define BEFORE_H

#include <dlfcn.h>
#include <stdarg.h>
#include <sys/syscall.h>

static void beforecall(long number, const long *arg);

long
syscall(long number, ...)
{
	long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT,
		"syscall");
	long arg[6];
	va_list list;

	va_start(list, number);
	for(int i = 0; i < 6; i++)
		arg[i] = va_arg(list, long);
	va_end(list);
	beforecall(number, arg);
	return real(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

#endif
