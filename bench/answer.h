/* SPDX-License-Identifier: MIT */
/* What the compared HTTP servers have in common: all but the waiting. */
#ifndef ANSWER_H
#define ANSWER_H

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { ReadMost = 1024 };	/* bytes, in one read */

/* To whatever was asked. */
static const char answer[] = "HTTP/1.1 200 OK\r\nServer: bench\r\n"
	"Content-Type: text/plain\r\nContent-Length: 13\r\n"
	"Connection: keep-alive\r\n\r\nHello, world\n";

enum { AnswerBytes = sizeof answer - 1 };

/*
 * How many headers end among the n bytes of buf.  A request may come in pieces:
 * *last, at first 0, keeps the bytes before.
 */
static inline int
requests(uint32_t *last, const char *buf, size_t n)
{
	int found = 0;
	uint32_t l = *last;

	for(size_t i = 0; i < n; i++){
		l = l << 8 | (unsigned char)buf[i];
		if(l == 0x0d0a0d0a){
			found++;
			l = 0;
		}
	}
	*last = l;
	return found;
}

static inline void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* says where fd listens, in a line of its own. */
static inline void
sayport(int fd)
{
	struct sockaddr_in addr;
	socklen_t n = sizeof addr;

	if(fd < 0 || getsockname(fd, (struct sockaddr *)&addr, &n) < 0)
		die("listen");
	printf("%d\n", ntohs(addr.sin_port));
	fflush(stdout);
}

#endif
