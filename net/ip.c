/* SPDX-License-Identifier: MIT */
/* Addresses: from text, to text. */
#include "../task.h"
#include "ip.h"
#include "../task/newnames.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NameMost = 255 };	/* bytes of a host name; longer are refused */

static int
errnoof(int eai)
{
	switch(eai){
	case EAI_MEMORY:
		return ENOMEM;
	case EAI_AGAIN:
		return EAGAIN;
	case EAI_SYSTEM:
		return errno;
	default:
		return ENOENT;
	}
}

/* adds to found what libc has found, and frees that. */
static void
keep(struct addrinfo *list, Addresses *found)
{
	for(const struct addrinfo *ai = list; ai; ai = ai->ai_next){
		Address *a = &found->v[found->n];
		if(found->n == IpMost || ai->ai_addrlen > sizeof a->at)
			continue;
		a->type = ai->ai_socktype;
		a->n = ai->ai_addrlen;
		memcpy(&a->at, ai->ai_addr, a->n);
		found->n++;
	}
	freeaddrinfo(list);
}

/* returns what getaddrinfo does. */
static int
ask(const Question *q, const char *host, int flags, Addresses *found)
{
	struct addrinfo hints = {.ai_family = q->family, .ai_socktype = q->type,
		.ai_flags = flags | AI_NUMERICSERV}, *list;
	char service[16];

	snprintf(service, sizeof service, "%d", q->port);
	int eai = getaddrinfo(host, service, &hints, &list);
	if(eai == 0)
		keep(list, found);
	return eai;
}

/* returns 0 if addresses were found, else -1. */
static int
answered(int eai, const Addresses *found)
{
	if(eai == 0 && found->n > 0)
		return 0;
	errno = eai ? errnoof(eai) : ENOENT;
	return -1;
}

/* IPv4 first: there are systems where nothing listens at the other. */
static int
asklocal(const Question *q, Addresses *found)
{
	int eai = 0;

	if(q->family != AF_INET6)
		eai = ask(q, "127.0.0.1", AI_NUMERICHOST, found);
	if(q->family != AF_INET)
		eai = ask(q, "::1", AI_NUMERICHOST, found);
	return answered(found->n > 0 ? 0 : eai, found);
}

int
task_ipnumber(const Question *q, Addresses *found)
{
	const char *host = q->host;

	found->n = 0;
	if(q->port < 0 || q->port > 65535 ||
			(host && (*host == '\0' || strlen(host) > NameMost))){
		errno = EINVAL;
		return -1;
	}
	if(host && strcasecmp(host, "localhost") == 0)
		return asklocal(q, found);
	int eai = ask(q, host, AI_PASSIVE | AI_NUMERICHOST, found);
	return eai == EAI_NONAME ? 1 : answered(eai, found);
}

int
task_ipask(const Question *q, Addresses *found)
{
	found->n = 0;
	return answered(ask(q, q->host, 0, found), found);
}

void
task_iptext(const struct sockaddr *sa, char *text, int *port)
{
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;

	text[0] = '\0';
	*port = 0;
	if(sa->sa_family == AF_INET){
		inet_ntop(AF_INET, &v4->sin_addr, text, IpTextBytes);
		*port = ntohs(v4->sin_port);
	}else if(sa->sa_family == AF_INET6){
		if(IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
			inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, text,
				IpTextBytes);
		else
			inet_ntop(AF_INET6, &v6->sin6_addr, text, IpTextBytes);
		if(v6->sin6_scope_id)
			sprintf(text + strlen(text), "%%%u", v6->sin6_scope_id);
		*port = ntohs(v6->sin6_port);
	}
}

/* What errnoof has made of the answers about names, in words again. */
const char *
neterror(int err)
{
	switch(err){
	case ENOENT:
		return "No such host";
	case EAGAIN:
		return "Name server does not answer";
	default:
		return strerror(err);
	}
}
