/* SPDX-License-Identifier: MIT */
/* Addresses: from text, to text. */
#include "../task.h"
#include "ip.h"
#include "../task/newnames.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

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

int
task_iplookup(const char *host, int port, int family, int type,
	struct addrinfo **list)
{
	struct addrinfo hints = {.ai_family = family, .ai_socktype = type,
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	char service[16];

	if(port < 0 || port > 65535 ||
			(host && (*host == '\0' || strlen(host) > NameMost))){
		errno = EINVAL;
		return -1;
	}
	snprintf(service, sizeof service, "%d", port);
	int eai = getaddrinfo(host, service, &hints, list);
	if(eai == EAI_NONAME){
		hints.ai_flags = AI_NUMERICSERV;
		eai = getaddrinfo(host, service, &hints, list);
	}
	if(eai == 0)
		return 0;
	errno = errnoof(eai);
	return -1;
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

int
netlookup(const char *name, uint32_t *ip)
{
	struct addrinfo *list;

	if(name == NULL || ip == NULL){
		errno = EINVAL;
		return -1;
	}
	int err = errno;
	if(task_iplookup(name, 0, AF_INET, SOCK_STREAM, &list) < 0)
		return -1;
	memcpy(ip, &((struct sockaddr_in *)(void *)list->ai_addr)->sin_addr, 4);
	freeaddrinfo(list);
	errno = err;
	return 0;
}
