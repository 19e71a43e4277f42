/* SPDX-License-Identifier: MIT */
/* How the peers that are servers begin: with sockets as they are. */
#ifndef SERVER_H
#define SERVER_H

#include "../answer.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

/* listens on any port of this machine for itself, and says which. */
static inline int
listenhere(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if(fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0 ||
			listen(fd, SOMAXCONN) < 0)
		die("listen");
	sayport(fd);
	return fd;
}

static inline void
nodelay(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

/*
 * answers what ends among the n bytes of buf.  Returns -1 if the peer has gone,
 * or asks on without reading what it is answered: then it is to be closed.
 */
static inline int
reply(int fd, uint32_t *last, const char *buf, size_t n)
{
	for(int i = requests(last, buf, n); i > 0; i--)
		if(send(fd, answer, AnswerBytes, MSG_NOSIGNAL) != AnswerBytes)
			return -1;
	return 0;
}

#endif
