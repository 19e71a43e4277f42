/* SPDX-License-Identifier: MIT */
/*
 * Messages from one scheduler to another: both busy, one and 16 at a time, from
 * four to one; and to one that sleeps.
 */
#include "bench.h"
#include "core.h"

enum { Messages = 2000000, Room = 128, Most = 16, Naps = 300 };

static Channel *c;
static int batch, nsenders;

static void
sending(void *v)
{
	unsigned long out[Most] = {0};

	(void)v;
	for(int i = 0, n; i < Messages / nsenders; i += n){
		n = batch == 1 ? chansend(c, out) : chansendn(c, out, batch);
		if(n < 1)
			abort();
	}
}

static void
busy(const char *name, int atatime, int senders)
{
	unsigned long in[Most];
	int got = 0, n, proc[4];

	batch = atatime;
	nsenders = senders;
	c = chanshared(sizeof in[0], Room);
	int64_t start = nowns();
	for(int i = 0; i < senders; i++)
		proc[i] = proccreate(sending, NULL, 0);
	for(; got < Messages; got += n)
		if((n = batch == 1 ? chanrecv(c, in) :
				chanrecvn(c, in, batch)) < 1)
			abort();
	report(name, each(start, Messages), "ns");
	for(int i = 0; i < senders; i++)
		procwait(proc[i], NULL);
	chanfree(c);
}

static void
napping(void *v)
{
	(void)v;
	ontocore(1);
	for(int i = 0; i < Naps; i++){
		taskdelay(1);
		int64_t sent_ns = nowns();
		chansend(c, &sent_ns);
	}
}

/* From before the send until after the receive, on another core. */
static void
asleep(void)
{
	static double took[Naps];
	int64_t sent_ns;

	c = chanshared(sizeof sent_ns, 0);
	int proc = proccreate(napping, NULL, 0);
	ontocore(0);
	for(int i = 0; i < Naps; i++){
		chanrecv(c, &sent_ns);
		took[i] = (double)(nowns() - sent_ns);
	}
	report("message-asleep", median(took, Naps) / 1000, "us");
	procwait(proc, NULL);
	chanfree(c);
}

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	busy("message", 1, 1);
	busy("message-16", Most, 1);
	busy("message-4to1", 1, 4);
	asleep();
}
