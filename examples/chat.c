/* SPDX-License-Identifier: MIT */
/*
 * A chat: chat [port [directory [ms]]].  Its page, chat.html, is in directory,
 * examples if that is not given.  A room is there when somebody enters it, and
 * names, of rooms too, have 64 bytes at most:
 *
 *	GET /rooms/NAME?name=me&since=n	a WebSocket: each text is a message
 *	GET /rooms/NAME/messages?since=n	waits for those behind number n
 *	POST /rooms/NAME/messages?name=me	says something
 *
 * Who was cut off says again what it has not seen come back.  That it is the
 * same is told by its token, a number of the client's that is in the message
 * too: token=t of a POST, and on a WebSocket with tokens=1 what each text
 * begins with, before a space.  A text of nothing is answered with {}, so that
 * a page, which sees no pings, can tell whether the server is there.
 *
 * Look at say: nobody waits for anybody there.  A room keeps its last messages,
 * and each member a number: how far it has got.  So who was away, or is slow,
 * gets what it has missed, and a message lies in memory once.  Look at insist,
 * where a member that takes nothing for ms (5 s) is dropped, and at poll, which
 * waits for three things at once: news, the end of its patience, and the end of
 * its client.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include <taskhttp.h>
#include <taskws.h>
#include "listen.h"
#include "room.h"
#include "serve.h"

enum
{
	Ahead = 64,	/* messages that a member may be behind */
	SendBytes = 32 * 1024,	/* for a member, in the kernel */
	Clients = 10000,	/* at a time */
	PaceMs = 5,	/* between what one client says and what it says next */
	PollMs = 25000,
	PingMs = 20000,
	PongMs = 10000
};

/* One WebSocket.  It lies on the stack of its reader. */
struct Member
{
	Ws *ws;
	Room *room;
	int reader;	/* the task */
	uint64_t next;	/* the number it is to get */
	Channel *news;	/* numbers of messages, for the writer */
	Group tasks;	/* the writer, and who insists */
	int insisting;
	int tokens;	/* its texts begin with one */
	int asked;	/* for an answer, by the writer */
	int code;	/* for which it has to go; 0 if it has not */
	const char *why;
	int over;	/* the reader is interrupted, perhaps in say */
	Member *after;
};

static Server server;
static int files;	/* the directory */
static unsigned int patience = 5000;

/* enters the room that a request is about; or answers why not. */
static Room *
enter(Http *h)
{
	const char *name = httpparam(h, "room");

	if(name == NULL || strlen(name) > NameMost){
		httperror(h, 404);
		return NULL;
	}
	Room *r = findroom(name);
	if(r)
		r->inside++;
	else
		httperror(h, 503);
	return r;
}

static void
leave(Room *r)
{
	if(--r->inside == 0)
		r->left_ns = tasknow();
}

/* Who says something, as a request tells; or answers that this is no name. */
static const char *
speaker(Http *h)
{
	const char *name = httpquery(h, "name");

	if(name == NULL || *name == '\0')
		return "somebody";
	if(strlen(name) <= NameMost)
		return name;
	httperror(h, 400);
	return NULL;
}

/* The number behind since; if that is none of the room's, of all there is. */
static uint64_t
cursor(Http *h, const Room *r)
{
	const char *v = httpquery(h, "since");
	uint64_t since = v ? strtoull(v, NULL, 10) : 0;

	return since > r->last ? 1 : since + 1;
}

/* The token that v begins with, of *n bytes; NoToken if that is none. */
static int64_t
tokenat(const char *v, size_t *n)
{
	*n = strspn(v, "0123456789");
	return *n > 0 && *n <= TokenMost ? strtoll(v, NULL, 10) : NoToken;
}

/* returns 0, for who has the member stay no longer. */
static int
sendaway(Member *m, int code, const char *why)
{
	m->code = code;
	m->why = why;
	return 0;
}

static void
end(Member *m)
{
	m->over = 1;
	taskinterrupt(m->reader);
}

/* waits, for a member that has fallen behind, until that goes on. */
static void
insist(void *v)
{
	Member *m = v;
	Timeout t;
	int r = -1;

	TIMEOUT(&t, patience)
		r = chansend(m->news, &m->room->last);
	m->insisting = 0;
	if(r < 0 && errno == ETIMEDOUT){
		sendaway(m, 1013, "too slow");
		end(m);
	}
}

/*
 * returns the message's number; 0 if there is no memory.  The client has a
 * pace: it may send a thousand in one piece, and nobody could take them as fast
 * as they are read here; most would be missed, for the room keeps fewer.
 */
static uint64_t
say(Room *r, int64_t token, const char *from, const char *text, size_t n)
{
	uint64_t number = r->last + 1;
	Message *x = compose(number, token, from, text, n);

	if(x == NULL)
		return 0;
	r->last = number;
	release(r->kept[number % Kept]);
	r->kept[number % Kept] = x;
	eventset(&r->news);
	eventclear(&r->news);
	for(Member *m = r->members; m; m = m->after)
		if(!m->insisting && channbsend(m->news, &number) < 0)
			m->insisting = groupspawn(&m->tasks, insist, m, 0) > 0;
	taskdelay(PaceMs);
	return number;
}

/* WebSocket */

/* The other task of a member.  What it has been told of may be far behind. */
static void
writer(void *v)
{
	Member *m = v;
	Message *x;
	ssize_t r = 1;

	taskname("writer of %d", m->reader);
	do{
		while(r > 0 && (x = message(m->room, &m->next)) != NULL){
			x->refs++;
			r = wswrite(m->ws, WSTEXT, x->text, x->n);
			m->next += r > 0;
			release(x);
		}
		if(r > 0 && m->asked){
			m->asked = 0;
			r = wswrite(m->ws, WSTEXT, "{}", 2);
		}
	}while(r > 0 && chanrecv(m->news, NULL) > 0);
	if(!taskcancelled())
		end(m);	/* the reader may not know that yet */
}

static void
tell(Room *r, const char *name, const char *what)
{
	char text[NameMost + 16];
	int n = snprintf(text, sizeof text, "%s %s", name, what);

	say(r, NoToken, "", text, (size_t)n);
}

/* A member has sent x.  Returns whether it may stay. */
static int
listento(Member *m, const char *name, const Wsmessage *x)
{
	int64_t token = NoToken;
	size_t n = 0;

	if(x->n == 0){
		if(!m->asked)	/* if that is full the writer is awake */
			channbsend(m->news, &m->room->last);
		m->asked = 1;
		return 1;
	}
	if(m->tokens){
		token = tokenat(x->v, &n);
		if(token == NoToken || x->v[n++] != ' ' || n == x->n)
			return sendaway(m, 1008, "no token and text");
	}
	if(say(m->room, token, name, x->v + n, x->n - n) == 0)
		return sendaway(m, 1011, "no memory");
	return 1;
}

/* reads what the member says, until it goes or has to. */
static void
stay(Member *m, const char *name)
{
	Room *r = m->room;
	Wsmessage text;
	Member **at;

	m->after = r->members;
	r->members = m;
	tell(r, name, "is here");
	while(!m->over && wsread(m->ws, &text) > 0 && listento(m, name, &text))
		;
	for(at = &r->members; *at != m; at = &(*at)->after)
		;
	*at = m->after;
	tell(r, name, "has left");
}

static void
talk(Http *h)
{
	Wsset set = {.message = TextMost, .ping_ms = PingMs, .pong_ms = PongMs};
	const char *name = speaker(h);
	Member m = {.reader = (int)taskid(), .room = name ? enter(h) : NULL};

	if(m.room == NULL)
		return;
	m.next = cursor(h, m.room);
	m.tokens = httpquery(h, "tokens") != NULL;
	m.news = chancreate(sizeof m.next, Ahead);
	m.ws = m.news ? wsaccept(h, &set) : NULL;
	if(m.ws){
		netoption(httpfd(h), NETSENDBUF, SendBytes);
		if(groupspawn(&m.tasks, writer, &m, 0) > 0)
			stay(&m, name);
		taskshield(1000);
		groupcancel(&m.tasks);
		groupwait(&m.tasks);
		wsclose(m.ws, m.code ? m.code : serverstopping(&server) ?
			1001 : 1000, m.why);
		taskunshield();
	}
	chanfree(m.news);
	leave(m.room);
}

/* Without WebSocket */

static void
poll(Http *h)
{
	enum { News, Gone, Over };
	Room *r = enter(h);

	if(r == NULL)
		return;
	size_t n;
	Alt a[] = {{.op = ALTEVENT, .e = &r->news},
		{.op = ALTHANGUP, .fd = httpfd(h)},
		{.op = ALTDELAY, .ms = PollMs}, {.op = CHANEND}};
	uint64_t next = cursor(h, r);
	int woken = message(r, &next) ? News : chanalt(a);
	char *v = woken == News || woken == Over ? messages(r, next, &n) : NULL;
	if(v){
		httpset(h, "Cache-Control", "no-store");
		httpreply(h, 200, "application/json", v, n);
	}else
		httperror(h, 503);	/* at its end, or without memory */
	free(v);
	leave(r);
}

static void
post(Http *h)
{
	char answer[32];
	void *v;
	ssize_t n = httpbody(h, &v, TextMost);

	if(n < 0)
		return;	/* it is answered with the reason */
	const char *t = httpquery(h, "token");
	size_t digits = 0;
	int64_t token = t ? tokenat(t, &digits) : NoToken;
	if(n == 0 || (t && (token == NoToken || t[digits]))){
		httperror(h, 400);
		return;
	}
	const char *name = speaker(h);
	Room *r = name ? enter(h) : NULL;
	if(r == NULL)
		return;
	uint64_t number = say(r, token, name, v, (size_t)n);
	snprintf(answer, sizeof answer, "{\"n\":%" PRIu64 "}", number);
	if(number)
		httpreply(h, 201, "application/json", answer, strlen(answer));
	else
		httperror(h, 503);
	leave(r);
}

static void
page(Http *h)
{
	httpfile(h, files, "chat.html");
}

static const Httproute routes[] = {
	{"GET", "/", page, NULL},
	{"GET", "/rooms/:room", talk, NULL},
	{"GET", "/rooms/:room/messages", poll, NULL},
	{"POST", "/rooms/:room/messages", post, NULL},
	{NULL, NULL, NULL, NULL}
};

/* has the directory opened, and its page be there. */
static void
arguments(int argc, char **argv)
{
	const char *dir = argc > 2 ? argv[2] : "examples";

	if(argc > 4 || (argc > 1 && !isnumber(argv[1], 0, 65535)) ||
			(argc > 3 && !isnumber(argv[3], 0, 99999999))){
		fputs("usage: chat [port [directory [ms]]]\n", stderr);
		taskexitall(2);
	}
	if(argc > 3)
		patience = (unsigned int)atoi(argv[3]);
	files = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if(files < 0 || faccessat(files, "chat.html", R_OK, 0) < 0){
		fprintf(stderr, "chat: no chat.html in directory %s: %s\n",
			dir, strerror(errno));
		taskexitall(1);
	}
}

void
taskmain(int argc, char **argv)
{
	static Httpserver site = {.routes = routes};
	Timeout t;

	arguments(argc, argv);
	site.write_ms = patience;
	site.log = logwhy;
	server = (Server){Clients, IdleMs, .fn = httpserve, .arg = &site};
	int listener = listenon(argc > 1 ? argv[1] : NULL);
	Channel *signals = chancreate(sizeof(int), 1);
	if(signals == NULL || serverlisten(&server, listener) < 0){
		perror("chat");
		taskexitall(1);
	}
	signalwatch(SIGTERM, signals);
	signalwatch(SIGINT, signals);
	chanrecv(signals, NULL);
	TIMEOUT(&t, 1000)
		serverstop(&server);
	taskexitall(0);
}
