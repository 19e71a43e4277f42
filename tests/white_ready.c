/* SPDX-License-Identifier: MIT */
/* The ready queue from inside, where few tasks are ready and where many are. */
#include "virtual.h"
#include "watched.h"

enum
{
	Most = 100000,	/* fewer under tools, where guards are map entries */
	Model = 1 << 17,
	Edge = 300	/* how far its length goes beyond ManyReady later */
};

/* Who is to run and who sleeps, in that order, and who is parked. */
static struct
{
	struct
	{
		Task *task[Model];
		unsigned int head, tail;
	} ready, sleeping;
	int64_t deadline_ns[Model];	/* of those that sleep */
	Task *parked[Model];
	int nparked;
	int nturns;	/* of the fdtask, when it last woke sleepers */
} model;
static Random dice;
static int nwanted;	/* more are made until as many are ready; or 0 */
static int nleast;	/* there are fewer then, until so few are ready */
static int nturning;	/* how often one was reached */
static int nmany;	/* how often the queue was long when somebody ran */

static int
nready(void)
{
	return (int)(model.ready.tail - model.ready.head);
}

/* A task's data says whether it is ready: also of one that has ended. */
static void
join(Task *t)
{
	model.ready.task[model.ready.tail++ % Model] = t;
	t->data = t;
}

/* The fdtask wakes those whose time has come. */
static void
joinsleepers(void)
{
	unsigned int *head = &model.sleeping.head;

	if(model.nturns == nturns)
		return;
	model.nturns = nturns;
	while(*head != model.sleeping.tail &&
			model.deadline_ns[*head % Model] <= p.turn_ns)
		join(model.sleeping.task[(*head)++ % Model]);
}

static void
checkrecent(void)
{
	for(int i = 0; i < Ahead; i++){
		Task *t = p.recent.task[i];
		if(t != &p.fdtask && t->data == NULL)
			ck_abort_msg("one that is not ready would be written "
				"to, seed %lu", dice.seed);
	}
}

/* is called by who has just gone on. */
static void
arrived(void)
{
	joinsleepers();
	Task *t = model.ready.task[model.ready.head++ % Model];
	if(t != p.running)
		ck_abort_msg("not the one that was to run, seed %lu",
			dice.seed);
	if(p.few != ManyReady - nready() - p.due)
		ck_abort_msg("%d are ready, few is %d, seed %lu", nready(),
			p.few, dice.seed);
	t->data = NULL;
	if(p.few < 0){
		nmany++;
		checkrecent();
	}
}

static void
leave(void)
{
	join(p.running);
	taskyield();
	arrived();
}

/* All sleep as long, so they wake in the order in which they came. */
static void
doze(void)
{
	unsigned int i = model.sleeping.tail++ % Model;

	model.sleeping.task[i] = p.running;
	model.deadline_ns[i] = now_ns + 2 * (int64_t)Millisecond;
	taskdelay(2);
	arrived();
}

static void
park(void)
{
	model.parked[model.nparked++] = p.running;
	task_park(WaitDelay, (Object){NULL}, NULL, NULL, -1);
	arrived();
}

static void
wake(void)
{
	int i = (int)randombelow(&dice, (unsigned int)model.nparked);
	Task *t = model.parked[i];

	model.parked[i] = model.parked[--model.nparked];
	join(t);
	ck_assert_int_eq(task_ready(t, t->wait.number, 0), 1);
}

static void wander(void *v);

/* If there is no memory there are as many as there can be. */
static void
beget(void)
{
	Task *t = task_create(&p, wander, NULL, 0);

	if(t)
		join(t);
	else
		nwanted = 0;
}

static void
add(void)
{
	if(model.nparked > 0 && randombelow(&dice, 2))
		wake();
	else
		beget();
}

/* After the longest queue its length goes to and fro about ManyReady. */
static void
want(void)
{
	if(nready() < nwanted && p.ntask < Most)
		return;
	if(nwanted == 0 && nready() > nleast)
		return;
	nwanted = nwanted ? 0 : ManyReady + (int)randombelow(&dice, Edge);
	nleast = (int)randombelow(&dice, ManyReady);
	nturning++;
}

enum { Turnings = 1000 };

/* goes on in a random way, until the queue was long and short often enough. */
static void
wander(void *v)
{
	(void)v;
	arrived();
	while(nturning < fewer(Turnings)){
		unsigned int n = randombelow(&dice, 16);
		want();
		for(unsigned int i = nwanted ? n / 4 : 0; i > 0; i--)
			add();
		if(n == 0)
			compute(randombelow(&dice, 2));
		if(n < 9)
			leave();
		else if(n < 10)
			doze();
		else if(n >= 12 && nwanted == 0)
			return;
		else if(nready() > 0)
			park();
	}
	while(model.nparked)
		wake();
}

TASK_TEST_BY(many_tasks_run_in_the_order_in_which_they_became_ready,
	dice = randomstart();
	memset(&model, 0, sizeof model);
	nturning = nmany = 0;
	nwanted = watched() ? 2 * ManyReady : Most;
	startwell(body);
	ck_assert_int_eq(nready(), 0);
	ck_assert_int_gt(nmany, 0))
{
	join(p.running);
	wander(NULL);
}

enum { Crowd = ManyReady + 200, Rounds = 3 };

static int nhooks;

static void
countcall(void *v)
{
	(void)v;
	nhooks++;
}

static void
goround(void *v)
{
	if(v)
		tasksetswitch(countcall, countcall, NULL);
	for(int i = 0; i < Rounds; i++){
		compute(1);
		taskyield();
	}
}

static void
yieldonce(void *v)
{
	(void)v;
	taskyield();
}

enum { Credit = 64 };	/* whoever yields on it notes nothing */

TASK_TEST_BY(each_of_many_knows_who_is_behind, startwell(body))
{
	for(int i = 0; i < Crowd; i++)
		taskcreate(yieldonce, NULL, 0);
	taskyield();
	const Task *behind = p.ready.head, *t = behind;
	for(int i = 0; i < Ahead; i++)
		behind = behind->next;
	for(int i = 0; behind; i++, t = t->next, behind = behind->next)
		ck_assert(i < Credit || t->later == behind);
}

TASK_TEST_BY(where_many_are_ready_hooks_are_called_and_the_fdtask_has_its_turns,
	nhooks = 0;
	startwell(body);
	/* one when it is set, two at each stop, and one at the end */
	ck_assert_int_eq(nhooks, 2 * (Rounds + 1));
	ck_assert_int_gt(nturns, Crowd * (Rounds - 1)))
{
	for(int i = 0; i < Crowd; i++)
		taskcreate(goround, i == Crowd / 2 ? &nhooks : NULL, 0);
}

TEST_MAIN("ready queue, inside",
	many_tasks_run_in_the_order_in_which_they_became_ready,
	each_of_many_knows_who_is_behind,
	where_many_are_ready_hooks_are_called_and_the_fdtask_has_its_turns)
