/* SPDX-License-Identifier: MIT */
/* Servers: how they begin to listen, and in which procs. */
#include "server.h"
#include "ip.h"
#include "../proc/proc.h"
#include "../task/newnames.h"
#include <errno.h>
#include <limits.h>
#include <sys/socket.h>

enum { HushMs = 1000 };	/* for procs to close their sockets again */

static Serverhome *
newhome(Proc *me, Server *s)
{
	Serverhome *h = task_sys.alloc(sizeof *h);

	if(h == NULL)
		return NULL;
	h->server = s;
	h->proc = me;
	h->alone = me->alone;
	return h;
}

/*
 * begins a call: returns the caller's proc if it may call that for s, and makes
 * a home if there is none; NULL and errno.  The home stays until leaveserver,
 * for others may stop the server while the call waits.
 */
static Proc *
enterserver(Server *s)
{
	Proc *me = task_caller(s);

	if(me == NULL)
		return NULL;
	if(s->fn == NULL || s->backlog > INT_MAX / NETBACKLOG(1) ||
			s->backlog < 0){
		errno = EINVAL;
		return NULL;
	}
	task_serverforked(me, s);
	if(s->home && (s->home->proc != me || s->home->stopping)){
		errno = s->home->proc != me ? EPERM : EBUSY;
		return NULL;
	}
	if(s->home == NULL){
		s->home = newhome(me, s);
		s->stopping = 0;
	}
	if(s->home == NULL)
		return NULL;
	s->home->nleft++;
	return me;
}

/* ends a call of those that enter: a home that nothing is in goes. */
static int
leaveserver(Serverhome *h, int r)
{
	if(h->nleft == 1 && !h->stopping){
		h->server->home = NULL;
		h->forsaken = 1;
	}
	task_serverless(h);
	return r;
}

/* Where a socket listens: its port, 0: none; and IpTextBytes of text. */
static int
addressof(int fd, char *text)
{
	union
	{
		struct sockaddr sa;
		struct sockaddr_storage any;
	} at = {.any = {0}};
	socklen_t n = sizeof at;
	int port = 0;

	if(task_sys.sockname(fd, &at.sa, &n) == 0 &&
			(at.sa.sa_family == AF_INET || at.sa.sa_family ==
			AF_INET6))
		task_iptext(&at.sa, text, &port);
	return port;
}

static int
addlistener(Proc *me, Serverhome *h, int fd, int shares)
{
	if(h->stopping || (shares && h->apart))
		return task_fail(h->stopping ? EBUSY : EALREADY);
	char text[IpTextBytes];
	int port = addressof(fd, text);
	Listener *l = task_serveraccept(me, h, fd, port);
	if(l == NULL)
		return -1;
	l->shares = shares;
	listadd(&h->listeners, l, prev, next);
	h->port = port;
	h->nleft++;
	return 0;
}

static int
listenerof(int fd)
{
	int listens;

	if(task_sys.getopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens) < 0)
		return -1;
	if(!listens)
		return task_fail(EINVAL);
	return fdnoblock(fd);
}

int
serverlisten(Server *s, int fd)
{
	Proc *me = enterserver(s);

	if(me == NULL)
		return -1;
	Serverhome *h = s->home;
	int r = listenerof(fd);
	return leaveserver(h, r < 0 ? -1 : addlistener(me, h, fd, 0));
}

static int
announce(const Server *s, const char *addr, int port)
{
	return netannounce(TCP | (s->backlog ? NETBACKLOG(s->backlog) : 0) |
		(s->reuseport ? NETSHARED : 0), addr, port);
}

int
serverstart(Server *s, const char *addr, int port)
{
	Proc *me = enterserver(s);

	if(me == NULL)
		return -1;
	Serverhome *h = s->home;
	int shares = s->reuseport;
	int fd = h->apart ? task_fail(EALREADY) : announce(s, addr, port);
	if(fd < 0 || addlistener(me, h, fd, shares) == 0)
		return leaveserver(h, fd < 0 ? -1 : 0);
	int err = *me->err;
	task_fdclose(fd);
	leaveserver(h, -1);
	return task_fail(err);
}

int
serverport(const Server *s)
{
	if(s == NULL || s->home == NULL)
		return task_fail(EINVAL);
	return s->home->port;
}

int
serverlive(const Server *s)
{
	return s && s->home ? s->home->nlive : 0;
}

/* Listeners of the parts' own */

typedef struct Share
{
	Serverpart *part;
	int port;
	char text[IpTextBytes];
} Share;

/* In the part's proc: listens where another does. */
static int
listenhere(void *v)
{
	const Share *x = v;
	Serverpart *p = x->part;
	Proc *me = task_proc;

	if(p->stopping || p->keeper == NULL)
		return task_fail(EBUSY);
	int fd = announce(p->server, x->text, x->port);
	if(fd < 0)
		return -1;
	Listener *l = task_serveraccept(me, p->home, fd, x->port);
	if(l == NULL){
		task_fdclose(fd);
		return task_fail(ENOMEM);
	}
	l->at = l->taker = p;
	listadd(&p->listeners, l, prev, next);
	p->nlisteners++;
	p->nlive++;
	return 0;
}

static void
hushtold(Note *n, void *owner)
{
	Serverpart *p = structof(Serverpart, hush, n);

	atomic_store(&p->hushing, 0);
	if(owner)
		task_serverhush(owner, &p->listeners);
}

static int
hushed(void *v)
{
	Serverpart *p = v;
	Errand e = {.what = "serverspread"};
	int r = 0;

	while(r == 0 && p->listeners.head)
		r = task_park(WaitErrand, (Object){&e}, &p->acceptors, NULL,
			-1);
	return r;
}

/*
 * What has come to those that have begun is served.  They hear of it in any
 * case, by a note, and mostly have closed their sockets when this returns.
 */
static void
hushall(Proc *me, Serverpart **to, int n)
{
	task_shield(me, HushMs);
	for(int i = 0; i < n; i++){
		Serverpart *p = to[i];
		p->hush.fn = hushtold;
		if(p->proc && atomic_exchange(&p->hushing, 1) == 0)
			task_membertell(p->proc, &p->hush);
		if(p->proc)
			task_proccall(p->proc, hushed, p, NULL);
	}
	task_unshield(me);
}

static int
nshared(const Serverhome *h)
{
	int n = 0;

	for(const Listener *l = h->listeners.head; l; l = l->next)
		n += l->shares;
	return n;
}

/* The addresses that are shared; NULL with ENOMEM.  They may end meanwhile. */
static Share *
addresses(const Serverhome *h)
{
	Share *x = task_sys.alloc((size_t)nshared(h) * sizeof *x), *to = x;

	for(const Listener *l = h->listeners.head; x && l; l = l->next)
		if(l->shares){
			to->port = addressof(l->fd, to->text);
			to++;
		}
	return x;
}

/* has p accept at n addresses; its own proc does already. */
static int
sharewith(Serverpart *p, Share *x, int n)
{
	int r = 0;

	for(int i = 0; p->proc && i < n && r == 0; i++){
		x[i].part = p;
		r = task_proccall(p->proc, listenhere, &x[i], NULL);
	}
	return r;
}

/* sets how many connections each may take: its part of max, rounded up. */
static void
dividemax(const Server *s, Serverpart **to, int n)
{
	for(int i = 0; i < n; i++)
		to[i]->most = 0;
	for(int i = 0; i < n && s->max > 0; i++)
		to[i]->most += (s->max - 1) / n + 1;
}

/* has all of them accept, each once; -1 if some do not. */
static int
shareamong(Serverhome *h, Serverpart **to, int n)
{
	int r = 0, naddress = nshared(h), j;
	Share *x = addresses(h);

	if(x == NULL)
		return -1;
	dividemax(h->server, to, n);
	for(int i = 0; i < n && r == 0; i++){
		for(j = 0; to[j] != to[i]; j++)
			;
		if(j == i)
			r = sharewith(to[i], x, naddress);
	}
	int err = errno;
	task_sys.free(x);
	return r == 0 ? 0 : task_fail(err);
}

/* The home keeps what it takes if it is among them. */
static int
shareall(Proc *me, Serverhome *h, Serverpart **to, int n)
{
	Serverpart *own = NULL;

	h->apart = 1;
	if(shareamong(h, to, n) < 0){
		int err = *me->err;
		h->apart = 0;
		hushall(me, to, n);
		return task_fail(err);
	}
	for(int i = 0; i < n; i++)
		if(to[i]->proc == 0)
			own = to[i];
	for(Listener *l = h->listeners.head; l; l = l->next)
		if(l->shares)
			l->taker = own;
	return 0;
}

static int
findparts(Proc *me, Serverhome *h, const int *procs, int n, Serverpart **to)
{
	if(task_door(me) == NULL)
		return -1;
	h->number = me->member->number;
	for(int i = 0; i < n; i++){
		int own = procs[i] == h->number;
		to[i] = task_serverneedpart(h, own ? 0 : procs[i]);
		if(to[i] == NULL)
			return -1;
	}
	return 0;
}

static int
spread(Proc *me, Serverhome *h, const int *procs, int n)
{
	Serverpart **to = task_sys.alloc((size_t)n * sizeof(Serverpart *));

	if(to == NULL)
		return -1;
	if(findparts(me, h, procs, n, to) < 0 ||
			(nshared(h) > 0 && shareall(me, h, to, n) < 0)){
		int err = *me->err;
		task_sys.free(to);
		return task_fail(err);
	}
	task_sys.free(h->to);
	h->to = to;
	h->nto = n;
	return 0;
}

int
serverspread(Server *s, const int *procs, int n)
{
	Proc *me = enterserver(s);

	if(me == NULL)
		return -1;
	Serverhome *h = s->home;
	if(procs == NULL || n < 1 || (s->reuseport && nshared(h) == 0))
		return leaveserver(h, task_fail(EINVAL));
	return leaveserver(h, h->apart ? task_fail(EALREADY) :
		spread(me, h, procs, n));
}
