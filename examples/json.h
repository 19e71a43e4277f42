/* SPDX-License-Identifier: MIT */
/* How an example speaks JSON with its clients. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

/* answers with v, and gives it back; v may be NULL: there was no memory. */
static inline void
reply(Http *h, int status, json_t *v)
{
	char *text = v ? json_dumps(v, JSON_COMPACT) : NULL;

	json_decref(v);
	if(text)
		httpreply(h, status, "application/json", text, strlen(text));
	else
		httperror(h, 500);
	free(text);
}

static inline void
fail(Http *h, int status, const char *why)
{
	reply(h, status, json_pack("{ss}", "error", why));
}

/* What a failed httpbody is to the client: the rest is not waited for. */
static inline void
failbody(Http *h)
{
	int err = errno;

	httpset(h, "Connection", "close");
	fail(h, err == EMSGSIZE ? 413 : err == ETIMEDOUT ? 408 :
		err == ENOMEM ? 500 : 400, strerror(err));
}

enum { BodyMost = 32768 };

/* Not in jansson's words: it may cut what it quotes within a character. */
static inline void
failjson(Http *h, const json_error_t *e)
{
	char why[80];

	snprintf(why, sizeof why, "%s at line %d, column %d",
		json_error_code(e) == json_error_stack_overflow ?
		"too deep" : "no JSON", e->line, e->column);
	fail(h, 400, why);
}

/*
 * gives the string of that name in the object that is the body, a reference of
 * the caller's.  Returns NULL if there is none: that was answered.
 */
static inline json_t *
bodystring(Http *h, const char *name, size_t most)
{
	const char *type = httpfield(h, "Content-Type");
	json_error_t e;
	void *v;

	if(type == NULL || strncmp(type, "application/json", 16) != 0){
		fail(h, 415, "the body has to be application/json");
		return NULL;
	}
	ssize_t n = httpbody(h, &v, BodyMost);
	if(n < 0){
		failbody(h);
		return NULL;
	}
	json_t *body = json_loadb(v, (size_t)n, JSON_REJECT_DUPLICATES, &e);
	json_t *s = json_object_get(body, name), *good = NULL;
	if(body == NULL)
		failjson(h, &e);
	else if(!json_is_string(s))
		fail(h, 400, "a string is missing");
	else if(json_string_length(s) > most)
		fail(h, 400, "the string is too long");
	else
		good = json_incref(s);
	json_decref(body);
	return good;
}
