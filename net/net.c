/* SPDX-License-Identifier: MIT */
/* Sockets: announce, accept, dial. */
#include "../fd/fd.h"
#include "ip.h"
#include "../task/newnames.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

enum
{
	/* the buffer that callers of netaccept have, since libtask */
	ServerBytes = 16,
	/* after the first accept that found no descriptor */
	BackoffMs = 10,
	BackoffMostMs = 1000
};

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

static int
dialto(int fd, const struct addrinfo *ai, Meant *m)
{
	if(ai->ai_socktype == SOCK_DGRAM &&
			task_sys.setopt(fd, SOL_SOCKET, SO_BROADCAST, 1) < 0)
		return -1;
	return connectto(fd, ai->ai_addr, ai->ai_addrlen, m);
}

/*
 * returns a socket for the first address of host, of this family, that use can
 * take; -1 and errno.
 */
static int
firstaddress(int proto, const char *host, int port, int family,
	int (*use)(int fd, const struct addrinfo *ai, Meant *m))
{
	struct addrinfo *list;
	Meant m;
	int fd = -1, err = errno;

	if(task_here() == NULL)
		return -1;
	if(proto != TCP && proto != UDP)
		return task_fail(EINVAL);
	if(task_iplookup(host, port, family,
			proto == TCP ? SOCK_STREAM : SOCK_DGRAM, &list) < 0)
		return -1;
	for(struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next){
		fd = newsocket(ai, &m);
		if(fd >= 0 && use(fd, ai, &m) < 0)
			fd = closefailed(fd, &m);
	}
	if(fd < 0)
		err = errno;
	freeaddrinfo(list);
	errno = err;
	return fd;
}

int
netannounce(int proto, const char *addr, int port)
{
	if(addr && strcmp(addr, "*") != 0)
		return firstaddress(proto, addr, port, AF_UNSPEC, bindto);
	int err = errno;
	int fd = firstaddress(proto, NULL, port, AF_INET6, bindto);
	if(fd >= 0)
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
 * waits for a connection.  A listener that the program made may be a blocking
 * one: then accept must never come first.
 */
static int
awaitpeer(int listener, struct sockaddr_storage *peer)
{
	Meant m = AnyFile;
	unsigned int ms = BackoffMs;
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
