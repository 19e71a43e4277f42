/* SPDX-License-Identifier: MIT */
/*
 * Tasks that were left when taskrun came back, system tasks or those of a
 * deadlock, stayed in the queues of channels and locks although their stacks
 * were gone: the next scheduler, or chanfree, found them there.  Now the fdtask
 * takes them off.
 */
#include "../test.h"

static Channel *c;
static RWLock rw;
static Rendez r;

static void
waitinchannel(void *v)
{
	(void)v;
	tasksystem();
	chanrecvul(c);
}

static void
waitinlock(void *v)
{
	(void)v;
	tasksystem();
	wlock(&rw);
}

static void
waitinrendez(void *v)
{
	(void)v;
	tasksystem();
	tasksleep(&r);
}

static void
leavewaiting(void *v)
{
	(void)v;
	c = chancreate(sizeof(unsigned long), 0);
	rlock(&rw);
	taskcreate(waitinchannel, NULL, 0);
	taskcreate(waitinlock, NULL, 0);
	taskcreate(waitinrendez, NULL, 0);
	taskyield();
}

static void
findnobody(void *v)
{
	(void)v;
	ck_assert_int_eq(channbsendul(c, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(canrlock(&rw), 1);
	ck_assert_int_eq(taskwakeupall(&r), 0);
	chanfree(c);
}

START_TEST(system_tasks_that_are_left_wait_nowhere_any_more)
{
	run(leavewaiting);
	run(findnobody);
}
END_TEST

static void
ignore(const char *report)
{
	(void)report;
}

TASK_TEST_BY(stalled_tasks_wait_nowhere_any_more,
	tasksetdeadlock(ignore);
	ck_assert_int_eq(taskrun(body, NULL), -1);
	ck_assert_int_eq(errno, EDEADLK);
	ck_assert_ptr_null(c->arecv.head);
	chanfree(c))
{
	c = chancreate(sizeof(unsigned long), 0);
	chanrecvul(c);
}

TEST_MAIN("left-waiting", system_tasks_that_are_left_wait_nowhere_any_more,
	stalled_tasks_wait_nowhere_any_more)
