/* SPDX-License-Identifier: MIT */
/* TLS when OpenSSL gets no memory: its allocations fail in turn. */
#include <openssl/crypto.h>

#include "tlstest.h"

/*
 * What OpenSSL has asked for, and has.  From one request on, in the task that
 * made it, either that one fails or all do.
 */
static long nlive, nasked;
static long failfrom;	/* 0: none fails */
static int failall;
static unsigned int failed;	/* that task's id, or 0 */

static int
refused(void)
{
	if(failfrom == 0 || ++nasked < failfrom)
		return 0;
	if(failed && (!failall || taskid() != failed))
		return 0;
	failed = taskid();
	return 1;
}

static void *
allocate(size_t n, const char *file, int line)
{
	void *v = refused() ? NULL : malloc(n);

	(void)file, (void)line;
	nlive += v != NULL;
	return v;
}

static void
release(void *v, const char *file, int line)
{
	(void)file, (void)line;
	nlive -= v != NULL;
	free(v);
}

static void *
resize(void *v, size_t n, const char *file, int line)
{
	if(v == NULL)
		return allocate(n, file, line);
	if(n > 0)
		return refused() ? NULL : realloc(v, n);
	release(v, file, line);
	return NULL;
}

/* What has become of the server's end, and the client's. */
typedef struct Fate
{
	int met;	/* streamtls has returned 0 */
	int said;	/* and the other's byte came */
	int err;	/* of the first call that failed, or 0 */
} Fate;
static Fate fates[2];

static void
converse(Stream *s, Fate *f)
{
	ssize_t n = -1;
	char c = 0;

	*f = (Fate){0};
	errno = 0;
	f->met = (f == fates ? streamtls(s, server, NULL) :
		streamtls(s, client, "good.test")) == 0;
	if(f->met && streamwrite(s, "x", 1) == 1 && streamflush(s) == 0)
		n = streamread(s, &c, 1);
	f->err = n < 0 ? errno : 0;
	ck_assert(n >= 0 || f->err != 0);
	if(f->met && n < 0)	/* what is broken stays so */
		ck_assert_int_eq(streamread(s, &c, 1), -1);
	f->said = n == 1 && c == 'x';
	streamclose(s);
}

static void
theother(void *v)
{
	(void)v;
	converse(a, &fates[0]);
	acceptdone = 1;
}

/* returns whether something failed, and counts it if a call told ENOMEM. */
static int
meets(long n, int all, int *ntold)
{
	nasked = failed = acceptdone = 0;
	failall = all;
	failfrom = n;
	streams(0);
	beside(theother, NULL);
	converse(b, &fates[1]);
	acceptends();
	failfrom = 0;
	const Fate *f = &fates[failed == taskid()];
	*ntold += failed && f->err == ENOMEM;
	if(failed == 0)
		ck_assert(fates[0].said && fates[1].said);
	/* of some wants OpenSSL says only that something was wrong */
	ck_assert_msg(failed == 0 || f->said || f->err == 0 ||
		f->err == ENOMEM || f->err == ECONNABORTED ||
		f->err == EPROTO || f->err == EACCES, "%ld: %s", n,
		strerror(f->err));
	return failed != 0;
}

/*
 * The first ones, which are those of streamtls itself, and some of about three
 * thousand that follow.  Returns how many failed.
 */
static int
runsout(int all)
{
	Random r = randomstart();
	unsigned int step = watched() ? 299 : 37;
	int n = 0, ntold = 0;

	for(long i = 1; meets(i, all, &ntold); n++){
		ck_assert_int_eq(tlsreload(client), 0);	/* forgets sessions */
		i += i < 64 ? 1 : 1 + randombelow(&r, step);
	}
	ck_assert_msg(n > 2 && ntold > 0 && (!all || 2 * ntold > n),
		"seed %lu: %d of %d told", r.seed, ntold, n);
	return n;
}

static void
usual(void)
{
	int none = 0;

	tlssides("good");
	ck_assert_int_eq(meets(0, 0, &none), 0);
	ck_assert_int_eq(meets(0, 0, &none), 0);
}

/* OpenSSL remembers a few things; what a connection loses would be more. */
TASK_TEST(want_of_memory_is_told_and_nothing_is_lost)
{
	usual();
	freesides();
	long before = nlive;
	int n = 0, fds_before = openfds();
	usual();
	n = runsout(0) + runsout(1);
	freesides();
	settle();
	ck_assert_int_eq(openfds(), fds_before);
	ck_assert_msg(nlive - before < 4 + n / 4, "%ld of %d", nlive - before,
		n);
}

/* What a Tls is made of: it is made, or it is not. */
TASK_TEST(a_Tls_that_has_no_memory_is_not_made)
{
	/* what OpenSSL makes once it would not try again */
	Tls *t = newserver("good");
	long before = 0;
	int ntold = 0;

	tlsfree(t);
	t = NULL;
	for(long n = 1; t == NULL; n += watched() ? 31 : 7){
		nasked = failed = 0;
		failall = 1;
		failfrom = n;
		errno = 0;
		t = tlsserver(incerts("good"), incerts("good"));
		failfrom = 0;
		ntold += t == NULL && errno == ENOMEM;
		ck_assert(t || errno == ENOMEM || errno == EINVAL ||
			errno == EIO);
		if(n == 1)
			before = nlive;
	}
	ck_assert_int_gt(ntold, 2);
	tlsfree(t);
	ck_assert_int_lt(nlive - before, 200);
}

int
main(void)
{
	const TTest *const tests[] = {
		want_of_memory_is_told_and_nothing_is_lost,
		a_Tls_that_has_no_memory_is_not_made
	};

	must(CRYPTO_set_mem_functions(allocate, resize, release) == 1);
	makecerts();
	int r = test_main("tls without memory", tests,
		sizeof tests / sizeof tests[0]);
	dropcerts();
	return r;
}
