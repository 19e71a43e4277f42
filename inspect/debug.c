/* SPDX-License-Identifier: MIT */
/* TASKDEBUG=1: says what tasks do, in sentences, while they do it. */
#include "inspect.h"
#include "symbol.h"
#include <stdlib.h>
#include <string.h>

/* puts "task 2 (writer)"; one without a name has its function's. */
static void
putname(FILE *f, const Proc *p, const Task *t)
{
	char name[ShownBytes];

	fputs(task_showtask(name, sizeof name, p, t), f);
	if(!*task_name(t) && t->entry && task_outside(t->entry))
		fprintf(f, " (%s)", task_function(name, SymbolBytes,
			t->entry));
}

static void
putstop(FILE *f, Proc *p)
{
	int why = task_whystopped(p);

	if(p->running == &p->fdtask)
		return;
	putname(f, p, p->running);
	if(why > 0){
		fputs(" waits: ", f);
		task_putwait(f, p, p->running);
		putc('\n', f);
	}else
		fputs(why < 0 ? " ends\n" : " lets others run\n", f);
}

/* Of each switch there are two sentences, in one piece. */
static void
saystop(Seer *s, Proc *p, Task *to, int64_t now)
{
	int err = *p->err;

	(void)s, (void)now;
	flockfile(stderr);
	putstop(stderr, p);
	if(to == &p->fdtask)
		fprintf(stderr, "the scheduler looks whose descriptor is "
			"ready, or time has come\n");
	else{
		putname(stderr, p, to);
		fputs(to->stopped == NotYet ? " begins\n" : " goes on\n",
			stderr);
	}
	funlockfile(stderr);
	*p->err = err;
}

/* What made a task may not have said yet which function is the program's. */
static void
saywake(Seer *s, Proc *p, Task *t, int64_t now)
{
	int err = *p->err;
	char id[IdBytes];

	(void)s, (void)now;
	flockfile(stderr);
	if(p->running == &p->fdtask)
		fputs("the scheduler", stderr);
	else
		putname(stderr, p, p->running);
	if(t->stopped == NotYet)
		fprintf(stderr, " makes task %s\n", task_showid(id,
			p->number, t->id));
	else{
		fputs(" wakes ", stderr);
		putname(stderr, p, t);
		putc('\n', stderr);
	}
	funlockfile(stderr);
	*p->err = err;
}

/* t may be another thread's. */
static void
sayrefuse(Proc *p, const Task *t)
{
	int err = *p->err;

	flockfile(stderr);
	putname(stderr, p, p->running);
	fputs(": invalid switch into ", stderr);
	putname(stderr, p, t);
	fputs(", whose coroutine it is\n", stderr);
	funlockfile(stderr);
	*p->err = err;
}

static void
enddebug(Proc *p)
{
	Seer *s = task_seerfind(p, saystop);

	task_seerend(p, s);
	task_sys.free(s);
}

/* Without memory nothing is said. */
int
task_debugbegin(Proc *p)
{
	const char *debug = getenv("TASKDEBUG");

	if(debug == NULL || !*debug || strcmp(debug, "0") == 0)
		return 0;
	Seer *s = task_sys.alloc(sizeof *s);
	if(s == NULL)
		return -1;
	*s = (Seer){.stops = saystop, .wakes = saywake, .refuses = sayrefuse,
		.end = enddebug};
	task_seerbegin(p, s);
	return 0;
}
