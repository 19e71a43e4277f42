/* SPDX-License-Identifier: MIT */
/* Traces of all procs: begun, kept until the end, and written into files. */
#include "elsewhere.h"
#include "trace.h"
#include "../fd/fd.h"
#include "../proc/members.h"
#include "../task/newnames.h"
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What TASKTRACE asks for lasts until the program ends. */
static struct
{
	pthread_mutex_t lock;
	size_t bytes;	/* that each proc records; 0: none does */
	Traced *kept;	/* of procs that have ended, for the file */
	int fd;	/* of TASKTRACE's file, or -1 */
	pid_t pid;	/* whose file that is */
} traces = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

enum { DefaultBytes = 16 << 20 };

typedef struct Head
{
	char magic[8];
	uint32_t pid;
	uint32_t nproc;
	uint64_t wall_ns;
	uint32_t nwhy;
	uint32_t nstring;
	uint64_t nevent;
	char zero[24];
} Head;

/* Bytes for a file, gathered: it grows as malloc allows. */
typedef struct Out
{
	char *bytes;
	size_t n;
	size_t room;
	int failed;
} Out;

static void
append(Out *o, const void *v, size_t n)
{
	if(o->n + n > o->room){
		size_t room = 2 * o->room > o->n + n ? 2 * o->room : o->n + n;
		char *bytes = o->failed ? NULL :
			task_sys.resize(o->bytes, room);
		if(bytes == NULL){
			o->failed = 1;
			return;
		}
		o->bytes = bytes;
		o->room = room;
	}
	memcpy(o->bytes + o->n, v, n);
	o->n += n;
}

static void
appendstring(Out *o, const char *s)
{
	uint16_t n = (uint16_t)strlen(s);

	append(o, &n, sizeof n);
	append(o, s, n);
	if(n % 2)
		append(o, "", 1);
}

/* Strings of a proc are numbered behind those of the procs before. */
static void
appendproc(Out *o, const Traced *t, int64_t zero, uint32_t base)
{
	uint32_t head[2] = {(uint32_t)t->proc, 0};
	uint64_t rest[2] = {(uint64_t)(t->start_ns - zero), t->n};

	append(o, head, sizeof head);
	append(o, rest, sizeof rest);
	for(size_t i = 0; i < t->n; i++){
		Traceevent e = t->events[i];
		if(e.kind >= TraceName && e.kind <= TraceBegin && e.low)
			e.low += base;
		append(o, &e, sizeof e);
	}
}

static int64_t
wallclock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * (int64_t)Second + ts.tv_nsec;
}

static Out
fileof(const Traced *first)
{
	Head h = {.magic = "TASKTT\0\1", .pid = (uint32_t)getpid(),
		.nwhy = WaitCount};
	int64_t zero = INT64_MAX;
	uint32_t base = WaitCount;
	Out o = {.room = 0};

	for(const Traced *t = first; t; t = t->next){
		zero = t->start_ns < zero ? t->start_ns : zero;
		h.nproc++;
		h.nstring += t->strings.n;
		h.nevent += t->n;
	}
	h.nstring += WaitCount;
	h.wall_ns = (uint64_t)(wallclock() - task_sys.now() + zero);
	append(&o, &h, sizeof h);
	for(int why = 0; why < WaitCount; why++)
		appendstring(&o, task_whyname(why));
	for(const Traced *t = first; t; t = t->next)
		for(uint32_t i = 0; i < t->strings.n; i++)
			appendstring(&o, t->strings.text + t->strings.at[i]);
	for(const Traced *t = first; t; t = t->next){
		appendproc(&o, t, zero, base);
		base += t->strings.n;
	}
	return o;
}

/* A proc that ends while its trace is to be in the file leaves it here. */
void
task_tracekeep(Proc *p)
{
	pthread_mutex_lock(&traces.lock);
	Traced *t = traces.fd >= 0 ? task_traced(p) : NULL;
	if(t){
		t->next = traces.kept;
		traces.kept = t;
	}
	pthread_mutex_unlock(&traces.lock);
}

/* the lock is held. */
static void
writefile(void)
{
	Out o = fileof(traces.kept);
	size_t done = 0;
	ssize_t r = 1;

	while(!o.failed && done < o.n && (r = write(traces.fd, o.bytes + done,
			o.n - done)) > 0)
		done += (size_t)r;
	if(o.failed || r <= 0)
		fprintf(stderr, "TASKTRACE: the file is not whole: %s\n",
			o.failed ? "no memory" : strerror(errno));
	close(traces.fd);
	traces.fd = -1;
	task_sys.free(o.bytes);
}

/* The program ends: perhaps by exit in a task, whose proc lives still. */
static void
savefile(void)
{
	if(task_proc)
		task_tracekeep(task_proc);
	pthread_mutex_lock(&traces.lock);
	if(traces.fd >= 0 && traces.pid == getpid())
		writefile();
	pthread_mutex_unlock(&traces.lock);
}

static void
fromenv(void)
{
	const char *path = getenv("TASKTRACE");
	unsigned long bytes = 0;

	if(path == NULL || *path == '\0')
		return;
	traces.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if(traces.fd < 0){
		fprintf(stderr, "TASKTRACE=%s: %s\n", path, strerror(errno));
		return;
	}
	traces.pid = getpid();
	task_envnumber("TASKTRACEBYTES", "bytes", SIZE_MAX / 4, &bytes);
	traces.bytes = bytes ? bytes : DefaultBytes;
	atexit(savefile);
}

int
task_tracingbegin(Proc *p)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, fromenv);
	pthread_mutex_lock(&traces.lock);
	size_t bytes = traces.bytes;
	pthread_mutex_unlock(&traces.lock);
	return bytes > 0 ? task_tracebegin(p, bytes) : 0;
}

void
task_tracingend(Proc *p)
{
	task_traceend(p);	/* while it still has its number */
}

/* The file is the parent's. */
void
task_tracingforked(Proc *p)
{
	(void)p;
	pthread_mutex_init(&traces.lock, NULL);
	if(traces.fd >= 0)
		close(traces.fd);
	traces.fd = -1;
	traces.kept = NULL;
}

static void
setbytes(size_t bytes)
{
	pthread_mutex_lock(&traces.lock);
	traces.bytes = bytes;
	pthread_mutex_unlock(&traces.lock);
}

static void *
beginhere(Proc *p, void *bytes)
{
	task_tracebegin(p, *(size_t *)bytes);
	return NULL;
}

static void *
endhere(Proc *p, void *bytes)
{
	(void)bytes;
	task_traceend(p);
	return NULL;
}

static void *
copyhere(Proc *p, void *bytes)
{
	(void)bytes;
	return task_traced(p);
}

int
task_tracestart(size_t bytes)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(bytes == 0)
		bytes = DefaultBytes;
	if(bytes > SIZE_MAX / 4)
		return task_fail(EINVAL);
	if(task_tracebegin(p, bytes) < 0)
		return -1;
	setbytes(bytes);
	for(int n = 0; (n = task_nextproc(n)) > 0; )
		if(n != p->member->number)
			task_elsewhere(n, beginhere, bytes, NULL, NULL);
	return 0;
}

int
task_tracestop(void)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	setbytes(0);
	task_traceend(p);
	for(int n = 0; (n = task_nextproc(n)) > 0; )
		if(n != p->member->number)
			task_elsewhere(n, endhere, 0, NULL, NULL);
	return 0;
}

/* What was recorded in this proc and in those that answer. */
static Traced *
gathertraces(Proc *p)
{
	Traced *first = task_traced(p);

	if(first == NULL)
		return NULL;
	for(int n = 0; (n = task_nextproc(n)) > 0; ){
		Traced *t = n == p->member->number ? NULL :
			task_elsewhere(n, copyhere, 0, task_tracedfree, NULL);
		if(t){
			t->next = first->next;
			first->next = t;
		}
	}
	return first;
}

char *
task_tracefile(Proc *p, size_t *n)
{
	if(!task_istraced(p)){
		errno = EINVAL;
		return NULL;
	}
	Traced *first = gathertraces(p);
	if(first == NULL)
		return NULL;
	Out o = fileof(first);
	for(Traced *next; first; first = next){
		next = first->next;
		task_tracedfree(first);
	}
	if(o.failed){
		task_sys.free(o.bytes);
		errno = ENOMEM;
		return NULL;
	}
	*n = o.n;
	return o.bytes;
}

int
task_tracesave(int fd)
{
	Proc *p = task_here();
	size_t n;
	int r = 0;

	char *bytes = p ? task_tracefile(p, &n) : NULL;
	if(bytes == NULL)
		return -1;
	for(size_t done = 0, part; r == 0 && done < n; done += part){
		part = n - done < INT_MAX ? n - done : INT_MAX;
		if(fdwrite(fd, bytes + done, (int)part) != (ssize_t)part)
			r = -1;
	}
	task_sys.free(bytes);
	return r;
}

int
tracestart(size_t bytes)
{
	return task_tracestart(bytes);
}

int
tracestop(void)
{
	return task_tracestop();
}

int
tracesave(int fd)
{
	return task_tracesave(fd);
}

void
tracemark(const char *fmt, ...)
{
	char text[256];
	va_list args;
	Proc *p = task_here();

	if(p == NULL || !task_istraced(p))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	task_tracetext(p, TraceMark, text);
}

void
tracebegin(const char *name)
{
	Proc *p = task_here();

	if(p)
		task_tracetext(p, TraceBegin, name);
}

void
traceend(void)
{
	Proc *p = task_here();

	if(p)
		task_tracetext(p, TraceEnd, NULL);
}
