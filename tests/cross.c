/* SPDX-License-Identifier: MIT */
/* The machine's tests without Check, built for another CPU and emulated. */
#include "../task.h"
#include "registers.h"
#include <errno.h>
#include <fenv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int checks, failures, done;

#define CHECK(what) check((what) != 0, #what, __LINE__)

static void
check(int ok, const char *what, int line)
{
	checks++;
	if(ok)
		return;
	failures++;
	printf("tests/cross.c:%d: %s\n", line, what);
}

#ifdef REGISTERS_AROUND
REGISTERS_AROUND(yield_around, taskyield);

static void
registers(void *v)
{
	uint64_t in[RegisterCount], out[RegisterCount];
	uint64_t seed = 88172645463325252 + (uintptr_t)v;
	int lost = 0;

	for(int k = 0; k < 20000; k++){
		for(int i = 0; i < RegisterCount; i++)
			in[i] = nextrandom(&seed);
		yield_around(in, out, NULL, NULL, 0);
		lost += memcmp(in, out, sizeof in) != 0;
	}
	CHECK(lost == 0);
	done++;
}
#else
static void
registers(void *v)
{
	(void)v;
	done++;
}
#endif

static void
floats(void *v)
{
	static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD,
		FE_TOWARDZERO};
	int i = (int)(intptr_t)v, lost = 0;
	volatile double three = 3, third;

	CHECK(fegetround() == FE_TONEAREST);
	fesetround(modes[i]);
	third = 1 / three;
	if(i == 1)
		feraiseexcept(FE_DIVBYZERO);
	errno = 100 + i;
	for(int k = 0; k < 100; k++){
		taskyield();
		lost += fegetround() != modes[i] || 1 / three != third ||
			errno != 100 + i;
	}
	CHECK(lost == 0);
	done++;
}

static void
frames(void *v)
{
	_Alignas(16) char local[16];
	volatile uintptr_t at = (uintptr_t)local;
	void **fp = __builtin_frame_address(0);
	char text[32];
	int n = 0;

	(void)v;
	CHECK(at % 16 == 0);
	snprintf(text, sizeof text, "%.2Lf %.2f", 1.25L, 2.5);
	CHECK(strcmp(text, "1.25 2.50") == 0);
	for(; fp && n < 100; n++)
		fp = *fp;
	CHECK(n > 0 && n < 20);
	done++;
}

static Channel *c;

static void
sender(void *v)
{
	(void)v;
	for(unsigned long i = 1; i <= 1000; i++)
		chansendul(c, i);
	done++;
}

static void
delayer(void *v)
{
	struct timespec a, b;

	(void)v;
	clock_gettime(CLOCK_MONOTONIC, &a);
	taskdelay(5);
	clock_gettime(CLOCK_MONOTONIC, &b);
	CHECK((b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec >=
		5000000);
	done++;
}

static void
first(void *v)
{
	unsigned long sum = 0;

	(void)v;
	for(intptr_t i = 0; i < 4; i++){
		taskcreate(registers, (void *)i, 0);
		taskcreate(floats, (void *)i, 0);
		taskcreate(frames, (void *)i, 0);
	}
	taskcreate(delayer, NULL, 0);
	c = chancreate(sizeof(unsigned long), 0);
	taskcreate(sender, NULL, 0);
	for(int i = 0; i < 1000; i++)
		sum += chanrecvul(c);
	CHECK(sum == 500500);
	chanfree(c);
	taskexit(3);
}

__attribute__((noinline)) static int
recurse(int n)
{
	volatile char frame[256];

	frame[0] = (char)n;
	return n < 0 ? 0 : recurse(n + 1) + frame[0];
}

static void
deep(void *v)
{
	(void)v;
	taskname("deep");
	taskexit(recurse(0));
}

/* in a child: the message of an overflow, and its signal. */
static void
overflow(void)
{
	char err[1024];
	int fds[2], status;
	size_t n = 0;
	ssize_t r;

	if(pipe(fds) < 0)
		exit(2);
	fflush(stdout);
	pid_t pid = fork();
	if(pid == 0){
		dup2(fds[1], 2);
		taskrun(deep, NULL);
		_exit(0);
	}
	close(fds[1]);
	while((r = read(fds[0], err + n, sizeof err - 1 - n)) > 0)
		n += (size_t)r;
	err[n] = '\0';
	waitpid(pid, &status, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	CHECK(strstr(err, "task 1 (deep): stack overflow") != NULL);
}

int
main(void)
{
	int status = taskrun(first, NULL);

	CHECK(status == 0 || status == 3);
	CHECK(done == 14);
	overflow();
	printf("100%%: Checks: %d, Failures: %d, Errors: 0\n", checks,
		failures);
	return failures ? 1 : 0;
}
