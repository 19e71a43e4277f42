/* SPDX-License-Identifier: MIT */
/* How the examples that are a Server of HTTP begin, go on and end. */
#include "number.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <task.h>
#include <taskhttp.h>

enum {
	ConnectionsMost = 1000,	/* others wait until one of these is closed */
	RequestsMost = 200,	/* at a time: others are told to come later */
	IdleMs = 60000,	/* that a client may have nothing to ask */
	StepMs = 10000,	/* for each step of a client that has begun */
	StopMs = 5000	/* for those that are being served at the end */
};

/* Of a request that was refused, or that nobody stayed to have answered. */
static inline void
logwhy(const Http *h, const char *why)
{
	if(why)
		fprintf(stderr, "%s %s: %d, %s\n", h->method, h->path,
			h->status, why);
}

/* All that a server has to be told of limits, but how long a body may be. */
static inline void
limit(Server *s, Httpserver *site)
{
	s->max = ConnectionsMost;
	s->idle_ms = IdleMs;
	site->busy = RequestsMost;
	site->head_ms = site->body_ms = site->write_ms = StepMs;
	site->log = logwhy;
}

/*
 * serves until SIGTERM or SIGINT, which let all that has been asked by then be
 * answered.  The address is that of the machine for itself: NULL in its place
 * would let all others in.
 */
static inline void
serveuntilsignal(Server *s, const char *port)
{
	Channel *ends = chancreate(sizeof(int), 1);
	Timeout t;
	int sig, left = -1;

	if(ends == NULL || signalwatch(SIGTERM, ends) < 0 ||
			signalwatch(SIGINT, ends) < 0 || serverstart(s,
			"127.0.0.1", portnumber(port)) < 0){
		fprintf(stderr, "cannot serve port %s of 127.0.0.1: %s\n",
			port ? port : "0", strerror(errno));
		taskexitall(1);
	}
	printf("listening on 127.0.0.1, port %d\n", serverport(s));
	fflush(stdout);
	chanrecv(ends, &sig);
	TIMEOUT(&t, StopMs)
		left = serverstop(s);
	chanfree(ends);
	printf("stopped, %d cut off\n", left);
}
