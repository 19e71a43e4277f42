/* SPDX-License-Identifier: MIT */
/* The console's commands, but for those that list. */
#include "console.h"
#include "../inspect/elsewhere.h"
#include "rows.h"
#include "../fd/fd.h"
#include "../proc/proc.h"
#include "../task/newnames.h"
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
help(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	(void)p, (void)argc, (void)argv;
	task_puthelp(f, s->json);
	return 0;
}

static int
quit(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	(void)p, (void)f, (void)argc, (void)argv;
	s->over = 1;
	return 0;
}

static void
putcancelled(FILE *f, Proc *p, int id)
{
	Task *t = task_find(p, id);

	if(t == NULL)
		fprintf(f, "no such task: %d\n", id);
	else if(t->system)
		fprintf(f, "task %d is of the system's\n", id);
	else{
		char name[ShownBytes];
		fprintf(f, "%s cancelled\n", task_showtask(name, sizeof name,
			p, t));
		task_cancel(p, t);
	}
}

static void *
textofcancelled(Proc *p, void *arg)
{
	return task_puttext(p, putcancelled, (int)*(size_t *)arg);
}

static int
cancel(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	int proc, id;

	(void)s;
	if(argc != 2){
		fputs("cancel: of which task?", f);
		return -1;
	}
	if(task_conid(f, p, argv[1], &proc, &id) < 0)
		return -1;
	if(proc == p->member->number)
		putcancelled(f, p, id);
	else if(task_ask(f, proc, textofcancelled, id) < 0){
		fprintf(f, "proc %d: %s", proc, errno == ESRCH ?
			"there is none" : "does not answer");
		return -1;
	}
	return 0;
}

static int
ison(const char *s)
{
	return strcmp(s, "on") == 0 ? 1 : strcmp(s, "off") == 0 ? 0 : -1;
}

static int
setdog(Proc *p, Session *s, FILE *f, const char *value)
{
	unsigned long ms;

	(void)p, (void)s;
	if(!task_isnumber(value, INT_MAX, &ms)){
		fputs("set watchdog: to how many milliseconds?", f);
		return -1;
	}
	if(task_setwatchdog((unsigned int)ms) == 0)
		return 0;
	fprintf(f, "set watchdog: %s", strerror(errno));
	return -1;
}

static int
setprofile(Proc *p, Session *s, FILE *f, const char *value)
{
	int on = ison(value);

	(void)s;
	if(on < 0){
		fputs("set profile: on or off?", f);
		return -1;
	}
	if(task_setprofile(p, ByProgram, on) == 0)
		return 0;
	fprintf(f, "set profile: %s", strerror(errno));
	return -1;
}

static const struct
{
	const char *name;
	int (*set)(Proc *p, Session *s, FILE *f, const char *value);
} settings[] = {
	{"watchdog", setdog},
	{"profile", setprofile},
};

static int
set(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	for(size_t i = 0; argc == 3 && i < sizeof settings /
			sizeof settings[0]; i++)
		if(strcmp(argv[1], settings[i].name) == 0)
			return settings[i].set(p, s, f, argv[2]);
	fputs("set: watchdog MS, profile on, profile off", f);
	return -1;
}

static int
stdio(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	int on = argc == 2 ? ison(argv[1]) : -1;

	if(on < 0){
		fputs("stdio: on or off?", f);
		return -1;
	}
	if(on)
		p->console->printed = s;
	else if(p->console->printed == s)
		p->console->printed = NULL;
	return 0;
}

static void
putstat(FILE *f, int json, const char *name, uint64_t n)
{
	if(json)
		fprintf(f, "%s\"%s\":%" PRIu64, name == NULL ? "" :
			strcmp(name, "tasks") == 0 ? "{" : ",", name, n);
	else
		fprintf(f, "%-12s %" PRIu64 "\n", name, n);
}

static int
stats(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	Taskstats n = task_numbers(p);

	(void)argc, (void)argv;
	putstat(f, s->json, "tasks", n.tasks);
	putstat(f, s->json, "system", n.system);
	putstat(f, s->json, "ready", n.ready);
	putstat(f, s->json, "channels", n.channels);
	putstat(f, s->json, "delays", n.delays);
	putstat(f, s->json, "locks", n.locks);
	putstat(f, s->json, "descriptors", n.descriptors);
	putstat(f, s->json, "events", n.events);
	putstat(f, s->json, "tasksends", n.tasksends);
	putstat(f, s->json, "others", n.others);
	putstat(f, s->json, "waiting", n.waiting);
	putstat(f, s->json, "timers", n.timers);
	putstat(f, s->json, "warm", n.warm);
	putstat(f, s->json, "cold", n.cold);
	putstat(f, s->json, "bytes", n.bytes);
	putstat(f, s->json, "waits", n.waits);
	putstat(f, s->json, "switches", n.switches);
	putstat(f, s->json, "turns", n.turns);
	if(s->json)
		fprintf(f, ",\"poller\":\"%s\"}\n",
			p->fds->polling.poller->name);
	else
		fprintf(f, "%-12s %s\n", "poller",
			p->fds->polling.poller->name);
	return 0;
}

/* Traces */

/* A file that is there is not written over: who asks is at another place. */
static int
savetrace(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if(fd < 0)
		return -1;
	int r = task_tracesave(fd), err = errno;
	task_sys.close(fd);
	if(r < 0)	/* a part is no trace */
		unlink(path);
	errno = err;
	return r;
}

static int
dotrace(int argc, char **argv)
{
	if(argc == 2 && strcmp(argv[1], "start") == 0)
		return task_tracestart(0);
	if(argc == 2 && strcmp(argv[1], "stop") == 0)
		return task_tracestop();
	if(argc == 3 && strcmp(argv[1], "save") == 0)
		return task_istraced(task_proc) ? savetrace(argv[2]) :
			task_fail(ENODATA);
	return task_fail(ENOTSUP);
}

static int
trace(Proc *p, Session *s, FILE *f, int argc, char **argv)
{
	(void)p, (void)s;
	if(dotrace(argc, argv) == 0)
		return 0;
	fprintf(f, "trace: %s", errno == ENODATA ? "nothing is recorded" :
		errno == ENOTSUP ? "start, stop or save FILE?" :
		strerror(errno));
	return -1;
}

static const Builtin builtins[] = {
	{"help", "", "lists the commands; json before one: for programs",
		help, 1, 1},
	{"ps", "[-a]", "lists the tasks; -a: the system's too",
		task_conps, 1, 1},
	{"bt", "ID|all", "the calls that a task, or each, is in",
		task_conbt, 0, 1},
	{"top", "[MS]", "who has run how long, in so many ms",
		task_contop, 1, 0},
	{"chans", "", "channels that are waited for", task_conchans, 1, 0},
	{"fds", "", "descriptors that are waited for", task_confds, 1, 0},
	{"timers", "", "whose time comes when", task_contimers, 1, 0},
	{"locks", "", "locks that are waited for, and cycles",
		task_conlocks, 1, 0},
	{"stats", "", "numbers of this proc", stats, 1, 0},
	{"trace", "start|stop|save FILE", "records what tasks do",
		trace, 0, 0},
	{"cancel", "ID", "cancels a task", cancel, 0, 0},
	{"cont", "[ID]", "who waits in consolebreak, or all, go on",
		task_concont, 0, 0},
	{"set", "NAME VALUE", "watchdog MS; profile on, off", set, 0, 0},
	{"stdio", "on|off", "what tasks print comes here", stdio, 0, 0},
	{"quit", "", "ends the session", quit, 0, 1},
};

enum { Builtins = sizeof builtins / sizeof builtins[0] };

const Builtin *
task_builtin(const char *name)
{
	for(int i = 0; i < Builtins; i++)
		if(strcmp(builtins[i].name, name) == 0)
			return &builtins[i];
	return NULL;
}

/* The program's commands */

static Added *added;

static const Added *
firstadded(void)
{
	task_sessionslock();
	const Added *a = added;
	task_sessionsunlock();
	return a;
}

static const Added *
findfrom(const Added *a, const char *name)
{
	while(a && strcmp(a->name, name) != 0)
		a = a->next;
	return a;
}

const Added *
task_findadded(const char *name)
{
	return findfrom(firstadded(), name);
}

/* -1: there is one of that name. */
static int
putadded(Added *a)
{
	task_sessionslock();
	int there = findfrom(added, a->name) != NULL;
	if(!there){
		a->next = added;
		added = a;
	}
	task_sessionsunlock();
	return there ? -1 : 0;
}

int
consoleadd(const char *name, const char *help,
	int (*fn)(int fd, int argc, char **argv, void *arg), void *arg)
{
	if(name == NULL || fn == NULL || *name == '\0' ||
			strpbrk(name, " \t\r\n"))
		return task_fail(EINVAL);
	if(task_builtin(name) || strcmp(name, "json") == 0)
		return task_fail(EEXIST);
	Added *a = task_sys.alloc(sizeof *a);
	if(a == NULL)
		return -1;
	*a = (Added){NULL, name, help ? help : "", fn, arg};
	if(putadded(a) == 0)
		return 0;
	task_sys.free(a);
	return task_fail(EEXIST);
}

void
task_puthelp(FILE *f, int json)
{
	static const Column columns[] = {
		{"command", -26, CellText}, {"help", 0, CellText}, {NULL, 0, 0}
	};
	Rows r = {f, json, columns, 0, 0};

	task_rowsbegin(&r);
	for(int i = 0; i < Builtins; i++){
		task_cell(&r, "%s %s", builtins[i].name, builtins[i].args);
		task_cell(&r, "%s", builtins[i].help);
	}
	for(const Added *a = firstadded(); a; a = a->next){
		task_cell(&r, "%s", a->name);
		task_cell(&r, "%s", a->help);
	}
	task_rowsend(&r);
}
