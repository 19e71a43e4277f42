/* SPDX-License-Identifier: MIT */
/* Functions that stop their thread, run by another one. */
#include "pool.h"
#include "proc.h"
#include "../task/newnames.h"
#include <errno.h>
#include <pthread.h>

/*
 * It lies on the stack of the task that waits for it, and so may what its
 * function works on: while a thread is at it the wait cannot end.
 */
typedef struct Offload
{
	Job job;
	Errand errand;
	int (*fn)(void *);
	void *arg;
	int result;
	int err;	/* errno, if result is -1 */
} Offload;

static void
runoffload(Job *j)
{
	Offload *o = structof(Offload, job, j);

	errno = 0;
	o->result = o->fn(o->arg);
	o->err = errno;
}

/* Nothing of o is touched after the note: it is the task's again. */
static void
telloffload(Job *j)
{
	Offload *o = structof(Offload, job, j);

	task_doortell(o->errand.home, &o->errand.note);
}

static int
takeoffload(Errand *e)
{
	return task_pooltake(&structof(Offload, errand, e)->job);
}

static pthread_once_t pooled = PTHREAD_ONCE_INIT;

int
task_offload(int (*fn)(void *), void *arg)
{
	Proc *p = task_caller(fn);
	Offload o = {.job = {.run = runoffload, .done = telloffload}, .fn = fn,
		.arg = arg};
	int err = errno;
	Cut cut;

	if(p == NULL || task_errandoutside(p, &o.errand, "offload",
			takeoffload) < 0)
		return -1;
	pthread_once(&pooled, task_memberpool);
	if(task_poolput(&o.job, Functions) < 0){
		task_erranddone(p, &o.errand);
		return task_fail(EAGAIN);
	}
	if(task_errandawait(p, &o.errand, &cut) < 0)
		return -1;
	if(o.errand.lost)
		return task_fail(ESRCH);
	if(o.result == -1)
		return task_fail(o.err);
	task_uncut(p->running, cut);
	errno = err;
	return o.result;
}

int
offload(int (*fn)(void *), void *arg)
{
	return task_offload(fn, arg);
}

int
offloadmax(int threads)
{
	if(threads < 1)
		return task_fail(EINVAL);
	task_poolmost(Functions, threads);
	return 0;
}
