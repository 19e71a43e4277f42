/* SPDX-License-Identifier: MIT */
/* The rooms of chat.c: the last messages of each, and who is inside. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <task.h>
#include <time.h>

enum
{
	Kept = 200,	/* messages of a room */
	RoomsMost = 100,
	NameMost = 64,	/* bytes of a name, of people and rooms */
	TokenMost = 15,	/* digits: a number in any reader of JSON */
	NoToken = -1,
	TextMost = 2000
};

typedef struct Message
{
	int refs;	/* of the room, and of who writes it now */
	size_t n;
	char text[];	/* as JSON */
} Message;

typedef struct Member Member;

typedef struct Room
{
	char name[NameMost + 1];
	uint64_t last;	/* number */
	Message *kept[Kept];	/* each at its number, modulo Kept */
	Event news;	/* for who polls: set, and cleared at once */
	Member *members;
	int inside;	/* members and who polls: the room stays */
	int64_t left_ns;	/* when the last one has gone */
} Room;

static Room *rooms[RoomsMost];

/* How many bytes the UTF-8 character at v has; 0 if it is none. */
static inline size_t
charbytes(const unsigned char *v, size_t n)
{
	size_t k = v[0] < 0x80 ? 1 : v[0] < 0xc2 ? 0 : v[0] < 0xe0 ? 2 :
		v[0] < 0xf0 ? 3 : v[0] < 0xf5 ? 4 : 0;

	if(k > n)
		return 0;
	for(size_t i = 1; i < k; i++)
		if((v[i] & 0xc0) != 0x80)
			return 0;
	/* longer than need be, half a pair, or behind the last */
	if((v[0] == 0xe0 && v[1] < 0xa0) || (v[0] == 0xed && v[1] > 0x9f) ||
			(v[0] == 0xf0 && v[1] < 0x90) ||
			(v[0] == 0xf4 && v[1] > 0x8f))
		return 0;
	return k;
}

/* writes n bytes as they are between quotes in JSON; returns the end. */
static inline char *
quote(char *to, const char *text, size_t n)
{
	const unsigned char *v = (const unsigned char *)text;

	for(size_t i = 0, k; i < n; i += k ? k : 1){
		k = charbytes(v + i, n - i);
		if(k > 1){
			memcpy(to, v + i, k);
			to += k;
			continue;
		}
		if(v[i] == '"' || v[i] == '\\' || v[i] == '\n')
			*to++ = '\\';
		*to++ = v[i] == '\n' ? 'n' : k == 0 ? '?' :
			v[i] < ' ' ? ' ' : text[i];
	}
	return to;
}

static inline Message *
compose(uint64_t number, int64_t token, const char *from, const char *text,
	size_t n)
{
	size_t nfrom = strlen(from);
	Message *m = malloc(sizeof *m + 80 + 2 * (nfrom + n));

	if(m == NULL)
		return NULL;
	char *v = m->text + sprintf(m->text, "{\"n\":%" PRIu64, number);
	if(token != NoToken)
		v += sprintf(v, ",\"token\":%" PRId64, token);
	v = stpcpy(v, ",\"from\":\"");
	v = stpcpy(quote(v, from, nfrom), "\",\"text\":\"");
	v = stpcpy(quote(v, text, n), "\"}");
	m->refs = 1;
	m->n = (size_t)(v - m->text);
	return m;
}

static inline void
release(Message *m)
{
	if(m && --m->refs == 0)
		free(m);
}

static inline void
closeroom(Room *r)
{
	for(int i = 0; r && i < Kept; i++)
		release(r->kept[i]);
	free(r);
}

/*
 * finds a room, or makes it, for which an empty one may have to go.  Numbers
 * begin with the time in microseconds: in a room that is made again they go on
 * behind those that its people know.
 */
static inline Room *
findroom(const char *name)
{
	Room **place = NULL, *r;
	struct timespec now;

	for(int i = 0; i < RoomsMost; i++){
		r = rooms[i];
		if(r && strcmp(r->name, name) == 0)
			return r;
		if((r == NULL || r->inside == 0) && (place == NULL || (*place &&
				(r == NULL || r->left_ns < (*place)->left_ns))))
			place = &rooms[i];
	}
	r = place ? calloc(1, sizeof *r) : NULL;
	if(r){
		strcpy(r->name, name);
		timespec_get(&now, TIME_UTC);
		r->last = (uint64_t)now.tv_sec * 1000000 +
			(uint64_t)now.tv_nsec / 1000;
		closeroom(*place);
		*place = r;
	}
	return r;
}

/* The message with the number *next, or the first that is kept behind it. */
static inline Message *
message(const Room *r, uint64_t *next)
{
	if(*next + Kept <= r->last)
		*next = r->last - Kept + 1;
	while(*next <= r->last && r->kept[*next % Kept] == NULL)
		++*next;
	return *next <= r->last ? r->kept[*next % Kept] : NULL;
}

/* all messages from next on, and the last number, as JSON to be freed; NULL. */
static inline char *
messages(const Room *r, uint64_t next, size_t *n)
{
	size_t most = 64;
	Message *m;

	for(uint64_t i = next; (m = message(r, &i)) != NULL; i++)
		most += m->n + 1;
	char *v = malloc(most), *to = v;
	if(v == NULL)
		return NULL;
	to += sprintf(to, "{\"last\":%" PRIu64 ",\"messages\":[", r->last);
	for(uint64_t i = next; (m = message(r, &i)) != NULL; i++){
		to = mempcpy(to, m->text, m->n);
		*to++ = ',';
	}
	to = stpcpy(to[-1] == ',' ? to - 1 : to, "]}");
	*n = (size_t)(to - v);
	return v;
}
