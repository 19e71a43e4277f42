/* SPDX-License-Identifier: MIT */
/* Messages as they come over a stream. */
#include "message.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int
fail(int err)
{
	errno = err;
	return -1;
}

static int
refuse(Message *m, int status, const char *why)
{
	gaterefuse(&m->head, status, why);
	return fail(EBADMSG);
}

/* The parser forgets these at once if there is no body: so they are kept. */
static int
headparsed(llhttp_t *p)
{
	Message *m = p->data;

	m->parsedlength = p->content_length;
	m->parsedflags = p->flags;
	return m->bodiless;
}

static int
messageparsed(llhttp_t *p)
{
	((Message *)p->data)->complete = 1;
	return 0;
}

static const llhttp_settings_t settings = {
	.on_headers_complete = headparsed,
	.on_message_complete = messageparsed
};

void
messagestart(Message *m, Stream *s, int answer, int bodiless)
{
	memset(m, 0, offsetof(Message, head.few));
	m->s = s;
	m->most = INT64_MAX;
	m->bodiless = (unsigned char)bodiless;
	m->head.answer = (unsigned char)answer;
}

void
messagefree(Message *m)
{
	if(m->n > 0 && !m->own)
		streamskip(m->s, m->n);
	free(m->own);
	gatefree(&m->head);
	m->n = 0;
	m->own = NULL;
}

/*
 * has the parser read what the gate has let in.  It stops where a body in
 * another protocol may begin, which is where the message ends.
 */
static int
parse(Message *m, const char *v, size_t n)
{
	llhttp_errno_t err = llhttp_execute(&m->parser, v, n);

	if(err == HPE_OK || (err == HPE_PAUSED_UPGRADE &&
			llhttp_get_error_pos(&m->parser) == v + n))
		return 0;
	return refuse(m, err == HPE_INVALID_METHOD ? 501 : 400,
		llhttp_get_error_reason(&m->parser));
}

/* How long the body is by what the gate has seen. */
static void
framing(Message *m)
{
	const Head *h = &m->head;

	if(m->bodiless || (h->answer && (h->code < 200 || h->code == 204 ||
			h->code == 304)))
		m->body = BodyNone;
	else if(h->chunked)
		m->body = BodyChunks;
	else if(h->length > 0){
		m->body = h->length > 1 ? BodyLength : BodyNone;
		m->left = h->length - 1;
	}else
		m->body = h->answer ? BodyUntilEnd : BodyNone;
}

/* Whether the parser has understood the same. */
static int
agreed(const Message *m, const char *v)
{
	const Head *h = &m->head;
	const llhttp_t *p = &m->parser;

	if(((m->parsedflags & F_CHUNKED) != 0) != h->chunked ||
			((m->parsedflags & F_CONTENT_LENGTH) != 0) !=
			(h->length > 0) || p->http_minor != h->minor)
		return 0;
	if(h->length > 0 && m->parsedlength != (uint64_t)h->length - 1)
		return 0;
	if(h->answer)
		return p->status_code == h->code;
	const char *name = llhttp_method_name((llhttp_method_t)p->method);
	return strlen(name) == h->nmethod &&
		memcmp(name, v + h->method, h->nmethod) == 0 &&
		m->complete == (m->body == BodyNone);
}

static int
understand(Message *m, char *v, size_t n)
{
	llhttp_init(&m->parser, m->head.answer ? HTTP_RESPONSE : HTTP_REQUEST,
		&settings);
	m->parser.data = m;
	framing(m);
	if(parse(m, v, n) < 0)
		return -1;
	return agreed(m, v) ? 0 : refuse(m, 400, "two ways to read it");
}

/* makes strings of its parts, where it lies: what was behind them was read. */
static void
cut(Message *m)
{
	Head *h = &m->head;

	for(int i = 0; i < h->nfield; i++){
		m->v[h->field[i].name + h->field[i].nname] = '\0';
		m->v[h->field[i].value + h->field[i].nvalue] = '\0';
	}
	if(!h->answer){
		m->v[h->method + h->nmethod] = '\0';
		m->v[h->target + h->ntarget] = '\0';
	}
}

/* Some clients end a body with an empty line that they have not counted. */
static int
emptyline(Message *m, const char *v, size_t n)
{
	if(m->begun || n < 2 || memcmp(v, "\r\n", 2) != 0)
		return 0;
	m->begun = 1;
	streamskip(m->s, 2);
	return 1;
}

/* looks at what there is: 1 if that is a head, 0 if more must come. */
static int
look(Message *m, char *v, size_t n)
{
	if(!m->begun && n == 1 && *v == '\r')
		return 0;
	int r = gatehead(&m->head, v, n);
	if(r < 0)
		return m->head.status ? fail(EBADMSG) : -1;
	if(r == 0)
		return 0;
	if(understand(m, v, (size_t)r) < 0)
		return -1;
	m->v = v;
	m->n = (unsigned int)r;
	cut(m);
	return 1;
}

int
messagehead(Message *m, int wait)
{
	int err = errno, r = 0;
	size_t n = 1;

	while(r == 0){
		void *v;
		ssize_t has = streampeek(m->s, wait ? n : 0, &v);
		if(has < 0)
			return errno == EMSGSIZE ?
				refuse(m, 431, "a long head") : -1;
		if((size_t)has < n && !wait)
			return fail(EAGAIN);
		if((size_t)has < n)
			return has == 0 ? 0 : refuse(m, 400, "half a head");
		if(emptyline(m, v, (size_t)has)){
			n = 1;
			continue;
		}
		r = look(m, v, (size_t)has);
		n = (size_t)has + 1;
	}
	if(r > 0)
		errno = err;
	return r;
}

int
messagekeep(Message *m)
{
	if(m->own)
		return 0;
	m->own = malloc(m->n);
	if(m->own == NULL)
		return -1;
	memcpy(m->own, m->v, m->n);
	m->v = m->own;
	return streamskip(m->s, m->n);
}

const char *
messagenext(const Message *m, const char *name, int *at)
{
	size_t n = strlen(name);

	while(*at < m->head.nfield){
		const Field *f = &m->head.field[(*at)++];
		if(f->nname == n && strcasecmp(m->v + f->name, name) == 0)
			return m->v + f->value;
	}
	return NULL;
}

const char *
messagefield(const Message *m, const char *name)
{
	return messagenext(m, name, &(int){0});
}

int
messagefieldat(const Message *m, int i, const char **name, const char **value)
{
	if(i < 0 || i >= m->head.nfield)
		return 0;
	*name = m->v + m->head.field[i].name;
	*value = m->v + m->head.field[i].value;
	return 1;
}

int
messagemore(const Message *m)
{
	const Head *h = &m->head;

	return m->n > 0 && h->status == 0 && m->body != BodyUntilEnd &&
		(h->minor > 0 ? !h->close : h->keep && !h->close);
}
