/* SPDX-License-Identifier: MIT */
/* System calls about files: entries of the table in sys.c. */
#include "machine.h"
#include <errno.h>
#ifdef __linux__
#include <sys/sendfile.h>
#endif
#include <sys/stat.h>
#include <unistd.h>

int
task_fileid(int fd, Fileid *id)
{
	struct stat st;

	if(fstat(fd, &st) < 0)
		return -1;
	*id = (Fileid){st.st_dev, st.st_ino};
	return 0;
}

ssize_t
task_pread(int fd, void *buf, size_t n, off_t at)
{
	ssize_t r;

	do
		r = pread(fd, buf, n, at);
	while(r < 0 && errno == EINTR);
	return r;
}

/* Other systems have calls of this name with other arguments. */
ssize_t
task_sendfile(int to, int from, off_t at, size_t n)
{
#ifdef __linux__
	ssize_t r;

	do
		r = sendfile(to, from, &at, n);
	while(r < 0 && errno == EINTR);
	return r;
#else
	(void)to, (void)from, (void)at, (void)n;
	return task_fail(ENOSYS);
#endif
}
