/* SPDX-License-Identifier: MIT */
/* Sockets: announce, accept, dial. */
#include "../fd/fd.h"
#include "ip.h"
#include "reserve.h"
#include "../task/life.h"
#include "../task/newnames.h"
#include "../task/show.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum
{
	/* the buffer that callers of netaccept have, since libtask */
	ServerBytes = 16,
	/* after the first accept that found no descriptor */
	BackoffMs = 10,
	BackoffMostMs = 1000,
	/* after that time connections are refused */
	RefuseMs = 5000,
	/* a process that has as many descriptors holds one in reserve */
	ManyFds = 64,
	/* sockets in a row that were connected to themselves */
	SelfMost = 8
};

/*
 * has a socket be what it is for.  Returns 0; -1 and errno; 1 if another socket
 * may do at the same address.
 */
typedef int Use(int fd, const struct addrinfo *ai, Meant *m);

/*
 * returns whether err is a shortage here, which passes when others close or
 * free something.
 */
static int
shortage(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS ||
		err == ENOMEM;
}

/*
 * returns whether err says that this machine has no address of the kind, or no
 * way there.
 */
static int
nothere(int err)
{
	return err == EAFNOSUPPORT || err == EPFNOSUPPORT ||
		err == EPROTONOSUPPORT || err == EADDRNOTAVAIL ||
		err == ENETUNREACH;
}

/*
 * closes what is meant by fd for an error that is to be kept.  If others have
 * closed it meanwhile the number is not ours any more.
 */
static int
closefailed(int fd, Meant *m)
{
	int err = errno;

	if(task_fdstill(task_proc->fds, fd, m))
		task_fdclose(fd);
	return task_fail(err);
}

static int
newsocket(const struct addrinfo *ai, Meant *m)
{
	int fd = task_sys.socket(ai->ai_family, ai->ai_socktype);

	*m = AnyFile;
	if(fd >= 0){
		task_fdforget(task_proc->fds, fd);
		task_fdstill(task_proc->fds, fd, m);
	}
	return fd;
}

/*
 * binds fd to ai.  Any IPv6 address is to stand for any IPv4 address too; older
 * kernels may refuse that.
 */
static int
bindto(int fd, const struct addrinfo *ai, Meant *m)
{
	(void)m;
	int tcp = ai->ai_socktype == SOCK_STREAM;

	if(tcp && task_sys.setopt(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
		return -1;
	if(ai->ai_family == AF_INET6)
		task_sys.setopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if(task_sys.bind(fd, ai->ai_addr, ai->ai_addrlen) < 0)
		return -1;
	return tcp ? task_sys.listen(fd, SOMAXCONN) : 0;
}

/* binds fd to any address of both families. */
static int
bindboth(int fd, const struct addrinfo *ai, Meant *m)
{
	if(task_sys.setopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) < 0)
		return shortage(errno) ? -1 : task_fail(EAFNOSUPPORT);
	return bindto(fd, ai, m);
}

/* connects, and waits until that has succeeded or failed. */
static int
connectto(int fd, const struct sockaddr *sa, socklen_t n, Meant *m)
{
	int err;

	if(task_fdconnect(fd, sa, n, m) == 0)
		return task_fdstill(task_proc->fds, fd, m) ? 0 : -1;
	if(errno != EINPROGRESS || task_fdwaiton(fd, 'w', m) < 0 ||
			task_sys.getopt(fd, SOL_SOCKET, SO_ERROR, &err) < 0)
		return -1;
	return err ? task_fail(err) : 0;
}

/*
 * returns whether fd is connected to itself; -1 and errno.  The kernel chooses
 * our port; at a port that it may choose, where nobody listens, it can be that
 * very one.
 */
static int
toitself(int fd)
{
	struct sockaddr_storage here, there;
	socklen_t nhere = sizeof here, nthere = sizeof there;

	if(task_sys.sockname(fd, (struct sockaddr *)&here, &nhere) < 0)
		return -1;
	if(task_sys.peername(fd, (struct sockaddr *)&there, &nthere) < 0)
		return errno == ENOTCONN ? 0 : -1;	/* gone again */
	int named = nhere > sizeof here.ss_family;
	return named && nhere == nthere && memcmp(&here, &there, nhere) == 0;
}

/*
 * connects fd to ai.  A socket that met itself is disconnected, for if it were
 * closed its port would be in use for another minute, and the service there
 * could not come back.
 */
static int
dialto(int fd, const struct addrinfo *ai, Meant *m)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	if(ai->ai_socktype == SOCK_DGRAM &&
			task_sys.setopt(fd, SOL_SOCKET, SO_BROADCAST, 1) < 0)
		return -1;
	if(connectto(fd, ai->ai_addr, ai->ai_addrlen, m) < 0)
		return -1;
	int self = toitself(fd);
	if(self > 0)
		task_sys.connect(fd, &none, sizeof none);
	return self;
}

/* returns a socket for ai that use has made of it; -1 and errno. */
static int
socketat(const struct addrinfo *ai, Use *use)
{
	Meant m;

	for(int i = 0; i < SelfMost; i++){
		int fd = newsocket(ai, &m);
		int r = fd < 0 ? -1 : use(fd, ai, &m);
		if(r == 0)
			return fd;
		if(fd >= 0)
			closefailed(fd, &m);
		if(r < 0)
			return -1;
	}
	return task_fail(ECONNREFUSED);
}

/*
 * returns whether after err the host's next address is to be tried.  Who
 * announces an address wants no other: some clients would find a stranger.
 */
static int
nextmay(int err, Use *use)
{
	if(use != dialto)
		return nothere(err);
	/* EINTR: the task was interrupted, not a call */
	return err != EINTR && !shortage(err) && !task_refused(task_proc);
}

/*
 * returns a socket for the first address of host, of this family, that use can
 * take; -1 and errno.  That an address is not for this machine hides no other
 * error.
 */
static int
firstaddress(int proto, const char *host, int port, int family, Use *use)
{
	struct addrinfo *list;
	int fd = -1, err = errno, failed = 0;

	if(task_here() == NULL)
		return -1;
	if(proto != TCP && proto != UDP)
		return task_fail(EINVAL);
	if(task_iplookup(host, port, family,
			proto == TCP ? SOCK_STREAM : SOCK_DGRAM, &list) < 0)
		return -1;
	for(struct addrinfo *ai = list; ai; ai = ai->ai_next){
		fd = socketat(ai, use);
		if(fd >= 0)
			break;
		if(failed == 0 || !nothere(errno))
			failed = errno;
		if(!nextmay(errno, use))
			break;
	}
	freeaddrinfo(list);
	errno = fd < 0 ? failed : err;
	return fd;
}

int
netannounce(int proto, const char *addr, int port)
{
	if(addr && strcmp(addr, "*") != 0)
		return firstaddress(proto, addr, port, AF_UNSPEC, bindto);
	int err = errno;
	int fd = firstaddress(proto, NULL, port, AF_INET6, bindboth);
	if(fd >= 0 || !nothere(errno))
		return fd;
	fd = firstaddress(proto, NULL, port, AF_INET, bindto);
	if(fd >= 0)
		errno = err;
	return fd;
}

int
netdial(int proto, const char *host, int port)
{
	if(host == NULL)
		return task_fail(EINVAL);
	return firstaddress(proto, host, port, AF_UNSPEC, dialto);
}

/*
 * returns whether err is of the connection that was to be accepted: the next
 * one may be better.
 */
static int
peerfault(int err)
{
	return err == ECONNABORTED || err == EPROTO || err == ENETDOWN ||
		err == ENOPROTOOPT || err == EHOSTDOWN || err == EHOSTUNREACH ||
		err == ENETUNREACH;
}

static const char *
remedy(int err)
{
	switch(err){
	case EMFILE:
		return "close some descriptors, or raise ulimit -n";
	case ENFILE:
		return "all programs together have too many";
	default:
		return "free some memory";
	}
}

/* says why connections wait: once, for it may go on for hours. */
static void
tellshort(int listener, int err)
{
	static atomic_flag told = ATOMIC_FLAG_INIT;
	const Task *t = task_proc->running;
	char name[ShownBytes];

	if(!atomic_flag_test_and_set(&told))
		fprintf(stderr, "task %u (%s): netaccept of descriptor %d has "
			"to wait: %s; %s\n", t->id, task_show(name,
			sizeof name, task_name(t)), listener, strerror(err),
			remedy(err));
}

/*
 * waits for a connection.  A listener that the program made may be a blocking
 * one: then accept must never come first.
 */
static int
awaitpeer(int listener, struct sockaddr_storage *peer)
{
	Meant m = AnyFile;
	unsigned int ms = BackoffMs, waited = 0;
	int flags = task_sys.getfl(listener);

	if(flags < 0)
		return -1;
	for(;;){
		if(!(flags & O_NONBLOCK) &&
				task_fdwaiton(listener, 'r', &m) < 0)
			return -1;
		socklen_t n = sizeof *peer;
		memset(peer, 0, sizeof *peer);
		int fd = task_fdaccept(listener, (struct sockaddr *)peer, &n,
			&m);
		if(fd < 0 && peerfault(errno)){
			/* such errors may come for long: let others run */
			if(task_fdwaiton(listener, 'r', &m) < 0)
				return -1;
		}else if(fd < 0 && shortage(errno)){
			tellshort(listener, errno);
			if(waited >= RefuseMs && (flags & O_NONBLOCK) &&
					task_fdstill(task_proc->fds, listener,
					&m))
				task_refuse(listener);
			waited += ms;
			if(task_fdpause(listener, ms, &m) < 0)
				return -1;
			ms = ms < BackoffMostMs / 2 ? 2 * ms : BackoffMostMs;
		}else if(!task_fdagain(listener, 'r', fd, &m))
			return fd;
	}
}

/* as netacceptaddr, with IpTextBytes in text. */
static int
acceptone(int listener, char *text, int *port)
{
	struct sockaddr_storage peer;
	int err = errno;

	if(task_here() == NULL)
		return -1;
	int fd = awaitpeer(listener, &peer);
	if(fd < 0)
		return -1;
	if(fd >= ManyFds)
		task_reserve();
	task_sys.setopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);	/* if TCP */
	task_iptext((struct sockaddr *)&peer, text, port);
	errno = err;
	return fd;
}

int
netaccept(int fd, char *server, int *port)
{
	char text[IpTextBytes];
	int theport;
	int conn = acceptone(fd, text, &theport);

	if(conn < 0)
		return -1;
	if(port)
		*port = theport;
	if(server){
		if(strlen(text) >= ServerBytes)
			memcpy(text + ServerBytes - 3, "..", 3);
		strcpy(server, text);
	}
	return conn;
}

int
netacceptaddr(int fd, char *addr, size_t size, int *port)
{
	int ignored;

	if(addr == NULL)
		return task_fail(EINVAL);
	if(size < IpTextBytes)
		return task_fail(ENOSPC);
	return acceptone(fd, addr, port ? port : &ignored);
}
