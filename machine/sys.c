/* SPDX-License-Identifier: MIT */
/* Every system call the library makes, as one table. */
#include "machine.h"
#include "tell.h"
#include <errno.h>
#include <fcntl.h>
#ifdef TASK_URING
#include <liburing.h>
#endif
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#ifdef __linux__
#include <sys/epoll.h>
#include <sys/eventfd.h>
#endif
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The rule for EINTR: a signal is not an answer.  A call that a signal cut
 * short is made again; poll says that nothing is ready, for its caller has
 * deadlines to look at; close has closed; connect goes on by itself, as after
 * EINPROGRESS.
 */
#define RETRY(r, call) do (r) = (call); while((r) < 0 && errno == EINTR)

/*
 * TSan puts a signal off until the thread calls libc, unless it is waiting
 * there.  It sees none of the waits here, so with it none is long.
 */
void *__tsan_create_fiber(unsigned int flags) __attribute__((weak));

static void
shorten(struct timespec *timeout)
{
	if(__tsan_create_fiber && timeout && (timeout->tv_sec > 0 ||
			timeout->tv_nsec > 100 * Millisecond))
		*timeout = (struct timespec){0, 100 * Millisecond};
}

#if defined(__linux__) && defined(__LP64__)
/*
 * makes the system call itself: libc's ppoll copies the timeout first, and what
 * a signal handler writes into it after that would be lost.
 */
static int
syspoll(struct pollfd *fds, nfds_t nfds, struct timespec *timeout)
{
	shorten(timeout);
	int n = (int)syscall(SYS_ppoll, fds, nfds, timeout, NULL, (size_t)8);

	return n < 0 && errno == EINTR ? 0 : n;
}
#else
/* The timeout is rounded up: one that is too short would make a busy loop. */
static int
syspoll(struct pollfd *fds, nfds_t nfds, struct timespec *timeout)
{
	shorten(timeout);
	int64_t ms = timeout->tv_sec * (int64_t)1000 +
		(timeout->tv_nsec + Millisecond - 1) / Millisecond;
	int n = poll(fds, nfds, ms > 1000000000 ? 1000000000 : (int)ms);

	return n < 0 && errno == EINTR ? 0 : n;
}
#endif

#ifdef __linux__
static int
sysepollopen(void)
{
	return epoll_create1(EPOLL_CLOEXEC);
}

static int
syseventopen(void)
{
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

/*
 * The set is a descriptor as well: syspoll waits for it, with a timeout that a
 * signal handler may zero, which epoll_wait's is not.  That epfd is no set any
 * more only epoll_wait says.
 */
static int
pollset(int epfd, struct epoll_event *e, int n, struct timespec *timeout)
{
	struct pollfd set = {.fd = epfd, .events = POLLIN};
	int r = epoll_wait(epfd, e, n, 0);

	if(r == 0 && (r = syspoll(&set, 1, timeout)) > 0)
		r = epoll_wait(epfd, e, n, 0);
	return r;
}

/*
 * makes the system call itself, for libc copies the timeout.  Linux before 5.11
 * has no epoll_pwait2, some sandboxes forbid it, some Valgrinds do not know it.
 */
static int
sysepollwait(int epfd, struct epoll_event *e, int n, struct timespec *timeout)
{
	int r;
#if defined(SYS_epoll_pwait2) && defined(__LP64__)
	static atomic_int missing;

	if(!missing && !RUNNING_ON_VALGRIND){
		shorten(timeout);
		r = (int)syscall(SYS_epoll_pwait2, epfd, e, n, timeout, NULL,
			(size_t)8);
		if(r >= 0 || (errno != ENOSYS && errno != EPERM))
			return r < 0 && errno == EINTR ? 0 : r;
		missing = 1;
	}
#endif
	r = pollset(epfd, e, n, timeout);
	return r < 0 && errno == EINTR ? 0 : r;
}
#endif

#ifdef TASK_URING
/*
 * Linux before 6.1 does not know the flags: without them each report interrupts
 * the thread.  Before 5.11 it has no timeout and may lose reports, so it is
 * refused.
 */
static int
sysuringopen(unsigned int requests, unsigned int reports, struct io_uring *ring)
{
	const unsigned int all = IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP;
	struct io_uring_params p = {
		.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER |
			IORING_SETUP_DEFER_TASKRUN,
		.cq_entries = reports};
	int r = io_uring_queue_init_params(requests, ring, &p);

	if(r == -EINVAL){
		p = (struct io_uring_params){.flags = IORING_SETUP_CQSIZE,
			.cq_entries = reports};
		r = io_uring_queue_init_params(requests, ring, &p);
	}
	if(r == 0 && (p.features & all) != all){
		io_uring_queue_exit(ring);
		r = -ENOSYS;
	}
	if(r < 0)
		errno = -r;
	return r < 0 ? -1 : 0;
}

static int
sysuringenter(struct io_uring *ring, unsigned int n, struct timespec *timeout)
{
	struct io_uring_cqe *cqe;

	shorten(timeout);
	int r = n > 0 ? io_uring_submit_and_wait_timeout(ring, &cqe, n,
		(struct __kernel_timespec *)timeout, NULL) :
		io_uring_submit(ring);

	if(r >= 0 || r == -EINTR || r == -ETIME)
		return 0;
	errno = -r;
	return -1;
}

static int
sysuringevent(struct io_uring *ring, int fd)
{
	int r = io_uring_register_eventfd(ring, fd);

	return r < 0 ? task_fail(-r) : 0;
}
#endif

static void *
sysalloc(size_t bytes)
{
	return calloc(1, bytes);
}

/*
 * maps memory, not of huge pages: with them the first touch of a stack would
 * make megabytes resident.
 */
static void *
sysmap(size_t bytes)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef MAP_NORESERVE
	flags |= MAP_NORESERVE;
#endif
	void *low = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);

	if(low == MAP_FAILED)
		return NULL;
#ifdef MADV_NOHUGEPAGE
	int err = errno;
	madvise(low, bytes, MADV_NOHUGEPAGE);	/* may be unknown */
	errno = err;
#endif
	return low;
}

static int
sysprotect(void *low, size_t bytes)
{
	return mprotect(low, bytes, PROT_NONE);
}

/*
 * installs guards by MADV_GUARD_INSTALL, from Linux 6.13 on; all ranges in one
 * call where that works, at most IOV_MAX of them.  An emulator may say yes to
 * advice that it does not know, so the kernel is asked to read from the first
 * guard: that must fail with EFAULT.
 */
static int
sysguard(struct iovec *v, int n)
{
#if defined(__linux__) && defined(SYS_process_madvise)
	enum { GuardInstall = 102, PidfdSelf = -10000 };
	size_t bytes = 0;

	for(int i = 0; i < n; i++)
		bytes += v[i].iov_len;
	if(syscall(SYS_process_madvise, PidfdSelf, v, (size_t)n, GuardInstall,
			0) != (long)bytes)
		for(int i = 0; i < n; i++)
			if(madvise(v[i].iov_base, v[i].iov_len,
					GuardInstall) < 0)
				return -1;
	return access(v[0].iov_base, F_OK) < 0 && errno == EFAULT ? 0 : -1;
#else
	(void)v, (void)n;
	return -1;
#endif
}

static int
sysgiveback(void *low, size_t bytes)
{
	return madvise(low, bytes, MADV_DONTNEED);
}

static pid_t
systid(void)
{
#ifdef __linux__
	return (pid_t)syscall(SYS_gettid);
#else
	return 0;
#endif
}

static int
sysresident(void *low, size_t bytes, unsigned char *pages)
{
	return mincore(low, bytes, (void *)pages);
}

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* Those that read and write: all alike but for the call. */
#define TRANSFER(name, arguments, call) \
	static ssize_t \
	name arguments \
	{ \
		ssize_t r; \
	\
		RETRY(r, call); \
		return r; \
	}

TRANSFER(sysread, (int fd, void *v, size_t n), read(fd, v, n))
TRANSFER(sysrecv, (int fd, void *v, size_t n), recv(fd, v, n, 0))
TRANSFER(sysrecvmsg, (int fd, struct msghdr *m), recvmsg(fd, m, MSG_DONTWAIT))
TRANSFER(syswrite, (int fd, const void *v, size_t n), write(fd, v, n))
TRANSFER(syswritev, (int fd, const struct iovec *v, int n), writev(fd, v, n))
TRANSFER(syssend, (int fd, const void *v, size_t n),
	send(fd, v, n, MSG_NOSIGNAL))
TRANSFER(syssendmsg, (int fd, const struct msghdr *m),
	sendmsg(fd, m, MSG_NOSIGNAL))

static int
sysgetfl(int fd)
{
	return fcntl(fd, F_GETFL);
}

static int
syssetfl(int fd, int flags)
{
	return fcntl(fd, F_SETFL, flags);
}

static int
sysclose(int fd)
{
	int r = close(fd);

	return r < 0 && errno == EINTR ? 0 : r;
}

#ifdef __linux__
/*
 * The mark is the signal of O_ASYNC, which is not used: the one field of an
 * open file that its owner may write and that nobody else looks at.
 */
static int
sysmark(int fd)
{
	enum { Marks = 64 };
	static atomic_uint last;
	int mark = 1 + (int)(last++ % Marks), err = errno;

	if(fcntl(fd, F_SETSIG, mark) == 0)
		return mark;
	errno = err;
	return 0;
}

static int
sysmarked(int fd)
{
	int mark = fcntl(fd, F_GETSIG);

	return mark < 0 && errno == EINVAL ? 0 : mark;
}
#endif

#ifndef SOCK_NONBLOCK
static int
prepare(int fd)
{
	if(fd >= 0 && (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
			fcntl(fd, F_SETFL, O_NONBLOCK) < 0)){
		close(fd);
		return -1;
	}
	return fd;
}
#endif

static int
syssocket(int family, int type)
{
#ifdef SOCK_NONBLOCK
	return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
	return prepare(socket(family, type, 0));
#endif
}

static int
sysaccept(int fd, struct sockaddr *sa, socklen_t *n)
{
	int r;

#ifdef SOCK_NONBLOCK
	RETRY(r, accept4(fd, sa, n, SOCK_NONBLOCK | SOCK_CLOEXEC));
	return r;
#else
	RETRY(r, accept(fd, sa, n));
	return prepare(r);
#endif
}

static int
sysconnect(int fd, const struct sockaddr *sa, socklen_t n)
{
	int r = connect(fd, sa, n);

	if(r < 0 && errno == EINTR)
		errno = EINPROGRESS;
	return r;
}

static int
sysgetopt(int fd, int level, int name, int *value)
{
	socklen_t n = sizeof *value;

	return getsockopt(fd, level, name, value, &n);
}

/* Those of linux/futex.h, which not all C libraries come with. */
enum { FutexWait = 0 | 128, FutexWake = 1 | 128 };

static void
sysawait(atomic_int *word, int value)
{
	int err = errno;

#ifdef __linux__
	syscall(SYS_futex, word, FutexWait, value, NULL);
#else
	struct timespec soon = {0, Millisecond / 10};
	if(atomic_load(word) == value)
		nanosleep(&soon, NULL);
#endif
	errno = err;
}

static void
syswake(atomic_int *word)
{
#ifdef __linux__
	int err = errno;
	syscall(SYS_futex, word, FutexWake, 1);
	errno = err;
#else
	(void)word;
#endif
}

static int
syssetopt(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value);
}

Sys task_sys = {
	.now = task_sysnow,
	.wallnow = task_syswallnow,
	.poll = syspoll,
#ifdef __linux__
	.epollopen = sysepollopen,
	.epollctl = epoll_ctl,
	.epollwait = sysepollwait,
	.eventopen = syseventopen,
	.timeropen = task_systimeropen,
	.timerset = task_systimerset,
	.wallopen = task_syswallopen,
	.wallset = task_syswallset,
#endif
#ifdef TASK_URING
	.uringopen = sysuringopen,
	.uringenter = sysuringenter,
	.uringevent = sysuringevent,
	.uringclose = io_uring_queue_exit,
#endif
	.await = sysawait,
	.wake = syswake,
	.alloc = sysalloc,
	.resize = realloc,
	.free = free,
	.map = sysmap,
	.unmap = munmap,
	.protect = sysprotect,
	.guard = sysguard,
	.giveback = sysgiveback,
	.resident = sysresident,
	.tid = systid,
	.read = sysread,
	.recv = sysrecv,
	.write = syswrite,
	.send = syssend,
	.writev = syswritev,
	.sendmsg = syssendmsg,
	.recvmsg = sysrecvmsg,
	.getfl = sysgetfl,
	.setfl = syssetfl,
	.close = sysclose,
	.fileid = task_fileid,
	.pread = task_pread,
	.sendfile = task_sendfile,
#ifdef __linux__
	.mark = sysmark,
	.marked = sysmarked,
#endif
	.pid = getpid,
	.fork = fork,
	.socket = syssocket,
	.bind = bind,
	.listen = listen,
	.accept = sysaccept,
	.connect = sysconnect,
	.shutdown = shutdown,
	.sockname = getsockname,
	.peername = getpeername,
	.getopt = sysgetopt,
	.setopt = syssetopt,
};
