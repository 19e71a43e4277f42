/* SPDX-License-Identifier: MIT */
/* How a connection to PostgreSQL begins, and is rid of a command. */
#include "pqin.h"
#include <stdlib.h>
#include <sys/socket.h>

enum
{
	GraceMs = 2000,	/* for cancelling */
	AgainMs = 100	/* it is asked for again, until there is a result */
};

typedef struct Dial
{
	const char *info;
	PGconn *c;
	PostgresPollingStatusType wants;
} Dial;

/* A step of connecting, in a thread of its own. */
static int
step(void *v)
{
	Dial *d = v;

	if(d->c == NULL){
		d->c = PQconnectStart(d->info);
		d->wants = PGRES_POLLING_WRITING;
	}else
		d->wants = PQconnectPoll(d->c);
	return 0;
}

PGconn *
pqconnect(const char *conninfo)
{
	Dial d = {conninfo, NULL, PGRES_POLLING_FAILED};
	int r, err = errno;

	while((r = offload(step, &d)) == 0 && d.c && isopen(d.c) &&
			d.wants != PGRES_POLLING_OK){
		fdnoblock(PQsocket(d.c));	/* it may be another one */
		r = fdwait(PQsocket(d.c), d.wants == PGRES_POLLING_READING ?
			'r' : 'w');
		if(r < 0)
			break;
	}
	if(r == 0 && d.c && (!isopen(d.c) || PQsetnonblocking(d.c, 1) == 0)){
		errno = err;
		return d.c;
	}
	err = r < 0 ? errno : ENOMEM;
	PQfinish(d.c);
	errno = err;
	return NULL;
}

/* Cancelling */

static int
cancel(void *v)
{
	char text[256];

	return PQcancel(v, text, sizeof text) ? 0 : -1;
}

typedef struct Cancel
{
	PGcancel *k;
	int over;	/* one of the two who have it has left */
} Cancel;

/* The second frees it. */
static void
leavecancel(Cancel *x)
{
	if(x->over)
		free(x);
	else
		x->over = 1;
}

/*
 * It may last: the server is asked on a connection of its own.  So it may come
 * before the command has begun there, and is forgotten then.
 */
static void
canceller(void *v)
{
	Cancel *x = v;

	tasksystem();
	while(!x->over && !taskcancelled()){
		offload(cancel, x->k);
		if(!x->over)
			taskdelay(AgainMs);
	}
	PQfreeCancel(x->k);
	leavecancel(x);
}

/* returns the task, and in *x what it shares with the caller; -1. */
static int
begincancel(PGconn *c, Cancel **x)
{
	*x = calloc(1, sizeof **x);
	if(*x)
		(*x)->k = PQgetCancel(c);
	int id = *x && (*x)->k ? taskcreate(canceller, *x, 0) : -1;
	if(id < 0 && *x)
		PQfreeCancel((*x)->k);
	if(id < 0)
		free(*x);
	return id;
}

static void
endcancel(int id, Cancel *x)
{
	leavecancel(x);
	taskinterrupt(id);
}

/* drops all results; returns whether there are no more. */
static int
drop(PGconn *c)
{
	PGresult *r;
	int copying = 0;

	while(!copying && (r = pqresult(c)) != NULL){
		copying = copies(r);
		PQclear(r);
	}
	return !copying && errno == ENODATA;
}

/*
 * A cancel that came late would be for the next command.  So it is waited for,
 * too, and if that takes too long there is no next one.
 */
int
pqcancel(PGconn *c)
{
	int err = errno, done = 0;
	Cancel *x;
	Timeout t;

	if(taskid() == 0){
		errno = EPERM;
		return -1;
	}
	int id = begincancel(c, &x), over = 0;
	taskshield(GraceMs);
	TIMEOUT(&t, GraceMs)
		if(id >= 0 && drop(c)){
			over = 1;
			endcancel(id, x);
			done = taskwait(id, NULL) == 0 || errno == ESRCH;
		}
	if(id >= 0 && !over)
		endcancel(id, x);
	taskunshield();
	errno = err;
	if(done)
		return 0;
	shutdown(PQsocket(c), SHUT_RDWR);
	while(isopen(c) && PQconsumeInput(c))
		;	/* until it has seen that */
	errno = ENOTCONN;
	return -1;
}

