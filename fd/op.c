/* SPDX-License-Identifier: MIT */
/* Calls on descriptors that the poller makes, where it can. */
#include "fd.h"
#include "../task/life.h"
#include <errno.h>

/*
 * A task whose call the poller makes has an Op, and is parked in queue Close of
 * the descriptor.  Whatever wakes the task, it does not go on before the Op has
 * ended: the Op and its buffer may lie on the task's stack, and belong to the
 * kernel until then.
 *
 * The poller has one Op of a descriptor and direction at a time.  The others
 * are behind it in a list, so they are served in the order of arrival.
 */

/*
 * The poller makes calls on sockets only: for other files the kernel might use
 * threads.  And it makes none if a wait would be refused: a plain call that
 * need not wait succeeds all the same.
 */
int
task_fdsocket(Fdtable *table, int fd)
{
	if(task_refused(task_proc))
		return 0;
	Fd *f = task_fdneed(table, fd);
	if(f && f->socket == 0 && f->notsocket == 0){
		f->socket = task_fdissocket(fd);
		f->notsocket = !f->socket;
	}
	return f && f->socket;
}

static void
appendop(Fdtable *table, Oplist *l, Op *op)
{
	op->behind = NULL;
	if(l->head)
		l->tail->behind = op;
	else{
		l->head = op;
		table->polling.poller->submit(table->polling.state, op);
	}
	l->tail = op;
}

static void
removefirst(Fdtable *table, Oplist *l)
{
	l->head = l->head->behind;
	if(l->head)
		table->polling.poller->submit(table->polling.state, l->head);
}

static void
removelater(Oplist *l, Op *op)
{
	Op *before = l->head;

	while(before->behind != op)
		before = before->behind;
	before->behind = op->behind;
	if(l->tail == op)
		l->tail = before;
}

/* ends op, whose call has not been begun. */
static void
never(Op *op)
{
	op->result = -ECANCELED;
	op->done = 1;
}

/* gives up op, whose wait was ended by a scope or a cancel. */
static void
giveupop(Fdtable *table, Oplist *l, Op *op)
{
	op->unwanted = 1;
	if(l->head != op){
		removelater(l, op);
		never(op);
	}else if(table->polling.poller->cancel(table->polling.state, op)){
		removefirst(table, l);
		never(op);
	}
}

void
task_fdopended(Fdtable *table, Op *op)
{
	Fd *f = task_fdknown(table, op->fd);
	Oplist *l = &f->ops[task_fdside(op)];
	Task *t = op->owner;

	if(!op->unwanted && (op->result == -EINTR || op->result == -ECANCELED)){
		table->polling.poller->submit(table->polling.state, op);
		return;
	}
	if(l->head == op)
		removefirst(table, l);
	op->done = 1;
	if(t->wait.number)
		task_giveup(t, 0);
}

void
task_fdsent(Fdtable *table, Sending *a)
{
	Op *op = a->op;
	Task *t = op->owner;

	if(a->sent(a) || op->done || op->unwanted)
		return;
	giveupop(table, &task_fdknown(table, op->fd)->ops[Read], op);
	if(op->done && t->wait.number)
		task_giveup(t, 0);
}

int
task_fdopsstop(Fdtable *table, Fd *f)
{
	int underway = 0;

	for(int i = Read; i <= Write; i++){
		Op *op = f->ops[i].head;
		if(op){
			op->unwanted = 1;
			if(table->polling.poller->cancel(table->polling.state,
					op))
				never(op);
			else
				underway = 1;
			while((op = op->behind)){
				op->unwanted = 1;
				never(op);
			}
		}
		f->ops[i].head = NULL;
	}
	return underway;
}

ssize_t
task_fdop(Op *op, Meant *m)
{
	Proc *p = task_proc;
	Object object = {.fd = op->fd};
	enum Why why = task_fdside(op) == Read ? WaitRead : WaitWrite;
	Fd *f = task_fdneed(p->fds, op->fd);

	if(f == NULL || !task_fdstill(p->fds, op->fd, m))
		return -1;
	op->owner = p->running;
	op->unwanted = op->done = 0;
	appendop(p->fds, &f->ops[task_fdside(op)], op);
	p->fds->nwaiting++;
	Task *t = p->running;
	enqueue(&f->waiting[Close], &t->alt, t);
	int r = task_park(why, object, NULL, leaveone, -1);
	int err = errno;
	Cut cut = task_lastcut(t);
	if(!op->done && !op->unwanted)
		giveupop(p->fds, &f->ops[task_fdside(op)], op);
	while(!op->done)
		task_park(why, object, NULL, NULL, Uninterrupted);
	p->fds->nwaiting--;
	/* a call that succeeded was not cut, nor one that failed before that */
	if(op->result >= 0 || !op->unwanted)
		task_uncut(t, cut);
	if(op->result >= 0)
		return op->result;
	if(!task_fdstill(p->fds, op->fd, m))
		return -1;
	if(r == 0 || !op->unwanted)
		return task_fail(-op->result);
	t->wait.cut = cut.how;	/* for callers that look, as after task_park */
	return task_fail(err);
}
