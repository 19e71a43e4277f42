/* SPDX-License-Identifier: MIT */
/* fdnoblock, by which a program shows a descriptor to the library. */
#include "fd.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>

/*
 * Descriptors 0 to 2 are open files that the shell has too, so their flags are
 * saved, and restored at exit.
 */
static pthread_once_t saved = PTHREAD_ONCE_INIT;
static int stdflags[3];

static void
restore(void)
{
	for(int fd = 0; fd < 3; fd++)
		if(stdflags[fd] >= 0)
			task_sys.setfl(fd, stdflags[fd]);
}

static void
save(void)
{
	int err = errno;

	for(int fd = 0; fd < 3; fd++)
		stdflags[fd] = task_sys.getfl(fd);
	atexit(restore);
	errno = err;
}

/*
 * has the library forget what it knows of fd: the number may be another file's
 * than when it was waited for last.
 */
static void
doubt(int fd)
{
	Fdtable *table = task_proc ? task_proc->fds : NULL;
	Fd *f = table ? task_fdknown(table, fd) : NULL;

	if(f == NULL)
		return;
	task_fdunknown(f);
	task_fdopsrenew(table, f);
	task_rearm(&table->polling, &f->interest, fd, task_fdwanted(f));
}

int
fdnoblock(int fd)
{
	if(fd >= 0 && fd < 3)
		pthread_once(&saved, save);
	doubt(fd);
	int flags = task_sys.getfl(fd);
	return flags < 0 ? -1 : task_sys.setfl(fd, flags | O_NONBLOCK);
}
