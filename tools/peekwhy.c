/* SPDX-License-Identifier: MIT */
/* What a task of another process waits for, as inspect/why.c says it. */
#include "peek.h"
#include "target.h"
#include "../task.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct Text
{
	char *s;
	size_t n;
} Text;

static void
add(Text *to, const char *fmt, ...)
{
	size_t len = strlen(to->s);
	va_list args;

	va_start(args, fmt);
	vsnprintf(to->s + len, to->n - len, fmt, args);
	va_end(args);
}

static void
addaddress(Text *to, const Seen *t, uint64_t object)
{
	(void)t;
	if(object)
		add(to, " %#llx", (unsigned long long)object);
}

static void
addid(Text *to, const Seen *t, unsigned int id)
{
	if(t->proc)
		add(to, " task %d.%u", t->proc, id);
	else
		add(to, " task %u", id);
}

static void
addtask(Text *to, const Seen *t, uint64_t object)
{
	addid(to, t, (unsigned int)object);
}

/* The name is known if the task still lives. */
static void
addowner(Text *to, const Seen *t, uint64_t owner, unsigned int id)
{
	static Seen o;
	char name[64];

	add(to, " held by");
	addid(to, t, id);
	if(!peektask(&o, owner, t->proc) || peekfield(&o, TaskId, 4) != id)
		return;
	peekname(&o, name, sizeof name);
	add(to, " (%s)", name);
}

static void
addqlock(Text *to, const Seen *t, uint64_t lock)
{
	addowner(to, t, peekpointer(lock, QlockOwner),
		peeknumber(lock, QlockOwnerid));
}

static void
addreclock(Text *to, const Seen *t, uint64_t lock)
{
	addqlock(to, t, peekoffset(lock, RecLocks));
}

static void
addrwlock(Text *to, const Seen *t, uint64_t lock)
{
	unsigned int n = peeknumber(lock, RwReaders);
	uint64_t writer = peekpointer(lock, RwWriter);

	if(writer)
		addowner(to, t, writer, peeknumber(lock, RwWriterid));
	else
		add(to, " held by %u reader%s", n, n == 1 ? "" : "s");
}

static void
addchannel(Text *to, uint64_t entry)
{
	char name[64];
	uint64_t c = peekpointer(entry, AltC);

	targettext(peekpointer(c, ChannelName), name, sizeof name);
	if(*name)
		add(to, " c \"%s\"", name);
	else
		add(to, " c %#llx", (unsigned long long)c);
}

static void
addchan(Text *to, const Seen *t, uint64_t entry)
{
	(void)t;
	addchannel(to, entry);
}

static void
addfd(Text *to, unsigned int fd, char how)
{
	add(to, " fd %d %c", (int)fd, how);
}

static void
addread(Text *to, const Seen *t, uint64_t object)
{
	(void)t;
	addfd(to, (unsigned int)object, 'r');
}

static void
addwrite(Text *to, const Seen *t, uint64_t object)
{
	(void)t;
	addfd(to, (unsigned int)object, 'w');
}

static void
addexcept(Text *to, const Seen *t, uint64_t object)
{
	(void)t;
	addfd(to, (unsigned int)object, 'x');
}

static void
addhangup(Text *to, const Seen *t, uint64_t object)
{
	(void)t;
	addfd(to, (unsigned int)object, 'h');
}

/* returns 0 for what is no entry. */
static int
addentry(Text *to, const Seen *t, uint64_t a, unsigned int op)
{
	switch(op){
	case CHANSND:
	case CHANRCV:
		add(to, op == CHANSND ? " send" : " recv");
		addchannel(to, a);
		return 1;
	case ALTREAD:
	case ALTWRITE:
	case ALTHANGUP:
		addfd(to, peeknumber(a, AltFd), op == ALTREAD ? 'r' :
			op == ALTWRITE ? 'w' : 'h');
		return 1;
	case ALTTASK:
		addid(to, t, peeknumber(a, AltId));
		return 1;
	case ALTEVENT:
		add(to, " event");
		addaddress(to, t, peekpointer(a, AltE));
		return 1;
	case ALTDELAY:
		add(to, " %u ms", peeknumber(a, AltMs));
		return 1;
	}
	return 0;
}

/* As many as there is room for; memory that has gone reads as the end. */
static void
addalt(Text *to, const Seen *t, uint64_t entries)
{
	const char *before = "";

	for(uint64_t i = 0; strlen(to->s) < to->n - 1 && i < 1000; i++){
		uint64_t a = peekentry(entries, i);
		unsigned int op = peeknumber(a, AltOp);
		if(op == CHANNOP)
			continue;
		size_t len = strlen(to->s);
		add(to, "%s", before);
		if(!addentry(to, t, a, op)){
			to->s[len] = '\0';
			return;
		}
		before = ",";
	}
}

static void
adddelay(Text *to, const Seen *t, uint64_t object)
{
	int64_t left = (int64_t)peekfield(t, WaitDeadline, 8) - now_ns;

	(void)object;
	add(to, ", %lld ms left", (long long)(left > 0 ? left / 1000000 : 0));
}

static void
addpause(Text *to, const Seen *t, uint64_t object)
{
	(void)t;
	add(to, " fd %d, short of descriptors or memory", (int)object);
}

static void
addgroup(Text *to, const Seen *t, uint64_t object)
{
	unsigned int n = 0;

	(void)t;
	if(targetread(object, &n, sizeof n))
		add(to, ", %u %s alive", n, n == 1 ? "child" : "children");
}

static void
addsignal(Text *to, const Seen *t, uint64_t object)
{
	(void)t;
	add(to, " %d", (int)object);
}

static void
addbreak(Text *to, const Seen *t, uint64_t text)
{
	char s[64];

	(void)t;
	targettext(text, s, sizeof s);
	add(to, " \"%s\"", s);
}

/* The errand says itself what it is. */
static void
adderrand(Text *to, const Seen *t, uint64_t errand)
{
	char what[64];
	unsigned int proc = peeknumber(errand, ErrandProc);

	(void)t;
	targettext(peekpointer(errand, ErrandWhat), what, sizeof what);
	if(*what)
		snprintf(to->s, to->n, "%s", what);
	if(proc)
		add(to, " %u", proc);
}

/* By the names that inspect/layout.c gives to the reasons. */
static const struct
{
	const char *why;
	const char *call;
	void (*add)(Text *, const Seen *, uint64_t object);
} whys[] = {
	{"chansend", "chansend", addchan},
	{"chanrecv", "chanrecv", addchan},
	{"chanalt", "chanalt", addalt},
	{"taskdelay", "taskdelay", adddelay},
	{"qlock", "qlock", addqlock},
	{"rlock", "rlock", addrwlock},
	{"wlock", "wlock", addrwlock},
	{"reclock", "reclock", addreclock},
	{"tasksleep", "tasksleep r", addaddress},
	{"semacquire", "semacquire s", addaddress},
	{"eventwait", "eventwait e", addaddress},
	{"fdwait r", "fdwait", addread},
	{"fdwait w", "fdwait", addwrite},
	{"fdwait x", "fdwait", addexcept},
	{"fdwait h", "fdwait", addhangup},
	{"netaccept", "netaccept", addpause},
	{"taskwait", "taskwait", addtask},
	{"groupwait", "groupwait", addgroup},
	{"groupspawn", "groupspawn", addgroup},
	{"another thread", "another thread", adderrand},
	{"signal", "signal", addsignal},
	{"consolebreak", "consolebreak", addbreak},
};

void
peekwhy(const Seen *t, char *s, size_t n)
{
	const char *why = peekcall(t);
	Text to = {s, n};

	for(size_t i = 0; i < sizeof whys / sizeof whys[0]; i++)
		if(strcmp(why, whys[i].why) == 0){
			snprintf(s, n, "%s", whys[i].call);
			whys[i].add(&to, t, peekfield(t, WaitObject,
				sizeof(void *)));
			return;
		}
	snprintf(s, n, "%s", why);
}
