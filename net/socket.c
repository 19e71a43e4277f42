/* SPDX-License-Identifier: MIT */
/* Sockets on their way to be of use. */
#include "socket.h"
#include "../task.h"
#include <errno.h>

enum { UseMost = 8 };	/* sockets in a row that were of no use */

int
task_netfailed(int fd, Meant *m)
{
	int err = errno;

	if(task_fdstill(task_proc->fds, fd, m))
		task_fdclose(fd);
	return task_fail(err);
}

int
task_netsocket(const Address *a, Meant *m)
{
	int fd = task_sys.socket(a->at.sa.sa_family, a->type);

	*m = AnyFile;
	if(fd >= 0){
		task_fdforget(task_proc->fds, fd);
		task_fdstill(task_proc->fds, fd, m);
	}
	return fd;
}

int
task_netuse(const Address *a, Use *use)
{
	Meant m;

	for(int i = 0; i < UseMost; i++){
		int fd = task_netsocket(a, &m);
		int r = fd < 0 ? -1 : use(fd, a, &m);
		if(r == 0)
			return fd;
		if(fd >= 0)
			task_netfailed(fd, &m);
		if(r < 0)
			return -1;
	}
	return task_fail(ECONNREFUSED);
}

int
task_nethost(const char *what, int proto, const char *host, int port,
	int family, Addresses *found)
{
	const Question q = {host, port, family,
		proto == TCP ? SOCK_STREAM : SOCK_DGRAM};

	if(task_here() == NULL)
		return -1;
	if(proto != TCP && proto != UDP)
		return task_fail(EINVAL);
	return task_lookup(what, &q, found);
}
