/* SPDX-License-Identifier: MIT */
/* What the kernel takes to wake a thread: eventfd and epoll, nothing else. */
#include "../core.h"
#include "../measure.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

enum { Naps = 300 };

static int event;
static _Atomic(int64_t) sent_ns;	/* 0: who is woken has seen it */

static void *
sending(void *v)
{
	uint64_t one = 1;

	ontocore(1);
	for(int i = 0; i < Naps; i++){
		do
			nanosleep(&(struct timespec){0, 1000000}, NULL);
		while(sent_ns);
		sent_ns = nowns();
		if(write(event, &one, sizeof one) < 0)
			abort();
	}
	return v;
}

int
main(void)
{
	int epoll = epoll_create1(0);
	struct epoll_event e = {.events = EPOLLIN};
	static double took[Naps];
	pthread_t t;

	ontocore(0);
	event = eventfd(0, EFD_NONBLOCK);
	epoll_ctl(epoll, EPOLL_CTL_ADD, event, &e);
	pthread_create(&t, NULL, sending, NULL);
	for(int i = 0; i < Naps; i++){
		uint64_t count;
		epoll_wait(epoll, &e, 1, -1);
		took[i] = (double)(nowns() - sent_ns);
		if(read(event, &count, sizeof count) < 0)
			abort();
		sent_ns = 0;
	}
	pthread_join(t, NULL);
	report("message-asleep", median(took, Naps) / 1000, "us");
	return 0;
}
