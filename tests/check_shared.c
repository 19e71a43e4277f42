/* SPDX-License-Identifier: MIT */
/* Shared channels: tasks of several procs, threads, and who waits for whom. */
#include "test.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum { Few = 1000 };

static Channel *c, *d, *back;

static void
make(int n)
{
	c = chanshared(sizeof(unsigned long), n);
	d = chanshared(sizeof(unsigned long), 0);
	back = chanshared(sizeof(unsigned long), 0);
	ck_assert_ptr_nonnull(c);
}

static void
unmake(void)
{
	chanfree(c);
	chanfree(d);
	chanfree(back);
}

/* runs fn in another proc; unproc waits for its end. */
static int
inproc(void (*fn)(void *), void *v)
{
	int proc = proccreate(fn, v, 0);

	ck_assert_int_gt(proc, 0);
	return proc;
}

static void
unproc(int proc)
{
	ck_assert_int_eq(procwait(proc, NULL), 0);
}

static void
sendfew(void *v)
{
	(void)v;
	for(unsigned long i = 1; i <= Few; i++)
		ck_assert_int_eq(chansendul(c, i), 1);
}

TASK_TEST(elements_arrive_in_order_from_another_proc)
{
	for(int size = 0; size < 3; size++){
		make(size);
		int proc = inproc(sendfew, NULL);
		errno = 99;
		for(unsigned long i = 1; i <= Few; i++)
			ck_assert_uint_eq(chanrecvul(c), i);
		ck_assert_int_eq(errno, 99);
		unproc(proc);
		ck_assert_int_eq(chanlen(c), 0);
		ck_assert_int_eq(chancap(c), size);
		unmake();
	}
}

static void
recvfew(void *v)
{
	unsigned long got;

	(void)v;
	for(unsigned long i = 1; i <= Few; i++){
		ck_assert_int_eq(chanrecv(c, &got), 1);
		ck_assert_uint_eq(got, i);
	}
}

TASK_TEST(tasks_of_one_proc_use_it_like_a_channel_of_theirs)
{
	make(0);
	taskcreate(recvfew, NULL, 0);
	sendfew(NULL);
	FAILS(channbrecv(c, NULL), EAGAIN);
	FAILS(channbsend(c, NULL), EAGAIN);
	unmake();
	make(2);
	ck_assert_int_eq(channbsendul(c, 1), 1);
	ck_assert_int_eq(channbsendul(c, 2), 1);
	FAILS(channbsendul(c, 3), EAGAIN);
	ck_assert_int_eq(chanlen(c), 2);
	ck_assert_uint_eq(channbrecvul(c), 1);
	ck_assert_ptr_eq(channbrecvp(c), (void *)2);
	unmake();
}

static void
failsrecv(void *v)
{
	(void)v;
	ck_assert_int_eq(chanrecv(c, NULL), 0);
	ck_assert_int_eq(chansendul(d, 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	chansendul(back, 7);
}

TASK_TEST(close_ends_the_waits_in_another_proc)
{
	make(1);
	int proc = inproc(failsrecv, NULL);
	taskdelay(20);
	ck_assert_int_eq(chanclose(c), 0);
	FAILS(chanclose(c), EPIPE);
	taskdelay(20);
	ck_assert_int_eq(chanclose(d), 0);
	FAILS(chansendul(d, 1), EPIPE);
	ck_assert_uint_eq(chanrecvul(back), 7);
	unproc(proc);
	unmake();
	make(2);
	chansendul(c, 3);
	chanclose(c);
	unsigned long x = 0;
	ck_assert_int_eq(chanrecv(c, &x), 1);
	ck_assert_uint_eq(x, 3);
	ck_assert_int_eq(chanrecv(c, &x), 0);
	errno = 0;
	ck_assert_uint_eq(chanrecvul(c), 0);
	ck_assert_int_eq(errno, EPIPE);
	unmake();
}

TASK_TEST(a_deadline_ends_a_wait_and_nothing_is_lost)
{
	Timeout t;

	make(0);
	timeoutstart(&t, 10);
	FAILS(chanrecv(c, NULL), ETIMEDOUT);
	timeoutstop(&t);
	ck_assert_int_eq(timeoutfired(&t), 1);
	ck_assert_ptr_null(c->arecv.head);
	timeoutstart(&t, 10);
	FAILS(chansendul(c, 5), ETIMEDOUT);
	FAILS(chansendul(c, 5), ETIMEDOUT);
	timeoutstop(&t);
	FAILS(channbrecv(c, NULL), EAGAIN);
	unmake();
}

/* A deadline that passes when another proc has served the wait already. */

static atomic_int isdone;
static int late_ms;	/* the deadline */

static void
closes(void *v)
{
	(void)v;
	ck_assert_int_eq(chanclose(c), 0);
	isdone = 1;
}

static void
sends(void *v)
{
	(void)v;
	channbsendul(c, 7);
	isdone = 1;
}

/* computes until fn has been done elsewhere and the deadline is over. */
static void
inproclate(void *fn)
{
	int64_t until = nowns() + late_ms * (int64_t)2000000;
	int proc = inproc((void (*)(void *))fn, NULL);

	while(!isdone || nowns() < until)
		;
	unproc(proc);
	late_ms = 0;
}

/* receives while fn is done.  On a slow machine the deadline may come first. */
static int
recvlate(void (*fn)(void *), unsigned long *got)
{
	Timeout t;

	for(int ms = 10; ms < 2000; ms *= 2){
		make(0);
		isdone = 0;
		late_ms = ms;
		taskcreate(inproclate, (void *)fn, 0);
		timeoutstart(&t, (unsigned int)ms);
		int r = chanrecv(c, got);
		ck_assert_int_eq(timeoutfired(&t), r < 0);
		timeoutstop(&t);
		while(late_ms)
			taskdelay(1);
		ck_assert_int_eq(timeoutfired(&t), r < 0);
		unmake();
		if(r >= 0)
			return r;
	}
	return -1;
}

TASK_TEST(a_deadline_too_late_has_not_fired)
{
	unsigned long got = 0;

	ck_assert_int_eq(recvlate(sends, &got), 1);
	ck_assert_uint_eq(got, 7);
	ck_assert_int_eq(recvlate(closes, &got), 0);
}

/* Both come in one turn: whichever is first, errno and the scope agree. */
TASK_TEST(a_close_and_a_deadline_in_one_turn_agree)
{
	int nclosed = 0, n = fewer(1000) + 10;

	for(int i = 0; i < n; i++){
		Timeout t;
		make(0);
		int proc = inproc(closes, NULL);
		timeoutstart(&t, i % 2 ? 1 + 100 * i / n : 0);
		int r = chanrecv(c, NULL);
		int err = errno, fired = timeoutfired(&t);
		timeoutstop(&t);
		ck_assert_int_eq(r == -1, fired);
		ck_assert(r == 0 || err == ETIMEDOUT);
		nclosed += r == 0;
		unproc(proc);
		unmake();
	}
	ck_assert_int_gt(nclosed, 0);
}

static void
iscancelled(void *v)
{
	FAILS(chanrecv(c, NULL), ECANCELED);
	*(int *)v = 1;
}

TASK_TEST(a_cancel_ends_a_wait)
{
	int done = 0;

	make(0);
	int id = taskcreate(iscancelled, &done, 0);
	taskyield();
	taskcancel(id);
	taskyield();
	ck_assert_int_eq(done, 1);
	ck_assert_ptr_null(c->arecv.head);
	unmake();
}

/* Batches. */

static void
sendbatch(void *v)
{
	unsigned long all[100];

	(void)v;
	for(unsigned long i = 0; i < 100; i++)
		all[i] = i + 1;
	for(int sent = 0, n; sent < 100; sent += n){
		n = chansendn(c, all + sent, 100 - sent);
		ck_assert_int_gt(n, 0);
	}
	chanclose(c);
}

static void
recvbatch(void)
{
	unsigned long got[7], next = 1;
	int n;

	while((n = chanrecvn(c, got, 7)) > 0)
		for(int i = 0; i < n; i++)
			ck_assert_uint_eq(got[i], next++);
	ck_assert_int_eq(n, 0);
	ck_assert_uint_eq(next, 101);
}

TASK_TEST(batches_keep_the_order)
{
	for(int size = 0; size < 20; size += 5){
		make(size);
		int proc = inproc(sendbatch, NULL);
		recvbatch();
		unproc(proc);
		unmake();
	}
	unsigned long x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, got[9];
	make(4);
	ck_assert_int_eq(chansendn(c, x, 9), 4);
	ck_assert_int_eq(chanrecvn(c, got, 3), 3);
	ck_assert_int_eq(chansendn(c, x + 4, 2), 2);
	ck_assert_int_eq(chanrecvn(c, got + 3, 9), 3);
	ck_assert_int_eq(memcmp(x, got, 6 * sizeof *x), 0);
	FAILS(chansendn(c, x, 0), EINVAL);
	FAILS(chanrecvn(NULL, x, 1), EINVAL);
	unmake();
}

TASK_TEST(batches_work_on_local_channels)
{
	unsigned long x[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, got[9];

	c = chancreate(sizeof *x, 4);
	ck_assert_int_eq(chansendn(c, x, 9), 4);
	ck_assert_int_eq(chanrecvn(c, got, 9), 4);
	ck_assert_int_eq(memcmp(x, got, 4 * sizeof *x), 0);
	chansendn(c, NULL, 2);
	chanclose(c);
	ck_assert_int_eq(chanrecvn(c, got, 1), 1);
	ck_assert_uint_eq(got[0], 0);
	ck_assert_int_eq(chanrecvn(c, NULL, 9), 1);
	ck_assert_int_eq(chanrecvn(c, got, 9), 0);
	FAILS(chansendn(c, x, 9), EPIPE);
	chanfree(c);
	FAILS(chansendn(NULL, x, 9), EINVAL);
}

/* Threads without scheduler. */

static void *
threadsends(void *v)
{
	(void)v;
	sendfew(NULL);
	return NULL;
}

static void *
threadrecvs(void *v)
{
	recvfew(v);
	return NULL;
}

static pthread_t
thread(void *(*fn)(void *))
{
	pthread_t t;

	ck_assert_int_eq(pthread_create(&t, NULL, fn, NULL), 0);
	return t;
}

TASK_TEST(a_thread_without_scheduler_sends_and_receives)
{
	for(int size = 0; size < 3; size++){
		make(size);
		taskhope(1);
		pthread_t t = thread(threadsends);
		recvfew(NULL);
		taskhope(-1);
		pthread_join(t, NULL);
		t = thread(threadrecvs);
		taskhope(1);
		sendfew(NULL);
		taskhope(-1);
		pthread_join(t, NULL);
		unmake();
	}
}

START_TEST(threads_need_no_scheduler_at_all)
{
	Alt a[] = {{.c = NULL, .op = CHANRCV}, {.op = CHANEND}};

	make(0);
	pthread_t t = thread(threadrecvs);
	sendfew(NULL);
	pthread_join(t, NULL);
	a[0].c = c;
	FAILS(chanalt(a), EPERM);
	FAILS(channbsendul(c, 1), EAGAIN);
	chanclose(c);
	ck_assert_int_eq(chanrecv(c, NULL), 0);
	unmake();
}
END_TEST

/* Lifetimes. */

TASK_TEST(the_last_chanfree_frees)
{
	make(1);
	ck_assert_ptr_eq(chanhold(c), c);
	chanfree(c);
	chansendul(c, 4);
	ck_assert_uint_eq(chanrecvul(c), 4);
	unmake();
	c = chancreate(1, 0);
	errno = 0;
	ck_assert_ptr_null(chanhold(c));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(chanhold(NULL));
	chanfree(c);
	ck_assert_ptr_null(chanshared(0, 1));
	ck_assert_ptr_null(chanshared(1, -1));
}

static atomic_int nwaiting, over;

static void
waitsforfree(void *v)
{
	Alt a[] = {{.c = c, .op = CHANRCV}, {.c = d, .op = CHANSND},
		{.op = CHANEND}};

	if(v)
		FAILS(chanalt(a), EPIPE);
	else
		FAILS(chanrecv(c, NULL), EPIPE);
}

/* One that will wait when it has been told of. */
static void
oneforfree(void *v)
{
	taskcreate(waitsforfree, v, 0);
	taskyield();
	nwaiting++;
}

TASK_TEST(those_who_wait_fail_when_it_is_freed)
{
	make(0);
	nwaiting = 0;
	int proc1 = inproc(oneforfree, NULL);
	int proc2 = inproc(oneforfree, "alt");
	while(nwaiting < 2)
		taskdelay(1);
	chanfree(c);
	unproc(proc1);
	unproc(proc2);
	chanfree(d);
	chanfree(back);
}

/* Its tasks wait still when its last one ends. */
static void
waitsforever(void *v)
{
	(void)v;
	tasksystem();
	Alt a[] = {{.c = c, .op = CHANRCV}, {.c = d, .op = CHANRCV},
		{.op = CHANEND}};
	chanalt(a);
}

static void
endssoon(void *v)
{
	(void)v;
	for(int i = 0; i < 4; i++)
		taskcreate(waitsforever, NULL, 0);
	taskdelay(1);
}

TASK_TEST(a_proc_ends_whose_tasks_wait)
{
	make(0);
	for(int i = 0; i < fewer(500); i++){
		int proc = inproc(endssoon, NULL);
		for(int j = 0; j < 4; j++){
			channbsendul(j & 1 ? c : d, 1);
			taskdelay(0);
		}
		unproc(proc);
		ck_assert_ptr_null(c->arecv.head);
		ck_assert_ptr_null(d->arecv.head);
	}
	unmake();
}

/* Alts. */

static void
sendsboth(void *v)
{
	unsigned long n = 0;

	for(int i = 0; i < Few; i++){
		unsigned long x = ++n, y = 1000000 + n;
		Alt a[] = {{.c = c, .v = &x, .op = CHANSND},
			{.c = d, .v = &y, .op = CHANSND}, {.op = CHANEND}};
		int r = chanalt(a);
		ck_assert_int_ge(r, 0);
		ck_assert_int_eq(a[r].err, 0);
	}
	(void)v;
}

TASK_TEST(two_alts_on_two_channels_meet)
{
	int n[2] = {0, 0};

	make(0);
	int proc = inproc(sendsboth, NULL);
	for(unsigned long i = 1; i <= Few; i++){
		unsigned long x = 0;
		Alt a[] = {{.c = d, .v = &x, .op = CHANRCV},
			{.c = c, .v = &x, .op = CHANRCV},
			{.c = c, .v = &x, .op = CHANRCV}, {.op = CHANEND}};
		int r = chanalt(a);
		ck_assert_int_ge(r, 0);
		ck_assert_uint_eq(x, r == 0 ? 1000000 + i : i);
		n[r == 0]++;
	}
	unproc(proc);
	ck_assert_int_gt(n[0], 0);
	ck_assert_int_gt(n[1], 0);
	unmake();
}

static void
soonsends(void *v)
{
	(void)v;
	for(unsigned long i = 1; i <= 5; i++){
		taskdelay(10);
		chansendul(c, i);
	}
}

static void
nop(void *v)
{
	(void)v;
	taskdelay(5);
}

TASK_TEST(an_alt_mixes_all_kinds)
{
	unsigned long x = 0, n = 0;
	int fds[2], id, kinds[6] = {0};
	Event e = {.set = 0};

	make(0);
	ck_assert_int_eq(pipe(fds), 0);
	Channel *local = chancreate(sizeof x, 0);
	int proc = inproc(soonsends, NULL);
	id = taskcreate(nop, NULL, 0);
	while(n < 5 || kinds[3] == 0){
		Alt a[] = {{.c = local, .v = &x, .op = CHANRCV},
			{.c = c, .v = &x, .op = CHANRCV},
			{.op = CHANNOP},
			{.op = kinds[3] ? CHANNOP : ALTTASK, .id = id},
			{.op = ALTREAD, .fd = fds[0]},
			{.op = ALTDELAY, .ms = 4},
			{.op = ALTEVENT, .e = &e},
			{.op = CHANEND}};
		int r = chanalt(a);
		ck_assert_int_ge(r, 1);
		ck_assert(a[r].err == 0 || (r == 3 && a[r].err == ESRCH));
		kinds[r]++;
		if(r == 1)
			ck_assert_uint_eq(x, ++n);
	}
	ck_assert_int_eq(kinds[3], 1);
	ck_assert_int_gt(kinds[5], 0);
	ck_assert_ptr_null(local->arecv.head);
	ck_assert_ptr_null(e.waiting.head);
	ck_assert_int_eq(channbsend(local, &x), -1);
	ck_assert_int_eq(errno, EAGAIN);
	unproc(proc);
	chanfree(local);
	close(fds[0]);
	close(fds[1]);
	unmake();
}

/* Waits that were served elsewhere, of a proc that has not heard of it. */

enum { Many = 1000 };

static void
waitsonce(void *v)
{
	Alt a[] = {{.c = c, .op = CHANRCV}, {.c = d, .op = CHANRCV},
		{.op = CHANEND}};

	(void)v;
	nwaiting++;
	ck_assert_int_eq(chanalt(a), 1);
}

static void
waitsandcomputes(void *v)
{
	(void)v;
	for(int i = 0; i < fewer(Many); i++)
		taskcreate(waitsonce, NULL, 0);
	taskyield();
	nwaiting++;
	while(!over)
		;
}

TASK_TEST(entries_of_waits_that_were_served_are_passed_once)
{
	make(0);
	nwaiting = over = 0;
	int proc = inproc(waitsandcomputes, NULL);
	while(nwaiting <= fewer(Many))
		taskdelay(1);
	for(int i = 0; i < fewer(Many); i++)
		ck_assert_int_eq(channbsendul(d, 1), 1);
	FAILS(channbsendul(d, 1), EAGAIN);
	ck_assert_ptr_nonnull(c->arecv.head);
	FAILS(channbsendul(c, 1), EAGAIN);
	ck_assert_ptr_null(c->arecv.head);
	over = 1;
	unproc(proc);
	unmake();
}

/*
 * Schedulers end whose last wait somebody serves at that moment: who has done
 * so wakes them late, which must not go to what has the descriptor by then.
 */

static void *
threadsendsall(void *v)
{
	(void)v;
	while(!over)
		channbsendul(c, 1);
	return NULL;
}

static void
endsatonce(void *v)
{
	(void)v;
	taskcreate(waitsforever, NULL, 0);
	taskdelay(0);
}

/* TEST_OPERATIONS in the environment is how often; else until it takes long. */
START_TEST(a_scheduler_ends_while_its_last_wait_is_served)
{
	struct stat st;
	const char *asked = getenv("TEST_OPERATIONS");
	int most = asked ? atoi(asked) : 20000;
	int64_t until = asked ? INT64_MAX : nowns() + 3000000000;

	make(0);
	over = 0;
	pthread_t t = thread(threadsendsall);
	for(int i = 0; i < most && nowns() < until; i++){
		ck_assert_int_eq(taskrun(endsatonce, NULL), 0);
		int victim = open(".", O_TMPFILE | O_RDWR, 0600);
		if(victim < 0)
			victim = open("/dev/null", O_RDONLY);
		sched_yield();
		ck_assert_int_eq(fstat(victim, &st), 0);
		ck_assert_int_eq(st.st_size, 0);
		ck_assert_int_lt(victim, 30);
		close(victim);
	}
	over = 1;
	pthread_join(t, NULL);
	ck_assert_ptr_null(c->arecv.head);
	unmake();
}
END_TEST

static Channel *local;
static int gotlocal, gotshared;

static void
mixes(void *v)
{
	unsigned long x;

	(void)v;
	for(;;){
		Alt a[] = {{.c = local, .v = &x, .op = CHANRCV},
			{.c = c, .v = &x, .op = CHANRCV}, {.op = CHANEND}};
		int r = chanalt(a);
		ck_assert_int_ge(r, 0);
		if(a[r].err == EPIPE)
			break;
		r == 0 ? gotlocal++ : gotshared++;
	}
}

TASK_TEST(local_channels_are_served_beside_shared_ones)
{
	make(0);
	gotlocal = gotshared = 0;
	local = chancreate(sizeof(unsigned long), 0);
	taskcreate(mixes, NULL, 0);
	int proc = inproc(sendfew, NULL);
	for(unsigned long i = 1; i <= Few; i++){
		ck_assert_int_eq(chansendul(local, i), 1);
		if(i % 16 == 0)
			taskdelay(0);
	}
	unproc(proc);
	chanclose(local);
	settle();
	ck_assert_int_eq(gotlocal, Few);
	ck_assert_int_eq(gotshared, Few);
	ck_assert_ptr_null(c->arecv.head);
	chanfree(local);
	unmake();
}

static void
recvlocal(void *v)
{
	(void)v;
	unsigned long x;
	Alt a[] = {{.c = local, .v = &x, .op = CHANRCV}, {.op = CHANEND}};
	ck_assert_int_eq(chanalt(a), 0);
	ck_assert_uint_eq(x, 9);
}

TASK_TEST(a_lent_channel_can_do_all_that_others_can)
{
	make(0);
	unsigned long x = 5;
	local = chancreate(sizeof(unsigned long), 0);
	taskcreate(mixes, NULL, 0);
	taskyield();
	ck_assert_int_eq(chancap(local), 0);
	ck_assert_int_eq(chanlen(local), 0);
	FAILS(channbrecv(local, &x), EAGAIN);
	gotlocal = 0;
	Alt a[] = {{.c = local, .v = &x, .op = CHANSND}, {.op = CHANEND}};
	ck_assert_int_eq(chanalt(a), 0);
	taskyield();
	ck_assert_int_eq(gotlocal, 1);
	taskcreate(recvlocal, NULL, 0);
	taskyield();
	ck_assert_int_eq(channbsendul(local, 1), 1);
	ck_assert_int_eq(channbsendul(local, 9), 1);
	settle();
	ck_assert_int_eq(gotlocal, 2);
	chanclose(local);
	FAILS(chanclose(local), EPIPE);
	settle();
	chanfree(local);

	local = chancreate(sizeof(unsigned long), 0);
	Alt b[] = {{.c = local, .v = &x, .op = CHANRCV},
		{.c = c, .v = &x, .op = CHANRCV}, {.op = ALTDELAY, .ms = 1},
		{.op = CHANEND}};
	ck_assert_int_eq(chanalt(b), 2);
	ck_assert_ptr_nonnull(local->home);
	b[3].op = CHANNOBLK;
	FAILS(chanalt(b), EAGAIN);
	chanfree(local);
	unmake();
}

static void
freedlocal(void *v)
{
	Alt a[] = {{.c = local, .op = CHANRCV}, {.c = c, .op = CHANRCV},
		{.op = CHANEND}};

	(void)v;
	FAILS(chanalt(a), EPIPE);
}

TASK_TEST(a_lent_channel_can_be_freed)
{
	make(0);
	local = chancreate(sizeof(unsigned long), 0);
	taskcreate(freedlocal, NULL, 0);
	taskyield();
	chanfree(local);
	settle();
	ck_assert_ptr_null(c->arecv.head);
	unmake();
}

/* Who can go on no more. */

static void
stallsboth(void *v)
{
	(void)v;
	make(0);
	inproc(waitsforever, NULL);
	chanrecv(c, NULL);
}

TASK_TEST_BY(a_deadlock_over_shared_channels_is_reported,
	(void)body;
	char err[8192];
	int status = childtask(stallsboth, err, sizeof err);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1,
		"status %#x: %s", (unsigned)status, err);
	ck_assert_ptr_nonnull(strstr(err, "no runnable tasks"));
	ck_assert_ptr_nonnull(strstr(err, "chanrecv c")))
{
}

static void
stallsnamed(void *v)
{
	make(0);
	c->name = (char *)(uintptr_t)"requests";
	d->name = (char *)(uintptr_t)"answers";
	waitsforfree((void *)(uintptr_t)"alt");
	(void)v;
}

TASK_TEST_BY(the_report_names_shared_channels,
	(void)body;
	char err[8192];
	int status = childtask(stallsnamed, err, sizeof err);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1,
		"status %#x: %s", (unsigned)status, err);
	ck_assert_msg(strstr(err, "chanalt recv c \"requests\", "
		"send c \"answers\"\n") != NULL, "%s", err))
{
}

/* fork(2) */

static void
waitsinchild(void *v)
{
	FAILS(chanrecv(c, NULL), EPERM);
	*(int *)v = 1;
}

TASK_TEST(in_the_child_of_a_fork_they_fail)
{
	int status, failed = 0;

	if(TestFewer > 1)
		TEST_SKIP("the sanitizer knows no tasks in a child");
	make(1);
	Alt a[] = {{.c = c, .op = CHANRCV}, {.op = CHANEND}};
	taskcreate(waitsinchild, &failed, 0);
	taskyield();
	pid_t pid = fork();
	if(pid == 0){
		FAILS(channbsend(c, NULL), EPERM);
		FAILS(chanrecv(c, NULL), EPERM);
		FAILS(chanclose(c), EPERM);
		FAILS(chanlen(c), EPERM);
		FAILS(chanalt(a), EPERM);
		if(chanhold(c))
			_exit(3);
		chanfree(c);
		settle();
		_exit(failed ? 7 : 2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 7);
	taskexitall(0);
}

TEST_MAIN("shared", elements_arrive_in_order_from_another_proc,
	tasks_of_one_proc_use_it_like_a_channel_of_theirs,
	close_ends_the_waits_in_another_proc,
	a_deadline_ends_a_wait_and_nothing_is_lost,
	a_deadline_too_late_has_not_fired,
	a_close_and_a_deadline_in_one_turn_agree,
	a_cancel_ends_a_wait,
	batches_keep_the_order,
	batches_work_on_local_channels,
	a_thread_without_scheduler_sends_and_receives,
	threads_need_no_scheduler_at_all,
	the_last_chanfree_frees,
	those_who_wait_fail_when_it_is_freed,
	a_proc_ends_whose_tasks_wait,
	two_alts_on_two_channels_meet,
	an_alt_mixes_all_kinds,
	entries_of_waits_that_were_served_are_passed_once,
	a_scheduler_ends_while_its_last_wait_is_served,
	local_channels_are_served_beside_shared_ones,
	a_lent_channel_can_do_all_that_others_can,
	a_lent_channel_can_be_freed,
	a_deadlock_over_shared_channels_is_reported,
	the_report_names_shared_channels,
	in_the_child_of_a_fork_they_fail)
