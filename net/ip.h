/* SPDX-License-Identifier: MIT */
/* Addresses: from text, to text. */
#ifndef TASK_IP_H
#define TASK_IP_H

#include <netdb.h>
#include <stddef.h>
#include <sys/socket.h>

enum { IpTextBytes = 64 };	/* of any address with its zone and final 0 */

/*
 * finds the addresses of host, for freeaddrinfo; NULL is any address.  Numbers
 * are understood without asking anybody; names block the thread.
 * Returns 0; -1 with EINVAL, ENOENT, EAGAIN or ENOMEM.
 */
int task_iplookup(const char *host, int port, int family, int type,
	struct addrinfo **list) __attribute__((visibility("hidden")));

/* writes sa as text, "" if it has none, and its port. */
void task_iptext(const struct sockaddr *sa, char *text, int *port)
	__attribute__((visibility("hidden")));

#endif
