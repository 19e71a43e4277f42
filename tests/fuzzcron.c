/* SPDX-License-Identifier: MIT */
/*
 * Texts that are specs, nearly, or not at all, for any instant in many zones:
 * nothing may be read behind them, and what comes next must be so from all
 * instants in between.  For ten minutes, say,
 *
 *	make SAN=address build/cc-asm-address/tests/fuzzcron
 *	build/cc-asm-address/tests/fuzzcron 600
 *
 * prints what it has done, and exits with 1 if something was wrong.
 */
#include "corpus.h"
#include "crontest.h"

static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York",
	"Australia/Lord_Howe", "America/Havana", "Pacific/Apia",
	"Africa/Casablanca", "Asia/Kolkata", "Asia/Manila", "Asia/Tehran",
	"Asia/Gaza", "Africa/Freetown", "America/Caracas",
	"right/Europe/London", "Antarctica/Troll", "CET-1CEST,M3.5.0,M10.5.0/3",
	"nowhere"};

static const char *const words[] = {"*", "*/", "/", "-", ",", " ", "\t", "0",
	"7", "31", "59", "60", "99999999999", "jan", "DEC", "sun", "sat", "@",
	"@daily", "@yearly", "2-", "29 2", "30 2", "\n", "\xff", "%s"};

enum { Zones = sizeof zones / sizeof zones[0],
	Words = sizeof words / sizeof words[0] };

static unsigned long ntexts, nspecs, nsearches;

static size_t
randombytes(Random *r, char *text)
{
	size_t n = randombelow(r, 40);

	for(size_t i = 0; i < n; i++)
		text[i] = (char)randombelow(r, 256);
	return n;
}

static size_t
randomwords(Random *r, char *text)
{
	size_t n = 0;

	for(unsigned int i = randombelow(r, 14); i > 0; i--)
		n += (size_t)sprintf(text + n, "%s",
			words[randombelow(r, Words)]);
	return n;
}

/* A file with a few bytes changed. */
static size_t
nearsample(Random *r, char *text)
{
	static const char chars[] = "*/-,0123456789 @jan\t";
	const Sample *s = anysample(r);

	memcpy(text, s->v, s->n);
	return changebytes(r, text, s->n, SampleMost, chars, sizeof chars - 1);
}

/* A spec with a few characters changed, gone or put in. */
static size_t
nearspec(Random *r, char *text)
{
	static const char chars[] = "*/-,0123456789 @jan";
	Asked a = askrandom(r);
	size_t n = strlen(a.text);

	strcpy(text, a.text);
	for(unsigned int i = 1 + randombelow(r, 3); i > 0 && n > 0; i--){
		size_t at = randombelow(r, (unsigned int)n);
		char c = chars[randombelow(r, sizeof chars - 1)];
		if(randombelow(r, 2))
			text[at] = c;
		else if(randombelow(r, 2))
			memmove(text + at, text + at + 1, --n - at);
		else{
			memmove(text + at + 1, text + at, n++ - at);
			text[at] = c;
		}
	}
	return n;
}

static int64_t
randominstant(Random *r)
{
	int64_t any = (int64_t)((uint64_t)randombelow(r, UINT32_MAX) << 32 |
		randombelow(r, UINT32_MAX));

	switch(randombelow(r, 8)){
	case 0:
		return any;
	case 1:
		return any % 260000000000;
	default:
		return (int64_t)randombelow(r, UINT32_MAX) - 1500000000;
	}
}

static int
wrong(const char *why, const char *text, size_t n, int64_t after_s)
{
	printf("%s: %.*s after %lld in %s\n", why, (int)n, text,
		(long long)after_s, getenv("TZ"));
	return 1;
}

/* returns whether what is said of the text is wrong. */
static int
try(Random *r, const char *text, size_t n)
{
	int64_t after_s = randominstant(r), s = nextofbytes(text, n, after_s);

	ntexts++;
	if(s == -1 && errno != EINVAL && errno != ENOENT && errno != ERANGE)
		return wrong("another error", text, n, after_s);
	if(s == -1)
		return 0;
	nspecs++;
	if(s <= after_s)
		return wrong("not after it", text, n, after_s);
	time_t t = (time_t)s;
	struct tm tm;
	int64_t between_s = after_s + (int64_t)(((uint64_t)randombelow(r,
		UINT32_MAX) << 32 | randombelow(r, UINT32_MAX)) %
		(uint64_t)(s - after_s));
	if(nextofbytes(text, n, between_s) != s ||
			nextofbytes(text, n, s - 1) != s)
		return wrong("not from in between", text, n, after_s);
	if(localtime_r(&t, &tm) == NULL)
		return wrong("no time of day", text, n, after_s);
	return 0;
}

/*
 * returns whether a spec comes at another time than by a slow search, which
 * knows nothing of leap seconds.
 */
static int
search(Random *r)
{
	Asked a = askrandom(r);
	int64_t after_s = (int64_t)randombelow(r, 2000000000);
	int64_t until_s = after_s + 20000;

	if(strncmp(getenv("TZ"), "right/", 6) == 0)
		return 0;
	int64_t s = nextof(a.text, after_s);
	int64_t slow_s = slownext(&a, after_s, until_s);

	nsearches++;
	if(s == -1 && errno == ENOENT)
		return slow_s >= 0;
	if(slow_s < 0 ? s > until_s : s == slow_s)
		return 0;
	return wrong("not as by the slow search", a.text, strlen(a.text),
		after_s);
}

static int
round1000(Random *r)
{
	size_t (*const makers[])(Random *, char *) = {randombytes, randomwords,
		nearspec, nearspec, nearsample};
	static char text[SampleMost];
	int bad = 0;

	inzone(zones[randombelow(r, Zones)]);
	for(int i = 0; i < 1000 && !bad; i++){
		size_t n = makers[randombelow(r, 5)](r, text);
		bad = try(r, text, n);
	}
	return bad || search(r);
}

/* Each file, in each zone. */
static int
roundofsamples(Random *r)
{
	const Sample *s;
	int bad = 0;

	while((s = nextsample()) != NULL)
		for(int i = 0; i < Zones; i++){
			inzone(zones[i]);
			bad |= try(r, s->v, s->n);
		}
	return bad;
}

int
main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 10, bad = 0;
	Random r = randomstart();
	int64_t end_ns = nowns() + seconds * (int64_t)1000000000;

	printf("seed %lu\n", r.seed);
	fflush(stdout);
	samplesread("cron");
	bad = roundofsamples(&r);
	while(!bad && nowns() < end_ns)
		bad = round1000(&r);
	samplesfree();
	printf("%lu texts, %lu of them specs, and %lu searches in %d s: %s\n",
		ntexts, nspecs, nsearches, seconds, bad ? "wrong" : "right");
	return bad;
}
