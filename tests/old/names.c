/* SPDX-License-Identifier: MIT */
/* An old program whose own functions have names that libtask did not have. */
#include <stdio.h>
#include <task.h>

static int used;

int
fdclose(char *text)
{
	return text != NULL;
}

double
taskrun(double x)
{
	return x / 2;
}

const char *
netacceptaddr(void)
{
	return "mine";
}

void
tasksetdeadlock(int *p)
{
	*p = 7;
}

long
fdwritten(long a, long b)
{
	return a + b;
}

/* types too */
typedef struct Event { int kind; } Event;
typedef struct Sem { int v; } Sem;

int
eventwait(Event *e, int ms)
{
	return e->kind + ms;
}

Sem *
seminit(int v)
{
	static Sem s;

	s.v = v;
	return &s;
}

typedef struct Timer { int seconds; } Timer;
typedef int Group;

Timer *
timerstart(Timer *t)
{
	return t;
}

Group
taskwait(Group g)
{
	return g + 1;
}

void
taskcancel(void)
{
	used++;
}

/* one public program has this one, with the types of its day */
ssize_t
fdreadn(int fd, void *buf, size_t n)
{
	(void)fd, (void)buf, (void)n;
	return 1000;
}

/* what libtask exported without saying so */
int nalltask, taskcount;
void taskswitch(void) { used++; }
void taskready(void) { used++; }
void contextswitch(void) { used++; }
void addtask(void) { used++; }
void deltask(void) { used++; }
void print(void) { used++; }
void begin(void) { used++; }
void entry(void) { used++; }
void grow(void) { used++; }

void
taskmain(int argc, char **argv)
{
	int n = 0;
	Event e = {3};

	(void)argc, (void)argv;
	tasksetdeadlock(&n);
	if(fdclose("") != 1 || fdreadn(0, NULL, 0) != 1000 ||
			taskrun(3) != 1.5 ||
			netacceptaddr()[0] != 'm' || n != 7 ||
			fdwritten(1, 2) != 3 || eventwait(&e, 4) != 7 ||
			seminit(5)->v != 5)
		taskexitall(1);
	taskswitch(), taskready(), contextswitch(), addtask(), deltask();
	print(), begin(), entry(), grow();
	/* the library, which closes a descriptor here, does not call ours */
	if(netdial(TCP, "127.0.0.1", 1) >= 0)
		taskexitall(2);
	taskdelay(1);
	taskexitall(used == 9 ? 0 : 3);
}
