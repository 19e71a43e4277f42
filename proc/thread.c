/* SPDX-License-Identifier: MIT */
/* The threads of procs: they are made, and joined when they have gone. */
#include "members.h"
#include <stdlib.h>

/*
 * A proc is over before its thread has gone: what libraries do at the end of a
 * thread is still to come, and must not meet what they do at the end of the
 * process.  So threads are joined: by the root, when all of its procs are over,
 * or when the process exits; and whoever makes the next one joins those that
 * have gone by then, for their stacks.
 */
enum { ThreadStack = 256 * 1024 };

/* the lock is held: takes m, whose thread was joined, off the list at *at. */
static void
joined(Member **at)
{
	Member *m = *at;

	*at = m->nextunjoined;
	task_memberrelease(m);
}

/* the lock is held */
static void
joingone(Member *root)
{
#ifdef __linux__
	for(Member **at = &root->unjoined; *at; )
		if((*at)->over && pthread_tryjoin_np((*at)->thread, NULL) == 0)
			joined(at);
		else
			at = &(*at)->nextunjoined;
#else
	(void)root;
#endif
}

/* the lock is held: moves those of root that are over to list; its end. */
static Member **
takeended(Member *root, Member **list)
{
	for(Member **at = &root->unjoined, *m; (m = *at) != NULL; )
		if(m->over){
			*at = m->nextunjoined;
			m->nextunjoined = NULL;
			*list = m;
			list = &m->nextunjoined;
		}else
			at = &m->nextunjoined;
	return list;
}

Member *
task_memberended(Member *root)
{
	Member *list = NULL;

	takeended(root, &list);
	return list;
}

/* The caller may be one of them, whose end has called exit. */
void
task_memberjoin(Member *list)
{
	int cancels;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels);
	while(list){
		if(!pthread_equal(list->thread, pthread_self()))
			pthread_join(list->thread, NULL);
		task_memberslock();
		joined(&list);
		task_membersunlock();
	}
	pthread_setcancelstate(cancels, NULL);
}

/*
 * Those that are over by now: others may go on to make some.  A signal handler
 * may have called exit while the thread had the lock.
 */
static void
joinall(void)
{
	Member *list = NULL, **end = &list;

	if(!task_memberstrylock())
		return;
	for(Member *m = *task_members; m; m = m->next)
		end = takeended(m, end);
	task_membersunlock();
	task_memberjoin(list);
}

static void
joinatexit(void)
{
	atexit(joinall);
}

int
task_memberstart(Member *m, void *(*fn)(void *), void *arg)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_attr_t attr;

	pthread_once(&once, joinatexit);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, ThreadStack);
	task_memberslock();	/* so that m lives until this is done */
	joingone(m->root);
	int err = pthread_create(&m->thread, &attr, fn, arg);
	if(err == 0){
		m->users++;
		m->nextunjoined = m->root->unjoined;
		m->root->unjoined = m;
	}
	task_membersunlock();
	pthread_attr_destroy(&attr);
	return err;
}
