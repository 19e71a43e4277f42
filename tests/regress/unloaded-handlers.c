/* SPDX-License-Identifier: MIT */
/*
 * A plugin that brings libtask.so runs tasks and is unloaded: the handlers of
 * SIGPIPE, SIGQUIT, SIGSEGV and SIGBUS then led to where nothing is mapped any
 * more.  Now the library stays when it is unloaded, for who has been there may
 * be asked to be called again, and the handlers are taken back before that.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char path[4096];

static void
first(void *v)
{
	(void)v;
}

/* The program goes on without the plugin: as if it had never been there. */
static int
unload(int sig)
{
	int fds[2];
	void *h = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if(h == NULL){
		puts(dlerror());
		return 77;
	}
	signal(sig, SIG_DFL);
	int (*run)(void (*)(void *), void *);
	*(void **)&run = dlsym(h, "taskrun");
	if(run(first, NULL) != 0 || dlclose(h) != 0)
		return 2;
	if(dlopen(path, RTLD_NOW | RTLD_NOLOAD) == NULL){
		puts("it has been unloaded");
		return 3;
	}
	if(sig != SIGPIPE)
		raise(sig);
	else if(pipe(fds) == 0 && close(fds[0]) == 0 && write(fds[1], "", 1))
		return 4;
	return 5;
}

int
main(void)
{
	static const int sigs[] = {SIGPIPE, SIGQUIT, SIGBUS, SIGABRT};
	const char *o = getenv("O");

	snprintf(path, sizeof path, "./%s/libtask.so", o ? o : "build/cc-asm");
	for(size_t i = 0; i < sizeof sigs / sizeof sigs[0]; i++){
		int status, sig = sigs[i];
		pid_t pid = fork();

		if(pid == 0)
			_exit(unload(sig));
		waitpid(pid, &status, 0);
		if(WIFEXITED(status) && WEXITSTATUS(status) == 77)
			return 77;
		if(!WIFSIGNALED(status) || WTERMSIG(status) != sig){
			printf("signal %d: status %#x\n", sig,
				(unsigned)status);
			return 1;
		}
	}
	return 0;
}
