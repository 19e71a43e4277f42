/* SPDX-License-Identifier: MIT */
/*
 * What honest clients notice of 1000 that mean harm: make hostile, or
 * hostile [seconds [clients [percent]]], at first 60, 1000 and 30.
 *
 * The server, with and without TLS, is a process, the honest clients are one,
 * the others one.  Honest ones ask for 10 s alone, and then beside the others.
 * Those that are not slow do as much as it takes to have the server use that
 * many percent of a core for all of them together.  The end is bad if an answer
 * has been lost or wrong, if a connection was kept for ever, or if the server's
 * memory grew.
 */
#include "hostile.h"
#include "measure.h"
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum
{
	AloneS = 10,
	WarmMs = 1000,
	StepMs = 10000,	/* for each step of a client, as the server sees it */
	EveryS = 10,	/* its memory is looked at */
	SettledS = 20,	/* by then each kind has been given up once */
	Honests = 60,
	ThinkMs = 10,
	GrowthKib = 2048	/* and a tenth: that is no growth */
};

/* What the processes tell each other. */
typedef struct Shared
{
	Crowd crowd;
	int ready;	/* the server serves */
	int attack;	/* the hostile ones may begin */
	int stop;	/* the server is to stop */
	int stopped;	/* what its stop has returned, and 1 */
	double base;	/* what of a core the server took before */
} Shared;

static Shared *shared;
static pid_t server, foes;
static int seconds, nclients;
static double percent;

static int64_t
cpuof(pid_t pid)
{
	clockid_t clock;

	must(clock_getcpuclockid(pid, &clock) == 0, "clock_getcpuclockid");
	return clockns(clock);
}

static long
residentof(pid_t pid)
{
	char line[256];
	long kib = 0;

	snprintf(line, sizeof line, "/proc/%d/status", (int)pid);
	FILE *f = fopen(line, "r");
	while(f && fgets(line, sizeof line, f))
		sscanf(line, "VmRSS: %ld", &kib);
	if(f)
		fclose(f);
	return kib;
}

/* waits until another process has set *flag. */
static void
await(const int *flag)
{
	while(!__atomic_load_n(flag, __ATOMIC_ACQUIRE))
		taskdelay(10);
}

static void
set(int *flag, int value)
{
	__atomic_store_n(flag, value, __ATOMIC_RELEASE);
}

/* The server */

static void
serve(void *v)
{
	Timeout t;
	int n = 0;

	(void)v;
	must(beginserver(StepMs, StepMs, StepMs) == 0, "serverstart");
	set(&shared->ready, 1);
	await(&shared->stop);
	TIMEOUT(&t, 10000)
		n = serverstop(&plain) + serverstop(&secure);
	tlsfree(tls);
	set(&shared->stopped, n + 1);
}

/* The hostile clients */

/* has them do more or less, until the server uses as much as it is to. */
static void
govern(void *v)
{
	int64_t cpu = cpuof(server), at = nowns();

	(void)v;
	while(!crowd->over){
		taskdelay(1000);
		int64_t cpunow = cpuof(server), now = nowns();
		double used = (double)(cpunow - cpu) / (double)(now - at) -
			shared->base;
		double by = used > 0.01 ? percent / 100 / used : 2;
		crowd->rate *= by > 2 ? 2 : by < 0.5 ? 0.5 : by;
		cpu = cpunow;
		at = now;
	}
}

static void
attackall(void *v)
{
	Group clients = {0};

	(void)v;
	await(&shared->attack);
	for(int i = 0; i < nclients; i++)
		behostile(&clients, i);
	must(groupspawn(&clients, govern, NULL, 65536) > 0, "groupspawn");
	groupwait(&clients);
}

/* The honest clients, and what is measured */

typedef struct Times
{
	uint32_t *us;
	size_t n, cap;
} Times;

enum { Kept, KeptTls, New, NewTls, All, Sorts };

static const char *const sorts[Sorts] = {"kept", "kept, TLS", "new", "new, TLS",
	"all"};
static Times times[Sorts];
static int measuring;
static Group honests;

static void
add(Times *t, uint32_t us)
{
	if(t->n == t->cap){
		t->cap = t->cap ? 2 * t->cap : 4096;
		t->us = realloc(t->us, t->cap * sizeof *t->us);
		must(t->us != NULL, "realloc");
	}
	t->us[t->n++] = us;
}

static void
measure(const Honest *c, int64_t ns)
{
	if(!measuring)
		return;
	add(&times[(c->keeps ? Kept : New) + c->tls], (uint32_t)(ns / 1000));
	add(&times[All], (uint32_t)(ns / 1000));
}

static int
lesser(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double
part(const Times *t, double of)
{
	return t->n ? t->us[(size_t)((double)(t->n - 1) * of)] : 0;
}

/* What was measured in a while. */
typedef struct While
{
	double p50[Sorts], p99[Sorts];
	Honesty honest;
	double used;	/* of a core, by the server */
} While;

/* since cpu was used, and what was asked before; times begin anew. */
static While
measured(double s, int64_t cpu, const Honesty *before)
{
	While w = {.honest = crowd->honest};

	w.honest.asked -= before->asked;
	w.honest.answered -= before->answered;
	w.used = (double)(cpuof(server) - cpu) / 1e9 / s;
	for(int i = 0; i < Sorts; i++){
		Times *t = &times[i];
		qsort(t->us, t->n, sizeof *t->us, lesser);
		w.p50[i] = part(t, 0.5);
		w.p99[i] = part(t, 0.99);
		t->n = 0;
	}
	return w;
}

static void
show(const char *when, const While *w, double s)
{
	printf("%s, %.0f s: %.0f answers a second, the server took %.1f %% of "
		"a core\n", when, s, w->honest.answered / s, 100 * w->used);
	for(int i = 0; i < Sorts; i++)
		printf("  %-12s p50 %6.0f us, p99 %6.0f us\n", sorts[i],
			w->p50[i], w->p99[i]);
	fflush(stdout);
}

static void
showtally(const Kind *k, const Tally *t, int n)
{
	printf("  %-26s %3d clients, %6u connections:", k->name, n, t->begun);
	for(int i = 0; i < NoStatus; i++)
		if(t->answered[i])
			printf(" %u got %d", t->answered[i], i);
	if(t->answered[NoStatus])
		printf(" %u got no HTTP", t->answered[NoStatus]);
	if(t->closed)
		printf(" %u were closed", t->closed);
	if(t->reset)
		printf(" %u were reset", t->reset);
	if(t->left)
		printf(" %u left", t->left);
	if(t->refused)
		printf(" %u were REFUSED", t->refused);
	printf(t->kept ? " %u were KEPT\n" : "\n", t->kept);
}

static void
ask(void)
{
	static Honest clients[Honests];

	trusting = tlsclient(certfile);
	must(trusting != NULL, tlserror());
	took = measure;
	for(int i = 0; i < Honests; i++)
		behonest(&honests, &clients[i], i, ThinkMs);
}

/* All clients end, then the server; returns how long the hostile ones took. */
static double
endall(void)
{
	int64_t start = nowns();

	set(&crowd->over, 1);
	groupwait(&honests);
	while(waitpid(foes, NULL, WNOHANG) == 0)
		taskdelay(10);
	double s = (double)(nowns() - start) / 1e9;
	set(&shared->stop, 1);
	while(waitpid(server, NULL, WNOHANG) == 0)
		taskdelay(10);
	return s;
}

static int
verdict(const While *alone, const While *beside, long early, long late,
	double endtook)
{
	uint32_t kept = 0;
	const Honesty *h = &crowd->honest;

	printf("%d hostile clients:\n", nclients);
	for(int i = 0; i < Kinds; i++){
		showtally(&kinds[i], &crowd->tally[i], nclients / Kinds +
			(i < nclients % Kinds));
		kept += crowd->tally[i].kept;
	}
	double more = beside->used - alone->used;
	printf("the hostile took %.1f %% of a core, %.1f %% of what the server "
		"used\np99 is %.2f times what it was, p50 %.2f times\n",
		100 * more, 100 * more / beside->used,
		beside->p99[All] / alone->p99[All],
		beside->p50[All] / alone->p50[All]);
	printf("the last hostile connection ended after %.1f s; stopping the "
		"server cancelled %d\n", endtook, shared->stopped - 1);
	int bad = h->lost || h->wrong || kept || shared->stopped != 1 ||
		h->asked != h->answered ||
		late > early + early / 10 + GrowthKib;
	printf("in all: %u asked, %u answered, %u lost, %u wrong: %s\n",
		h->asked, h->answered, h->lost, h->wrong, bad ? "BAD" : "good");
	return bad;
}

/* The server may end before, which has said why. */
static void
awaitserver(void)
{
	while(!__atomic_load_n(&shared->ready, __ATOMIC_ACQUIRE)){
		must(waitpid(server, NULL, WNOHANG) == 0, "the server");
		taskdelay(10);
	}
}

static void
observe(void *v)
{
	(void)v;
	awaitserver();
	ask();
	taskdelay(WarmMs);
	measuring = 1;
	Honesty before = crowd->honest;
	int64_t cpu = cpuof(server);
	taskdelay(AloneS * 1000);
	While alone = measured(AloneS, cpu, &before);
	show("alone", &alone, AloneS);
	shared->base = alone.used;
	set(&shared->attack, 1);
	before = crowd->honest;
	cpu = cpuof(server);
	long early = 0, late = 0;
	for(int s = 0; s < seconds; s += EveryS){
		int some = seconds - s < EveryS ? seconds - s : EveryS;
		taskdelay((unsigned int)some * 1000);
		late = residentof(server);
		if(s + some <= SettledS)
			early = late;
		printf("%d s: the server has %ld KiB\n", s + some, late);
		fflush(stdout);
	}
	While beside = measured(seconds, cpu, &before);
	show("beside", &beside, seconds);
	taskexit(verdict(&alone, &beside, early, late, endall()));
}

/* has this process run on one processor, where it may use several. */
static void
confine(int which)
{
	cpu_set_t may, one;

	CPU_ZERO(&one);
	if(sched_getaffinity(0, sizeof may, &may) < 0 || CPU_COUNT(&may) < 2)
		return;
	for(int i = 0; i < CPU_SETSIZE; i++)
		if(CPU_ISSET(i, &may) && which-- == 0)
			CPU_SET(i, &one);
	sched_setaffinity(0, sizeof one, &one);
}

/*
 * fn in a process of its own, on a processor.  The hostile ones have that when
 * the honest ones do not want it, or those would wait for it, not the server.
 */
static pid_t
begin(void (*fn)(void *), int cpu)
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if(pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	confine(cpu);
	struct sched_param first;
	sched_getparam(0, &first);
	if(fn == attackall && first.sched_priority-- > 1)
		sched_setparam(0, &first);
	else if(fn == attackall)
		setpriority(PRIO_PROCESS, 0, 19);
	exit(taskrun(fn, NULL));
}

int
main(int argc, char **argv)
{
	struct rlimit files;

	seconds = number(argc, argv, 1, 60);
	nclients = number(argc, argv, 2, 1000);
	percent = number(argc, argv, 3, 30);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED |
		MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED, "mmap");
	crowd = &shared->crowd;
	crowd->second_ms = 1000;
	crowd->patience_ms = 4 * StepMs;
	crowd->rate = 100;
	makecert();
	server = begin(serve, 0);
	foes = begin(attackall, 1);
	confine(1);
	int r = taskrun(observe, NULL);
	dropcert();
	return r;
}
