/* SPDX-License-Identifier: MIT */
/* Asks a console what the tasks do, and compares that with before. */
#include "toprows.h"
#include "peek.h"
#include "target.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/*
 * It asks for "json top 0": an array of objects, one for each task, with sums
 * since the session began.  What is shown is the difference to the answer
 * before.  While a task of the program computes the console answers that with
 * an error; then "json ps" says as much as there is to see.  A process that is
 * known by its number and does not answer is read from outside: see peek.c.
 */
Row *rows;
size_t nrows;
int64_t now_ns;
char problem[256];

static Row *before;
static size_t nbefore;
static int64_t last_ns;
static size_t most;	/* rows that there is room for */
static int fd = -1;	/* the console; -1: it is done from outside */
static int process;	/* its number, or 0 */

void
die(const char *what)
{
	fprintf(stderr, "tasktop: %s: %s\n", what, strerror(errno));
	exit(1);
}

int64_t
clockns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static char *text;
static size_t room;

/* returns the answer to a line, which is one line; NULL at the end. */
static char *
ask(const char *line)
{
	size_t n = 0;

	if(send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		return NULL;
	do{
		if(n + 65536 > room && (text = realloc(text,
				room += 65536 + n)) == NULL)
			die("memory");
		ssize_t r = recv(fd, text + n, room - n - 1, 0);
		if(r < 0 && errno == EINTR)
			continue;
		if(r <= 0)
			return NULL;
		n += (size_t)r;
	}while(n == 0 || text[n - 1] != '\n');
	text[n] = '\0';
	return text;
}

/* reads a string or number of JSON at s into v; returns what follows. */
static const char *
readvalue(const char *s, char *v, size_t n)
{
	char *to = v, *end = to + n - 1;
	int quoted = *s == '"';

	for(s += quoted; *s && (quoted ? *s != '"' : !strchr(",}]", *s)); s++){
		if(quoted && *s == '\\' && s[1] == 'u'){
			s++;
			for(int i = 0; i < 4 && isxdigit((unsigned char)s[1]);
					i++)
				s++;
			if(to < end)
				*to++ = '?';
			continue;
		}
		s += quoted && *s == '\\' && s[1];
		if(to < end)
			*to++ = *s;
	}
	*to = '\0';
	targetfit(v);
	return s + (quoted && *s);
}

static void
setfield(Row *r, const char *name, const char *value)
{
	struct { const char *name; char *to; size_t n; } texts[] = {
		{"id", r->id, sizeof r->id},
		{"name", r->name, sizeof r->name},
		{"state", r->state, sizeof r->state},
		{"why", r->why, sizeof r->why},
		{"location", r->place, sizeof r->place}};
	struct { const char *name; uint64_t *to; } numbers[] = {
		{"ran_ns", &r->ran_ns},
		{"longest_ns", &r->longest_ns},
		{"ready_ns", &r->ready_ns},
		{"switches", &r->switches}};

	for(size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if(strcmp(name, texts[i].name) == 0)
			snprintf(texts[i].to, texts[i].n, "%s", value);
	for(size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if(strcmp(name, numbers[i].name) == 0){
			*numbers[i].to = strtoull(value, NULL, 10);
			r->counted = 1;
		}
	if(strcmp(name, "age_ns") == 0 && *value >= '0' && *value <= '9')
		r->age_ns = strtoll(value, NULL, 10);
	if(strcmp(name, "object") == 0 && *value){
		size_t n = strlen(r->why);
		snprintf(r->why + n, sizeof r->why - n, " %s", value);
	}
}

Row *
addrow(void)
{
	if(nrows == most && (rows = realloc(rows, (most = 2 * most + 64) *
			sizeof *rows)) == NULL)
		die("memory");
	rows[nrows] = (Row){.first_ns = now_ns, .age_ns = -1};
	return &rows[nrows++];
}

/* An object of strings and numbers. */
static const char *
readrow(const char *s, Row *r)
{
	char name[32], value[512];

	while(*s == '{' || *s == ','){
		s = readvalue(s + 1, name, sizeof name);
		if(*s != ':')
			return NULL;
		s = readvalue(s + 1, value, sizeof value);
		setfield(r, name, value);
	}
	return *s == '}' ? s + 1 : NULL;
}

static void
readrows(const char *s)
{
	while(s && (*s == '[' || *s == ',') && s[1] == '{'){
		s = readrow(s + 1, addrow());
		nrows -= s == NULL;
	}
}

/* "2.17" comes after all of the first proc, which are written without it. */
uint64_t
idnumber(const Row *r)
{
	char *end;
	uint64_t n = strtoul(r->id, &end, 10);

	return *end == '.' ? n << 32 | strtoul(end + 1, NULL, 10) : n;
}

int
byid(const void *a, const void *b)
{
	uint64_t x = idnumber(a), y = idnumber(b);

	return (x > y) - (x < y);
}

static void
compare(void)
{
	double elapsed = (double)(now_ns - last_ns);

	for(size_t i = 0; i < nrows; i++){
		Row *r = &rows[i];
		const Row *was = nbefore == 0 ? NULL : bsearch(r, before,
			nbefore, sizeof *before, byid);
		r->first_ran_ns = was ? was->first_ran_ns : r->ran_ns;
		r->first_ready_ns = was ? was->first_ready_ns : r->ready_ns;
		r->first_ns = was ? was->first_ns : now_ns;
		if(was && r->ran_ns > was->ran_ns && elapsed > 0)
			r->share = 100 * (double)(r->ran_ns - was->ran_ns) /
				elapsed;
	}
}

/* returns 0 when no console answers. */
static int
lookinside(void)
{
	size_t n;

	strcpy(problem, "by its console");
	char *s = ask("json top 0\n");
	now_ns = clockns();
	if(s && *s == '{'){
		n = strlen(strcat(problem, "; "));
		s += strcspn(s, ":");
		readvalue(s + (*s == ':'), problem + n, sizeof problem - n);
		s = ask("json ps -a\n");
	}
	if(s)
		readrows(s);
	return s != NULL;
}

int
isoutside(void)
{
	return fd < 0;
}

static void
hangup(void)
{
	close(fd);
	fd = -1;
}

static int
lookoutside(void)
{
	now_ns = clockns();
	return peek();
}

/* A process that stops is looked at from outside from then on. */
static int
lookanyhow(void)
{
	if(!isoutside()){
		if(lookinside())
			return 1;
		if(process == 0)
			return 0;
		hangup();
		if(peekopen(process) != NULL)
			return 0;
	}
	return lookoutside();
}

/* looks once; 0 when the program has gone. */
int
look(void)
{
	free(before);
	before = rows;
	nbefore = nrows;
	rows = NULL;
	nrows = most = 0;
	last_ns = now_ns;
	if(!lookanyhow())
		return 0;
	if(nbefore > 0)
		qsort(before, nbefore, sizeof *before, byid);
	compare();
	return 1;
}

/* Finding the console */

/* A process that may be stopped neither accepts nor answers. */
static void
setpatience(void)
{
	struct timeval most_s = {1, 0};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most_s, sizeof most_s);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most_s, sizeof most_s);
}

int
dial(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	if(strlen(path) >= sizeof sa.sun_path){
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(sa.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if(fd >= 0 && process)
		setpatience();
	if(fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof sa) == 0)
		return 0;
	int err = errno;
	hangup();
	errno = err;
	return -1;
}

/* returns whether the process has a socket with that inode. */
static int
hassocket(int pid, unsigned long inode)
{
	char dir[64], path[400], is[64], want[64];
	struct dirent *e;
	int found = 0;

	snprintf(dir, sizeof dir, "/proc/%d/fd", pid);
	snprintf(want, sizeof want, "socket:[%lu]", inode);
	DIR *d = opendir(dir);
	while(d && !found && (e = readdir(d))){
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		ssize_t n = readlink(path, is, sizeof is - 1);
		if(n < 0)
			continue;
		is[n] = '\0';
		found = strcmp(is, want) == 0;
	}
	if(d)
		closedir(d);
	return found;
}

/* dials the socket on which the process listens that answers as a console. */
static int
dialprocess(int pid)
{
	FILE *f = fopen("/proc/net/unix", "r");
	char line[512], path[256];
	unsigned int flags;
	unsigned long inode;
	int r = -1;

	while(f && r < 0 && fgets(line, sizeof line, f)){
		if(sscanf(line, "%*s %*s %*s %x %*s %*s %lu %255s", &flags,
				&inode, path) != 3 || path[0] != '/' ||
				!(flags & 0x10000) || !hassocket(pid, inode))
			continue;
		if(dial(path) < 0)
			continue;
		const char *s = ask("json help\n");
		if(s && *s == '[')
			r = 0;
		else
			hangup();
	}
	if(f)
		fclose(f);
	return r;
}

const char *
findprocess(int pid, int outside)
{
	process = pid;
	return !outside && dialprocess(pid) == 0 ? NULL : peekopen(pid);
}
