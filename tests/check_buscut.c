/* SPDX-License-Identifier: MIT */
/* A bus whose server is killed, stopped and started again, or cut off. */
#include "redis.h"
#include "../addons/bus/taskbus.h"

enum { Soon = 15000 };	/* ms, for what must come */

static Bus *bus;

static Bus *
opened(const char *url)
{
	Bus *b = busopen(url);

	ck_assert_msg(b != NULL, "%s: %s", url, strerror(errno));
	return b;
}

static void
isback(Bus *b)
{
	Timeout t;
	int r = -1;

	TIMEOUT(&t, Soon)
		r = buswait(b);
	ck_assert_int_eq(r, 0);
}

static void
isdown(Bus *b)
{
	for(int i = 0; i < Soon && busstate(b) == 0; i++)
		taskdelay(1);
	ck_assert_int_lt(busstate(b), 0);
}

/* A network between the bus and the server, that can be cut. */
enum { Links = 32 };

static struct
{
	int listener;
	int frozen;	/* nothing is passed on, nor that one side has gone */
	int n;
	int fd[Links][2];
	char url[64];
} proxy;

typedef struct Pump
{
	int from, to;
} Pump;

static void
pump(void *v)
{
	Pump *p = v;
	char buf[4096];
	ssize_t n;

	tasksystem();
	while((n = fdread(p->from, buf, sizeof buf)) > 0 && !proxy.frozen)
		if(fdwrite(p->to, buf, (size_t)n) < 0)
			break;
	if(!proxy.frozen)
		shutdown(p->to, SHUT_RDWR);
	free(p);
}

static void
startpump(int from, int to)
{
	Pump *p = malloc(sizeof *p);

	*p = (Pump){from, to};
	taskcreate(pump, p, 0);
}

static void
acceptlinks(void *v)
{
	int fd;

	(void)v;
	tasksystem();
	while((fd = netaccept(proxy.listener, NULL, NULL)) >= 0){
		int to = netdial(TCP, "127.0.0.1", redis.port);
		if(to < 0 || proxy.n == Links){
			fdclose(fd);
			fdclose(to);
			continue;
		}
		proxy.fd[proxy.n][0] = fd;
		proxy.fd[proxy.n++][1] = to;
		startpump(fd, to);
		startpump(to, fd);
	}
}

static Bus *
throughproxy(void)
{
	proxy.listener = netannounce(TCP, "127.0.0.1", 0);
	ck_assert_int_ge(proxy.listener, 0);
	snprintf(proxy.url, sizeof proxy.url, "redis://127.0.0.1:%d",
		portof(proxy.listener));
	taskcreate(acceptlinks, NULL, 0);
	return opened(proxy.url);
}

/*
 * cuts all connections there are; or only the bus is told, and the server waits
 * on.
 */
static int heldback[Links], nheldback;

static void
cutproxy(int frozen)
{
	int n = proxy.n, fd[Links][2];

	memcpy(fd, proxy.fd, sizeof fd);
	proxy.n = 0;
	proxy.frozen = frozen;
	for(int i = 0; i < n; i++){
		shutdown(fd[i][0], SHUT_RDWR);
		if(frozen)
			heldback[nheldback++] = fd[i][1];
		else
			shutdown(fd[i][1], SHUT_RDWR);
	}
	settle();
	proxy.frozen = 0;
	for(int i = 0; i < n; i++){
		fdclose(fd[i][0]);
		if(!frozen)
			fdclose(fd[i][1]);
	}
}

static void
endproxy(void)
{
	fdclose(proxy.listener);
	cutproxy(0);
	while(nheldback > 0)
		fdclose(heldback[--nheldback]);
	settle();
}

static void
restart(void)
{
	redisend(SIGKILL);
	redisbegin();
	redisready();
}

/* A task that makes one call, whose end can be waited for. */
typedef struct Try
{
	int patient;	/* ENOTCONN is not the end */
	int result;
	int err;
	Event done;
} Try;

static void
tryappend(void *v)
{
	Try *t = v;

	t->result = busappend(bus, "s", "x", 1, NULL);
	t->err = errno;
	eventset(&t->done);
}

static void
trytake(void *v)
{
	Try *t = v;
	Busmsg *m;

	while((m = bustake(bus, "s", "g", "w")) == NULL && t->patient &&
			errno == ENOTCONN)
		isback(bus);
	t->err = errno;
	t->result = m ? 0 : -1;
	busmsgfree(m);
	eventset(&t->done);
}

static void
ended(Try *t, int err)
{
	Timeout limit;
	int r = -1;

	TIMEOUT(&limit, Soon)
		r = eventwait(&t->done);
	ck_assert_int_eq(r, 0);
	ck_assert_int_eq(t->result, err ? -1 : 0);
	if(err)
		ck_assert_int_eq(t->err, err);
}

REDIS_TEST_WITH(while_the_engine_is_away_calls_fail_at_once, NULL, NULL)
{
	Channel *c = chancreate(sizeof(Busmsg *), 1);
	Timeout t;

	bus = opened(redis.url);
	redisend(SIGKILL);
	isdown(bus);
	FAILS(buspublish(bus, "t", "x", 1), ENOTCONN);
	FAILS(busappend(bus, "s", "x", 1, NULL), ENOTCONN);
	FAILS(buscall(bus, NULL, "PING"), ENOTCONN);
	FAILS(bussubscribe(bus, "t", c), ENOTCONN);
	errno = 0;
	ck_assert_ptr_null(bustake(bus, "s", "g", "w"));
	ck_assert_int_eq(errno, ENOTCONN);
	ck_assert_ptr_null(busclaim(bus, "s", "g", "w", 0));
	ck_assert_int_eq(errno, ENOTCONN);
	timeoutstart(&t, 50);
	FAILS(buswait(bus), ETIMEDOUT);
	timeoutstop(&t);
	while(busstate(bus) < 0 && errno == ENOTCONN)
		taskdelay(1);	/* it has not been tried again yet */
	FAILS(busstate(bus), ECONNREFUSED);
	redisbegin();
	isback(bus);
	ck_assert_int_eq(busappend(bus, "s", "x", 1, NULL), 0);
	ck_assert_int_eq(bussubscribe(bus, "t", c), 0);
	redisend(SIGKILL);
	isdown(bus);
	ck_assert_int_eq(busclose(bus), 0);
	chanfree(c);
}

REDIS_TEST_WITH(what_was_sent_when_it_broke_may_have_happened, NULL, NULL)
{
	Try a = {0}, b = {0};

	bus = opened(redis.url);
	taskcreate(trytake, &b, 0);
	settle();
	kill(redis.pid, SIGSTOP);
	taskcreate(tryappend, &a, 0);
	settle();
	redisend(SIGKILL);
	ended(&a, EINPROGRESS);
	ended(&b, ENOTCONN);
	ck_assert_int_eq(busclose(bus), 0);
}

REDIS_TEST_WITH(who_gave_up_on_a_stopped_engine_leaves_no_answer, NULL, NULL)
{
	Busreply *r;
	Timeout t;
	char word[32];

	bus = opened(redis.url);
	kill(redis.pid, SIGSTOP);
	for(int i = 0; i < 20; i++){
		timeoutstart(&t, 5);
		FAILS(buscall(bus, &r, "ECHO %d", i), ETIMEDOUT);
		timeoutstop(&t);
	}
	kill(redis.pid, SIGCONT);
	for(int i = 100; i < 120; i++){
		snprintf(word, sizeof word, "%d", i);
		ck_assert_int_eq(buscall(bus, &r, "ECHO %d", i), 0);
		ck_assert_str_eq(r->s, word);
		busreplyfree(r);
	}
	ck_assert_int_eq(busclose(bus), 0);
}

/* Nothing has been sent of what had no room: it certainly has not happened. */
REDIS_TEST_WITH(more_than_a_stopped_engine_takes_waits_here, NULL, NULL)
{
	enum { Tries = 20, Bytes = 4 << 20 };
	char *big = calloc(1, Bytes);
	Busreply *r;
	Timeout t;

	bus = opened(redis.url);
	kill(redis.pid, SIGSTOP);
	for(int i = 0; i < Tries; i++){
		timeoutstart(&t, 2);
		FAILS(buscall(bus, &r, "RPUSH l %b", big, (size_t)Bytes),
			ETIMEDOUT);
		timeoutstop(&t);
	}
	kill(redis.pid, SIGCONT);
	ck_assert_int_eq(buscall(bus, &r, "LLEN l"), 0);
	ck_assert_int_lt(r->i, Tries);
	busreplyfree(r);
	ck_assert_int_eq(busclose(bus), 0);
	free(big);
}

REDIS_TEST_WITH(closing_does_not_wait_longer_than_the_scope, NULL, NULL)
{
	Try a = {0}, b = {0};
	Timeout t;

	bus = opened(redis.url);
	kill(redis.pid, SIGSTOP);
	taskcreate(tryappend, &a, 0);
	taskcreate(trytake, &b, 0);
	settle();
	timeoutstart(&t, 20);
	FAILS(busclose(bus), ETIMEDOUT);
	timeoutstop(&t);
	ended(&a, EINPROGRESS);
	ended(&b, ESHUTDOWN);
}

/*
 * The server does not know that the connection on which an entry is awaited is
 * gone, and would hand it the next one.
 */
REDIS_TEST_WITH(an_entry_does_not_go_to_a_connection_that_was_cut, NULL, NULL)
{
	Try a = {0};

	bus = throughproxy();
	taskcreate(trytake, &a, 0);
	settle();
	taskdelay(50);
	cutproxy(1);
	ended(&a, ENOTCONN);
	a = (Try){.patient = 1};
	taskcreate(trytake, &a, 0);
	taskdelay(100);
	Bus *other = opened(redis.url);
	ck_assert_int_eq(busappend(other, "s", "x", 1, NULL), 0);
	ended(&a, 0);
	ck_assert_int_eq(busclose(other), 0);
	ck_assert_int_eq(busclose(bus), 0);
	endproxy();
}

/* A server that is started again gives out the same numbers once more. */
REDIS_TEST_WITH(a_connection_is_not_taken_for_one_of_before, NULL, NULL)
{
	enum { Others = 12 };
	Bus *other[Others];
	Busmsg *m;

	bus = opened(redis.url);
	ck_assert_int_eq(busappend(bus, "s", "x", 1, NULL), 0);
	busmsgfree(bustake(bus, "s", "g", "w"));
	restart();
	for(int i = 0; i < Others; i++)
		other[i] = opened(redis.url);
	ck_assert_int_eq(busappend(other[0], "s", "y", 1, NULL), 0);
	while((m = bustake(bus, "s", "g", "w")) == NULL){
		ck_assert_int_eq(errno, ENOTCONN);
		isback(bus);
	}
	busmsgfree(m);
	for(int i = 0; i < Others; i++){
		ck_assert_int_eq(buscall(other[i], NULL, "PING"), 0);
		ck_assert_int_eq(busclose(other[i]), 0);
	}
	ck_assert_int_eq(busclose(bus), 0);
}

/* Streams */

enum { Entries = 400, Kills = 4, Writers = 8, Workers = 3 };

static int *confirmed, *times;
static int ntowrite, nwritten, ndone, nunsure, ndouble;

/* What may be in, or not, is not appended again: so twice is the bus's. */
static void
writesome(void *v)
{
	char text[16];

	for(int i = (int)(intptr_t)v; i < ntowrite; i += Writers){
		snprintf(text, sizeof text, "%d", i);
		while(busappend(bus, "s", text, strlen(text), NULL) < 0){
			if(errno == EINPROGRESS){
				nunsure++;
				confirmed[i] = -1;
				break;
			}
			ck_assert_int_eq(errno, ENOTCONN);
			isback(bus);
		}
		confirmed[i] += confirmed[i] == 0;
		nwritten++;
	}
}

/*
 * The engine may be in the middle of anything.  Every other time it is only
 * stopped for a while.
 */
static void
killnow(void *v)
{
	(void)v;
	for(int i = 1; i <= Kills; i++){
		while(nwritten < ntowrite * i / (Kills + 1))
			taskdelay(1);
		if(i % 2){
			restart();
			continue;
		}
		kill(redis.pid, SIGSTOP);
		taskdelay(50);
		kill(redis.pid, SIGCONT);
	}
}

static void
work(void *v)
{
	static const char *const names[] = {"a", "b", "c"};
	Busmsg *m;

	for(;;){
		m = bustake(bus, "s", "g", names[(intptr_t)v]);
		if(m == NULL && errno == ENOTCONN){
			if(buswait(bus) < 0)
				return;
			continue;
		}
		if(m == NULL)
			return;
		ck_assert_int_eq(m->op, BUSMSG);
		ndone += times[atoi(m->v)]++ == 0;
		ndouble += times[atoi(m->v)] > 1;
		busack(bus, m);
		busmsgfree(m);
	}
}

static int
allthere(void)
{
	for(int i = 0; i < ntowrite; i++)
		if(confirmed[i] > 0 && times[i] == 0)
			return 0;
	return 1;
}

/* Of what was confirmed nothing is lost, of the rest nothing is invented. */
static void
losenothing(void *v)
{
	Group writing = {0}, working = {0};

	(void)v;
	ntowrite = howmany(watched() ? Entries / 4 : Entries);
	confirmed = calloc((size_t)ntowrite, sizeof *confirmed);
	times = calloc((size_t)ntowrite, sizeof *times);
	bus = opened(redis.url);
	for(intptr_t i = 0; i < Workers; i++)
		groupspawn(&working, work, (void *)i, 0);
	for(intptr_t i = 0; i < Writers; i++)
		groupspawn(&writing, writesome, (void *)i, 0);
	groupspawn(&writing, killnow, NULL, 0);
	ck_assert_int_eq(groupwait(&writing), 0);
	while(!allthere())
		taskdelay(1);
	ck_assert_int_eq(busclose(bus), 0);
	ck_assert_int_eq(groupwait(&working), 0);
	for(int i = 0; i < ntowrite; i++)
		ck_assert_int_ne(confirmed[i], 0);
	printf("%d entries, %d unsure, %d came, %d more than once\n", ntowrite,
		nunsure, ndone, ndouble);
	free(confirmed);
	free(times);
}

START_TEST(an_engine_that_is_killed_loses_no_confirmed_entry)
{
	if(noredis())
		TEST_SKIP(noredis());
	redis.keeps = 1;
	redisrunwith(losenothing, NULL, NULL);
}
END_TEST

/* Topics */

typedef struct Counted
{
	long next;	/* the number that should come */
	long nlost;	/* that were told */
	int ngaps, nbreaks;	/* of a known number, and of any */
	int may;	/* after a break: any number may come */
} Counted;

static void
account(Counted *n, Busmsg *m)
{
	if(m->op == BUSGAP && m->lost == 0){
		n->nbreaks++;
		n->may = 1;
	}else if(m->op == BUSGAP){
		n->ngaps++;
		n->nlost += (long)m->lost;
		n->next += (long)m->lost;
	}else{
		long got = atol(m->v);
		if(n->may)
			ck_assert_int_ge(got, n->next);
		else
			ck_assert_int_eq(got, n->next);
		n->next = got + 1;
		n->may = 0;
	}
	busmsgfree(m);
}

static long npublished;
static int publishing;

/* By another way than through the proxy, which is never cut. */
static void
publishone(Bus *b)
{
	char text[32];

	snprintf(text, sizeof text, "%ld", npublished);
	ck_assert_int_ge(buspublish(b, "n", text, strlen(text)), 0);
	npublished++;
}

static void
publishall(void *v)
{
	while(publishing){
		publishone(v);
		if(npublished % 8 == 0)
			taskdelay(1);
	}
}

REDIS_TEST_WITH(a_topic_loses_nothing_but_what_gaps_tell, NULL, NULL)
{
	enum { Cuts = 3 };
	long wanted = howmany(100);
	Channel *c = chancreate(sizeof(Busmsg *), 64);
	Bus *other = opened(redis.url);
	Counted n = {0};
	Timeout t;

	bus = throughproxy();
	ck_assert_int_eq(bussubscribe(bus, "n", c), 0);
	publishing = 1;
	int id = taskcreate(publishall, other, 0);
	timeoutstart(&t, Soon + (unsigned int)wanted);
	for(int cuts = 0; n.nbreaks < Cuts || npublished < wanted; ){
		Busmsg *m = chanrecvp(c);
		ck_assert_ptr_nonnull(m);
		account(&n, m);
		if(n.next % 50 == 0 && cuts == n.nbreaks &&
				n.next >= wanted / (2 * Cuts) * cuts){
			cutproxy(0);
			cuts++;
			taskdelay(20);	/* and the channel becomes full */
		}
	}
	publishing = 0;
	taskwait(id, NULL);
	while(n.may || n.next < npublished){
		if(n.may && chanlen(c) == 0)
			publishone(other);
		Busmsg *m = chanrecvp(c);
		ck_assert_ptr_nonnull(m);
		account(&n, m);
	}
	timeoutstop(&t);
	settle();
	ck_assert_int_eq(chanlen(c), 0);
	printf("%ld published, %d breaks, %ld lost in %d gaps\n", npublished,
		n.nbreaks, n.nlost, n.ngaps);
	ck_assert_int_eq(busclose(bus), 0);
	ck_assert_int_eq(busclose(other), 0);
	endproxy();
	chanfree(c);
}

static void
subscribelate(void *v)
{
	Channel **c = v;

	while(bussubscribe(bus, "n", c[0]) < 0){
		ck_assert_int_eq(errno, ENOTCONN);
		isback(bus);
	}
}

REDIS_TEST_WITH(subscriptions_outlast_the_engine, NULL, NULL)
{
	Channel *c[] = {chancreate(sizeof(Busmsg *), 8),
		chancreate(sizeof(Busmsg *), 8)};
	Busmsg *m;

	bus = opened(redis.url);
	ck_assert_int_eq(bussubscribe(bus, "n", c[1]), 0);
	for(int i = 1; i < 4; i++){
		int id = taskcreate(subscribelate, c, 0);
		restart();
		taskwait(id, NULL);
		m = chanrecvp(c[1]);
		ck_assert_int_eq(m->op, BUSGAP);
		ck_assert_uint_eq(m->lost, 0);
		busmsgfree(m);
		while(buspublish(bus, "n", "x", 1) != 1)
			isback(bus);
		m = chanrecvp(c[1]);
		ck_assert_int_eq(m->op, BUSMSG);
		busmsgfree(m);
		while((m = chanrecvp(c[0]))->op == BUSGAP)
			busmsgfree(m);
		busmsgfree(m);
		ck_assert_int_eq(busunsubscribe(bus, "n", c[0]), 0);
	}
	ck_assert_int_eq(busclose(bus), 0);
	chanfree(c[0]);
	chanfree(c[1]);
}

TEST_MAIN("bus, cut", while_the_engine_is_away_calls_fail_at_once,
	what_was_sent_when_it_broke_may_have_happened,
	who_gave_up_on_a_stopped_engine_leaves_no_answer,
	more_than_a_stopped_engine_takes_waits_here,
	closing_does_not_wait_longer_than_the_scope,
	an_entry_does_not_go_to_a_connection_that_was_cut,
	a_connection_is_not_taken_for_one_of_before,
	an_engine_that_is_killed_loses_no_confirmed_entry,
	a_topic_loses_nothing_but_what_gaps_tell,
	subscriptions_outlast_the_engine)
