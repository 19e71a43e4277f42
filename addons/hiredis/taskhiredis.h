/* SPDX-License-Identifier: MIT */
/* Asynchronous contexts of hiredis, driven by a task: hiredis(3). */
#ifndef TASK_HIREDIS_H
#define TASK_HIREDIS_H

#include <task.h>

#ifdef __cplusplus
extern "C" {
#endif

struct redisAsyncContext;	/* of <hiredis/async.h> */

/*
 * hiredisattach has a system task drive ac, until hiredis frees that: it waits
 * for the descriptor, and calls the functions that were given with commands.
 * These may make any call that blocks; until they return no other answer of ac
 * is looked at, and a redisAsyncFree by others waits for that too.  Those of
 * redisAsyncSetConnectCallback and redisAsyncSetDisconnectCallback must not:
 * hiredis would free ac meanwhile, or again.
 * ac is for tasks of this proc from then on.  If memory runs out
 * when the task is to wait, or somebody cancels it, it frees ac itself: all
 * commands are answered with NULL.
 * Returns 0; -1 with EBUSY (something drives it already), EINVAL (no ac, or it
 * has failed to connect: see its errstr), ENOMEM, EPERM.
 * From: the adapters of hiredis.
 */
int hiredisattach(struct redisAsyncContext *ac);

#ifdef __cplusplus
}
#endif
#endif
