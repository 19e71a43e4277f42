/* SPDX-License-Identifier: MIT */
/* The example tcpproxy: ends, breaks, and strangers. */
#include "program.h"

enum { BigBytes = 3000000 };

static char
bigbyte(size_t i)
{
	return (char)(i * 2654435761u >> 13);
}

static int
announce(int *port)
{
	struct sockaddr_in addr = local(0);
	socklen_t n = sizeof addr;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (void *)&addr, n), 0);
	ck_assert_int_eq(listen(fd, 128), 0);
	getsockname(fd, (void *)&addr, &n);
	*port = ntohs(addr.sin_port);
	return fd;
}

static Program
proxyto(int port)
{
	char text[16];

	sprintf(text, "%d", port);
	return serve("tcpproxy", ARGS("0", "127.0.0.1", text));
}

static void
stopproxy(Program *proxy, char *buf, size_t size)
{
	kill(proxy->pid, SIGTERM);
	slurp(proxy->out, buf, size, NULL);
	ck_assert_int_eq(finish(proxy), 0);
}

/* A child that reads one connection to its end, and only then answers. */
static pid_t
reverser(int listener)
{
	static char buf[BigBytes + 1];
	pid_t pid = fork();

	if(pid == 0){
		int fd = accept(listener, NULL, NULL);
		size_t n = slurp(fd, buf, sizeof buf, NULL);
		for(size_t i = 0; i < n / 2; i++){
			char c = buf[i];
			buf[i] = buf[n - 1 - i];
			buf[n - 1 - i] = c;
		}
		put(fd, buf, n);
		_exit(0);
	}
	return pid;
}

START_TEST(each_direction_of_a_relayed_connection_ends_by_itself)
{
	static char buf[BigBytes + 1], back[BigBytes + 1];
	char report[256], want[256];
	int port, status, listener = announce(&port);
	Program proxy = proxyto(port);
	pid_t server = reverser(listener);
	int fd = dial(proxy.port);

	for(size_t i = 0; i < BigBytes; i++)
		buf[i] = bigbyte(i);
	put(fd, buf, BigBytes);
	shutdown(fd, SHUT_WR);
	ck_assert_uint_eq(slurp(fd, back, sizeof back, NULL), BigBytes);
	for(size_t i = 0; i < BigBytes; i++)
		if(back[i] != bigbyte(BigBytes - 1 - i))
			ck_abort_msg("byte %zu is wrong", i);
	close(fd);
	ck_assert_int_eq(waitpid(server, &status, 0), server);
	ck_assert_int_eq(status, 0);
	stopproxy(&proxy, report, sizeof report);
	sprintf(want, "relayed %d bytes to the server, %d bytes to clients\n",
		BigBytes, BigBytes);
	ck_assert_str_eq(report, want);
}
END_TEST

START_TEST(a_broken_transfer_does_not_look_like_a_whole_one)
{
	struct linger reset = {1, 0};
	char c;
	int port, listener = announce(&port);
	Program proxy = proxyto(port);
	int client = dial(proxy.port);

	put(client, "x", 1);
	int server = accept(listener, NULL, NULL);
	ck_assert_int_eq(read(server, &c, 1), 1);
	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(client);
	ck_assert_int_eq(read(server, &c, 1), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	close(server);
	kill(proxy.pid, SIGINT);
	ck_assert_int_eq(finish(&proxy), 0);
}
END_TEST

START_TEST(a_proxy_without_a_server_closes_and_goes_on)
{
	char buf[64];
	int port, listener = announce(&port);

	close(listener);
	Program proxy = proxyto(port);
	for(int i = 0; i < 3; i++){
		int fd = dial(proxy.port);
		ck_assert_uint_eq(slurp(fd, buf, sizeof buf, NULL), 0);
		close(fd);
	}
	stopproxy(&proxy, buf, sizeof buf);
}
END_TEST

/*
 * One connection does nothing; on the other one side sends for longer than the
 * proxy's patience, while the other is silent.
 */
START_TEST(a_connection_on_which_nothing_moves_is_broken_off)
{
	struct timespec nap = {0, 50000000};
	char text[16], c;
	int port, listener = announce(&port);

	sprintf(text, "%d", port);
	Program proxy = serve("tcpproxy", ARGS("0", "127.0.0.1", text, "1"));
	int64_t start = nowns();
	int silent = dial(proxy.port), unheard = accept(listener, NULL, NULL);
	int busy = dial(proxy.port), sends = accept(listener, NULL, NULL);
	while(nowns() - start < 2500000000){
		put(sends, "x", 1);
		ck_assert_int_eq(read(busy, &c, 1), 1);
		nanosleep(&nap, NULL);
	}
	ck_assert_int_eq(read(silent, &c, 1), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	ck_assert_int_eq(read(unheard, &c, 1), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	put(busy, "y", 1);
	ck_assert_int_eq(read(sends, &c, 1), 1);
	kill(proxy.pid, SIGTERM);
	ck_assert_int_eq(finish(&proxy), 0);
}
END_TEST

/*
 * Descriptor reuse: connections come and go in all ways, and each has a byte of
 * its own.  Whoever sees another byte has a stranger's.
 */
enum { Workers = 8, Rounds = 40, Burst = 20000 };

static int strangers, proxyport, working, serving;

/* reads until the end or an error, and counts bytes that are not c. */
static void
readown(int fd, char c, long most)
{
	char buf[4096];
	ssize_t n;

	while(most > 0 && (n = fdread(fd, buf, sizeof buf)) > 0){
		most -= n;
		for(ssize_t i = 0; i < n; i++)
			strangers += buf[i] != c;
	}
}

static void
sendback(void *v)
{
	int fd = (int)(intptr_t)v;
	char c, buf[Burst];

	serving++;
	if(fdread(fd, &c, 1) == 1){
		memset(buf, c, sizeof buf);
		for(int i = 0; i < 5 && fdwrite(fd, buf, sizeof buf) > 0; i++)
			;
		if(c % 3 == 0)
			shutdown(fd, SHUT_WR);
		if(c % 3 != 1)
			readown(fd, c, 1L << 30);
	}
	fdclose(fd);
	serving--;
}

static void
server(void *v)
{
	int fd, listener = (int)(intptr_t)v;

	tasksystem();
	while((fd = netaccept(listener, NULL, NULL)) >= 0)
		if(taskcreate(sendback, (void *)(intptr_t)fd, 65536) < 0)
			fdclose(fd);
}

static void
worker(void *v)
{
	struct linger reset = {1, 0};
	char buf[Burst];

	for(int round = 0; round < Rounds; round++){
		char c = (char)((intptr_t)v * Rounds + round);
		int fd = netdial(TCP, "127.0.0.1", proxyport);
		ck_assert_int_ge(fd, 0);
		memset(buf, c, sizeof buf);
		fdwrite(fd, buf, sizeof buf);
		switch(round % 5){
		case 0:	/* both directions to their ends */
			shutdown(fd, SHUT_WR);
			readown(fd, c, 1L << 30);
			break;
		case 1:	/* gone while the server sends */
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset,
				sizeof reset);
			break;
		case 2:	/* gone with something unread */
			readown(fd, c, 1);
			break;
		case 3:
			shutdown(fd, SHUT_RD);
			fdwrite(fd, buf, sizeof buf);
			break;
		}
		fdclose(fd);
	}
	working--;
}

TASK_TEST_BY(P47_no_byte_reaches_a_stranger_when_descriptors_are_reused,
	run(body);
	ck_assert_int_eq(strangers, 0))
{
	int listener = netannounce(TCP, "127.0.0.1", 0);
	struct sockaddr_in addr;
	socklen_t n = sizeof addr;

	getsockname(listener, (void *)&addr, &n);
	Program proxy = proxyto(ntohs(addr.sin_port));
	proxyport = proxy.port;
	taskcreate(server, (void *)(intptr_t)listener, 65536);
	for(working = 0; working < Workers; working++)
		taskcreate(worker, (void *)(intptr_t)working, 65536);
	while(working > 0 || serving > 0)
		taskdelay(5);
	taskdelay(50);	/* TSan may lose a signal that comes in a switch */
	kill(proxy.pid, SIGTERM);
	ck_assert_int_eq(finish(&proxy), 0);
}

PROGRAM_MAIN("tcpproxy", each_direction_of_a_relayed_connection_ends_by_itself,
	a_broken_transfer_does_not_look_like_a_whole_one,
	a_proxy_without_a_server_closes_and_goes_on,
	a_connection_on_which_nothing_moves_is_broken_off,
	P47_no_byte_reaches_a_stranger_when_descriptors_are_reused)
