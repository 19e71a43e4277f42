/* SPDX-License-Identifier: MIT */
/* For tests that run the examples as programs and speak to them on sockets. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "test.h"
#include "watched.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static char bin[4096];	/* where the examples are */

typedef struct Program
{
	pid_t pid;
	int out;	/* its stdout and stderr */
	int port;
} Program;

static inline void
become(char *name, char **args)
{
	char *argv[32], path[4200];
	int n = 0;

	/* valgrind follows programs by itself, but an emulator must be asked */
	if(emulated())
		for(char *s = strtok(strdup(getenv("RUN")), " "); s && n < 16;
				s = strtok(NULL, " "))
			argv[n++] = s;
	snprintf(path, sizeof path, "%s/%s", bin, name);
	argv[n++] = path;
	while(*args && n < 31)
		argv[n++] = *args++;
	argv[n] = NULL;
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static inline Program
start(char *name, char **args)
{
	int fds[2];
	Program p = {.port = 0};

	ck_assert_int_eq(pipe(fds), 0);
	p.pid = fork();
	ck_assert_int_ge(p.pid, 0);
	if(p.pid == 0){
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		become(name, args);
	}
	close(fds[1]);
	p.out = fds[0];
	return p;
}

/* Reads until the end, or until what has come contains stop. */
static inline size_t
slurp(int fd, char *buf, size_t size, const char *stop)
{
	size_t n = 0;
	ssize_t r = 1;

	buf[0] = '\0';
	while(n < size - 1 && !(stop && strstr(buf, stop)) &&
			(r = read(fd, buf + n, stop ? 1 : size - 1 - n)) > 0){
		n += (size_t)r;
		buf[n] = '\0';
	}
	return n;
}

static inline int
finish(Program *p)
{
	char rest[256];
	int status;

	while(read(p->out, rest, sizeof rest) > 0)
		;	/* or it might die of what it has still to print */
	ck_assert_int_eq(waitpid(p->pid, &status, 0), p->pid);
	close(p->out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* runs an example to its end: its exit status; what it printed is in buf. */
static inline int
output(char *buf, size_t size, char *name, char **args)
{
	Program p = start(name, args);

	slurp(p.out, buf, size, NULL);
	return finish(&p);
}

static inline Program
serve(char *name, char **args)
{
	char line[256];
	Program p = start(name, args);

	slurp(p.out, line, sizeof line, "\n");
	ck_assert_msg(sscanf(line, "listening on 127.0.0.1, port %d",
		&p.port) == 1, "%s said: %s", name, line);
	return p;
}

#define ARGS(...) ((char *[]){__VA_ARGS__, NULL})

static inline struct sockaddr_in
local(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static inline int
dial(int port)
{
	struct sockaddr_in addr = local(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (void *)&addr, sizeof addr), 0);
	return fd;
}

static inline void
put(int fd, const char *s, size_t n)
{
	while(n > 0){
		ssize_t r = send(fd, s, n, MSG_NOSIGNAL);
		ck_assert_int_gt(r, 0);
		s += r;
		n -= (size_t)r;
	}
}

/* As TEST_MAIN.  The tests are in a directory of the one with the examples. */
#define PROGRAM_MAIN(name, ...) \
	int \
	main(int argc, char **argv) \
	{ \
		const TTest *const tests[] = {__VA_ARGS__}; \
		if(argc != 1 || realpath(argv[0], bin) == NULL) \
			return 2; \
		*strrchr(bin, '/') = '\0'; \
		*strrchr(bin, '/') = '\0'; \
		return test_main(name, tests, sizeof tests / sizeof tests[0]); \
	}

#endif
