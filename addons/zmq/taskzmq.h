/* SPDX-License-Identifier: MIT */
/* Sockets of ZeroMQ that tasks wait for: zmq(3). */
#ifndef TASK_ZMQ_H
#define TASK_ZMQ_H

#include <task.h>

#ifdef __cplusplus
extern "C" {
#endif

struct zmq_msg_t;	/* of <zmq.h> */

/*
 * zmqsend, zmqrecv, zmqmsgsend and zmqmsgrecv are zmq_send, zmq_recv,
 * zmq_msg_send and zmq_msg_recv that have the task wait, and not the thread.
 * Several tasks of a proc may use a socket, if they all use these; so that the
 * parts of a message stay together they need a QLock.  A socket is to be closed
 * when no task waits for it.
 * Returns as those do; -1 also with EPERM (no scheduler runs, and it would have
 * to wait), ENOMEM.
 * Blocks: until it can be done; with ZMQ_DONTWAIT it fails with EAGAIN.
 */
int zmqsend(void *socket, const void *v, size_t n, int flags);
int zmqrecv(void *socket, void *v, size_t n, int flags);
int zmqmsgsend(struct zmq_msg_t *m, void *socket, int flags);
int zmqmsgrecv(struct zmq_msg_t *m, void *socket, int flags);

/*
 * zmqwait waits until one of the events is there: ZMQ_POLLIN, ZMQ_POLLOUT, or
 * both.  It is a hint: another task may be faster.
 * Returns which are; -1 as zmqrecv, or zmq_getsockopt.
 * Blocks: until then.
 */
int zmqwait(void *socket, int events);

#ifdef __cplusplus
}
#endif
#endif
