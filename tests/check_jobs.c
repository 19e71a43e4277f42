/* SPDX-License-Identifier: MIT */
/* The example jobs: its workers are killed, and no job is lost. */
#include "redis.h"
#include "program.h"

enum { Workers = 3, Kills = 6, Jobs = 300 };

static void
left(char *buf, size_t n)
{
	ck_assert_int_eq(output(buf, n, "jobs", ARGS(redis.url, "left")), 0);
}

/* A worker, which says what it does in a file: that does not fill up. */
static pid_t
hire(int number)
{
	char name[16], path[80];

	fflush(NULL);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if(pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(name, sizeof name, "worker%d", number);
	snprintf(path, sizeof path, "%s/done", redis.dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, 1);
	become("jobs", ARGS(redis.url, "work", name, "100"));
	return -1;
}

static void
finishoff(pid_t pid)
{
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* returns how many lines there are, and in *again how many say "again". */
static int
linesdone(int *again)
{
	char line[128], path[80];
	int n = 0;

	snprintf(path, sizeof path, "%s/done", redis.dir);
	FILE *f = fopen(path, "r");
	*again = 0;
	while(f && fgets(line, sizeof line, f)){
		n++;
		*again += strstr(line, " again\n") != NULL;
	}
	if(f)
		fclose(f);
	return n;
}

static void
killworkers(void)
{
	char buf[256], want[64];
	pid_t workers[Workers];
	int n = 0, jobs = watched() ? Jobs / 3 : Jobs, again;

	snprintf(buf, sizeof buf, "%d", jobs);
	ck_assert_int_eq(output(buf + 16, sizeof buf - 16, "jobs",
		ARGS(redis.url, "put", buf)), 0);
	snprintf(want, sizeof want, "%d left, 0 done\n", jobs);
	ck_assert_str_eq(buf + 16, want);
	for(; n < Workers; n++)
		workers[n] = hire(n);
	for(int i = 0; i < Kills; i++){
		while(linesdone(&again) < (i + 1) * jobs / (Kills + 1))
			usleep(1000);
		finishoff(workers[i % Workers]);
		workers[i % Workers] = hire(n++);
	}
	snprintf(want, sizeof want, "0 left, %d done\n", jobs);
	for(buf[0] = '\0'; strcmp(buf, want) != 0; usleep(10000))
		left(buf, sizeof buf);
	for(int i = 0; i < Workers; i++)
		finishoff(workers[i]);
	printf("%d jobs, done %d times, %d of them claimed\n", jobs,
		linesdone(&again), again);
	ck_assert_int_ge(linesdone(&again), jobs);
}

START_TEST(no_job_is_lost_with_the_workers)
{
	if(noredis())
		TEST_SKIP(noredis());
	redisstart();
	killworkers();
	redisstop();
}
END_TEST

START_TEST(jobs_says_how_it_is_used)
{
	char buf[256];

	ck_assert_int_eq(output(buf, sizeof buf, "jobs", ARGS("put")), 2);
	ck_assert_str_eq(buf,
		"usage: jobs url put n | work name [ms] | left\n");
	ck_assert_int_eq(output(buf, sizeof buf, "jobs", ARGS("h", "left")), 1);
	ck_assert_str_eq(buf, "h: Invalid argument\n");
}
END_TEST

PROGRAM_MAIN("jobs", no_job_is_lost_with_the_workers, jobs_says_how_it_is_used)
