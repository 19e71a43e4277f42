/* SPDX-License-Identifier: MIT */
/* UNIX sockets: their addresses are files, or "@" and a name without one. */
#ifndef TASK_UNIX_H
#define TASK_UNIX_H

#include "socket.h"
#include <sys/un.h>

#pragma GCC visibility push(hidden)

/* How long not to ask again somebody who is full, which no event tells. */
enum { BusyMostMs = 64 };

typedef struct Unixaddress
{
	socklen_t n;	/* bytes of at */
	struct sockaddr_un at;
} Unixaddress;

/* makes one of path; -1 with EINVAL (there is none) or ENAMETOOLONG. */
int task_unixaddress(const char *path, Unixaddress *a);

/* writes it as text, "" if it has none; room as for a path. */
void task_unixtext(const Unixaddress *a, char *text);

/*
 * binds fd, whose type is that of the sockets there, and has a stream listen.
 * A file that is left of a process that has ended gives way; EADDRINUSE if
 * somebody answers there, or if it is no socket.
 */
int task_unixlisten(int fd, int type, const Unixaddress *a, int backlog);

/* netannounce and netdial for these. */
int task_unixannounce(int type, const char *path, int backlog);
int task_unixdial(int type, const char *path);

#pragma GCC visibility pop
#endif
