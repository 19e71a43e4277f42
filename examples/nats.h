/* SPDX-License-Identifier: MIT */
/*
 * As much of a NATS client as nats needs: the text protocol, on a stream.  A
 * message comes once or not at all: it is lost where nobody is subscribed, and
 * when a connection breaks.
 */
#ifndef NATS_H
#define NATS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <task.h>

enum { NatsRoom = 1024 };	/* messages that wait for a reader */
enum { NatsSubject = 256, NatsMost = 1 << 20 };	/* bytes; of a message */
enum { NatsGrace = 1000 };	/* ms for leaving in order */

typedef struct Msg
{
	char subject[NatsSubject];
	char reply[NatsSubject];	/* where an answer is to go, or "" */
	size_t n;
	char data[];	/* n bytes, and two more */
} Msg;

typedef struct Sub Sub;
struct Sub
{
	Sub *next;
	unsigned int id;
	char subject[NatsSubject];
	char queue[NatsSubject];	/* "": all of it gets each message */
	Channel *c;	/* of Msg *, each to be freed by who gets it */
	long nlost;	/* for which that had no room */
};

/* It lives as long as the program. */
typedef struct Nats
{
	char *host;
	int port;
	unsigned int quiet;	/* ms; who is silent for longer is asked */
	int fd;
	Stream *s;	/* NULL: there is no connection */
	QLock writing;	/* who writes to s, or changes s or subs */
	Sub *subs;
	unsigned int nsubs, ninboxes, self;
	size_t most;	/* bytes of a message, as the server says */
	unsigned int nconnections;
	unsigned int nsent, npongs;	/* its pings, and their answers */
	int ping, pong;	/* still to be sent */
	Event written;	/* there is something to be sent */
	Rendez news;	/* a pong, or another connection, or none */
} Nats;

/* Writing.  Tasks write to the stream, and one of its own sends all that. */

static inline void
natssends(void *v)
{
	Nats *b = v;

	tasksystem();
	taskname("nats sends");
	while(eventwait(&b->written) == 0 && qlock(&b->writing) == 0){
		eventclear(&b->written);
		for(; b->s && b->pong > 0; b->pong--)
			streamprint(b->s, "PONG\r\n");
		for(; b->s && b->ping > 0; b->ping--)
			b->nsent += streamprint(b->s, "PING\r\n") > 0;
		if(b->s)
			streamflush(b->s);
		qunlock(&b->writing);
	}
}

static inline int
natswrite(Nats *b, const struct iovec *v, int n)
{
	ssize_t r = -1;

	if(qlock(&b->writing) < 0)
		return -1;
	if(b->s == NULL)
		errno = ENOTCONN;
	else if((r = streamwritev(b->s, v, n)) < 0 && fdwritten() > 0)
		shutdown(b->fd, SHUT_RDWR);	/* nothing can follow a half */
	eventset(&b->written);
	qunlock(&b->writing);
	return r < 0 ? -1 : 0;
}

/* A blank or an end of line in a subject would begin something else. */
static inline int
natsvalid(const char *subject)
{
	if(*subject && strlen(subject) < NatsSubject &&
			strpbrk(subject, " \t\r\n") == NULL)
		return 1;
	errno = EINVAL;
	return 0;
}

/*
 * publishes n bytes; reply may be "".  Returns 0 if they will be sent, unless
 * the connection breaks; -1 with EINVAL, EMSGSIZE, or at once with ENOTCONN.
 */
static inline int
natspub(Nats *b, const char *subject, const char *reply, const void *v,
	size_t n)
{
	char head[2 * NatsSubject + 32];
	struct iovec parts[] = {{head, 0}, {(void *)(uintptr_t)v, n},
		{(char[]){'\r', '\n'}, 2}};

	if(!natsvalid(subject) || (*reply && !natsvalid(reply)))
		return -1;
	if(b->s && n > b->most){
		errno = EMSGSIZE;
		return -1;
	}
	parts[0].iov_len = (size_t)sprintf(head, "PUB %s %s %zu\r\n", subject,
		reply, n);
	return natswrite(b, parts, 3);
}

/*
 * waits for a connection, and until the server has seen what was written by
 * then.  Returns 0; -1 with ECONNRESET if some of that may be lost.
 */
static inline int
natssync(Nats *b)
{
	while(b->s == NULL)
		if(tasksleep(&b->news) < 0)
			return -1;
	unsigned int connection = b->nconnections;
	unsigned int mine = b->nsent + (unsigned int)++b->ping;
	eventset(&b->written);
	while(b->s && b->nconnections == connection && b->npongs < mine)
		if(tasksleep(&b->news) < 0)
			return -1;
	if(b->s && b->nconnections == connection)
		return 0;
	errno = ECONNRESET;
	return -1;
}

/* Subscriptions, which outlast connections.  room is that of the channel. */

static inline Sub *
natssub(Nats *b, const char *subject, const char *queue, int room)
{
	if(!natsvalid(subject) || (*queue && !natsvalid(queue)))
		return NULL;
	Sub *s = calloc(1, sizeof *s);
	Channel *c = chancreate(sizeof(Msg *), room);
	if(s == NULL || c == NULL || qlock(&b->writing) < 0){
		free(s);
		chanfree(c);
		return NULL;
	}
	s->next = b->subs;
	s->id = ++b->nsubs;
	s->c = c;
	strcpy(s->subject, subject);
	strcpy(s->queue, queue);
	b->subs = s;
	/* or else the next connection will say it */
	if(b->s && streamprint(b->s, "SUB %s %s %u\r\n", subject, queue,
			s->id) < 0)
		shutdown(b->fd, SHUT_RDWR);
	eventset(&b->written);
	qunlock(&b->writing);
	return s;
}

static inline void
natsunsub(Nats *b, Sub *s)
{
	char line[32];
	struct iovec part = {line, (size_t)sprintf(line, "UNSUB %u\r\n",
		s->id)};
	Msg *m;

	taskshield(NatsGrace);	/* its deadline may have passed */
	natswrite(b, &part, 1);
	taskunshield();
	Sub **at = &b->subs;
	while(*at != s)
		at = &(*at)->next;
	*at = s->next;
	while(channbrecv(s->c, &m) > 0)
		free(m);
	chanfree(s->c);
	free(s);
}

/* Reading.  -1 is for what the protocol has not: then the connection ends. */

static inline Sub *
natsfind(const Nats *b, unsigned int id)
{
	Sub *s = b->subs;

	while(s && s->id != id)
		s = s->next;
	return s;
}

/*
 * gives a message to whom it is for.  A reader without room has one turn more,
 * but is not waited for: nobody else would get anything meanwhile, and in the
 * end the server would give us up.
 */
static inline void
natsdeliver(Nats *b, unsigned int id, Msg *m)
{
	Sub *s = natsfind(b, id);

	if(s && channbsendp(s->c, m) > 0)
		return;
	taskyield();
	s = natsfind(b, id);	/* it may have unsubscribed */
	if(s && channbsendp(s->c, m) > 0)
		return;
	if(s)
		s->nlost++;
	free(m);
}

static inline int
natsmessage(Nats *b, const char *args)
{
	unsigned int id;
	int end = 0;
	Msg head = {.n = 0};

	if(sscanf(args, "%255s %9u %255s %9zu%n", head.subject, &id, head.reply,
			&head.n, &end) < 4 || args[end] != '\0'){
		head.reply[0] = '\0';
		if(sscanf(args, "%255s %9u %9zu%n", head.subject, &id, &head.n,
				&end) < 3 || args[end] != '\0')
			return -1;
	}
	Msg *m = head.n > NatsMost ? NULL : malloc(sizeof *m + head.n + 2);
	if(m == NULL)
		return -1;
	*m = head;
	if(streamreadn(b->s, m->data, m->n + 2) != (ssize_t)m->n + 2 ||
			memcmp(m->data + m->n, "\r\n", 2) != 0){
		free(m);
		return -1;
	}
	natsdeliver(b, id, m);
	return 0;
}

static inline int
natsline(Nats *b, const char *line)
{
	const char *most;

	if(strncasecmp(line, "MSG", 3) == 0 && strcspn(line, " \t") == 3)
		return natsmessage(b, line + 4);
	if(strncasecmp(line, "INFO ", 5) == 0){
		most = strstr(line, "\"max_payload\":");
		b->most = most ? strtoul(most + 14, NULL, 10) : NatsMost;
	}else if(strcasecmp(line, "PING") == 0)
		b->pong++;
	else if(strcasecmp(line, "PONG") == 0)
		b->npongs++;
	else if(strncasecmp(line, "-ERR ", 5) == 0)
		fprintf(stderr, "nats: the server says %s\n", line + 5);
	else if(strcasecmp(line, "+OK") != 0)
		return -1;
	eventset(&b->written);
	taskwakeupall(&b->news);
	return 0;
}

#endif
