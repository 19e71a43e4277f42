/* SPDX-License-Identifier: MIT */
/* Sockets: announce, accept. */
#include "reserve.h"
#include "unix.h"
#include "../task/life.h"
#include "../task/newnames.h"
#include "../task/show.h"
#include <errno.h>
#include <fcntl.h>
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
	ManyFds = 64
};

/*
 * binds fd to a.  Any IPv6 address is to stand for any IPv4 address too; older
 * kernels may refuse that.
 */
static int
bindto(int fd, const Address *a, Meant *m)
{
	int tcp = a->type == SOCK_STREAM;

	(void)m;
	if(tcp && task_sys.setopt(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
		return -1;
	if(a->at.sa.sa_family == AF_INET6)
		task_sys.setopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if(task_sys.bind(fd, &a->at.sa, a->n) < 0)
		return -1;
	return tcp ? task_sys.listen(fd, a->backlog) : 0;
}

/* binds fd to any address of both families. */
static int
bindboth(int fd, const Address *a, Meant *m)
{
	if(task_sys.setopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) < 0)
		return task_netshort(errno) ? -1 : task_fail(EAFNOSUPPORT);
	return bindto(fd, a, m);
}

/* The same for a socket that shares its address with others like it. */
static int
bindshared(int fd, const Address *a, Meant *m)
{
	if(task_sys.setopt(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
		return -1;
	return bindto(fd, a, m);
}

static int
bindbothshared(int fd, const Address *a, Meant *m)
{
	if(task_sys.setopt(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
		return -1;
	return bindboth(fd, a, m);
}

/* The backlog stands above the protocol and its flags. */
static int
backlogof(int proto)
{
	return proto < NETBACKLOG(1) ? SOMAXCONN : proto / NETBACKLOG(1);
}

/*
 * returns a socket for the first address of host, of this family, that is for
 * this machine; -1 and errno, which tells most.  If another has it, some
 * clients would find a stranger at the next.
 */
static int
announceat(int proto, const char *host, int port, int family, Use *use)
{

	Addresses found;
	int fd = -1, err = errno, failed = 0;

	if(task_nethost("netannounce", proto < 0 ? proto :
			proto % NETBACKLOG(1), host, port, family, &found) < 0)
		return -1;
	for(int i = 0; i < found.n && fd < 0; i++){
		found.v[i].backlog = backlogof(proto);
		fd = task_netuse(&found.v[i], use);
		if(fd < 0 && (failed == 0 || !task_netnothere(errno)))
			failed = errno;
		if(fd < 0 && !task_netnothere(errno))
			break;
	}
	errno = fd < 0 ? failed : err;
	return fd;
}

static int
announceip(int proto, const char *addr, int port)
{
	int shares = proto >= 0 && (proto & NETSHARED) != 0;
	Use *use = shares ? bindshared : bindto;

	if(shares)
		proto &= ~NETSHARED;
	if(addr && strcmp(addr, "*") != 0)
		return announceat(proto, addr, port, AF_UNSPEC, use);
	int err = errno;
	int fd = announceat(proto, NULL, port, AF_INET6,
		shares ? bindbothshared : bindboth);
	if(fd >= 0 || !task_netnothere(errno))
		return fd;
	fd = announceat(proto, NULL, port, AF_INET, use);
	if(fd >= 0)
		errno = err;
	return fd;
}

int
netannounce(int proto, const char *addr, int port)
{
	int kind = proto < 0 ? proto : proto % NETBACKLOG(1);

	if(kind != UNIX && kind != UNIXGRAM)
		return announceip(proto, addr, port);
	if(task_here() == NULL)
		return -1;
	return task_unixannounce(kind == UNIX ? SOCK_STREAM : SOCK_DGRAM, addr,
		backlogof(proto));
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
	char name[ShownBytes];

	if(!atomic_flag_test_and_set(&told))
		fprintf(stderr, "%s: netaccept of descriptor %d has to wait: "
			"%s; %s\n", task_showtask(name, sizeof name,
			task_proc, task_proc->running), listener,
			strerror(err), remedy(err));
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
		}else if(fd < 0 && task_netshort(errno)){
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

/* as netacceptaddr, with IpTextBytes in text, or NULL. */
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
	if(text)
		task_iptext((struct sockaddr *)&peer, text, port);
	errno = err;
	return fd;
}

int
netaccept(int fd, char *server, int *port)
{
	char text[IpTextBytes];
	int theport;
	int conn = acceptone(fd, server || port ? text : NULL, &theport);

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
