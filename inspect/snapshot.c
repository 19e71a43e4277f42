/* SPDX-License-Identifier: MIT */
/* Interrupts a thread to copy what it is doing, and nothing else. */
#include "snapshot.h"
#include "../machine/signal.h"
#include "../proc/members.h"
#include "../task/show.h"
#include <pthread.h>
#include <string.h>

/*
 * The signal is SIGURG, which does nothing by default and which hardly any
 * program handles; one that does is handed it on.  The handler may have
 * interrupted anything: the middle of a switch, malloc, another handler.  So it
 * copies registers and memory of the stack that it finds the thread on, takes
 * no lock, allocates nothing and walks nothing; whoever asked does that with
 * the copy.
 */

/*
 * Only who moves it from Wanted may write into the snapshot or give it up.
 * Late: it was given up, and the signal is still to come.
 */
enum { Idle, Wanted, Filling, Done, Late };

static struct
{
	pthread_mutex_t lock;
	atomic_int state;
	pthread_t thread;	/* that is asked */
	Seentask *tasks;	/* room for so many, of who asks */
	int room;
	Snapshot s;
} shot = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void interrupted(int sig, siginfo_t *info, void *ucontext);

static Arranged urgent[] = {
	{.sig = SIGURG, .fn = interrupted, .chains = 1, .takes = 1},
};

/* Sanitizers have what a frame may read of another's in order: not here. */
__attribute__((no_sanitize("address", "thread"))) static void
copystack(char *to, uintptr_t from, size_t n)
{
	const volatile uintptr_t *word = (const uintptr_t *)from;

	for(size_t i = 0; i < n / sizeof *word; i++)
		((volatile uintptr_t *)(void *)to)[i] = word[i];
}

/*
 * The list can be walked forward at any time, even where a task is being put in
 * or taken out.  What a wait is for may be half written, so why is all that is
 * looked at.
 */
static int
copytasks(Seentask *tasks, int room, const Proc *p)
{
	int n = 0;

	for(const Task *t = p->all.head; t && n < room; t = t->younger){
		Seentask *to = &tasks[n++];
		to->id = t->id;
		to->system = t->system;
		to->waits = t->wait.number != 0 && t != p->running;
		to->why = t->wait.why;
		to->since_ns = t->wait.since_ns;
		to->entry = t->entry;
		const char *name = task_name(t);
		size_t i = 0;
		for(; i < SnapshotName - 1 && name[i]; i++)
			to->name[i] = name[i];
		to->name[i] = '\0';
	}
	return n;
}

/* On a stack that is not the running task's there is nothing to be copied. */
static void
fill(Snapshot *s, const Proc *p, const void *ucontext)
{
	const Task *t = p->running;
	const Stack *stack = t->stack;

	s->number = p->number;
	s->nswitch = p->nswitch;
	s->ntask = p->ntask;
	s->since_ns = p->turn_ns > p->look_ns ? p->turn_ns : p->look_ns;
	s->nseen = copytasks(shot.tasks, shot.room, p);
	s->id = t->id;
	s->busy = t->busy;
	s->entry = t->entry;
	s->made = t->made;
	s->creator = t->creator;
	task_show(s->name, sizeof s->name, task_name(t));
	s->low = s->high = 0;
	if(task_signalregisters(ucontext, &s->r) < 0 || stack == NULL)
		return;
	uintptr_t sp = s->r.r[SpColumn] & ~(uintptr_t)15;
	if(sp < (uintptr_t)stack->low || sp >= (uintptr_t)stack->top)
		return;
	size_t n = (uintptr_t)stack->top - sp;
	n = n < SnapshotBytes ? n : SnapshotBytes;
	copystack(s->copy, sp, n);
	s->low = sp;
	s->high = sp + n;
}

static int
handles(const struct sigaction *sa)
{
	return (sa->sa_flags & SA_SIGINFO) ||
		(sa->sa_handler != SIG_DFL && sa->sa_handler != SIG_IGN);
}

static void
interrupted(int sig, siginfo_t *info, void *ucontext)
{
	int err = errno, wanted = Wanted, late = Late;
	int state = atomic_load(&shot.state);
	int mine = (state == Wanted || state == Late) &&
		pthread_equal(shot.thread, pthread_self()) && task_proc;

	(void)sig;
	if(mine && atomic_compare_exchange_strong(&shot.state, &wanted,
			Filling)){
		fill(&shot.s, task_proc, ucontext);
		atomic_store(&shot.state, Done);
	}else if(mine && atomic_compare_exchange_strong(&shot.state, &late,
			Idle))
		;
	else if(handles(&urgent[0].old))
		task_passon(&urgent[0], info, ucontext);
	errno = err;
}

/* The proc's thread does not end while its member has it. */
static int
interrupt(int number)
{
	task_memberslock();
	Member *m = task_memberfind(number);
	int found = m && m->proc;
	if(found){
		shot.thread = m->proc->thread;
		atomic_store(&shot.state, Wanted);
		pthread_kill(shot.thread, SIGURG);
	}
	task_membersunlock();
	return found ? 0 : task_fail(ESRCH);
}

enum { AnswerMs = 100 };

const Snapshot *
task_snapshot(int number, Seentask *tasks, int room)
{
	int wanted = Wanted;

	pthread_mutex_lock(&shot.lock);
	shot.tasks = tasks;
	shot.room = room;
	if(interrupt(number) < 0){
		pthread_mutex_unlock(&shot.lock);
		return NULL;
	}
	for(int ms = 0; ms < AnswerMs && atomic_load(&shot.state) != Done; ms++)
		task_sys.poll(NULL, 0, &(struct timespec){0, Millisecond});
	if(atomic_compare_exchange_strong(&shot.state, &wanted, Late)){
		pthread_mutex_unlock(&shot.lock);
		errno = ETIMEDOUT;
		return NULL;
	}
	while(atomic_load(&shot.state) != Done)	/* it is at it */
		task_sys.poll(NULL, 0, &(struct timespec){0, Millisecond});
	return &shot.s;
}

void
task_snapshotend(void)
{
	atomic_store(&shot.state, Idle);
	pthread_mutex_unlock(&shot.lock);
}

/*
 * The proc writes these as it likes: what is read is one of their values.  One
 * that has not begun yet runs nobody.
 */
__attribute__((no_sanitize("thread"))) int
task_snapshotcount(const Proc *p, unsigned int *nswitch)
{
	const Task *t = *(Task *const volatile *)&p->running;

	*nswitch = *(const volatile unsigned int *)&p->nswitch;
	return t && t != &p->fdtask;
}

void
task_snapshotarrange(int on)
{
	if(on)
		task_arrange(urgent, 1);
	else
		task_unarrange(urgent, 1);
}

void
task_snapshotforked(int on)
{
	pthread_mutex_init(&shot.lock, NULL);
	atomic_store(&shot.state, Idle);
	task_arrangeforked(urgent, 1, on);
}

int
task_snapshotstack(const Snapshot *s, void **pc, int n)
{
	if(s->low == s->high){
		pc[0] = (void *)s->r.r[PcColumn];
		return n > 0;
	}
	return task_unwind(&s->r, s->low, s->high,
		(ptrdiff_t)((uintptr_t)s->copy - s->low), pc, n);
}
