/* SPDX-License-Identifier: MIT */
/*
 * Clients of a console that send random lines, hang up, or do not read, while
 * the program computes at times: it must go on.  For ten minutes, say,
 *
 *	make SAN=address build/cc-asm-address/tests/fuzzconsole
 *	build/cc-asm-address/tests/fuzzconsole 600
 *
 * prints what it has done, and exits with 1 if the program did not.
 */
#include "corpus.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { Clients = 8 };

static struct
{
	atomic_int ticks;
	atomic_int over;
} *shared;
static char path[64];

/* The program */

static void
ticks(void *v)
{
	(void)v;
	taskname("ticker");
	for(;;){
		taskdelay(5);
		atomic_fetch_add(&shared->ticks, 1);
	}
}

static void
computes(void *v)
{
	(void)v;
	taskname("\"computer\" \033[31m \xff");
	for(;;){
		taskdelay(1500);
		int64_t end = nowns() + 600 * (int64_t)1000000;
		while(nowns() < end)
			;
	}
}

static void
dies(void *v)
{
	(void)v;
	consolebreak("at its beginning");
	taskdelay(20);
}

static void
breeds(void *v)
{
	(void)v;
	for(;;){
		taskcreate(dies, NULL, 0);
		taskdelay(7);
	}
}

static void
program(void *v)
{
	Channel *c = chancreate(sizeof(unsigned long), 0);

	(void)v;
	c->name = (char *)(uintptr_t)"re\"quests";
	tasksystem();
	if(console(path) < 0)
		taskexitall(2);
	taskcreate(ticks, NULL, 0);
	taskcreate(computes, NULL, 0);
	taskcreate(breeds, NULL, 0);
	for(;;)
		chanrecvul(c);
}

/* Its clients */

static const char *const words[] = {"ps", "bt", "all", "-a", "chans", "json",
	"fds", "timers", "locks", "stats", "cancel", "set", "profile", "on",
	"off", "1.1", "2.17", "7", "12", "cont", "help", "top", "0", "10",
	"stdio", "quit", "99999999999999999999", "-1", "1.", ".1", "\t", "\r",
	"\"", "%s%n", "\x1b[2J"};

/* A file, once as it is and then changed. */
static size_t
sampleline(Random *r, char *line, size_t size)
{
	static const char chars[] = " \n\r\t\"%.01a-";
	const Sample *first = nextsample(), *s = first ? first : anysample(r);

	memcpy(line, s->v, s->n);
	return first ? s->n : changebytes(r, line, s->n, size, chars,
		sizeof chars - 1);
}

static size_t
randomline(Random *r, char *line, size_t size)
{
	size_t n = 0;
	int how = (int)randombelow(r, 10);
	size_t most = how == 0 ? size - 1 : randombelow(r, 60);

	if(nsampled < nsamples || how == 9)
		n = sampleline(r, line, size - 1);
	else if(how < 5)
		while(n < most)
			line[n++] = (char)randombelow(r, 256);
	else
		for(unsigned int i = randombelow(r, 6); i > 0; i--)
			n += (size_t)sprintf(line + n, "%s ",
				words[randombelow(r, sizeof words /
				sizeof words[0])]);
	if(memmem(line, n, "watchdog", 8))
		return 0;
	line[n++] = '\n';
	return n;
}

static void
client(Random *r, unsigned long *nlines)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	static char line[6000], buf[65536];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), reads;

	strcpy(sa.sun_path, path);
	if(connect(fd, (struct sockaddr *)&sa, sizeof sa) < 0){
		close(fd);
		usleep(1000);
		return;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	reads = randombelow(r, 5) > 0;
	for(unsigned int i = randombelow(r, 200); i > 0; i--){
		size_t n = randomline(r, line, sizeof line - 8);
		ssize_t sent = send(fd, line, n, MSG_NOSIGNAL);
		if(sent < 0 && errno != EAGAIN)
			break;
		*nlines += sent == (ssize_t)n;
		if(reads)
			while(recv(fd, buf, sizeof buf, 0) > 0)
				;
		if(sent < 0)
			usleep(1000);
	}
	close(fd);
}

/* How many lines it has sent is told by way of a pipe. */
static void
clients(int fd, unsigned long seed)
{
	Random r = {seed, (seed + 1) * 0x9e3779b97f4a7c15};
	unsigned long nlines = 0;

	samplesread("console");
	while(!atomic_load(&shared->over))
		client(&r, &nlines);
	_exit(write(fd, &nlines, sizeof nlines) == sizeof nlines ? 0 : 1);
}

/* KiB that the process has in memory; 0: it is not told. */
static long
memory(pid_t pid)
{
	char name[64];
	long pages = 0;

	snprintf(name, sizeof name, "/proc/%d/statm", (int)pid);
	FILE *f = fopen(name, "r");
	if(f && fscanf(f, "%*d %ld", &pages) != 1)
		pages = 0;
	if(f)
		fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int
main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 10, fds[2], status, stuck = 0;
	int lost = 0;
	long early = 0;
	unsigned long n, sum = 0, seed = randomstart().seed;

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	snprintf(path, sizeof path, "/tmp/fuzzconsole.%d", (int)getpid());
	if(pipe(fds) < 0)
		return 2;
	pid_t server = fork();
	if(server == 0){
		close(fds[1]);
		exit(taskrun(program, NULL));
	}
	for(int i = 0; i < Clients; i++)
		if(fork() == 0)
			clients(fds[1], seed + (unsigned long)i);
	close(fds[1]);	/* so that one which dies is not waited for */
	for(int s = 0; s < seconds && !stuck; s += 5){
		atomic_store(&shared->ticks, 0);
		sleep(5);
		stuck = atomic_load(&shared->ticks) < 10;
		if(s == 5)
			early = memory(server);
	}
	long late = memory(server);
	atomic_store(&shared->over, 1);
	for(int i = 0; i < Clients; i++)
		if(read(fds[0], &n, sizeof n) == sizeof n)
			sum += n;
		else
			lost++;
	int died = waitpid(server, &status, WNOHANG) != 0;
	kill(server, SIGKILL);
	unlink(path);
	printf("seed %lu: %lu lines in %d s; after 10 s it had %ld KiB, in "
		"the end %ld; the program %s\n", seed, sum, seconds, early,
		late, died ? "has died" : stuck ? "did not go on" : "went on");
	if(lost > 0)
		printf("%d clients have died\n", lost);
	return died || stuck || lost;
}
