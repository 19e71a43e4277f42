/* SPDX-License-Identifier: MIT */
/* A function of the program's that is called at each switch. */
#include "inspect.h"
#include "../task/newnames.h"

typedef struct Hook
{
	Seer seer;
	void (*fn)(int from, int to, int why, void *arg);
	void *arg;
	int calling;
} Hook;

static void
tellhook(Seer *s, Proc *p, Task *to, int64_t now)
{
	Hook *h = structof(Hook, seer, s);
	int err = *p->err;

	(void)now;
	if(h->calling)
		task_misuse("the function of tasksettrace must not block");
	h->calling = 1;
	h->fn((int)p->running->id, (int)to->id, task_whystopped(p), h->arg);
	if(task_seerfind(p, tellhook) == s)	/* it may have ended itself */
		h->calling = 0;
	*p->err = err;
}

static void
endhook(Proc *p)
{
	Hook *h = structof(Hook, seer, task_seerfind(p, tellhook));

	task_seerend(p, &h->seer);
	task_sys.free(h);
}

int
tasksettrace(void (*fn)(int from, int to, int why, void *arg), void *arg)
{
	Proc *p = task_here();
	Hook *h = NULL;

	if(p == NULL || (fn && (h = task_sys.alloc(sizeof *h)) == NULL))
		return -1;
	if(task_seerfind(p, tellhook))
		endhook(p);
	if(h == NULL)
		return 0;
	*h = (Hook){{.stops = tellhook, .end = endhook}, fn, arg, 0};
	task_seerbegin(p, &h->seer);
	return 0;
}
