/* SPDX-License-Identifier: MIT */
/* Tries all orders in which the actors of a model can go. */
#ifndef EXPLORE_H
#define EXPLORE_H

#include "test.h"

/*
 * Before this is included a model has declared State, which consists of bytes
 * and has wrong set once something does not hold that must; how many Actors
 * there are; and the Mistakes that one can make in it, from None on.  After it
 * comes step, which lets one actor go one step and returns whether it could;
 * checkend, for when nobody can go on; and goeswrong, which tries all orders
 * with a mistake and returns whether something can go wrong.
 */
static int step(State *s, int actor);
static void checkend(State *s);
static int goeswrong(enum Mistake m);

static enum Mistake mistake;	/* the one that is made */

static void
check(State *s, int holds)
{
	s->wrong |= !holds;
}

/* The states that have been seen: a table with open addressing. */
enum { Seen = 1 << 21 };

static State *seen;
static unsigned char *used;
static int nseen, found;

static int
isnew(const State *s)
{
	const unsigned char *b = (const unsigned char *)s;
	uint64_t h = 14695981039346656037u;

	for(size_t i = 0; i < sizeof *s; i++)
		h = (h ^ b[i]) * 1099511628211u;
	for(h ^= h >> 29; used[h % Seen]; h++)
		if(memcmp(&seen[h % Seen], s, sizeof *s) == 0)
			return 0;
	ck_assert_int_lt(++nseen, Seen - 1);
	used[h % Seen] = 1;
	seen[h % Seen] = *s;
	return 1;
}

static void
explore(const State *s)
{
	int stuck = 1;

	if(found || !isnew(s))
		return;
	for(int a = 0; a < Actors; a++){
		State next = *s;
		if(!step(&next, a))
			continue;
		stuck = 0;
		found |= next.wrong;
		explore(&next);
	}
	if(stuck){
		State last = *s;
		checkend(&last);
		found |= last.wrong;
	}
}

static void
explorebegin(void)
{
	seen = malloc(Seen * sizeof *seen);
	used = malloc(Seen);
	ck_assert_ptr_nonnull(seen);
	ck_assert_ptr_nonnull(used);
}

static void
exploreend(void)
{
	free(seen);
	free(used);
}

/* returns whether something can go wrong that begins with s. */
static int
exploreall(const State *s)
{
	nseen = found = 0;
	memset(used, 0, Seen);
	explore(s);
	if(getenv("TEST_SHOW"))
		fprintf(stderr, "%d states\n", nseen);
	return found;
}

START_TEST(every_mistake_is_found)
{
	explorebegin();
	for(int m = None + 1; m < Mistakes; m++)
		ck_assert_msg(goeswrong((enum Mistake)m),
			"mistake %d is not found", m);
	exploreend();
}
END_TEST

#endif
