/* SPDX-License-Identifier: MIT */
/* The part of sys.c that is about clocks and timers. */
#include "machine.h"
#ifdef __linux__
#include <sys/timerfd.h>
#endif

int64_t
task_sysnow(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * (int64_t)Second + ts.tv_nsec;
}

int64_t
task_syswallnow(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * (int64_t)Second + ts.tv_nsec;
}

#ifdef __linux__
int
task_systimeropen(void)
{
	return timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

/* has fd, a timerfd, tell of ns, with the flags; ns is absolute. */
static int
settimerfd(int fd, int64_t ns, int flags)
{
	struct itimerspec when = {.it_value = {(time_t)(ns / Second),
		(long)(ns % Second)}};

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | flags, &when, NULL);
}

int
task_systimerset(int fd, int64_t ns)
{
	return settimerfd(fd, ns, 0);
}

int
task_syswallopen(void)
{
	return timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
}

/* Where the clock was set before, the timer is set and ECANCELED says that. */
int
task_syswallset(int fd, int64_t ns)
{
	int err = errno, r = settimerfd(fd, ns, TFD_TIMER_CANCEL_ON_SET);

	if(r < 0 && errno == ECANCELED){
		errno = err;
		r = 0;
	}
	return r;
}
#endif
