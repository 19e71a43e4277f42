/* SPDX-License-Identifier: MIT */
/* count WHAT N: does it N times, for bench/counts to count the instructions. */
#include "bench.h"
#include <string.h>
#include <sys/socket.h>

static int n;
static Channel *c;

static void
yielder(void *v)
{
	(void)v;
	for(int i = 0; i < n; i++)
		taskyield();
}

/* Each of two tasks yields every other time. */
static void
yield(void)
{
	n /= 2;
	taskcreate(yielder, NULL, StackBytes);
	yielder(NULL);
}

static void
nothing(void *v)
{
	(void)v;
}

static void
spawn(void)
{
	for(int i = 0; i < n; i++){
		taskcreate(nothing, NULL, StackBytes);
		taskyield();
	}
}

static void *
nothingspawned(void *v)
{
	return v;
}

static void
spawnwait(void)
{
	for(int i = 0; i < n; i++)
		taskwait(taskspawn(nothingspawned, NULL, StackBytes), NULL);
}

static void
sender(void *v)
{
	unsigned long u = 0;

	(void)v;
	for(int i = 0; i < n; i++)
		chansend(c, &u);
}

static void
ulsender(void *v)
{
	(void)v;
	for(int i = 0; i < n; i++)
		chansendul(c, 0);
}

static void
messages(int buffer)
{
	unsigned long u;

	c = chancreate(sizeof u, buffer);
	taskcreate(sender, NULL, StackBytes);
	for(int i = 0; i < n; i++)
		chanrecv(c, &u);
}

static void
ulmessages(int buffer)
{
	c = chancreate(sizeof(unsigned long), buffer);
	taskcreate(ulsender, NULL, StackBytes);
	for(int i = 0; i < n; i++)
		chanrecvul(c);
}

static void
chan0(void)
{
	messages(0);
}

static void
chan128(void)
{
	messages(128);
}

static void
chanul0(void)
{
	ulmessages(0);
}

static void
chanul128(void)
{
	ulmessages(128);
}

static void
altsender(void *v)
{
	unsigned long u = 0;
	Alt a[] = {{.c = c, .v = &u, .op = CHANSND}, {.op = CHANEND}};

	(void)v;
	for(int i = 0; i < n; i++)
		chanalt(a);
}

static void
alt(void)
{
	unsigned long u;
	Channel *other = chancreate(sizeof u, 0);
	Alt a[] = {{.c = other, .v = &u, .op = CHANRCV},
		{.v = &u, .op = CHANRCV}, {.op = CHANEND}};

	a[1].c = c = chancreate(sizeof u, 0);
	taskcreate(altsender, NULL, StackBytes);
	for(int i = 0; i < n; i++)
		chanalt(a);
}

static void *
yieldvalues(void *v)
{
	while(genyield(v))
		;
	return NULL;
}

static void
gen(void)
{
	Gen *g = gencreate(yieldvalues, &n, StackBytes);
	void *v;

	for(int i = 0; i < n; i++)
		gennext(g, &v);
}

static void
scope(void)
{
	Timeout t;

	for(int i = 0; i < n; i++){
		timeoutstart(&t, 1000);
		timeoutstop(&t);
	}
}

static void
lock(void)
{
	QLock l;

	memset(&l, 0, sizeof l);
	for(int i = 0; i < n; i++){
		qlock(&l);
		qunlock(&l);
	}
}

/* Read and written by one task: nobody waits. */
static void
socketbyte(void)
{
	int fds[2];
	char b = 0;

	if(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		taskexitall(1);
	fdnoblock(fds[0]);
	fdnoblock(fds[1]);
	for(int i = 0; i < n; i++){
		fdwrite(fds[0], &b, 1);
		fdread(fds[1], &b, 1);
	}
}

static void
delay(void)
{
	for(int i = 0; i < n; i++)
		taskdelay(0);
}

static const struct
{
	const char *name;
	void (*fn)(void);
} whats[] = {
	{"yield", yield}, {"spawn", spawn}, {"spawnwait", spawnwait},
	{"chan0", chan0}, {"chan128", chan128}, {"chanul0", chanul0},
	{"chanul128", chanul128}, {"alt", alt}, {"gen", gen}, {"scope", scope},
	{"lock", lock}, {"fd", socketbyte}, {"delay", delay},
};

void
taskmain(int argc, char **argv)
{
	n = number(argc, argv, 2, 1000);
	for(size_t i = 0; i < sizeof whats / sizeof whats[0]; i++)
		if(argc < 2)
			printf("%s\n", whats[i].name);
		else if(strcmp(whats[i].name, argv[1]) == 0)
			whats[i].fn();
	taskexitall(0);
}
