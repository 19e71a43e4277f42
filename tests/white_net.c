/* SPDX-License-Identifier: MIT */
/* Sockets from inside: errors in a row. */
#define TEST_POLLER "poll"
#include "../machine/machine.h"
#include "fdtest.h"
#include "watched.h"

/* What accept says, call by call; 0 is a real call. */
static const int *script;
static int naccepts, npolls;
static int64_t virtual_ns = Second;
static Sys real;

static int
scripted(int fd, struct sockaddr *sa, socklen_t *n)
{
	naccepts++;
	if(script && *script >= 0){
		int err = *script++;
		if(err){
			errno = err;
			return -1;
		}
	}
	return real.accept(fd, sa, n);
}

static int64_t
virtualnow(void)
{
	return virtual_ns;
}

static int
virtualpoll(struct pollfd *fds, nfds_t nfds, struct timespec *timeout)
{
	int64_t s = timeout->tv_sec < 1000000 ? timeout->tv_sec : 1000000;
	int64_t ns = s * Second + timeout->tv_nsec;
	struct timespec zero = {0, 0};

	npolls++;
	int n = real.poll(fds, nfds, &zero);
	if(n == 0)
		virtual_ns += ns;
	return n;
}

static void
begin(void)
{
	real = task_sys;
	task_sys.accept = scripted;
	task_sys.poll = virtualpoll;
	task_sys.now = virtualnow;
}

static int listener;

static void
dialself(void)
{
	ck_assert_int_ge(netdial(TCP, "127.0.0.1", portof(listener)), 0);
}

TASK_TEST_BY(netaccept_backs_off_from_10_ms_to_1_s_while_numbers_are_short,
	begin();
	run(body))
{
	static const int errs[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM, EMFILE,
		EMFILE, EMFILE, EMFILE, EMFILE, 0, -1};

	script = errs;
	listener = netannounce(TCP, "127.0.0.1", 0);
	dialself();
	int64_t start = virtual_ns;
	naccepts = npolls = 0;
	ck_assert_int_ge(netaccept(listener, NULL, NULL), 0);
	ck_assert_int_eq(naccepts, 10);
	ck_assert_int_le(npolls, 20);
	int64_t ms = 10 + 20 + 40 + 80 + 160 + 320 + 640 + 1000 + 1000;
	ck_assert_int_eq((virtual_ns - start) / Millisecond, ms);
}

static void
acceptshort(void *v)
{
	static const int errs[] = {EMFILE, ENFILE, 0, EMFILE, 0, -1};

	(void)v;
	begin();
	script = errs;
	taskname("door\n");
	listener = netannounce(TCP, "127.0.0.1", 0);
	for(int i = 0; i < 2; i++){
		dialself();
		ck_assert_int_ge(netaccept(listener, NULL, NULL), 0);
	}
	taskexit(0);
}

/* The number that the line tells: the child's own. */
static int
listenerfd(const char *line)
{
	const char *at = strstr(line, "descriptor ");

	return at ? atoi(at + strlen("descriptor ")) : -1;
}

START_TEST(netaccept_says_once_in_a_process_that_numbers_are_short)
{
	char err[1024], want[256];

	ck_assert_int_eq(childtask(acceptshort, err, sizeof err), 0);
	snprintf(want, sizeof want, "task 1 (door\\n): netaccept of "
		"descriptor %d has to wait: %s; close some descriptors, or "
		"raise ulimit -n\n", listenerfd(err), strerror(EMFILE));
	ck_assert_str_eq(err, want);
}
END_TEST

TASK_TEST_BY(netaccept_goes_on_after_a_connection_that_failed,
	begin();
	run(body))
{
	static const int errs[] = {ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT,
		EHOSTDOWN, EHOSTUNREACH, ENETUNREACH, EAGAIN, EAGAIN, 0, -1};
	int64_t start = virtual_ns;

	script = errs;
	listener = netannounce(TCP, "127.0.0.1", 0);
	dialself();
	ck_assert_int_ge(netaccept(listener, NULL, NULL), 0);
	ck_assert_int_eq(naccepts, 10);
	ck_assert_int_eq(virtual_ns, start);
}

/* The only datagram socket there is, or -1. */
static int
reserve(void)
{
	int fd, type;
	socklen_t n = sizeof type;

	for(fd = CountedFds; fd >= 0; fd--)
		if(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
				type == SOCK_DGRAM)
			break;
	return fd;
}

/* A connection that no task here is asked for. */
static int
connected(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)portof(listener)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	return fd;
}

/* takes all numbers below a limit that is the number of the next one. */
static void
takeall(void)
{
	struct rlimit limit;
	int next = dup(0), fd;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)next;
	close(next);
	setrlimit(RLIMIT_NOFILE, &limit);
	while((fd = dup(0)) >= 0)
		;
}

static int naccepted;

static void
acceptforever(void *v)
{
	(void)v;
	tasksystem();
	while(netaccept(listener, NULL, NULL) >= 0)
		naccepted++;
}

static int
refused(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

TASK_TEST_BY(connections_are_refused_when_numbers_are_short_for_long,
	begin();
	run(body))
{
	struct rlimit before;
	int fds[3];

	if(valgrind())
		TEST_SKIP("Valgrind checks the limit after it has accepted");
	getrlimit(RLIMIT_NOFILE, &before);
	listener = netannounce(TCP, "127.0.0.1", 0);
	taskcreate(acceptforever, NULL, 0);
	connected();
	taskdelay(1);
	ck_assert_int_eq(naccepted, 1);
	ck_assert_int_eq(reserve(), -1);
	while(dup(0) < 64)
		;
	connected();
	taskdelay(1);
	ck_assert_int_eq(naccepted, 2);
	int spare = reserve();
	ck_assert_int_ge(spare, 0);
	for(int i = 0; i < 3; i++)
		fds[i] = connected();
	takeall();
	taskdelay(3000);
	for(int i = 0; i < 3; i++)
		ck_assert(!refused(fds[i]));
	taskdelay(4000);
	for(int i = 0; i < 3; i++)
		ck_assert(refused(fds[i]));
	ck_assert_int_eq(naccepted, 2);
	ck_assert_int_eq(reserve(), spare);
	/* a number that the program has taken over is not closed */
	dup2(0, spare);
	close(fds[0]);
	fds[0] = connected();
	taskdelay(4000);
	ck_assert(!refused(fds[0]));
	ck_assert_int_ge(fcntl(spare, F_GETFD), 0);
	close(fds[1]);
	taskdelay(2000);
	ck_assert_int_eq(naccepted, 3);
	setrlimit(RLIMIT_NOFILE, &before);	/* for what looks for leaks */
}

/* The peer of the next connection, as accept tells it. */
static struct sockaddr_storage peer;
static socklen_t npeer;

static int
acceptpeer(int fd, struct sockaddr *sa, socklen_t *n)
{
	int conn = real.accept(fd, NULL, NULL);

	if(conn >= 0){
		memcpy(sa, &peer, npeer);
		*n = npeer;
	}
	return conn;
}

static void
peeris(const struct sockaddr *sa, size_t n, const char *in16, const char *whole)
{
	struct { char before[16], server[16], after[16]; } b;
	char addr[64];
	int port;

	memcpy(&peer, sa, n);
	npeer = (socklen_t)n;
	memset(&b, '#', sizeof b);
	dialself();
	ck_assert_int_ge(netaccept(listener, b.server, &port), 0);
	ck_assert_str_eq(b.server, in16);
	ck_assert(b.before[15] == '#' && b.after[0] == '#');
	dialself();
	ck_assert_int_ge(netacceptaddr(listener, addr, sizeof addr, &port), 0);
	ck_assert_str_eq(addr, whole);
	ck_assert_int_eq(port, sa->sa_family == AF_UNIX ? 0 : 4660);
}

TASK_TEST_BY(an_ipv6_peer_too_long_for_16_bytes_is_cut_and_marked,
	real = task_sys;
	task_sys.accept = acceptpeer;
	run(body))
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(4660),
		.sin_addr.s_addr = htonl(0xffffffff)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(4660)};
	struct sockaddr un = {.sa_family = AF_UNIX};
	uint8_t *ip = v6.sin6_addr.s6_addr;

	listener = netannounce(TCP, "127.0.0.1", 0);
	peeris((struct sockaddr *)&v4, sizeof v4, "255.255.255.255",
		"255.255.255.255");
	peeris(&un, sizeof(sa_family_t), "", "");
	ip[15] = 1;
	peeris((struct sockaddr *)&v6, sizeof v6, "::1", "::1");
	memset(ip + 10, 0xff, 6);
	peeris((struct sockaddr *)&v6, sizeof v6, "255.255.255.255",
		"255.255.255.255");
	memset(ip, 0, 16);
	memcpy(ip, "\x20\x01\x0d\xb8\0\0\0\0", 8);
	ip[14] = 0x12, ip[15] = 0x34;
	peeris((struct sockaddr *)&v6, sizeof v6, "2001:db8::1234",
		"2001:db8::1234");
	ip[13] = 0x01;
	peeris((struct sockaddr *)&v6, sizeof v6, "2001:db8::1:1..",
		"2001:db8::1:1234");
	memset(ip, 0xfe, 16);
	v6.sin6_scope_id = UINT32_MAX;
	peeris((struct sockaddr *)&v6, sizeof v6, "fefe:fefe:fef..",
		"fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe%4294967295");
}

/* A connection that is closed again whatever fails on the way to it. */
static int failing;

static int
failsocket(int family, int type)
{
	(void)family, (void)type;
	errno = failing;
	return -1;
}

static int
failconnect(int fd, const struct sockaddr *sa, socklen_t n)
{
	(void)fd, (void)sa, (void)n;
	errno = failing;
	return -1;
}

static int
failgetopt(int fd, int level, int name, int *value)
{
	(void)fd, (void)level;
	*value = name == SO_ERROR ? failing : 0;
	return 0;
}

static int
failbind(int fd, const struct sockaddr *sa, socklen_t n)
{
	return failconnect(fd, sa, n);
}

static int
faillisten(int fd, int backlog)
{
	(void)fd, (void)backlog;
	errno = failing;
	return -1;
}

TASK_TEST_BY(a_socket_that_fails_on_the_way_is_closed_and_its_errno_kept,
	real = task_sys;
	run(body))
{
	static const int errs[] = {EMFILE, ENETUNREACH, ETIMEDOUT, ECONNREFUSED,
		EADDRNOTAVAIL, EINVAL};

	listener = netannounce(TCP, "127.0.0.1", 0);
	int port = portof(listener), before = openfds();
	for(int i = 0; i < 6; i++){
		failing = errs[i];
		task_sys.connect = failconnect;
		FAILS(netdial(TCP, "127.0.0.1", port), failing);
		FAILS(netdial(UDP, "127.0.0.1", port), failing);
		task_sys.connect = real.connect;
		task_sys.getopt = failgetopt;
		FAILS(netdial(TCP, "127.0.0.1", port), failing);
		task_sys.getopt = real.getopt;
		task_sys.socket = failsocket;
		FAILS(netdial(TCP, "127.0.0.1", port), failing);
		FAILS(netannounce(TCP, NULL, 0), failing);
		task_sys.socket = real.socket;
		task_sys.bind = failbind;
		FAILS(netannounce(TCP, NULL, 0), failing);
		task_sys.bind = real.bind;
		task_sys.listen = faillisten;
		FAILS(netannounce(TCP, "127.0.0.1", 0), failing);
		task_sys.listen = real.listen;
	}
	ck_assert_int_eq(openfds(), before);
}

static int
noipv6(int family, int type)
{
	if(family == AF_INET6){
		errno = EAFNOSUPPORT;
		return -1;
	}
	return real.socket(family, type);
}

TASK_TEST(any_address_is_that_of_ipv4_where_there_is_no_ipv6)
{
	real = task_sys;
	task_sys.socket = noipv6;
	errno = EDOM;
	listener = netannounce(TCP, NULL, 0);
	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(errno, EDOM);
	dialself();
	ck_assert_int_ge(netaccept(listener, NULL, NULL), 0);
}

/* The IPv6 socket of a system where it is never IPv4's too. */
static int
onlyipv6(int fd, int level, int name, int value)
{
	if(level == IPPROTO_IPV6 && name == IPV6_V6ONLY && value == 0){
		errno = EINVAL;
		return -1;
	}
	return real.setopt(fd, level, name, value);
}

TASK_TEST(any_address_is_that_of_ipv4_where_one_socket_cannot_be_both)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof sa;

	real = task_sys;
	task_sys.setopt = onlyipv6;
	listener = netannounce(TCP, NULL, 0);
	ck_assert_int_ge(listener, 0);
	getsockname(listener, (struct sockaddr *)&sa, &n);
	ck_assert_int_eq(sa.ss_family, AF_INET);
}

TEST_MAIN("net inside",
	netaccept_backs_off_from_10_ms_to_1_s_while_numbers_are_short,
	netaccept_says_once_in_a_process_that_numbers_are_short,
	netaccept_goes_on_after_a_connection_that_failed,
	connections_are_refused_when_numbers_are_short_for_long,
	an_ipv6_peer_too_long_for_16_bytes_is_cut_and_marked,
	a_socket_that_fails_on_the_way_is_closed_and_its_errno_kept,
	any_address_is_that_of_ipv4_where_there_is_no_ipv6,
	any_address_is_that_of_ipv4_where_one_socket_cannot_be_both)
