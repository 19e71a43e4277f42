/* SPDX-License-Identifier: MIT */
/* How the examples that are servers begin. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <task.h>

/*
 * listens on a port (0 or NULL: on any) and says which.  The address is that of
 * the machine for itself: NULL in its place would let all others in.
 */
static inline int
listenon(const char *port)
{
	struct sockaddr_in addr;
	socklen_t n = sizeof addr;
	int fd = netannounce(TCP, "127.0.0.1", port ? atoi(port) : 0);

	if(fd < 0 || getsockname(fd, (struct sockaddr *)&addr, &n) < 0){
		perror("cannot listen");
		taskexitall(1);
	}
	printf("listening on 127.0.0.1, port %d\n", ntohs(addr.sin_port));
	fflush(stdout);
	return fd;
}
