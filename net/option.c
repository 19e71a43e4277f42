/* SPDX-License-Identifier: MIT */
/* Options of sockets, by one name on all systems. */
#include "socket.h"
#include "../task.h"
#include "../task/newnames.h"
#include <errno.h>
#include <netinet/tcp.h>

enum { Probes = 3 };	/* without an answer, until a peer is given up */

/* value: seconds without a byte until the peer is asked; 0: it is not. */
static int
keepalive(int fd, int s)
{
	if(task_sys.setopt(fd, SOL_SOCKET, SO_KEEPALIVE, s > 0) < 0 || s == 0)
		return s == 0 ? 0 : -1;
	if(task_sys.setopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, s) < 0 ||
			task_sys.setopt(fd, IPPROTO_TCP, TCP_KEEPCNT,
			Probes) < 0)
		return -1;
	return task_sys.setopt(fd, IPPROTO_TCP, TCP_KEEPINTVL,
		s < 3 * Probes ? 1 : s / Probes);
}

int
netoption(int fd, int option, int value)
{
	static const struct { int level, name; } of[] = {
		[NETNODELAY] = {IPPROTO_TCP, TCP_NODELAY},
		[NETSENDBUF] = {SOL_SOCKET, SO_SNDBUF},
		[NETRECVBUF] = {SOL_SOCKET, SO_RCVBUF},
		[NETBROADCAST] = {SOL_SOCKET, SO_BROADCAST},
		[NETUNACKED] = {IPPROTO_TCP, TCP_USER_TIMEOUT},
		[NETDEFER] = {IPPROTO_TCP, TCP_DEFER_ACCEPT},
	};
	int err = errno;

	if(option < NETKEEPALIVE || option > NETDEFER || value < 0)
		return task_fail(EINVAL);
	int r = option == NETKEEPALIVE ? keepalive(fd, value) :
		task_sys.setopt(fd, of[option].level, of[option].name, value);
	if(r == 0)
		errno = err;
	return r;
}
