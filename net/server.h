/* SPDX-License-Identifier: MIT */
/* Servers, between their files. */
#ifndef TASK_SERVER_H
#define TASK_SERVER_H

#include "stream.h"
#include "../machine/door.h"

#pragma GCC visibility push(hidden)

typedef struct Serverhome Serverhome;
typedef struct Serverpart Serverpart;
typedef struct Connection Connection;

typedef struct Connections
{
	Connection *head;
	Connection *tail;
} Connections;

typedef struct Listener Listener;
struct Listener
{
	Listener *next;
	Listener *prev;
	Serverhome *home;
	Serverpart *at;	/* in whose proc it is; NULL: it is the home's */
	Serverpart *taker;	/* who gets what it accepts; NULL: the fewest */
	int shares;	/* its address, so other procs can have it too */
	int ending;	/* nothing is waited for there any more */
	int fd;
	Meant meant;	/* the open file that fd stood for at first */
	Task *task;	/* that accepts */
	Defer end;	/* of it */
};

typedef struct Listeners
{
	Listener *head;
	Listener *tail;
} Listeners;

/*
 * What serves a server's connections in one proc.  All but nlive and what the
 * home has there is for tasks of that proc.
 */
struct Serverpart
{
	/* these the home has made */
	Serverhome *home;
	Server *server;
	const Server *is;	/* the same, or said once that stops */
	Server said;	/* it may be gone when fn returns at last */
	Serverpart *next;	/* of the home's parts */
	int proc;	/* its number; 0: it is the home's own */
	Note quit;	/* there: the server stops; back: the part has ended */
	Note cancel;	/* there: cancel them; back: done */
	int cancelled;	/* how many that were */
	Note hush;	/* there: it is not to accept by itself after all */
	atomic_int hushing;	/* hush is on its way */

	/* connections, also those on the way here, and listeners */
	atomic_int nlive;
	Listeners listeners;	/* of its own, with Server.reuseport */
	int nlisteners;
	int most;	/* connections that it accepts; 0: any number */
	Tasklist acceptors;	/* that wait for room here */
	Defer end;	/* of keeper */
	Task *keeper;	/* closes who says nothing; NULL: it has ended */
	Tasklist changed;	/* the keeper, until there is something to do */
	Connections waiting;	/* those without a task, the oldest first */
	Connections busy;
	Connections line;	/* those behind first: see connection.c */
	Connection *first;	/* in busy, its task has not begun; or NULL */
	int stopping;
	int cut;	/* its tasks were cancelled */
	int64_t until_ns;	/* then, if it stops, who waits is closed */
	char apart[64];	/* from a part of another proc, which may lie behind */
};

struct Connection
{
	Connection *next;
	Connection *prev;
	Serverpart *part;
	Stream *stream;	/* NULL until its first task has begun */
	union
	{
		Task *task;	/* while it is in busy */
		int64_t since_ns;	/* in waiting: since when, or 0 */
	};
	int fd;
	unsigned char came;	/* the task was made because something came */
	unsigned char infn;	/* fn may run: it has not returned for good */
	union
	{
		Note arrives;	/* on the way to the part's proc */
		Defer end;	/* of task */
		Fdon on;	/* while there is no task */
	};
};

/*
 * A server, while it runs.  It is for the proc where it was started, but for
 * the atomics, which tasks of all its parts touch.
 */
struct Serverhome
{
	Server *server;
	const Proc *proc;
	unsigned int alone;	/* as the proc's, when this began */
	int number;	/* the proc's, if there are parts in others */
	Listeners listeners;
	int port;	/* of the listener that came last */
	Serverpart *parts;
	Serverpart **to;	/* those that connections are given to */
	int nto;
	int turn;	/* in to */
	int apart;	/* those of to have listeners of their own */
	atomic_int nlive;	/* connections of all parts */
	atomic_int full;	/* acceptors wait for room */
	atomic_int told;	/* room is on its way */
	Note room;
	Tasklist acceptors;	/* that wait for room */
	int nleft;	/* acceptors, parts, notes on their way, calls */
	Tasklist stopper;	/* in serverstop, until nothing is left */
	int stopping;
	int quitting;	/* the parts were told */
	Serverhome *past;	/* another of before a taskfork */
	int forsaken;	/* nobody waits: who ends last frees it */
};

/* connection.c */

/*
 * has the connection fd served by p, in whose proc the caller is or not; it is
 * p's from then on, and closed if that fails.
 */
void task_serve(Proc *me, Serverpart *p, int fd, int here);

/* in p's proc: p has a connection less, or a listener. */
void task_serverpartless(Serverpart *p);

/*
 * closes c as it is, which no task serves any more and which is in no list; has
 * a task close c, which waits.
 */
void task_conndrop(Proc *me, Connection *c);
void task_connclose(Proc *me, Connection *c);

/* keeper.c */

/* those that wait have so long when their server stops; tests change it */
extern unsigned int task_grace_ms;

/* begins p in the proc of the caller; -1 with ENOMEM. */
int task_serverbegin(Proc *me, Serverpart *p);

/*
 * in p's own proc, me, or where that has ended, NULL: p ends when its
 * connections have, and those that wait are closed soon.  Then task_serverended
 * is called there.
 */
void task_serverquit(Proc *me, Serverpart *p);

/* cancels the tasks of its connections; returns how many were in fn. */
int task_servercancel(Proc *me, Serverpart *p);

/* returns whether t is one of these. */
int task_serverin(const Serverpart *p, const Task *t);

/*
 * server.c: a connection of p has ended, and will be counted so; the acceptors
 * of these, in the caller's proc, end; a task begins to accept at fd, NULL with
 * ENOMEM.
 */
void task_serverroom(Serverpart *p);
void task_serverhush(Proc *me, const Listeners *these);
Listener *task_serveraccept(Proc *me, Serverhome *h, int fd, int port);

/* the part of h for a proc, or NULL; made if need be, NULL and errno. */
Serverpart *task_serverpart(const Serverhome *h, int proc);
Serverpart *task_serverneedpart(Serverhome *h, int proc);

/*
 * serverstop.c: p is to end; p is over; one thing less is left of h; h is gone,
 * and all its parts; s has no home any more if that is from before a taskfork.
 */
void task_serverquitpart(Proc *me, Serverpart *p);
void task_serverended(Serverpart *p);
void task_serverless(Serverhome *h);
void task_serverfree(Serverhome *h);
void task_serverforked(const Proc *me, Server *s);

#pragma GCC visibility pop
#endif
