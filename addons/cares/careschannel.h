/* SPDX-License-Identifier: MIT */
/* The channel of c-ares that a thread has: sockets, and waiting for them. */
#ifndef TASK_CARESCHANNEL_H
#define TASK_CARESCHANNEL_H

#define CARES_NO_DEPRECATED	/* not here: old versions have no other */
#include "taskcares.h"
#include <ares.h>

#pragma GCC visibility push(hidden)

/* sets errno; returns -1. */
int cares_fail(int err);

/*
 * opens the channel, as caresservers wants it.
 * Returns 0; -1 with EAGAIN (it cannot be), EINVAL or ENOMEM.
 */
int cares_open(void);

/* Whether there is one, and c-ares may be called. */
int cares_isopen(void);

/* closes it, if there is one: all questions are answered with EDESTRUCTION. */
void cares_close(void);

/* Whether it was opened before a fork(2), and its sockets are the parent's. */
int cares_isforked(void);

/* before a fork(2), after it in the parent, and in the child. */
void cares_holdservers(void);
void cares_letgoservers(void);
void cares_countfork(void);

/* asks c-ares for the addresses of a host. */
void cares_ask(const char *host, ares_addrinfo_callback answered, void *arg);

/*
 * waits until c-ares has something to do, and lets it do that, or until e is
 * set or ms milliseconds are over; -1: for ever.  Others may close the channel
 * meanwhile.
 * Returns 0; -1 and errno as chanalt.
 */
int cares_turn(Event *e, int ms);

#pragma GCC visibility pop

#endif
