/* SPDX-License-Identifier: MIT */
/* Names, looked up with c-ares, of a name server that may be bad. */
#include "nameserver.h"
#include "fdtest.h"
#include "watched.h"
#include "../addons/cares/taskcares.h"

/* One look-up in a task of its own. */
typedef struct Try
{
	char host[32];
	struct sockaddr_storage v[4];
	int result, err;
	int done;
} Try;

static int ndone;

static void
tryname(void *v)
{
	Try *t = v;

	errno = EDOM;
	t->result = caresresolve(t->host, 80, t->v, 4);
	t->err = errno;
	t->done = 1;
	ndone++;
}

static int
trying(Try *t, const char *host)
{
	*t = (Try){.result = 0};
	snprintf(t->host, sizeof t->host, "%s", host);
	int id = taskcreate(tryname, t, 0);
	ck_assert_int_gt(id, 0);
	return id;
}

static uint32_t
addressof(const struct sockaddr_storage *sa)
{
	const struct sockaddr_in *v4 = (const void *)sa;

	ck_assert_int_eq(v4->sin_family, AF_INET);
	ck_assert_int_eq(ntohs(v4->sin_port), 80);
	return ntohl(v4->sin_addr.s_addr);
}

static void
found(const Try *t, uint32_t ip)
{
	ck_assert_msg(t->result == 1, "%s: %d, %s", t->host, t->result,
		strerror(t->err));
	ck_assert_int_eq(t->err, EDOM);
	ck_assert_uint_eq(addressof(&t->v[0]), ip);
}

/* The address of a name, asked for now. */
static uint32_t
resolve(const char *host)
{
	struct sockaddr_storage v[4];

	errno = EDOM;
	int n = caresresolve(host, 80, v, 4);
	ck_assert_msg(n == 1, "%s: %d, %s", host, n, strerror(errno));
	ck_assert_int_eq(errno, EDOM);
	return addressof(&v[0]);
}

static struct sockaddr_storage any[4];

#define RESOLVEFAILS(host, err) FAILS(caresresolve(host, 80, any, 4), err)

static void
asked(int n)
{
	for(int i = 0; i < 5000 && nameserver.nasked < n; i++)
		taskdelay(1);
	ck_assert_int_ge(nameserver.nasked, n);
}

/* has our server be asked, each question so long and so often. */
static void
startserver(unsigned int ms, int tries)
{
	char servers[32];

	/* no search list: each name is asked for once */
	setenv("LOCALDOMAIN", "test", 1);
	setenv("RES_OPTIONS", "ndots:0", 1);
	ck_assert_int_eq(namestart(0), 0);
	snprintf(servers, sizeof servers, "127.0.0.1:%d", nameserver.port);
	errno = EDOM;
	ck_assert_int_eq(caresservers(servers, ms, tries), 0);
	ck_assert_int_eq(errno, EDOM);
}

static void
endserver(void)
{
	nameend();
	ck_assert_int_eq(caresservers(NULL, 0, 0), 0);
}

static void
openproc(void *v)
{
	(void)v;
	procself();
}

/* The library keeps the door of a proc for the next one: it is not counted. */
static int
countfds(void)
{
	run(openproc);
	return openfds();
}

/* runs body with a server, and looks whether it leaves descriptors open. */
static void
runserved(void (*body)(void *), unsigned int ms, int tries)
{
	int before = countfds();

	startserver(ms, tries);
	run(body);
	endserver();
	ck_assert_int_eq(openfds(), before);
}

#define SERVED_TEST(name, ms, tries) \
	TASK_TEST_BY(name, runserved(body, ms, tries))

SERVED_TEST(a_name_has_the_address_that_the_server_says, 5000, 2)
{
	ck_assert_uint_eq(resolve("host7"), 0x0a000007);
	ck_assert_uint_eq(resolve("HOST8."), 0x0a000008);
	ck_assert_uint_eq(resolve("alias9"), 0x0a000009);
	ck_assert_int_eq(nameserver.nasked, 6);
}

SERVED_TEST(both_families_are_asked_for, 5000, 2)
{
	int families[2] = {0};

	ck_assert_int_eq(caresresolve("both1", 80, any, 1), 1);
	ck_assert_int_eq(caresresolve("both1", 80, any, 4), 2);
	for(int i = 0; i < 2; i++){
		families[any[i].ss_family == AF_INET6]++;
		ck_assert_int_eq(((struct sockaddr_in6 *)(void *)
			&any[i])->sin6_port, htons(80));
	}
	ck_assert_int_eq(families[0], 1);
	ck_assert_int_eq(families[1], 1);
}

SERVED_TEST(what_is_wrong_with_a_name_or_a_call_is_told, 5000, 2)
{
	char label[70], host[300];

	RESOLVEFAILS("none", ENOENT);
	RESOLVEFAILS("broken", EAGAIN);
	RESOLVEFAILS("loop", ENOENT);
	memset(label, 'a', sizeof label);
	label[69] = '\0';
	RESOLVEFAILS(label, ENOENT);
	RESOLVEFAILS("a..b", ENOENT);
	memset(host, 'a', sizeof host);
	host[299] = '\0';
	RESOLVEFAILS(host, EINVAL);
	RESOLVEFAILS("", EINVAL);
	RESOLVEFAILS(NULL, EINVAL);
	FAILS(caresresolve("host1", -1, any, 4), EINVAL);
	FAILS(caresresolve("host1", 65536, any, 4), EINVAL);
	FAILS(caresresolve("host1", 80, NULL, 4), EINVAL);
	FAILS(caresresolve("host1", 80, any, 0), EINVAL);
	FAILS(caresservers("no address", 0, 0), EINVAL);
	FAILS(caresservers("", 0, 0), EINVAL);
	FAILS(caresservers(NULL, 1u << 31, 0), EINVAL);
	FAILS(caresservers(NULL, 0, -1), EINVAL);
	ck_assert_uint_eq(resolve("host3"), 0x0a000003);
}

SERVED_TEST(numbers_and_localhost_ask_nobody, 5000, 2)
{
	ck_assert_uint_eq(resolve("127.0.0.3"), 0x7f000003);
	ck_assert_int_eq(caresresolve("::1", 80, any, 4), 1);
	ck_assert_int_eq(caresresolve("localhost", 80, any, 4), 2);
	ck_assert_int_eq(nameserver.nasked, 0);
}

START_TEST(without_a_scheduler_it_fails_with_EPERM)
{
	RESOLVEFAILS("host1", EPERM);
}
END_TEST

SERVED_TEST(a_deadline_ends_a_wait_for_a_late_server_at_once, 5000, 2)
{
	Timeout t;
	int64_t start = nowns();

	memset(any, 7, sizeof any);
	timeoutstart(&t, 30);
	RESOLVEFAILS("late1", ETIMEDOUT);
	ck_assert_int_eq(timeoutfired(&t), 1);
	RESOLVEFAILS("late2", ETIMEDOUT);	/* has passed already */
	timeoutstop(&t);
	ck_assert_int_lt(nowns() - start, 5000000000);
	ck_assert_int_eq(any[0].ss_family, 0x0707);
	taskdelay(NameLate + 50);	/* the answer finds nobody */
	ck_assert_int_eq(any[0].ss_family, 0x0707);
	ck_assert_uint_eq(resolve("late1"), 0x0a000001);
}

SERVED_TEST(who_has_left_leaves_others_their_answer, 5000, 2)
{
	Try a, b, c;

	int id = trying(&a, "late5");
	trying(&b, "late5");
	trying(&c, "late6");
	asked(4);
	taskcancel(id);
	settle();
	ck_assert_int_eq(a.done, 1);
	ck_assert_int_eq(a.result, -1);
	ck_assert_int_eq(a.err, ECANCELED);
	while(!b.done || !c.done)
		taskdelay(1);
	found(&b, 0x0a000005);
	found(&c, 0x0a000006);
}

static void
trycancelled(void *v)
{
	taskcancel((int)taskid());
	tryname(v);
}

SERVED_TEST(a_cancelled_task_is_not_answered, 5000, 2)
{
	Try t = {.host = "host1"};

	taskcreate(trycancelled, &t, 0);
	settle();
	ck_assert_int_eq(t.err, ECANCELED);
}

SERVED_TEST(equal_look_ups_under_way_are_one, 5000, 2)
{
	static Try t[100];

	for(int i = 0; i < 100; i++)
		trying(&t[i], "late9");
	while(ndone < 100)
		taskdelay(1);
	for(int i = 0; i < 100; i++)
		found(&t[i], 0x0a000009);
	ck_assert_int_eq(nameserver.nasked, 2);
	resolve("host9");	/* asked anew */
	ck_assert_int_eq(nameserver.nasked, 4);
}

SERVED_TEST(an_answer_to_another_question_is_none, 5000, 2)
{
	ck_assert_uint_eq(resolve("foreign4"), 0x0a000004);
}

SERVED_TEST(garbage_is_no_answer_and_does_no_harm, 200, 2)
{
	RESOLVEFAILS("garbage1", EAGAIN);
	ck_assert_uint_eq(resolve("host1"), 0x0a000001);
}

SERVED_TEST(what_is_lost_is_asked_for_again, 200, 5)
{
	ck_assert_uint_eq(resolve("noise2"), 0x0a000002);
	ck_assert_int_gt(nameserver.nasked, 2);
}

SERVED_TEST(what_is_too_long_is_asked_for_by_TCP, 5000, 2)
{
	ck_assert_uint_eq(resolve("long70000"), 0x0a011170);
}

SERVED_TEST(a_server_that_never_answers_is_given_up, 100, 2)
{
	int64_t start = nowns();

	RESOLVEFAILS("never", EAGAIN);
	ck_assert_int_ge(nowns() - start, 200000000);
	ck_assert_int_eq(nameserver.nasked, 4);
}

TASK_TEST(a_server_that_is_not_there_is_given_up)
{
	char servers[32];
	int fd = netannounce(UDP, "127.0.0.1", 0);

	snprintf(servers, sizeof servers, "127.0.0.1:%d", portof(fd));
	fdclose(fd);
	ck_assert_int_eq(caresservers(servers, 100, 2), 0);
	RESOLVEFAILS("host1", EAGAIN);
	ck_assert_int_eq(caresservers(NULL, 0, 0), 0);
}

SERVED_TEST(names_that_are_never_answered_stop_nobody, 60000, 1)
{
	static Try t[300];
	int id[300], before = nbeats;

	taskcreate(beat, NULL, 0);
	for(int i = 0; i < 300; i++){
		char host[16];
		snprintf(host, sizeof host, "never%d", i);
		id[i] = trying(&t[i], host);
	}
	for(int i = 0; i < 20; i++)
		resolve("host1");
	taskdelay(20);
	ck_assert_int_gt(nbeats, before);
	ck_assert_int_eq(ndone, 0);
	for(int i = 0; i < 300; i++)
		taskcancel(id[i]);
	settle();
	ck_assert_int_eq(ndone, 300);
}

SERVED_TEST(a_thousand_names_at_once, 1000, 8)
{
	static Try t[1000];
	int n = fewer(50000), names = n < 1000 ? n : 1000;

	for(int i = 0; i < names; i++){
		char host[16];
		snprintf(host, sizeof host, "any%d", i);
		trying(&t[i], host);
	}
	while(ndone < names)
		taskdelay(1);
	for(int i = 0; i < names; i++)
		found(&t[i], 0x0a000000u + (uint32_t)i);
}

/* Tasks that are cut at random, in each state that a look-up can be in. */
SERVED_TEST(some_of_many_leave_and_all_others_are_answered, 1000, 8)
{
	static Try t[500];
	static int id[500];
	Random r = randomstart();
	int n = valgrind() ? 100 : 500;

	for(int i = 0; i < n; i++){
		char host[16];
		snprintf(host, sizeof host, "any%d", i / 2);
		id[i] = trying(&t[i], host);
	}
	taskyield();	/* all have begun */
	for(int i = 0; ndone < n; i++){
		if(i % 3 == 0)
			taskcancel(id[randombelow(&r, (unsigned)n)]);
		if(i % 16 == 0)
			taskdelay(randombelow(&r, 2));
		else
			taskyield();
	}
	for(int i = 0; i < n; i++)
		if(t[i].result < 0)
			ck_assert_int_eq(t[i].err, ECANCELED);
		else
			found(&t[i], 0x0a000000u + (uint32_t)i / 2);
}

SERVED_TEST(no_channel_is_kept_when_nobody_waits, 5000, 2)
{
	resolve("host1");
	settle();
	int fds = openfds();
	for(int i = 0; i < 20; i++){
		Timeout t;
		timeoutstart(&t, 1);
		caresresolve("never", 80, any, 4);
		timeoutstop(&t);
		ck_assert_int_eq(openfds(), fds);
	}
}

/* Other schedulers */

static Try left;

static void
lookupleft(void *v)
{
	(void)v;
	tasksystem();
	tryname(&left);
}

static void
leavebehind(void *v)
{
	snprintf(left.host, sizeof left.host, "%s", (const char *)v);
	int n = nameserver.nasked;
	taskcreate(lookupleft, NULL, 0);
	asked(n + 2);
}

static void
resolveone(void *v)
{
	(void)v;
	ck_assert_uint_eq(resolve("late1"), 0x0a000001);
}

START_TEST(what_a_scheduler_leaves_is_not_the_next_ones)
{
	int before = countfds();

	startserver(5000, 2);
	run(resolveone);
	for(int i = 0; i < 3; i++){
		ck_assert_int_eq(taskrun(leavebehind, "never1"), 0);
		ck_assert_int_eq(left.done, 0);
		run(resolveone);
	}
	endserver();
	ck_assert_int_eq(openfds(), before);
}
END_TEST

static void *
leaveinthread(void *v)
{
	ck_assert_int_eq(taskrun(leavebehind, v), 0);
	return NULL;
}

START_TEST(the_end_of_a_thread_ends_what_is_left)
{
	int before = countfds();

	startserver(5000, 2);
	for(int i = 0; i < 3; i++){
		pthread_t t;
		pthread_create(&t, NULL, leaveinthread, "never1");
		pthread_join(t, NULL);
	}
	endserver();
	ck_assert_int_eq(openfds(), before);
}
END_TEST

static void
resolvesome(void *v)
{
	(void)v;
	for(int i = 0; i < 10; i++)
		resolve("any5");
}

TASK_TEST_BY(each_proc_asks_by_itself,
	startserver(5000, 2);
	run(body);
	endserver())
{
	int proc[3];

	for(int i = 0; i < 3; i++)
		proc[i] = proccreate(resolvesome, NULL, 0);
	resolvesome(NULL);
	for(int i = 0; i < 3; i++)
		ck_assert_int_eq(procwait(proc[i], NULL), 0);
}

static void
cancelall(void *v)
{
	(void)v;
	for(int id = 1; id < 100; id++)
		if(id != (int)taskid())
			taskcancel(id);
}

SERVED_TEST(a_driver_that_is_cancelled_is_replaced, 5000, 2)
{
	Try t;

	trying(&t, "late1");
	asked(2);
	cancelall(NULL);
	settle();
	ck_assert_int_eq(t.done, 1);
	ck_assert_int_eq(t.err, ECANCELED);
	ck_assert_uint_eq(resolve("host1"), 0x0a000001);
}

SERVED_TEST(the_child_of_a_fork_asks_anew, 5000, 2)
{
	Try t;
	int status;

	if(TestFewer > 1)
		TEST_SKIP("TSan knows no stacks in the child of a fork");
	trying(&t, "late1");
	asked(2);
	pid_t pid = fork();
	if(pid == 0){
		while(!t.done)
			taskdelay(1);
		_exit(t.result == 1 && resolve("host2") == 0x0a000002 ? 0 : 1);
	}
	while(!t.done)
		taskdelay(1);
	found(&t, 0x0a000001);
	resolve("host3");
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_ge(nameserver.nasked, 4 + 2 + 2);
}

/* The child's name is found by a driver of its own. */
static void
forkandresolve(const char *host, uint32_t ip)
{
	int status;
	pid_t pid = taskfork();

	if(pid == 0){
		struct sockaddr_storage v[4];
		alarm(TestSeconds / 2);
		_exit(caresresolve(host, 80, v, 4) == 1 &&
			addressof(&v[0]) == ip ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

SERVED_TEST(the_child_of_taskfork_asks_anew, 5000, 2)
{
	Try t;

	if(TestFewer > 1)
		TEST_SKIP("TSan knows no stacks in the child of a fork");
	if(valgrind())
		TEST_SKIP("it finds what the parent's other threads had lost");
	forkandresolve("host1", 0x0a000001);
	resolve("host2");
	forkandresolve("host3", 0x0a000003);	/* the driver is there yet */
	trying(&t, "late4");
	settle();
	forkandresolve("host5", 0x0a000005);
	forkandresolve("late4", 0x0a000004);	/* under way in the parent */
	while(!t.done)
		taskdelay(1);
	found(&t, 0x0a000004);
}

TEST_MAIN("cares",
	a_name_has_the_address_that_the_server_says,
	both_families_are_asked_for,
	what_is_wrong_with_a_name_or_a_call_is_told,
	numbers_and_localhost_ask_nobody,
	without_a_scheduler_it_fails_with_EPERM,
	a_deadline_ends_a_wait_for_a_late_server_at_once,
	who_has_left_leaves_others_their_answer,
	a_cancelled_task_is_not_answered,
	equal_look_ups_under_way_are_one,
	an_answer_to_another_question_is_none,
	garbage_is_no_answer_and_does_no_harm,
	what_is_lost_is_asked_for_again,
	what_is_too_long_is_asked_for_by_TCP,
	a_server_that_never_answers_is_given_up,
	a_server_that_is_not_there_is_given_up,
	names_that_are_never_answered_stop_nobody,
	a_thousand_names_at_once,
	some_of_many_leave_and_all_others_are_answered,
	no_channel_is_kept_when_nobody_waits,
	what_a_scheduler_leaves_is_not_the_next_ones,
	the_end_of_a_thread_ends_what_is_left,
	each_proc_asks_by_itself,
	a_driver_that_is_cancelled_is_replaced,
	the_child_of_a_fork_asks_anew,
	the_child_of_taskfork_asks_anew)
