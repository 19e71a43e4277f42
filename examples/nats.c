/* SPDX-License-Identifier: MIT */
/*
 * A client of NATS, whose server passes messages on to those who subscribe:
 *	nats host:port pub subject	publishes each line of its input
 *	nats host:port sub subject [queue [name]]	shows what comes
 *	nats host:port ask subject text [ms]	shows the first answer
 * One of those in a queue gets a message; one with a name answers, too.  The
 * environment may say NATSQUIET: the ms that a server may be silent.
 * Look at life: one task reads for all, makes a broken connection anew, and
 * subscribes to all again.  Meanwhile natspub fails: what it kept would come
 * out of time.  Then, in nats.h, at natsdeliver, which waits for no reader but
 * drops and counts; and at natssends, which sends what others have written, so
 * that they wait only when there is much of it.
 */
#include <sys/random.h>
#include "nats.h"

enum { Least = 10, Longest = 5000 };	/* ms until it is tried again */
enum { Quiet = 30000, Answer = 2000 };	/* ms that are waited for it */
enum { LineMost = NatsMost + 2 };	/* bytes */

/* reads until the connection breaks.  Who is silent is asked, once. */
static void
hear(Nats *b)
{
	int asked = 0, r = 0;
	char *line;
	Timeout t;

	while(r >= 0){
		ssize_t n = -1;
		TIMEOUT(&t, b->quiet)
			if((n = streamline(b->s, &line)) >= 0)
				r = natsline(b, line);
		if(n < 0 && (asked || !timeoutfired(&t)))
			return;
		asked = n < 0;
		b->ping += asked;
		if(asked)
			eventset(&b->written);
	}
	fputs("nats: the server is not understood\n", stderr);
}

/* is the first to speak on a connection; others write when it has ended. */
static int
greet(Nats *b, Stream *s)
{
	char *line;

	if(streamline(s, &line) < 0 || strncasecmp(line, "INFO ", 5) != 0 ||
			natsline(b, line) < 0 || qlock(&b->writing) < 0)
		return -1;
	int r = streamprint(s, "CONNECT {\"verbose\":false}\r\n");
	for(Sub *sub = b->subs; sub && r >= 0; sub = sub->next)
		r = streamprint(s, "SUB %s %s %u\r\n", sub->subject, sub->queue,
			sub->id);
	if(r >= 0){
		b->s = s;
		b->nconnections++;
		b->nsent = b->npongs = 0;
		b->ping = 1;
		b->pong = 0;
		eventset(&b->written);
	}
	qunlock(&b->writing);
	return r;
}

static void
leave(Nats *b, Stream *s)
{
	shutdown(b->fd, SHUT_RDWR);	/* who writes waits no longer */
	taskshield(NatsGrace);
	if(qlock(&b->writing) == 0){
		b->s = NULL;
		streamclose(s);
		qunlock(&b->writing);
	}
	taskunshield();
	taskwakeupall(&b->news);
}

static void
life(void *v)
{
	Nats *b = v;
	unsigned int ms = Least;
	Timeout t;

	tasksystem();
	taskname("nats reads");
	while(!taskcancelled()){
		Stream *s = NULL;
		int r = -1;
		TIMEOUT(&t, b->quiet)
			if((b->fd = netdial(TCP, b->host, b->port)) >= 0 &&
					(s = streamopen(b->fd, 0)) != NULL)
				r = greet(b, s);
		if(r >= 0)
			hear(b);
		ms = r >= 0 && b->npongs > 0 ? Least :
			2 * ms < Longest ? 2 * ms : Longest;
		if(s)
			leave(b, s);
		else if(b->fd >= 0)
			fdclose(b->fd);
		taskdelay(ms + (unsigned int)rand() % ms);
	}
}

/* The program: what returns has failed, or is done, with 0. */

static int
publines(Nats *b, Stream *in, const char *subject)
{
	char *line;
	ssize_t n;

	if(natssync(b) < 0)
		return -1;
	while((n = streamline(in, &line)) >= 0)
		if(natspub(b, subject, "", line, (size_t)n) < 0)
			return -1;
	return errno == ENODATA ? natssync(b) : -1;
}

static int
pub(Nats *b, char **args)
{
	Stream *in = streamopen(0, LineMost);
	int r = in ? publines(b, in, args[0]) : -1, err = errno;

	streamclose(in);
	errno = err;
	return r;
}

static void
reply(Nats *b, const Msg *m, const char *name)
{
	char *text = malloc(strlen(name) + 2 + m->n + 1);

	if(text){
		int n = sprintf(text, "%s: ", name);
		memcpy(text + n, m->data, m->n);
		natspub(b, m->reply, "", text, (size_t)n + m->n);
	}
	free(text);
}

/* shows what comes, until who reads that has gone. */
static void
show(Nats *b, Sub *s, Stream *out, const char *name)
{
	Msg *m;

	streamprint(out, "subscribed\n");
	while(streamflush(out) == 0 && (m = chanrecvp(s->c)) != NULL){
		if(*m->reply && name)
			reply(b, m, name);
		m->data[m->n] = '\n';
		streamprint(out, "%s ", m->subject);
		streamwrite(out, m->data, m->n + 1);
		free(m);
		if(s->nlost > 0)
			streamprint(out, "%ld lost\n", s->nlost);
		s->nlost = 0;
	}
}

static int
sub(Nats *b, char **args)
{
	const char *queue = args[1] ? args[1] : "";
	Sub *s = natssub(b, args[0], queue, NatsRoom);
	Stream *out = s ? streamopen(1, 0) : NULL;

	if(out == NULL)
		return -1;
	while(natssync(b) < 0 && errno == ECONNRESET)
		;
	show(b, s, out, args[1] ? args[2] : NULL);
	int err = errno;
	streamclose(out);
	errno = err;
	return -1;
}

/* asks, and waits for the first answer, in an inbox that nobody else has. */
static Msg *
natsask(Nats *b, const char *subject, const void *v, size_t n)
{
	char inbox[64];
	Msg *m = NULL;

	sprintf(inbox, "_INBOX.%08x.%u", b->self, ++b->ninboxes);
	Sub *s = natssub(b, inbox, "", 1);
	if(s == NULL)
		return NULL;
	if(natspub(b, subject, inbox, v, n) == 0)
		m = chanrecvp(s->c);
	int err = errno;
	natsunsub(b, s);
	errno = err;
	return m;
}

static int
ask(Nats *b, char **args)
{
	Msg *m = NULL;
	Timeout t;

	if(args[1] == NULL){
		errno = EINVAL;
		return -1;
	}
	TIMEOUT(&t, args[2] ? (unsigned int)atoi(args[2]) : Answer)
		if(natssync(b) == 0)
			m = natsask(b, args[0], args[1], strlen(args[1]));
	if(m)
		printf("%.*s\n", (int)m->n, m->data);
	return m ? 0 : -1;
}

void
taskmain(int argc, char **argv)
{
	static int (*const verbs[])(Nats *, char **) = {pub, sub, ask};
	static const char *const names[] = {"pub", "sub", "ask"};
	const char *quiet = getenv("NATSQUIET");
	Nats b = {.quiet = quiet ? (unsigned int)atoi(quiet) : Quiet};
	char *colon = argc > 3 ? strrchr(argv[1], ':') : NULL;
	size_t i = 0;

	while(colon && i < 3 && strcmp(argv[2], names[i]) != 0)
		i++;
	if(colon == NULL || i == 3){
		fputs("usage: nats host:port pub|sub|ask subject ...\n",
			stderr);
		taskexitall(2);
	}
	*colon = '\0';
	b.host = argv[1];
	b.port = atoi(colon + 1);
	if(getrandom(&b.self, sizeof b.self, 0) < 0 ||
			taskcreate(life, &b, 0) < 0 ||
			taskcreate(natssends, &b, 0) < 0 ||
			verbs[i](&b, argv + 3) < 0){
		fprintf(stderr, "nats: %s\n", neterror(errno));
		taskexitall(1);
	}
	taskexitall(0);
}
