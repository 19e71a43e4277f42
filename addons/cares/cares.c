/* SPDX-License-Identifier: MIT */
/* Names, looked up with c-ares: as many at a time as there are tasks. */
#include "careschannel.h"
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum
{
	NameMost = 255,	/* bytes of a host name; longer are refused */
	Buckets = 256,
	Questions = 64,	/* that are asked in a row: two datagrams each */
	PauseMs = 2,	/* after these: a server has room for some hundred */
	DriverStack = 256 * 1024
};

/*
 * A question, and its answer.  Those who ask the same meanwhile share it.  It
 * is freed when they have left and c-ares has done with it, which cannot forget
 * a single question.
 */
typedef struct Lookup Lookup;
struct Lookup
{
	Lookup *next;	/* of its bucket */
	Lookup *later;	/* of those that c-ares is still to be asked */
	int nwaiting;	/* tasks */
	int asked;	/* c-ares has it */
	Event answered;
	struct ares_addrinfo *found;	/* once it is answered, or NULL */
	int err;	/* errno then, or 0 */
	char host[];
};

/*
 * What a proc has.  As long as a task waits there is a system task, the driver,
 * and a channel, which it opens and which calls answered.  The last one who
 * leaves closes the channel itself: the scheduler may end before the driver
 * runs again.  A scheduler that ends while system tasks wait leaves all as it
 * is, to the next one or to the end of the thread.
 */
static _Thread_local struct
{
	int proc;	/* its number; 0: none yet */
	int driving;	/* there is a driver */
	int driver;	/* its id */
	int forked;	/* it may have been left behind, by taskfork */
	int nwaiting;	/* tasks, in all look-ups */
	Event changed;	/* the driver is to look what has */
	int err;	/* while the channel is closed: what is answered then */
	int again;	/* meanwhile: but those who wait have it asked anew */
	int64_t pause_ns;	/* until then nothing is asked */
	Lookup *first;	/* to be asked */
	Lookup **last;	/* the end of these; valid if there is a first */
	Lookup *buckets[Buckets];
} here;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t threadend;
static int failed;	/* errno of what is done once, or 0 */

/* Questions and answers */

static Lookup **
bucketof(const char *host)
{
	uint32_t h = 2166136261;	/* FNV-1a */

	for(; *host; host++)
		h = (h ^ (unsigned char)*host) * 16777619;
	return &here.buckets[(h ^ h >> 16) % Buckets];
}

static void
enqueue(Lookup *l)
{
	l->asked = 0;
	l->later = NULL;
	*(here.first ? here.last : &here.first) = l;
	here.last = &l->later;
}

static void
dequeue(Lookup *l)
{
	Lookup **at = &here.first;

	while(*at != l)
		at = &(*at)->later;
	*at = l->later;
	if(*at == NULL)
		here.last = at;
}

/* Nobody waits for l, and c-ares has not got it. */
static void
freelookup(Lookup *l)
{
	Lookup **at = bucketof(l->host);

	while(*at != l)
		at = &(*at)->next;
	*at = l->next;
	if(l->found)
		ares_freeaddrinfo(l->found);
	free(l);
}

/* l is not to be asked any more. */
static void
answer(Lookup *l, int err)
{
	l->err = err;
	if(l->nwaiting > 0)
		eventset(&l->answered);
	else
		freelookup(l);
}

static int
errnoof(int status, const struct ares_addrinfo *found)
{
	switch(status){
	case ARES_SUCCESS:
		return found && found->nodes ? 0 : ENOENT;
	case ARES_ENOTFOUND:
	case ARES_ENODATA:
	case ARES_EBADNAME:
		return ENOENT;
	case ARES_ENOMEM:
		return ENOMEM;
	case ARES_EDESTRUCTION:
		return here.err;
	default:
		return EAGAIN;
	}
}

static void
answered(void *v, int status, int timeouts, struct ares_addrinfo *found)
{
	Lookup *l = v;

	(void)timeouts;
	if(status == ARES_EDESTRUCTION && here.again && l->nwaiting > 0){
		enqueue(l);
		return;
	}
	l->found = found;
	answer(l, errnoof(status, found));
}

static void
answerall(int err)
{
	here.err = err;
	here.again = 0;
	cares_close();
	while(here.first){
		Lookup *l = here.first;
		dequeue(l);
		answer(l, err);
	}
}

/* In the child of a fork(2): the sockets are the parent's. */
static void
askanew(void)
{
	here.err = ECANCELED;
	here.again = 1;
	cares_close();
}

/* The driver */

static void
asksome(void)
{
	for(int i = 0; i < Questions && here.first; i++){
		Lookup *l = here.first;
		dequeue(l);
		l->asked = 1;
		cares_ask(l->host, answered, l);
	}
	here.pause_ns = tasknow() + PauseMs * (int64_t)1000000;
}

/* returns the ms until others may be asked, or -1 if there are none. */
static int
askfirst(void)
{
	if(here.first && tasknow() >= here.pause_ns)
		asksome();
	return here.first ? PauseMs : -1;
}

static void
drive(void *v)
{
	(void)v;
	tasksystem();
	taskname("names by c-ares");
	while(here.nwaiting > 0){
		eventclear(&here.changed);
		if(cares_isforked())
			askanew();
		if(!cares_isopen() && cares_open() < 0)
			break;
		if(cares_turn(&here.changed, askfirst()) < 0)
			break;
	}
	answerall(errno);
	here.driving = 0;
}

/* What a scheduler that has ended has left: its tasks are no more. */
static void
forget(void *v)
{
	(void)v;
	for(int i = 0; i < Buckets; i++)
		for(Lookup *l = here.buckets[i], *next; l; l = next){
			next = l->next;
			l->nwaiting = 0;
			if(l->answered.set)
				freelookup(l);
		}
	answerall(ECANCELED);
	here.proc = here.driving = here.nwaiting = here.forked = 0;
	here.changed = (Event){0};
}

static void
forked(void)
{
	cares_countfork();
	here.forked = 1;
	if(here.driving && taskid() && procself() == here.proc)
		eventset(&here.changed);
}

static void
beginprocess(void)
{
	failed = pthread_key_create(&threadend, forget);
	if(failed == 0)
		failed = pthread_atfork(cares_holdservers,
			cares_letgoservers, forked);
	if(failed == 0 && ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		failed = ENOMEM;
}

/* After taskfork the driver is gone, and so are all who waited. */
static int
leftbehind(void)
{
	Alt a[] = {{.op = ALTTASK, .id = here.driver}, {.op = CHANNOBLK}};
	int err = errno, lost = here.forked && here.driving && chanalt(a) == 0;

	here.forked = 0;
	errno = err;
	return lost;
}

static int
beginproc(int number)
{
	if(here.proc == number && !leftbehind())
		return 0;
	forget(NULL);
	int err = pthread_setspecific(threadend, &here);
	if(err)
		return cares_fail(err);
	here.proc = number;
	return 0;
}

/* sees to it that there is a driver; returns 0, or -1 and errno. */
static int
begindriver(void)
{
	int number = procself();

	if(number < 0)
		return -1;
	pthread_once(&once, beginprocess);
	if(failed)
		return cares_fail(failed);
	if(beginproc(number) < 0)
		return -1;
	if(here.driving)
		return 0;
	here.driver = taskcreate(drive, NULL, DriverStack);
	here.driving = here.driver > 0;
	return here.driving ? 0 : -1;
}

/* Those who ask */

static Lookup *
newlookup(const char *host)
{
	size_t bytes = strlen(host) + 1;
	Lookup **at = bucketof(host), *l = calloc(1, sizeof *l + bytes);

	if(l){
		memcpy(l->host, host, bytes);
		l->next = *at;
		*at = l;
		enqueue(l);
		eventset(&here.changed);
	}
	return l;
}

/* The same question, if it is under way, or a new one; NULL with ENOMEM. */
static Lookup *
enter(const char *host)
{
	Lookup *l = *bucketof(host);

	while(l && (l->answered.set || strcmp(l->host, host) != 0))
		l = l->next;
	if(l == NULL)
		l = newlookup(host);
	if(l){
		l->nwaiting++;
		here.nwaiting++;
	}
	return l;
}

static void
leave(Lookup *l)
{
	l->nwaiting--;
	if(l->nwaiting == 0 && !l->answered.set && !l->asked)
		dequeue(l);
	if(l->nwaiting == 0 && (l->answered.set || !l->asked))
		freelookup(l);
	if(--here.nwaiting == 0){
		answerall(ECANCELED);
		eventset(&here.changed);
	}
}

/* returns how many addresses there are in v. */
static int
copyaddresses(const Lookup *l, int port, struct sockaddr_storage *v, int n)
{
	int i = 0;

	for(const struct ares_addrinfo_node *a = l->found->nodes; a && i < n;
			a = a->ai_next){
		struct sockaddr_in *v4 = (void *)&v[i];
		if(a->ai_addrlen > sizeof *v)
			continue;
		memset(&v[i++], 0, sizeof *v);
		memcpy(v4, a->ai_addr, a->ai_addrlen);
		v4->sin_port = htons((uint16_t)port);	/* IPv6 has it there */
	}
	return i;
}

/* Whether netresolve need ask nobody. */
static int
known(const char *host)
{
	struct in_addr a;

	return strchr(host, ':') || strcasecmp(host, "localhost") == 0 ||
		inet_aton(host, &a);
}

static int
ask(const char *host, int port, struct sockaddr_storage *v, int n)
{
	if(begindriver() < 0)
		return -1;
	Lookup *l = enter(host);
	if(l == NULL)
		return -1;
	int err = eventwait(&l->answered) < 0 ? errno : l->err;
	int r = err ? -1 : copyaddresses(l, port, v, n);
	leave(l);
	errno = err;
	return r;
}

int
caresresolve(const char *host, int port, struct sockaddr_storage *v, int n)
{
	int err = errno;

	if(host == NULL || *host == '\0' || strlen(host) > NameMost ||
			port < 0 || port > 65535 || v == NULL || n < 1)
		return cares_fail(EINVAL);
	if(taskid() == 0)
		return cares_fail(EPERM);
	int r = known(host) ? netresolve(host, port, v, n) :
		ask(host, port, v, n);
	if(r >= 0)
		errno = err;
	return r;
}
