/* SPDX-License-Identifier: MIT */
/* For tests against real servers, which are children and end with the test. */
#ifndef SERVER_H
#define SERVER_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "test.h"

static inline struct sockaddr_in
serveraddress(int port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
}

/* A port that nobody listens at; also before the tests run. */
static inline int
freeport(void)
{
	struct sockaddr_in addr = serveraddress(0);
	socklen_t n = sizeof addr;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if(bind(fd, (void *)&addr, n) < 0 ||
			getsockname(fd, (void *)&addr, &n) < 0)
		abort();
	close(fd);
	return ntohs(addr.sin_port);
}

static inline int
serves(int port)
{
	struct sockaddr_in addr = serveraddress(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = connect(fd, (void *)&addr, sizeof addr) == 0;

	close(fd);
	return r;
}

/* Whether there is such a program.  Some have them where only root looks. */
static inline int
haveserver(const char *name)
{
	char text[4096];

	snprintf(text, sizeof text, "%s:/usr/sbin", getenv("PATH"));
	setenv("PATH", text, 1);
	snprintf(text, sizeof text, "command -v %s >/dev/null", name);
	return system(text) == 0;
}

/* runs argv; returns when it serves at port. */
static inline pid_t
startserver(int port, char **argv)
{
	struct timespec nap = {0, 10000000};
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if(pid == 0){
		int null = open("/dev/null", O_RDWR);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	while(!serves(port)){
		ck_assert_msg(waitpid(pid, NULL, WNOHANG) == 0,
			"%s does not serve", argv[0]);
		nanosleep(&nap, NULL);
	}
	return pid;
}

static inline void
stopserver(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

#endif
