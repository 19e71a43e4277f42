/* SPDX-License-Identifier: MIT */
/* Names, looked up by threads of the pool. */
#include "ip.h"
#include "../proc/pool.h"
#include "../proc/proc.h"
#include "../task/newnames.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>

typedef struct Asker Asker;
typedef struct Lookup Lookup;

/* A task that wants to know; on its stack. */
struct Asker
{
	Errand errand;
	Asker *next;	/* of those who ask the same */
	Asker *prev;
	Lookup *lookup;	/* NULL: it has been answered, or has left */
	Addresses *found;	/* where they go */
	int err;	/* errno, if there are none; else 0 */
};

/*
 * A question under way.  Libc answers it when it likes, half a minute later
 * perhaps: nobody waits for that who has no time.  So it owns its memory, and
 * the thread that has asked frees it.
 */
struct Lookup
{
	Job job;
	Lookup *next;	/* under way */
	Lookup *prev;
	struct
	{
		Asker *head;
		Asker *tail;
	} askers;	/* all who wait now, perhaps none */
	Question q;
	Addresses found;
	int err;	/* errno, if there are none; else 0 */
	char host[];
};

static struct
{
	pthread_mutex_t lock;	/* for the fields of all askers, too */
	Lookup *head;
	Lookup *tail;
} underway = {.lock = PTHREAD_MUTEX_INITIALIZER};

/*
 * Those that the parent has under way are nobody's here.  They are not freed: a
 * thread that is not here may have been at them.
 */
static void
lookupsforked(void)
{
	pthread_mutex_init(&underway.lock, NULL);
	underway.head = underway.tail = NULL;
}

static void
watchlookupfork(void)
{
	pthread_atfork(NULL, NULL, lookupsforked);
}

static void
runlookup(Job *j)
{
	Lookup *l = structof(Lookup, job, j);

	l->err = task_ipask(&l->q, &l->found) < 0 ? errno : 0;
}

static void
telllookup(Job *j)
{
	Lookup *l = structof(Lookup, job, j);
	Asker *a;

	pthread_mutex_lock(&underway.lock);
	listremove(&underway, l, prev, next);
	while((a = l->askers.head)){
		listshift(&l->askers, a, prev, next);
		a->lookup = NULL;
		a->err = l->err;
		*a->found = l->found;
		task_doortell(a->errand.home, &a->errand.note);
	}
	pthread_mutex_unlock(&underway.lock);
	task_sys.free(l);
}

/* the lock is held: the same question, or NULL. */
static Lookup *
findsame(const Question *q)
{
	Lookup *l = underway.head;

	while(l && (l->q.port != q->port || l->q.family != q->family ||
			l->q.type != q->type || strcmp(l->host, q->host) != 0))
		l = l->next;
	return l;
}

/* the lock is held: begins to ask; returns NULL with ENOMEM or EAGAIN. */
static Lookup *
newlookup(const Question *q)
{
	size_t bytes = strlen(q->host) + 1;
	Lookup *l = task_sys.alloc(sizeof *l + bytes);

	if(l == NULL)
		return NULL;
	memcpy(l->host, q->host, bytes);
	l->q = *q;
	l->q.host = l->host;
	l->job.run = runlookup;
	l->job.done = telllookup;
	if(task_poolput(&l->job, Names) < 0){
		task_sys.free(l);
		errno = EAGAIN;
		return NULL;
	}
	listadd(&underway, l, prev, next);
	return l;
}

static int
enterlookup(Asker *a, const Question *q)
{
	static pthread_once_t forks = PTHREAD_ONCE_INIT;

	pthread_once(&forks, watchlookupfork);
	pthread_mutex_lock(&underway.lock);
	Lookup *l = findsame(q);
	if(l == NULL)
		l = newlookup(q);
	if(l){
		listadd(&l->askers, a, prev, next);
		a->lookup = l;
	}
	pthread_mutex_unlock(&underway.lock);
	return l ? 0 : -1;
}

/* A question that no thread has begun to ask, and nobody wants, is given up. */
static int
leavelookup(Errand *e)
{
	Asker *a = structof(Asker, errand, e);

	pthread_mutex_lock(&underway.lock);
	Lookup *l = a->lookup;
	if(l){
		listremove(&l->askers, a, prev, next);
		a->lookup = NULL;
		if(l->askers.head == NULL && task_pooltake(&l->job)){
			listremove(&underway, l, prev, next);
			task_sys.free(l);
		}
	}
	pthread_mutex_unlock(&underway.lock);
	return l != NULL;
}

/* returns 0; -1 and errno; 1 if the question was lost in a fork(2). */
static int
askpool(Proc *p, const char *what, const Question *q, Addresses *found)
{
	Asker a = {.found = found};
	Cut cut;

	if(task_errandoutside(p, &a.errand, what, leavelookup) < 0)
		return -1;
	if(enterlookup(&a, q) < 0){
		int err = errno;
		task_erranddone(p, &a.errand);
		return task_fail(err);
	}
	if(task_errandawait(p, &a.errand, &cut) < 0)
		return -1;
	if(a.errand.lost)
		return 1;
	if(a.err)
		return task_fail(a.err);
	task_uncut(p->running, cut);
	return 0;
}

int
task_lookup(const char *what, const Question *q, Addresses *found)
{
	int err = errno, r = task_ipnumber(q, found);

	if(r > 0 && task_proc == NULL)
		r = task_ipask(q, found);
	while(r > 0)
		r = askpool(task_proc, what, q, found);
	if(r == 0)
		errno = err;
	return r;
}

int
netlookup(const char *name, uint32_t *ip)
{
	const Question q = {name, 0, AF_INET, SOCK_STREAM};
	Addresses found;

	if(name == NULL || ip == NULL)
		return task_fail(EINVAL);
	if(task_lookup("netlookup", &q, &found) < 0)
		return -1;
	memcpy(ip, &found.v[0].at.v4.sin_addr, 4);
	return 0;
}

int
netresolve(const char *host, int port, struct sockaddr_storage *v, int n)
{
	const Question q = {host, port, AF_UNSPEC, SOCK_STREAM};
	Addresses found;

	if(host == NULL || v == NULL || n < 1)
		return task_fail(EINVAL);
	if(task_lookup("netresolve", &q, &found) < 0)
		return -1;
	if(n > found.n)
		n = found.n;
	memset(v, 0, (size_t)n * sizeof *v);
	for(int i = 0; i < n; i++)
		memcpy(&v[i], &found.v[i].at, found.v[i].n);
	return n;
}
