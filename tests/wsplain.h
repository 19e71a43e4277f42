/* SPDX-License-Identifier: MIT */
/*
 * Frames at random, and a reader of them that has all bytes before it and takes
 * its time: what it makes of them is what wsread has to give.
 */
#ifndef WSPLAIN_H
#define WSPLAIN_H

#include "corpus.h"
#include "wstest.h"

enum { PlainLimit = 3000 };

/* Whether all of v is UTF-8. */
static inline int
plainutf8(const unsigned char *v, size_t n)
{
	size_t k;

	for(size_t i = 0; i < n; i += k){
		static const unsigned long least[] = {0, 0, 0x80, 0x800,
			0x10000};
		unsigned long c = v[i];
		k = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 :
			c >> 3 == 30 ? 4 : 0;
		if(k == 0 || n - i < k)
			return 0;
		c = k == 1 ? c : c & (0x7fu >> k);
		for(size_t j = 1; j < k; j++){
			if(v[i + j] >> 6 != 2)
				return 0;
			c = c << 6 | (v[i + j] & 0x3f);
		}
		if(c < least[k] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return 0;
	}
	return 1;
}

/* Whether v can still become UTF-8: with one of these ends it is. */
static inline int
plainbegin(const char *v, size_t n)
{
	static const char *const ends[] = {"", "\x80", "\xa0", "\x90",
		"\x80\x80",
		"\xa0\x80", "\x90\x80", "\x80\x80\x80", "\x90\x80\x80"};
	Bytes b = {0};
	int good = 0;

	for(size_t i = 0; i < sizeof ends / sizeof *ends && !good; i++){
		b.n = 0;
		addbytes(&b, v, n);
		addtext(&b, ends[i]);
		good = plainutf8((unsigned char *)b.v, b.n);
	}
	freebytes(&b);
	return good;
}

typedef struct Plain
{
	int client;
	unsigned char *v, *end;	/* what is to be read */
	int opcode, fin;	/* the frame's */
	Bytes frame;	/* as much of it as there is */
	int whole;	/* that is all of it */
	int type;	/* the message's, or 0 */
	Bytes message;
	Bytes story;
} Plain;

static inline void
addword(Plain *p, const char *word)
{
	addtext(&p->story, p->story.n ? " " : "");
	addtext(&p->story, word);
}

/* The head of a frame, and what there is of it; returns an error's name. */
static inline const char *
plainframe(Plain *p)
{
	size_t left = (size_t)(p->end - p->v), head = 2;
	unsigned char *v = p->v;

	if(left < 2)
		return "ECONNRESET";
	p->fin = v[0] >> 7;
	p->opcode = v[0] & 15;
	uint64_t n = v[1] & 127;
	if(p->opcode > 7 && (n > 125 || !p->fin))
		return "EPROTO";
	size_t size = n == 126 ? 2 : n == 127 ? 8 : 0, mask = v[1] >> 7 ? 4 : 0;
	if(left < head + size)
		return "ECONNRESET";
	for(size_t i = n = size ? 0 : n; i < size; i++)
		n = n << 8 | v[2 + i];
	if((size == 2 && n < 126) || (size == 8 && (n < 65536 || n >> 63)))
		return "EPROTO";
	head += size + mask;
	if(left < head || (left == head && n > 0))
		return "ECONNRESET";
	if(v[0] & 0x70 || (mask == 0) != p->client)
		return "EPROTO";
	if(p->opcode > 10 || (p->opcode > 2 && p->opcode < 8) ||
			(p->opcode < 3 && (p->opcode == 0) != (p->type != 0)))
		return "EPROTO";
	if(p->opcode < 3 && n + p->message.n > PlainLimit)
		return "EMSGSIZE";
	p->whole = left - head >= n;
	n = p->whole ? n : left - head;
	p->frame.n = 0;
	addbytes(&p->frame, v + head, n);
	for(size_t i = 0; mask && i < n; i++)
		p->frame.v[i] ^= (char)v[head - 4 + i % 4];
	p->v += head + n;
	return NULL;
}

static inline const char *
plainclose(Plain *p)
{
	static char text[160];
	unsigned char *v = (unsigned char *)p->frame.v;
	size_t n = p->frame.n;
	int code = n > 1 ? v[0] << 8 | v[1] : 1005;

	if(n == 1)
		return "EPROTO";
	if(n > 1 && (code < 1000 || code > 4999 || code == 1004 ||
			code == 1005 || code == 1006 ||
			(code > 1014 && code < 3000)))
		return "EPROTO";
	if(n > 2 && !plainutf8(v + 2, n - 2))
		return "EILSEQ";
	snprintf(text, sizeof text, "closed %d%s%s", code, n > 2 && v[2] ?
		" " : "", n > 2 ? (char *)v + 2 : "");
	return text;
}

/* A frame of a message; returns an error's name. */
static inline const char *
plaindata(Plain *p)
{
	p->type = p->opcode ? p->opcode : p->type;
	addbytes(&p->message, p->frame.v, p->frame.n);
	if(p->type == 1 && !plainbegin(p->message.v, p->message.n))
		return "EILSEQ";
	if(!p->whole)
		return "ECONNRESET";
	if(!p->fin)
		return NULL;
	if(p->type == 1 && !plainutf8((unsigned char *)p->message.v,
			p->message.n))
		return "EILSEQ";
	addword(p, p->type == 1 ? "T" : "B");
	showbytes(&p->story, p->message.v, p->message.n);
	p->message.n = 0;
	p->type = 0;
	return NULL;
}

/* The story of these bytes. */
static inline Bytes
plainstory(const Bytes *in, int client)
{
	Plain p = {.client = client, .v = (unsigned char *)in->v};
	const char *end;

	p.end = p.v + in->n;
	addbytes(&p.story, "", 0);
	addbytes(&p.message, "", 0);
	do{
		end = plainframe(&p);
		if(end == NULL && p.opcode < 3)
			end = plaindata(&p);
		else if(end == NULL && !p.whole)
			end = "ECONNRESET";
		else if(end == NULL && p.opcode == 8)
			end = plainclose(&p);
	}while(end == NULL);
	addword(&p, end);
	freebytes(&p.frame);
	freebytes(&p.message);
	return p.story;
}

/* Chance */

static inline int
chance(Random *r, unsigned int oneof)
{
	return randombelow(r, oneof) == 0;
}

static inline void
randompayload(Random *r, Bytes *b)
{
	static const char *const texts[] = {"a", "hello", "\xc3\xa9",
		"\xe2\x82",
		"\xac", "\xf0\x90\x80\x80", "\xed\xa0", "\xff", "\xf4", "\x80"};
	static const unsigned int most[] = {3, 10, 130, 600, 3000, 5000};
	unsigned int n = randombelow(r, most[randombelow(r, 6)]);

	b->n = 0;
	addbytes(b, "", 0);
	while(b->n < n)
		addtext(b, chance(r, 30) ? texts[randombelow(r, 10)] :
			texts[randombelow(r, 3)]);
}

static inline void
randomclose(Random *r, Bytes *b)
{
	unsigned int code = chance(r, 2) ? 990 + randombelow(r, 40) :
		randombelow(r, 6000);

	randompayload(r, b);
	if(b->n > 123)
		b->n = 2 * randombelow(r, 3);
	if(b->n > 1){
		b->v[0] = (char)(code >> 8);
		b->v[1] = (char)code;
	}
}

/* Frames that are mostly right; open tells whether a message has begun. */
static inline Bytes
randomframes(Random *r, int client)
{
	Bytes b = {0}, p = {0};
	int open = 0;

	addbytes(&b, "", 0);
	for(unsigned int i = randombelow(r, 12); i > 0; i--){
		unsigned int fin = chance(r, 2) ? 0x80 : 0;
		unsigned int op = open ? 0 : 1 + randombelow(r, 2);
		randompayload(r, &p);
		open = fin == 0;
		if(chance(r, 4)){
			op = 8 + randombelow(r, chance(r, 6) ? 8 : 3);
			fin = chance(r, 40) ? 0 : 0x80;
			open = b.n > 0 && open;
			if(op == 8)
				randomclose(r, &p);
			if(p.n > 125 && !chance(r, 20))
				p.n = randombelow(r, 126);
		}else if(chance(r, 60))
			op = randombelow(r, 16);
		addframe(&b, op | fin | (chance(r, 80) ? 0x10u <<
			randombelow(r, 3) : 0), !client ^ chance(r, 80), &p,
			chance(r, 60) ? 2 << 2 * randombelow(r, 2) : 0);
	}
	if(b.n > 0 && chance(r, 3))
		b.n -= randombelow(r, (unsigned int)b.n);
	for(unsigned int i = chance(r, 3) ? randombelow(r, 4) : 0; i > 0 && b.n;
			i--)
		b.v[randombelow(r, (unsigned int)b.n)] ^=
			(char)(1 << randombelow(r, 8));
	freebytes(&p);
	return b;
}

/* The frames of a file, some changed. */
static inline Bytes
sampleframes(Random *r, const Sample *s, int as_is)
{
	static const char chars[] = "\0\x01\x02\x80\x81\x88\x89\xfd\xfe\xff";
	char v[SampleMost];
	Bytes b = {0};
	size_t n = s->n;

	memcpy(v, s->v, n);
	if(!as_is)
		n = changebytes(r, v, n, sizeof v, chars, sizeof chars - 1);
	addbytes(&b, v, n);
	return b;
}

/*
 * One try, by any role and in any pieces; returns 1 if it went wrong.  Files
 * come first, as they are: their frames are a client's.
 */
static inline int
fuzzonce(Random *r)
{
	Wsset set = {.message = PlainLimit};
	const Sample *first = nextsample(), *s = first ? first :
		chance(r, 4) ? anysample(r) : NULL;
	int client = first ? 0 : chance(r, 2);
	Peer p;

	openpeer(&p, client, &set);
	p.out = s ? sampleframes(r, s, first != NULL) : randomframes(r, client);
	p.piece = 1 + randombelow(r, chance(r, 2) ? 200 : 20000);
	Bytes want = plainstory(&p.out, client);
	taskcreate(sayall, &p, 0);
	taskcreate(hearall, &p, 0);
	Bytes got = story(p.ws, 0);
	int bad = strcmp(got.v, want.v) != 0;
	if(bad)
		fprintf(stderr, "%s\nin place of\n%s\n", got.v, want.v);
	wsclose(p.ws, 0, NULL);
	closepeer(&p);
	freebytes(&want);
	freebytes(&got);
	return bad;
}

#endif
