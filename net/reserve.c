/* SPDX-License-Identifier: MIT */
/* A descriptor in reserve, to refuse with when there are no others. */
#include "../fd/fd.h"
#include "reserve.h"
#include <errno.h>
#include <stdatomic.h>

enum
{
	None = -1,
	Busy = -2,	/* a thread is about to change it */
	RefuseMost = 64	/* at once: others want to run */
};

/*
 * The number of a socket that nobody uses, one for all threads.  A program may
 * close all descriptors and get the number again, so before it is closed here
 * it must prove to be the same file.
 */
static atomic_int reserve = None;
static Fileid spare;	/* its file; for the thread that has made it Busy */

void
task_reserve(void)
{
	int is = atomic_load_explicit(&reserve, memory_order_relaxed);
	int err = errno;

	if(is != None ||
			!atomic_compare_exchange_strong(&reserve, &is, Busy))
		return;
	int fd = task_sys.socket(AF_UNIX, SOCK_DGRAM);
	if(fd >= 0 && task_sys.fileid(fd, &spare) < 0){
		task_sys.close(fd);
		fd = None;
	}
	if(fd != None)
		task_fdforget(task_proc->fds, fd);
	atomic_store(&reserve, fd);
	errno = err;
}

/* closes the reserve and leaves it Busy; returns whether it could. */
static int
giveup(void)
{
	Fileid id;
	int fd = atomic_exchange(&reserve, Busy);

	if(fd == Busy)
		return 0;
	if(fd != None && task_sys.fileid(fd, &id) == 0 &&
			id.device == spare.device && id.inode == spare.inode){
		task_sys.close(fd);
		return 1;
	}
	atomic_store(&reserve, None);
	return 0;
}

void
task_refuse(int listener)
{
	int err = errno, fd;

	if(giveup()){
		for(int n = 0; n < RefuseMost && (fd = task_sys.accept(listener,
				NULL, NULL)) >= 0; n++)
			task_sys.close(fd);
		atomic_store(&reserve, None);
		task_reserve();
	}
	errno = err;
}
