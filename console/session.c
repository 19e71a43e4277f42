/* SPDX-License-Identifier: MIT */
/* Sessions: what they read and write. */
#include "console.h"
#include "../fd/fd.h"
#include "../proc/members.h"
#include "../proc/proc.h"
#include "../task/newnames.h"
#include "../task/show.h"
#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A session is served by a task, which waits for a line, does it, and waits
 * again.  An answer is put together without waiting, so that it tells of one
 * moment, and written then; meanwhile others run.  What a session needs is the
 * memory of one answer.
 */
Session *task_sessions;
static pthread_mutex_t sessionslock = PTHREAD_MUTEX_INITIALIZER;

int64_t task_stall_ns = 60 * (int64_t)Second;

void
task_sessionslock(void)
{
	pthread_mutex_lock(&sessionslock);
}

void
task_sessionsunlock(void)
{
	pthread_mutex_unlock(&sessionslock);
}

void
task_sessionslockforked(void)
{
	pthread_mutex_init(&sessionslock, NULL);
}

Session *
task_session(int number, int in, int out)
{
	Session *s = task_sys.alloc(sizeof *s);

	if(s == NULL)
		return NULL;
	s->number = number;
	s->in = in;
	s->out = out;
	s->users = 1;
	task_sessionslock();
	s->next = task_sessions;
	task_sessions = s;
	task_sessionsunlock();
	return s;
}

void
task_sessionfree(Session *s)
{
	Session **at = &task_sessions;

	task_sessionslock();
	while(*at != s)
		at = &(*at)->next;
	*at = s->next;
	task_sessionsunlock();
	task_sys.free(s);
}

/* The socket has no other end: what waits for it or goes on with it fails. */
void
task_deadend(int fd)
{
	task_sys.close(fd);
	int none = task_sys.socket(AF_UNIX, SOCK_STREAM);
	if(none >= 0 && none != fd){
		dup3(none, fd, O_CLOEXEC);
		task_sys.close(none);
	}
}

/* Reading */

static int
isstrange(const char *s, size_t n)
{
	for(size_t i = 0; i < n; i++)
		if(iscntrl((unsigned char)s[i]) && s[i] != '\t')
			return 1;
	return 0;
}

/* A line may end as in telnet. */
int
task_sessionline(Session *s)
{
	char *end = memchr(s->buf, '\n', s->n);

	if(end == NULL){
		if(s->n == sizeof s->buf){
			s->skipping = 1;
			s->n = 0;
		}
		return NoLine;
	}
	size_t n = (size_t)(end - s->buf), used = n + 1;
	if(n > 0 && s->buf[n - 1] == '\r')
		n--;
	memcpy(s->line, s->buf, n);
	s->line[n] = '\0';
	s->n -= used;
	memmove(s->buf, s->buf + used, s->n);
	int toolong = s->skipping;
	s->skipping = 0;
	if(toolong)
		return LongLine;
	return isstrange(s->line, n) ? StrangeLine : GoodLine;
}

ssize_t
task_sessionread(Session *s)
{
	ssize_t r = task_sys.read(s->in, s->buf + s->n, sizeof s->buf - s->n);

	if(r > 0)
		s->n += (size_t)r;
	return r;
}

int
task_words(char *line, char *words[WordsMost + 1])
{
	int n = 0;
	char *rest, *word = strtok_r(line, " \t", &rest);

	for(; word; word = strtok_r(NULL, " \t", &rest)){
		if(n == WordsMost)
			return -1;
		words[n++] = word;
	}
	words[n] = NULL;
	return n;
}

/* As ids are shown: one without a proc is of the first. */
int
task_conid(FILE *f, const Proc *p, const char *s, int *proc, int *id)
{
	char text[32], shown[64], *dot;
	unsigned long i = 0, n = (unsigned long)(p->number ?
		task_memberfirst() : p->member->number);

	snprintf(text, sizeof text, "%s", s);
	dot = strchr(text, '.');
	if(dot)
		*dot = '\0';
	int good = strlen(s) < sizeof text &&
		(dot == NULL || task_isnumber(text, INT_MAX, &n)) &&
		task_isnumber(dot ? dot + 1 : text, INT_MAX, &i);
	*proc = (int)n;
	*id = (int)i;
	if(good)
		return 0;
	fprintf(f, "%s: no id of a task", task_show(shown, sizeof shown, s));
	return -1;
}

/* Writing */

/* Not more at once than is soon taken by one who takes anything. */
enum { PartBytes = 16384 };

int
task_sessionwrite(int fd, const char *buf, size_t n)
{
	Proc *p = task_proc;
	int err = errno;

	while(n > 0){
		Timeout stall = {0};
		task_scope(p->running, &stall, p->now() + task_stall_ns);
		ssize_t r = fdwrite(fd, buf, n < PartBytes ? n : PartBytes);
		size_t written = p->running->written;
		task_unscope(p->running, &stall);
		if(r < 0 && (written == 0 || !stall.fired))
			return -1;
		buf += written;
		n -= written;
	}
	errno = err;
	return 0;
}

int
consoleprint(int fd, const char *fmt, ...)
{
	va_list args;
	char *text;

	if(task_here() == NULL)
		return -1;
	if(fmt == NULL)
		return task_fail(EINVAL);
	va_start(args, fmt);
	int n = vasprintf(&text, fmt, args);
	va_end(args);
	if(n < 0)
		return task_fail(ENOMEM);
	int r = task_sessionwrite(fd, text, (size_t)n);
	free(text);
	return r < 0 ? -1 : n;
}

/* Whom a task prints to */

static int printkey = -1;	/* of the session that a task prints to */
static pthread_once_t keyonce = PTHREAD_ONCE_INIT;

static void *
shareprinted(void *v)
{
	((Session *)v)->users++;
	return v;
}

void
task_sessiondrop(void *v)
{
	Session *s = v;

	if(--s->users == 0)
		task_sessionfree(s);
}

static void
makekey(void)
{
	printkey = task_keyinherit(shareprinted, task_sessiondrop);
}

void
task_sessionprints(Session *s)
{
	pthread_once(&keyonce, makekey);
	s->before = printkey >= 0 ? task_local(printkey) : NULL;
	if(printkey >= 0 && task_setlocal(printkey, s) == 0)
		s->users++;
}

void
task_sessionunprints(Session *s)
{
	if(printkey < 0 || task_local(printkey) != s)
		return;
	task_setlocal(printkey, s->before);
	s->users--;
}

int
taskstdout(void)
{
	Proc *p = task_proc;
	int err = errno;
	Session *s = NULL;

	if(p && printkey >= 0 && p->running != &p->fdtask)
		s = task_local(printkey);
	if((s == NULL || s->over) && p && p->console)
		s = p->console->printed;
	errno = err;
	return s && !s->over ? s->out : 1;
}
