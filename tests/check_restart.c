/* SPDX-License-Identifier: MIT */
/* Servers that follow each other at one socket, while clients go on asking. */
#include "fdtest.h"
#include "watched.h"

/*
 * A restart is a second server that accepts at the same socket before the first
 * stops.  Here each has a number of its own for the socket, as two processes
 * would have; or they are processes, each begun with the socket as its
 * descriptor 0.  TEST_OPERATIONS in the environment is how many restarts there
 * are.
 *
 * Clients ask again in the same connection until the answer is the last one, as
 * those of HTTP do; and if it ends without a byte of an answer, and is not new,
 * they ask in a new one: the server may have closed it meanwhile.
 */
enum { Restarts = 200, Processes = 20, Clients = 8 };

typedef struct Client
{
	int fd;	/* -1: none */
	int nasked;	/* in this connection */
} Client;

static int listener, port, over;
static int nanswers, nagain, nfailed, ngenerations;

static int
answer(Server *s, Stream *c, void *v)
{
	char *line;

	if(streamline(c, &line) < 0)
		return 0;
	streamprint(c, "%c%4d\n", serverstopping(s) ? 'l' : 'm',
		(int)(intptr_t)v);
	return 1;
}

static void
hangup(Client *c)
{
	fdclose(c->fd);
	c->fd = -1;
	c->nasked = 0;
}

/* returns whether the question was answered, or may be asked again. */
static int
ask(Client *c)
{
	char said[6];

	if(c->fd < 0)
		c->fd = netdial(TCP, "127.0.0.1", port);
	if(c->fd < 0)
		return 0;
	ssize_t n = fdwrite(c->fd, "ask\n", 4) == 4 ?
		fdreadn(c->fd, said, sizeof said) : 0;
	int old = c->nasked++ > 0;
	if(n == sizeof said){
		nanswers++;
		if(said[0] == 'l')
			hangup(c);
		return 1;
	}
	hangup(c);
	nagain += old && n <= 0;
	return old && n <= 0;
}

static void
asks(void *v)
{
	Client c = {.fd = -1};

	(void)v;
	while(!over){
		nfailed += !ask(&c);
		taskyield();
	}
	if(c.fd >= 0)
		hangup(&c);
}

static void
begin(Group *clients)
{
	over = nanswers = nagain = nfailed = ngenerations = 0;
	listener = netannounce(TCP, "127.0.0.1", 0);
	ck_assert_int_ge(listener, 0);
	port = portof(listener);
	for(int i = 0; i < Clients; i++)
		ck_assert_int_gt(groupspawn(clients, asks, NULL, 0), 0);
}

static void
finish(Group *clients)
{
	over = 1;
	ck_assert_int_eq(groupwait(clients), 0);
	ck_assert_int_eq(nfailed, 0);
	fdclose(listener);
}

/* has s accept at the socket, by a number of its own. */
static void
follow(Server *s)
{
	int fd = dup(listener);

	*s = (Server){.fn = answer, .most = 512,
		.arg = (void *)(intptr_t)ngenerations++};
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(serverlisten(s, fd), 0);
}

static void
untilanswers(int n)
{
	int before = nanswers;

	while(nanswers < before + n)
		taskdelay(0);
}

static void
stopone(Server *s)
{
	Timeout t;

	TIMEOUT(&t, 10000)
		ck_assert_int_eq(serverstop(s), 0);
	ck_assert(!timeoutfired(&t));
	ck_assert_int_eq(serverlive(s), 0);
}

static int
howmany(int otherwise)
{
	const char *asked = getenv("TEST_OPERATIONS");

	return asked ? atoi(asked) : otherwise;
}

static void
restart(int n)
{
	static Server s[2];
	Group clients = {0};

	begin(&clients);
	follow(&s[0]);
	for(int i = 1; i <= n; i++){
		untilanswers(2 * Clients);
		follow(&s[i % 2]);
		stopone(&s[(i + 1) % 2]);
	}
	untilanswers(1);
	finish(&clients);
	stopone(&s[n % 2]);
}

TASK_TEST(restarts_under_load_fail_nobody)
{
	int n = howmany(watched() ? Restarts / 10 : Restarts);

	restart(1);	/* the library has what descriptors it wants */
	int before = openfds();
	restart(n);
	ck_assert_int_eq(openfds(), before);
	printf("note: %d restarts, %d answers, %d asked again\n", n, nanswers,
		nagain);
}

/* Processes: this program, called with "serve" and a number. */

static char self[PATH_MAX];

static void
serve(void *number)
{
	Server s = {.fn = answer, .most = 512,
		.arg = (void *)(intptr_t)atoi(number)};
	Channel *ends = chancreate(sizeof(int), 1);
	Timeout t;
	int sig, r = 1;

	if(serverlisten(&s, 0) < 0 || signalwatch(SIGTERM, ends) < 0 ||
			fdwrite(1, "r", 1) != 1)
		taskexit(2);
	chanrecv(ends, &sig);
	TIMEOUT(&t, 10000)
		r = serverstop(&s);
	chanfree(ends);
	taskexit(r != 0);
}

/* begins one, and waits until it serves. */
static void
launch(Child *c)
{
	char number[16], ready;
	char *const argv[] = {self, "serve", number, NULL};

	snprintf(number, sizeof number, "%d", ngenerations++);
	*c = (Child){.fd = {listener, CHILDPIPE, 0}};
	ck_assert_int_eq(childspawn(c, argv), 0);
	ck_assert_int_eq(fdread(c->fd[1], &ready, 1), 1);
	fdclose(c->fd[1]);
}

static void
endone(Child *c)
{
	int status;

	ck_assert_int_eq(childkill(c, SIGTERM), 0);
	ck_assert_int_eq(childwait(c, &status), 0);
	ck_assert_int_eq(status, 0);
}

TASK_TEST(a_process_that_follows_another_fails_nobody)
{
	Child c[2];
	Group clients = {0};
	int n = howmany(watched() ? Processes / 5 : Processes);

	if(emulated())
		TEST_SKIP("programs are run by the emulator only");
	begin(&clients);
	launch(&c[0]);
	for(int i = 1; i <= n; i++){
		untilanswers(2 * Clients);
		launch(&c[i % 2]);
		endone(&c[(i + 1) % 2]);
	}
	untilanswers(1);
	finish(&clients);
	endone(&c[n % 2]);
	printf("note: %d processes, %d answers, %d asked again\n", n + 1,
		nanswers, nagain);
}

int
main(int argc, char **argv)
{
	const TTest *const tests[] = {
		restarts_under_load_fail_nobody,
		a_process_that_follows_another_fails_nobody
	};

	if(argc == 3)
		return taskrun(serve, argv[2]);
	if(realpath(argv[0], self) == NULL)
		return 1;
	return test_main("restart", tests, sizeof tests / sizeof tests[0]);
}
