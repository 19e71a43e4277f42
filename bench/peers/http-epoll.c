/* SPDX-License-Identifier: MIT */
/* The HTTP server written by hand on epoll: the mark to reach. */
#include "server.h"
#include <sys/epoll.h>

/*
 * With edges a turn does not look again at what it reported in the one before.
 * A read that was not filled has taken all there was: the next edge tells of
 * more, but not of an end that was there already.
 */
enum { EventsMost = 256, Edge = EPOLLIN | EPOLLRDHUP | EPOLLET };

typedef struct Conn
{
	int fd;
	uint32_t last;
} Conn;

static int set;

static void
newconns(int listener)
{
	int fd;

	while((fd = accept4(listener, NULL, NULL,
			SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0){
		Conn *c = malloc(sizeof *c);
		if(c == NULL)
			die("malloc");
		*c = (Conn){.fd = fd};
		nodelay(fd);
		if(epoll_ctl(set, EPOLL_CTL_ADD, fd, &(struct epoll_event){
				.events = Edge, .data.ptr = c}) < 0)
			die("epoll_ctl");
	}
}

static void
serve(Conn *c, uint32_t events)
{
	char buf[ReadMost];
	ssize_t n;

	do{
		n = recv(c->fd, buf, sizeof buf, 0);
		if(n <= 0 || reply(c->fd, &c->last, buf, (size_t)n) < 0){
			close(c->fd);
			free(c);
			return;
		}
	}while(n == sizeof buf || events & ~(uint32_t)EPOLLIN);
}

int
main(void)
{
	struct epoll_event events[EventsMost];
	int listener = listenhere();

	set = epoll_create1(EPOLL_CLOEXEC);
	if(set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, listener,
			&(struct epoll_event){.events = EPOLLIN}) < 0)
		die("epoll");
	for(;;){
		int n = epoll_wait(set, events, EventsMost, -1);
		for(int i = 0; i < n; i++)
			if(events[i].data.ptr)
				serve(events[i].data.ptr, events[i].events);
			else
				newconns(listener);
	}
}
