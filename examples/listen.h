/* SPDX-License-Identifier: MIT */
/* How the examples that are servers begin. */
#include "number.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <task.h>

/*
 * listens on a port (0: on any), which it puts into *port.  The address is that
 * of the machine for itself: NULL in its place would let all others in.
 */
static inline int
listenat(int proto, int *port)
{
	struct sockaddr_in addr;
	socklen_t n = sizeof addr;
	int fd = netannounce(proto, "127.0.0.1", *port);

	if(fd < 0 || getsockname(fd, (struct sockaddr *)&addr, &n) < 0){
		fprintf(stderr, "cannot listen on port %d: %s\n", *port,
			strerror(errno));
		taskexitall(1);
	}
	*port = ntohs(addr.sin_port);
	return fd;
}

static inline void
saylistening(int port)
{
	printf("listening on 127.0.0.1, port %d\n", port);
	fflush(stdout);
}

/* does both; port may be NULL for any. */
static inline int
listenon(const char *port)
{
	int number = portnumber(port), fd = listenat(TCP, &number);

	saylistening(number);
	return fd;
}
