/* SPDX-License-Identifier: MIT */
/* What Valgrind can be told, and whether it is there. */
#ifndef TASK_TELL_H
#define TASK_TELL_H

/* Requests that do nothing where Valgrind's headers are not installed. */
#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#include <valgrind/memcheck.h>
#endif
#endif
#ifndef RUNNING_ON_VALGRIND
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_STACK_REGISTER(low, end) ((void)(low), (void)(end), 0)
#define VALGRIND_STACK_DEREGISTER(number) (void)(number)
#define VALGRIND_MAKE_MEM_DEFINED(low, bytes) ((void)(low), (void)(bytes))
#endif

#endif
