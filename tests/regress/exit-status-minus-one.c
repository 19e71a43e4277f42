/* SPDX-License-Identifier: MIT */
/*
 * taskexit(-1) gave exit status 1, not 255 as in libtask.
 * Cause: main took the -1 that taskrun returned for a failure.
 * Cure: only a failure sets errno, so main looks at that too.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <task.h>
#include <unistd.h>

/* Before main: a child goes on to main, and its parent looks how that ends. */
__attribute__((constructor)) static void
watch(void)
{
	int status;
	pid_t pid = fork();

	if(pid == 0)
		return;
	if(waitpid(pid, &status, 0) == pid && WIFEXITED(status)){
		printf("exit status %d\n", WEXITSTATUS(status));
		fflush(stdout);
		_exit(WEXITSTATUS(status) != 255);
	}
	_exit(1);
}

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	taskexit(-1);
}
