/* SPDX-License-Identifier: MIT */
/* For tests with a Redis server of their own, in a directory of its own. */
#ifndef REDIS_H
#define REDIS_H

#include "fdtest.h"
#include "watched.h"
#include <ftw.h>
#include <sys/prctl.h>

typedef struct Redis
{
	pid_t pid;	/* 0: it does not run */
	int port;
	int keeps;	/* what it has confirmed outlasts it */
	const char *option[2];	/* one more, or NULL */
	char dir[64];
	char url[64];
} Redis;

static Redis redis;

/* How many messages: TEST_OPERATIONS in the environment says so. */
static inline int
howmany(int otherwise)
{
	const char *asked = getenv("TEST_OPERATIONS");

	return asked ? atoi(asked) : otherwise;
}

/* Why there can be none, or NULL. */
static inline const char *
noredis(void)
{
	char path[4096], *paths = strdup(getenv("PATH") ? getenv("PATH") : "");
	const char *why = "there is no redis-server";

	for(char *s = strtok(paths, ":"); s; s = strtok(NULL, ":")){
		snprintf(path, sizeof path, "%s/redis-server", s);
		if(access(path, X_OK) == 0)
			why = NULL;
	}
	free(paths);
	return emulated() ? "this is emulated, and the server would not be" :
		why;
}

/* Check's own assertions are for tests only. */
static inline void
redismust(int good)
{
	if(!good){
		perror("redis-server");
		abort();
	}
}

static inline int
freeport(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof sa;

	redismust(bind(fd, (struct sockaddr *)&sa, size) == 0 &&
		getsockname(fd, (struct sockaddr *)&sa, &size) == 0);
	close(fd);
	return ntohs(sa.sin_port);
}

/* It goes when the test does. */
static inline void
redisexec(void)
{
	char port[16], path[80];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(null, 1);
	snprintf(port, sizeof port, "%d", redis.port);
	snprintf(path, sizeof path, "%s/socket", redis.dir);
	execlp("redis-server", "redis-server", "--port", port, "--bind",
		"127.0.0.1", "--dir", redis.dir, "--unixsocket", path,
		"--save", "", "--appendonly", redis.keeps ? "yes" : "no",
		"--appendfsync", "always", "--loglevel", "warning",
		redis.option[0], redis.option[1], (char *)NULL);
	_exit(127);
}

static inline void
redisbegin(void)
{
	fflush(NULL);
	redis.pid = fork();
	redismust(redis.pid >= 0);
	if(redis.pid == 0)
		redisexec();
}

/* asks it something in a line; returns whether it answers, but for loading. */
static inline int
redisasks(const char *line)
{
	char answer[8];
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)redis.port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t n = (ssize_t)strlen(line);
	int good = connect(fd, (void *)&sa, sizeof sa) == 0 &&
		write(fd, line, (size_t)n) == n && read(fd, answer, 8) >= 5 &&
		memcmp(answer, "-LOAD", 5) != 0;

	close(fd);
	return good;
}

static inline void
redisready(void)
{
	while(!redisasks("PING\r\n")){
		redismust(waitpid(redis.pid, NULL, WNOHANG) == 0);
		usleep(2000);
	}
}

static inline void
redisempty(void)
{
	redismust(redisasks("FLUSHALL\r\n"));
}

static inline void
redisstart(void)
{
	strcpy(redis.dir, "/tmp/redisXXXXXX");
	redismust(mkdtemp(redis.dir) != NULL);
	redis.port = freeport();
	snprintf(redis.url, sizeof redis.url, "redis://127.0.0.1:%d",
		redis.port);
	redisbegin();
	redisready();
}

static inline void
redisend(int sig)
{
	int status;

	if(redis.pid == 0)
		return;
	kill(redis.pid, sig);
	redismust(waitpid(redis.pid, &status, 0) == redis.pid);
	redis.pid = 0;
}

static inline int
redisunlink(const char *path, const struct stat *sb, int type, struct FTW *f)
{
	(void)sb, (void)type, (void)f;
	return remove(path);
}

static inline void
redisstop(void)
{
	redisend(SIGKILL);
	if(*redis.dir)
		nftw(redis.dir, redisunlink, 8, FTW_DEPTH | FTW_PHYS);
}

/* runs body, and looks whether it leaves descriptors open. */
static inline void
redisrun(void (*body)(void *))
{
	run(nothing);	/* what the library keeps is there */
	int before = openfds();
	run(body);
	ck_assert_int_eq(openfds(), before);
}

static inline void
redisrunwith(void (*body)(void *), const char *option, const char *value)
{
	redis.option[0] = option;
	redis.option[1] = value;
	redisstart();
	redisrun(body);
	redisstop();
}

/* A TASK_TEST with a server of its own, which may have an option. */
#define REDIS_TEST_WITH(name, option, value) \
	TASK_TEST_BY(name, { \
		if(noredis()) \
			TEST_SKIP(noredis()); \
		redisrunwith(body, option, value); \
	})

/* One with the server that a REDIS_MAIN has begun, which is empty then. */
#define REDIS_TEST(name) \
	TASK_TEST_BY(name, { \
		if(noredis()) \
			TEST_SKIP(noredis()); \
		redisempty(); \
		redisrun(body); \
	})

#define REDIS_MAIN(name, ...) \
	int \
	main(void) \
	{ \
		const TTest *const tests[] = {__VA_ARGS__}; \
		if(noredis() == NULL) \
			redisstart(); \
		int failed = test_main(name, tests, \
			sizeof tests / sizeof tests[0]); \
		redisstop(); \
		return failed; \
	}

#endif
