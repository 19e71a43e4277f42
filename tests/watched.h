/* SPDX-License-Identifier: MIT */
/* Whether a sanitizer or Valgrind looks on, and what the machine can do. */
#ifndef WATCHED_H
#define WATCHED_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Whether this runs under Valgrind. */
static inline int
valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "vgpreload");
}

/* Whether an emulator runs this, which has memory and signals of its own. */
static inline int
emulated(void)
{
	const char *run = getenv("RUN");

	return run && strncmp(run, "qemu", 4) == 0;
}

/* For functions that read stacks, red zones and all. */
#define UNWATCHED __attribute__((noinline, no_sanitize("address", "thread")))

/* Then all is slow, addresses are dear, and guards are always mprotect's. */
static inline int
watched(void)
{
	return SANITIZED || valgrind();
}

/*
 * Whether the kernel refuses to read there: the page is guarded.  Valgrind
 * would look there itself first, and die of it; so with it the answer is always
 * yes.
 */
static inline int
unreadable(const void *v)
{
	if(valgrind())
		return 1;
	int err = errno;
	int r = access(v, F_OK) < 0 && errno == EFAULT;

	errno = err;
	return r;
}

/* Whether the kernel has MADV_GUARD_INSTALL and lets us use it. */
static inline int
cheapguards(void)
{
	enum { GuardInstall = 102 };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *v = mmap(NULL, page, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int r = v != MAP_FAILED && madvise(v, page, GuardInstall) == 0 &&
		unreadable(v);

	munmap(v, page);
	return r;
}

/* How many map entries this process has; -1 if that cannot be told. */
static inline int
countmaps(void)
{
	char buf[16384];
	int n = 0, fd = open("/proc/self/maps", O_RDONLY);
	ssize_t r;

	if(fd < 0)
		return -1;
	while((r = read(fd, buf, sizeof buf)) > 0)
		for(ssize_t i = 0; i < r; i++)
			n += buf[i] == '\n';
	close(fd);
	return n;
}

/* How many threads it has; -1 likewise. */
static inline int
countthreads(void)
{
	char line[128];
	int n = -1;
	FILE *f = fopen("/proc/self/status", "r");

	while(f && fgets(line, sizeof line, f))
		sscanf(line, "Threads: %d", &n);
	if(f)
		fclose(f);
	return n;
}

#endif
