/* SPDX-License-Identifier: MIT */
/* A bus: what the engine has said, which need not be what was expected. */
#include "bus.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const redisReply *
bus_at(const redisReply *r, size_t i)
{
	if(r == NULL || r->type != REDIS_REPLY_ARRAY || i >= r->elements)
		return NULL;
	return r->element[i];
}

int
bus_istext(const redisReply *r)
{
	return r && r->type == REDIS_REPLY_STRING;
}

int
bus_isword(const redisReply *r, const char *word)
{
	return bus_istext(r) && strcmp(r->str, word) == 0;
}

int
bus_refused(const redisReply *r, char *error)
{
	static const struct { const char *word; int err; } kinds[] = {
		{"NOAUTH", EACCES}, {"WRONGPASS", EACCES}, {"NOPERM", EACCES},
		{"LOADING", EAGAIN}, {"BUSY", EAGAIN}, {"TRYAGAIN", EAGAIN},
		{"MASTERDOWN", EAGAIN}, {"NOREPLICAS", EAGAIN},
		{"WRONGTYPE", EINVAL}, {"MISCONF", EIO}, {"OOM", ENOSPC},
		{"READONLY", EROFS}};
	size_t n = strcspn(r->str, " ");

	snprintf(error, ErrorBytes, "%s", r->str);
	for(size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if(strlen(kinds[i].word) == n &&
				memcmp(kinds[i].word, r->str, n) == 0)
			return kinds[i].err;
	return EPROTO;
}

int
bus_id(const redisReply *r, Busid *id)
{
	char *end;

	if(!bus_istext(r) || r->str[0] < '0' || r->str[0] > '9')
		return -1;
	id->ms = strtoull(r->str, &end, 10);
	if(end[0] != '-' || end[1] < '0' || end[1] > '9')
		return -1;
	id->seq = strtoull(end + 1, &end, 10);
	return *end ? -1 : 0;
}

void
bus_idtext(Busid id, char text[IdBytes])
{
	snprintf(text, IdBytes, "%" PRIu64 "-%" PRIu64, id.ms, id.seq);
}

Busmsg *
bus_msg(const char *topic, const char *group, const char *v, size_t n)
{
	size_t ntopic = strlen(topic) + 1;
	size_t ngroup = group ? strlen(group) + 1 : 0;
	Busmsg *m = malloc(sizeof *m + ntopic + ngroup + n + 1);

	if(m == NULL)
		return NULL;
	*m = (Busmsg){.topic = (char *)(m + 1), .n = n};
	memcpy(m->topic, topic, ntopic);
	if(group){
		m->group = m->topic + ntopic;
		memcpy(m->group, group, ngroup);
	}
	if(v){
		m->v = m->topic + ntopic + ngroup;
		memcpy(m->v, v, n);
		m->v[n] = '\0';
	}
	return m;
}

void
busmsgfree(Busmsg *m)
{
	free(m);
}

/* An entry is its id and fields, of which the first is ours; or nil. */
Busmsg *
bus_entry(const redisReply *r, const char *stream, const char *group)
{
	const redisReply *fields = bus_at(r, 1), *v = bus_at(fields, 1);
	Busid id;

	if(bus_id(bus_at(r, 0), &id) < 0 || fields == NULL ||
			(fields->type != REDIS_REPLY_NIL && !bus_istext(v))){
		errno = EPROTO;
		return NULL;
	}
	Busmsg *m = bus_msg(stream, group, v ? v->str : NULL, v ? v->len : 0);
	if(m == NULL)
		return NULL;
	m->id = id;
	m->op = v ? BUSMSG : BUSGAP;
	m->lost = v ? 0 : 1;
	return m;
}

/* Types are hiredis's own, but newer ones that we have not asked for. */
static int
kindof(const redisReply *r)
{
	switch(r->type){
	case REDIS_REPLY_STRING:
		return BUSSTRING;
	case REDIS_REPLY_ARRAY:
		return BUSARRAY;
	case REDIS_REPLY_INTEGER:
		return BUSINTEGER;
	case REDIS_REPLY_STATUS:
		return BUSSTATUS;
	case REDIS_REPLY_ERROR:
		return BUSERROR;
	default:
		return BUSNIL;
	}
}

/* hiredis nests arrays only a few deep. */
static int
copyreply(Busreply *to, const redisReply *r)
{
	*to = (Busreply){.type = kindof(r)};
	if(to->type == BUSINTEGER)
		to->i = r->integer;
	else if(to->type == BUSARRAY){
		to->v = calloc(r->elements + 1, sizeof *to->v);
		if(to->v == NULL)
			return -1;
		for(; to->n < r->elements; to->n++)
			if(copyreply(&to->v[to->n], r->element[to->n]) < 0)
				return -1;
	}else if(to->type != BUSNIL){
		to->s = r->str;
		to->n = r->len;
	}
	return 0;
}

/* One that could not be copied whole has n elements that are, and one more. */
static void
freearrays(Busreply *r)
{
	if(r->type != BUSARRAY || r->v == NULL)
		return;
	for(size_t i = 0; i <= r->n; i++)
		freearrays(&r->v[i]);
	free(r->v);
}

Busreply *
bus_reply(redisReply *r)
{
	Busreply *to = malloc(sizeof *to);
	int failed = to == NULL || copyreply(to, r) < 0;

	if(!failed){
		to->own = r;
		return to;
	}
	if(to)
		freearrays(to);
	free(to);
	freeReplyObject(r);
	errno = ENOMEM;
	return NULL;
}

void
busreplyfree(Busreply *r)
{
	if(r == NULL)
		return;
	freearrays(r);
	freeReplyObject(r->own);
	free(r);
}
