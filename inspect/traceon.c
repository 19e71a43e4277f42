/* SPDX-License-Identifier: MIT */
/* Saves what was recorded when something is amiss. */
#include "elsewhere.h"
#include "trace.h"
#include "../proc/proc.h"
#include "../task/life.h"
#include "../task/newnames.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Each proc has a seer that compares, at each switch, how long the one who
 * stops has run, and how long the one who goes on was ready, with the limits.
 * What it finds it may not save at once, for it must not block: by a note the
 * proc makes a task that does.
 */
enum
{
	RestSeconds = 10,	/* between two files that nobody asked for */
	FilesMost = 10	/* of these */
};

static atomic_uint limits[TRACEREADY + 1];	/* ms; 0: none */

static struct
{
	pthread_mutex_t lock;
	int64_t last_ns;
	int nfound;	/* files that nobody asked for */
	int nfile;
} files = {.lock = PTHREAD_MUTEX_INITIALIZER};

typedef struct Alarm
{
	Seer seer;
	Note note;
	int told;	/* the note is on its way */
	int over;	/* it is among the seers no more: freed by the note */
	int64_t from_ns;	/* when the running task went on */
	char text[ShownBytes];
} Alarm;

/* The signal that asks for a file; one in the process. */
static struct
{
	atomic_int number;	/* of the proc that watches it; 0: none */
	Channel *c;
	Task *task;	/* that it is sent to */
	unsigned int id;	/* of that */
} bysignal;

/* Saving */

typedef struct Tracefile
{
	char path[64];
	char part[72];	/* its name until it is whole */
	char *bytes;
	size_t n;
} Tracefile;

/*
 * A process that had our number may have left files, as all do whose number is
 * 1.
 */
static int
writefile1(const Tracefile *o)
{
	struct stat st;
	ssize_t r = 1;

	if(lstat(o->path, &st) == 0)
		return task_fail(EEXIST);
	int fd = open(o->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if(fd < 0)
		return -1;
	for(size_t done = 0; r > 0 && done < o->n; done += (size_t)r)
		r = write(fd, o->bytes + done, o->n - done);
	int err = errno;
	close(fd);
	if(r > 0 && rename(o->part, o->path) == 0)
		return 0;
	err = r > 0 ? errno : err;
	unlink(o->part);
	return task_fail(err);
}

/*
 * In a thread of the pool, which frees what is not needed any more: who saves
 * is of the system, and may be given up before it hears that all is written.
 */
static int
writefreeing(void *v)
{
	Tracefile *o = v;
	int r = writefile1(o);

	if(r == 0 || errno != EEXIST){
		int err = errno;
		task_sys.free(o->bytes);
		o->bytes = NULL;
		errno = err;
	}
	return r;
}

static void
nextname(Tracefile *o)
{
	pthread_mutex_lock(&files.lock);
	snprintf(o->path, sizeof o->path, "trace.%d.%d.tt",
		(int)task_sys.pid(), ++files.nfile);
	pthread_mutex_unlock(&files.lock);
	snprintf(o->part, sizeof o->part, "%s.part", o->path);
}

/* what: why; says where it is, or why it is not. */
static void
savefor(Proc *p, const char *what)
{
	Tracefile o;
	int r = -1;

	nextname(&o);
	o.bytes = task_tracefile(p, &o.n);
	while(o.bytes && (r = task_offload(writefreeing, &o)) < 0 &&
			errno == EEXIST)
		nextname(&o);
	fprintf(stderr, "%s: %s%s%s\n", what, r == 0 ? "saved in " : o.path,
		r == 0 ? "" : ": ", r == 0 ? o.path : errno == EINVAL ?
		"nothing is recorded" : strerror(errno));
	task_sys.free(o.bytes);
}

/* The task that saves; its text is malloc's. */
static void
savefound(void *v)
{
	savefor(task_proc, v);
	free(v);
	task_quit();
}

/* The proc does not end before that: it is no task of the system's. */
static int
beginsaving(Proc *p, char *text)
{
	Task *t = task_createsystem(p, "traceon", savefound, text, 0);

	if(t == NULL)
		return -1;
	t->system = 0;
	p->nsystem--;
	return 0;
}

static void
found(Note *n, void *owner)
{
	Alarm *a = structof(Alarm, note, n);
	char *text = owner && !a->over ? strdup(a->text) : NULL;

	a->told = 0;
	if(a->over)
		task_sys.free(a);
	else if(text == NULL || beginsaving(owner, text) < 0){
		fprintf(stderr, "%s: no memory to save what was recorded\n",
			a->text);
		free(text);
	}
}

/* Finding */

static int
maysave(int64_t now)
{
	pthread_mutex_lock(&files.lock);
	int may = files.nfound < FilesMost && (files.nfound == 0 ||
		now - files.last_ns >= RestSeconds * (int64_t)Second);
	if(may){
		files.last_ns = now;
		files.nfound++;
	}
	pthread_mutex_unlock(&files.lock);
	return may;
}

__attribute__((noinline)) static void
tellfound(Alarm *a, Proc *p, const Task *t, const char *did, int64_t ns)
{
	char name[ShownBytes / 2];

	if(a->told || p->door == NULL || !task_istraced(p) ||
			!maysave(p->now()))
		return;
	snprintf(a->text, sizeof a->text, "%s %s for %lld ms",
		task_showtask(name, sizeof name, p, t), did,
		(long long)(ns / Millisecond));
	a->told = 1;
	a->note.fn = found;
	task_doortell(p->door, &a->note);
}

static int
exceeds(int what, int64_t ns)
{
	unsigned int ms = atomic_load_explicit(&limits[what],
		memory_order_relaxed);

	return ms > 0 && ns >= ms * (int64_t)Millisecond;
}

/* The fdtask waits for descriptors, and is ready for its turn only. */
static void
comparestop(Seer *s, Proc *p, Task *to, int64_t now)
{
	Alarm *a = structof(Alarm, seer, s);
	const Task *from = p->running;
	int64_t ran = now - a->from_ns, ready = now - to->wait.since_ns;

	a->from_ns = now;
	if(from != &p->fdtask && exceeds(TRACERAN, ran))
		tellfound(a, p, from, "let no other run", ran);
	else if(to != &p->fdtask && exceeds(TRACEREADY, ready))
		tellfound(a, p, to, "was ready, and others ran,", ready);
}

static void
endalarm(Proc *p)
{
	Alarm *a = structof(Alarm, seer, task_seerfind(p, comparestop));

	task_seerend(p, &a->seer);
	a->over = 1;
	if(!a->told)
		task_sys.free(a);
}

/* begins or ends looking, as the limits say; -1 with ENOMEM. */
static int
lookon(Proc *p)
{
	Seer *s = task_seerfind(p, comparestop);
	int on = atomic_load(&limits[TRACERAN]) > 0 ||
		atomic_load(&limits[TRACEREADY]) > 0;

	if(!on && s)
		endalarm(p);
	if(!on || s)
		return 0;
	Alarm *a = task_door(p) ? task_sys.alloc(sizeof *a) : NULL;
	if(a == NULL)
		return -1;
	a->seer = (Seer){.stops = comparestop, .end = endalarm};
	a->from_ns = p->now();
	task_seerbegin(p, &a->seer);
	return 0;
}

static void *
lookonhere(Proc *p, void *arg)
{
	(void)arg;
	lookon(p);
	return NULL;
}

/* By signal; the end of the channel is that of the watch. */

static void
saveasked(void *v)
{
	int sig;
	char what[64];

	while(chanrecv(v, &sig) > 0){
		snprintf(what, sizeof what, "traceon: signal %d (%s)", sig,
			strsignal(sig));
		savefor(task_proc, what);
	}
	chanfree(v);
	task_quit();
}

/* The child of taskfork has not the task. */
static void
leavedropped(Proc *p)
{
	if(atomic_load(&bysignal.number) != p->member->number ||
			task_lives(p, bysignal.task, bysignal.id))
		return;
	chanfree(bysignal.c);
	atomic_store(&bysignal.number, 0);
}

static void
endasked(Proc *p)
{
	leavedropped(p);
	if(atomic_load(&bysignal.number) != p->member->number)
		return;
	if(bysignal.task->stopped == NotYet)	/* it will not free it */
		chanfree(bysignal.c);
	task_cancel(p, bysignal.task);
	atomic_store(&bysignal.number, 0);
}

static void *
endaskedhere(Proc *p, void *arg)
{
	(void)arg;
	endasked(p);
	return NULL;
}

static int
saveby(Proc *p, int sig)
{
	leavedropped(p);
	int none = 0, number = atomic_load(&bysignal.number);
	if(sig == 0){
		if(number && number != p->member->number)
			task_elsewhere(number, endaskedhere, 0, NULL, NULL);
		endasked(p);
		return 0;
	}
	if(!atomic_compare_exchange_strong(&bysignal.number, &none,
			p->member->number))
		return task_fail(EBUSY);
	Channel *c = chancreate(sizeof(int), 1);
	bysignal.c = c;
	bysignal.task = c && task_signalwatch(sig, c) == 0 ?
		task_createsystem(p, "traceon", saveasked, c, 0) : NULL;
	if(bysignal.task){
		bysignal.id = bysignal.task->id;
		return 0;
	}
	int err = errno;
	if(c)
		chanfree(c);
	atomic_store(&bysignal.number, 0);
	return task_fail(err);
}

int
traceon(int what, unsigned int n)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(what < TRACERAN || what > TRACESIGNAL || n > INT_MAX)
		return task_fail(EINVAL);
	if(n && !task_istraced(p) && task_tracestart(0) < 0)
		return -1;
	if(what == TRACESIGNAL)
		return saveby(p, (int)n);
	atomic_store(&limits[what], n);
	if(lookon(p) < 0)
		return -1;
	for(int i = 0; (i = task_nextproc(i)) > 0; )
		if(i != p->member->number)
			task_elsewhere(i, lookonhere, 0, NULL, NULL);
	return 0;
}

int
task_traceonbegin(Proc *p)
{
	return lookon(p);
}

/* Its tasks run no more; the door is left later. */
void
task_traceonend(Proc *p)
{
	if(task_seerfind(p, comparestop))
		endalarm(p);
	if(atomic_load(&bysignal.number) != p->member->number)
		return;
	chanfree(bysignal.c);
	atomic_store(&bysignal.number, 0);
}

void
task_traceonforked(Proc *p)
{
	Seer *s = p ? task_seerfind(p, comparestop) : NULL;

	if(s)	/* the note is the parent's: the door is empty */
		structof(Alarm, seer, s)->told = 0;
	pthread_mutex_init(&files.lock, NULL);
	files.nfile = files.nfound = 0;	/* another process, other names */
	if(p == NULL || atomic_load(&bysignal.number) != p->member->number)
		atomic_store(&bysignal.number, 0);
}
