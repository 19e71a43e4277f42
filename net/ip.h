/* SPDX-License-Identifier: MIT */
/* Addresses: from text, to text, and of names. */
#ifndef TASK_IP_H
#define TASK_IP_H

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

#pragma GCC visibility push(hidden)

/* ip.c */

enum
{
	IpTextBytes = 64,	/* of any address with its zone and final 0 */
	IpMost = 16	/* addresses of a host; those behind are left out */
};

typedef struct Address
{
	int type;	/* of the socket for it */
	int backlog;	/* of a listener there */
	socklen_t n;	/* bytes of at */
	union
	{
		struct sockaddr sa;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at;
} Address;

typedef struct Addresses
{
	int n;
	Address v[IpMost];
} Addresses;

/* What addresses are looked for. */
typedef struct Question
{
	const char *host;	/* NULL: any address */
	int port;
	int family;	/* AF_UNSPEC: each */
	int type;
} Question;

/*
 * finds the addresses of a host that nobody need be asked for: one in numbers,
 * localhost, and any.
 * Returns 0; 1 if it is another name; -1 with EINVAL, ENOENT or ENOMEM.
 */
int task_ipnumber(const Question *q, Addresses *found);

/*
 * asks libc for those of a name; that stops the thread.
 * Returns 0; -1 with ENOENT, EAGAIN or ENOMEM.
 */
int task_ipask(const Question *q, Addresses *found);

/* writes sa as text, "" if it has none, and its port. */
void task_iptext(const struct sockaddr *sa, char *text, int *port);

/* lookup.c */

/*
 * finds the addresses of any host, while other tasks go on; what: the call that
 * wants them, for the list of tasks.
 * Returns 0; -1 as those above, or because the wait was cut.
 */
int task_lookup(const char *what, const Question *q, Addresses *found);

#pragma GCC visibility pop

#endif
