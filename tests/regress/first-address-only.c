/* SPDX-License-Identifier: MIT */
/* netdial tries every address of a name. */
/*
 * Cause: libtask tried the first address only.
 * Fix: the next one is tried until one answers; the error is that of the last.
 */
#include <arpa/inet.h>
#include <netdb.h>

#include "../fdtest.h"

enum { Addresses = 3 };

static struct sockaddr_in sa[Addresses];
static struct addrinfo ai[Addresses];

/* in place of libc's: all names have these addresses */
int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
	struct addrinfo **list)
{
	(void)name, (void)service;
	for(int i = 0; i < Addresses; i++)
		ai[i] = (struct addrinfo){.ai_family = AF_INET,
			.ai_socktype = hints->ai_socktype,
			.ai_addr = (struct sockaddr *)&sa[i],
			.ai_addrlen = sizeof sa[i],
			.ai_next = i + 1 < Addresses ? &ai[i + 1] : NULL};
	*list = ai;
	return 0;
}

void
freeaddrinfo(struct addrinfo *list)
{
	ck_assert_ptr_eq(list, ai);
}

/* A bound socket, which answers if it listens and refuses if not. */
static int
bound(int i)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socklen_t n = sizeof sa[i];

	sa[i] = (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa[i], n), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa[i], &n), 0);
	return fd;
}

TASK_TEST(the_first_address_that_answers_is_taken)
{
	int fds[Addresses];

	for(int i = 0; i < Addresses; i++)
		fds[i] = bound(i);
	int before = openfds();
	FAILS(netdial(TCP, "name", 1), ECONNREFUSED);
	ck_assert_int_eq(openfds(), before);
	for(int i = Addresses - 1; i >= 0; i--){
		ck_assert_int_eq(listen(fds[i], 5), 0);
		errno = EDOM;
		ck_assert_int_ge(netdial(TCP, "name", 1), 0);
		ck_assert_int_eq(errno, EDOM);
		ck_assert_int_ge(netaccept(fds[i], NULL, NULL), 0);
	}
	ck_assert_int_eq(openfds(), before + 2 * Addresses);
}

TEST_MAIN("first-address-only", the_first_address_that_answers_is_taken)
