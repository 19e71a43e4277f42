/* SPDX-License-Identifier: MIT */
/*
 * A bus whose server answers nearly right: answers of all kinds with bytes and
 * parts changed, gone, doubled or of another answer.  Calls may fail by it, but
 * nothing may be read that is not there, nothing be lost, and nobody wait
 * longer than he wants.  For ten minutes, say,
 *
 *	make SAN=address build/cc-asm-address/tests/fuzzbus
 *	build/cc-asm-address/tests/fuzzbus 600
 *
 * prints what it has done, and exits with 1 if something was wrong.
 */
#include "corpus.h"
#include "fakeredis.h"

static const char *const answers[] = {
	"+OK\r\n", "+PONG\r\n", "-ERR no\r\n", "-NOGROUP no\r\n",
	"-LOADING yes\r\n", "-UNBLOCKED\r\n", "-BUSYGROUP\r\n", ":1\r\n",
	":0\r\n", ":-9223372036854775808\r\n", "$-1\r\n", "*-1\r\n",
	"$5\r\nhello\r\n", "$0\r\n\r\n", "$3\r\n1-1\r\n",
	"$41\r\n18446744073709551615-18446744073709551615\r\n",
	"*2\r\n:1\r\n*2\r\n$1\r\na\r\n*-1\r\n",
	"*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nv\r\n"
		"$1\r\nx\r\n",
	"*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*-1\r\n",
	"*1\r\n*2\r\n$1\r\ns\r\n*0\r\n",
	"*3\r\n$3\r\n0-0\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nv\r\n"
		"$1\r\nx\r\n*0\r\n",
	"*3\r\n$3\r\n0-0\r\n*0\r\n*2\r\n$3\r\n1-1\r\n$3\r\n1-2\r\n",
	"*3\r\n$3\r\n5-0\r\n*0\r\n*0\r\n",
	"*3\r\n$9\r\nsubscribe\r\n$1\r\nt\r\n:1\r\n",
	"*3\r\n$11\r\nunsubscribe\r\n$1\r\nt\r\n:0\r\n",
	"*3\r\n$7\r\nmessage\r\n$1\r\nt\r\n$2\r\nhi\r\n"};

enum { Answers = sizeof answers / sizeof answers[0], Bytes = 1024 };

static Random r;
static const Sample *first;	/* until each has been said: to all commands */
static char saying[Bytes];
static unsigned long nbuses, ncalls, nsucceeded;

static void
add(size_t *n, const char *v, size_t bytes)
{
	if(*n + bytes < Bytes){
		memcpy(saying + *n, v, bytes);
		*n += bytes;
	}
}

static void
change(size_t *n)
{
	static const char bytes[] = "*$:+-\r\n0123459\0\xff,_#(%>|~";
	size_t at = *n ? randombelow(&r, (unsigned int)*n) : 0;

	if(*n == 0)
		return;
	switch(randombelow(&r, 4)){
	case 0:
		saying[at] = bytes[randombelow(&r, sizeof bytes - 1)];
		break;
	case 1:
		saying[at] = (char)randombelow(&r, 256);
		break;
	case 2:
		memmove(saying + at, saying + at + 1, --*n - at);
		break;
	default:
		*n = at;
	}
}

static Said
sayanything(void)
{
	size_t n = 0;

	for(unsigned int i = 1 + randombelow(&r, 3) / 2; i > 0; i--){
		const char *text = answers[randombelow(&r, Answers)];
		const Sample *s = randombelow(&r, 4) ? NULL : anysample(&r);
		add(&n, s ? s->v : text, s ? s->n : strlen(text));
	}
	for(unsigned int i = randombelow(&r, 4); i > 0; i--)
		change(&n);
	return (Said){saying, n, randombelow(&r, 4) == 0};
}

/* The right greeting mostly, and mostly the right kind of answer. */
static Said
answer(const redisReply *command)
{
	static const struct { const char *word; int first, n; } kinds[] = {
		{"XREADGROUP", 17, 3}, {"XAUTOCLAIM", 20, 3}, {"XADD", 14, 2},
		{"SUBSCRIBE", 23, 1}, {"XACK", 7, 2}, {"PUBLISH", 7, 2}};
	Said s = fakegreeting(command);

	if(s.n && (first || randombelow(&r, 20)))
		return s;
	if(first)
		return (Said){first->v, first->n, 0};
	for(size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if(strcmp(fakeword(command, 0), kinds[i].word) == 0 &&
				randombelow(&r, 2)){
			int k = kinds[i].first + (int)randombelow(&r,
				(unsigned int)kinds[i].n);
			return (Said){answers[k], strlen(answers[k]), 0};
		}
	return sayanything();
}

static Bus *bus;
static Channel *channel;

static int
use(Busmsg *m)
{
	if(m == NULL)
		return -1;
	if(m->v)
		ncalls += m->v[m->n] != '\0' || strlen(m->topic) > 1;
	busack(bus, m);
	busmsgfree(m);
	return 0;
}

static size_t
readall(const Busreply *a)
{
	size_t n = a->s ? strlen(a->s) : 0;

	for(size_t i = 0; a->type == BUSARRAY && i < a->n; i++)
		n += readall(&a->v[i]);
	return n;
}

static int
callone(void)
{
	Busreply *a;
	Busid id;

	switch(randombelow(&r, 7)){
	case 0:
		if(buscall(bus, &a, "GET x") < 0)
			return -1;
		readall(a);
		busreplyfree(a);
		return 0;
	case 1:
		return busappend(bus, "s", "x", 1, &id);
	case 2:
		return use(bustake(bus, "s", "g", "w"));
	case 3:
		return use(busclaim(bus, "s", "g", "w", 0));
	case 4:
		return bussubscribe(bus, "t", channel);
	case 5:
		return busunsubscribe(bus, "t", channel);
	default:
		return buspublish(bus, "t", "x", 1);
	}
}

static void
callsome(void *v)
{
	(void)v;
	for(unsigned int i = 1 + randombelow(&r, 5); i > 0; i--){
		Timeout t;
		timeoutstart(&t, randombelow(&r, 4));
		ncalls++;
		nsucceeded += callone() >= 0;
		timeoutstop(&t);
	}
}

/* A bus and two tasks that use it; returns whether it could not be closed. */
static int
oneround(void)
{
	Group calling = {0};
	Busmsg *m;

	nbuses++;
	first = nextsample();
	fake.slow = randombelow(&r, 8) == 0;
	Timeout t;
	TIMEOUT(&t, 20)
		bus = busopen(fake.url);
	if(bus == NULL)
		return 0;
	groupspawn(&calling, callsome, NULL, 0);
	groupspawn(&calling, callsome, NULL, 0);
	groupwait(&calling);
	int64_t start_ns = tasknow();
	int bad = busclose(bus) < 0 || tasknow() - start_ns > 5000000000;
	while((m = channbrecvp(channel)) != NULL)
		busmsgfree(m);
	return bad;
}

static int seconds, bad;

static void
fuzz(void *v)
{
	int64_t end_ns = tasknow() + seconds * (int64_t)1000000000;

	(void)v;
	samplesread("bus");
	channel = chancreate(sizeof(Busmsg *), 2);
	if(fakestart(answer) < 0){
		perror("fake server");
		taskexitall(2);
	}
	while(!bad && (nsampled < nsamples || tasknow() < end_ns))
		bad = oneround();
	fakestop();
	samplesfree();
	chanfree(channel);
}

int
main(int argc, char **argv)
{
	seconds = argc > 1 ? atoi(argv[1]) : 10;
	r = randomstart();
	printf("seed %lu\n", r.seed);
	fflush(stdout);
	taskrun(fuzz, NULL);
	printf("%lu buses, %lu calls, %lu of them succeeded, in %d s: %s\n",
		nbuses, ncalls, nsucceeded, seconds, bad ? "wrong" : "right");
	return bad;
}
