/* SPDX-License-Identifier: MIT */
/* A descriptor in reserve, to refuse with when there are no others. */
#ifndef TASK_RESERVE_H
#define TASK_RESERVE_H

/* takes one for the process, if it has none. */
void task_reserve(void) __attribute__((visibility("hidden")));

/*
 * refuses connections that wait at listener, which does not block: gives up the
 * reserve, accepts and closes some of them, and takes a reserve again.
 */
void task_refuse(int listener) __attribute__((visibility("hidden")));

#endif
