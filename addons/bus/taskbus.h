/* SPDX-License-Identifier: MIT */
/* Messages between machines, by Redis: bus(3). */
#ifndef TASK_BUS_H
#define TASK_BUS_H

#include <task.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A Bus is the way to an engine, a Redis server, from which other processes and
 * machines can be reached.  It is no channel: what was sent has been accepted
 * by the engine, which says nothing of who receives it, nor when.
 *
 * Topics are at most once.  A message goes to those who are subscribed at that
 * moment, and to nobody later.  What is lost is told: by a gap.
 * Streams are at least once.  An entry stays until somebody has acknowledged
 * it, and comes again if the one who has taken it is gone.  So it may come
 * twice, and nothing here can help that.
 *
 * While the engine cannot be reached, calls fail with ENOTCONN at once: nothing
 * is kept to be sent later.  The bus dials again, first after 10 ms, at last
 * every 5 s or less.  When the connection breaks while an answer is awaited,
 * calls that change something fail with EINPROGRESS: it may have happened, or
 * not.  So it may when a deadline or a cancel has ended the call; its answer is
 * dropped when it comes.  A refusal of the engine is EACCES (password, rights),
 * EAGAIN (it is loading, or busy), EINVAL (the key is of another kind), EIO (it
 * cannot save), ENOSPC (its memory is full), EROFS (it is a replica), and else
 * EPROTO: buserror gives the text.
 *
 * A bus is for the tasks of one thread: elsewhere calls fail with EPERM.  They
 * fail with EINVAL (no bus, or a NULL argument), ENOMEM, ESHUTDOWN once
 * busclose has been called, and otherwise as they say.
 */
typedef struct Bus Bus;

/*
 * busopen connects to the engine at url:
 * redis://[user:password@]host[:port][/database] or
 * unix://[user:password@]path[?db=database].  In names, passwords and paths
 * %40 is an @, and %25 a %.  Tasks of the system's kind serve the bus until
 * busclose.
 * Returns the bus; NULL with EACCES, EAGAIN, EHOSTDOWN (no answer within 5 s),
 * EINVAL (not such a url), EPROTO (it is no Redis), or as netdial.
 * Blocks: until the engine has answered.
 */
Bus *busopen(const char *url);

/*
 * busclose ends a bus.  Calls that wait for an answer are waited for, as long
 * as the caller's scopes allow; those that wait for a message fail with
 * ESHUTDOWN.  Subscriptions end: their channels are left as they are.
 * Returns 0; -1 with the errno that ended the wait, and the bus is gone all the
 * same: what was waited for failed; -1 with EBUSY, and nothing is done, if
 * another task is closing it.
 * Blocks: for that time.
 */
int busclose(Bus *b);

/*
 * busstate tells whether the engine can be reached; buswait waits until it can.
 * buserror gives the text of the last refusal, which stays until the next: ""
 * at first.
 * Returns: busstate 0, or -1 with the errno of the last attempt; buswait 0 or
 * -1; buserror the text.
 * Blocks: buswait, until it is connected.
 */
int busstate(Bus *b);
int buswait(Bus *b);
const char *buserror(Bus *b);

enum
{
	BUSMSG,
	BUSGAP	/* no message: something is missing here */
};

/* The id of an entry: they grow along a stream. */
typedef struct Busid
{
	uint64_t ms;	/* the engine's clock, since 1970 */
	uint64_t seq;
} Busid;

/* What is received.  It is the program's until busmsgfree. */
typedef struct Busmsg
{
	int op;	/* BUSMSG or BUSGAP */
	unsigned int again;	/* an entry: 1 if it may have come before */
	unsigned long lost;	/* BUSGAP: so many; 0: any number */
	char *topic;	/* or the stream */
	char *group;	/* that has taken it; NULL: it is of a topic */
	Busid id;	/* of an entry */
	size_t n;	/* its bytes */
	char *v;	/* and a zero byte; NULL with a BUSGAP */
} Busmsg;

/* busmsgfree frees a message.  NULL is fine. */
void busmsgfree(Busmsg *m);

/*
 * buspublish sends n bytes to all that are subscribed to the topic.  Those of
 * one task arrive in their order.
 * Returns how many the engine has sent it to, other machines' too: with 0 it is
 * gone; -1 with EINPROGRESS, ENOTCONN, or a refusal.
 * Blocks: until the engine has it.
 */
int buspublish(Bus *b, const char *topic, const void *v, size_t n);

/*
 * bussubscribe has messages to the topic sent to c, a channel of Busmsg *, from
 * when it returns on.  One for which c has no room is lost: a BUSGAP with their
 * number comes before the next one that is not, as soon as there is room.  When
 * the connection breaks, a BUSGAP with lost = 0 comes when the topic has been
 * subscribed to again: before that, anything can have been missed.
 * busunsubscribe ends this; what is in c stays there.  c must last until then.
 * Sizes: an element of c has the size of a pointer.
 * Returns 0; -1 with EEXIST (c has the topic already), ENOTCONN, or a refusal;
 * busunsubscribe, ENOENT.
 * Blocks: bussubscribe, until the engine has confirmed it.
 */
int bussubscribe(Bus *b, const char *topic, Channel *c);
int busunsubscribe(Bus *b, const char *topic, Channel *c);

/*
 * busappend puts an entry of n bytes at the end of the stream.  Streams grow
 * until somebody trims them or deletes entries: see buscall.
 * Returns 0, with its id in *id, which may be NULL; -1 with EINPROGRESS (it may
 * be there, or not), ENOTCONN, or a refusal.
 * Blocks: until the engine has it.
 */
int busappend(Bus *b, const char *stream, const void *v, size_t n, Busid *id);

/*
 * bustake takes the next entry of the stream that nobody of the group has
 * taken, in the name of who: first those that were handed to this name, are not
 * acknowledged, and have not come by bustake to this bus: an entry of busclaim
 * may come once more here, with again set.  That makes a group, from the
 * beginning of the stream, if there is none.  An entry that is deleted before
 * it was acknowledged is a BUSGAP with its id.  Each name has a connection of
 * its own, on which one task at a time waits and others wait for their turn; a
 * wait that is ended closes it.
 * Returns the entry, which busack acknowledges; NULL with ENOTCONN: nothing is
 * lost by that, nor by a deadline.
 * Blocks: until there is one.
 */
Busmsg *bustake(Bus *b, const char *stream, const char *group,
	const char *who);

/*
 * busclaim takes for who an entry that somebody of the group, who may be gone,
 * has taken and not acknowledged for idle_ms milliseconds.  If only entries
 * were found that have been deleted, it is a BUSGAP with their number.
 * Returns the entry; NULL with ENOENT (there is none), EINPROGRESS (one may be
 * taken: it can be claimed again), ENOTCONN, or a refusal.
 * Blocks: until the engine has answered.
 */
Busmsg *busclaim(Bus *b, const char *stream, const char *group,
	const char *who, unsigned int idle_ms);

/*
 * busack acknowledges an entry: it does not come again in its group.  It stays
 * in the stream.
 * Returns 0; -1 with ENOENT (it has been acknowledged before), EINVAL (m is no
 * entry), EINPROGRESS (it may come again), ENOTCONN, or a refusal.
 * Blocks: until the engine has answered.
 */
int busack(Bus *b, const Busmsg *m);

enum
{
	BUSSTRING = 1,	/* s and n */
	BUSARRAY,	/* v and n */
	BUSINTEGER,	/* i */
	BUSNIL,
	BUSSTATUS,	/* s and n: "OK" */
	BUSERROR	/* s and n: only within arrays */
};

/* What the engine has answered.  It is the program's until busreplyfree. */
typedef struct Busreply Busreply;
struct Busreply
{
	int type;
	int64_t i;
	size_t n;	/* bytes of s, or elements of v */
	char *s;	/* and a zero byte */
	Busreply *v;
	void *own;	/* the library's */
};

/*
 * buscall sends any command.  In fmt are its words: %s is a string, %b bytes
 * and their number (void *, size_t), %d and others as in printf, each a word or
 * a part of one, whatever it contains.  Other tasks' commands come in
 * between.  So those are refused that are about the connection (AUTH, SELECT,
 * MULTI, SUBSCRIBE, MONITOR and the like), and those that wait in the engine
 * (BLPOP, XREAD with BLOCK) have all others wait too.
 * Returns 0, with the answer in *r, which may be NULL; -1 with EINVAL (no such
 * format, or one of those commands), EINPROGRESS, ENOTCONN, or a refusal.
 * Blocks: until the engine has answered.
 */
int buscall(Bus *b, Busreply **r, const char *fmt, ...);

/* busreplyfree frees an answer.  NULL is fine. */
void busreplyfree(Busreply *r);

#ifdef __cplusplus
}
#endif
#endif
