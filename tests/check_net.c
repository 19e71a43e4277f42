/* SPDX-License-Identifier: MIT */
/* Announce, accept, dial, as their users see them. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include "fdtest.h"

static int
haveipv6(void)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	int r = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&sa, sizeof sa);

	if(fd >= 0)
		close(fd);
	return r == 0;
}

/* A name of this machine; a bare system has none: then its address. */
static char *
localname(void)
{
	uint32_t ip;
	int err = errno;
	int known = netlookup("localhost", &ip) == 0;

	if(!known)
		fputs("note: localhost has no address here\n", stderr);
	errno = err;
	return known ? "localhost" : "127.0.0.1";
}

static int
announce(int proto, char *addr)
{
	errno = EDOM;
	int fd = netannounce(proto, addr, 0);
	ck_assert_msg(fd >= 0, "%s: %s", addr ? addr : "any", strerror(errno));
	ck_assert_int_eq(errno, EDOM);
	ck_assert_int_gt(portof(fd), 0);
	return fd;
}

/* The flags that every socket of ours has. */
static void
prepared(int fd)
{
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
}

static int
optionof(int fd, int level, int name)
{
	int value = -1;
	socklen_t n = sizeof value;

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &n), 0);
	return value;
}

static void
echo(void *v)
{
	char buf[100];
	int fd = *(int *)v;
	ssize_t r;

	free(v);
	while((r = fdread(fd, buf, sizeof buf)) > 0)
		ck_assert_int_eq(fdwrite(fd, buf, (size_t)r), r);
	fdclose(fd);
}

static void
serve(void *v)
{
	int listener = *(int *)v, fd;

	tasksystem();
	while((fd = netaccept(listener, NULL, NULL)) >= 0){
		int *conn = malloc(sizeof *conn);
		*conn = fd;
		taskcreate(echo, conn, 0);
	}
}

static void
echoes(int fd)
{
	char buf[6];

	ck_assert_int_eq(fdwrite(fd, "hello", 6), 6);
	ck_assert_int_eq(fdreadn(fd, buf, 6), 6);
	ck_assert_str_eq(buf, "hello");
}

/* An echo server at addr, and a client that reaches it as host, over TCP. */
static void
echoat(char *addr, char *host)
{
	int listener = announce(TCP, addr);

	taskcreate(serve, &listener, 0);
	errno = EDOM;
	int fd = netdial(TCP, host, portof(listener));
	ck_assert_msg(fd >= 0, "%s: %s", host, strerror(errno));
	ck_assert_int_eq(errno, EDOM);
	prepared(listener);
	prepared(fd);
	echoes(fd);
	fdclose(fd);
	fdclose(listener);
	settle();
}

TASK_TEST(a_tcp_server_is_reached_by_each_name_of_its_address)
{
	echoat("127.0.0.1", "127.0.0.1");
	echoat(localname(), localname());
	echoat("*", "127.0.0.1");
	echoat(NULL, "127.0.0.1");
	echoat("0.0.0.0", localname());
}

TASK_TEST(a_tcp_server_is_reached_over_ipv6)
{
	if(!haveipv6())
		TEST_SKIP("no IPv6");
	echoat("::1", "::1");
	echoat("*", "::1");
	echoat(NULL, "::1");
}

static void
udpat(char *addr, char *host)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof sa;
	int server = announce(UDP, addr);
	int client = netdial(UDP, host, portof(server));
	char buf[8];

	ck_assert_int_ge(client, 0);
	prepared(server);
	prepared(client);
	ck_assert_int_eq(optionof(client, SOL_SOCKET, SO_BROADCAST), 1);
	ck_assert_int_eq(fdwrite(client, "ask", 3), 3);
	ck_assert_int_eq(fdwait(server, 'r'), 0);
	ck_assert_int_eq(recvfrom(server, buf, sizeof buf, 0,
		(struct sockaddr *)&sa, &n), 3);
	ck_assert_int_eq(sendto(server, "answer", 6, 0,
		(struct sockaddr *)&sa, n), 6);
	ck_assert_int_eq(fdread(client, buf, sizeof buf), 6);
	fdclose(client);
	fdclose(server);
}

TASK_TEST(udp_sockets_are_bound_and_connected)
{
	udpat("127.0.0.1", "127.0.0.1");
	udpat(localname(), localname());
	udpat("*", "127.0.0.1");
	udpat(NULL, "127.0.0.1");
	if(!haveipv6())
		TEST_SKIP("no IPv6");
	udpat("::1", "::1");
	udpat("*", "::1");
}

TASK_TEST(what_netaccept_gives_is_ready_for_use)
{
	int listener = announce(TCP, "127.0.0.1");
	int to = netdial(TCP, "127.0.0.1", portof(listener));
	errno = EDOM;
	int from = netaccept(listener, NULL, NULL);

	ck_assert_int_ge(from, 0);
	ck_assert_int_eq(errno, EDOM);
	prepared(from);
	ck_assert_int_ne(optionof(from, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_ne(optionof(listener, SOL_SOCKET, SO_REUSEADDR), 0);
	fdclose(to);
}

/* From one address, and from several in a race. */
TASK_TEST(what_netdial_gives_sends_small_pieces_at_once)
{
	static char *const hosts[] = {"127.0.0.1", "localhost"};

	for(int i = 0; i < 2; i++){
		int listener = announce(TCP, "*");
		int to = netdial(TCP, hosts[i], portof(listener));
		ck_assert_int_ge(to, 0);
		ck_assert_int_ne(optionof(to, IPPROTO_TCP, TCP_NODELAY), 0);
		fdclose(to);
		fdclose(listener);
	}
}

/* The text of a peer that dials host, with watched bytes around it. */
static void
peeris(char *addr, char *host, const char *text)
{
	struct { char before[16], server[16], after[16]; } b;
	char whole[64];
	int listener = announce(TCP, addr);
	int port = -1;

	memset(&b, '#', sizeof b);
	int to = netdial(TCP, host, portof(listener));
	int from = netaccept(listener, b.server, &port);
	ck_assert_int_ge(from, 0);
	ck_assert_str_eq(b.server, text);
	ck_assert_int_eq(port, portof(to));
	for(int i = 0; i < 16; i++)
		ck_assert(b.before[i] == '#' && b.after[i] == '#');
	fdclose(to);
	fdclose(from);
	to = netdial(TCP, host, portof(listener));
	from = netacceptaddr(listener, whole, sizeof whole, &port);
	ck_assert_int_ge(from, 0);
	ck_assert_str_eq(whole, text);
	ck_assert_int_eq(port, portof(to));
	fdclose(to);
	fdclose(from);
	to = netdial(TCP, host, portof(listener));
	from = netacceptaddr(listener, whole, sizeof whole, NULL);
	ck_assert_int_ge(from, 0);
	fdclose(to);
	fdclose(from);
	fdclose(listener);
}

TASK_TEST(netaccept_writes_the_peer_into_16_bytes)
{
	peeris("127.0.0.1", "127.0.0.1", "127.0.0.1");
	peeris("*", "127.0.0.1", "127.0.0.1");
	if(!haveipv6())
		TEST_SKIP("no IPv6");
	peeris("*", "::1", "::1");
}

TASK_TEST(netacceptaddr_says_at_once_that_the_buffer_is_too_small)
{
	int listener = announce(TCP, "127.0.0.1");
	char addr[64];

	FAILS(netacceptaddr(listener, addr, 63, NULL), ENOSPC);
	FAILS(netacceptaddr(listener, addr, 0, NULL), ENOSPC);
	FAILS(netacceptaddr(listener, NULL, 64, NULL), EINVAL);
}

TASK_TEST(bad_arguments_are_EINVAL_and_cost_no_descriptor)
{
	char name[300];
	int before = openfds();
	int bad[] = {-1, 65536, INT_MAX, INT_MIN};

	for(int i = 0; i < 4; i++){
		FAILS(netannounce(TCP, "127.0.0.1", bad[i]), EINVAL);
		FAILS(netannounce(UDP, NULL, bad[i]), EINVAL);
		FAILS(netdial(TCP, "127.0.0.1", bad[i]), EINVAL);
	}
	FAILS(netannounce(4, "127.0.0.1", 0), EINVAL);
	FAILS(netannounce(-1, NULL, 0), EINVAL);
	FAILS(netdial(4, "127.0.0.1", 1), EINVAL);
	FAILS(netdial(TCP, NULL, 1), EINVAL);
	FAILS(netdial(TCP, "", 1), EINVAL);
	FAILS(netannounce(TCP, "", 1), EINVAL);
	FAILS(netlookup(NULL, &(uint32_t){0}), EINVAL);
	FAILS(netlookup("127.0.0.1", NULL), EINVAL);
	ck_assert_int_eq(openfds(), before);
	/* cut at 255, 127 or 63 bytes it would be an address */
	memset(name, '0', sizeof name);
	name[256] = '\0';
	FAILS(netdial(TCP, name, 1), EINVAL);
	FAILS(netannounce(TCP, name, 0), EINVAL);
	FAILS(netlookup(name, &(uint32_t){0}), EINVAL);
}

/* A label of more than 63 bytes is never asked for. */
TASK_TEST(a_host_that_does_not_exist_is_ENOENT)
{
	char name[101];
	uint32_t ip;

	memset(name, 'a', sizeof name);
	name[100] = '\0';
	FAILS(netdial(TCP, name, 1), ENOENT);
	FAILS(netannounce(TCP, name, 0), ENOENT);
	FAILS(netlookup(name, &ip), ENOENT);
	FAILS(netlookup("::1", &ip), ENOENT);
}

START_TEST(neterror_speaks_of_hosts)
{
	errno = EDOM;
	ck_assert_str_eq(neterror(ENOENT), "No such host");
	ck_assert_str_eq(neterror(EAGAIN), "Name server does not answer");
	ck_assert_str_eq(neterror(ECONNREFUSED), strerror(ECONNREFUSED));
	ck_assert_int_eq(errno, EDOM);
}
END_TEST

TASK_TEST(netlookup_gives_network_byte_order)
{
	uint32_t ip[2] = {1, 1};

	errno = EDOM;
	ck_assert_int_eq(netlookup("127.2.3.4", ip), 0);
	ck_assert_uint_eq(ip[0], htonl(0x7f020304));
	ck_assert_int_eq(netlookup(localname(), ip), 0);
	ck_assert_uint_eq(ip[0], htonl(INADDR_LOOPBACK));
	ck_assert_uint_eq(ip[1], 1);
	ck_assert_int_eq(errno, EDOM);
}

TASK_TEST(a_port_in_use_is_EADDRINUSE)
{
	int listener = announce(TCP, "127.0.0.1");
	int before = openfds();

	FAILS(netannounce(TCP, "127.0.0.1", portof(listener)), EADDRINUSE);
	ck_assert_int_eq(openfds(), before);
	int any = announce(TCP, NULL);
	FAILS(netannounce(TCP, NULL, portof(any)), EADDRINUSE);
}

TASK_TEST(a_refused_connection_is_ECONNREFUSED_and_closed)
{
	int listener = announce(TCP, "127.0.0.1");
	int port = portof(listener);

	fdclose(listener);
	int before = openfds();
	for(int i = 0; i < 5; i++){
		FAILS(netdial(TCP, "127.0.0.1", port), ECONNREFUSED);
		FAILS(netdial(TCP, localname(), port), ECONNREFUSED);
	}
	ck_assert_int_eq(openfds(), before);
}

TASK_TEST(netaccept_of_what_does_not_listen_fails)
{
	int fds[2];
	int udp = announce(UDP, "127.0.0.1");
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	nonblockpipe(fds);
	FAILS(netaccept(tcp, NULL, NULL), EINVAL);
	FAILS(netaccept(udp, NULL, NULL), EOPNOTSUPP);
	FAILS(netaccept(fds[0], NULL, NULL), ENOTSOCK);
}

static int nover;

static void
acceptuntilclosed(void *v)
{
	char server[16];
	int port;

	FAILS(netaccept(*(int *)v, server, &port), EBADF);
	nover++;
}

TASK_TEST(fdclose_of_a_listener_ends_all_who_accept)
{
	int listener = announce(TCP, "127.0.0.1");

	for(int i = 0; i < 3; i++)
		taskcreate(acceptuntilclosed, &listener, 0);
	settle();
	ck_assert_int_eq(nover, 0);
	fdclose(listener);
	settle();
	ck_assert_int_eq(nover, 3);
}

static int
unixlistener(int type, struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | type, 0);

	*sa = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(sa->sun_path, sizeof sa->sun_path, "check_net.%d",
		(int)getpid());
	unlink(sa->sun_path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)sa, sizeof *sa), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	return fd;
}

static struct sockaddr_un unixaddr;

static void
dialunix(void *v)
{
	int *fd = v;

	taskdelay(1);
	*fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(*fd, (struct sockaddr *)&unixaddr,
		sizeof unixaddr), 0);
}

static void
acceptunix(int type)
{
	int listener = unixlistener(type, &unixaddr);
	char server[16] = "untouched";
	int port = -1, to = -1;

	taskcreate(dialunix, &to, 0);
	int from = netaccept(listener, server, &port);
	ck_assert_int_ge(from, 0);
	ck_assert_str_eq(server, "");
	ck_assert_int_eq(port, 0);
	prepared(from);
	ck_assert_int_eq(write(to, "x", 1), 1);
	ck_assert_int_eq(fdread(from, server, sizeof server), 1);
	unlink(unixaddr.sun_path);
}

TASK_TEST(netaccept_serves_unix_sockets_of_the_program)
{
	acceptunix(SOCK_NONBLOCK);
	acceptunix(0);
}

enum { Connections = 1000 };

static int listening;
static int naccepted, ndialled;

static void
acceptall(void *v)
{
	int *mine = v;
	int fd;

	while((fd = netaccept(listening, NULL, NULL)) >= 0){
		fdclose(fd);
		++*mine;
		if(++naccepted == Connections)
			fdclose(listening);
	}
	ck_assert_int_eq(errno, EBADF);
}

static void
dialmany(void *v)
{
	int port = *(int *)v;
	char c;

	for(int i = 0; i < Connections / 10; i++){
		int fd = netdial(TCP, "127.0.0.1", port);
		ck_assert_int_ge(fd, 0);
		ndialled++;
		ck_assert_int_eq(fdread(fd, &c, 1), 0);
		fdclose(fd);
	}
}

TASK_TEST(two_acceptors_lose_none_of_a_thousand_connections)
{
	static int mine[2], port;

	listening = announce(TCP, "127.0.0.1");
	port = portof(listening);
	for(int i = 0; i < 2; i++)
		taskcreate(acceptall, &mine[i], 0);
	for(int i = 0; i < 10; i++)
		taskcreate(dialmany, &port, 0);
	while(ndialled < Connections || naccepted < Connections)
		taskdelay(1);
	ck_assert_int_eq(mine[0] + mine[1], Connections);
	ck_assert_int_gt(mine[0], 0);
	ck_assert_int_gt(mine[1], 0);
}

static void
limitfds(int n)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)n;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void
acceptforever(void *v)
{
	tasksystem();
	while(netaccept(*(int *)v, NULL, NULL) >= 0)
		naccepted++;
	ck_abort_msg("netaccept gave up: %s", strerror(errno));
}

/* The one connection waits in the backlog until there is a number for it. */
TASK_TEST(P13_a_listener_survives_that_descriptors_run_out)
{
	struct rlimit before;
	int listener = announce(TCP, "127.0.0.1");

	getrlimit(RLIMIT_NOFILE, &before);
	taskcreate(acceptforever, &listener, 0);
	int to = netdial(TCP, "127.0.0.1", portof(listener));
	taskdelay(1);
	ck_assert_int_eq(naccepted, 1);
	to = socket(AF_INET, SOCK_STREAM, 0);
	limitfds(to + 1);
	ck_assert_int_lt(dup(to), 0);
	struct sockaddr_in sa = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)portof(listener)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	ck_assert_int_eq(connect(to, (struct sockaddr *)&sa, sizeof sa), 0);
	FAILS(netdial(TCP, "127.0.0.1", portof(listener)), EMFILE);
	FAILS(netannounce(TCP, NULL, 0), EMFILE);
	int64_t cpu = cpuns();
	taskdelay(100);
	ck_assert_int_lt(cpuns() - cpu, 90000000);
	if(strcmp(taskpoller(), "uring") == 0)
		TEST_SKIP("the limit is that of when the accept began");
	ck_assert_int_eq(naccepted, 1);
	setrlimit(RLIMIT_NOFILE, &before);
	if(recv(to, &sa, 1, MSG_DONTWAIT) == 0)
		/* Valgrind */
		TEST_SKIP("who checks the limit here accepts first");
	while(naccepted == 1)
		taskdelay(1);
	ck_assert_int_eq(naccepted, 2);
}

/* NETSHARED */

static int
announceshared(int proto, const char *addr, int port)
{
	int fd = netannounce(proto | NETSHARED, addr, port);

	ck_assert_msg(fd >= 0, "netannounce: %s", strerror(errno));
	return fd;
}

TASK_TEST(shared_listeners_get_each_connection_once)
{
	enum { Listeners = 3, Connections = 60 };
	int listener[Listeners], to[Connections], port = 0, sum = 0;

	for(int i = 0; i < Listeners; i++){
		listener[i] = announceshared(TCP, "127.0.0.1", port);
		port = portof(listener[0]);
		ck_assert_int_eq(portof(listener[i]), port);
	}
	for(int i = 0; i < Connections; i++)
		to[i] = netdial(TCP, "127.0.0.1", port);
	for(int i = 0; i < Listeners; i++){
		int fd, n = 0;
		while((fd = accept(listener[i], NULL, NULL)) >= 0){
			fdclose(fd);
			n++;
		}
		ck_assert_int_gt(n, 0);	/* or it is 1 in 10^10 */
		sum += n;
	}
	ck_assert_int_eq(sum, Connections);
	for(int i = 0; i < Connections; i++)
		fdclose(to[i]);
	for(int i = 0; i < Listeners; i++)
		fdclose(listener[i]);
}

TASK_TEST(shared_sockets_of_udp_divide_the_peers)
{
	enum { Peers = 40 };
	int a = announceshared(UDP, "127.0.0.1", 0), sum = 0;
	int b = announceshared(UDP, "127.0.0.1", portof(a));
	char c;

	for(int i = 0; i < Peers; i++){
		int fd = netdial(UDP, "127.0.0.1", portof(a));
		ck_assert_int_eq(fdwrite(fd, "x", 1), 1);
		fdclose(fd);
	}
	while(read(a, &c, 1) == 1)
		sum++;
	ck_assert_int_gt(sum, 0);
	ck_assert_int_lt(sum, Peers);
	while(read(b, &c, 1) == 1)
		sum++;
	ck_assert_int_eq(sum, Peers);
	fdclose(a);
	fdclose(b);
}

TASK_TEST(any_address_can_be_shared)
{
	int a = announceshared(TCP, NULL, 0);
	int b = announceshared(TCP, "*", portof(a));

	ck_assert_int_eq(portof(a), portof(b));
	fdclose(a);
	fdclose(b);
}

/* Who does not share is as before, whoever came first. */
TASK_TEST(what_is_not_shared_by_both_is_EADDRINUSE)
{
	for(int proto = UDP; proto <= TCP; proto++){
		int shared = announceshared(proto, "127.0.0.1", 0);
		FAILS(netannounce(proto, "127.0.0.1", portof(shared)),
			EADDRINUSE);
		fdclose(shared);
		int own = netannounce(proto, "127.0.0.1", 0);
		FAILS(netannounce(proto | NETSHARED, "127.0.0.1", portof(own)),
			EADDRINUSE);
		fdclose(own);
	}
}

TASK_TEST(only_what_is_announced_can_be_shared)
{
	FAILS(netdial(TCP | NETSHARED, "127.0.0.1", 1), EINVAL);
	FAILS(netdial(UDP | NETSHARED, "127.0.0.1", 1), EINVAL);
	FAILS(netannounce(4 | NETSHARED, "127.0.0.1", 0), EINVAL);
	FAILS(netannounce(TCP | 2 * NETSHARED, "127.0.0.1", 0), EINVAL);
	FAILS(netannounce(TCP | NETSHARED, "127.0.0.1", 65536), EINVAL);
}

TEST_MAIN("net",
	shared_listeners_get_each_connection_once,
	shared_sockets_of_udp_divide_the_peers,
	any_address_can_be_shared,
	what_is_not_shared_by_both_is_EADDRINUSE,
	only_what_is_announced_can_be_shared,
	a_tcp_server_is_reached_by_each_name_of_its_address,
	a_tcp_server_is_reached_over_ipv6,
	udp_sockets_are_bound_and_connected,
	what_netaccept_gives_is_ready_for_use,
	what_netdial_gives_sends_small_pieces_at_once,
	netaccept_writes_the_peer_into_16_bytes,
	netacceptaddr_says_at_once_that_the_buffer_is_too_small,
	bad_arguments_are_EINVAL_and_cost_no_descriptor,
	a_host_that_does_not_exist_is_ENOENT,
	neterror_speaks_of_hosts,
	netlookup_gives_network_byte_order,
	a_port_in_use_is_EADDRINUSE,
	a_refused_connection_is_ECONNREFUSED_and_closed,
	netaccept_of_what_does_not_listen_fails,
	fdclose_of_a_listener_ends_all_who_accept,
	netaccept_serves_unix_sockets_of_the_program,
	two_acceptors_lose_none_of_a_thousand_connections,
	P13_a_listener_survives_that_descriptors_run_out)
