/* SPDX-License-Identifier: MIT */
/* Where in the program a task stands. */
#include "inspect.h"
#include "symbol.h"
#include "../machine/unwind.h"
#include "../task/life.h"
#include "../task/newnames.h"

/* The library's own code; NULL if the linker knows no such section. */
extern const char __start_task_text[] __attribute__((weak,
	visibility("hidden")));
extern const char __stop_task_text[] __attribute__((weak,
	visibility("hidden")));

int
task_outside(const void *pc)
{
	const char *at = pc;

	return at <= __start_task_text || at > __stop_task_text;
}

/* The running one's walk begins in here: there are no registers of it yet. */
int
task_walk(Proc *p, const Task *t, void **pc, int n)
{
	const Stack *s = t->stack;
	Registers r = {.exact = 1};

	if(s == NULL)
		return 0;
	if(t->stopped == NotYet && t != p->running){
		pc[0] = (void *)(uintptr_t)t->entry;
		return 1;
	}
	if(t == p->running)
		task_hereregisters(&r);
	else if(task_contextregisters(&t->context, &r) < 0)
		return 0;
	return task_unwind(&r, (uintptr_t)s->low, (uintptr_t)s->top, 0, pc, n);
}

const void *
task_place(Proc *p, const Task *t)
{
	void *pc[StackFrames];
	int n = task_walk(p, t, pc, StackFrames);

	for(int i = 0; i < n; i++)
		if(task_outside(pc[i]))
			return pc[i];
	return NULL;
}

int
task_calls(void *const *pc, int n)
{
	while(n > 0 && n < StackFrames && !task_outside(pc[n - 1]))
		n--;
	return n;
}

/* A function that ended with the call that makes the task is no place. */
const char *
task_maker(char *buf, int number, const void *made, unsigned int creator)
{
	char place[SymbolBytes], id[IdBytes];

	*buf = '\0';
	task_showid(id, number, creator);
	if(made && task_outside(made))
		snprintf(buf, MakerBytes, "made in %s by %s",
			task_symbol(place, sizeof place, made, 1), id);
	else if(made)
		snprintf(buf, MakerBytes, "made by %s", id);
	return buf;
}

int
taskstack(int id, void **pc, int n)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	if(pc == NULL || n < 1)
		return task_fail(EINVAL);
	const Task *t = task_find(p, id);
	return t ? task_walk(p, t, pc, n) : -1;
}
