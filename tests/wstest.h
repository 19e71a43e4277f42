/* SPDX-License-Identifier: MIT */
/*
 * A peer of a WebSocket connection that knows nothing but bytes.  What it sends
 * and has got is written so:
 *
 *	81m'Hello'	a frame: its first byte, and what it carries
 *	82m*200<c3a9>	200 times an a, and two bytes in hex
 *	81u'Hello'	the same with a mask where none should be, or none where
 *			one should
 *	81m~2'abc'	the length in 2 bytes, or in 8, whatever it is
 *	=<8100>		just bytes
 */
#ifndef WSTEST_H
#define WSTEST_H

#include "fdtest.h"
#include "watched.h"
#include "../addons/ws/taskws.h"

typedef struct Bytes
{
	char *v;
	size_t n, cap;
} Bytes;

static inline void
addbytes(Bytes *b, const void *v, size_t n)
{
	if(b->n + n + 1 > b->cap){
		b->cap = 2 * (b->n + n + 1);
		b->v = realloc(b->v, b->cap);
		ck_assert_ptr_nonnull(b->v);
	}
	if(n > 0)
		memcpy(b->v + b->n, v, n);
	b->n += n;
	b->v[b->n] = '\0';
}

static inline void
addtext(Bytes *b, const char *s)
{
	addbytes(b, s, strlen(s));
}

static inline void
freebytes(Bytes *b)
{
	free(b->v);
	*b = (Bytes){0};
}

/* reads what a frame carries; returns where that ends. */
static inline const char *
payload(const char *s, Bytes *b)
{
	for(;;){
		if(*s == '\''){
			size_t n = strcspn(s + 1, "'");
			addbytes(b, s + 1, n);
			s += n + 2;
		}else if(*s == '*'){
			for(long n = strtol(s + 1, (char **)&s, 10); n > 0; n--)
				addbytes(b, "a", 1);
		}else if(*s == '<'){
			for(s++; *s != '>'; s += 2){
				unsigned int x;
				ck_assert_int_eq(sscanf(s, "%2x", &x), 1);
				addbytes(b, &(unsigned char){
					(unsigned char)x}, 1);
			}
			s++;
		}else
			return s;
	}
}

/* The head of a frame: size is how many bytes the length has, or 0. */
static inline void
addhead(Bytes *b, unsigned int first, int masked, size_t n, int size)
{
	unsigned char head[10] = {(unsigned char)first};
	uint64_t x = n;

	if(size == 0)
		size = n < 126 ? 1 : n < 65536 ? 2 : 8;
	head[1] = (unsigned char)((masked ? 0x80 : 0) |
		(size == 1 ? n : size == 2 ? 126 : 127));
	for(int i = size; size > 1 && i > 0; i--, x >>= 8)
		head[1 + i] = (unsigned char)x;
	addbytes(b, head, size == 1 ? 2 : 2 + (size_t)size);
}

static inline void
addframe(Bytes *b, unsigned int first, int masked, const Bytes *p, int size)
{
	static const unsigned char mask[] = {0x37, 0xfa, 0x21, 0x3d};

	addhead(b, first, masked, p->n, size);
	if(masked)
		addbytes(b, mask, 4);
	addbytes(b, p->v, p->n);
	for(size_t i = 0; masked && i < p->n; i++)
		b->v[b->n - p->n + i] ^= (char)mask[i % 4];
}

/* makes bytes of the text; masked tells what m means. */
static inline Bytes
encode(const char *s, int masked)
{
	Bytes b = {0}, p = {0};

	addbytes(&b, "", 0);
	for(s += strspn(s, " "); *s; s += strspn(s, " ")){
		p.n = 0;
		addbytes(&p, "", 0);
		if(*s == '='){
			s = payload(s + 1, &p);
			addbytes(&b, p.v, p.n);
			continue;
		}
		unsigned int first = (unsigned int)strtoul(s, (char **)&s, 16);
		int wrong = *s++ == 'u', size = 0;
		if(*s == '~')
			size = (int)strtol(s + 1, (char **)&s, 10);
		s = payload(s, &p);
		addframe(&b, first, masked ^ wrong, &p, size);
	}
	freebytes(&p);
	return b;
}

/* tells what v is, as encode reads it. */
static inline void
showbytes(Bytes *b, const char *v, size_t n)
{
	char s[32];
	int text = 1, same = 1;

	for(size_t i = 0; i < n; i++){
		text &= v[i] >= ' ' && v[i] <= '~' && v[i] != '\'';
		same &= v[i] == 'a';
	}
	if(same && n > 8){
		snprintf(s, sizeof s, "*%zu", n);
		addtext(b, s);
	}else if(text){
		addtext(b, "'");
		addbytes(b, v, n);
		addtext(b, "'");
	}else{
		addtext(b, "<");
		for(size_t i = 0; i < n; i++){
			snprintf(s, sizeof s, "%02x", (unsigned char)v[i]);
			addtext(b, s);
		}
		addtext(b, ">");
	}
}

/* tells what frames there are in v, as far as they are whole. */
static inline Bytes
decode(const Bytes *in, int masked)
{
	Bytes b = {0};
	char s[8], *v = in->v, *end = v + in->n;

	addbytes(&b, "", 0);
	while(end - v >= 2){
		unsigned char *h = (unsigned char *)v;
		size_t n = h[1] & 0x7f, size = n == 126 ? 2 : n == 127 ? 8 : 0;
		size_t head = 2 + size + (h[1] & 0x80 ? 4 : 0);
		for(size_t i = n = size ? 0 : n; i < size; i++)
			n = n << 8 | h[2 + i];
		if((size_t)(end - v) < head + n)
			break;
		for(size_t i = 0; h[1] & 0x80 && i < n; i++)
			v[head + i] ^= v[head - 4 + i % 4];
		snprintf(s, sizeof s, "%s%02x", b.n ? " " : "", h[0]);
		addtext(&b, s);
		addtext(&b, (h[1] >> 7) == masked ? "m" : "u");
		showbytes(&b, v + head, n);
		v += head + n;
	}
	if(v < end)
		addtext(&b, " and a part");
	return b;
}

/* One end is ws, the other, which is fd, the peer's. */
typedef struct Peer
{
	Ws *ws;
	int client;	/* what ws is */
	int fd;
	int wsfd;	/* under ws */
	Bytes out;	/* what the peer is to send */
	size_t piece;	/* so many bytes at a time */
	Bytes got;	/* what it has got */
	int ndone;	/* of its two tasks */
	int ended;	/* it has got the end */
} Peer;

static inline void
openpeer(Peer *p, int client, const Wsset *set)
{
	int fds[2];

	*p = (Peer){.client = client};
	pair(fds);
	fdnoblock(fds[1]);
	p->fd = fds[1];
	p->wsfd = fds[0];
	Stream *s = streamopen(fds[0], 0);
	ck_assert_ptr_nonnull(s);
	p->ws = wsopen(s, client, NULL, set);
	ck_assert_ptr_nonnull(p->ws);
}

static inline void
say1(Peer *p, const char *frames)
{
	Bytes b = encode(frames, !p->client);

	ck_assert_int_eq(fdwrite(p->fd, b.v, b.n), b.n);
	freebytes(&b);
}

/* A task that sends what is to be sent, and then no more. */
static inline void
sayall(void *v)
{
	Peer *p = v;

	for(size_t at = 0, n; at < p->out.n; at += n){
		n = p->out.n - at < p->piece ? p->out.n - at : p->piece;
		if(fdwrite(p->fd, p->out.v + at, n) < 0)
			break;
		taskyield();
	}
	shutdown(p->fd, SHUT_WR);
	p->ndone++;
}

/* One that reads until the end. */
static inline void
hearall(void *v)
{
	Peer *p = v;
	char buf[4096];
	ssize_t n;

	while((n = fdread(p->fd, buf, sizeof buf)) > 0)
		addbytes(&p->got, buf, (size_t)n);
	p->ended = 1;
	p->ndone++;
}

/* reads until n bytes have come at least. */
static inline void
hear(Peer *p, size_t n)
{
	char buf[4096];

	while(p->got.n < n){
		ssize_t r = fdread(p->fd, buf, sizeof buf);
		ck_assert_int_gt(r, 0);
		addbytes(&p->got, buf, (size_t)r);
	}
}

/* What the peer has got is this. */
static inline void
heard(Peer *p, const char *frames)
{
	Bytes b = decode(&p->got, p->client);

	ck_assert_str_eq(b.v, frames);
	freebytes(&b);
}

static inline void
closepeer(Peer *p)
{
	while(p->ndone < 2)
		taskdelay(0);
	fdclose(p->fd);
	freebytes(&p->out);
	freebytes(&p->got);
}

/* closes both ends: the peer sends no more, and reads the rest. */
static inline void
endpeer(Peer *p)
{
	shutdown(p->fd, SHUT_WR);
	p->ndone = 1;
	ck_assert_int_gt(taskcreate(hearall, p, 0), 0);
	if(p->ws)
		wsclose(p->ws, 0, NULL);
	closepeer(p);
}

/* A call of wsread gives this text. */
static inline void
gives(Ws *w, const char *text)
{
	Wsmessage m;

	ck_assert_int_eq(wsread(w, &m), 1);
	ck_assert_str_eq(m.v, text);
	ck_assert_uint_eq(m.n, strlen(text));
}

static inline const char *
errname(int err)
{
	switch(err){
	case ECONNABORTED:
		return "ECONNABORTED";
	case ECONNRESET:
		return "ECONNRESET";
	case EILSEQ:
		return "EILSEQ";
	case EMSGSIZE:
		return "EMSGSIZE";
	case EPROTO:
		return "EPROTO";
	default:
		return strerror(err);
	}
}

/* One message by wsread, or of its parts; 1, 0 or -1. */
static inline int
take(Ws *w, Bytes *b, int *type, int inparts)
{
	Wsmessage m;
	int r;

	b->n = 0;
	addbytes(b, "", 0);
	do{
		r = inparts ? wsreadpart(w, &m) : wsread(w, &m);
		if(r <= 0)
			return r;
		addbytes(b, m.v, m.n);
		ck_assert_msg(inparts || m.v[m.n] == '\0', "no zero byte");
	}while(!m.last);
	*type = m.type;
	return 1;
}

/* What is read of w, until the end, in one line. */
static inline Bytes
story(Ws *w, int inparts)
{
	Bytes b = {0}, m = {0};
	char end[160];
	int type, r;

	addbytes(&b, "", 0);
	while((r = take(w, &m, &type, inparts)) > 0){
		addtext(&b, b.n ? " " : "");
		addtext(&b, type == WSTEXT ? "T" : "B");
		showbytes(&b, m.v, m.n);
	}
	if(r == 0)
		snprintf(end, sizeof end, "closed %d%s%s", wscode(w),
			*wsreason(w) ? " " : "", wsreason(w));
	else
		snprintf(end, sizeof end, "%s", errname(errno));
	addtext(&b, b.n ? " " : "");
	addtext(&b, end);
	freebytes(&m);
	return b;
}

#endif
