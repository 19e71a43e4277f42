/* SPDX-License-Identifier: MIT */
/* UNIX sockets, datagrams with addresses, and options of sockets. */
#include "fdtest.h"
#include "watched.h"
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

static char path[64];
static char addr[NETADDRSIZE];

static void
freshpath(void)
{
	snprintf(path, sizeof path, "/tmp/unix-test.%d", (int)getpid());
	unlink(path);
}

static void
saysback(void *v)
{
	char server[16], buf[64];
	int port = 7, fd = netaccept(*(int *)v, server, &port);

	ck_assert_int_ge(fd, 0);
	ck_assert_str_eq(server, "");
	ck_assert_int_eq(port, 0);
	ssize_t n = fdread(fd, buf, sizeof buf);
	ck_assert_int_eq(fdwrite(fd, buf, (size_t)n), n);
	fdclose(fd);
}

static void
talksat(const char *where)
{
	char buf[64];
	int listener = netannounce(UNIX, where, 0);

	ck_assert_int_ge(listener, 0);
	taskcreate(saysback, &listener, 65536);
	int fd = netdial(UNIX, where, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fdwrite(fd, "hello", 5), 5);
	ck_assert_int_eq(fdreadn(fd, buf, 5), 5);
	ck_assert_int_eq(memcmp(buf, "hello", 5), 0);
	FAILS(netannounce(UNIX, where, 0), EADDRINUSE);
	fdclose(fd);
	fdclose(listener);
}

TASK_TEST(what_is_announced_at_a_path_can_be_dialled)
{
	struct stat st;

	freshpath();
	talksat(path);
	ck_assert_int_eq(lstat(path, &st), 0);	/* a file that lasts */
	talksat(path);	/* gives way */
	unlink(path);
}

TASK_TEST(an_abstract_name_leaves_no_file)
{
	char name[64];

	snprintf(name, sizeof name, "@unix-test.%d", (int)getpid());
	talksat(name);
	ck_assert_int_lt(access(name, F_OK), 0);
	FAILS(netdial(UNIX, name, 0), ECONNREFUSED);
}

TASK_TEST(what_is_no_socket_or_another_kind_stays)
{
	freshpath();
	fclose(fopen(path, "w"));
	FAILS(netannounce(UNIX, path, 0), EADDRINUSE);
	ck_assert_int_eq(access(path, F_OK), 0);
	unlink(path);
	int fd = netannounce(UNIXGRAM, path, 0);
	ck_assert_int_ge(fd, 0);
	FAILS(netannounce(UNIX, path, 0), EADDRINUSE);
	FAILS(netannounce(UNIXGRAM, path, 0), EADDRINUSE);
	fdclose(fd);
	unlink(path);
}

TASK_TEST(bad_paths_are_told)
{
	char longpath[200];

	memset(longpath, 'x', sizeof longpath - 1);
	longpath[0] = '/';
	longpath[sizeof longpath - 1] = '\0';
	FAILS(netannounce(UNIX, NULL, 0), EINVAL);
	FAILS(netannounce(UNIX, "", 0), EINVAL);
	FAILS(netannounce(UNIX, longpath, 0), ENAMETOOLONG);
	FAILS(netannounce(UNIX | NETSHARED, "/tmp/x", 0), EINVAL);
	FAILS(netannounce(4, "/tmp/x", 0), EINVAL);
	FAILS(netannounce(UNIX, "/no/such/dir/x", 0), ENOENT);
	FAILS(netdial(UNIX, "", 0), EINVAL);
	FAILS(netdial(UNIX, NULL, 0), EINVAL);
	FAILS(netdial(UNIX, longpath, 0), ENAMETOOLONG);
	FAILS(netdial(UNIX, "/no/such/dir/x", 0), ENOENT);
	FAILS(netdial(UNIX | NETSHARED, "/tmp/x", 0), EINVAL);
}

static int ndialled;

static void
dials(void *v)
{
	int fd = netdial(UNIX, v, 0);

	ck_assert_int_ge(fd, 0);
	ndialled++;
	taskdelay(20);
	fdclose(fd);
}

/* The kernel says EAGAIN, and no event when there is room. */
TASK_TEST(who_dials_where_many_wait_is_let_in_in_the_end)
{
	enum { Dialling = 20 };
	char server[16];
	int port;
	Timeout t;

	freshpath();
	int listener = netannounce(UNIX | NETBACKLOG(2), path, 0);
	ck_assert_int_ge(listener, 0);
	for(int i = 0; i < Dialling; i++)
		taskcreate(dials, path, 65536);
	taskdelay(20);
	ck_assert_int_lt(ndialled, Dialling);
	TIMEOUT(&t, 10)
		FAILS(netdial(UNIX, path, 0), ETIMEDOUT);
	for(int i = 0; i < Dialling; i++)
		fdclose(netaccept(listener, server, &port));
	for(int i = 0; i < 1000 && ndialled < Dialling; i++)
		taskdelay(5);
	ck_assert_int_eq(ndialled, Dialling);
	settle();
	fdclose(listener);
	unlink(path);
}

TASK_TEST(a_backlog_is_what_was_asked_for)
{
	int tcp = netannounce(TCP | NETBACKLOG(3), "127.0.0.1", 0);
	struct tcp_info info;
	socklen_t n = sizeof info;

	ck_assert_int_ge(tcp, 0);
	if(!emulated() && getsockopt(tcp, IPPROTO_TCP, TCP_INFO, &info,
			&n) == 0)
		ck_assert_uint_eq(info.tcpi_sacked, 3);
	fdclose(tcp);
	FAILS(netannounce(-1, "127.0.0.1", 0), EINVAL);
	FAILS(netannounce(TCP | 32, "127.0.0.1", 0), EINVAL);
	FAILS(netdial(TCP | NETBACKLOG(3), "127.0.0.1", 1), EINVAL);
}

/* Datagrams */

static int
ported(int fd)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof sa;

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
	return ntohs(((struct sockaddr_in *)&sa)->sin_port);
}

TASK_TEST(a_datagram_tells_where_it_is_from_and_is_answered_there)
{
	char buf[100];
	int port, a = netannounce(UDP, "127.0.0.1", 0);
	int b = netannounce(UDP, "127.0.0.1", 0);

	ck_assert_int_eq(netsendto(a, "ping", 4, "127.0.0.1", ported(b)), 4);
	ck_assert_int_eq(netrecvfrom(b, buf, sizeof buf, addr, sizeof addr,
		&port), 4);
	ck_assert_str_eq(addr, "127.0.0.1");
	ck_assert_int_eq(port, ported(a));
	ck_assert_int_eq(netsendto(b, "", 0, addr, port), 0);
	ck_assert_int_eq(netrecvfrom(a, buf, sizeof buf, addr, sizeof addr,
		&port), 0);
	ck_assert_int_eq(port, ported(b));
	ck_assert_int_eq(netsendto(a, "truncated", 9, "127.0.0.1", ported(b)),
		9);
	ck_assert_int_eq(netrecvfrom(b, buf, 5, NULL, 0, NULL), 5);
	fdclose(a);
	fdclose(b);
}

TASK_TEST(a_socket_for_both_families_sends_to_numbers_of_both)
{
	char buf[100];
	int port, a = netannounce(UDP, NULL, 0);
	int b = netannounce(UDP, "127.0.0.1", 0);
	int c = netannounce(UDP, "::1", 0);

	ck_assert_int_eq(netsendto(a, "four", 4, "127.0.0.1", ported(b)), 4);
	ck_assert_int_eq(netrecvfrom(b, buf, sizeof buf, addr, sizeof addr,
		&port), 4);
	ck_assert_int_eq(netsendto(b, "back", 4, addr, port), 4);
	ck_assert_int_eq(netrecvfrom(a, buf, sizeof buf, addr, sizeof addr,
		&port), 4);
	ck_assert_str_eq(addr, "127.0.0.1");
	if(c >= 0){
		ck_assert_int_eq(netsendto(a, "six", 3, "::1", ported(c)), 3);
		ck_assert_int_eq(netrecvfrom(c, buf, sizeof buf, addr,
			sizeof addr, &port), 3);
		ck_assert_str_eq(addr, "::1");
		fdclose(c);
	}
	fdclose(a);
	fdclose(b);
}

TASK_TEST(a_datagram_waits_and_its_wait_ends_as_others_do)
{
	char buf[8];
	Timeout t;
	int a = netannounce(UDP, "127.0.0.1", 0);

	TIMEOUT(&t, 20)
		FAILS(netrecvfrom(a, buf, sizeof buf, NULL, 0, NULL),
			ETIMEDOUT);
	FAILS(netsendto(a, "x", 1, "localhost.invalid", 9), EINVAL);
	FAILS(netsendto(a, "x", 1, "", 9), EINVAL);
	FAILS(netsendto(a, "x", 1, "127.0.0.1", 65536), EINVAL);
	FAILS(netsendto(a, "x", 1, "127.0.0.1", -1), EINVAL);
	FAILS(netsendto(a, "x", 1, NULL, 0), EDESTADDRREQ);
	FAILS(netrecvfrom(a, buf, sizeof buf, addr, 10, NULL), ENOSPC);
	FAILS(netsendto(-1, "x", 1, "127.0.0.1", 9), EBADF);
	FAILS(netrecvfrom(-1, buf, 1, NULL, 0, NULL), EBADF);
	static char large[70000];
	FAILS(netsendto(a, large, sizeof large, "127.0.0.1", 9), EMSGSIZE);
	fdclose(a);
}

TASK_TEST(datagrams_go_between_paths)
{
	char other[80], buf[8];
	int port = 1;

	freshpath();
	snprintf(other, sizeof other, "%s.other", path);
	unlink(other);
	int a = netannounce(UNIXGRAM, path, 0);
	int b = netannounce(UNIXGRAM, other, 0);
	int c = netdial(UNIXGRAM, path, 0);
	ck_assert(a >= 0 && b >= 0 && c >= 0);
	ck_assert_int_eq(netsendto(a, "one", 3, other, 0), 3);
	ck_assert_int_eq(netrecvfrom(b, buf, sizeof buf, addr, sizeof addr,
		&port), 3);
	ck_assert_str_eq(addr, path);
	ck_assert_int_eq(port, 0);
	ck_assert_int_eq(netsendto(c, "two", 3, NULL, 0), 3);
	ck_assert_int_eq(fdwrite(c, "three", 5), 5);
	ck_assert_int_eq(netrecvfrom(a, buf, sizeof buf, addr, sizeof addr,
		&port), 3);
	ck_assert_str_eq(addr, "");	/* it has none */
	ck_assert_int_eq(netrecvfrom(a, buf, sizeof buf, NULL, 0, NULL), 5);
	fdclose(a);
	fdclose(b);
	fdclose(c);
	unlink(path);
	unlink(other);
}

static int full;

static void
sendsmany(void *v)
{
	for(int i = 0; i < 1000; i++)
		if(netsendto(*(int *)v, &i, sizeof i, path, 0) < 0)
			full++;
}

TASK_TEST(who_sends_to_one_that_is_full_waits)
{
	int got;

	freshpath();
	int a = netannounce(UNIXGRAM, path, 0);
	int b = netdial(UNIXGRAM, path, 0);
	int id = taskcreate(sendsmany, &b, 65536);
	taskdelay(5);
	for(int i = 0; i < 1000; i++){
		ck_assert_int_eq(netrecvfrom(a, &got, sizeof got, NULL, 0,
			NULL), sizeof got);
		ck_assert_int_eq(got, i);
	}
	(void)id;
	settle();
	ck_assert_int_eq(full, 0);
	fdclose(a);
	fdclose(b);
	unlink(path);
}

/* Options */

static int
option(int fd, int level, int name)
{
	int value = -1;
	socklen_t n = sizeof value;

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &n), 0);
	return value;
}

TASK_TEST(options_are_set)
{
	int fd = netannounce(TCP, "127.0.0.1", 0);

	ck_assert_int_eq(netoption(fd, NETKEEPALIVE, 30), 0);
	ck_assert_int_eq(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 30);
	ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
	ck_assert_int_eq(netoption(fd, NETKEEPALIVE, 0), 0);
	ck_assert_int_eq(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
	ck_assert_int_eq(netoption(fd, NETNODELAY, 1), 0);
	ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	ck_assert_int_eq(netoption(fd, NETSENDBUF, 20000), 0);
	ck_assert_int_ge(option(fd, SOL_SOCKET, SO_SNDBUF), 20000);
	ck_assert_int_eq(netoption(fd, NETRECVBUF, 20000), 0);
	ck_assert_int_ge(option(fd, SOL_SOCKET, SO_RCVBUF), 20000);
	ck_assert_int_eq(netoption(fd, NETUNACKED, 5000), 0);
	ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 5000);
	ck_assert_int_eq(netoption(fd, NETDEFER, 1), 0);
	ck_assert_int_eq(netoption(fd, NETBROADCAST, 1), 0);
	FAILS(netoption(fd, 0, 1), EINVAL);
	FAILS(netoption(fd, NETDEFER + 1, 1), EINVAL);
	FAILS(netoption(fd, NETNODELAY, -1), EINVAL);
	FAILS(netoption(-1, NETNODELAY, 1), EBADF);
	fdclose(fd);
}

/* fdwritev */

enum { Pieces = 100, Piece = 5000 };

static char sent[Pieces * Piece], got[Pieces * Piece];

static void
writesall(void *v)
{
	struct iovec iov[Pieces];

	for(int i = 0; i < Pieces; i++)
		iov[i] = (struct iovec){sent + i * Piece, Piece};
	ck_assert_int_eq(fdwritev(*(int *)v, iov, Pieces), sizeof sent);
	ck_assert_uint_eq(fdwritten(), sizeof sent);
	fdclose(*(int *)v);
}

static void
arrives(int *fds)
{
	for(size_t i = 0; i < sizeof sent; i++)
		sent[i] = (char)(i * 7 + i / 251);
	memset(got, 0, sizeof got);
	fdnoblock(fds[0]);
	fdnoblock(fds[1]);
	taskcreate(writesall, &fds[1], 65536);
	ck_assert_int_eq(fdreadn(fds[0], got, sizeof got), sizeof got);
	ck_assert_int_eq(memcmp(sent, got, sizeof got), 0);
	fdclose(fds[0]);
}

TASK_TEST(many_pieces_arrive_as_one)
{
	int fds[2];

	pair(fds);
	arrives(fds);
	ck_assert_int_eq(pipe(fds), 0);
	arrives(fds);
}

TASK_TEST(pieces_for_a_datagram_are_one_and_bad_ones_are_told)
{
	struct iovec iov[] = {{"one ", 4}, {NULL, 0}, {"two", 3}};
	char buf[32];

	freshpath();
	int a = netannounce(UNIXGRAM, path, 0), b = netdial(UNIXGRAM, path, 0);
	ck_assert_int_eq(fdwritev(b, iov, 3), 7);
	ck_assert_int_eq(fdread(a, buf, sizeof buf), 7);
	ck_assert_int_eq(memcmp(buf, "one two", 7), 0);
	FAILS(fdwritev(b, iov, -1), EINVAL);
	FAILS(fdwritev(b, NULL, 1), EINVAL);
	FAILS(fdwritev(b, iov, 1025), EINVAL);
	FAILS(fdwritev(-1, iov, 3), EBADF);
	iov[0].iov_len = SIZE_MAX;
	FAILS(fdwritev(b, iov, 3), EINVAL);
	fdclose(a);
	fdclose(b);
	unlink(path);
	int fds[2];
	pair(fds);
	ck_assert_int_eq(fdwritev(fds[0], iov, 0), 0);
	close(fds[1]);
	iov[0].iov_len = 4;
	FAILS(fdwritev(fds[0], iov, 3), EPIPE);
	close(fds[0]);
}

static void
writesmuch(void *v)
{
	struct iovec iov[] = {{sent, sizeof sent / 2}, {sent +
		sizeof sent / 2, sizeof sent / 2}};

	ck_assert_int_eq(fdwritev(*(int *)v, iov, 2), sizeof sent);
}

/* Each of two writers has its turn. */
TASK_TEST(the_pieces_of_two_tasks_do_not_mix)
{
	int fds[2];

	for(size_t i = 0; i < sizeof sent; i++)
		sent[i] = (char)(i >> 12);
	pair(fds);
	taskcreate(writesmuch, &fds[1], 65536);
	taskcreate(writesmuch, &fds[1], 65536);
	for(int i = 0; i < 2; i++){
		ck_assert_int_eq(fdreadn(fds[0], got, sizeof got), sizeof got);
		ck_assert_int_eq(memcmp(sent, got, sizeof got), 0);
	}
	settle();
	fdclose(fds[0]);
	fdclose(fds[1]);
}

TEST_MAIN("unix",
	what_is_announced_at_a_path_can_be_dialled,
	an_abstract_name_leaves_no_file,
	what_is_no_socket_or_another_kind_stays,
	bad_paths_are_told,
	who_dials_where_many_wait_is_let_in_in_the_end,
	a_backlog_is_what_was_asked_for,
	a_datagram_tells_where_it_is_from_and_is_answered_there,
	a_socket_for_both_families_sends_to_numbers_of_both,
	a_datagram_waits_and_its_wait_ends_as_others_do,
	datagrams_go_between_paths,
	who_sends_to_one_that_is_full_waits,
	options_are_set,
	many_pieces_arrive_as_one,
	pieces_for_a_datagram_are_one_and_bad_ones_are_told,
	the_pieces_of_two_tasks_do_not_mix)
