/* SPDX-License-Identifier: MIT */
/* How long each task runs. */
#include "inspect.h"
#include "../task/newnames.h"

typedef struct Profile
{
	Seer seer;
	int64_t from_ns;	/* when the running task went on */
	unsigned int wanted;	/* Profilers */
} Profile;

static void
ran(Task *t, uint64_t ns)
{
	if(!t->timed)
		t->ran = (Ran){0};
	t->timed = 1;
	t->ran.ns += ns;
	if(ns > t->ran.longest_ns)
		t->ran.longest_ns = ns;
}

/* Time that the fdtask has is spent for the descriptors, or idle. */
static void
stopped(Seer *s, Proc *p, Task *to, int64_t now)
{
	Profile *f = structof(Profile, seer, s);

	ran(p->running, (uint64_t)(now - f->from_ns));
	f->from_ns = now;
	ran(to, 0);
	to->ran.nswitch++;
	if(to != &p->fdtask)
		to->ran.ready_ns += (uint64_t)(now - to->wait.since_ns);
}

static Profile *
profileof(const Proc *p)
{
	Seer *s = task_seerfind(p, stopped);

	return s ? structof(Profile, seer, s) : NULL;
}

static void
endprofile(Proc *p)
{
	Profile *f = profileof(p);

	task_seerend(p, &f->seer);
	task_sys.free(f);
}

int
task_setprofile(Proc *p, enum Profiler who, int on)
{
	Profile *f = profileof(p);

	if(on && f == NULL){
		f = task_sys.alloc(sizeof *f);
		if(f == NULL)
			return -1;
		*f = (Profile){{.stops = stopped, .end = endprofile},
			p->now(), 0};
		task_seerbegin(p, &f->seer);
	}
	if(on)
		f->wanted |= who;
	else if(f && (f->wanted &= ~(unsigned int)who) == 0)
		endprofile(p);
	return 0;
}

int
taskprofile(int on)
{
	Proc *p = task_here();

	return p ? task_setprofile(p, ByProgram, on) : -1;
}

/* The slice that the running task has not ended counts too. */
Ran
task_ran(const Proc *p, const Task *t)
{
	Ran r = t->timed ? t->ran : (Ran){0};

	const Profile *f = t == p->running ? profileof(p) : NULL;

	if(f){
		uint64_t ns = (uint64_t)(p->now() - f->from_ns);
		r.ns += ns;
		if(ns > r.longest_ns)
			r.longest_ns = ns;
	}
	return r;
}
