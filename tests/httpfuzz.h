/* SPDX-License-Identifier: MIT */
/*
 * Bytes that are requests, nearly, or not at all, several on a connection: the
 * server must answer them alike whether they come at once or in pieces.
 */
#ifndef HTTPFUZZ_H
#define HTTPFUZZ_H

#include "corpus.h"
#include "httptest.h"
#include "httpvectors.h"

enum { InputMost = 6000, OutputMost = 60000 };

typedef struct Fuzz
{
	const char *text;
	size_t n;
	unsigned int piece;	/* bytes at a time, at most; 0: all */
	Random *random;
	int fd;
	char *answers;
	size_t nanswers;
	int done;
} Fuzz;

static unsigned long nfuzz, nfuzzcalls;

static void
fuzzany(Http *h)
{
	void *v;
	const char *q = httpquery(h, "q"), *rest = httpparam(h, "*");
	ssize_t n = httpbody(h, &v, 0);

	nfuzzcalls++;
	if(n >= 0)
		httpreply(h, 200, "text/plain", rest, rest && q == NULL ?
			strlen(rest) : 0);
}

static void
fuzzhalf(Http *h)
{
	char v[3];
	size_t n = 0;
	ssize_t r = 1;

	nfuzzcalls++;
	for(; r > 0 && n < sizeof v; n += r > 0 ? (size_t)r : 0)
		r = httpread(h, v + n, sizeof v - n);
	httphead(h, 200, NULL, -1);
	httpwrite(h, v, n);
	httpend(h);
}

static const Httproute fuzzroutes[] = {
	{"POST", "/x", fuzzhalf, NULL},
	{NULL, "/*", fuzzany, NULL},
	{NULL, NULL, NULL, NULL}
};

static Httpserver fuzzsite = {.routes = fuzzroutes};

static void
fuzzserve(void *v)
{
	Stream *s = streamopen((int)(intptr_t)v, 0);

	while(httpserve(NULL, s, &fuzzsite) == 1);
	streamclose(s);
}

static void
fuzzask(void *v)
{
	Fuzz *f = (Fuzz *)v;

	for(size_t at = 0, n; at < f->n; at += n){
		n = f->piece ? 1 + randombelow(f->random, f->piece) : f->n;
		n = n < f->n - at ? n : f->n - at;
		if(fdwrite(f->fd, f->text + at, n) < 0)
			break;
		taskyield();
	}
	shutdown(f->fd, SHUT_WR);
}

static void
fuzzlisten(void *v)
{
	Fuzz *f = (Fuzz *)v;
	ssize_t r;

	while((r = fdread(f->fd, f->answers + f->nanswers, OutputMost -
			f->nanswers)) > 0)
		f->nanswers += (size_t)r;
	fdclose(f->fd);
	f->done = 1;
}

/* Dates may differ by a second; and who has sent the body need not hear 100. */
static void
fuzzundate(Fuzz *f)
{
	static const char go[] = "HTTP/1.1 100 Continue\r\n\r\n";

	f->nanswers -= f->nanswers == OutputMost;
	f->answers[f->nanswers] = '\0';
	for(char *v = f->answers; (v = strstr(v, go)) != NULL; ){
		f->nanswers -= sizeof go - 1;
		memmove(v, v + sizeof go - 1,
			(size_t)(f->answers + f->nanswers + 1 - v));
	}
	for(char *v = f->answers; (v = strstr(v, "\r\nDate: ")) != NULL; v += 8)
		memset(v + 8, 'x', 29);
}

static void
fuzzconnection(Fuzz *f, char *answers)
{
	int fds[2];
	Group g = {.limit = 0};

	/* nothing here may assert: there is no test where it fuzzes alone */
	if(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0){
		perror("socketpair");
		taskexitall(2);
	}
	f->fd = fds[0];
	f->answers = answers;
	f->nanswers = 0;
	groupspawn(&g, fuzzserve, (void *)(intptr_t)fds[1], 0);
	groupspawn(&g, fuzzlisten, f, 0);
	groupspawn(&g, fuzzask, f, 0);
	groupwait(&g);
	fuzzundate(f);
}

/* A vector, or a file if there are any. */
static Sample
fuzzpart(Random *r)
{
	const Vector *v = &vectors[randombelow(r, randombelow(r, 2) ? 16 :
		Vectors)];
	const Sample *s = randombelow(r, 4) ? NULL : anysample(r);

	return s ? *s : (Sample){(char *)(uintptr_t)v->text, v->n};
}

/* A file as it is; or some parts behind each other, a few bytes changed. */
static size_t
fuzztext(Random *r, char *text)
{
	static const char chars[] = "\r\n\0 \t:;,/%?*\"ag1f-+=\x7f\x80";
	const Sample *first = nextsample();
	size_t n = 0;

	if(first){
		memcpy(text, first->v, first->n);
		return first->n;
	}
	for(unsigned int i = 1 + randombelow(r, 4); i > 0; i--){
		Sample part = fuzzpart(r);
		if(n + part.n > InputMost / 2)
			break;
		memcpy(text + n, part.v, part.n);
		n += part.n;
	}
	for(unsigned int i = randombelow(r, 5); i > 0 && n > 1; i--){
		size_t at = randombelow(r, (unsigned int)n);
		char c = chars[randombelow(r, sizeof chars - 1)];
		unsigned int how = randombelow(r, 4);
		if(how == 0)
			memmove(text + at, text + at + 1, --n - at);
		else if(how == 1){
			memmove(text + at + 1, text + at, n++ - at);
			text[at] = c;
		}else if(how == 2 && at > 8)
			memmove(text + at - 8, text + at, (n -= 8) + 8 - at);
		else
			text[at] = c;
	}
	/* mostly the connection should go on */
	for(char *v = text; randombelow(r, 4) > 0 && (v = memmem(v, n -
			(size_t)(v - text), "close", 5)) != NULL; )
		memcpy(v, "keepx", 5);
	return n;
}

/* returns whether they are answered otherwise in pieces. */
static int
fuzzround(Random *r)
{
	static char text[InputMost], first[OutputMost], then[OutputMost];
	size_t n = fuzztext(r, text);
	Fuzz f = {.text = text, .n = n, .random = r};

	nfuzz++;
	fuzzconnection(&f, first);
	size_t nfirst = f.nanswers;
	f.piece = 1 + randombelow(r, randombelow(r, 2) ? 3 : 200);
	fuzzconnection(&f, then);
	if(nfirst == f.nanswers && memcmp(first, then, nfirst) == 0)
		return 0;
	printf("to %zu bytes:\n%.*s\nat once:\n%s\nin pieces of %u:\n%s\n", n,
		(int)n, text, first, f.piece, then);
	return 1;
}

#endif
