/* SPDX-License-Identifier: MIT */
/* A bus to a Redis server that is well. */
#include "redis.h"
#include "../addons/bus/taskbus.h"
#include <pthread.h>

enum { Soon = 15000 };	/* ms, for what must come */

static Bus *
opened(void)
{
	errno = EDOM;
	Bus *b = busopen(redis.url);
	ck_assert_msg(b != NULL, "%s: %s", redis.url, strerror(errno));
	ck_assert_int_eq(errno, EDOM);
	ck_assert_int_eq(busstate(b), 0);
	return b;
}

static void
closed(Bus *b)
{
	errno = EDOM;
	ck_assert_int_eq(busclose(b), 0);
	ck_assert_int_eq(errno, EDOM);
}

#define FAILSNULL(call, err) \
	do{ \
		errno = 0; \
		ck_assert_ptr_null(call); \
		ck_assert_int_eq(errno, err); \
	}while(0)

static void
hasdb(const char *where, const char *db)
{
	char url[256];
	Busreply *r;

	snprintf(url, sizeof url, where, redis.port);
	Bus *b = busopen(url);
	ck_assert_msg(b != NULL, "%s: %s", url, strerror(errno));
	ck_assert_int_eq(buscall(b, &r, "CLIENT INFO"), 0);
	ck_assert_msg(strstr(r->s, db) != NULL, "%s: %s", url, r->s);
	busreplyfree(r);
	closed(b);
}

static void
refuses(const char *where, int err)
{
	char url[256];

	snprintf(url, sizeof url, where, redis.port);
	FAILSNULL(busopen(url), err);
}

TASK_TEST(what_is_no_url_is_told)
{
	static const char *const urls[] = {"", "redis", "redis:/h",
		"rediss://h", "redis://", "redis://:1", "redis://h:0", 
		"redis://h:65536",
		"redis://h:x", "redis://h/x", "redis://h/-1", "redis://u@h",
		"redis://u:%4@h", "redis://u:%00@h", "redis://[::1",
		"redis://[::1]x", "redis://h:1:2", "unix://", "unix://p?d=1",
		"unix://p?db=x", "redis://h/99999999999999999999"};

	for(size_t i = 0; i < sizeof urls / sizeof urls[0]; i++){
		errno = 0;
		ck_assert_msg(busopen(urls[i]) == NULL && errno == EINVAL,
			"%s: %s", urls[i], strerror(errno));
	}
	FAILSNULL(busopen(NULL), EINVAL);
	FAILSNULL(busopen("unix:///no/such/socket"), ENOENT);
	redis.port = freeport();
	refuses("redis://127.0.0.1:%d", ECONNREFUSED);
	refuses("redis://[::1]:%d/1", ECONNREFUSED);
}

REDIS_TEST_WITH(an_engine_wants_a_password, "--requirepass", "p@ss/word")
{
	hasdb("redis://:p%%40ss%%2Fword@127.0.0.1:%d", "db=0");
	hasdb("redis://default:p%%40ss%%2Fword@localhost:%d/7", "db=7");
	refuses("redis://127.0.0.1:%d", EACCES);
	refuses("redis://:wrong@127.0.0.1:%d", EACCES);
	refuses("redis://nobody:p%%40ss%%2Fword@127.0.0.1:%d", EACCES);
	refuses("redis://:p%%40ss%%2fword@127.0.0.1:%d/99", EPROTO);
}

REDIS_TEST(an_engine_has_a_path)
{
	char url[128];

	snprintf(url, sizeof url, "unix://%s/socket", redis.dir);
	hasdb(url, "db=0");
	snprintf(url, sizeof url, "unix://%s/sock%%65t?db=3", redis.dir);
	Bus *b = busopen(url);
	ck_assert_ptr_nonnull(b);
	closed(b);
}

/* An answer is that text. */
static void
says(Bus *b, const char *want, const char *command)
{
	Busreply *r;

	ck_assert_int_eq(buscall(b, &r, command), 0);
	ck_assert_str_eq(r->s, want);
	ck_assert_uint_eq(r->n, strlen(want));
	busreplyfree(r);
}

REDIS_TEST(any_command_is_answered)
{
	Bus *b = opened();
	Busreply *r;

	says(b, "PONG", "PING");
	ck_assert_int_eq(buscall(b, &r, "SET %s %b", "a key", "x\0y\r\n",
		(size_t)5), 0);
	ck_assert_int_eq(r->type, BUSSTATUS);
	busreplyfree(r);
	ck_assert_int_eq(buscall(b, &r, "GET %s", "a key"), 0);
	ck_assert_int_eq(r->type, BUSSTRING);
	ck_assert_uint_eq(r->n, 5);
	ck_assert_mem_eq(r->s, "x\0y\r\n", 6);
	busreplyfree(r);
	ck_assert_int_eq(buscall(b, &r, "GET none"), 0);
	ck_assert_int_eq(r->type, BUSNIL);
	busreplyfree(r);
	ck_assert_int_eq(buscall(b, &r, "INCRBY n %d", -7), 0);
	ck_assert_int_eq(r->type, BUSINTEGER);
	ck_assert_int_eq(r->i, -7);
	busreplyfree(r);
	ck_assert_int_eq(buscall(b, &r, "EVAL %s 0",
		"return {1, {'two', {}}, {err = 'three'}}"), 0);
	ck_assert_int_eq(r->type, BUSARRAY);
	ck_assert_uint_eq(r->n, 3);
	ck_assert_str_eq(r->v[1].v[0].s, "two");
	ck_assert_uint_eq(r->v[1].v[1].n, 0);
	ck_assert_int_eq(r->v[2].type, BUSERROR);
	busreplyfree(r);
	busreplyfree(NULL);
	closed(b);
}

REDIS_TEST(what_the_engine_refuses_is_an_error)
{
	Bus *b = opened();
	Busreply *r;

	ck_assert_str_eq(buserror(b), "");
	FAILS(buscall(b, &r, "LPUSH"), EPROTO);
	ck_assert_ptr_nonnull(strstr(buserror(b), "wrong number"));
	ck_assert_int_eq(buscall(b, NULL, "SET s x"), 0);
	FAILS(busappend(b, "s", "x", 1, NULL), EINVAL);
	ck_assert_ptr_nonnull(strstr(buserror(b), "WRONGTYPE"));
	FAILSNULL(bustake(b, "s", "g", "w"), EINVAL);
	FAILSNULL(busclaim(b, "s", "g", "w", 0), EINVAL);
	ck_assert_int_eq(buscall(b, NULL, "CONFIG SET maxmemory 1"), 0);
	FAILS(busappend(b, "t", "x", 1, NULL), ENOSPC);
	ck_assert_int_eq(buscall(b, NULL, "CONFIG SET maxmemory 0"), 0);
	says(b, "PONG", "PING");
	closed(b);
}

REDIS_TEST(commands_about_the_connection_are_refused)
{
	static const char *const words[] = {"MULTI", "exec", "Subscribe a",
		"SELECT 1", "MONITOR", "QUIT", "HELLO 3", "%s x", "", " ",
		"CLIENT REPLY OFF", "client reply skip"};
	Bus *b = opened();

	for(size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		FAILS(buscall(b, NULL, words[i], ""), EINVAL);
	FAILS(buscall(b, NULL, NULL), EINVAL);
	FAILS(buscall(b, NULL, "%z"), EINVAL);
	says(b, "PONG", "PING");
	ck_assert_int_eq(buscall(b, NULL, "CLIENT SETNAME reply"), 0);
	closed(b);
}

static void
runelsewhere(void *v)
{
	FAILS(buscall(v, NULL, "PING"), EPERM);
	FAILS(busclose(v), EPERM);
}

static void *
elsewhere(void *v)
{
	taskrun(runelsewhere, v);
	return NULL;
}

REDIS_TEST(wrong_calls_are_told)
{
	Bus *b = opened();
	Busmsg m = {0};
	Channel *c = chancreate(sizeof(Busmsg *), 1), *ints = chancreate(4, 1);
	pthread_t thread;

	FAILS(busclose(NULL), EINVAL);
	FAILS(buspublish(NULL, "t", "x", 1), EINVAL);
	FAILS(buspublish(b, NULL, "x", 1), EINVAL);
	FAILS(buspublish(b, "t", NULL, 1), EINVAL);
	FAILS(busappend(b, NULL, "x", 1, NULL), EINVAL);
	FAILS(busappend(b, "s", NULL, 1, NULL), EINVAL);
	FAILS(bussubscribe(b, NULL, c), EINVAL);
	FAILS(bussubscribe(b, "t", NULL), EINVAL);
	FAILS(bussubscribe(b, "t", ints), EINVAL);
	FAILS(busunsubscribe(b, "t", c), ENOENT);
	FAILS(busunsubscribe(b, NULL, c), EINVAL);
	FAILS(busack(b, NULL), EINVAL);
	FAILS(busack(b, &m), EINVAL);
	FAILSNULL(bustake(b, "s", NULL, "w"), EINVAL);
	FAILSNULL(busclaim(b, "s", "g", NULL, 1), EINVAL);
	busmsgfree(NULL);
	pthread_create(&thread, NULL, elsewhere, b);
	pthread_join(thread, NULL);
	closed(b);
	chanfree(c);
	chanfree(ints);
}

START_TEST(without_a_scheduler_it_fails_with_EPERM)
{
	FAILSNULL(busopen("redis://localhost"), EPERM);
}
END_TEST

/* Its tasks have not even begun then. */
REDIS_TEST(a_bus_that_nobody_waits_for_is_gone_at_once)
{
	int64_t start_ns = nowns();
	Timeout t;

	for(int i = 0; i < 10; i++){
		timeoutstart(&t, 0);
		FAILSNULL(busopen(redis.url), ETIMEDOUT);
		timeoutstop(&t);
	}
	ck_assert_int_lt(nowns() - start_ns, 9000000000);
}

/* Many ask at a time, and some give up: each answer is the right one's. */
enum { Askers = 100, Questions = 40 };

static Bus *bus;
static int nanswered, ngaveup;

static void
askmany(void *v)
{
	char word[32];
	Busreply *r;
	Timeout t;
	int me = (int)(intptr_t)v;

	for(int i = 0; i < Questions; i++){
		snprintf(word, sizeof word, "%d of %d", i, me);
		int late = me % 4 == 0 && i == 0;	/* for certain */
		timeoutstart(&t, me % 4 || i % 3 ? Soon : 0);
		int n = late ? buscall(bus, &r, "BLPOP %s 0.01", word) :
			buscall(bus, &r, "ECHO %s", word);
		timeoutstop(&t);
		if(n < 0){
			ck_assert_int_eq(errno, ETIMEDOUT);
			ck_assert_int_eq(me % 4, 0);
			ngaveup++;
			taskyield();
			continue;
		}
		if(!late)
			ck_assert_str_eq(r->s, word);
		busreplyfree(r);
		nanswered++;
	}
}

REDIS_TEST(an_answer_is_never_another_tasks)
{
	Group asking = {0};

	bus = opened();
	for(intptr_t i = 0; i < Askers; i++)
		groupspawn(&asking, askmany, (void *)i, 0);
	ck_assert_int_eq(groupwait(&asking), 0);
	ck_assert_int_eq(nanswered + ngaveup, Askers * Questions);
	ck_assert_int_gt(ngaveup, 0);
	says(bus, "PONG", "PING");
	closed(bus);
}

/* Topics */

static Busmsg *
received(Channel *c, const char *want)
{
	Busmsg *m = NULL;
	Timeout t;

	TIMEOUT(&t, Soon)
		m = chanrecvp(c);
	ck_assert_ptr_nonnull(m);
	if(want){
		ck_assert_int_eq(m->op, BUSMSG);
		ck_assert_str_eq(m->v, want);
	}
	return m;
}

REDIS_TEST(a_message_goes_to_all_who_are_subscribed)
{
	Bus *a = opened(), *b = opened();
	Channel *c[2];

	for(int i = 0; i < 2; i++)
		c[i] = chancreate(sizeof(Busmsg *), 10);
	ck_assert_int_eq(buspublish(a, "news", "lost", 4), 0);
	errno = EDOM;
	ck_assert_int_eq(bussubscribe(b, "news", c[0]), 0);
	ck_assert_int_eq(bussubscribe(b, "news", c[1]), 0);
	ck_assert_int_eq(bussubscribe(b, "other", c[1]), 0);
	ck_assert_int_eq(errno, EDOM);
	FAILS(bussubscribe(b, "news", c[1]), EEXIST);
	ck_assert_int_eq(buspublish(a, "news", "x\0y", 3), 1);
	for(int i = 0; i < 2; i++){
		Busmsg *m = received(c[i], "x");
		ck_assert_uint_eq(m->n, 3);
		ck_assert_mem_eq(m->v, "x\0y", 4);
		ck_assert_str_eq(m->topic, "news");
		ck_assert_ptr_null(m->group);
		busmsgfree(m);
	}
	ck_assert_int_eq(busunsubscribe(b, "news", c[0]), 0);
	FAILS(busunsubscribe(b, "news", c[0]), ENOENT);
	ck_assert_int_eq(buspublish(a, "news", "2", 1), 1);
	ck_assert_int_eq(buspublish(a, "other", "", 0), 1);
	busmsgfree(received(c[1], "2"));
	busmsgfree(received(c[1], ""));
	ck_assert_int_eq(chanlen(c[0]), 0);
	ck_assert_int_eq(busunsubscribe(b, "news", c[1]), 0);
	ck_assert_int_eq(bussubscribe(b, "news", c[0]), 0);	/* at once */
	ck_assert_int_eq(buspublish(a, "news", "3", 1), 1);
	busmsgfree(received(c[0], "3"));
	closed(a);
	closed(b);
	chanfree(c[0]);
	chanfree(c[1]);
}

/* What came in a row: messages are numbers from 0 on, gaps tell how many. */
typedef struct Counted
{
	unsigned long next;	/* the number that should come */
	unsigned long ncame, nlost;
	int ngaps;
} Counted;

static void
account(Counted *n, Busmsg *m)
{
	if(m->op == BUSGAP){
		ck_assert_uint_gt(m->lost, 0);
		n->next += m->lost;
		n->nlost += m->lost;
		n->ngaps++;
	}else{
		ck_assert_uint_eq(strtoul(m->v, NULL, 10), n->next);
		n->next++;
		n->ncame++;
	}
	busmsgfree(m);
}

static void
publishnumbers(unsigned long from, unsigned long to)
{
	char text[32];

	for(; from < to; from++){
		snprintf(text, sizeof text, "%lu", from);
		ck_assert_int_eq(buspublish(bus, "n", text, strlen(text)), 1);
	}
}

/* The reader sleeps now and then; its channel has room for a few. */
REDIS_TEST(what_a_slow_reader_loses_is_told_exactly)
{
	enum { Numbers = 1500, Part = 100 };
	Channel *c = chancreate(sizeof(Busmsg *), 16);
	Counted n = {0};

	bus = opened();
	ck_assert_int_eq(bussubscribe(bus, "n", c), 0);
	for(unsigned long i = 0; i < Numbers; i += Part){
		publishnumbers(i, i + Part);
		for(unsigned long k = i / Part % 20; k > 0 &&
				n.next < i + Part; k--)
			account(&n, received(c, NULL));
	}
	while(n.next < Numbers)
		account(&n, received(c, NULL));
	settle();
	ck_assert_int_eq(chanlen(c), 0);
	ck_assert_uint_eq(n.ncame + n.nlost, Numbers);
	ck_assert_int_gt(n.ngaps, 1);
	ck_assert_uint_gt(n.ncame, 16);
	closed(bus);
	chanfree(c);
}

/* What was lost is told where it was lost, before all that came later. */
typedef struct Told
{
	Channel *c;	/* has room for two */
	Channel *all;	/* what is there has been tried with c too */
	unsigned long n;	/* of the next message */
} Told;

static void
tellsone(Told *t)
{
	char want[32];

	publishnumbers(t->n, t->n + 1);
	snprintf(want, sizeof want, "%lu", t->n++);
	busmsgfree(received(t->all, want));
}

/* One gap, or several in a row: the first waited when more was lost. */
static void
isgap(Channel *c, unsigned long lost)
{
	while(lost > 0){
		Busmsg *m = received(c, NULL);
		ck_assert_int_eq(m->op, BUSGAP);
		ck_assert_uint_gt(m->lost, 0);
		ck_assert_uint_le(m->lost, lost);
		ck_assert_str_eq(m->topic, "n");
		lost -= m->lost;
		busmsgfree(m);
	}
}

static void
hears(Channel *c, const char *want)
{
	busmsgfree(received(c, want));
}

REDIS_TEST(a_gap_comes_where_messages_are_missing)
{
	Told t = {chancreate(sizeof(Busmsg *), 2),
		chancreate(sizeof(Busmsg *), 16), 0};

	bus = opened();
	ck_assert_int_eq(bussubscribe(bus, "n", t.c), 0);
	ck_assert_int_eq(bussubscribe(bus, "n", t.all), 0);
	for(int i = 0; i < 5; i++)
		tellsone(&t);
	hears(t.c, "0");
	hears(t.c, "1");
	isgap(t.c, 3);
	for(int i = 0; i < 3; i++)
		tellsone(&t);
	hears(t.c, "5");
	tellsone(&t);	/* too late: a gap is to be told first */
	hears(t.c, "6");
	isgap(t.c, 2);
	tellsone(&t);
	hears(t.c, "9");
	ck_assert_int_eq(chanlen(t.c), 0);
	closed(bus);
	chanfree(t.c);
	chanfree(t.all);
}

/* The engine takes no more connections: those for messages are others. */
REDIS_TEST(a_second_connection_that_is_refused_is_told)
{
	Channel *c = chancreate(sizeof(Busmsg *), 2);
	Timeout t;

	bus = opened();
	ck_assert_int_eq(buscall(bus, NULL, "CONFIG SET maxclients 1"), 0);
	timeoutstart(&t, Soon);
	FAILS(bussubscribe(bus, "n", c), EPROTO);
	ck_assert_ptr_nonnull(strstr(buserror(bus), "max number of clients"));
	FAILSNULL(bustake(bus, "s", "g", "w"), EPROTO);
	says(bus, "PONG", "PING");
	ck_assert_int_eq(busstate(bus), 0);
	ck_assert_int_eq(buscall(bus, NULL, "CONFIG SET maxclients 100"), 0);
	ck_assert_int_eq(bussubscribe(bus, "n", c), 0);
	publishnumbers(0, 1);
	busmsgfree(received(c, "0"));
	ck_assert_int_eq(busappend(bus, "s", "x", 1, NULL), 0);
	Busmsg *m = bustake(bus, "s", "g", "w");
	ck_assert_ptr_nonnull(m);
	busmsgfree(m);
	timeoutstop(&t);
	closed(bus);
	chanfree(c);
}

REDIS_TEST(who_is_told_of_a_gap_may_leave)
{
	Channel *c = chancreate(sizeof(Busmsg *), 1);

	bus = opened();
	for(int i = 0; i < 3; i++){
		ck_assert_int_eq(bussubscribe(bus, "n", c), 0);
		publishnumbers(0, 10);
		ck_assert_int_eq(busunsubscribe(bus, "n", c), 0);
		Busmsg *m = channbrecvp(c);
		ck_assert_str_eq(m->v, "0");
		busmsgfree(m);
		if(i == 1){
			chanfree(c);	/* one waits to tell */
			c = chancreate(sizeof(Busmsg *), 1);
		}
	}
	settle();
	ck_assert_int_eq(chanlen(c), 0);
	ck_assert_int_eq(bussubscribe(bus, "n", c), 0);
	publishnumbers(0, 10);
	closed(bus);
	busmsgfree(channbrecvp(c));
	ck_assert_int_eq(chanlen(c), 0);
	chanfree(c);
}

REDIS_TEST(a_channel_that_is_closed_gets_no_more)
{
	Channel *c = chancreate(sizeof(Busmsg *), 1);

	bus = opened();
	ck_assert_int_eq(bussubscribe(bus, "n", c), 0);
	publishnumbers(0, 3);
	chanclose(c);
	publishnumbers(3, 6);
	busmsgfree(chanrecvp(c));
	FAILSNULL(chanrecvp(c), EPIPE);
	closed(bus);
	chanfree(c);
}

/* Streams */

static Busmsg *
taken(Bus *b, const char *who, const char *want, unsigned int again)
{
	Busmsg *m = NULL;
	Timeout t;

	TIMEOUT(&t, Soon)
		m = bustake(b, "s", "g", who);
	ck_assert_msg(m != NULL, "%s: %s", strerror(errno), buserror(b));
	ck_assert_int_eq(m->op, BUSMSG);
	ck_assert_str_eq(m->v, want);
	ck_assert_uint_eq(m->again, again);
	ck_assert_str_eq(m->topic, "s");
	ck_assert_str_eq(m->group, "g");
	return m;
}

static void
acked(Bus *b, Busmsg *m)
{
	ck_assert_int_eq(busack(b, m), 0);
	FAILS(busack(b, m), ENOENT);
	busmsgfree(m);
}

REDIS_TEST(an_entry_comes_again_until_it_is_acknowledged)
{
	Bus *b = opened();
	Busid first, second;

	ck_assert_int_eq(busappend(b, "s", "1", 1, &first), 0);
	ck_assert_int_eq(busappend(b, "s", "2", 1, &second), 0);
	ck_assert(second.ms > first.ms || second.seq > first.seq);
	Busmsg *m = taken(b, "w", "1", 0);
	ck_assert_uint_eq(m->id.ms, first.ms);
	ck_assert_uint_eq(m->id.seq, first.seq);
	busmsgfree(m);
	m = taken(b, "w", "2", 0);
	ck_assert_int_eq(busack(b, m), 0);
	busmsgfree(m);
	closed(b);
	b = opened();
	ck_assert_int_eq(busappend(b, "s", "3", 1, NULL), 0);
	acked(b, taken(b, "w", "1", 1));
	acked(b, taken(b, "w", "3", 0));
	closed(b);
}

static void
appendlater(void *v)
{
	settle();
	ck_assert_int_eq(busappend(v, "s", "late", 4, NULL), 0);
}

REDIS_TEST(who_takes_waits_for_an_entry)
{
	Bus *b = opened();

	taskcreate(appendlater, b, 0);
	acked(b, taken(b, "w", "late", 0));
	closed(b);
}

REDIS_TEST(a_deadline_loses_no_entry)
{
	enum { Entries = 60 };
	Bus *b = opened(), *other = opened();
	char text[16];
	int seen[Entries] = {0}, nseen = 0, ncut = 0;
	Timeout t;

	for(int i = 0; nseen < Entries; i++){
		if(i < Entries){
			snprintf(text, sizeof text, "%d", i);
			busappend(other, "s", text, strlen(text), NULL);
		}
		timeoutstart(&t, (unsigned int)(i < 2 * Entries ? i % 3 :
			Soon));
		Busmsg *m = bustake(b, "s", "g", "w");
		timeoutstop(&t);
		if(m == NULL){
			ck_assert_int_eq(errno, ETIMEDOUT);
			ncut++;
			continue;
		}
		int n = atoi(m->v);
		ck_assert_int_eq(seen[n], 0);
		seen[n] = 1;
		nseen++;
		acked(b, m);
	}
	ck_assert_int_gt(ncut, 0);
	closed(b);
	closed(other);
}

REDIS_TEST(what_another_has_taken_can_be_claimed)
{
	Bus *b = opened();
	char text[16];

	FAILSNULL(busclaim(b, "s", "g", "w", 0), ENOENT);	/* no stream */
	for(int i = 0; i < 30; i++){
		snprintf(text, sizeof text, "%d", i);
		busappend(b, "s", text, strlen(text), NULL);
		busmsgfree(taken(b, "dead", text, 0));
	}
	FAILSNULL(busclaim(b, "s", "g", "w", 3600000), ENOENT);
	Busmsg *m = busclaim(b, "s", "g", "w", 0);
	ck_assert_str_eq(m->v, "0");
	ck_assert_uint_eq(m->again, 1);
	acked(b, m);
	for(int i = 1; i < 30; i++)
		acked(b, busclaim(b, "s", "g", "w", 0));
	FAILSNULL(busclaim(b, "s", "g", "w", 0), ENOENT);
	closed(b);
}

/* Whoever claims and takes by one name may be given one by either. */
REDIS_TEST(what_was_claimed_may_come_once_more_to_who_takes)
{
	Bus *b = opened();
	Busmsg *m, *again;

	for(int i = 0; i < 3; i++)
		busappend(b, "s", i ? "next" : "one", i ? 4 : 3, NULL);
	busmsgfree(taken(b, "dead", "one", 0));
	m = busclaim(b, "s", "g", "w", 0);
	ck_assert_str_eq(m->v, "one");
	again = taken(b, "w", "one", 1);
	ck_assert_uint_eq(again->id.ms, m->id.ms);
	ck_assert_uint_eq(again->id.seq, m->id.seq);
	busmsgfree(again);
	acked(b, taken(b, "w", "next", 0));
	acked(b, taken(b, "w", "next", 0));
	acked(b, m);
	closed(b);
}

REDIS_TEST(an_entry_that_was_deleted_is_a_gap)
{
	Bus *b = opened();
	Busid id;

	for(int i = 0; i < 3; i++){
		ck_assert_int_eq(busappend(b, "s", "x", 1, &id), 0);
		busmsgfree(taken(b, "w", "x", 0));
	}
	ck_assert_int_eq(buscall(b, NULL, "XTRIM s MAXLEN 0"), 0);
	closed(b);
	b = opened();
	Busmsg *m = bustake(b, "s", "g", "w");
	ck_assert_int_eq(m->op, BUSGAP);
	ck_assert_uint_eq(m->lost, 1);
	ck_assert_ptr_null(m->v);
	acked(b, m);
	for(unsigned long lost = 0; lost < 2; busmsgfree(m)){
		m = busclaim(b, "s", "g", "v", 0);
		ck_assert_int_eq(m->op, BUSGAP);
		lost += m->lost;
	}
	FAILSNULL(busclaim(b, "s", "g", "v", 0), ENOENT);
	ck_assert_int_eq(busappend(b, "s", "y", 1, &id), 0);
	acked(b, taken(b, "w", "y", 0));
	closed(b);
}

/* Several append, several take, one name is shared by two tasks. */
enum { Appenders = 20, Takers = 4 };

static int ntaken, nentries, *times;

static void
appendsome(void *v)
{
	char text[16];

	for(int i = (int)(intptr_t)v; i < nentries; i += Appenders){
		snprintf(text, sizeof text, "%d", i);
		ck_assert_int_eq(busappend(bus, "s", text, strlen(text), NULL),
			0);
	}
}

static void
takesome(void *v)
{
	static const char *const names[Takers] = {"a", "b", "c", "c"};
	Busmsg *m;

	while((m = bustake(bus, "s", "g", names[(intptr_t)v])) != NULL){
		times[atoi(m->v)]++;
		ck_assert_int_eq(busack(bus, m), 0);
		busmsgfree(m);
		ntaken++;
	}
	ck_assert_int_eq(errno, ESHUTDOWN);
}

REDIS_TEST(many_entries_come_once_each_while_nothing_fails)
{
	Group appending = {0}, taking = {0};

	nentries = howmany(watched() ? 400 : 4000);
	times = calloc((size_t)nentries, sizeof *times);
	bus = opened();
	for(intptr_t i = 0; i < Takers; i++)
		groupspawn(&taking, takesome, (void *)i, 0);
	for(intptr_t i = 0; i < Appenders; i++)
		groupspawn(&appending, appendsome, (void *)i, 0);
	ck_assert_int_eq(groupwait(&appending), 0);
	while(ntaken < nentries)
		taskdelay(1);
	closed(bus);
	ck_assert_int_eq(groupwait(&taking), 0);
	for(int i = 0; i < nentries; i++)
		ck_assert_int_eq(times[i], 1);
	free(times);
}

/* Closing */

static void
asklate(void *v)
{
	ck_assert_int_eq(buscall(v, NULL, "EVAL %s 0",
		"for i = 1, 300000 do end return 1"), 0);
	FAILS(buscall(v, NULL, "PING"), ESHUTDOWN);
	nanswered++;
}

static void
takenothing(void *v)
{
	FAILSNULL(bustake(v, "s", "g", "w"), ESHUTDOWN);
	nanswered++;
}

REDIS_TEST(closing_waits_for_answers_and_ends_those_who_take)
{
	Bus *b = opened();

	for(int i = 0; i < 3; i++){
		taskcreate(asklate, b, 0);
		taskcreate(takenothing, b, 0);
	}
	taskyield();
	closed(b);
	ck_assert_int_eq(nanswered, 6);
}

REDIS_MAIN("bus", what_is_no_url_is_told, an_engine_wants_a_password,
	an_engine_has_a_path, any_command_is_answered,
	what_the_engine_refuses_is_an_error,
	commands_about_the_connection_are_refused, wrong_calls_are_told,
	without_a_scheduler_it_fails_with_EPERM,
	a_bus_that_nobody_waits_for_is_gone_at_once,
	an_answer_is_never_another_tasks,
	a_message_goes_to_all_who_are_subscribed,
	what_a_slow_reader_loses_is_told_exactly,
	a_gap_comes_where_messages_are_missing,
	a_second_connection_that_is_refused_is_told,
	who_is_told_of_a_gap_may_leave, a_channel_that_is_closed_gets_no_more,
	an_entry_comes_again_until_it_is_acknowledged,
	who_takes_waits_for_an_entry, a_deadline_loses_no_entry,
	what_another_has_taken_can_be_claimed,
	what_was_claimed_may_come_once_more_to_who_takes,
	an_entry_that_was_deleted_is_a_gap,
	many_entries_come_once_each_while_nothing_fails,
	closing_waits_for_answers_and_ends_those_who_take)
