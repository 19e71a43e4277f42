/* SPDX-License-Identifier: MIT */
/* Who waits until a peer has gone is told of that, and of nothing else. */
#include "fdtest.h"

static int fds[2];
static int result, err, nended;

static void
waits(void *v)
{
	result = fdwait(*(int *)v, 'h');
	err = errno;
	nended++;
}

/* one waits for fds[0], and is parked. */
static int
awaiting(void)
{
	result = 99;
	int id = taskcreate(waits, &fds[0], 0);
	taskdelay(5);
	ck_assert_int_eq(result, 99);
	return id;
}

static void
told(void)
{
	for(int i = 0; i < 5000 && result == 99; i++)
		taskdelay(1);
	ck_assert_int_eq(result, 0);
}

TASK_TEST(a_peer_that_closes_has_gone)
{
	pair(fds);
	awaiting();
	close(fds[1]);
	told();
	ck_assert_int_eq(fdwait(fds[0], 'h'), 0);	/* and stays so */
	ck_assert_int_eq(fdwait(fds[0], 'h'), 0);
	fdclose(fds[0]);
}

TASK_TEST(S3_4_what_it_has_sent_and_nobody_has_read_hides_nothing)
{
	char c[8];

	pair(fds);
	ck_assert_int_eq(write(fds[1], "unread", 6), 6);
	awaiting();
	ck_assert_int_eq(write(fds[1], "!", 1), 1);
	taskdelay(5);
	ck_assert_int_eq(result, 99);
	close(fds[1]);
	told();
	ck_assert_int_eq(fdread(fds[0], c, sizeof c), 7);
	ck_assert_int_eq(fdread(fds[0], c, sizeof c), 0);
	fdclose(fds[0]);
}

/* The kernel has news in each turn, which is not what is waited for. */
TASK_TEST(while_there_are_unread_bytes_nothing_spins)
{
	Taskstats before, after;

	pair(fds);
	ck_assert_int_eq(write(fds[1], "unread", 6), 6);
	awaiting();
	ck_assert_int_eq(taskstats(&before, sizeof before), 0);
	taskdelay(100);
	ck_assert_int_eq(taskstats(&after, sizeof after), 0);
	ck_assert_uint_le(after.turns - before.turns, 20);
	close(fds[1]);
	told();
	fdclose(fds[0]);
}

TASK_TEST(one_that_shuts_down_its_side_has_gone_and_can_be_written_to)
{
	char c;

	pair(fds);
	awaiting();
	shutdown(fds[1], SHUT_WR);
	told();
	ck_assert_int_eq(fdwrite(fds[0], "x", 1), 1);
	ck_assert_int_eq(read(fds[1], &c, 1), 1);
	fdclose(fds[0]);
	close(fds[1]);
}

static int
connected(int *server)
{
	int port, fd = netannounce(TCP, "127.0.0.1", 0);

	ck_assert_int_ge(fd, 0);
	struct sockaddr_in sa;
	socklen_t n = sizeof sa;
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	int client = netdial(TCP, "127.0.0.1", ntohs(sa.sin_port));
	ck_assert_int_ge(client, 0);
	*server = netaccept(fd, NULL, &port);
	ck_assert_int_ge(*server, 0);
	fdclose(fd);
	return client;
}

TASK_TEST(a_client_of_TCP_goes_by_a_close_and_by_a_reset)
{
	struct linger none = {1, 0};

	for(int resets = 0; resets < 2; resets++){
		int client = connected(&fds[0]);
		fdnoblock(fds[0]);
		awaiting();
		if(resets)
			setsockopt(client, SOL_SOCKET, SO_LINGER, &none,
				sizeof none);
		fdclose(client);
		told();
		fdclose(fds[0]);
	}
}

/* Behind a read that has taken all there was, and perhaps the end with it. */
TASK_TEST(it_is_told_after_short_reads_whether_it_comes_before_or_later)
{
	char c[8];

	for(int later = 0; later < 2; later++){
		int client = connected(&fds[0]);
		fdnoblock(fds[0]);
		for(int i = 0; i < 3; i++){
			ck_assert_int_eq(write(client, "ab", 2), 2);
			ck_assert(i > 0 || fdwait(fds[0], 'r') == 0);
			ck_assert_int_eq(fdread(fds[0], c, sizeof c), 2);
			taskcancel(awaiting());
			taskdelay(5);
			ck_assert_int_eq(result, -1);
			ck_assert_int_eq(err, ECANCELED);
		}
		ck_assert_int_eq(write(client, "ab", 2), 2);
		if(!later)
			close(client);
		ck_assert_int_eq(fdread(fds[0], c, sizeof c), 2);
		if(later){
			awaiting();
			close(client);
			told();
		}
		ck_assert_int_eq(fdwait(fds[0], 'h'), 0);
		fdclose(fds[0]);
	}
}

TASK_TEST(both_ends_of_a_pipe_learn_it)
{
	for(int end = 0; end < 2; end++){
		int p[2];
		ck_assert_int_eq(pipe(p), 0);
		fds[0] = p[end];
		fdnoblock(fds[0]);
		awaiting();
		close(p[!end]);
		told();
		fdclose(fds[0]);
	}
}

enum { Many = 10 };

TASK_TEST(all_who_wait_are_told_and_those_who_read_are_too)
{
	char c;

	pair(fds);
	for(int i = 0; i < Many; i++)
		taskcreate(waits, &fds[0], 0);
	taskdelay(5);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_int_eq(fdread(fds[0], &c, 1), 1);
	close(fds[1]);
	ck_assert_int_eq(fdread(fds[0], &c, 1), 0);
	for(int i = 0; i < 5000 && nended < Many; i++)
		taskdelay(1);
	ck_assert_int_eq(nended, Many);
	ck_assert_int_eq(result, 0);
	fdclose(fds[0]);
}

TASK_TEST(the_wait_ends_as_others_do)
{
	Timeout t;

	pair(fds);
	TIMEOUT(&t, 20)
		FAILS(fdwait(fds[0], 'h'), ETIMEDOUT);
	int id = awaiting();
	taskcancel(id);
	settle();
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(err, ECANCELED);
	awaiting();
	fdclose(fds[0]);
	settle();
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(err, EBADF);
	close(fds[1]);
	FAILS(fdwait(-1, 'h'), EBADF);
	int file = open("/dev/null", O_RDWR);
	TIMEOUT(&t, 20)
		FAILS(fdwait(file, 'h'), ETIMEDOUT);	/* it has no peer */
	fdclose(file);
}

static void
closes(void *v)
{
	(void)v;
	close(fds[1]);
}

TASK_TEST(an_alt_waits_for_it_beside_others)
{
	Channel *c = chancreate(sizeof(unsigned long), 0);
	Alt a[] = {{.c = c, .op = CHANRCV},
		{.op = ALTHANGUP}, {.op = ALTDELAY, .ms = 20}, {.op = CHANEND}};

	pair(fds);
	a[1].fd = fds[0];
	ck_assert_int_eq(write(fds[1], "unread", 6), 6);
	ck_assert_int_eq(chanalt(a), 2);
	shutdown(fds[1], SHUT_WR);
	ck_assert_int_eq(chanalt(a), 1);
	ck_assert_int_eq(a[1].err, 0);
	ck_assert_int_eq(chanalt(a), 1);
	close(fds[1]);
	a[2].ms = 100000;
	ck_assert_int_eq(chanalt(a), 1);
	fdclose(fds[0]);
	ck_assert_int_eq(chanalt(a), 1);
	ck_assert_int_eq(a[1].err, EBADF);
	pair(fds);
	a[1].fd = fds[0];
	taskcreate(waits, &fds[0], 0);
	taskafter(5, closes, NULL);
	ck_assert_int_eq(chanalt(a), 1);
	fdclose(fds[0]);
	settle();
	chanfree(c);
}

TEST_MAIN("hangup",
	a_peer_that_closes_has_gone,
	S3_4_what_it_has_sent_and_nobody_has_read_hides_nothing,
	while_there_are_unread_bytes_nothing_spins,
	one_that_shuts_down_its_side_has_gone_and_can_be_written_to,
	a_client_of_TCP_goes_by_a_close_and_by_a_reset,
	it_is_told_after_short_reads_whether_it_comes_before_or_later,
	both_ends_of_a_pipe_learn_it,
	all_who_wait_are_told_and_those_who_read_are_too,
	the_wait_ends_as_others_do,
	an_alt_waits_for_it_beside_others)
