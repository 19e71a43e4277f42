/* SPDX-License-Identifier: MIT */
/*
 * libtask's SIGQUIT handler walks and prints the list of tasks, which
 * taskcreate may be moving by realloc at that moment.  Ours sets a flag and
 * leaves the printing to the fdtask; only a second signal makes it walk, and
 * then a list that is whole at each of its stores.  The storm here hits
 * taskcreate and taskexit over and over.
 */
#include "../test.h"
#include <fcntl.h>
#include <sys/time.h>

static volatile sig_atomic_t nsignals;

/* Where a list takes longer than to the next signal nothing else would run. */
static void
quit(int sig)
{
	(void)sig;
	if(++nsignals == 100)
		setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	raise(SIGQUIT);
	raise(SIGQUIT);
}

static void
nap(void *v)
{
	for(intptr_t n = (intptr_t)v; n > 0; n--)
		taskyield();
	taskname("napped %d times", (int)(intptr_t)v);
}

TASK_TEST_BY(a_storm_of_SIGQUIT_harms_nobody,
	struct sigaction sa = {.sa_handler = quit, .sa_flags = SA_RESTART};

	dup2(open("/dev/null", O_WRONLY), 2);
	sigaction(SIGALRM, &sa, NULL);
	run(body))
{
	struct itimerval often = {{0, 300}, {0, 300}};
	unsigned int n = 0;

	setitimer(ITIMER_REAL, &often, NULL);
	while(nsignals < 100){
		int id = taskcreate(nap, (void *)(intptr_t)(n++ % 4), 0);
		if(id < 0)
			ck_abort_msg("taskcreate: errno %d", errno);
		if(n % 20 == 0)
			taskyield();
	}
}

TEST_MAIN("list-in-handler", a_storm_of_SIGQUIT_harms_nobody)
