/* SPDX-License-Identifier: MIT */
/* Every call that blocks, cut short by a deadline and by being cancelled. */
#include "resolver.h"
#include "watched.h"

enum { Soon = 20, Slack = 20 };	/* ms */

static QLock ql;
static RecLock rec;
static Sem sem;
static Event event;
static RWLock rw;
static Rendez rendez;
static Channel *chan, *other;
static int fds[2];
static int listener, queued[8], nqueued;
static unsigned long value;

/* A task that runs fn and is waited for: the rest of the tests' programs. */
static void
beside(void (*fn)(void *), void *v)
{
	ck_assert_int_gt(taskcreate(fn, v, 0), 0);
}

/* Delays. */

static void
ready(void)
{
}

static long
calldelay(void)
{
	errno = 0;
	taskdelay(10000);
	return errno ? -1 : 0;
}

static long
calldelayuntil(void)
{
	return taskdelayuntil(tasknow() + 10000000000);
}

static void
delayusable(void)
{
	errno = 0;
	ck_assert_uint_ge(taskdelay(1), 1);
	ck_assert_int_eq(errno, 0);
}

/* Channels: nothing that was sent is lost, and nobody is left in a queue. */

static void
emptychan(void)
{
	chan = chancreate(sizeof value, 0);
	other = chancreate(sizeof value, 1);
}

static void
fullchan(void)
{
	emptychan();
	chansendul(other, 1);
	Channel *full = other;
	other = chan;
	chan = full;
}

static void
send77(void *v)
{
	(void)v;
	chansendul(chan, 77);
}

static void
chanusable(void)
{
	ck_assert_ptr_null(chan->asend.head);
	ck_assert_ptr_null(chan->arecv.head);
	ck_assert_ptr_null(other->asend.head);
	ck_assert_ptr_null(other->arecv.head);
	if(chan->nbuf > 0)
		ck_assert_uint_eq(chanrecvul(chan), 1);
	beside(send77, NULL);
	ck_assert_uint_eq(chanrecvul(chan), 77);
	ck_assert_int_eq(channbrecv(chan, NULL), -1);
	chanfree(chan);
	chanfree(other);
}

static long
callsend(void)
{
	value = 5;
	return chansend(chan, &value);
}

static long
callsendp(void)
{
	return chansendp(chan, NULL);
}

static long
callsendul(void)
{
	return chansendul(chan, 5);
}

static long
callrecv(void)
{
	return chanrecv(chan, &value);
}

static long
callrecvp(void)
{
	return chanrecvp(chan) ? 1 : -1;
}

static long
callrecvul(void)
{
	return chanrecvul(chan) ? 1 : -1;
}

static long
callsendn(void)
{
	return chansendn(chan, NULL, 1);
}

static long
callrecvn(void)
{
	return chanrecvn(chan, &value, 1);
}

static void
emptyshared(void)
{
	chan = chanshared(sizeof value, 0);
	other = chanshared(sizeof value, 1);
}

static void
fullshared(void)
{
	emptyshared();
	chansendul(other, 1);
	Channel *full = other;
	other = chan;
	chan = full;
}

/* One of another thread beside one of this. */
static void
halfshared(void)
{
	emptyshared();
	chansendul(other, 1);
	chanfree(chan);
	chan = chancreate(sizeof value, 0);
}

static long
callalt(void)
{
	unsigned long a, b = 5;
	Alt alts[] = {
		{.c = chan, .v = &a, .op = CHANRCV},
		{.op = CHANNOP},
		{.c = other, .v = &b, .op = CHANSND},
		{.c = chan, .v = &a, .op = CHANRCV},
		{.op = CHANEND}};

	return chanalt(alts);
}

static void
alternatives(void)
{
	emptychan();
	chansendul(other, 1);
}

/* Locks: whoever came after the one that gave up is not kept waiting. */

static int holding;

static void
holduntil(void *v)
{
	void (**lock)(void) = v;

	lock[0]();
	holding = 1;
	while(holding)
		taskdelay(1);
	lock[1]();
	holding = -1;
}

static void
held(void (**lock)(void))
{
	beside(holduntil, lock);
	while(holding != 1)
		taskdelay(0);
}

static void
letgo(void)
{
	holding = 0;
	while(holding != -1)
		taskdelay(1);
	holding = 0;
}

static void
lockql(void)
{
	qlock(&ql);
}

static void
unlockql(void)
{
	qunlock(&ql);
}

static void
readrw(void)
{
	rlock(&rw);
}

static void
unreadrw(void)
{
	runlock(&rw);
}

static void
writerw(void)
{
	wlock(&rw);
}

static void
unwriterw(void)
{
	wunlock(&rw);
}

static void
qheld(void)
{
	static void (*lock[])(void) = {lockql, unlockql};

	held(lock);
}

static long
callqlock(void)
{
	return qlock(&ql);
}

static void
qusable(void)
{
	ck_assert_ptr_null(ql.waiting.head);
	letgo();
	ck_assert_ptr_null(ql.owner);
	ck_assert_int_eq(qlock(&ql), 0);
	qunlock(&ql);
}

static void
lockrec(void)
{
	reclock(&rec);
	reclock(&rec);
}

static void
unlockrec(void)
{
	recunlock(&rec);
	recunlock(&rec);
}

static void
recheld(void)
{
	static void (*lock[])(void) = {lockrec, unlockrec};

	held(lock);
}

static long
callreclock(void)
{
	return reclock(&rec);
}

static void
recusable(void)
{
	letgo();
	ck_assert_int_eq(reclock(&rec), 0);
	ck_assert_uint_eq(rec.again, 0);
	recunlock(&rec);
}

static long
callacquire(void)
{
	return semacquire(&sem);
}

static void
semusable(void)
{
	ck_assert_ptr_null(sem.waiting.head);
	ck_assert_int_eq(semrelease(&sem), 0);
	ck_assert_int_eq(cansemacquire(&sem), 1);
	ck_assert_int_eq(cansemacquire(&sem), 0);
}

static long
calleventwait(void)
{
	return eventwait(&event);
}

static void
eventusable(void)
{
	ck_assert_int_eq(eventset(&event), 0);
	ck_assert_int_eq(eventwait(&event), 0);
	eventclear(&event);
}

static void
wheld(void)
{
	static void (*lock[])(void) = {writerw, unwriterw};

	held(lock);
}

static void
rheld(void)
{
	static void (*lock[])(void) = {readrw, unreadrw};

	held(lock);
}

static long
callrlock(void)
{
	return rlock(&rw);
}

static long
callwlock(void)
{
	return wlock(&rw);
}

static void
rwusable(void)
{
	ck_assert_ptr_null(rw.rwaiting.head);
	ck_assert_ptr_null(rw.wwaiting.head);
	letgo();
	ck_assert_int_eq(rw.readers, 0);
	ck_assert_ptr_null(rw.writer);
	ck_assert_int_eq(wlock(&rw), 0);
	wunlock(&rw);
}

static long
callsleep(void)
{
	rendez.l = &ql;
	qlock(&ql);
	int r = tasksleep(&rendez), err = errno;
	ck_assert_ptr_nonnull(ql.owner);
	qunlock(&ql);	/* aborts if it is not the caller's */
	errno = err;
	return r;
}

static void
sleepusable(void)
{
	ck_assert_ptr_null(rendez.waiting.head);
	ck_assert_ptr_null(ql.owner);
	ck_assert_int_eq(taskwakeup(&rendez), 0);
}

/* Descriptors */

static void
somepair(void)
{
	pair(fds);
}

static long
callaltfd(void)
{
	Alt alts[] = {
		{.op = ALTREAD, .fd = fds[0]},
		{.op = ALTDELAY, .ms = 20000},
		{.op = ALTREAD, .fd = fds[0]},
		{.op = CHANEND}};

	return chanalt(alts);
}

static void
fullpair(void)
{
	pair(fds);
	fill(fds[0]);
}

static void
readlater(void *v)
{
	Wait *w = v;
	char c = 0;

	w->result = (int)fdread(w->fd, &c, 1);
	w->err = c;
	w->nwoken++;
}

static void
fdusable(void)
{
	Wait w = {.fd = fds[0]};

	drain(fds[1]);
	beside(readlater, &w);
	taskdelay(0);
	ck_assert_int_eq(w.nwoken, 0);
	ck_assert_int_eq(fdwrite(fds[1], "x", 1), 1);
	while(w.nwoken == 0)
		taskdelay(1);
	ck_assert_int_eq(w.result, 1);
	ck_assert_int_eq(w.err, 'x');
	ck_assert_int_eq(fdwrite(fds[0], "y", 1), 1);
	fdclose(fds[0]);
	fdclose(fds[1]);
}

static char bytes[100];

static long
callfdread(void)
{
	return fdread(fds[0], bytes, sizeof bytes);
}

static long
callfdread1(void)
{
	return fdread1(fds[0], bytes, sizeof bytes);
}

static long
callfdreadn(void)
{
	return fdreadn(fds[0], bytes, sizeof bytes);
}

static long
callfdwait(void)
{
	return fdwait(fds[0], 'r');
}

static long
calltracesave(void)
{
	ck_assert_int_eq(tracestart(1), 0);
	long r = tracesave(fds[0]);
	int err = errno;
	tracestop();
	errno = err;
	return r;
}

static long
calldump(void)
{
	return taskdump(fds[0]);
}

static long
callconsole(void)
{
	return consoleserve(fds[0], fds[0]);
}

static long
callprint(void)
{
	return consoleprint(fds[0], "%s", "text");
}

static void
session(void *v)
{
	(void)v;
	consoleserve(fds[1], fds[1]);
}

static void
attached(void)
{
	pair(fds);
	taskcreate(session, NULL, 262144);
	taskdelay(1);
}

static long
callbreak(void)
{
	return consolebreak("until it is cut");
}

static void
breakusable(void)
{
	fdclose(fds[0]);
	taskdelay(1);
	ck_assert_int_eq(consolebreak("nobody is there"), 0);
	fdclose(fds[1]);
}

static long
callfdwrite(void)
{
	long r = fdwrite(fds[0], bytes, sizeof bytes);

	ck_assert_uint_lt(fdwritten(), sizeof bytes);
	return r;
}

static long
callfdwritev(void)
{
	struct iovec v[] = {{bytes, 10}, {bytes + 10, sizeof bytes - 10}};

	return fdwritev(fds[0], v, 2);
}

static long
callsendto(void)
{
	return netsendto(fds[0], bytes, sizeof bytes, NULL, 0);
}

static long
callrecvfrom(void)
{
	return netrecvfrom(fds[0], bytes, sizeof bytes, NULL, 0, NULL);
}

/* Streams, whose buffers and whose peer have nothing, or no room. */

static Stream *stream;
static char *streamed;
static void *shown;

static void
somestream(void)
{
	pair(fds);
	stream = streamopen(fds[0], 10);
}

static void
fullstream(void)
{
	somestream();
	fill(fds[0]);
	ck_assert_int_eq(streamwrite(stream, bytes, 10), 10);
}

static long
callstreamread(void)
{
	return streamread(stream, bytes, 1);
}

static long
callstreamreadn(void)
{
	return streamreadn(stream, bytes, sizeof bytes);
}

static long
callstreamuntil(void)
{
	return streamuntil(stream, "x", 1, &shown);
}

static long
callstreamline(void)
{
	return streamline(stream, &streamed);
}

static long
callstreampeek(void)
{
	return streampeek(stream, 1, &shown);
}

static long
callstreamwrite(void)
{
	return streamwrite(stream, bytes, 5);
}

static long
callstreamwritev(void)
{
	struct iovec v = {bytes, 5};

	return streamwritev(stream, &v, 1);
}

static long
callstreamprint(void)
{
	return streamprint(stream, "%s", "text");
}

static long
callstreamsendfile(void)
{
	int file = open("/dev/zero", O_RDONLY);
	long r = streamsendfile(stream, file, 0, 5);
	int err = errno;

	close(file);
	errno = err;
	return r;
}

static long
callstreamflush(void)
{
	return streamflush(stream);
}

static long
callstreamshut(void)
{
	return streamshut(stream);
}

static void
streamusable(void)
{
	drain(fds[1]);
	ck_assert_int_eq(streamflush(stream), 0);
	drain(fds[1]);
	ck_assert_int_eq(fdwrite(fds[1], "line\n", 5), 5);
	ck_assert_int_eq(streamline(stream, &streamed), 4);
	ck_assert_str_eq(streamed, "line");
	fdclose(fds[1]);
	ck_assert_int_eq(streamclose(stream), 0);
}

static long
callstreamclose(void)
{
	return streamclose(stream);
}

static void
streamgone(void)
{
	FAILS(fcntl(fds[0], F_GETFD), EBADF);
	fdclose(fds[1]);
}

/* A layer that begins when the peer has said something. */

static int
beginsheard(void *layer, int fd, const void *v, size_t n)
{
	char c;

	(void)layer;
	(void)v;
	return n > 0 || recv(fd, &c, 1, 0) == 1 ? 0 : -1;
}

static size_t
keepsnone(void *layer)
{
	(void)layer;
	return 0;
}

static long
callstreamlayer(void)
{
	static const Streamlayer hears = {.begin = beginsheard,
		.unsent = keepsnone};

	return streamlayer(stream, &hears, NULL);
}

static void
onlycloses(void)
{
	ck_assert_ptr_null(streamlayerof(stream, NULL));
	FAILS(streamread(stream, bytes, 1), ECONNABORTED);
	streamclose(stream);
	streamgone();
}

static void
listening(void)
{
	listener = netannounce(TCP, "127.0.0.1", 0);
	ck_assert_int_ge(listener, 0);
}

static long
callaccept(void)
{
	return netaccept(listener, NULL, NULL);
}

static long
callacceptaddr(void)
{
	char addr[64];

	return netacceptaddr(listener, addr, sizeof addr, NULL);
}

static void
dial(void *v)
{
	*(int *)v = netdial(TCP, "127.0.0.1", portof(listener));
}

static void
listenerusable(void)
{
	int to = -1;

	beside(dial, &to);
	int fd = netaccept(listener, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	while(to < 0)
		taskdelay(0);
	fdclose(fd);
	fdclose(to);
	fdclose(listener);
}

/* A connection is there, and no descriptor for it. */
static struct rlimit limit;

static void
nodescriptors(void)
{
	listening();
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)portof(listener)),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	queued[0] = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(queued[0], (struct sockaddr *)&sa,
		sizeof sa), 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	int next = dup(0);
	close(next);
	struct rlimit none = {(rlim_t)next, limit.rlim_max};
	setrlimit(RLIMIT_NOFILE, &none);
}

static void
stillqueued(void)
{
	setrlimit(RLIMIT_NOFILE, &limit);
	if(!valgrind()){	/* which accepts, and then throws away */
		int fd = netaccept(listener, NULL, NULL);
		ck_assert_int_ge(fd, 0);
		fdclose(fd);
	}
	close(queued[0]);
	listenerusable();
}

/* A listener whose queue is full: who connects waits. */
static void
fulllistener(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof sa;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&sa, n), 0);
	ck_assert_int_eq(listen(listener, 0), 0);
	getsockname(listener, (struct sockaddr *)&sa, &n);
	for(nqueued = 0; nqueued < 8; nqueued++){
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		connect(fd, (struct sockaddr *)&sa, n);
		queued[nqueued] = fd;
		if(poll(&p, 1, 20) == 0)
			break;
	}
	ck_assert_int_lt(nqueued, 8);
}

static long
calldial(void)
{
	int before = openfds();
	long r = netdial(TCP, "127.0.0.1", portof(listener));
	int err = errno;

	ck_assert_int_eq(openfds(), before);
	errno = err;
	return r;
}

static void
dialusable(void)
{
	while(nqueued >= 0)
		close(queued[nqueued--]);
	close(listener);
	listening();
	listenerusable();
}

/* The same at two addresses. */
static void
fulltwice(void)
{
	fulllistener();
	resolvesanew();
	resolves("127.0.0.1", portof(listener));
	resolves("127.0.0.1", portof(listener));
}

static long
calldialname(void)
{
	return netdial(TCP, "name", 1);
}

/* Names: who has left one behind can ask for it again. */

static long
calldialslow(void)
{
	return netdial(TCP, "slow", 1);
}

static long
callannounce(void)
{
	return netannounce(TCP, "slow", 1);
}

static int
nevercalled(Server *server, Stream *c, void *v)
{
	(void)server;
	(void)c;
	(void)v;
	return 0;
}

static long
callserverstart(void)
{
	Server server = {.fn = nevercalled};

	return serverstart(&server, "slow", 1);
}

static long
calllookup(void)
{
	uint32_t ip;

	return netlookup("slow", &ip);
}

static long
callresolve(void)
{
	struct sockaddr_storage sa;

	return netresolve("slow", 1, &sa, 1);
}

static void
nameusable(void)
{
	gateopen = 1;
	resolvesanew();
	resolves("127.0.0.1", 0);
	ck_assert_int_eq(callresolve(), 1);
	ck_assert_int_eq(calllookup(), 0);
	while(nasking > 0)
		taskdelay(1);
	gateopen = 0;
}

/* The end of a task. */

static int awaited;

static void *
delayandreturn(void *v)
{
	taskdelay(200);
	return v;
}

static void
spawned(void)
{
	awaited = taskspawn(delayandreturn, &awaited, 0);
	ck_assert_int_gt(awaited, 0);
}

static long
callwait(void)
{
	return taskwait(awaited, NULL);
}

static void
waitusable(void)
{
	void *result;

	ck_assert_int_eq(taskwait(awaited, &result), 0);
	ck_assert_ptr_eq(result, &awaited);
}

/* Groups */

static Group group = {.limit = 1};

static void
delaylong(void *v)
{
	(void)v;
	taskdelay(10000);
}

static void
fullgroup(void)
{
	ck_assert_int_gt(groupspawn(&group, delaylong, NULL, 0), 0);
}

static long
callgroupspawn(void)
{
	return groupspawn(&group, delaylong, NULL, 0);
}

static long
callgroupwait(void)
{
	return groupwait(&group);
}

static long
callgroupmap(void)
{
	char two[2];

	return groupmap(&group, delaylong, two, 2, 1, 0);
}

static void
groupusable(void)
{
	Wait w = {.fd = -1};

	groupcancel(&group);
	ck_assert_int_eq(groupwait(&group), 0);
	ck_assert_int_gt(groupspawn(&group, waiter, &w, 0), 0);
	ck_assert_int_eq(groupwait(&group), 0);
}

/* Procs */

static int proc;

static void
someproc(void)
{
	proc = proccreate(delaylong, NULL, 0);
	ck_assert_int_gt(proc, 1);
}

static int
delaythere(void *v)
{
	(void)v;
	errno = 0;
	taskdelay(10000);
	return errno ? -1 : 0;
}

static int
endthere(void *v)
{
	(void)v;
	return taskcancel(1);
}

static long
callproccall(void)
{
	return proccall(proc, delaythere, NULL);
}

static long
callprocwait(void)
{
	return procwait(proc, NULL);
}

static void
procusable(void)
{
	ck_assert_int_eq(proccall(proc, endthere, NULL), 0);
	ck_assert_int_eq(procwait(proc, NULL), 0);
	ck_assert_int_eq(procwait(proc, NULL), -1);
	ck_assert_int_eq(errno, ESRCH);
}

/* The one thread of the pool is busy: others wait for it. */

static int pooled[2];	/* a pipe: what is written ends the function */
static int npooled;

static int
readpooled(void *v)
{
	return (int)read(pooled[0], v, 1);
}

static void
busythread(void *v)
{
	char c;

	(void)v;
	ck_assert_int_eq(offload(readpooled, &c), 1);
	npooled--;
}

static void
busypool(void)
{
	ck_assert_int_eq(pipe(pooled), 0);
	offloadmax(1);
	npooled++;
	beside(busythread, NULL);
	taskyield();
}

static int
notcalled(void *v)
{
	(void)v;
	ck_abort_msg("it was given up");
	return 0;
}

static long
calloffload(void)
{
	return offload(notcalled, NULL);
}

static long
callchildspawn(void)
{
	Child c = {.fd = {CHILDPIPE, CHILDPIPE, CHILDPIPE}};

	return childspawn(&c, (char *[]){"false", NULL});
}

static void
poolusable(void)
{
	char c = 0;

	ck_assert_int_eq(write(pooled[1], "xx", 2), 2);
	while(npooled > 0)
		taskdelay(1);
	ck_assert_int_eq(offload(readpooled, &c), 1);
	ck_assert_int_eq(c, 'x');
	close(pooled[0]);
	close(pooled[1]);
}

/* Children */

static Child sleeper;

static void
somechild(void)
{
	sleeper = (Child){.pid = 0};
	ck_assert_int_eq(childspawn(&sleeper, (char *[]){"sleep", "100",
		NULL}), 0);
}

static long
callchildwait(void)
{
	return childwait(&sleeper, NULL);
}

static void
childusable(void)
{
	int status;

	ck_assert_int_eq(childkill(&sleeper, SIGKILL), 0);
	ck_assert_int_eq(childwait(&sleeper, &status), 0);
	ck_assert_int_eq(status, SIGKILL);
}

typedef struct Row
{
	const char *name;
	void (*prepare)(void);	/* so that the call will wait */
	long (*call)(void);
	void (*usable)(void);	/* works as if nothing had been */
} Row;

/* NULL: it blocks the thread, or succeeds when it is cut. */
static const Row rows[] = {
	{"taskrun", NULL, NULL, NULL},
	{"taskscheduler", NULL, NULL, NULL},
	{"serverspread", NULL, NULL, NULL},	/* cut where procs begin */
	{"serverstop", NULL, NULL, NULL},	/* succeeds: check_server */
	{"taskshutdown", NULL, NULL, NULL},
	{"tracestart", NULL, NULL, NULL},
	{"tracestop", NULL, NULL, NULL},
	{"traceon", NULL, NULL, NULL},
	{"taskdelay", ready, calldelay, delayusable},
	{"taskdelayuntil", ready, calldelayuntil, delayusable},
	{"chansend", fullchan, callsend, chanusable},
	{"chanrecv", emptychan, callrecv, chanusable},
	{"chansendp", fullchan, callsendp, chanusable},
	{"chanrecvp", emptychan, callrecvp, chanusable},
	{"chansendul", fullchan, callsendul, chanusable},
	{"chanrecvul", emptychan, callrecvul, chanusable},
	{"chansendn", fullchan, callsendn, chanusable},
	{"chanrecvn", emptychan, callrecvn, chanusable},
	{"chanalt", alternatives, callalt, chanusable},
	{"chansend", fullshared, callsend, chanusable},
	{"chanrecv", emptyshared, callrecv, chanusable},
	{"chanrecvul", emptyshared, callrecvul, chanusable},
	{"chansendn", fullshared, callsendn, chanusable},
	{"chanrecvn", emptyshared, callrecvn, chanusable},
	{"chanalt", halfshared, callalt, chanusable},
	{"qlock", qheld, callqlock, qusable},
	{"rlock", wheld, callrlock, rwusable},
	{"wlock", rheld, callwlock, rwusable},
	{"tasksleep", ready, callsleep, sleepusable},
	{"reclock", recheld, callreclock, recusable},
	{"semacquire", ready, callacquire, semusable},
	{"eventwait", ready, calleventwait, eventusable},
	{"chanalt", somepair, callaltfd, fdusable},
	{"taskwait", spawned, callwait, waitusable},
	{"groupspawn", fullgroup, callgroupspawn, groupusable},
	{"groupwait", fullgroup, callgroupwait, groupusable},
	{"groupmap", fullgroup, callgroupmap, groupusable},
	{"proccall", someproc, callproccall, procusable},
	{"offload", busypool, calloffload, poolusable},
	{"procwait", someproc, callprocwait, procusable},
	{"childspawn", busypool, callchildspawn, poolusable},
	{"childwait", somechild, callchildwait, childusable},
	{"fdread", somepair, callfdread, fdusable},
	{"fdread1", somepair, callfdread1, fdusable},
	{"fdreadn", somepair, callfdreadn, fdusable},
	{"fdwrite", fullpair, callfdwrite, fdusable},
	{"fdwritev", fullpair, callfdwritev, fdusable},
	{"netsendto", fullpair, callsendto, fdusable},
	{"netrecvfrom", somepair, callrecvfrom, fdusable},
	{"streamread", somestream, callstreamread, streamusable},
	{"streamreadn", somestream, callstreamreadn, streamusable},
	{"streamuntil", somestream, callstreamuntil, streamusable},
	{"streamline", somestream, callstreamline, streamusable},
	{"streamline", fullstream, callstreamline, streamusable},
	{"streampeek", somestream, callstreampeek, streamusable},
	{"streamwrite", fullstream, callstreamwrite, streamusable},
	{"streamwritev", fullstream, callstreamwritev, streamusable},
	{"streamprint", fullstream, callstreamprint, streamusable},
	{"streamsendfile", fullstream, callstreamsendfile, streamusable},
	{"streamflush", fullstream, callstreamflush, streamusable},
	{"streamshut", fullstream, callstreamshut, streamusable},
	{"streamclose", somestream, callstreamclose, streamgone},
	{"streamclose", fullstream, callstreamclose, streamgone},
	{"streamlayer", somestream, callstreamlayer, onlycloses},
	{"taskdump", fullpair, calldump, fdusable},
	{"consoleserve", somepair, callconsole, fdusable},
	{"consoleprint", fullpair, callprint, fdusable},
	{"consolebreak", attached, callbreak, breakusable},
	{"tracesave", fullpair, calltracesave, fdusable},
	{"fdwait", somepair, callfdwait, fdusable},
	{"netaccept", listening, callaccept, listenerusable},
	{"netaccept", nodescriptors, callaccept, stillqueued},
	{"netacceptaddr", listening, callacceptaddr, listenerusable},
	{"netdial", fulllistener, calldial, dialusable},
	{"netdial", fulltwice, calldialname, dialusable},
	{"netdial", ready, calldialslow, nameusable},
	{"netannounce", ready, callannounce, nameusable},
	{"serverstart", ready, callserverstart, nameusable},
	{"netlookup", ready, calllookup, nameusable},
	{"netresolve", ready, callresolve, nameusable},
};

enum
{
	Nrows = sizeof rows / sizeof rows[0],
	Again = 12	/* rows of calls that have one already */
};

/* The table is that of task.h. */

static int
intable(const char *name)
{
	for(int i = 0; i < Nrows; i++)
		if(strcmp(rows[i].name, name) == 0)
			return 1;
	return 0;
}

/* The name that a line declares, or "". */
static char *
declared(char *line)
{
	char *end = strchr(line, '('), *start = end;

	if(end == NULL || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP"
			"QRSTUVWXYZ", line[0]))
		return "";
	while(start > line && strchr(" *", start[-1]) == NULL)
		start--;
	*end = '\0';
	return start;
}

/* Whether Blocks: speaks of name; it may speak of all that follow. */
static int
blocks(const char *text, const char *name, const char *all)
{
	char word[64];
	int some = 0;

	for(size_t n = 0; *text; text += n ? n : 1){
		n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789");
		snprintf(word, sizeof word, " %.*s ", (int)n, text);
		if(n > 0 && strstr(all, word)){
			some = 1;
			if(n == strlen(name) && strncmp(text, name, n) == 0)
				return 1;
		}
	}
	return !some;
}

static void
checkfamily(const char *text, const char *all, int *n)
{
	char names[1024], *rest = names, *name;

	snprintf(names, sizeof names, "%s", all);
	while((name = strtok_r(rest, " ", &rest)))
		if(blocks(text, name, all)){
			++*n;
			ck_assert_msg(intable(name), "%s blocks, and is not "
				"in the table", name);
		}
}

START_TEST(every_call_whose_contract_says_that_it_blocks_is_in_the_table)
{
	char line[256], text[1024] = "", all[1024] = "";
	int n = 0;
	FILE *f = fopen("task.h", "r");

	if(f == NULL)
		TEST_SKIP("task.h is not here");
	while(fgets(line, sizeof line, f)){
		char *at = strstr(line, " * Blocks:");
		if(at || (*text && strncmp(line, " *", 2) == 0))
			strncat(text, at ? at + 10 : line + 2,
				sizeof text - strlen(text) - 1);
		char *name = declared(line);
		if(*text && *name){
			strcat(all, *all ? "" : " ");
			strcat(strcat(all, name), " ");
		}
		if(*text && line[0] == '\n'){
			checkfamily(text, all, &n);
			*text = *all = '\0';
		}
	}
	fclose(f);
	ck_assert_int_ge(n, Nrows - Again);
}
END_TEST

/* One call, in a task of its own. */
typedef struct Try
{
	const Row *row;
	int (*before)(int id);	/* called for the task before it calls */
	int deadline;
	int id;
	int done;
	int result;
	int err;
	int fired;
	int64_t took_ns;
} Try;

static void
try(void *v)
{
	Try *t = v;
	Timeout scope;

	t->id = (int)taskid();
	if(t->before)
		ck_assert_int_eq(t->before(t->id), 0);
	int64_t start = nowns();
	if(t->deadline)
		timeoutstart(&scope, Soon);
	errno = 0;
	t->result = (int)t->row->call();
	t->err = errno;
	t->took_ns = nowns() - start;
	if(t->deadline){
		t->fired = timeoutfired(&scope);
		ck_assert_int_eq(timeoutstop(&scope), t->fired);
	}
	t->done = 1;
}

static void
failed(const Try *t, int err)
{
	if(t->result != -1 || t->err != err)
		ck_abort_msg("%s returned %d with errno %d (%s)", t->row->name,
			t->result, t->err, strerror(t->err));
}

static void
await(Try *t)
{
	for(int i = 0; i < 10000 && !t->done; i++)
		taskdelay(1);
	if(!t->done)
		ck_abort_msg("%s does not come back", t->row->name);
}

/* The bound must hold, if not each time on a machine that is busy. */
TASK_TEST(S1_13_every_call_ends_with_its_deadline_and_leaves_nothing_behind)
{
	for(int i = 0; i < Nrows; i++){
		int64_t least = INT64_MAX;
		if(rows[i].call == NULL)
			continue;
		for(int k = 0; k < 10 && (k < 2 ||
				least > (Soon + Slack) * 1000000LL); k++){
			Try t = {.row = &rows[i], .deadline = 1};
			rows[i].prepare();
			beside(try, &t);
			await(&t);
			failed(&t, ETIMEDOUT);
			ck_assert_int_eq(t.fired, 1);
			ck_assert_int_ge(t.took_ns, Soon * 1000000LL);
			if(t.took_ns < least)
				least = t.took_ns;
			rows[i].usable();
		}
		if(least > (Soon + Slack) * 1000000LL)
			ck_abort_msg("%s took %lld us", rows[i].name,
				(long long)least / 1000);
	}
}

/* The same with each row, in the middle of its call. */
static void
cutall(int (*cut)(int id), int err)
{
	for(int i = 0; i < Nrows; i++){
		Try t = {.row = &rows[i]};
		if(rows[i].call == NULL)
			continue;
		rows[i].prepare();
		beside(try, &t);
		taskdelay(2);
		if(t.done)
			ck_abort_msg("%s did not wait: %d, %s", rows[i].name,
				t.result, strerror(t.err));
		ck_assert_int_eq(cut(t.id), 0);
		ck_assert_int_eq(cut(t.id), 0);
		await(&t);
		failed(&t, err);
		FAILS(cut(t.id), ESRCH);
		rows[i].usable();
	}
}

TASK_TEST(every_call_is_cancelled_and_leaves_nothing_behind)
{
	cutall(taskcancel, ECANCELED);
}

TASK_TEST(every_call_is_interrupted_and_leaves_nothing_behind)
{
	cutall(taskinterrupt, EINTR);
}

/* And before it. */
static void
refuseall(int (*before)(int id), int err)
{
	for(int i = 0; i < Nrows; i++){
		Try t = {.row = &rows[i], .before = before};
		if(rows[i].call == NULL)
			continue;
		rows[i].prepare();
		beside(try, &t);
		await(&t);
		failed(&t, err);
		rows[i].usable();
	}
}

TASK_TEST(every_call_of_a_cancelled_task_fails_in_place_of_waiting)
{
	refuseall(taskcancel, ECANCELED);
}

TASK_TEST(every_call_of_an_interrupted_task_fails_in_place_of_waiting)
{
	refuseall(taskinterrupt, EINTR);
}

/* What belongs to a task. */

static void
taskb(void *v)
{
	Timeout t;

	(void)v;
	errno = EPIPE;
	*taskdata() = NULL;
	timeoutstart(&t, 1);
	ck_assert_int_eq(fdwait(fds[0], 'r'), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(timeoutfired(&t), 1);
	taskname("b");
	errno = EPIPE;
	taskyield();
	ck_assert_int_eq(errno, EPIPE);
}

TASK_TEST(S0_10_errno_data_name_and_scopes_belong_to_the_task)
{
	Timeout t;

	pair(fds);
	timeoutstart(&t, 10000);
	beside(taskb, NULL);
	errno = EINTR;
	*taskdata() = &t;
	taskname("a");
	taskyield();
	ck_assert_int_eq(errno, EINTR);
	taskdelay(10);
	ck_assert_int_eq(errno, EINTR);
	ck_assert_ptr_eq(*taskdata(), &t);
	ck_assert_str_eq(taskgetname(), "a");
	ck_assert_int_eq(timeoutpending(&t), 1);
	ck_assert_int_eq(timeoutstop(&t), 0);
}

TEST_MAIN("cancel",
	S0_10_errno_data_name_and_scopes_belong_to_the_task,
	every_call_whose_contract_says_that_it_blocks_is_in_the_table,
	S1_13_every_call_ends_with_its_deadline_and_leaves_nothing_behind,
	every_call_is_cancelled_and_leaves_nothing_behind,
	every_call_of_a_cancelled_task_fails_in_place_of_waiting,
	every_call_is_interrupted_and_leaves_nothing_behind,
	every_call_of_an_interrupted_task_fails_in_place_of_waiting)
