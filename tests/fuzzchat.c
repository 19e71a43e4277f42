/* SPDX-License-Identifier: MIT */
/*
 * The chat, in this process, with clients that say what is nearly HTTP and
 * WebSocket, or hang up; and with two in one of the rooms that
 * are honest, one on each way: each message must come to them, once, in its
 * place and as JSON, and when all have gone nobody is left inside.  For ten
 * minutes, say,
 *
 *	make SAN=address build/cc-asm-address/tests/fuzzchat
 *	build/cc-asm-address/tests/fuzzchat 600
 *
 * prints what it has done, and exits with 1 if something was wrong.
 */
#include <check.h>

/* There is no test that a helper's check could be a mark in. */
#define _mark_point(file, line) ((void)0)

/* Some names of the program are those of others here. */
#define taskmain chatmain
#define say chatsay
#define poll chatpoll
#include "../examples/chat.c"
#undef taskmain
#undef say
#undef poll

#include "wsplain.h"

enum
{
	Fuzzers = 4,	/* at a time */
	Session = 60,	/* of them, and all go home */
	TalkMost = 3 * SampleMost,
	AnswersMost = 1 << 20,
	SlowMs = 150,
	SessionMs = 120000	/* who is not home by then will never be */
};

/* A connection, and what is said on it. */
typedef struct Fuzzer
{
	Random random;
	int fd;
	char text[TalkMost];
	size_t n;
} Fuzzer;

static char over[64];	/* what is said last in a session */
static Httpserver site = {.routes = routes};
static unsigned long nconnections, nmessages, npolls, ndropped;
static int bad;

static void
wrong(const char *why, const char *v, size_t n)
{
	fprintf(stderr, "%s: %.*s\n", why, (int)n, v);
	bad = 1;
}

/* JSON */

/* reads a string, quotes and all; returns its end, or NULL. */
static const char *
jsonstring(const char *v)
{
	if(*v++ != '"')
		return NULL;
	while(*v != '"'){
		if((unsigned char)*v < ' ')
			return NULL;
		if(*v == '\\' && (*++v == '\0' || !strchr("\"\\/bfnrt", *v)))
			return NULL;
		v++;
	}
	return v + 1;
}

static const char *
jsonword(const char *v, const char *word)
{
	size_t n = strlen(word);

	return v && strncmp(v, word, n) == 0 ? v + n : NULL;
}

/* reads a message, and its number; returns its end, or NULL. */
static const char *
jsonmessage(const char *v, uint64_t *number)
{
	char *end;

	v = jsonword(v, "{\"n\":");
	if(v == NULL || *v < '1' || *v > '9')
		return NULL;
	*number = strtoull(v, &end, 10);
	v = jsonword(end, ",\"token\":");
	if(v && *v >= '0' && *v <= '9')
		strtoull(v, &end, 10);
	v = jsonword(end, ",\"from\":");
	v = v ? jsonstring(v) : NULL;
	v = jsonword(v, ",\"text\":");
	v = v ? jsonstring(v) : NULL;
	return jsonword(v, "}");
}

/*
 * reads what a poll has answered to who has got all up to *last, or nothing:
 * all behind it must be there, or as much as a room keeps.
 */
static void
jsonmessages(const char *text, size_t n, uint64_t *last)
{
	char *end = NULL;
	const char *v = jsonword(text, "{\"last\":");
	uint64_t newest = v ? strtoull(v, &end, 10) : 0, number = *last;

	for(v = jsonword(end, ",\"messages\":["); v && *v == '{'; ){
		uint64_t before = number;
		v = jsonmessage(v, &number);
		if(number != before + 1 && (before != *last ||
				(before && number + Kept != newest + 1)))
			v = NULL;
		v = v && *v == ',' && v[1] == '{' ? v + 1 : v;
	}
	if(jsonword(v, "]}") != text + n || number != newest ||
			!plainutf8((const unsigned char *)text, n))
		wrong("not what a poll is answered with", text, n);
	*last = newest;
}

/* Who is honest */

static void
serveone(void *v)
{
	Stream *s = streamopen((int)(intptr_t)v, 0);

	while(httpserve(NULL, s, &site) == 1)
		;
	streamclose(s);
}

/* A connection that the chat serves: the other end. */
static int
connected(Group *g)
{
	int fds[2];

	if(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0 ||
			groupspawn(g, serveone, (void *)(intptr_t)fds[1], 0) <
			0){
		perror("a connection");
		taskexitall(2);
	}
	return fds[0];
}

/*
 * Whether a member may get a message behind the last one: it is the next.  One
 * that has just come begins with the oldest, which may go before it is sent.
 */
static int
follows(uint64_t number, uint64_t last, int *caughtup)
{
	const Room *tea = findroom("tea");
	int good = last == 0 || number == last + 1 || (!*caughtup &&
		number > last && number + Kept <= tea->last + 1);

	*caughtup |= tea->last - number < Ahead;
	return good;
}

/* hears what is said until it is over, or it is too slow and sent away. */
static void
member(void *v)
{
	Group g = {0};
	Wsmessage m;
	uint64_t last = 0, number = 0;
	int done = 0, caughtup = 0;

	(void)v;
	Ws *w = wsclient(streamopen(connected(&g), 0), "h",
		"/rooms/tea?name=ann", NULL);
	if(w == NULL)
		wrong("no handshake", "", 0);
	while(!done && w && wsread(w, &m) > 0){
		const char *end = jsonmessage(m.v, &number);
		nmessages++;
		if(end != m.v + m.n || !follows(number, last, &caughtup) ||
				!plainutf8((unsigned char *)m.v, m.n))
			wrong("not the next message", m.v, m.n);
		last = number;
		done = strstr(m.v, over) != NULL;
	}
	if(w && !done && wscode(w) == 1013)
		ndropped++;
	else if(!done)
		wrong("the member was cut off", "", 0);
	wsclose(w, 0, NULL);
	groupwait(&g);
}

/* reads an answer with a length, into v; returns that, or -1. */
static ssize_t
answerto(Stream *s, char *v)
{
	size_t n = 0;
	char *line;
	ssize_t r;

	while((r = streamline(s, &line)) > 0)
		sscanf(line, "Content-Length: %zu", &n);
	if(r < 0 || n == 0 || n >= AnswersMost ||
			streamreadn(s, v, n) != (ssize_t)n)
		return -1;
	v[n] = '\0';
	return (ssize_t)n;
}

static void
poller(void *v)
{
	Group g = {0};
	Stream *s = streamopen(connected(&g), 0);
	char *text = malloc(AnswersMost);
	uint64_t last = 0;
	ssize_t n;

	(void)v;
	do{
		streamprint(s, "GET /rooms/tea/messages?since=%" PRIu64
			" HTTP/1.1\r\nHost: h\r\n\r\n", last);
		npolls++;
		n = answerto(s, text);
		if(n > 0)
			jsonmessages(text, (size_t)n, &last);
		else
			wrong("the poll was cut off", strerror(errno), 40);
	}while(n > 0 && !strstr(text, over));
	free(text);
	streamclose(s);
	groupwait(&g);
}

/* Who is not */

static const char handshake[] = "GET /rooms/tea?name=eve&since=1 HTTP/1.1\r\n",
	withtokens[] = "GET /rooms/tea?name=eve&since=1&tokens=1 HTTP/1.1\r\n",
	upgrade[] =
	"Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
	"Sec-WebSocket-Version: 13\r\n"
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static void
addpart(Fuzzer *f, const char *v, size_t n)
{
	n = n < TalkMost - f->n ? n : TalkMost - f->n;
	memcpy(f->text + f->n, v, n);
	f->n += n;
}

/* Frames behind a good handshake. */
static void
addws(Fuzzer *f)
{
	Bytes b = randomframes(&f->random, 0);

	if(chance(&f->random, 2))
		addpart(f, handshake, sizeof handshake - 1);
	else
		addpart(f, withtokens, sizeof withtokens - 1);
	addpart(f, upgrade, sizeof upgrade - 1);
	addpart(f, b.v, b.n);
	freebytes(&b);
}

/* A request with anything in the places where there may be something. */
static void
addrequest(Fuzzer *f)
{
	static const char *const words[] = {"tea", "coffee", "%ff", "%00",
		"%2f", "", "..", "a", "\xff", "+", "18446744073709551616",
		"-1", "1700000000000000", "since", "&", "=", "%"};
	char text[640], part[2][100] = {"", ""};
	Random *r = &f->random;
	Bytes b = {0};

	for(unsigned int i = randombelow(r, 6); i > 0; i--)
		strcat(part[i % 2], words[randombelow(r, sizeof words /
			sizeof words[0])]);
	randompayload(r, &b);
	int n = snprintf(text, sizeof text, "%s /rooms/%s%s?name=%s&since=%s"
		"&token%s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n",
		randombelow(r, 3) ? "POST" : "GET", chance(r, 3) ? part[0] :
		"tea", chance(r, 9) ? "" : "/messages", part[1], part[0],
		chance(r, 2) ? "=1" : part[1], b.n);
	addpart(f, text, (size_t)n);
	addpart(f, b.v, b.n);
	freebytes(&b);
}

/* A file as it is; or something made up, or some files with changes. */
static void
compose1(Fuzzer *f)
{
	static const char chars[] = "\r\n\0 /%?&=:\"\\0129az"
		"\x7f\x80\x81\x88\xc3";
	const Sample *s = nextsample();
	Random *r = &f->random;

	f->n = 0;
	if(s){
		addpart(f, s->v, s->n);
		return;
	}
	for(unsigned int i = 1 + randombelow(r, 3); i > 0; i--)
		if(chance(r, 4))
			addws(f);
		else if(chance(r, 3))
			addrequest(f);
		else if((s = anysample(r)))
			addpart(f, s->v, s->n);
	f->n = changebytes(r, f->text, f->n, TalkMost, chars,
		sizeof chars - 1);
}

/* says it, in pieces, at once or with others in between; 0, -1. */
static int
sayit(Fuzzer *f)
{
	unsigned int piece = chance(&f->random, 3) ? TalkMost :
		1 + randombelow(&f->random, 300);

	for(size_t at = 0, n; at < f->n; at += n){
		n = 1 + randombelow(&f->random, piece);
		n = n < f->n - at ? n : f->n - at;
		if(fdwrite(f->fd, f->text + at, n) < 0)
			return -1;
		if(chance(&f->random, 4))
			taskdelay(0);
	}
	return 0;
}

static void
fuzzer(void *v)
{
	Group g = {0};
	Fuzzer *f = malloc(sizeof *f);
	char buf[4096];
	Timeout t;

	f->random.x = 1 + (uint64_t)randombelow(v, UINT32_MAX) * UINT32_MAX;
	f->fd = connected(&g);
	compose1(f);
	int good = 0;
	TIMEOUT(&t, SlowMs)
		good = sayit(f) == 0;
	if(good && chance(&f->random, 30))
		taskdelay(SlowMs);	/* takes nothing meanwhile */
	if(!chance(&f->random, 3))
		shutdown(f->fd, SHUT_WR);
	TIMEOUT(&t, randombelow(&f->random, 20))
		while(good && fdread(f->fd, buf, sizeof buf) > 0)
			;
	fdclose(f->fd);
	free(f);
	groupwait(&g);
	nconnections++;
}

/* What is given to who comes back and has missed so many messages. */
static void
giveback(const Room *r, uint64_t missed)
{
	uint64_t last = r->last - missed;
	size_t n;
	char *v = messages(r, last + 1, &n);

	if(v)
		jsonmessages(v, n, &last);
	free(v);
}

/* All have gone home: nobody is inside, and what is kept can be given out. */
static void
lookround(void)
{
	for(int i = 0; i < RoomsMost; i++){
		const Room *r = rooms[i];
		uint64_t first = 1;
		if(r && (r->inside || r->members))
			wrong("somebody is left in", r->name, NameMost);
		if(r == NULL || message(r, &first) == NULL)
			continue;
		uint64_t n = r->last + 1 - first;
		giveback(r, n - 1);
		giveback(r, n);
		if(n == Kept)
			giveback(r, n + 1);
	}
}

static void
session(Random *r)
{
	Group honest = {0}, g = {.limit = Fuzzers};
	Timeout t;
	Room *tea = NULL;
	int home = 0;

	snprintf(over, sizeof over, "this was all of %lu", nconnections);
	TIMEOUT(&t, SessionMs){
		groupspawn(&honest, member, NULL, 0);
		groupspawn(&honest, poller, NULL, 0);
		for(int i = 0; i < Session && !bad; i++)
			groupspawn(&g, fuzzer, r, 0);
		groupwait(&g);
		tea = findroom("tea");
		if(tea == NULL || chatsay(tea, NoToken, "", over,
				strlen(over)) == 0)
			wrong("no memory", "", 0);
		home = groupwait(&honest) >= 0;
	}
	if(!home)
		wrong("not all have gone home", "", 0);
	lookround();
}

static int seconds;

static void
fuzz(void *v)
{
	Random r = randomstart();
	int64_t end_ns = nowns() + seconds * (int64_t)1000000000;

	(void)v;
	patience = SlowMs / 2;
	site.write_ms = patience;
	files = open("examples", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	samplesread("chat");
	printf("seed %lu\n", r.seed);
	fflush(stdout);
	do
		session(&r);
	while(!bad && nowns() < end_ns);
	printf("%lu connections, %lu messages, %lu polls, %lu times too slow, "
		"in %d s: %s\n", nconnections, nmessages, npolls, ndropped,
		seconds, bad ? "wrong" : "right");
	for(int i = 0; i < RoomsMost; i++)
		closeroom(rooms[i]);
	samplesfree();
	taskexitall(bad);
}

int
main(int argc, char **argv)
{
	seconds = argc > 1 ? atoi(argv[1]) : 10;
	return taskrun(fuzz, NULL);
}
