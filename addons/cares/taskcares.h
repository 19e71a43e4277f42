/* SPDX-License-Identifier: MIT */
/* Names, looked up with c-ares: cares(3). */
#ifndef TASK_CARES_H
#define TASK_CARES_H

#include <task.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * caresresolve is netresolve by c-ares, which asks name servers itself: no
 * thread stands still for a name, and any number is looked up at a time.  It
 * knows what resolv.conf(5) and hosts(5) say, and nothing of the other sources
 * that nsswitch.conf(5) may name.  Addresses in numbers and localhost go to
 * netresolve.
 * Sizes: v holds n addresses.
 * Returns how many there are in v; -1 with EAGAIN (no name server answers, or
 * none as it should), EINVAL, ENOENT (no such host), ENOMEM, EMFILE, ENFILE,
 * EPERM.
 * Blocks: until there is an answer.
 */
int caresresolve(const char *host, int port, struct sockaddr_storage *v, int n);

/*
 * caresservers has all procs ask other name servers than those of
 * resolv.conf(5): "address:port,address", each for so many milliseconds the
 * first time, so many times.  NULL and 0 leave things as they are configured.
 * A proc that has look-ups under way goes on as it does until it has none.  It
 * works in any thread.
 * Returns 0; -1 with EINVAL (not such a list, tries below 0, or ms too many),
 * ENOMEM.
 */
int caresservers(const char *servers, unsigned int ms, int tries);

#ifdef __cplusplus
}
#endif
#endif
