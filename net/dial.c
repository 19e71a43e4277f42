/* SPDX-License-Identifier: MIT */
/* Dialling: one address, or several in a race. */
#include "unix.h"
#include "../task/life.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

enum { RacersMost = 8 };	/* addresses that are tried at a time */

unsigned int task_headstart_ms = 250;

/* connects, and waits until that has succeeded or failed. */
static int
connectto(int fd, const Address *a, Meant *m)
{
	int err;

	if(task_fdconnect(fd, &a->at.sa, a->n, m) == 0)
		return task_fdstill(task_proc->fds, fd, m) ? 0 : -1;
	if(errno != EINPROGRESS || task_fdwaiton(fd, 'w', m) < 0 ||
			task_sys.getopt(fd, SOL_SOCKET, SO_ERROR, &err) < 0)
		return -1;
	return err ? task_fail(err) : 0;
}

/*
 * returns whether fd is connected to itself; -1 and errno.  The kernel chooses
 * our port; at a port that it may choose, where nobody listens, it can be that
 * very one.  Such a socket is disconnected, for if it were closed its port
 * would be in use for another minute, and the service there could not come
 * back.
 */
static int
toitself(int fd)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	struct sockaddr_storage here, there;
	socklen_t nhere = sizeof here, nthere = sizeof there;

	if(task_sys.sockname(fd, (struct sockaddr *)&here, &nhere) < 0)
		return -1;
	if(task_sys.peername(fd, (struct sockaddr *)&there, &nthere) < 0)
		return errno == ENOTCONN ? 0 : -1;	/* gone again */
	if(nhere <= sizeof here.ss_family || nhere != nthere ||
			memcmp(&here, &there, nhere) != 0)
		return 0;
	task_sys.connect(fd, &none, sizeof none);
	return 1;
}

/* has fd send to broadcast addresses too, or, if it is TCP's, at once. */
static int
sending(int fd, const Address *a)
{
	if(a->type == SOCK_DGRAM)
		return task_sys.setopt(fd, SOL_SOCKET, SO_BROADCAST, 1);
	task_sys.setopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return 0;
}

/* connects fd to a. */
static int
dialto(int fd, const Address *a, Meant *m)
{
	if(sending(fd, a) < 0 || connectto(fd, a, m) < 0)
		return -1;
	return toitself(fd);
}

/*
 * Addresses that are tried one after the other would have a dead one be waited
 * for as long as the system does.  So the next one gets its chance after a head
 * start, or when one has failed; who is connected first wins (RFC 8305).
 */
typedef struct Racer
{
	const Address *a;
	int fd;
	Meant m;
} Racer;

typedef struct Race
{
	const Address *waiting[IpMost];	/* not tried yet: families in turn */
	int nwaiting;
	int next;	/* of them */
	int due;	/* the next may begin */
	int failed;	/* errno, or 0; that tells most */
	Racer racers[RacersMost];
	int n;
} Race;

/* notes the errno of one; no others are tried if these would fail too. */
static int
lost(Race *r)
{
	int err = errno;

	if(r->failed == 0 || !task_netnothere(err))
		r->failed = err;
	/* EINTR: the task was interrupted, not a call */
	if(err == EINTR || task_netshort(err) || task_refused(task_proc))
		r->next = r->nwaiting;
	r->due = 1;
	return -1;
}

/* puts the addresses in order: the first, and then one of each family. */
static void
lineup(Race *r, const Addresses *found)
{
	int taken[IpMost] = {0}, family = found->v[0].at.sa.sa_family;

	for(r->nwaiting = 0; r->nwaiting < found->n; r->nwaiting++){
		int pick = -1;
		for(int i = found->n - 1; i >= 0; i--){
			int fits = found->v[i].at.sa.sa_family == family;
			int better = pick < 0 || fits ||
				found->v[pick].at.sa.sa_family != family;
			if(!taken[i] && better)
				pick = i;
		}
		taken[pick] = 1;
		r->waiting[r->nwaiting] = &found->v[pick];
		family = found->v[pick].at.sa.sa_family == AF_INET ? AF_INET6 :
			AF_INET;
	}
}

/* x is connected: returns its socket, or -1. */
static int
arrived(Race *r, Racer x)
{
	int self = toitself(x.fd);

	if(self == 0)
		return x.fd;
	task_netfailed(x.fd, &x.m);
	if(self < 0)
		return lost(r);
	int fd = task_netuse(x.a, dialto);	/* it is near: no race for it */
	return fd < 0 ? lost(r) : fd;
}

/* begins with the next address; returns its socket if it is connected. */
static int
beginracer(Race *r)
{
	Racer x = {.a = r->waiting[r->next++]};

	x.fd = task_netsocket(x.a, &x.m);
	if(x.fd < 0)
		return lost(r);
	int failed = sending(x.fd, x.a) < 0 ||
		task_sys.connect(x.fd, &x.a->at.sa, x.a->n) < 0;
	if(!failed)
		return arrived(r, x);
	if(errno != EINPROGRESS){
		task_netfailed(x.fd, &x.m);
		return lost(r);
	}
	r->racers[r->n++] = x;
	r->due = 0;
	return -1;
}

/* racer i knows how it went: returns its socket if it is connected. */
static int
endracer(Race *r, int i)
{
	Racer x = r->racers[i];
	int err;

	r->n--;
	memmove(&r->racers[i], &r->racers[i + 1],
		(size_t)(r->n - i) * sizeof x);
	if(!task_fdstill(task_proc->fds, x.fd, &x.m) ||
			task_sys.getopt(x.fd, SOL_SOCKET, SO_ERROR, &err) < 0)
		err = errno;
	if(err == 0)
		return arrived(r, x);
	errno = err;
	task_netfailed(x.fd, &x.m);
	return lost(r);
}

static void
endall(Race *r)
{
	while(r->n > 0){
		r->n--;
		task_netfailed(r->racers[r->n].fd, &r->racers[r->n].m);
	}
	r->next = r->nwaiting;
}

/* waits for one of them; returns its socket if it is connected. */
__attribute__((noinline)) static int
awaitracer(Race *r)
{
	Alt alts[RacersMost + 2];
	int n = r->n, more = r->next < r->nwaiting && n < RacersMost;

	for(int i = 0; i < n; i++)
		alts[i] = (Alt){.op = ALTWRITE, .fd = r->racers[i].fd};
	alts[n] = (Alt){.op = more ? ALTDELAY : CHANNOP,
		.ms = task_headstart_ms};
	alts[n + 1] = (Alt){.op = CHANEND};
	int i = chanalt(alts);
	if(i >= 0 && i < n)
		return endracer(r, i);
	if(i < 0){
		lost(r);
		endall(r);
	}
	r->due = 1;
	return -1;
}

/* Its frame and its caller's are large, so they are not to be one. */
__attribute__((noinline)) static int
race(const Addresses *found)
{
	Race r = {.due = 1};
	int fd = -1;

	lineup(&r, found);
	while(fd < 0 && (r.next < r.nwaiting || r.n > 0))
		fd = r.due && r.next < r.nwaiting && r.n < RacersMost ?
			beginracer(&r) : awaitracer(&r);
	endall(&r);
	return fd < 0 ? task_fail(r.failed) : fd;
}

int
netdial(int proto, const char *host, int port)
{
	Addresses found;
	int err = errno;

	if(host == NULL)
		return task_fail(EINVAL);
	if(proto == UNIX || proto == UNIXGRAM)
		return task_here() == NULL ? -1 : task_unixdial(proto == UNIX ?
			SOCK_STREAM : SOCK_DGRAM, host);
	if(task_nethost("netdial", proto, host, port, AF_UNSPEC, &found) < 0)
		return -1;
	int fd = found.n == 1 ? task_netuse(&found.v[0], dialto) :
		race(&found);
	if(fd >= 0)
		errno = err;
	return fd;
}
