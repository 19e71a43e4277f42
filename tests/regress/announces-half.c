/* SPDX-License-Identifier: MIT */
/* Only "there is no IPv6 here" is a reason to be content with less. */
/*
 * Cause: netannounce took any error for a reason to announce the next address,
 * or IPv4 alone: if another had the port for IPv6, half of the clients reached
 * that one.  netdial went on to the next address when the task was cancelled,
 * and hid a refusal behind the next address's "no such family".
 * Fix: announcing goes on after errors that say so only; dialling ends with the
 * task's time and with the descriptors, and tells the error that tells most.
 */
#include <arpa/inet.h>
#include <netdb.h>

#include "../fdtest.h"

/* All names have these addresses, the first of them first. */
static struct sockaddr_storage sa[2];
static struct addrinfo ai[2];

static struct addrinfo *
addressof(int i, const char *text, int port, int type)
{
	struct sockaddr_in *v4 = (void *)&sa[i];
	struct sockaddr_in6 *v6 = (void *)&sa[i];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	memset(&sa[i], 0, sizeof sa[i]);
	v4->sin_family = (sa_family_t)family;
	v4->sin_port = htons((uint16_t)port);
	inet_pton(family, text, family == AF_INET ? (void *)&v4->sin_addr :
		(void *)&v6->sin6_addr);
	ai[i] = (struct addrinfo){.ai_family = family, .ai_socktype = type,
		.ai_addr = (struct sockaddr *)&sa[i],
		.ai_addrlen = family == AF_INET ? sizeof *v4 : sizeof *v6};
	return &ai[i];
}

static const char *first, *second;	/* NULL: no such */
static int portof2;	/* the second's port, or 0: that asked for */

/* in place of libc's */
int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
	struct addrinfo **list)
{
	int port = atoi(service), type = hints->ai_socktype;

	if(name == NULL)
		name = hints->ai_family == AF_INET6 ? "::" : "0.0.0.0";
	else if(strcmp(name, "two") == 0)
		name = NULL;
	*list = addressof(0, name ? name : first, port, type);
	if(name == NULL)
		ai[0].ai_next = addressof(1, second, portof2 ? portof2 : port,
			type);
	return 0;
}

void
freeaddrinfo(struct addrinfo *list)
{
	ck_assert_ptr_eq(list, ai);
}

/* Another service that has a port of one family only; -1: no IPv6 here. */
static int
ipv6only(int type)
{
	int one = 1, fd = socket(AF_INET6, type | SOCK_NONBLOCK, 0);
	struct sockaddr_in6 any = {.sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_ANY_INIT};

	if(fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if(bind(fd, (struct sockaddr *)&any, sizeof any) < 0)
		return -1;
	if(type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 5), 0);
	return fd;
}

TASK_TEST(a_port_that_another_has_for_ipv6_alone_is_in_use)
{
	int tcp = ipv6only(SOCK_STREAM), udp = ipv6only(SOCK_DGRAM);

	if(tcp < 0)
		TEST_SKIP("no IPv6");
	FAILS(netannounce(TCP, "*", portof(tcp)), EADDRINUSE);
	FAILS(netannounce(TCP, NULL, portof(tcp)), EADDRINUSE);
	FAILS(netannounce(UDP, "*", portof(udp)), EADDRINUSE);
}

TASK_TEST(a_name_is_announced_at_its_first_address_or_not_at_all)
{
	int taken = netannounce(TCP, "127.0.0.1", 0);

	first = "127.0.0.1";
	second = "127.0.0.2";
	FAILS(netannounce(TCP, "two", portof(taken)), EADDRINUSE);
	/* but if it is not this machine's, at its second */
	first = "192.0.2.1";
	int fd = netannounce(TCP, "two", portof(taken));
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(portof(fd), portof(taken));
}

TASK_TEST(a_refusal_is_not_hidden_by_an_address_of_no_use_here)
{
	int fd = netannounce(TCP, "127.0.0.1", 0), port = portof(fd);

	fdclose(fd);
	first = "127.0.0.1";
	second = "255.255.255.255";	/* TCP: ENETUNREACH */
	FAILS(netdial(TCP, "two", port), ECONNREFUSED);
	first = second;
	second = "127.0.0.1";
	FAILS(netdial(TCP, "two", port), ECONNREFUSED);
}

static int naccepted;

static void
acceptor(void *v)
{
	tasksystem();
	while(netaccept(*(int *)v, NULL, NULL) >= 0)
		naccepted++;
}

/* A listener whose backlog is full: who dials waits. */
static int
fulllistener(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof any;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&any, n), 0);
	ck_assert_int_eq(listen(fd, 0), 0);
	getsockname(fd, (struct sockaddr *)&any, &n);
	for(int i = 0; i < 4; i++)
		connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
			(struct sockaddr *)&any, n);
	return fd;
}

TASK_TEST(a_dial_whose_time_is_up_tries_no_further_address)
{
	int listener = netannounce(TCP, "127.0.0.2", 0);
	int full = fulllistener();
	Timeout t;

	first = "127.0.0.1";
	second = "127.0.0.2";
	portof2 = portof(listener);
	taskcreate(acceptor, &listener, 0);
	timeoutstart(&t, 10);
	FAILS(netdial(TCP, "two", portof(full)), ETIMEDOUT);
	ck_assert_int_eq(timeoutfired(&t), 1);
	timeoutstop(&t);
	settle();
	ck_assert_int_eq(naccepted, 0);
}

TEST_MAIN("announces-half",
	a_port_that_another_has_for_ipv6_alone_is_in_use,
	a_name_is_announced_at_its_first_address_or_not_at_all,
	a_refusal_is_not_hidden_by_an_address_of_no_use_here,
	a_dial_whose_time_is_up_tries_no_further_address)
