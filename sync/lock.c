/* SPDX-License-Identifier: MIT */
/* Locks: for one owner, perhaps many times over; for readers or one writer. */
#include "sync.h"
#include "../task/newnames.h"
#include "../task/share.h"
#include <errno.h>
#include <limits.h>

/*
 * An unlock hands the lock to the first task that waits for it, before that
 * task runs.  So nobody can come between, and tasks are served in the order of
 * arrival.
 */

/*
 * A lock that is held, or waited for, by tasks of another scheduler cannot be
 * waited for here: whoever unlocks it could not wake this task.  It is asked
 * for where the caller would have to wait, so a free lock costs nothing.  How
 * a lock is held for reading is a number only; so a writer waits for readers
 * elsewhere, and the last of these finds it in the queue: that is misuse.
 */

/* returns the running task; NULL with errno if there is none or no lock. */
static Task *
locker(const void *lock)
{
	Proc *p = task_caller(lock);

	return p ? p->running : NULL;
}

/* Not inline: the callers need not save the task at each entry then. */
__attribute__((noinline)) static Task *
shared(void)
{
	task_share(0);
	return task_proc->running;
}

/*
 * The same for a call that waits if need be.  It shares when it is time for
 * that, before it takes the lock: others would line up for it meanwhile.
 */
static inline Task *
taker(const void *lock)
{
	Task *t = locker(lock);

	return t && sharetime(t, TakeWeight) ? shared() : t;
}

/*
 * returns whether t is the owner.  Its id tells one that has ended from another
 * task that has got its memory.
 */
static int
owns(const Task *t, const Task *owner, unsigned int id)
{
	return t == owner && t->id == id;
}

/* Its key is read before, so that the compiler can copy it as one. */
static inline void
giveqlock(QLock *l, Task *t)
{
	Taskid key = t->key;

	l->owner = t;
	l->ownerid = key.id;
	l->ownerproc = key.proc;
}

/* gives l, which its owner unlocks, to the first who waits. */
static void
passqlock(QLock *l)
{
	Task *t = task_wakefirst(&l->waiting, 0);

	if(t)
		giveqlock(l, t);
	else
		l->owner = NULL;
}

/*
 * waits in line for lock, which another task holds.  Not inline, or to take a
 * lock that is free would need a stack frame.
 */
__attribute__((noinline)) static int
waitinline(enum Why why, const void *lock, Tasklist *queue,
	void (*unlink)(Task *), int64_t deadline_ns)
{
	Proc *p = task_proc;

	if(p->locks)
		p->locks(p, why, lock);
	return task_park(why, (Object){lock}, queue, unlink, deadline_ns);
}

/* waits in line, unless l is free; t does not own it. */
static inline int
take(QLock *l, Task *t, enum Why why, int64_t deadline_ns)
{
	if(l->owner == NULL){
		giveqlock(l, t);
		return 0;
	}
	if(l->ownerproc != t->key.proc)
		return task_fail(EPERM);
	return waitinline(why, l, &l->waiting, NULL, deadline_ns);
}

static inline int
lock(QLock *l, int64_t deadline_ns)
{
	Task *t = taker(l);

	if(t == NULL)
		return -1;
	if(owns(t, l->owner, l->ownerid))
		return task_fail(EDEADLK);
	return take(l, t, WaitQlock, deadline_ns);
}

int
qlock(QLock *l)
{
	return lock(l, -1);
}

void
task_relock(QLock *l)
{
	if(lock(l, Uninterrupted) < 0)
		task_misuse("tasksleep: the lock r->l is held by another "
			"thread");
}

int
canqlock(QLock *l)
{
	Task *t = locker(l);

	if(t == NULL || l->owner)
		return 0;
	giveqlock(l, t);
	return 1;
}

/* t unlocks what that task holds. */
__attribute__((noreturn)) static void
notowned(const Task *t, unsigned int id, unsigned int proc, const char *call)
{
	task_misuse("%s: the lock is held by task %u%s", call, id,
		proc == t->key.proc ? "" : " of another thread");
}

/* ends the program if l, which t is about to unlock, is not its own. */
static void
mustown(const Task *t, const QLock *l, const char *call)
{
	if(l->owner == NULL)
		task_misuse("%s: the lock is not locked", call);
	if(!owns(t, l->owner, l->ownerid))
		notowned(t, l->ownerid, l->ownerproc, call);
}

void
qunlock(QLock *l)
{
	Task *t = locker(l);

	if(t == NULL)
		return;
	mustown(t, l, "qunlock");
	passqlock(l);
}

/* A RecLock is a QLock that its owner may take again; again counts that. */
int
reclock(RecLock *l)
{
	Task *t = taker(l);

	if(t == NULL)
		return -1;
	if(!owns(t, l->l.owner, l->l.ownerid))
		return take(&l->l, t, WaitReclock, -1);
	if(l->again == UINT_MAX)
		return task_fail(EOVERFLOW);
	l->again++;
	return 0;
}

int
canreclock(RecLock *l)
{
	Task *t = locker(l);

	if(t == NULL)
		return 0;
	if(l->l.owner == NULL){
		giveqlock(&l->l, t);
		return 1;
	}
	if(!owns(t, l->l.owner, l->l.ownerid) || l->again == UINT_MAX)
		return 0;
	l->again++;
	return 1;
}

void
recunlock(RecLock *l)
{
	Task *t = locker(l);

	if(t == NULL)
		return;
	mustown(t, &l->l, "recunlock");
	if(l->again > 0)
		l->again--;
	else
		passqlock(&l->l);
}

static inline void
givewriter(RWLock *l, Task *t)
{
	Taskid key = t->key;

	l->writer = t;
	l->writerid = key.id;
	l->writerproc = key.proc;
}

/* gives l, which nobody has any more, to the first who waits to write. */
static void
passwriter(RWLock *l)
{
	Task *t = task_wakefirst(&l->wwaiting, 0);

	if(t)
		givewriter(l, t);
}

/* lets all waiting readers in. */
static void
admit(RWLock *l)
{
	while(task_wakefirst(&l->rwaiting, 0))
		l->readers++;
}

/* waits in queue for l, which is not free; t is not its writer, or EDEADLK. */
static int
waitrw(RWLock *l, Task *t, enum Why why, Tasklist *queue,
	void (*unlink)(Task *))
{
	const Proc *p = task_proc;

	if(owns(t, l->writer, l->writerid))
		return task_fail(EDEADLK);
	if((l->writer && l->writerproc != t->key.proc) ||
			task_foreign(p, l->wwaiting.head) ||
			task_foreign(p, l->rwaiting.head))
		return task_fail(EPERM);
	return waitinline(why, l, queue, unlink, -1);
}

int
rlock(RWLock *l)
{
	Task *t = taker(l);

	if(t == NULL)
		return -1;
	if(l->writer == NULL && l->wwaiting.head == NULL){
		l->readers++;
		return 0;
	}
	return waitrw(l, t, WaitRlock, &l->rwaiting, NULL);
}

int
canrlock(RWLock *l)
{
	if(locker(l) == NULL || l->writer || l->wwaiting.head)
		return 0;
	l->readers++;
	return 1;
}

void
runlock(RWLock *l)
{
	if(locker(l) == NULL)
		return;
	if(l->readers == 0)
		task_misuse("runlock: the lock is not locked for reading");
	if(--l->readers > 0 || l->wwaiting.head == NULL)
		return;
	if(task_foreign(task_proc, l->wwaiting.head))
		task_misuse("runlock: a task of another thread waits for "
			"the lock");
	passwriter(l);
}

/*
 * lets in the readers that wait behind t, a writer that has given up, if no
 * other writer is before them.
 */
static void
leavewriters(Task *t)
{
	RWLock *l = (RWLock *)t->wait.object.v;

	if(l->writer == NULL && l->wwaiting.head == NULL)
		admit(l);
}

int
wlock(RWLock *l)
{
	Task *t = taker(l);

	if(t == NULL)
		return -1;
	if(l->writer == NULL && l->readers == 0){
		givewriter(l, t);
		return 0;
	}
	return waitrw(l, t, WaitWlock, &l->wwaiting, leavewriters);
}

int
canwlock(RWLock *l)
{
	Task *t = locker(l);

	if(t == NULL || l->writer || l->readers > 0)
		return 0;
	givewriter(l, t);
	return 1;
}

void
wunlock(RWLock *l)
{
	Task *t = locker(l);

	if(t == NULL)
		return;
	if(l->writer == NULL)
		task_misuse("wunlock: the lock is not locked for writing");
	if(!owns(t, l->writer, l->writerid))
		notowned(t, l->writerid, l->writerproc, "wunlock");
	l->writer = NULL;
	if(l->rwaiting.head)
		admit(l);
	else
		passwriter(l);
}
