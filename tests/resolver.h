/* SPDX-License-Identifier: MIT */
/* A resolver in place of libc's, as slow as a test wants it. */
#ifndef RESOLVER_H
#define RESOLVER_H

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "fdtest.h"

/*
 * Names that begin with "slow" are answered when the gate is opened.  "none" is
 * no host, of "mute" no server answers; the others have the addresses that the
 * test has listed, each with its port.
 */
static struct sockaddr_storage resolved[20];
static int nresolved;
static atomic_int gateopen, nasked, nasking, nnumbers, nfreed;
static _Atomic(pthread_t) askedby;

static inline void
resolves(const char *text, int port)
{
	struct sockaddr_storage *sa = &resolved[nresolved++];
	struct sockaddr_in *v4 = (void *)sa;
	struct sockaddr_in6 *v6 = (void *)sa;

	ck_assert_int_le(nresolved, 20);
	memset(sa, 0, sizeof *sa);
	sa->ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	v4->sin_port = htons((uint16_t)port);	/* at the same place in both */
	ck_assert_int_eq(inet_pton(sa->ss_family, text, sa->ss_family ==
		AF_INET ? (void *)&v4->sin_addr : (void *)&v6->sin6_addr), 1);
}

__attribute__((no_sanitize("thread"))) static inline struct addrinfo *
answerof(const struct sockaddr_storage *sa, int port, int type)
{
	struct addrinfo *ai = calloc(1, sizeof *ai + sizeof *sa);
	struct sockaddr_in *v4 = (void *)(ai + 1);

	memcpy(v4, sa, sizeof *sa);
	if(v4->sin_port == 0)
		v4->sin_port = htons((uint16_t)port);
	*ai = (struct addrinfo){.ai_family = sa->ss_family,
		.ai_socktype = type, .ai_addr = (struct sockaddr *)v4,
		.ai_addrlen = sa->ss_family == AF_INET ? sizeof *v4 :
		sizeof(struct sockaddr_in6)};
	return ai;
}

static inline int
answernumber(const char *host, int port, int type, struct addrinfo **list)
{
	struct sockaddr_storage sa = {0};
	struct sockaddr_in *v4 = (void *)&sa;
	struct sockaddr_in6 *v6 = (void *)&sa;

	nnumbers++;
	if(inet_pton(AF_INET, host, &v4->sin_addr) == 1)
		sa.ss_family = AF_INET;
	else if(inet_pton(AF_INET6, host, &v6->sin6_addr) == 1)
		sa.ss_family = AF_INET6;
	else
		return EAI_NONAME;
	*list = answerof(&sa, port, type);
	return 0;
}

/* forgets the addresses, which nobody who was left behind may be reading. */
static inline void
resolvesanew(void)
{
	while(nasking > 0)
		usleep(1000);
	nresolved = 0;
}

/* One that was left behind may begin while the next addresses are set. */
__attribute__((no_sanitize("thread"))) int
getaddrinfo(const char *restrict host, const char *restrict service,
	const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
	struct timespec ms = {0, 1000000};
	struct addrinfo *ai;
	int port = atoi(service);

	if(host == NULL)
		host = hints->ai_family == AF_INET6 ? "::" : "0.0.0.0";
	if(strpbrk(host, ".:") || (hints->ai_flags & AI_NUMERICHOST))
		return answernumber(host, port, hints->ai_socktype, list);
	nasked++;
	nasking++;
	askedby = pthread_self();
	while(strncmp(host, "slow", 4) == 0 && !gateopen)
		nanosleep(&ms, NULL);
	*list = NULL;
	int mute = strcmp(host, "mute") == 0;
	int silent = mute || strcmp(host, "none") == 0;
	for(int i = silent ? -1 : nresolved - 1; i >= 0; i--)
		if(hints->ai_family == AF_UNSPEC ||
				hints->ai_family == resolved[i].ss_family){
			ai = answerof(&resolved[i], port, hints->ai_socktype);
			ai->ai_next = *list;
			*list = ai;
		}
	nasking--;
	return *list ? 0 : mute ? EAI_AGAIN : EAI_NONAME;
}

void
freeaddrinfo(struct addrinfo *list)
{
	struct addrinfo *next;

	for(; list; list = next, nfreed++){
		next = list->ai_next;
		free(list);
	}
}

#endif
