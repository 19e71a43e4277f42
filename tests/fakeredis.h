/* SPDX-License-Identifier: MIT */
/* For tests: a server that reads commands as Redis does, and says anything. */
#ifndef FAKEREDIS_H
#define FAKEREDIS_H

#include "fdtest.h"
#include "../addons/bus/taskbus.h"
#include <hiredis.h>

/* What is said after a command; close: and nothing any more. */
typedef struct Said
{
	const char *v;
	size_t n;
	int close;
} Said;

#define SAID(text) ((Said){text, sizeof text - 1, 0})

static struct
{
	int listener;
	int nconnected;
	int slow;	/* says it byte by byte */
	Said (*answer)(const redisReply *command);
	char url[64];
} fake;

static inline const char *
fakeword(const redisReply *command, size_t i)
{
	return i < command->elements ? command->element[i]->str : "";
}

/* What a server says to who has just connected; n is 0 for other commands. */
static inline Said
fakegreeting(const redisReply *command)
{
	const char *word = fakeword(command, 0);

	if(strcmp(word, "PING") == 0)
		return SAID("+PONG\r\n");
	if(strcmp(word, "CLIENT") == 0 &&
			strcmp(fakeword(command, 1), "ID") == 0)
		return SAID(":7\r\n");
	if(strcmp(word, "INFO") == 0)
		return SAID("$12\r\nrun_id:1234\n\r\n");
	return (Said){NULL, 0, 0};
}

static inline int
fakesay(int fd, Said s)
{
	size_t part = fake.slow ? 1 : s.n;

	for(size_t i = 0; i < s.n; i += part)
		if(fdwrite(fd, s.v + i, part) < 0 ||
				(fake.slow && taskyield() < 0))
			return -1;
	return s.close ? -1 : 0;
}

static inline void
fakeserve(void *v)
{
	int fd = (int)(intptr_t)v, good = 1;
	redisReader *reader = redisReaderCreate();
	char buf[1024];
	ssize_t n;
	void *r;

	tasksystem();
	while(good && (n = fdread(fd, buf, sizeof buf)) > 0){
		redisReaderFeed(reader, buf, (size_t)n);
		while(good && redisReaderGetReply(reader, &r) == REDIS_OK &&
				r != NULL){
			good = fakesay(fd, fake.answer(r)) == 0;
			freeReplyObject(r);
		}
	}
	redisReaderFree(reader);
	fdclose(fd);
}

static inline void
fakeaccept(void *v)
{
	int fd;

	(void)v;
	tasksystem();
	while((fd = netaccept(fake.listener, NULL, NULL)) >= 0){
		fake.nconnected++;
		if(taskcreate(fakeserve, (void *)(intptr_t)fd, 0) < 0)
			fdclose(fd);
	}
}

static inline int
fakestart(Said (*answer)(const redisReply *command))
{
	struct sockaddr_in sa;
	socklen_t size = sizeof sa;

	fake.answer = answer;
	fake.nconnected = 0;
	fake.listener = netannounce(TCP, "127.0.0.1", 0);
	if(fake.listener < 0 || getsockname(fake.listener, (void *)&sa,
			&size) < 0 || taskcreate(fakeaccept, NULL, 0) < 0)
		return -1;
	snprintf(fake.url, sizeof fake.url, "redis://127.0.0.1:%d",
		ntohs(sa.sin_port));
	return 0;
}

/* Buses are closed before; the tasks end when they notice. */
static inline void
fakestop(void)
{
	fdclose(fake.listener);
	settle();
}

#endif
