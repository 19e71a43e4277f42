/* SPDX-License-Identifier: MIT */
/* The calls that white_cut cuts short in each of their waits. */
#ifndef CUTCALLS_H
#define CUTCALLS_H

#include "../net/socket.h"
#include "../task/life.h"
#include "../task/share.h"
#include "fault.h"
#include "fdtest.h"
#include "watched.h"
#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>

/*
 * A call is made by a task of its own.  The first task looks at that one after
 * each turn of the fdtask: a number in park that is new is another wait.  It
 * either lets something happen that the wait is for, or cuts it.
 */
typedef struct Row Row;

typedef struct Try
{
	const Row *row;
	int k;	/* the wait to cut; 0: none */
	int how;	/* Cancel, Deadline, Interrupt; and Late */
	Task *task;
	Timeout scope;
	int nwaits;
	int cut;	/* it has been */
	int goeson;	/* that wait is one that nothing cuts */
	int done;
	int fired;	/* within the call */
	long result;
	int err;
	size_t written;
	size_t got;
} Try;

/* Late is added: what it is for came first. */
enum { Cancel, Deadline, Interrupt, Late, Hows = 2 * Late };

struct Row
{
	const char *name;
	long full;	/* what it returns if nothing cuts it */
	int least;	/* waits; with the poller uring there is one at least */
	void (*prepare)(void);
	long (*call)(void);
	void (*feed)(Task *t, int fresh);	/* after each turn it waits */
	void (*usable)(const Try *t);
};

static int fds[2];
static unsigned char got[1 << 20], sent[1 << 20];
static size_t nsent, ngot;
static int nstale;
static Rendez gate;
static int nthrough;
static Channel *chan;
static RWLock rw;
static QLock ql;
static Rendez rendez;
static Group group;
static int nbegun, nended;
static int awaited;
static int listener, client, nasked, npauses;
static struct rlimit limit;

static void
beside(void (*fn)(void *), void *v)
{
	ck_assert_int_gt(taskcreate(fn, v, 0), 0);
}

/* The time that t sleeps for by itself is over now. */
static void
hurry(Task *t)
{
	Proc *p = task_proc;

	if(t->wait.sleeper.index == 0 || t->limits.nearest)
		return;
	task_sleepremove(&p->sleeping, &t->wait.sleeper);
	task_sleepinsert(&p->sleeping, &t->wait.sleeper, p->turn_ns);
}

static void
ready(void)
{
}

static void
hurryalong(Task *t, int fresh)
{
	(void)fresh;
	hurry(t);
}

/* Delays */

static long
calldelay(void)
{
	errno = 0;
	taskdelay(100000);
	return errno ? -1 : 0;
}

static long
calldelayuntil(void)
{
	return taskdelayuntil(tasknow() + 2 * (int64_t)Millisecond);
}

static void
nofeed(Task *t, int fresh)
{
	(void)t;
	(void)fresh;
}

static void
delayusable(const Try *t)
{
	(void)t;
	errno = 0;
	taskdelay(0);
	ck_assert_int_eq(errno, 0);
}

/* Reading: what was sent is in the buffer, or still to be read. */

static void
counted(void)
{
	for(size_t i = 0; i < sizeof sent; i++)
		sent[i] = (unsigned char)(1 + i % 251);
	memset(got, 0, 200);
	nsent = ngot = 0;
	nstale = 0;
}

static void
somepair(void)
{
	counted();
	pair(fds);
}

static void
sometcp(void)
{
	counted();
	tcppair(fds);
}

static void
sendone(void)
{
	ck_assert_int_eq(write(fds[1], sent + nsent, 1), 1);
	nsent++;
}

enum { Some = 6 };

/* Some that are one read each. */
static void
packets(void)
{
	counted();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
		fds), 0);
	while(nsent < Some)
		sendone();
}

static long
callreadn(void)
{
	return fdreadn(fds[0], got, Some);
}

static long
callreadnfast(void)
{
	task_proc->running->nfast = 256 - 3 * FdWeight;
	return callreadn();
}

static void
feedone(Task *t, int fresh)
{
	(void)t;
	if(fresh && nsent < Some)
		sendone();
}

/* wakes with nothing to read, twice; then there is something. */
static void
feedstale(Task *t, int fresh)
{
	Fd *f = task_fdknown(task_proc->fds, fds[0]);

	(void)t;
	if(!fresh)
		return;
	if(nstale < 2 && f && f->waiting[Read].head){
		nstale++;
		task_fdfired(task_proc->fds,
			(uint64_t)f->interest.generation << 32 |
			(unsigned int)fds[0], PollIn);
	}else if(nsent < Some)
		sendone();
}

static long
callread(void)
{
	return fdread(fds[0], got, Some);
}

static long
callread1(void)
{
	return fdread1(fds[0], got, Some);
}

static long
callreads(void)
{
	while(ngot < Some){
		ssize_t r = fdread(fds[0], got + ngot, 100);
		if(r <= 0)
			return -1;
		ngot += (size_t)r;
	}
	return Some;
}

static void
closepair(void)
{
	char c;
	ssize_t r = read(fds[0], &c, 1);

	ck_assert_int_eq(r, -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_int_eq(fdwait(fds[0], 'r'), 0);
	ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
	ck_assert_int_eq(c, 'x');
	ck_assert_int_eq(fdclose(fds[0]), 0);
	ck_assert_int_eq(fdclose(fds[1]), 0);
}

static void
readusable(const Try *t)
{
	ngot = 0;
	while(got[ngot])
		ngot++;
	if(t->result > 0 && nsent > 0 && t->row->call != callreadn)
		ck_assert_uint_gt(ngot, 0);
	if(t->row->call == callreadn)
		ck_assert_uint_eq(ngot, t->got);
	while(ngot < nsent)
		ck_assert_int_gt(fdread(fds[0], got + ngot++, 1), 0);
	ck_assert_int_eq(memcmp(got, sent, nsent), 0);
	closepair();
}

/* Reading while another task is in the midst of an fdreadn. */

static int nrival;

static void
sendrival(void)
{
	ck_assert_int_eq(write(fds[1], "r", 1), 1);
	nrival++;
}

static void
readrival(void *v)
{
	char both[2];

	(void)v;
	ck_assert_int_eq(fdreadn(fds[0], both, 2), 2);
	ck_assert_int_eq(memcmp(both, "rr", 2), 0);
}

static void
besidereader(void)
{
	somepair();
	nrival = 0;
	sendrival();
	beside(readrival, NULL);
	settle();
}

static void
feedrival(Task *t, int fresh)
{
	if(fresh && nrival == 1)
		sendrival();
	else
		feedone(t, fresh);
}

static void
rivalusable(const Try *t)
{
	if(nrival == 1)
		sendrival();
	settle();
	readusable(t);
}

/* Writing: the peer gets what fdwritten tells, no more and no less. */

static long
callwrite(void)
{
	task_proc->running->nfast = 256 - FdWeight;
	return fdwrite(fds[0], sent, sizeof sent);
}

static long
callwritev(void)
{
	struct iovec v[] = {{sent, 10}, {NULL, 0},
		{sent + 10, sizeof sent - 10}};

	task_proc->running->nfast = 256 - FdWeight;
	return fdwritev(fds[0], v, 3);
}

/* The peer takes so much. */
static void
take(size_t most)
{
	ssize_t r;

	if(most > sizeof got - ngot)
		most = sizeof got - ngot;
	if(most > 0 && (r = read(fds[1], got + ngot, most)) > 0)
		ngot += (size_t)r;
}

static void
feedtake(Task *t, int fresh)
{
	(void)t;
	(void)fresh;
	take(128 * 1024);
}

static void
writeusable(const Try *t)
{
	size_t before;

	do{
		before = ngot;
		take(sizeof got);
	}while(ngot > before);
	ck_assert_uint_eq(ngot, t->written);
	ck_assert_int_eq(memcmp(got, sent, ngot), 0);
	ck_assert_int_eq(drain(fds[1]), 0);
	closepair();
}

/* Streams: what came is in the stream or has been given, never both. */

enum { StreamLimit = 1000 };

static Stream *stream;

static void
somestream(void)
{
	somepair();
	stream = streamopen(fds[0], StreamLimit);
}

static void
feedline(Task *t, int fresh)
{
	(void)t;
	if(!fresh || nsent >= Some)
		return;
	sent[Some - 1] = '\n';
	sendone();
}

static long
callstreamread(void)
{
	return streamread(stream, got, Some);
}

/* The second wait is for room as well. */
static void
fullstream(void)
{
	somestream();
	fill(fds[0]);
	ck_assert_int_eq(streamwrite(stream, sent, 10), 10);
}

static long
callstreamline(void)
{
	char *line;

	return streamline(stream, &line);
}

static long
callstreamuntil(void)
{
	void *at;

	return streamuntil(stream, "\n", 1, &at);
}

/* A call that has failed has taken nothing. */
static void
streamusable(const Try *t)
{
	size_t n = t->result > 0 ? (size_t)t->result : 0;

	if(t->row->call == callstreamline && n > 0)
		n++;
	drain(fds[1]);
	ck_assert_int_eq(streamreadn(stream, got + n, nsent - n), nsent - n);
	ck_assert_int_eq(memcmp(got + n, sent + n, nsent - n), 0);
	ck_assert_int_eq(streamflush(stream), 0);
	fdclose(fds[1]);
	ck_assert_int_eq(streamclose(stream), 0);
}

/* It is more than the limit: some of it goes before the call ends. */
static long
callstreamwrite(void)
{
	return streamwrite(stream, sent, sizeof sent);
}

static void
writtenusable(const Try *t)
{
	size_t before;

	do{
		before = ngot;
		take(sizeof got);
	}while(ngot > before);
	ck_assert_int_eq(streamflush(stream), 0);
	take(sizeof got);
	ck_assert_uint_eq(ngot, t->written);
	ck_assert_int_eq(memcmp(got, sent, ngot), 0);
	fdclose(fds[1]);
	ck_assert_int_eq(streamclose(stream), 0);
}

/* Tasks that wait at the gate. */

static void *
atgate(void *v)
{
	tasksleep(&gate);
	return v;
}

static void
nobodyatgate(void)
{
	taskwakeupall(&gate);
	settle();
	ck_assert_ptr_null(gate.waiting.head);
}

static void
feedgate(Task *t, int fresh)
{
	(void)t;
	(void)fresh;
	taskwakeupall(&gate);
}

/* Locks */

static void
reader(void *v)
{
	ck_assert_int_eq(rlock(&rw), 0);
	atgate(v);
	runlock(&rw);
	nthrough++;
}

static void
writer(void *v)
{
	(void)v;
	ck_assert_int_eq(wlock(&rw), 0);
	wunlock(&rw);
	nthrough++;
}

static void
latereader(void *v)
{
	(void)v;
	ck_assert_int_eq(rlock(&rw), 0);
	runlock(&rw);
	nthrough++;
}

/* Two readers have it, and a writer is next; one more comes after the call. */
static void
busylock(void)
{
	nthrough = 0;
	beside(reader, NULL);
	beside(reader, NULL);
	taskyield();
	beside(writer, NULL);
	taskyield();
}

static long
callwlock(void)
{
	beside(latereader, NULL);
	int r = wlock(&rw);

	if(r == 0)
		wunlock(&rw);
	return r;
}

static long
callrlock(void)
{
	beside(latereader, NULL);
	int r = rlock(&rw);

	if(r == 0)
		runlock(&rw);
	return r;
}

static void
rwusable(const Try *t)
{
	(void)t;
	nobodyatgate();
	ck_assert_int_eq(nthrough, 4);
	ck_assert_ptr_null(rw.rwaiting.head);
	ck_assert_ptr_null(rw.wwaiting.head);
	ck_assert_int_eq(rw.readers, 0);
	ck_assert_int_eq(canwlock(&rw), 1);
	wunlock(&rw);
}

static long
callsleep(void)
{
	rendez.l = &ql;
	qlock(&ql);
	int r = tasksleep(&rendez), err = errno;
	ck_assert_ptr_eq(ql.owner, task_proc->running);
	qunlock(&ql);
	errno = err;
	return r;
}

/* wakes it with the lock held, which it waits for then. */
static void
feedsleep(Task *t, int fresh)
{
	if(t->wait.why == WaitQlock)
		qunlock(&ql);
	else if(fresh && canqlock(&ql))
		taskwakeup(&rendez);
}

static void
sleepusable(const Try *t)
{
	(void)t;
	if(ql.owner)
		qunlock(&ql);
	ck_assert_ptr_null(ql.waiting.head);
	ck_assert_int_eq(taskwakeup(&rendez), 0);
	ck_assert_int_eq(canqlock(&ql), 1);
	qunlock(&ql);
}

/* The end of tasks */

static void
waitother(void *v)
{
	void *result;

	ck_assert_int_eq(taskwait(awaited, &result), 0);
	ck_assert_ptr_eq(result, v);
	nthrough++;
}

static void
spawned(void)
{
	nthrough = 0;
	awaited = taskspawn(atgate, &awaited, 0);
	beside(waitother, &awaited);
	taskyield();
}

static long
callwait(void)
{
	void *result = NULL;
	int r = taskwait(awaited, &result);

	ck_assert_ptr_eq(result, r == 0 ? &awaited : NULL);
	return r;
}

static void
waitusable(const Try *t)
{
	(void)t;
	nobodyatgate();
	ck_assert_int_eq(nthrough, 1);
	FAILS(taskwait(awaited, NULL), ESRCH);
}

static void
childofgroup(void *v)
{
	nbegun++;
	atgate(v);
	nended++;
}

static void
nochildren(void)
{
	group = (Group){.limit = 0};
	nbegun = nended = 0;
}

static void
fewchildren(void)
{
	nochildren();
	group.limit = 2;
}

/* Four calls of one and one of the other, after which none is alive. */
static long
callgroup(void)
{
	for(int i = 0; i < 4; i++)
		if(groupspawn(&group, childofgroup, NULL, 0) < 0)
			return -1;
	int r = groupwait(&group);
	ck_assert_int_eq(nbegun, nended);
	return r;
}

static long
callmap(void)
{
	char four[4];

	int r = groupmap(&group, childofgroup, four, 4, 1, 0);
	ck_assert_int_eq(nbegun, nended);
	return r;
}

static void
feedgroup(Task *t, int fresh)
{
	(void)t;
	(void)fresh;
	taskwakeup(&gate);
}

static void
groupusable(const Try *t)
{
	settle();
	ck_assert_ptr_null(gate.waiting.head);
	ck_assert_int_eq(nbegun, nended);
	if(t->result == 0)
		ck_assert_int_eq(nended, 4);
	ck_assert_int_gt(groupspawn(&group, childofgroup, NULL, 0), 0);
	taskyield();
	nobodyatgate();
	ck_assert_int_eq(groupwait(&group), 0);
}

/* Whichever comes first of a channel, a file, a delay and a task's end. */

static void
alternatives(void)
{
	somepair();
	chan = chancreate(1, 0);
	awaited = taskspawn(atgate, &awaited, 0);
	taskyield();
}

static void
sharedalternatives(void)
{
	alternatives();
	chanfree(chan);
	chan = chanshared(1, 0);
}

static void
onlyshared(void)
{
	chan = chanshared(1, 0);
}

/* Another thread serves the wait, and its note is on the way. */
static void *
sendshared(void *v)
{
	(void)v;
	ck_assert_int_eq(channbsend(chan, NULL), 1);
	return NULL;
}

static void
feedshared(Task *t, int fresh)
{
	pthread_t thread;

	(void)t;
	if(!fresh || chan->arecv.head == NULL)
		return;
	ck_assert_int_eq(pthread_create(&thread, NULL, sendshared, NULL), 0);
	pthread_join(thread, NULL);
}

static long
callrecv(void)
{
	return chanrecv(chan, NULL);
}

static void
sharedusable(const Try *t)
{
	(void)t;
	ck_assert_ptr_null(chan->arecv.head);
	ck_assert_int_eq(channbsend(chan, NULL), -1);
	chanfree(chan);
}

static Event happening;

static long
callalt(void)
{
	Alt alts[] = {
		{.c = chan, .op = CHANRCV},
		{.op = ALTREAD, .fd = fds[0]},
		{.op = ALTDELAY, .ms = 20000},
		{.op = ALTTASK, .id = awaited},
		{.op = ALTEVENT, .e = &happening},
		{.op = CHANEND}};

	return chanalt(alts);
}

static void
altusable(const Try *t)
{
	(void)t;
	ck_assert_ptr_null(chan->arecv.head);
	ck_assert_ptr_null(happening.waiting.head);
	ck_assert_int_eq(channbsend(chan, NULL), -1);
	chanfree(chan);
	nobodyatgate();
	ck_assert_int_eq(taskwait(awaited, NULL), 0);
	ck_assert_uint_eq(drain(fds[0]), nsent);
	closepair();
}

/* Sockets */

static struct sockaddr_in addresses[3];

/* The host of these tests has three addresses. */
int
getaddrinfo(const char *restrict host, const char *restrict service,
	const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
	static struct addrinfo all[3];

	(void)host;
	(void)service;
	for(int i = 0; i < 3; i++)
		all[i] = (struct addrinfo){.ai_family = AF_INET,
			.ai_socktype = hints->ai_socktype,
			.ai_addr = (void *)&addresses[i],
			.ai_addrlen = sizeof addresses[i],
			.ai_next = i < 2 ? &all[i + 1] : NULL};
	*list = all;
	return 0;
}

void
freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

static int
boundto(struct sockaddr_in *sa)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socklen_t n = sizeof *sa;

	*sa = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	ck_assert_int_eq(bind(fd, (struct sockaddr *)sa, n), 0);
	getsockname(fd, (struct sockaddr *)sa, &n);
	return fd;
}

static int waiting[8], nwaiting;	/* connections to the second */

/* Nobody listens at the first, and nobody accepts at the second. */
static void
threeaddresses(void)
{
	task_headstart_ms = 2;
	fds[0] = boundto(&addresses[0]);
	fds[1] = boundto(&addresses[1]);
	ck_assert_int_eq(listen(fds[1], 0), 0);
	for(nwaiting = 0; nwaiting < 8; nwaiting++){
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		waiting[nwaiting] = fd;
		connect(fd, (void *)&addresses[1], sizeof addresses[1]);
		if(poll(&p, 1, 5) == 0)
			break;
	}
	ck_assert_int_lt(nwaiting, 8);
	listener = boundto(&addresses[2]);
	ck_assert_int_eq(listen(listener, 8), 0);
}

static long
calldial(void)
{
	int fd = netdial(TCP, "several", 1);

	return fd < 0 ? -1 : fdclose(fd);
}

static void
dialusable(const Try *t)
{
	(void)t;
	ck_assert_int_eq(calldial(), 0);
	for(; nwaiting >= 0; nwaiting--)
		close(waiting[nwaiting]);
	fdclose(listener);
	close(fds[0]);
	close(fds[1]);
}

/* What accept does, from its second call on; 0: as ever. */
static const int faults[] = {0, ECONNABORTED, EMFILE, EPROTO, ENOBUFS, 0};

static int
faultyaccept(int fd, struct sockaddr *sa, socklen_t *n)
{
	int err = faults[nasked];

	nasked += nasked < 5;
	return err ? task_fail(err) : fault.real.accept(fd, sa, n);
}

static void
listening(void)
{
	listener = boundto(&addresses[0]);
	ck_assert_int_eq(listen(listener, 8), 0);
	client = -1;
	npauses = 0;
}

static void
connected(void)
{
	if(client < 0){
		client = socket(AF_INET, SOCK_STREAM, 0);
		ck_assert_int_eq(connect(client, (void *)&addresses[0],
			sizeof addresses[0]), 0);
	}
}

/* Not a socket to the poller: so it does not make the calls itself. */
static void
faultylistener(void)
{
	listening();
	task_fdnotsocket(listener);
	task_sys.accept = faultyaccept;
	nasked = 0;
}

static void
fulltable(void)
{
	listening();
	connected();
	getrlimit(RLIMIT_NOFILE, &limit);
	int next = dup(0);
	close(next);
	struct rlimit none = {(rlim_t)next, limit.rlim_max};
	setrlimit(RLIMIT_NOFILE, &none);
}

static long
callaccept(void)
{
	int fd = netaccept(listener, NULL, NULL);

	return fd < 0 ? -1 : fdclose(fd);
}

static void
feedaccept(Task *t, int fresh)
{
	if(t->wait.why == WaitPause)
		hurry(t);
	if(t->wait.why == WaitPause && fresh && ++npauses == 3 && nasked == 0)
		setrlimit(RLIMIT_NOFILE, &limit);
	if(t->wait.why == WaitRead)
		connected();
}

static void
acceptusable(const Try *t)
{
	int there = client >= 0 && t->result < 0;

	if(nasked == 0)
		setrlimit(RLIMIT_NOFILE, &limit);
	task_sys.accept = fault.real.accept;
	nasked = 0;
	if(there)	/* it is still in the listener's queue */
		ck_assert_int_eq(callaccept(), 0);
	if(client >= 0)
		close(client);
	client = -1;
	connected();
	ck_assert_int_eq(callaccept(), 0);
	close(client);
	fdclose(listener);
}

static void
feedaltfd(Task *t, int fresh)
{
	(void)t;
	if(fresh)
		sendone();
}

static const Row rows[] = {
	{"taskdelay", 0, 1, ready, calldelay, hurryalong, delayusable},
	{"taskdelayuntil", 0, 1, ready, calldelayuntil, nofeed, delayusable},
	{"fdreadn", Some, Some, somepair, callreadn, feedone, readusable},
	{"fdreadn", Some, 1, packets, callreadnfast, nofeed, readusable},
	{"fdread", 1, 3, somepair, callread, feedstale, readusable},
	{"fdread", Some, Some, sometcp, callreads, feedstale, readusable},
	{"fdread1", 1, 3, somepair, callread1, feedstale, readusable},
	{"fdread", 1, 2, besidereader, callread, feedrival, rivalusable},
	{"fdreadn", Some, 2, besidereader, callreadn, feedrival, rivalusable},
	{"fdwrite", sizeof sent, 3, somepair, callwrite, feedtake, writeusable},
	{"fdwritev", sizeof sent, 3, somepair, callwritev, feedtake,
		writeusable},
	{"streamread", 1, 1, somestream, callstreamread, feedline,
		streamusable},
	{"streamuntil", Some, Some, somestream, callstreamuntil, feedline,
		streamusable},
	{"streamline", Some - 1, Some, somestream, callstreamline, feedline,
		streamusable},
	{"streamline", Some - 1, Some, fullstream, callstreamline, feedline,
		streamusable},
	{"streamwrite", sizeof sent, 3, somestream, callstreamwrite, feedtake,
		writtenusable},
	{"wlock", 0, 1, busylock, callwlock, feedgate, rwusable},
	{"rlock", 0, 1, busylock, callrlock, feedgate, rwusable},
	{"tasksleep", 0, 2, ready, callsleep, feedsleep, sleepusable},
	{"taskwait", 0, 1, spawned, callwait, feedgate, waitusable},
	{"groupspawn", 0, 3, fewchildren, callgroup, feedgroup, groupusable},
	{"groupmap", 0, 3, fewchildren, callmap, feedgroup, groupusable},
	{"groupwait", 0, 1, nochildren, callgroup, feedgroup, groupusable},
	{"chanalt", 1, 1, alternatives, callalt, feedaltfd, altusable},
	{"chanalt", 2, 1, alternatives, callalt, hurryalong, altusable},
	{"chanalt", 3, 1, alternatives, callalt, feedgate, altusable},
	{"chanalt", 0, 1, sharedalternatives, callalt, feedshared, altusable},
	{"chanalt", 1, 1, sharedalternatives, callalt, feedaltfd, altusable},
	{"chanalt", 2, 1, sharedalternatives, callalt, hurryalong, altusable},
	{"chanalt", 3, 1, sharedalternatives, callalt, feedgate, altusable},
	{"chanrecv", 1, 1, onlyshared, callrecv, feedshared, sharedusable},
	{"netdial", 0, 1, threeaddresses, calldial, nofeed, dialusable},
	{"netaccept", 0, 5, faultylistener, callaccept, feedaccept,
		acceptusable},
	{"netaccept", 0, 3, fulltable, callaccept, feedaccept, acceptusable},
};

enum { Nrows = sizeof rows / sizeof rows[0] };

#endif
