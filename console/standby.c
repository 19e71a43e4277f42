/* SPDX-License-Identifier: MIT */
/* The console's thread: lets clients in, and stands by for a busy proc. */
#include "console.h"
#include "../proc/members.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The thread waits for clients, and has the proc begin a session for each.  It
 * waits for their input too, which is the session's to read; only if the proc
 * has been in the same run of the same task for StuckMs since, the thread
 * claims the session and answers what it can answer from outside.  It is the
 * only one to wait for the listener: so what an open console waits for does not
 * keep a deadlock from being found.
 */
enum
{
	StuckMs = 250,
	WriteMs = 1000,	/* for an answer to be taken */
	SessionsMost = 64	/* that came by the socket */
};

static struct
{
	pthread_t thread;
	int number;	/* of the proc */
	int listener;
	int event;	/* wakes the thread; -1: there is none */
	atomic_int stop;
} by = {.event = -1};

/* Clients */

static int
isallowed(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
		(peer.uid == geteuid() || peer.uid == getuid() ||
		peer.uid == 0);
}

static void
endclient(Session *s)
{
	shutdown(s->in, SHUT_RDWR);
	task_sys.close(s->in);
	task_sessionfree(s);
}

static void
beginsession(Note *n, void *owner)
{
	Session *s = structof(Session, note, n);
	Proc *p = owner;

	if(p && task_sessionbegin(p, s) == 0)
		return;
	while(!sessionclaim(s))	/* the standby is about to answer */
		task_sys.poll(NULL, 0, &(struct timespec){0, Millisecond});
	endclient(s);
}

static int
nclients(void)
{
	int n = 0;

	task_sessionslock();
	for(const Session *s = task_sessions; s; s = s->next)
		n += s->socket;
	task_sessionsunlock();
	return n;
}

static void
refuse(int fd, const char *why)
{
	task_sys.send(fd, why, strlen(why));
	task_sys.close(fd);
}

static void
rest(void)
{
	struct pollfd pfd = {.fd = by.event, .events = POLLIN};

	task_sys.poll(&pfd, 1, &(struct timespec){0, 100 * Millisecond});
}

static void
letin(void)
{
	int fd = task_sys.accept(by.listener, NULL, NULL);
	Session *s = NULL;

	if(fd < 0){
		if(errno != EAGAIN)	/* it would be asked again at once */
			rest();
		return;
	}
	if(!isallowed(fd))
		refuse(fd, "this console is another user's\n");
	else if(nclients() >= SessionsMost)
		refuse(fd, "too many sessions\n");
	else if((s = task_session(by.number, fd, fd)) == NULL)
		refuse(fd, "no memory for a session\n");
	if(s == NULL)
		return;
	s->note.fn = beginsession;
	s->socket = 1;
	if(task_membertell(by.number, &s->note) < 0)
		endclient(s);
}

/* Standing by */

/* as far as a client takes it within a while. */
static void
sendall(Session *s, const char *text, size_t n)
{
	int64_t until = task_sys.now() + WriteMs * (int64_t)Millisecond;

	while(n > 0 && !atomic_load(&by.stop)){
		ssize_t r = task_sys.send(s->out, text, n);
		if(r > 0){
			text += r;
			n -= (size_t)r;
			continue;
		}
		if(errno != EAGAIN || task_sys.now() > until)
			break;
		struct pollfd pfd = {.fd = s->out, .events = POLLOUT};
		task_sys.poll(&pfd, 1, &(struct timespec){0,
			50 * Millisecond});
	}
	if(n > 0)
		atomic_store(&s->broken, 1);
}

static const Silent *
lookfrom(int number)
{
	static Silent silent;	/* this thread's only */

	silent.number = number;
	task_lookatsilent(&silent);
	return &silent;
}

/* puts what a line asks for; json: by its first word. */
static void
putoutside(FILE *f, Session *s, int argc, char **argv, int json)
{
	const Builtin *b = task_builtin(argv[0]);

	(void)argc;
	if(b && strcmp(b->name, "help") == 0)
		task_puthelp(f, json);
	else if(b && strcmp(b->name, "quit") == 0)
		atomic_store(&s->broken, 1);
	else if(b && strcmp(b->name, "bt") == 0 && !json)
		task_outsidebt(f, lookfrom(s->number));
	else if(b && strcmp(b->name, "ps") == 0){
		Rows r = {f, json, task_pscolumns, 0, 0};
		task_rowsbegin(&r);
		task_outsideps(f, lookfrom(s->number), json, 0);
		task_rowsend(&r);
	}else if(json)
		fputs("{\"error\":\"the proc computes: only help, ps, bt and "
			"quit are answered\"}\n", f);
	else
		fprintf(f, "proc %d computes: until it stops only help, ps, "
			"bt and quit are answered\n", s->number);
}

static void
answerline(Session *s, int is)
{
	char *words[WordsMost + 1], *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if(f == NULL)
		return;
	int argc = is == GoodLine ? task_words(s->line, words) : -1;
	int json = argc > 0 && strcmp(words[0], "json") == 0;
	if(argc > json)
		putoutside(f, s, argc - json, words + json, json);
	else if(argc < 0)
		fprintf(f, "a line is too long, or no text\n");
	if(fclose(f) == 0)
		sendall(s, text, n);
	free(text);
}

/*
 * At the end of its input it has ended for who reads what it says, as by
 * "quit"; its task closes it, when that can run.
 */
static void
standin(Session *s)
{
	ssize_t r = task_sessionread(s);
	int is;

	while(r > 0 && !atomic_load(&s->broken) &&
			(is = task_sessionline(s)) != NoLine)
		answerline(s, is);
	if(r == 0)
		atomic_store(&s->broken, 1);
	if(atomic_load(&s->broken))
		shutdown(s->in, SHUT_RDWR);
	sessionleave(s);
}

/* returns whether the proc is in a task, and how often it has switched. */
static int
isbusy(unsigned int *nswitch)
{
	task_memberslock();
	Member *m = task_memberfind(by.number);
	int busy = m && m->proc && task_snapshotcount(m->proc, nswitch);
	task_membersunlock();
	return busy;
}

/* Those who can be read are found before the wait, and again after it. */
typedef struct Polled
{
	int n;
	struct pollfd pfd[SessionsMost + 2];
	Session *session[SessionsMost + 2];
} Polled;

enum { AtEvent, AtListener, AtSessions };

static void
findinput(Polled *w)
{
	w->pfd[AtEvent] = (struct pollfd){by.event, POLLIN, 0};
	w->pfd[AtListener] = (struct pollfd){by.listener, POLLIN, 0};
	w->n = AtSessions;
	task_sessionslock();
	for(Session *s = task_sessions; s && w->n < SessionsMost + AtSessions;
			s = s->next)
		if(s->socket && !atomic_load(&s->broken)){
			w->pfd[w->n] = (struct pollfd){s->in, POLLIN, 0};
			w->session[w->n++] = s;
		}
	task_sessionsunlock();
}

/* returns whether the i-th is a session still, and has claimed it. */
static int
claimold(const Polled *w, int i)
{
	int found = 0;

	task_sessionslock();
	for(Session *s = task_sessions; s && !found; s = s->next)
		found = s == w->session[i] && s->in == w->pfd[i].fd &&
			sessionclaim(s);
	task_sessionsunlock();
	return found;
}

/* waits for ms, -1: for ever, for what the first n of w are for. */
static int
awaitinput(Polled *w, int n, int ms)
{
	uint64_t ignored;
	struct timespec ts = {ms / 1000, ms % 1000 * (long)Millisecond};

	int r = task_sys.poll(w->pfd, (nfds_t)n, ms < 0 ? NULL : &ts);
	if(r > 0 && w->pfd[AtEvent].revents)
		task_sys.read(by.event, &ignored, sizeof ignored);
	if(r > 0 && w->pfd[AtListener].revents)
		letin();
	return r;
}

static int
anyinput(const Polled *w)
{
	int n = 0;

	for(int i = AtSessions; i < w->n; i++)
		n += w->pfd[i].revents != 0;
	return n;
}

static void *
standby(void *v)
{
	static Polled now, later;
	unsigned int before = 0, after = 0;

	(void)v;
	while(!atomic_load(&by.stop)){
		findinput(&now);
		awaitinput(&now, now.n, -1);
		if(!anyinput(&now))
			continue;
		int busy = isbusy(&before);
		findinput(&later);
		awaitinput(&later, AtSessions, StuckMs);
		if(!busy || !isbusy(&after) || before != after)
			continue;
		for(int i = AtSessions; i < now.n; i++)
			if(now.pfd[i].revents && claimold(&now, i))
				standin(now.session[i]);
	}
	return NULL;
}

int
task_standbybegin(int number, int listener)
{
	sigset_t none, before;

	by.number = number;
	by.listener = listener;
	atomic_store(&by.stop, 0);
	by.event = task_sys.eventopen();
	if(by.event < 0)
		return -1;
	sigfillset(&none);
	pthread_sigmask(SIG_SETMASK, &none, &before);
	int err = pthread_create(&by.thread, NULL, standby, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if(err == 0)
		return 0;
	task_sys.close(by.event);
	by.event = -1;
	return task_fail(err);
}

void
task_standbyend(void)
{
	uint64_t one = 1;

	atomic_store(&by.stop, 1);
	task_sys.write(by.event, &one, sizeof one);
	pthread_join(by.thread, NULL);
	task_sys.close(by.event);
	by.event = -1;
}

void
task_standbyforked(void)
{
	if(by.event >= 0)
		task_sys.close(by.event);
	by.event = -1;
}
