/* SPDX-License-Identifier: MIT */
/* Datagrams, each with the address that it goes to or comes from. */
#include "unix.h"
#include "../task.h"
#include "../task/newnames.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

/* Any address that a datagram may have. */
typedef union Peer
{
	struct sockaddr sa;
	struct sockaddr_in6 v6;
	Unixaddress local;
	struct sockaddr_storage any;
} Peer;

/* A socket for both families knows IPv4 addresses as mapped ones. */
static void
mapfor(int fd, Address *a)
{
	int family;

	if(a->at.sa.sa_family != AF_INET || task_sys.getopt(fd, SOL_SOCKET,
			SO_DOMAIN, &family) < 0 || family != AF_INET6)
		return;
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
		.sin6_port = a->at.v4.sin_port};
	v6.sin6_addr.s6_addr[10] = v6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(v6.sin6_addr.s6_addr + 12, &a->at.v4.sin_addr, 4);
	a->at.v6 = v6;
	a->n = sizeof v6;
}

/* Numbers only: a name would have to be asked for, again for each datagram. */
static int
ipaddress(int fd, const char *addr, int port, Address *a)
{
	Addresses found;
	const Question q = {addr, port, AF_UNSPEC, SOCK_DGRAM};

	a->at.v4 = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port)};
	a->n = sizeof a->at.v4;
	if(port < 0 || port > 65535)
		return task_fail(EINVAL);
	if(inet_pton(AF_INET, addr, &a->at.v4.sin_addr) != 1){
		int r = task_ipnumber(&q, &found);
		if(r)
			return r < 0 ? -1 : task_fail(EINVAL);
		*a = found.v[0];
	}
	mapfor(fd, a);
	return 0;
}

static int
peeraddress(int fd, const char *addr, int port, struct msghdr *msg, Peer *to)
{
	Address a;

	if(*addr == '/' || *addr == '@'){
		if(task_unixaddress(addr, &to->local) < 0)
			return -1;
		msg->msg_name = &to->local.at;
		msg->msg_namelen = to->local.n;
		return 0;
	}
	if(ipaddress(fd, addr, port, &a) < 0)
		return -1;
	memcpy(&to->any, &a.at, a.n);
	msg->msg_name = &to->any;
	msg->msg_namelen = a.n;
	return 0;
}

/*
 * returns whether a sendmsg that returned r is to be made again.  Of a receiver
 * on this machine that is full the poller does not tell: it is asked again.
 */
static int
sendagain(int fd, const struct msghdr *msg, ssize_t r, unsigned int *ms,
	Meant *m)
{
	const struct sockaddr *sa = msg->msg_name;

	if(r >= 0 || errno != EAGAIN || sa == NULL || sa->sa_family != AF_UNIX)
		return task_fdagain(fd, 'w', r, m);
	if(task_fdpause(fd, *ms, m) < 0)
		return 0;
	*ms = *ms < BusyMostMs ? 2 * *ms : BusyMostMs;
	return 1;
}

ssize_t
netsendto(int fd, const void *buf, size_t n, const char *addr, int port)
{
	Meant m = AnyFile;
	Peer to;
	struct iovec v = {(void *)buf, n};
	struct msghdr msg = {.msg_iov = &v, .msg_iovlen = 1};
	unsigned int ms = 1;
	ssize_t r;

	if(task_here() == NULL)
		return -1;
	int err = errno;
	if(addr && peeraddress(fd, addr, port, &msg, &to) < 0)
		return -1;
	do
		r = task_sys.sendmsg(fd, &msg);
	while(sendagain(fd, &msg, r, &ms, &m));
	if(r >= 0)
		errno = err;
	return r;
}

/* puts where a datagram came from. */
static void
tellpeer(const struct msghdr *msg, const Peer *from, char *addr, int *port)
{
	Unixaddress local = {.n = msg->msg_namelen};

	*addr = '\0';
	*port = 0;
	if(msg->msg_namelen < sizeof from->sa.sa_family)
		return;
	if(from->sa.sa_family != AF_UNIX){
		task_iptext(&from->sa, addr, port);
		return;
	}
	memcpy(&local.at, from, local.n);
	task_unixtext(&local, addr);
}

ssize_t
netrecvfrom(int fd, void *buf, size_t n, char *addr, size_t size, int *port)
{
	Meant m = AnyFile;
	Peer from;
	struct iovec v = {buf, n};
	struct msghdr msg;
	int ignored;
	ssize_t r;

	if(task_here() == NULL)
		return -1;
	if(addr && size < NETADDRSIZE)
		return task_fail(ENOSPC);
	int err = errno;
	do{
		msg = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1,
			.msg_name = &from, .msg_namelen = sizeof from};
		r = task_sys.recvmsg(fd, &msg);
	}while(task_fdagain(fd, 'r', r, &m));
	if(r < 0)
		return -1;
	if(addr)
		tellpeer(&msg, &from, addr, port ? port : &ignored);
	errno = err;
	return r;
}
