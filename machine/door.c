/* SPDX-License-Identifier: MIT */
/* Doors: notes from thread to thread, and waking who sleeps. */
#include "door.h"
#include "machine.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

/* What inbox may be in place of a list. */
static Note ownersleeps, ownergone;

atomic_int task_mayspin;

static pthread_mutex_t doorlock = PTHREAD_MUTEX_INITIALIZER;
static Door *unowned;

static int
openevent(Door *d)
{
	int fd = task_sys.eventopen();

	if(fd < 0)
		return -1;
	d->mark = task_sys.mark(fd);
	d->fd = fd;
	return 0;
}

/*
 * A program may close the number, and another file get it: that is not to be
 * read or written.
 */
static int
isown(const Door *d)
{
	return d->fd >= 0 && task_sys.marked(d->fd) == d->mark;
}

int
task_doorrenew(Door *d)
{
	return isown(d) ? 0 : openevent(d);
}

static Door *
usedoor(void)
{
	pthread_mutex_lock(&doorlock);
	Door *d = unowned;
	if(d)
		unowned = d->next;
	pthread_mutex_unlock(&doorlock);
	return d;
}

static void
keepdoor(Door *d)
{
	pthread_mutex_lock(&doorlock);
	d->next = unowned;
	unowned = d;
	pthread_mutex_unlock(&doorlock);
}

Door *
task_dooropen(void)
{
	Door *d = usedoor();

	if(d == NULL && (d = task_sys.alloc(sizeof *d))){
		d->fd = -1;
		atomic_store(&d->inbox, &ownergone);
	}
	if(d == NULL)
		return NULL;
	if(task_doorrenew(d) < 0){
		keepdoor(d);
		return NULL;
	}
	d->rung = 1;	/* whoever knew it before may write late */
	atomic_store(&d->inbox, NULL);
	return d;
}

void
task_doorring(const Door *d)
{
	static const uint64_t one = 1;
	int err = errno;

	if(isown(d))
		task_sys.write(d->fd, &one, sizeof one);
	errno = err;
}

/*
 * The owner may end once n is in, and n with it: only d, which stays for ever,
 * is touched after that.
 */
int
task_doortell(Door *d, Note *n)
{
	Note *first = atomic_load_explicit(&d->inbox, memory_order_relaxed);

	do{
		if(first == &ownergone)
			return task_fail(ESRCH);
		n->next = first == &ownersleeps ? NULL : first;
	}while(!atomic_compare_exchange_weak(&d->inbox, &first, n));
	if(first == &ownersleeps)
		task_doorring(d);
	return 0;
}

/* looks for a note several times, for one look at the clock. */
static int
glances(Door *d)
{
	for(int i = 0; i < 8 && !task_doorfull(d); i++)
		relax();
	return task_doorfull(d);
}

int
task_doorawait(Door *d, int64_t ns)
{
	if(task_doorsleeps(d))	/* asked already */
		return 1;
	int64_t now = task_sys.now(), until = now + (ns < SpinNs ? ns : SpinNs);
	d->since_ns = now;
	if(spins(&d->spin)){
		while(!glances(d) && task_sys.now() < until)
			;
		spun(&d->spin, task_doorfull(d));
		if(task_doorfull(d)){
			d->since_ns = 0;
			return 0;
		}
	}
	return task_doorsleep(d);
}

int
task_doorsleep(Door *d)
{
	Note *none = NULL;

	task_doorread(d);
	return atomic_compare_exchange_strong(&d->inbox, &none, &ownersleeps) ||
		none == &ownersleeps;
}

/* Only an owner that sleeps is woken: so it is read before the next sleep. */
void
task_doorread(Door *d)
{
	uint64_t count;
	int err = errno;

	if(d->rung && isown(d))
		task_sys.read(d->fd, &count, sizeof count);
	d->rung = 0;
	errno = err;
}

/* calls the notes, the oldest first; returns how many there were. */
static int
callnotes(Note *newest, void *owner)
{
	Note *list = NULL, *next;
	int n = 0;

	for(; newest; newest = next){
		next = newest->next;
		newest->next = list;
		list = newest;
	}
	for(; list; list = next, n++){
		next = list->next;
		list->fn(list, owner);
	}
	return n;
}

int
task_dooranswer(Door *d, void *owner)
{
	if(!task_doorfull(d))
		return 0;
	Note *newest = atomic_exchange(&d->inbox, NULL);
	if(newest == &ownersleeps)
		return 0;
	if(d->since_ns)
		came(&d->spin, d->since_ns);
	d->since_ns = 0;
	return callnotes(newest, owner);
}

int
task_doorsleeps(Door *d)
{
	return atomic_load(&d->inbox) == &ownersleeps;
}

void
task_doorleave(Door *d)
{
	Note *newest = atomic_exchange(&d->inbox, &ownergone);

	if(newest != &ownersleeps)
		callnotes(newest, NULL);
	keepdoor(d);
}

/* The number stays what it was, for a poller may watch it. */
void
task_doorforked(Door *d)
{
	pthread_mutex_init(&doorlock, NULL);
	unowned = NULL;
	if(d)
		atomic_store(&d->inbox, NULL);
	if(d == NULL || !isown(d))
		return;
	int fd = task_sys.eventopen();
	if(fd < 0)
		task_sys.close(d->fd);	/* it is the parent's too */
	else if(dup3(fd, d->fd, O_CLOEXEC) == d->fd){
		d->mark = task_sys.mark(d->fd);
		task_sys.close(fd);
	}
}
