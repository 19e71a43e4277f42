/* SPDX-License-Identifier: MIT */
/* The console's socket: a way into the program from outside. */
#include "console.h"
#include "../net/unix.h"
#include "../proc/proc.h"
#include "../task/newnames.h"
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* There is one in a process, of the proc that has opened it first. */
static struct
{
	pthread_mutex_t lock;
	int number;	/* of that proc; 0: there is none */
	int listener;
	pid_t pid;	/* whose file it is */
	Unixaddress at;
	char path[PATH_MAX];	/* the file, from wherever the program is */
	Fileid id;	/* that it has */
} con = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int
idofpath(const char *path, Fileid *id)
{
	struct stat st;

	if(lstat(path, &st) < 0)
		return -1;
	*id = (Fileid){.device = st.st_dev, .inode = st.st_ino};
	return 0;
}

/*
 * Also where the program ends by exit: what is closed has no file any more.
 * Another process may have its own there by now.
 */
static void
unlinkours(void)
{
	Fileid id;

	if(con.number && con.pid == task_sys.pid() &&
			idofpath(con.path, &id) == 0 &&
			id.device == con.id.device && id.inode == con.id.inode)
		unlink(con.path);
}

static void
unlinkatexit(void)
{
	atexit(unlinkours);
}

/*
 * returns a listener; -1 and errno.  The mode of the socket is the file's from
 * the start.
 */
static int
listenat(const Unixaddress *at)
{
	int fd = task_sys.socket(AF_UNIX, SOCK_STREAM);

	if(fd < 0)
		return -1;
	if(fchmod(fd, 0600) == 0 && task_unixlisten(fd, SOCK_STREAM, at, 16) ==
			0)
		return fd;
	int err = errno;
	task_sys.close(fd);
	return task_fail(err);
}

/* the lock is held */
static int
opencon(Proc *p, const char *path)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if(con.number)
		return task_fail(EBUSY);
	if(task_unixaddress(path, &con.at) < 0)
		return -1;
	if(task_door(p) == NULL || (con.listener = listenat(&con.at)) < 0)
		return -1;
	*con.path = '\0';	/* an abstract name is no file's */
	if(*path != '@' && realpath(path, con.path) == NULL)
		strcpy(con.path, path);
	con.id = (Fileid){0};
	idofpath(con.path, &con.id);
	if(task_standbybegin(p->member->number, con.listener) < 0){
		int err = errno;
		task_sys.close(con.listener);
		unlink(con.path);
		return task_fail(err);
	}
	task_snapshotarrange(1);
	con.number = p->member->number;
	con.pid = task_sys.pid();
	pthread_once(&once, unlinkatexit);
	return 0;
}

static int
consoleat(Proc *p, const char *path)
{
	pthread_mutex_lock(&con.lock);
	int r = opencon(p, path);
	pthread_mutex_unlock(&con.lock);
	return r;
}

int
console(const char *path)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(path == NULL || *path == '\0')
		return task_fail(EINVAL);
	int err = errno, r = consoleat(p, path);
	if(r == 0)
		errno = err;
	return r;
}

/* Once in a process: a child of it by fork has none. */
int
task_consolebegin(Proc *p)
{
	static atomic_flag looked = ATOMIC_FLAG_INIT;
	const char *path;
	int err = errno;

	if(atomic_flag_test_and_set(&looked) ||
			(path = getenv("TASKCONSOLE")) == NULL || !*path)
		return 0;
	if(consoleat(p, path) < 0)
		fprintf(stderr, "TASKCONSOLE=%s: no console: %s\n", path,
			strerror(errno));
	errno = err;
	return 0;
}

/* The tasks run no more. */
void
task_consoleend(Proc *p)
{
	pthread_mutex_lock(&con.lock);
	if(con.number == p->member->number){
		task_standbyend();
		task_snapshotarrange(0);
		task_sys.close(con.listener);
		unlinkours();
		con.number = 0;
	}
	pthread_mutex_unlock(&con.lock);
	task_attachend(p);
	task_sessionsend(p);
}

static void
leaveparents(Note *n, void *owner)
{
	(void)n;
	if(owner == NULL)
		return;
	task_attachleave(owner);
	task_sessionsleave(owner);
}

/*
 * The socket is the parent's, as are the sessions that came by it or by a
 * signal: they end when the proc comes to its notes.
 */
void
task_consoleforked(Proc *p)
{
	static Note leavenote;

	pthread_mutex_init(&con.lock, NULL);
	if(con.number){
		task_standbyforked();
		task_sys.close(con.listener);
		con.number = 0;
	}
	task_sessionsforked(p);
	int attached = task_attachforked(p);
	if(p == NULL || (task_sessions == NULL && !attached))
		return;
	leavenote = (Note){NULL, leaveparents};
	if(task_door(p))
		task_doortell(p->door, &leavenote);
}
