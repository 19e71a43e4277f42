/* SPDX-License-Identifier: MIT */
/* What those who make sockets share. */
#ifndef TASK_SOCKET_H
#define TASK_SOCKET_H

#include "../fd/fd.h"
#include "ip.h"

#pragma GCC visibility push(hidden)

/*
 * returns whether err is a shortage here, which passes when others close or
 * free something.
 */
static inline int
task_netshort(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS ||
		err == ENOMEM;
}

/*
 * returns whether err says that this machine has no address of the kind, or no
 * way there.
 */
static inline int
task_netnothere(int err)
{
	return err == EAFNOSUPPORT || err == EPFNOSUPPORT ||
		err == EPROTONOSUPPORT || err == EADDRNOTAVAIL ||
		err == ENETUNREACH;
}

/* returns a socket of the kind of a; -1 and errno. */
int task_netsocket(const Address *a, Meant *m);

/*
 * closes what is meant by fd for an error that is to be kept; returns -1.  If
 * others have closed it meanwhile the number is not ours any more.
 */
int task_netfailed(int fd, Meant *m);

/*
 * has a socket be what it is for.  Returns 0; -1 and errno; 1 if another socket
 * may do at the same address.
 */
typedef int Use(int fd, const Address *a, Meant *m);

/* returns a socket for a that use has made of it; -1 and errno. */
int task_netuse(const Address *a, Use *use);

/* before the next address of a host is tried too; tests change it */
extern unsigned int task_headstart_ms;

/* finds the addresses of a call's arguments; -1 and errno. */
int task_nethost(const char *what, int proto, const char *host, int port,
	int family, Addresses *found);

#pragma GCC visibility pop

#endif
