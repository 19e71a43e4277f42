/* SPDX-License-Identifier: MIT */
/* Serves sessions: does what their lines say. */
#include "console.h"
#include "../fd/fd.h"
#include "../proc/proc.h"
#include "../task/newnames.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { ClaimMs = 10 };

static void
reply(Session *s, const char *text, size_t n)
{
	if(!s->broken && task_sessionwrite(s->out, text, n) < 0)
		s->broken = 1;
}

/* Doing what a line says */

static void
putproblem(FILE *f, int json, const char *text)
{
	if(json){
		fputs("{\"error\":", f);
		task_putjson(f, text);
		fputs("}\n", f);
	}else
		fprintf(f, "%s\n", text);
}

/* answers with one line, as printf would print it. */
static void TASK_PRINTF(2, 3)
problem(Session *s, const char *fmt, ...)
{
	char text[ShownBytes], *out = NULL;
	size_t n;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	FILE *f = open_memstream(&out, &n);
	if(f == NULL){
		s->broken = 1;
		return;
	}
	putproblem(f, s->json, text);
	if(fclose(f) == 0)
		reply(s, out, n);
	free(out);
}

/* What is no table is one text in JSON. */
static void
replyfor(Session *s, const Builtin *b, int r, char *text, size_t n)
{
	char *out = NULL;
	size_t nout;

	if(n > 0 && text[n - 1] == '\n' && r < 0)
		text[n - 1] = '\0';
	if(r < 0){
		problem(s, "%s", text);
		return;
	}
	if(!s->json || b->lists){
		reply(s, text, n);
		return;
	}
	FILE *f = open_memstream(&out, &nout);
	if(f){
		fputs("{\"text\":", f);
		task_putjson(f, text);
		fputs("}\n", f);
	}
	if(f && fclose(f) == 0)
		reply(s, out, nout);
	else
		problem(s, "no memory for the reply");
	free(out);
}

static void
dobuiltin(Proc *p, Session *s, const Builtin *b, int argc, char **argv)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);
	int r = 0, lost = f == NULL;

	if(f){
		r = b->fn(p, s, f, argc, argv);
		lost = ferror(f);
		lost |= fclose(f) != 0;
	}
	if(lost)
		problem(s, "no memory for the reply");
	else
		replyfor(s, b, r, text, n);
	free(text);
}

static void
doadded(Session *s, const Added *a, int argc, char **argv)
{
	if(s->json){
		problem(s, "%s: has no JSON", a->name);
		return;
	}
	int r = a->fn(s->out, argc, argv, a->arg);
	if(r == -1)
		problem(s, "%s: %s", a->name, strerror(errno));
	else if(r)
		problem(s, "%s: failed with %d", a->name, r);
}

static void
docommand(Proc *p, Session *s)
{
	char *words[WordsMost + 1], **argv = words, shown[64];
	int argc = task_words(s->line, words);

	if(argc < 0){
		problem(s, "too many words: %d at most", WordsMost);
		return;
	}
	s->json = argc > 0 && strcmp(words[0], "json") == 0;
	argc -= s->json;
	argv += s->json;
	if(argc == 0){
		if(s->json)
			problem(s, "json: of which command?");
		return;
	}
	const Builtin *b = task_builtin(argv[0]);
	const Added *a = b ? NULL : task_findadded(argv[0]);
	if(b)
		dobuiltin(p, s, b, argc, argv);
	else if(a)
		doadded(s, a, argc, argv);
	else
		problem(s, "unknown command \"%s\": try help",
			task_show(shown, sizeof shown, argv[0]));
}

static void
dolines(Proc *p, Session *s)
{
	int is;

	while(!s->over && !s->broken && (is = task_sessionline(s)) != NoLine){
		s->json = 0;
		if(is == LongLine)
			problem(s, "a line is too long: %d bytes at most",
				LineMost);
		else if(is == StrangeLine)
			problem(s, "a line is no text");
		else
			docommand(p, s);
	}
}

/* Beginning and end */

/* The standby has it for a second at most. */
static void
awaitclaim(Session *s)
{
	while(!sessionclaim(s))
		if(taskdelay(ClaimMs) < ClaimMs)
			task_sys.poll(NULL, 0, &(struct timespec){0,
				Millisecond});
}

/* waits for more, without the claim; 0 at the end; -1 and errno. */
static int
readmore(Session *s)
{
	sessionleave(s);
	int r = task_fdwait(s->in, 'r');
	int err = errno;
	awaitclaim(s);
	errno = err;
	if(r < 0)
		return -1;
	ssize_t n = task_sessionread(s);
	if(n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 1 : -1;
	return n > 0;
}

/* The first one of the proc has the way prepared on which others are seen. */
static int
attach(Proc *p, Session *s)
{
	if(p->console == NULL){
		p->console = task_sys.alloc(sizeof *p->console);
		if(p->console == NULL)
			return -1;
		task_snapshotarrange(1);
	}
	p->console->nsession++;
	s->attached = 1;
	return 0;
}

static void
detach(Proc *p, Session *s)
{
	struct Console *c = p->console;

	s->attached = 0;
	if(c->printed == s)
		c->printed = NULL;
	if(s->profiles && --c->nprofile == 0)
		task_setprofile(p, ByConsole, 0);
	if(--c->nsession > 0)
		return;
	task_breaksend(p);
	if(!c->inherited)
		task_snapshotarrange(0);
	task_sys.free(c);
	p->console = NULL;
}

/* The last line need not have an end. */
static int
servelines(Proc *p, Session *s)
{
	int r = 1;

	while(r > 0){
		dolines(p, s);
		if(s->over || s->broken)
			return 0;
		r = readmore(s);
	}
	if(r == 0 && s->n > 0 && s->n < sizeof s->buf){
		s->buf[s->n++] = '\n';
		dolines(p, s);
	}
	return r;
}

/*
 * At the end of all its lines, or of the task if a command has ended that.  Who
 * polls the descriptor wakes.
 */
static void
endserving(Defer *d)
{
	Session *s = structof(Session, end, d);
	int fd = s->in;

	s->over = 1;
	s->task = NULL;	/* whoever prints to it still may keep it longer */
	if(s->attached){
		task_sessionunprints(s);
		detach(task_proc, s);
	}
	task_sessionslock();
	if(s->socket)
		shutdown(fd, SHUT_RDWR);
	s->socket = 0;	/* the standby looks no more at it */
	task_sessionsunlock();
	if(s->owns)
		task_fdclose(fd);
	s->owns = 0;
	task_sessiondrop(s);
}

/*
 * serves s in the running task until quit, its end, or until its client does
 * not take what it is told; drops it.  Returns 0; -1 and errno.
 */
static int
servesession(Proc *p, Session *s)
{
	int r = -1, err = errno;

	s->task = p->running;
	s->taskid = s->task->id;
	task_defer(s->task, &s->end, AtCleanup, endserving);
	if(attach(p, s) == 0){
		task_sessionprints(s);
		awaitclaim(s);
		r = servelines(p, s);
	}
	err = r < 0 ? errno : err;
	task_undefer(p->running, &s->end);
	endserving(&s->end);
	errno = err;
	return r;
}

static void
serveown(void *v)
{
	servesession(task_proc, v);
	task_quit();
}

int
task_sessionbegin(Proc *p, Session *s)
{
	s->begun = 1;
	s->owns = 1;
	s->task = task_createsystem(p, "console", serveown, s, SessionStack);
	if(s->task)
		s->taskid = s->task->id;
	return s->task ? 0 : -1;
}

int
consoleserve(int in, int out)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(fdnoblock(in) < 0 || fdnoblock(out) < 0)
		return -1;
	Session *s = task_session(p->member->number, in, out);
	if(s == NULL)
		return -1;
	s->begun = 1;
	return servesession(p, s);
}

/* returns one that was begun in the proc; NULL. */
static Session *
begunin(int number)
{
	task_sessionslock();
	Session *s = task_sessions;
	while(s && !(s->number == number && s->begun))
		s = s->next;
	task_sessionsunlock();
	return s;
}

/* The tasks run no more.  Who was not begun is freed by the note. */
void
task_sessionsend(Proc *p)
{
	for(Session *s; (s = begunin(p->member->number)) != NULL; ){
		if(s->owns)
			task_sys.close(s->in);
		task_sessionfree(s);
	}
	if(p->console && !p->console->inherited)
		task_snapshotarrange(0);
	task_sys.free(p->console);
	p->console = NULL;
}

/*
 * The task of s is the parent's.  The one that went on may have been made by a
 * command of it, and print to it: then it stays until the end of the proc.
 */
static void
leavesession(Proc *p, Session *s)
{
	enum { NoOther = 2 };	/* itself and its task */

	if(s->attached)
		detach(p, s);
	if(s->owns)
		task_sys.close(s->in);
	s->owns = 0;
	s->task = NULL;
	s->over = 1;
	if(s->users <= NoOther)
		task_sessionfree(s);
}

void
task_sessionsleave(Proc *p)
{
	for(Session *s = task_sessions, *next; s; s = next){
		next = s->next;
		if(task_lives(p, s->task, s->taskid)){
			if(s->broken && s->task->wait.number)
				task_giveup(s->task, ECANCELED);
		}else if(!s->over)
			leavesession(p, s);
	}
}

void
task_sessionsforked(Proc *p)
{
	task_sessionslockforked();
	for(Session *s = task_sessions, *next; s; s = next){
		next = s->next;
		int ours = p && s->number == p->member->number && s->begun;
		if(s->socket || s->owns){
			s->broken = 1;
			if(ours)
				task_deadend(s->in);
			else
				task_sys.close(s->in);
		}
		s->socket = 0;
		sessionleave(s);
		if(!ours)
			task_sessionfree(s);
	}
	if(p && p->console)
		p->console->inherited = 1;
}
