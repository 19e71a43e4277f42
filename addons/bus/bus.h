/* SPDX-License-Identifier: MIT */
/* What the parts of a bus have of one another. */
#ifndef TASK_BUSPARTS_H
#define TASK_BUSPARTS_H

#include "taskbus.h"
#include <errno.h>
#include <hiredis.h>

#pragma GCC visibility push(hidden)

enum { ErrorBytes = 256, IdBytes = 48, Buckets = 256 };

/* Where the engine is, and who we are there: busurl.c. */
typedef struct Url
{
	char *text;	/* that the others point into */
	size_t size;	/* of text, as it was */
	char *host;	/* NULL: there is a path */
	char *path;
	char *user;	/* NULL: none */
	char *password;	/* NULL: none */
	char *db;	/* NULL: none is chosen */
	int port;
} Url;

/* returns 0; -1 with EINVAL or ENOMEM. */
int bus_urlparse(Url *u, const char *url);
void bus_urlfree(Url *u);

/* A connection: buslink.c. */
typedef struct Link
{
	Stream *s;	/* NULL: it is not open */
	int fd;
	redisReader *r;
	redisReplyObjectFunctions fn;	/* its own, but for arrays */
	redisReplyObjectFunctions *real;
	size_t unfinished;	/* bytes of an answer that is not all there */
} Link;

/* A command as it is sent. */
typedef struct Cmd
{
	char *v;	/* NULL: there was no memory, or no such format */
	size_t n;
} Cmd;

/* makes a command of words; n NULL: they are strings. */
Cmd bus_words(int nwords, const char **words, const size_t *n);
void bus_cmdfree(Cmd *c);

/*
 * opens l: connects and says who we are.  A refusal is put into error.
 * Returns 0; -1 and errno, EHOSTDOWN if nobody has answered within 5 s.
 */
int bus_linkopen(Link *l, const Url *u, char *error);
void bus_linkclose(Link *l);

/* ends all calls on it, and lets it be. */
void bus_linkbreak(Link *l);

/* Whether the peer has not closed an idle link, as far as is known here. */
int bus_linkalive(const Link *l);

/*
 * waits for the next answer.
 * Returns it; NULL with ECONNRESET at the end, EPROTO, ENOMEM, or as fdread.
 */
redisReply *bus_linkreply(Link *l);

/* sends a command, which it frees, and waits for its answer; or NULL, errno. */
redisReply *bus_linkask(Link *l, Cmd c);

/* What the engine has said: busreply.c. */

/* the element i of an array, or NULL. */
const redisReply *bus_at(const redisReply *r, size_t i);
int bus_isword(const redisReply *r, const char *word);
int bus_istext(const redisReply *r);

/* errno of a refusal, whose text is put into error. */
int bus_refused(const redisReply *r, char *error);

/* returns 0, or -1 if it is no id. */
int bus_id(const redisReply *r, Busid *id);
void bus_idtext(Busid id, char text[IdBytes]);

/* a message with room for n bytes; group may be NULL. */
Busmsg *bus_msg(const char *topic, const char *group, const char *v, size_t n);

/* the message that an entry is; NULL with ENOMEM or EPROTO. */
Busmsg *bus_entry(const redisReply *r, const char *stream, const char *group);

/* takes r over; returns NULL with ENOMEM. */
Busreply *bus_reply(redisReply *r);

/* A connection that is dialled again, on which many wait: busline.c. */
typedef struct Slot Slot;
typedef struct Line Line;
struct Line
{
	Bus *b;
	const char *name;

	/* its owner's; may be NULL */
	void (*begun)(Line *n);	/* it is up, and nothing was sent yet */
	int (*came)(Line *n, redisReply *r);	/* 1: it was no answer */
	int (*answered)(Line *n, void *about, const redisReply *r);

	int driver;	/* its task; 0: there is none */
	int up;
	int err;	/* else why not; 0: it is tried the first time */
	unsigned int ntried;	/* how often it was or came down */
	Link link;	/* the driver's, while it dials */
	Event changed;	/* set for a moment, when any of these has */

	Slot *first;	/* to be answered, or sent */
	Slot **last;	/* the end of these; valid if there is a first */
	Slot *unsent;	/* the first of those not sent */
	unsigned int nleft;	/* nobody waits for */
	Event more;	/* there are some to be sent, or no more will be */
	int writing;	/* there is a writer */
	int stop;	/* it is to end */
	Event written;	/* it has */
};

/* starts its driver, if there is none; returns 0, or -1 and errno. */
int bus_linestart(Line *n);
void bus_linestop(Line *n);

/* sends a command whose answer nobody waits for; returns 0, or -1 and errno. */
int bus_linepost(Line *n, Cmd c, void *about);

/* sends a command, and waits for the answer; NULL and errno. */
redisReply *bus_linecall(Line *n, Cmd c, void *about);

/* Subscriptions: bussub.c. */
typedef struct Topic Topic;
void bus_subsbegun(Line *n);
int bus_subscame(Line *n, redisReply *r);
int bus_subsanswered(Line *n, void *about, const redisReply *r);
void bus_subsend(Bus *b);
void bus_subsfree(Bus *b);

/* Who takes entries: bustake.c. */
typedef struct Taker Taker;
void bus_takersbreak(Bus *b);
void bus_takersend(Bus *b);

struct Bus
{
	Url url;
	void *home;	/* of the thread that made it */
	Line calls;
	Line subs;	/* begun by the first subscription */
	Topic *topics[Buckets];
	Taker *takers;
	uint64_t random;
	int closing;
	unsigned int nin;	/* tasks that are in a call */
	unsigned int ntellers;	/* and those that tell of gaps */
	Event quiet;	/* set for a moment, when one has left */
	char error[ErrorBytes];
};

/* begins a call; returns 0, or -1 and errno. */
int bus_enter(Bus *b);

/* ends it; what has not failed leaves errno as it was, which is err. */
void bus_leave(Bus *b, int failed, int err);

/* somebody may wait for what has changed. */
void bus_tell(Event *e);

/* frees the command c; the answer is no refusal.  NULL and errno. */
redisReply *bus_ask(Bus *b, Cmd c);

/*
 * makes a task that calls fn.  When it has ended, also if it was cancelled
 * before it had begun, ended is called.  Returns its id; -1 and errno.
 */
int bus_task(void (*fn)(void *), void (*ended)(void *), void *arg);

int bus_fail(int err);

#pragma GCC visibility pop

#endif
