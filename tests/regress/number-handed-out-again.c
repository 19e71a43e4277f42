/* SPDX-License-Identifier: MIT */
/* Who waits for a file that has gone is told when its number is another's. */
/*
 * Cause: after dup2 or a plain close(2) the number stood for a new file, and
 * fdnoblock, which a new file is shown by, only made the poller forget what it
 * had armed.  With epoll the waiter slept on for ever; with poll and io_uring
 * it took what was meant for the new file.  A wait for the new file did not
 * notice either.
 * Cure: whoever sees a number anew (accept, socket, fdnoblock, a wait beside
 * others) asks whether it is the same open file; if not, its generation counts
 * up, and all that waited for the old one fail with EBADF.
 */
#include "../fdtest.h"

typedef struct Call
{
	int fd;
	ssize_t (*make)(int fd);
	ssize_t result;
	int err;
	int ended;
} Call;

static char got[8];
static char big[1 << 20];

static ssize_t
readsome(int fd)
{
	return fdread(fd, got, sizeof got);
}

static ssize_t
readall(int fd)
{
	return fdreadn(fd, got, sizeof got);
}

static ssize_t
writeall(int fd)
{
	return fdwrite(fd, big, sizeof big);
}

static ssize_t
awaitread(int fd)
{
	return fdwait(fd, 'r');
}

static ssize_t
awaitother(int fd)
{
	return fdwait(fd, 'x');
}

static ssize_t
acceptone(int fd)
{
	return netaccept(fd, NULL, NULL);
}

static void
caller(void *v)
{
	Call *c = v;

	c->result = c->make(c->fd);
	c->err = errno;
	c->ended = 1;
}

static void
start(Call *c, int fd, ssize_t (*make)(int fd))
{
	*c = (Call){.fd = fd, .make = make};
	ck_assert_int_gt(taskcreate(caller, c, 0), 0);
}

/* The poller may first have to give up what it has begun. */
static void
failed(const Call *c, int err)
{
	settle();
	ck_assert_int_eq(c->ended, 1);
	ck_assert_int_eq(c->result, -1);
	ck_assert_int_eq(c->err, err);
}

static void
readsnext(int fd, int peer)
{
	ck_assert_int_eq(write(peer, "new", 3), 3);
	ck_assert_int_eq(readsome(fd), 3);
	ck_assert_int_eq(memcmp(got, "new", 3), 0);
}

static int old[2], new[2];

static void
replace(void)
{
	ck_assert_int_eq(dup2(new[0], old[0]), old[0]);
	ck_assert_int_ge(fdnoblock(old[0]), 0);
}

TASK_TEST(who_waits_is_told_when_another_file_is_shown)
{
	ssize_t (*calls[])(int) = {readsome, readall, writeall, awaitread,
		awaitother};
	Call c;

	for(unsigned int i = 0; i < sizeof calls / sizeof calls[0]; i++){
		pair(old);
		pair(new);
		start(&c, old[0], calls[i]);
		settle();
		ck_assert_int_eq(c.ended, 0);
		replace();
		failed(&c, EBADF);
		readsnext(old[0], new[1]);
		ck_assert_uint_eq(drain(new[1]), 0);
		fdclose(old[0]);
	}
}

TASK_TEST(so_are_all_that_wait_and_that_accept)
{
	Call c[20];

	old[0] = netannounce(TCP, "127.0.0.1", 0);
	new[0] = netannounce(TCP, "127.0.0.1", 0);
	for(int i = 0; i < 20; i++)
		start(&c[i], old[0], acceptone);
	settle();
	replace();
	for(int i = 0; i < 20; i++)
		failed(&c[i], EBADF);
}

TASK_TEST(who_has_waited_before_is_told_too)
{
	Call c;

	pair(old);
	pair(new);
	for(int i = 0; i < 3; i++){
		start(&c, old[0], readsome);
		settle();
		ck_assert_int_eq(write(old[1], "x", 1), 1);
		settle();
		ck_assert_int_eq(c.result, 1);
	}
	start(&c, old[0], readsome);
	settle();
	replace();
	failed(&c, EBADF);
	readsnext(old[0], new[1]);
}

static Wait first;

/* Runs when the reader has been woken, and before it runs. */
static void
replacefirst(void *v)
{
	(void)v;
	ck_assert_int_eq(fdwait(first.fd, 'r'), 0);
	replace();
}

TASK_TEST(who_has_been_woken_is_told_too)
{
	int pipes[2][2];
	Call c;

	pair(old);
	pair(new);
	ck_assert_int_eq(write(new[1], "secret", 6), 6);
	nonblockpipe(pipes[0]);
	nonblockpipe(pipes[1]);
	/* pollers tell of what happens in either order */
	for(int i = 0; i < 2; i++){
		first.fd = pipes[i][0];
		taskcreate(replacefirst, NULL, 0);
		taskyield();
		if(i == 0)
			start(&c, old[0], readsome);
		taskyield();
	}
	ck_assert_int_eq(write(old[1], "x", 1), 1);
	ck_assert_int_eq(write(pipes[0][1], "x", 1), 1);
	ck_assert_int_eq(write(pipes[1][1], "x", 1), 1);
	settle();
	ck_assert_int_eq(c.ended, 1);
	if(c.result > 0)	/* it had been read before */
		ck_assert_int_eq(got[0], 'x');
	else
		ck_assert_int_eq(c.err, EBADF);
}

TASK_TEST(fdnoblock_on_the_same_file_disturbs_nobody)
{
	Call in, out;
	size_t n;

	pair(old);
	n = fill(old[0]);
	start(&in, old[0], readsome);
	start(&out, old[0], writeall);
	settle();
	for(int i = 0; i < 3; i++){
		ck_assert_int_ge(fdnoblock(old[0]), 0);
		settle();
	}
	ck_assert_int_eq(in.ended + out.ended, 0);
	ck_assert_int_eq(write(old[1], "xy", 2), 2);
	for(n += sizeof big; n > 0; settle())
		n -= drain(old[1]);
	ck_assert_int_eq(in.result, 2);
	ck_assert_int_eq(out.result, sizeof big);
}

/* As many as are stranded by close(2), in their first wait for it. */
enum { Stranded = 12 };

static void
strand(Call *c, int fds[][2])
{
	for(int i = 0; i < Stranded; i++){
		pair(fds[i]);
		start(&c[i], fds[i][0], readsome);
	}
	settle();
	for(int i = 0; i < Stranded; i++)
		ck_assert_int_eq(close(fds[i][0]), 0);
}

TASK_TEST(a_number_that_accept_returns_is_not_the_old_one)
{
	int fds[Stranded][2], conn[Stranded];
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	int listener = netannounce(TCP, "127.0.0.1", 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	Call c[Stranded];

	sa.sin_port = htons((uint16_t)portof(listener));
	strand(c, fds);
	for(int i = 0; i < Stranded; i++){
		/* the client's own number is none of those */
		int s = dup2(client, 200 + i);
		close(s);
		s = socket(AF_INET, SOCK_STREAM, 0);
		ck_assert_int_eq(dup2(s, 200 + i), 200 + i);
		close(s);
		ck_assert_int_eq(connect(200 + i, (struct sockaddr *)&sa,
			sizeof sa), 0);
		ck_assert_int_eq(write(200 + i, "secret", 6), 6);
		conn[i] = netaccept(listener, NULL, NULL);
		ck_assert_int_ge(conn[i], 0);
	}
	for(int i = 0; i < Stranded; i++){
		ck_assert_int_eq(conn[i], fds[i][0]);
		failed(&c[i], EBADF);
		ck_assert_uint_eq(drain(conn[i]), 6);
	}
}

TASK_TEST(a_number_that_socket_returns_is_not_the_old_one)
{
	int fds[Stranded][2];
	Call c[Stranded];

	strand(c, fds);
	for(int i = 0; i < Stranded; i++)
		ck_assert_int_ge(netannounce(UDP, "127.0.0.1", 0), 0);
	for(int i = 0; i < Stranded; i++)
		failed(&c[i], EBADF);
}

TASK_TEST(a_number_that_fdnoblock_sees_is_not_the_old_one)
{
	int fds[Stranded][2], ends[2];
	Call c[Stranded];

	strand(c, fds);
	for(int i = 0; i < Stranded; i++){
		nonblockpipe(ends);
		ck_assert_int_eq(dup2(ends[0], fds[i][0]), fds[i][0]);
		ck_assert_int_ge(fdnoblock(fds[i][0]), 0);
		failed(&c[i], EBADF);
		readsnext(fds[i][0], ends[1]);
	}
}

TASK_TEST(a_first_wait_finds_that_others_wait_for_an_old_one)
{
	int fds[Stranded][2], ends[2];
	Call c[Stranded], next;

	strand(c, fds);
	for(int i = 0; i < Stranded; i++){
		nonblockpipe(ends);
		ck_assert_int_eq(dup2(ends[0], fds[i][0]), fds[i][0]);
		start(&next, fds[i][0], readsome);
		failed(&c[i], EBADF);
		ck_assert_int_eq(next.ended, 0);
		ck_assert_int_eq(write(ends[1], "new", 3), 3);
		settle();
		ck_assert_int_eq(next.result, 3);
	}
}

TASK_TEST(a_file_that_was_never_shown_is_not_taken_for_an_old_one)
{
	Call in, out;

	pair(old);
	start(&in, old[0], readsome);
	settle();
	ck_assert_int_eq(write(old[1], "x", 1), 1);
	settle();
	ck_assert_int_eq(in.result, 1);
	ck_assert_int_eq(fdwrite(old[0], "x", 1), 1);
	/* nobody waits: to close it so is not forbidden */
	pair(new);
	fill(new[0]);
	ck_assert_int_eq(close(old[0]), 0);
	ck_assert_int_eq(dup2(new[0], old[0]), old[0]);
	start(&in, old[0], awaitread);
	settle();
	start(&out, old[0], writeall);
	settle();
	ck_assert_int_eq(in.ended + out.ended, 0);
	ck_assert_int_eq(write(new[1], "x", 1), 1);
	drain(new[1]);
	settle();
	ck_assert_int_eq(in.result, 0);
	fdclose(old[0]);
	failed(&out, EBADF);
}

TEST_MAIN("number-handed-out-again",
	who_waits_is_told_when_another_file_is_shown,
	so_are_all_that_wait_and_that_accept,
	who_has_waited_before_is_told_too,
	who_has_been_woken_is_told_too,
	fdnoblock_on_the_same_file_disturbs_nobody,
	a_number_that_accept_returns_is_not_the_old_one,
	a_number_that_socket_returns_is_not_the_old_one,
	a_number_that_fdnoblock_sees_is_not_the_old_one,
	a_first_wait_finds_that_others_wait_for_an_old_one,
	a_file_that_was_never_shown_is_not_taken_for_an_old_one)
