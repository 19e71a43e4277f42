/* SPDX-License-Identifier: MIT */
/* Contexts of hiredis that a task drives, with a real server. */
#include "server.h"
#include "fdtest.h"
#include "../addons/hiredis/taskhiredis.h"
#include <hiredis/async.h>

static int port;

/* A test with a server of its own, whose number is in server. */
static pid_t server;

static void
startredis(void)
{
	char text[16];

	port = freeport();
	snprintf(text, sizeof text, "%d", port);
	server = startserver(port, (char *[]){"redis-server", "--bind",
		"127.0.0.1", "--port", text, "--save", "", NULL});
}

#define SERVED_TEST(name) \
	TASK_TEST_BY(name, \
		if(!haveserver("redis-server")) \
			TEST_SKIP("there is no redis-server"); \
		startredis(); \
		run(body); \
		stopserver(server))

/* An answer, as the task sees it that waits for it. */
typedef struct Answer
{
	Event done;
	int type;	/* REDIS_REPLY_..., or 0: there was none */
	long long number;
	size_t n;
	char text[64];	/* its beginning */
} Answer;

static void
copy(Answer *to, const redisReply *r)
{
	to->type = r->type;
	to->number = r->integer;
	if(r->type == REDIS_REPLY_ARRAY && r->elements > 0)
		r = r->element[r->elements - 1];
	if(r->str){
		to->n = (size_t)r->len;
		snprintf(to->text, sizeof to->text, "%s", r->str);
	}
}

static void
answered(redisAsyncContext *ac, void *reply, void *v)
{
	Answer *a = v;

	(void)ac;
	if(reply)
		copy(a, reply);
	eventset(&a->done);
}

static redisAsyncContext *
attached(void)
{
	redisAsyncContext *ac = redisAsyncConnect("127.0.0.1", port);

	ck_assert_ptr_nonnull(ac);
	errno = EDOM;
	ck_assert_int_eq(hiredisattach(ac), 0);
	ck_assert_int_eq(errno, EDOM);
	return ac;
}

static void
await(Answer *a)
{
	ck_assert_int_eq(eventwait(&a->done), 0);
}

/* Its task goes too, which has memory of its own. */
static void
ended(redisAsyncContext *ac)
{
	redisAsyncDisconnect(ac);
	settle();
}

/* calls with a command, and waits for the answer. */
#define CALL(ac, a, ...) \
	do{ \
		memset(a, 0, sizeof *(a)); \
		ck_assert_int_eq(redisAsyncCommand(ac, answered, a, \
			__VA_ARGS__), REDIS_OK); \
		await(a); \
	}while(0)

SERVED_TEST(a_task_waits_for_its_answer)
{
	redisAsyncContext *ac = attached();
	Answer a;

	CALL(ac, &a, "SET name %s", "value");
	ck_assert_int_eq(a.type, REDIS_REPLY_STATUS);
	CALL(ac, &a, "GET name");
	ck_assert_str_eq(a.text, "value");
	CALL(ac, &a, "NOSUCH");
	ck_assert_int_eq(a.type, REDIS_REPLY_ERROR);
	ended(ac);
}

SERVED_TEST(answers_come_in_the_order_of_the_commands)
{
	enum { Commands = 2000 };
	static Answer a[Commands];
	redisAsyncContext *ac = attached();

	for(int i = 0; i < Commands; i++)
		redisAsyncCommand(ac, answered, &a[i], "INCR count");
	redisAsyncDisconnect(ac);	/* when all is answered */
	for(int i = 0; i < Commands; i++){
		await(&a[i]);
		ck_assert_int_eq(a[i].number, i + 1);
	}
	settle();
}

SERVED_TEST(a_large_value_comes_and_goes_whole)
{
	enum { Bytes = 4 << 20 };
	redisAsyncContext *ac = attached();
	char *much = malloc(Bytes);
	Answer a;

	memset(much, 'x', Bytes);
	CALL(ac, &a, "SET large %b", much, (size_t)Bytes);
	CALL(ac, &a, "GET large");
	ck_assert_uint_eq(a.n, Bytes);
	free(much);
	ended(ac);
}

static redisAsyncContext *blocking;
static Answer popped;

static void
pop(void *v)
{
	CALL(blocking, &popped, "BLPOP list 0");
	(void)v;
	note('p');
}

SERVED_TEST(others_go_on_while_one_waits)
{
	redisAsyncContext *ac = attached();
	Answer a;

	blocking = attached();
	taskcreate(pop, NULL, 0);
	for(int i = 0; i < 10; i++){
		CALL(ac, &a, "INCR count");
		note('i');
	}
	CALL(ac, &a, "RPUSH list here");
	await(&popped);
	settle();
	ck_assert_str_eq(popped.text, "here");
	ck_assert_str_eq(trace, "iiiiiiiiiip");
	ended(ac);
	ended(blocking);
}

static void
blocks(redisAsyncContext *ac, void *reply, void *v)
{
	Answer a;

	note('b');
	if(reply)	/* the other context answers meanwhile */
		CALL(blocking, &a, "INCR count");
	note('e');
	answered(ac, reply, v);
}

SERVED_TEST(a_function_that_is_called_may_block)
{
	redisAsyncContext *ac = attached();
	Answer a = {.type = 0}, b = a;

	blocking = attached();
	redisAsyncCommand(ac, blocks, &a, "INCR count");
	redisAsyncCommand(ac, blocks, &b, "INCR count");
	await(&b);
	ck_assert_str_eq(trace, "bebe");
	ended(ac);
	ended(blocking);
}

/* Blocks, whatever comes: others go on, and ac is still there. */
static int nleft;

static void
lingers(redisAsyncContext *ac, void *reply, void *v)
{
	(void)v;
	for(int i = 0; i < 20; i++)
		taskdelay(1);
	note(reply ? 'r' : ac->c.fd >= 0 ? '0' : '-');
	nleft--;
}

static void
frees(void *v)
{
	redisAsyncFree(v);
	note('f');
}

SERVED_TEST(who_is_freed_while_a_function_blocks_is_freed_after_that)
{
	redisAsyncContext *ac = attached();

	nleft = 2;
	redisAsyncCommand(ac, lingers, NULL, "PING");
	redisAsyncCommand(ac, lingers, NULL, "BLPOP list 0");
	while(!(ac->c.flags & REDIS_IN_CALLBACK))
		taskdelay(1);
	taskcreate(frees, ac, 0);
	while(nleft)
		taskdelay(1);
	settle();
	ck_assert_str_eq(trace, "fr0");
}

SERVED_TEST(nothing_is_read_while_another_task_frees)
{
	redisAsyncContext *ac = attached();
	Answer a;

	CALL(ac, &a, "PING");
	nleft = 3;
	taskcreate(frees, ac, 0);	/* before they are sent */
	for(int i = 0; i < 3; i++)
		redisAsyncCommand(ac, lingers, NULL, "PING");
	while(nleft)
		taskdelay(1);
	settle();
	ck_assert_str_eq(trace, "000f");
}

/* Whoever ends first leaves the rest to the other. */
SERVED_TEST(its_task_may_be_cancelled_while_another_frees)
{
	redisAsyncContext *ac = attached();
	Answer a;

	CALL(ac, &a, "PING");
	nleft = 1;
	redisAsyncCommand(ac, lingers, NULL, "BLPOP list 0");
	int id = taskcreate(frees, ac, 0);
	taskdelay(1);
	for(int other = 1; other < 100; other++)
		if(other != (int)taskid() && other != id)
			taskcancel(other);
	while(nleft)
		taskdelay(1);
	settle();
	ck_assert_str_eq(trace, "0f");
}

SERVED_TEST(one_whose_task_never_ran_is_freed_too)
{
	int before = openfds();
	redisAsyncContext *ac = attached();
	Answer a = {.type = 7};

	redisAsyncCommand(ac, answered, &a, "PING");
	for(int id = 1; id < 100; id++)
		if(id != (int)taskid())
			taskcancel(id);
	settle();
	ck_assert_int_eq(a.done.set, 1);
	ck_assert_int_eq(a.type, 7);
	ck_assert_int_eq(openfds(), before);
}

static Channel *heard;

static void
hear(redisAsyncContext *ac, void *reply, void *v)
{
	const redisReply *r = reply;

	(void)ac, (void)v;
	if(r && r->element[2]->str)
		chansendul(heard, (unsigned long)atoi(r->element[2]->str));
}

SERVED_TEST(what_is_published_is_heard)
{
	redisAsyncContext *ac = attached(), *sub = attached();
	Answer a = {.type = 0};

	heard = chancreate(sizeof(unsigned long), 1);	/* that may block */
	redisAsyncCommand(sub, hear, NULL, "SUBSCRIBE news");
	while(a.number == 0)
		CALL(ac, &a, "PUBLISH news 0");
	for(int i = 1; i <= 100; i++)
		redisAsyncCommand(ac, NULL, NULL, "PUBLISH news %d", i);
	for(unsigned long i = 0; i <= 100; i++)
		ck_assert_uint_eq(chanrecvul(heard), i);
	ended(ac);
	redisAsyncFree(sub);
	settle();
	chanfree(heard);
}

static void
left(const redisAsyncContext *ac, int status)
{
	(void)ac;
	note(status == REDIS_OK ? 'k' : 'e');
}

SERVED_TEST(when_the_server_is_killed_all_is_answered_with_NULL)
{
	int before = openfds();
	redisAsyncContext *ac = attached();
	Answer a = {.type = 7}, b = a;

	redisAsyncSetDisconnectCallback(ac, left);
	CALL(ac, &a, "PING");
	a = b;
	redisAsyncCommand(ac, answered, &a, "BLPOP list 0");
	redisAsyncCommand(ac, answered, &b, "PING");
	taskyield();
	kill(server, SIGKILL);
	await(&a);
	await(&b);
	settle();
	ck_assert_int_eq(a.type, 7);	/* nothing was copied */
	ck_assert_str_eq(trace, "e");
	ck_assert_int_eq(openfds(), before);
}

static void
connected(const redisAsyncContext *ac, int status)
{
	(void)ac;
	note(status == REDIS_OK ? 'k' : 'e');
}

SERVED_TEST(whether_it_connects_is_told)
{
	redisAsyncContext *ac = redisAsyncConnect("127.0.0.1", port);

	redisAsyncSetConnectCallback(ac, connected);
	ck_assert_int_eq(hiredisattach(ac), 0);
	while(*trace == '\0')
		taskdelay(1);
	ck_assert_str_eq(trace, "k");
	ended(ac);
	ac = redisAsyncConnect("127.0.0.1", freeport());
	if(ac->err == 0){	/* else it was refused at once */
		redisAsyncSetConnectCallback(ac, connected);
		ck_assert_int_eq(hiredisattach(ac), 0);
		while(trace[1] == '\0')
			taskdelay(1);
		ck_assert_str_eq(trace, "ke");
	}
}

SERVED_TEST(one_that_is_freed_leaves_nothing)
{
	int before = openfds();

	for(int i = 0; i < 30; i++){
		redisAsyncContext *ac = attached();
		Answer a = {.type = 7};
		for(int turns = i % 4; turns > 0; turns--)
			taskyield();
		redisAsyncCommand(ac, answered, &a, "BLPOP list 0");
		for(int turns = i % 3; turns > 0; turns--)
			taskdelay(1);
		redisAsyncFree(ac);	/* its number is used again at once */
		ck_assert_int_eq(a.done.set, 1);
		ck_assert_int_eq(a.type, 7);
	}
	settle();
	ck_assert_int_eq(openfds(), before);
}

static void
clients(void *v)
{
	redisAsyncContext *ac = attached();
	Answer a;

	(void)v;
	for(int i = 0; i < 20; i++){
		CALL(ac, &a, "INCR count");
		ck_assert_int_eq(a.type, REDIS_REPLY_INTEGER);
	}
	redisAsyncDisconnect(ac);	/* many that settle would never do */
}

SERVED_TEST(many_contexts_at_a_time)
{
	Group g = {.limit = 0};
	redisAsyncContext *ac = attached();
	Answer a;

	for(int i = 0; i < 50; i++)
		groupspawn(&g, clients, NULL, 0);
	ck_assert_int_eq(groupwait(&g), 0);
	CALL(ac, &a, "GET count");
	ck_assert_str_eq(a.text, "1000");
	ended(ac);
}

SERVED_TEST(if_its_task_is_cancelled_all_is_answered_with_NULL)
{
	redisAsyncContext *ac = attached();
	Answer a = {.type = 7};

	redisAsyncCommand(ac, answered, &a, "BLPOP list 0");
	settle();
	for(int id = 1; id < 100; id++)
		if(id != (int)taskid())
			taskcancel(id);
	await(&a);
	ck_assert_int_eq(a.type, 7);
}

SERVED_TEST(what_is_wrong_with_a_call_is_told)
{
	redisAsyncContext *ac = attached();

	FAILS(hiredisattach(NULL), EINVAL);
	FAILS(hiredisattach(ac), EBUSY);
	redisAsyncFree(ac);
	ac = redisAsyncConnectUnix("/there/is/none");
	ck_assert_int_ne(ac->err, 0);
	FAILS(hiredisattach(ac), EINVAL);
	redisAsyncFree(ac);
}

START_TEST(without_a_scheduler_it_fails_with_EPERM)
{
	redisAsyncContext *ac = redisAsyncConnect("127.0.0.1", 1);

	FAILS(hiredisattach(ac), EPERM);
	ck_assert_ptr_null(ac->ev.data);
	redisAsyncFree(ac);
}
END_TEST

TEST_MAIN("hiredis", a_task_waits_for_its_answer,
	answers_come_in_the_order_of_the_commands,
	a_large_value_comes_and_goes_whole, others_go_on_while_one_waits,
	a_function_that_is_called_may_block,
	who_is_freed_while_a_function_blocks_is_freed_after_that,
	nothing_is_read_while_another_task_frees,
	its_task_may_be_cancelled_while_another_frees,
	one_whose_task_never_ran_is_freed_too, what_is_published_is_heard,
	when_the_server_is_killed_all_is_answered_with_NULL,
	whether_it_connects_is_told, one_that_is_freed_leaves_nothing,
	many_contexts_at_a_time,
	if_its_task_is_cancelled_all_is_answered_with_NULL,
	what_is_wrong_with_a_call_is_told,
	without_a_scheduler_it_fails_with_EPERM)
