/* SPDX-License-Identifier: MIT */
/* Channels as such: making, closing, freeing. */
#include "../proc/shared.h"
#include "../task/newnames.h"
#include "sync.h"
#include <errno.h>

int
chaninit(Channel *c, int elemsize, int n)
{
	if(c == NULL || elemsize < 1 || n < 0)
		return task_fail(EINVAL);
	if((uint64_t)elemsize * (unsigned int)n > PTRDIFF_MAX)
		return task_fail(ENOMEM);
	*c = (Channel){.elemsize = (unsigned int)elemsize,
		.bufsize = (unsigned int)n, .home = &task_proc};
	if(n > 0 && (c->buf = task_sys.alloc((size_t)n * (size_t)elemsize)) ==
			NULL)
		return -1;
	return 0;
}

Channel *
chancreate(int elemsize, int n)
{
	Channel *c = task_sys.alloc(sizeof *c);

	if(c == NULL)
		return NULL;
	if(chaninit(c, elemsize, n) < 0){
		task_sys.free(c);
		return NULL;
	}
	c->owned = ChanOwned;
	return c;
}

Channel *
chanshared(int elemsize, int n)
{
	Channel *c = task_sharealloc();

	if(c == NULL)
		return NULL;
	if(chaninit(c, elemsize, n) < 0){
		task_sys.free(c);
		return NULL;
	}
	c->home = NULL;
	c->owned = ChanOwned | ChanShared;
	return c;
}

/* has the task of a go on: the channel has been closed. */
static void
endclosed(Alt *a)
{
	int fails = a->op == CHANSND || a->task->wait.why == WaitWord;

	a->err = EPIPE;
	if(fails && a->task->wait.why != WaitAlt)
		finishalt(a, -1, EPIPE);
	else
		finishalt(a, 0, 0);
}

static void
endfreed(Alt *a)
{
	finishalt(a, -1, EPIPE);
}

/* has all of a queue go on, but those that another thread has served. */
static void
endqueue(const Altlist *q, void (*end)(Alt *))
{
	while(q->head)
		if(task_sharewins(q->head->task))
			end(q->head);
}

/* Signals may be sent to c, which ends. */
static void
tellend(const Channel *c)
{
	if(task_proc && task_proc->chanends)
		task_proc->chanends(task_proc, c);
}

void
chanfree(Channel *c)
{
	if(c == NULL)
		return;
	if(isshared(c)){
		task_sharefree(c);
		return;
	}
	tellend(c);
	if((c->asend.head || c->arecv.head) && task_chanwrong(c))
		task_misuse("chanfree: tasks of another thread wait on the "
			"channel");
	endqueue(&c->asend, endfreed);
	endqueue(&c->arecv, endfreed);
	task_sys.free(c->buf);
	c->buf = NULL;
	if(c->owned & ChanOwned)
		task_sys.free(c);
}

int
chanclose(Channel *c)
{
	if(c && isshared(c))
		return task_shareclose(c);
	int err = task_chanwrong(c);

	if(err || isclosed(c))
		return task_fail(err ? err : EPIPE);
	tellend(c);
	c->closed = islent(c) ? lenthome(c) : c->home;
	c->home = NULL;
	endqueue(&c->asend, endclosed);
	endqueue(&c->arecv, endclosed);
	return 0;
}

int
chanlen(const Channel *c)
{
	if(c && isshared(c))
		return task_sharelen(c);
	int err = task_chanwrong(c);

	return err ? task_fail(err) : (int)c->nbuf;
}

int
chancap(const Channel *c)
{
	int err = c && isshared(c) ? task_sharewrong(c) : task_chanwrong(c);

	return err ? task_fail(err) : (int)c->bufsize;
}
