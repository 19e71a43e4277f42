/* SPDX-License-Identifier: MIT */
/* Servers from inside: the moment that who waits has when one stops. */
#include "fdtest.h"
#include "../net/server.h"

static Server server;

static int
lines(Server *s, Stream *c, void *v)
{
	char *line;
	void *none;

	(void)v;
	if(streampeek(c, 0, &none) == 0)
		return 1;
	if(streamline(c, &line) < 0)
		return 0;
	streamprint(c, "%s%s\n", line, serverstopping(s) ? " bye" : "");
	return 1;
}

static int
client(void)
{
	int fd = netdial(TCP, "127.0.0.1", serverport(&server));

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void
asks(int fd, const char *line, const char *answer)
{
	char buf[64];
	size_t n = strlen(answer);

	ck_assert_int_eq(fdwrite(fd, line, strlen(line)),
		(ssize_t)strlen(line));
	ck_assert_int_eq(fdreadn(fd, buf, n), (ssize_t)n);
	ck_assert_mem_eq(buf, answer, n);
}

static void
ends(int fd)
{
	char c;

	ck_assert_int_eq(fdread(fd, &c, 1), 0);
	fdclose(fd);
}

static int result;

static void
stops(void *v)
{
	(void)v;
	result = serverstop(&server);
}

static int
beginstop(void)
{
	int id = taskcreate(stops, NULL, 0);

	while(!serverstopping(&server))
		taskyield();
	return id;
}

TASK_TEST(who_asks_in_that_moment_is_answered_and_closed)
{
	server = (Server){.fn = lines};
	task_grace_ms = 1000000;
	ck_assert_int_eq(serverstart(&server, "127.0.0.1", 0), 0);
	int used = client(), fresh = client();

	asks(used, "one\n", "one\n");
	int id = beginstop();
	taskdelay(5);
	asks(fresh, "two\n", "two bye\n");
	ends(fresh);
	asks(used, "three\n", "three bye\n");
	ends(used);
	taskwait(id, NULL);
	ck_assert_int_eq(result, 0);
}

TASK_TEST(a_deadline_ends_that_moment_and_nobody_is_counted)
{
	Timeout t;

	server = (Server){.fn = lines};
	task_grace_ms = 1000000;
	ck_assert_int_eq(serverstart(&server, "127.0.0.1", 0), 0);
	int used = client(), fresh = client();

	asks(used, "one\n", "one\n");
	TIMEOUT(&t, 5)
		ck_assert_int_eq(serverstop(&server), 0);
	ck_assert(timeoutfired(&t));
	ends(used);
	ends(fresh);
}

/* Clients that come and go while a server starts and stops, in two procs. */

enum { Clients = 8, Rounds = 40 };

static int nasked, nanswered, done;

static void
asksagain(void *v)
{
	char buf[64];

	(void)v;
	while(!done){
		int fd = netdial(TCP, "127.0.0.1", serverport(&server));
		if(fd < 0){
			taskdelay(1);
			continue;
		}
		for(int i = 0; i < 3; i++){
			if(fdwrite(fd, "x\n", 2) < 0)
				break;
			nasked++;
			ssize_t n = fdread(fd, buf, sizeof buf);
			if(n <= 0)
				break;
			ck_assert_mem_eq(buf, "x", 1);
			nanswered++;
		}
		fdclose(fd);
	}
}

static void
stays(void *v)
{
	chanrecvul(v);
}

TASK_TEST(servers_start_and_stop_under_load_in_two_procs)
{
	Channel *c = chanshared(sizeof(unsigned long), 0);
	int ids[Clients], fds = openfds();
	int procs[2] = {procself(), proccreate(stays, c, 0)};

	task_grace_ms = 2;
	for(int i = 0; i < Clients; i++)
		ids[i] = taskcreate(asksagain, NULL, 0);
	for(int i = 0; i < fewer(Rounds) + 2; i++){
		server = (Server){.fn = lines, .max = i % 3 * 3};
		ck_assert_int_eq(serverstart(&server, "127.0.0.1", 0), 0);
		ck_assert_int_eq(serverspread(&server, procs, 1 + i % 2), 0);
		taskdelay((unsigned int)i % 7);
		ck_assert_int_eq(serverstop(&server), 0);
		ck_assert_int_eq(serverlive(&server), 0);
	}
	done = 1;
	for(int i = 0; i < Clients; i++)
		taskwait(ids[i], NULL);
	printf("note: of %d questions %d were answered\n", nasked, nanswered);
	ck_assert_int_gt(nanswered, 0);
	chansendul(c, 0);
	procwait(procs[1], NULL);
	ck_assert_int_le(openfds(), fds + 4);
	chanfree(c);
}

/* Memory runs out here and there: nothing is lost but connections. */

static int failin;
static void *(*alloc)(size_t);

static void *
allocfails(size_t n)
{
	if(failin == 0 || --failin > 0)
		return alloc(n);
	errno = ENOMEM;
	return NULL;
}

TASK_TEST(without_memory_connections_are_closed_and_nothing_else)
{
	int fds = openfds();

	alloc = task_sys.alloc;
	task_grace_ms = 2;
	for(int n = 1; n < 30; n++){
		server = (Server){.fn = lines};
		task_sys.alloc = allocfails;
		failin = n;
		if(serverstart(&server, "127.0.0.1", 0) < 0){
			ck_assert_int_eq(errno, ENOMEM);
			ck_assert_ptr_null(server.home);
		}else{
			int fd = client();
			char buf[8];
			fdwrite(fd, "x\n", 2);
			fdread(fd, buf, sizeof buf);
			fdclose(fd);
			ck_assert_int_eq(serverstop(&server), 0);
		}
		failin = 0;
		task_sys.alloc = alloc;
	}
	taskdelay(1);
	ck_assert_int_eq(openfds(), fds);
}

TEST_MAIN("server from inside",
	who_asks_in_that_moment_is_answered_and_closed,
	a_deadline_ends_that_moment_and_nobody_is_counted,
	servers_start_and_stop_under_load_in_two_procs,
	without_memory_connections_are_closed_and_nothing_else)
