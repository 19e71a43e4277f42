/* SPDX-License-Identifier: MIT */
/*
 * A program without taskmain was linked without a word, for one with a main of
 * its own need not have it, and crashed at once.  Now main says so in one line
 * and returns 2.  This program has neither: a child goes on to the library's
 * main, and before it gets there itself it looks at what became of the child.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((constructor)) static void
gotomain(void)
{
	char err[4096];
	int fds[2], status = 0;
	size_t n = 0;
	ssize_t r;

	if(pipe(fds) < 0)
		_exit(77);
	if(fork() == 0){
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		return;
	}
	close(fds[1]);
	while((r = read(fds[0], err + n, sizeof err - 1 - n)) > 0)
		n += (size_t)r;
	err[n] = '\0';
	wait(&status);
	if(WIFEXITED(status) && WEXITSTATUS(status) == 2 && strcmp(err,
			"libtask: this program has no taskmain; "
			"it needs one, or a main of its own\n") == 0)
		_exit(0);
	printf("status %#x: %s\n", (unsigned)status, err);
	fflush(stdout);
	_exit(1);
}
