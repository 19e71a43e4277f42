/* SPDX-License-Identifier: MIT */
/* Calls that wait more than once, cut short in each of their waits. */
#include "../fd/fd.h"
#include "../machine/door.h"
#include "cutcalls.h"

/* The rest of the table of check_cancel.c, and why. */
static const char *const once[][2] = {
	{"taskrun", "blocks the thread"},
	{"taskscheduler", "blocks the thread"},
	{"netannounce", "taken back"},
	{"netlookup", "taken back"},
	{"netresolve", "taken back"},
	{"chansend", "handed over"},
	{"chanrecv", "handed over"},
	{"chansendp", "handed over"},
	{"chanrecvp", "handed over"},
	{"chansendul", "handed over"},
	{"chanrecvul", "handed over"},
	{"chansendn", "handed over"},
	{"chanrecvn", "handed over"},
	{"qlock", "handed over"},
	{"reclock", "handed over"},
	{"semacquire", "handed over"},
	{"eventwait", "woken for good"},
	{"fdwait", "a hint"},
	{"netacceptaddr", "netaccept"},
	{"netsendto", "a hint"},
	{"netrecvfrom", "a hint"},
	{"streamreadn", "streamread, and keeps what came"},
	{"streampeek", "streamreadn"},
	{"streamwritev", "streamwrite"},
	{"streamprint", "streamwrite"},
	{"streamsendfile", "streamwrite, from a file"},
	{"streamflush", "streamwrite"},
	{"streamshut", "streamflush"},
	{"streamclose", "is over when it is cut"},
	{"streamlayer", "the stream is over when it is cut"},
	{"serverstart", "netannounce"},
	{"serverspread", "proccall"},
	{"serverstop", "succeeds when it is cut"},
	{"taskdump", "fdwrite, and delays"},
	{"consoleserve", "fdwait, and commands"},
	{"consoleprint", "fdwrite"},
	{"consolebreak", "woken for good"},
	{"tracesave", "fdwrite, and delays"},
	{"tracestart", "succeeds when it is cut"},
	{"tracestop", "succeeds when it is cut"},
	{"traceon", "succeeds when it is cut"},
	{"proccall", "cut where its function waits"},
	{"offload", "taken back, or not cut"},
	{"procwait", "taken back under a lock"},
	{"childspawn", "offload"},
	{"childwait", "its one wait is fdwait"},
	{"taskshutdown", "succeeds when it is cut"},
};

static int
listed(const char *name)
{
	for(int i = 0; i < Nrows; i++)
		if(strcmp(rows[i].name, name) == 0)
			return 1;
	for(size_t i = 0; i < sizeof once / sizeof once[0]; i++)
		if(strcmp(once[i][0], name) == 0)
			return 1;
	return 0;
}

START_TEST(every_call_that_blocks_is_here_or_waits_once)
{
	FILE *f = fopen("tests/check_cancel.c", "r");
	char line[256], name[32];
	int n = 0;

	if(f == NULL)
		TEST_SKIP("tests/check_cancel.c is not here");
	while(fgets(line, sizeof line, f))
		if(sscanf(line, "\t{\"%31[a-z0-9]\", ", name) == 1){
			n++;
			ck_assert_msg(listed(name), "%s is not here", name);
		}
	fclose(f);
	ck_assert_int_ge(n, 30);
}
END_TEST

/* What must be as before when all is over. */
typedef struct Held
{
	int ntask;
	size_t nsleeping;
	int nwaiting;
	unsigned int njoins;
	unsigned int ngroups;
	int nfds;
} Held;

static Held
held(void)
{
	const Proc *p = task_proc;
	Fdtable *table = p->fds;

	for(int fd = 0; fd < table->nblock * BlockFds; fd++){
		Fd *f = task_fdknown(table, fd);
		for(int i = 0; f && i < Queues; i++)
			ck_assert_ptr_null(f->waiting[i].head);
		for(int i = 0; f && i < 2; i++){
			ck_assert_ptr_null(f->ops[i].head);
			ck_assert_ptr_null(f->turns[i].head);
			ck_assert_int_eq(task_fdtaken(f, i), 0);
		}
	}
	return (Held){p->ntask, p->sleeping.n, table->nwaiting,
		p->life->joins.n,
		p->life->groups.n, openfds()};
}

static void
sameheld(Held was)
{
	Held is = held();

	ck_assert_int_eq(is.ntask, was.ntask);
	ck_assert_uint_eq(is.nsleeping, was.nsleeping);
	ck_assert_int_eq(is.nwaiting, was.nwaiting);
	ck_assert_uint_eq(is.njoins, was.njoins);
	ck_assert_uint_eq(is.ngroups, was.ngroups);
	ck_assert_int_eq(is.nfds, was.nfds);
}

static int
cause(const Try *t)
{
	static const int errs[] = {ECANCELED, ETIMEDOUT, EINTR};

	return errs[t->how % Late];
}

/* One that was cut hears of it: in its call, or in the next one. */
static void
attempt(void *v)
{
	Try *t = v;

	t->task = task_proc->running;
	timeoutstart(&t->scope, 3600 * 1000);
	errno = 0;
	t->result = t->row->call();
	t->err = errno;
	t->fired = timeoutfired(&t->scope);
	t->written = fdwritten();
	t->got = fdgot();
	if(t->cut){
		int err = cause(t);
		if(err == EINTR && t->err == err)	/* that was all */
			err = 0;
		errno = 0;
		taskdelay(1);
		ck_assert_int_eq(errno, err);
		ck_assert_int_eq(timeoutfired(&t->scope), err == ETIMEDOUT);
	}
	timeoutstop(&t->scope);
	t->done = 1;
}

/* What the fdtask does at the end of the scope, which is now. */
static void
endscope(Try *t)
{
	Task *task = t->task;

	t->scope.deadline_ns = task_proc->turn_ns;
	int64_t until = task->wait.sleeper.deadline_ns;
	if(task->wait.number && until != Uninterrupted){
		task->limits.nearest = &t->scope;
		task_giveup(task, task_cut(task));
	}
}

static void
cut(Try *t)
{
	t->goeson = t->task->wait.sleeper.deadline_ns == Uninterrupted;
	if(t->how >= Late)
		t->row->feed(t->task, 1);
	t->cut = 1;
	if(cause(t) == ETIMEDOUT)
		endscope(t);
	else if(cause(t) == EINTR)
		ck_assert_int_eq(taskinterrupt((int)t->task->id), 0);
	else
		ck_assert_int_eq(taskcancel((int)t->task->id), 0);
}

/* One that was cut may have to wait for the kernel: that ends by itself. */
static int
forkernel(const Task *t)
{
	return t->wait.unlink == NULL &&
		(t->wait.why == WaitRead || t->wait.why == WaitWrite);
}

/*
 * Others run while it does not wait, but not the fdtask: what ends by itself in
 * the next turn is seen too.  So nobody looks at the clock meanwhile, or on a
 * busy machine its turn would come.
 */
static void
conduct(Try *t)
{
	enum { NoLook = 1 << 20 };
	uint64_t seen = 0;

	t->row->prepare();
	beside(attempt, t);
	while(!t->done){
		if(t->task == NULL || t->task->wait.number == 0){
			task_proc->credit = NoLook;
			taskyield();
			continue;
		}
		int fresh = t->task->wait.number != seen;
		seen = t->task->wait.number;
		t->nwaits += fresh && !t->cut;
		if(fresh && t->nwaits == t->k && !t->cut)
			cut(t);
		else if(!t->cut || !forkernel(t->task))
			t->row->feed(t->task, fresh);
		if(t->task->wait.number)
			taskdelay(0);
	}
	t->task = NULL;
	settle();
}

/* The kernel may have done already what it is told to cancel. */
static int
maysucceed(const Try *t)
{
	return !t->cut || t->goeson || t->how >= Late ||
		strcmp(taskpoller(), "uring") == 0;
}

static void
judge(const Try *t)
{
	int err = cause(t);
	int right = t->cut && t->result == -1 && t->err == err &&
		t->fired == (err == ETIMEDOUT);

	if(t->result == t->row->full && maysucceed(t))
		right = t->err == 0 && !t->fired;
	if(t->goeson && t->row->call == callsleep)
		right &= t->result == 0;
	if(!right)
		ck_abort_msg("%s, row %d, cut %d in wait %d: %ld, errno %d "
			"(%s)", t->row->name, (int)(t->row - rows), t->how,
			t->k, t->result, t->err, strerror(t->err));
}

/* Returns how many waits there were. */
static int
tryonce(const Row *row, int k, int how)
{
	Held was = held();
	Try t = {.row = row, .k = k, .how = how};

	conduct(&t);
	judge(&t);
	row->usable(&t);
	settle();
	sameheld(was);
	return t.cut || k == 0 ? t.nwaits : -1;
}

/* Waits are cut until there is no such wait any more. */
static int
tryeach(const Row *row)
{
	int most = 0;

	for(int how = 0; how < Hows; how++){
		int k = 1;
		while(tryonce(row, k, how) >= 0)
			k++;
		if(k - 1 > most)
			most = k - 1;
	}
	return most;
}

/* A door is there for ever, and so is made before things are counted. */
TASK_TEST_BY(each_wait_of_each_call_can_be_cut_short_in_every_way,
	task_doorleave(task_dooropen());
	faultstart();
	for(int i = 0; i < Nrows; i++)
		if(rows[i].prepare != fulltable || !valgrind())
			ck_assert_int_eq(taskrun(body, (void *)&rows[i]), 0);
	ck_assert_int_eq(fault.nlive, 0))
{
	const Row *row = v;
	int uring = strcmp(taskpoller(), "uring") == 0;
	int n = tryonce(row, 0, 0);

	ck_assert_msg(n >= (uring ? 1 : row->least), "%s, row %d waited %d "
		"times", row->name, (int)(row - rows), n);
	tryeach(row);
	long nlive = fault.nlive;
	ck_assert_int_ge(tryeach(row), uring ? 1 : row->least);
	ck_assert_int_eq(fault.nlive, nlive);
}

TEST_MAIN("cut",
	every_call_that_blocks_is_here_or_waits_once,
	each_wait_of_each_call_can_be_cut_short_in_every_way)
