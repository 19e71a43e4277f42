/* SPDX-License-Identifier: MIT */
/* The report of a deadlock as a model: all orders in which procs fall idle. */
#include "test.h"

/*
 * Two procs send each other a note and then wait for ever, or one of them ends;
 * a thread of the pool does a job for the first.  Each step is one access to
 * what they share, in the order of proc/member.c and machine/door.c.  In any
 * order the deadlock must be reported if somebody is left who waits, and not
 * before nobody is about to tell anybody anything.
 */
enum Mistake
{
	None,
	NoCheckAtEnd,	/* who ends does not look whether the others stall */
	HopesNothing,	/* jobs are not counted */
	HelperFirst,	/* the helper ends the hope, and then tells its note */
	HelperLast,	/* or after that, and looks no more */
	CountsFirst,	/* it counts itself idle, and then has its door sleep */
	EmptyIsIdle,	/* doors are asked whether they are empty; see below */
	Mistakes,

	/* Each of these alone is none; both together are EmptyIsIdle. */
	EmptyOnly,
	UncountsLate	/* an idle proc takes its notes, and then uncounts */
};

enum { Free, Sleeping, Told };	/* the word of a door */
enum { Hello = 1, Done = 2 };	/* notes */

typedef struct State
{
	unsigned char word[2], notes[2], rung[2], over[2];
	unsigned char locked, nprocs, nidle, hope, reported;
	struct
	{
		unsigned char pc, next, said, got, sleeps, counted;
	} proc[2];
	unsigned char job, helper, helpersleeps;
	unsigned char wrong;
} State;

static int withjob, withnotes, withend;

enum { A, B, Helper, Actors };

#include "explore.h"

/* Under the lock; nothing of it is looked at without. */
static int
takelock(State *s)
{
	if(s->locked)
		return 0;
	s->locked = 1;
	return 1;
}

static unsigned char
push(State *s, int to, int what)
{
	unsigned char sleeps = s->word[to] == Sleeping;

	check(s, !s->over[to]);
	s->word[to] = Told;
	s->notes[to] |= (unsigned char)what;
	return sleeps;
}

/* pc of a proc */
enum { PWork, PSubmit, PHand, PSay, PRing, PRead, PSleep, PCount, PLook0,
	PLook1, PReport, PUnlock, PKernel, PUncount, PTake, PHeard, PUnhope,
	POver, PEnd };

/* What it does before it waits the next time. */
static unsigned char
work(State *s, int me)
{
	if(me == A && withjob && s->job == 0)
		return PSubmit;
	if(withnotes && !s->proc[me].said && (me == A || s->proc[me].got))
		return PSay;
	if(withend && me == B && (!withnotes || s->proc[me].said))
		return POver;
	return mistake == CountsFirst ? PCount : PRead;
}

static int
isidle(const State *s, int i)
{
	if(s->over[i])
		return 1;
	if(mistake == EmptyIsIdle || mistake == EmptyOnly)
		return s->word[i] != Told;
	return s->word[i] == Sleeping;
}

/* Nobody is about to tell anybody anything. */
static int
isquiet(const State *s)
{
	for(int i = 0; i < 2; i++)
		if(!s->over[i] && (s->word[i] != Sleeping || s->notes[i]))
			return 0;
	return s->job != 1;
}

static int
late(void)
{
	return mistake == EmptyIsIdle || mistake == UncountsLate;
}

static int
proc(State *s, int me)
{
	unsigned char *pc = &s->proc[me].pc, *next = &s->proc[me].next;

	switch(*pc){
	case PWork:
		*pc = work(s, me);
		break;
	case PSubmit:
		if(!takelock(s))
			return 0;
		s->hope += mistake != HopesNothing;
		s->locked = 0;
		*pc = PHand;
		break;
	case PHand:
		s->job = 1;
		*pc = PWork;
		break;
	case PSay:
		s->proc[me].said = 1;
		s->proc[me].sleeps = push(s, !me, Hello);
		*pc = PRing;
		break;
	case PRing:
		s->rung[!me] |= s->proc[me].sleeps;
		*pc = PWork;
		break;
	case PRead:
		s->rung[me] = 0;
		*pc = PSleep;
		break;
	case PSleep:
		if(s->word[me] == Free)
			s->word[me] = Sleeping;
		*pc = s->word[me] == Told ? late() ? PTake : PUncount :
			s->proc[me].counted ? PKernel : PCount;
		break;
	case PCount:
		if(!takelock(s))
			return 0;
		s->nidle++;
		s->proc[me].counted = 1;
		*next = mistake == CountsFirst ? PRead : PKernel;
		*pc = PLook0;
		break;
	case PLook0:
	case PLook1:
		if(s->nidle < s->nprocs || s->hope > 0 || s->nprocs == 0 ||
				!isidle(s, *pc - PLook0))
			*pc = PUnlock;
		else
			++*pc;
		break;
	case PReport:
		check(s, isquiet(s));
		s->reported = 1;
		*pc = PUnlock;
		break;
	case PUnlock:
		s->locked = 0;
		*pc = *next;
		break;
	case PKernel:
		if(!s->rung[me])
			return 0;
		*pc = late() ? PTake : PUncount;
		break;
	case PUncount:
		if(s->proc[me].counted && s->locked)
			return 0;
		s->nidle -= s->proc[me].counted;
		s->proc[me].counted = 0;
		*pc = late() ? PHeard : PTake;
		break;
	case PTake:
		s->word[me] = Free;
		*pc = late() ? PUncount : PHeard;
		break;
	case PHeard:
		s->proc[me].got |= s->notes[me] & Hello;
		*pc = s->notes[me] & Done ? PUnhope : PWork;
		s->notes[me] = 0;
		break;
	case PUnhope:
		if(s->locked)
			return 0;
		s->hope -= s->hope && mistake != HelperFirst &&
			mistake != HelperLast;
		*pc = PWork;
		break;
	case POver:
		if(!takelock(s))
			return 0;
		s->nprocs--;
		s->over[me] = 1;
		*next = PEnd;
		*pc = mistake == NoCheckAtEnd ? PUnlock : PLook0;
		break;
	default:
		return 0;
	}
	return 1;
}

enum { HWait, HFirst, HTell, HRing, HLast, HEnd };

static int
helper(State *s)
{
	switch(s->helper){
	case HWait:
		if(!s->job)
			return 0;
		s->helper = mistake == HelperFirst ? HFirst : HTell;
		break;
	case HFirst:
	case HLast:
		if(s->locked)
			return 0;
		s->hope--;
		s->helper = s->helper == HFirst ? HTell : HEnd;
		break;
	case HTell:
		s->helpersleeps = push(s, A, Done);
		s->job = 2;
		s->helper = HRing;
		break;
	case HRing:
		s->rung[A] |= s->helpersleeps;
		s->helper = mistake == HelperLast ? HLast : HEnd;
		break;
	default:
		return 0;
	}
	return 1;
}

static int
step(State *s, int actor)
{
	if(s->reported)
		return 0;
	return actor == Helper ? helper(s) : proc(s, actor);
}

static void
checkend(State *s)
{
	check(s, s->reported || (s->over[A] && s->over[B]));
}

static int
goeswrong(enum Mistake m)
{
	State start;
	int wrong = 0;

	memset(&start, 0, sizeof start);
	start.nprocs = 2;
	mistake = m;
	for(int i = 0; i < 8; i++){
		withjob = i & 1;
		withnotes = i >> 1 & 1;
		withend = i >> 2;
		wrong |= exploreall(&start);
	}
	return wrong;
}

START_TEST(a_deadlock_is_reported_in_any_order_and_nothing_else_is)
{
	explorebegin();
	ck_assert_int_eq(goeswrong(None), 0);
	ck_assert_int_gt(nseen, 100);
	exploreend();
}
END_TEST

/*
 * A proc that is counted is asleep or has been told something, for it counts
 * after it sleeps and uncounts before it takes its notes.  So the code would be
 * right too if it asked whether doors are empty, or if it uncounted later, as
 * long as it does not do both.
 */
START_TEST(two_mistakes_hide_each_other)
{
	explorebegin();
	ck_assert_int_eq(goeswrong(EmptyOnly), 0);
	ck_assert_int_eq(goeswrong(UncountsLate), 0);
	exploreend();
}
END_TEST

TEST_MAIN("stall", a_deadlock_is_reported_in_any_order_and_nothing_else_is,
	every_mistake_is_found, two_mistakes_hide_each_other)
