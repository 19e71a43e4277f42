/* SPDX-License-Identifier: MIT */
/* A bus: the URL that says where its engine is. */
#include "bus.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { RedisPort = 6379 };

static int
hexof(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) % 16 : -1;
}

/* writes each %40 as the byte that it means; returns -1 if it is none. */
static int
decode(char *s)
{
	char *to = s;

	for(; s && *s; s++){
		if(*s != '%'){
			*to++ = *s;
			continue;
		}
		int high = hexof(s[1]), low = high < 0 ? -1 : hexof(s[2]);
		if(low < 0 || high + low == 0)
			return -1;
		*to++ = (char)(high * 16 + low);
		s += 2;
	}
	if(s)
		*to = '\0';
	return 0;
}

/* cuts s where c is, and returns what is behind that, or NULL. */
static char *
cut(char *s, char c)
{
	char *at = strchr(s, c);

	if(at)
		*at++ = '\0';
	return at;
}

/* A number from 0 to INT_MAX; -1 if it is none. */
static int
numberof(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	return *s >= '0' && *s <= '9' && *end == '\0' && n <= INT_MAX ?
		(int)n : -1;
}

/* takes "user:password@" off; returns what is behind it, or NULL. */
static char *
parsewho(Url *u, char *s, const char *end)
{
	char *at = memchr(s, '@', (size_t)(end - s));

	if(at == NULL)
		return s;
	*at = '\0';
	u->password = cut(s, ':');
	u->user = *s ? s : NULL;
	if(u->password == NULL || decode(u->user) < 0 ||
			decode(u->password) < 0)
		return NULL;
	return at + 1;
}

static int
parsehost(Url *u, char *s)
{
	u->port = RedisPort;
	u->db = cut(s, '/');
	char *port = *s == '[' ? cut(s, ']') : cut(s, ':');
	u->host = *s == '[' ? s + 1 : s;
	if(*s == '[' && port)
		port = *port == ':' ? port + 1 : *port ? "" : NULL;
	else if(*s == '[')
		return -1;
	if(port)
		u->port = numberof(port);
	return *u->host && u->port > 0 && u->port <= 65535 ? 0 : -1;
}

static int
parsepath(Url *u, char *s)
{
	char *query = cut(s, '?');

	u->path = s;
	u->db = query;
	if(query && strncmp(query, "db=", 3) == 0)
		u->db = query + 3;
	else if(query)
		return -1;
	return *s && decode(s) == 0 ? 0 : -1;
}

static int
parse(Url *u)
{
	char *s = u->text;
	int tcp = strncmp(s, "redis://", 8) == 0;

	if(!tcp && strncmp(s, "unix://", 7) != 0)
		return -1;
	s = strchr(s, '/') + 2;
	s = parsewho(u, s, s + strcspn(s, "/?"));
	if(s == NULL || (tcp ? parsehost(u, s) : parsepath(u, s)) < 0)
		return -1;
	if(u->db && *u->db == '\0')
		u->db = NULL;
	return u->db && numberof(u->db) < 0 ? -1 : 0;
}

int
bus_urlparse(Url *u, const char *url)
{
	*u = (Url){.text = strdup(url)};
	if(u->text == NULL)
		return bus_fail(ENOMEM);
	u->size = strlen(url);
	if(parse(u) == 0)
		return 0;
	bus_urlfree(u);
	return bus_fail(EINVAL);
}

/* The password may be anywhere in it, if it was decoded or is no url. */
void
bus_urlfree(Url *u)
{
	if(u->text)
		explicit_bzero(u->text, u->size);
	free(u->text);
	*u = (Url){0};
}
