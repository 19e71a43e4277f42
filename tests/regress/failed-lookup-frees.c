/* SPDX-License-Identifier: MIT */
/* A lookup that fails frees nothing. */
/*
 * Cause: libtask gave freeaddrinfo a pointer that getaddrinfo had not set.
 * Fix: there is a list only if the lookup succeeds; it is freed once.
 */
#include <netdb.h>

#include "../fdtest.h"

static int fails, nfreed;
static struct sockaddr_in sa;
static struct addrinfo ai;

/* in place of libc's */
int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
	struct addrinfo **list)
{
	(void)name, (void)service;
	if(fails){
		*list = (struct addrinfo *)(void *)&sa;	/* nothing to free */
		errno = EIO;
		return hints->ai_flags & AI_NUMERICHOST ? EAI_NONAME : fails;
	}
	sa.sin_family = AF_INET;
	ai = (struct addrinfo){.ai_family = AF_INET, .ai_socktype = SOCK_STREAM,
		.ai_addr = (struct sockaddr *)&sa, .ai_addrlen = sizeof sa};
	*list = &ai;
	return 0;
}

void
freeaddrinfo(struct addrinfo *list)
{
	ck_assert_ptr_eq(list, &ai);
	nfreed++;
}

TASK_TEST(only_a_list_that_was_made_is_freed)
{
	static const int eai[] = {EAI_NONAME, EAI_FAIL, EAI_AGAIN, EAI_MEMORY,
		EAI_SYSTEM, EAI_NODATA};
	static const int err[] = {ENOENT, ENOENT, EAGAIN, ENOMEM, EIO, ENOENT};
	uint32_t ip;

	for(int i = 0; i < 6; i++){
		fails = eai[i];
		FAILS(netlookup("name", &ip), err[i]);
		FAILS(netdial(TCP, "name", 1), err[i]);
		FAILS(netannounce(TCP, "name", 0), err[i]);
	}
	ck_assert_int_eq(nfreed, 0);
	fails = 0;
	ck_assert_int_eq(netlookup("name", &ip), 0);
	ck_assert_int_eq(nfreed, 1);
	ck_assert_int_ge(netannounce(TCP, "name", 0), 0);
	ck_assert_int_eq(nfreed, 2);
}

TEST_MAIN("failed-lookup-frees", only_a_list_that_was_made_is_freed)
