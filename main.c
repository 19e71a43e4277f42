/* SPDX-License-Identifier: MIT */
/* main, for programs that have taskmain in its place. */
#include "taskimpl.h"
#include <errno.h>
#include <stdio.h>

/*
 * taskmain is weak: a program with a main of its own, linked with libtask.so,
 * does not define it.
 */
void taskmain(int argc, char **argv) __attribute__((weak));

typedef struct Args
{
	int argc;
	char **argv;
} Args;

static void
callmain(void *v)
{
	Args *a = v;

	taskname("taskmain");
	taskmain(a->argc, a->argv);
}

__attribute__((visibility("default"))) int
main(int argc, char **argv)
{
	Args a = {argc, argv};

	if(taskmain == NULL){
		fputs("libtask: this program has no taskmain; it needs "
			"one, or a main of its own\n", stderr);
		return 2;
	}
	errno = 0;
	int status = task_run(callmain, &a);
	if(status >= 0 || errno == 0)	/* taskexit(-1) is no error */
		return status;
	if(errno != EDEADLK)	/* a deadlock has been reported already */
		perror("libtask: taskmain could not be run");
	return 1;
}
