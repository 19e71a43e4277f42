/* SPDX-License-Identifier: MIT */
/* Tasks that wait until somebody at a console has them go on. */
#include "console.h"
#include "../proc/proc.h"
#include "../task/newnames.h"

/* Nobody else would have it go on: so a session's own task does not wait. */
static int
servessome(Proc *p, const Task *t)
{
	int found = 0;

	task_sessionslock();
	for(Session *s = task_sessions; s; s = s->next)
		found |= s->number == p->member->number && s->task == t &&
			!s->over;
	task_sessionsunlock();
	return found;
}

int
consolebreak(const char *what)
{
	Proc *p = task_proc;

	if(p == NULL)
		return task_fail(EPERM);
	if(p->console == NULL)
		return 0;
	if(p->console->inherited || servessome(p, p->running))
		return 0;
	return task_park(WaitBreak, (Object){what ? what : ""},
		&p->console->breaks, NULL, -1) < 0 ? -1 : 1;
}

void
task_breaksend(Proc *p)
{
	while(task_wakefirst(&p->console->breaks, 0))
		;
}

static int
isbroken(const Task *t)
{
	return t && t->wait.number && t->wait.why == WaitBreak;
}

static int
continueone(Proc *p, FILE *f, const char *which)
{
	int proc, id;

	if(task_conid(f, p, which, &proc, &id) < 0)
		return -1;
	Task *t = proc == p->member->number ? task_find(p, id) : NULL;
	if(!isbroken(t)){
		fprintf(f, "cont: task %s is not in consolebreak", which);
		return -1;
	}
	listremove(&p->console->breaks, t, prev, next);
	task_ready(t, t->wait.number, 0);
	return 0;
}

int
task_concont(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	(void)s;
	if(argc > 2){
		fputs("cont: which task?", f);
		return -1;
	}
	if(argc == 2)
		return continueone(p, f, argv[1]);
	task_breaksend(p);
	return 0;
}
