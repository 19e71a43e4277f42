/* SPDX-License-Identifier: MIT */
/* UNIX sockets: announce, dial. */
#include "unix.h"
#include "../task.h"
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum
{
	UnixHead = offsetof(struct sockaddr_un, sun_path),
	LockMs = 100
};

/* An abstract name has no final 0: all of its bytes count. */
int
task_unixaddress(const char *path, Unixaddress *a)
{
	size_t n = path ? strlen(path) : 0;

	if(n == 0)
		return task_fail(EINVAL);
	if(n >= sizeof a->at.sun_path)
		return task_fail(ENAMETOOLONG);
	*a = (Unixaddress){.at = {.sun_family = AF_UNIX}};
	memcpy(a->at.sun_path, path, n);
	a->n = (socklen_t)(UnixHead + n);
	if(*path == '@')
		a->at.sun_path[0] = '\0';
	else
		a->n++;
	return 0;
}

void
task_unixtext(const Unixaddress *a, char *text)
{
	size_t n = a->n > UnixHead ? a->n - UnixHead : 0;

	memcpy(text, a->at.sun_path, n);
	text[n] = '\0';
	if(n > 0 && *text == '\0')
		*text = '@';
}

/* returns whether somebody has the address. */
static int
answers(int type, const Unixaddress *a)
{
	int fd = task_sys.socket(AF_UNIX, type);
	int live = fd < 0 || task_sys.connect(fd,
		(const struct sockaddr *)&a->at, a->n) == 0 ||
		errno != ECONNREFUSED;

	if(fd >= 0)
		task_sys.close(fd);
	return live;
}

static int
bindthere(int fd, int type, const Unixaddress *a)
{
	const struct sockaddr *sa = (const struct sockaddr *)&a->at;
	const char *path = a->at.sun_path;
	struct stat st;

	if(task_sys.bind(fd, sa, a->n) == 0)
		return 0;
	if(errno != EADDRINUSE || *path == '\0' || lstat(path, &st) < 0)
		return -1;
	if(!S_ISSOCK(st.st_mode) || answers(type, a))
		return task_fail(EADDRINUSE);
	return unlink(path) < 0 ? -1 : task_sys.bind(fd, sa, a->n);
}

/*
 * opens the directory of path and locks it; -1: without, if that cannot be, or
 * somebody keeps the lock.
 */
static int
lockdirectory(const char *path)
{
	char dir[sizeof ((Unixaddress *)0)->at.sun_path] = ".";
	size_t n = (size_t)(strrchr(path, '/') - path);

	memcpy(dir, path, n > 0 ? n : 1);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for(int ms = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0; ms++){
		if(errno != EWOULDBLOCK || ms == LockMs)
			break;
		task_sys.poll(NULL, 0, &(struct timespec){0, Millisecond});
	}
	return fd;
}

static int
listenthere(int fd, int type, const Unixaddress *a, int backlog)
{
	if(bindthere(fd, type, a) < 0)
		return -1;
	if(type != SOCK_STREAM || task_sys.listen(fd, backlog) == 0)
		return 0;
	int err = errno;
	if(*a->at.sun_path)
		unlink(a->at.sun_path);
	return task_fail(err);
}

/*
 * Between bind and listen an address looks like one whose owner has died, so
 * others that announce there have to wait.
 */
int
task_unixlisten(int fd, int type, const Unixaddress *a, int backlog)
{
	int lock = strchr(a->at.sun_path, '/') ?
		lockdirectory(a->at.sun_path) : -1;
	int r = listenthere(fd, type, a, backlog), err = errno;

	if(lock >= 0)
		task_sys.close(lock);
	return r < 0 ? task_fail(err) : 0;
}

/* returns a socket of the kind; -1 and errno. */
static int
unixsocket(int type, Meant *m)
{
	return task_netsocket(&(Address){.type = type,
		.at.sa.sa_family = AF_UNIX}, m);
}

int
task_unixannounce(int type, const char *path, int backlog)
{
	Unixaddress a;
	Meant m;
	int err = errno;

	if(task_unixaddress(path, &a) < 0)
		return -1;
	int fd = unixsocket(type, &m);
	if(fd < 0)
		return -1;
	if(task_unixlisten(fd, type, &a, backlog) < 0)
		return task_netfailed(fd, &m);
	errno = err;
	return fd;
}

/*
 * A listener whose backlog is full is no error, and no event tells when there
 * is room: it is asked again.
 */
int
task_unixdial(int type, const char *path)
{
	Unixaddress a;
	Meant m;
	int err = errno;

	if(task_unixaddress(path, &a) < 0)
		return -1;
	int fd = unixsocket(type, &m);
	if(fd < 0)
		return -1;
	for(unsigned int ms = 1; task_sys.connect(fd,
			(const struct sockaddr *)&a.at, a.n) < 0; ){
		if(errno != EAGAIN || task_fdpause(fd, ms, &m) < 0)
			return task_netfailed(fd, &m);
		ms = ms < BusyMostMs ? 2 * ms : ms;
	}
	errno = err;
	return fd;
}
