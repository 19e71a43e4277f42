/* SPDX-License-Identifier: MIT */
/* The end of a proc as a model: its last notes, in all orders. */
#include "test.h"

/*
 * A proc ends whose last task waits for a shared channel, where a server may
 * have found it, while another thread posts to it.  Each step is one access to
 * what they share, in the order of proc/member.c, proc/claim.c and
 * machine/door.c.  In any order the server finds the wait and the door as long
 * as it needs them, and a post that was accepted is run.
 */
enum Mistake
{
	None,
	ClosedFirst,	/* the door is closed before tasks are given up */
	GivenUpFirst,	/* tasks are, before the number is out */
	EndsWithoutNote,	/* a wait that was served is not waited for */
	OutUnasked,	/* the number is out though there are notes */
	PostsUnlocked,	/* who posts looks and tells without the lock */
	Mistakes
};

enum { Free, Sleeping, Told, Closed };	/* the word of the door */

typedef struct State
{
	unsigned char word, rung, served, posts;	/* those two: notes */
	unsigned char locked, out;
	unsigned char frame, taken;	/* the wait, and its Claim */
	unsigned char accepted, run;
	unsigned char pc, givenup, closed;	/* the owner's */
	unsigned char server, serversleeps;
	unsigned char poster, postersleeps, nposts;
	unsigned char wrong;
} State;

enum { Owner, Callee, Poster, Actors };
enum { Posts = 3 };

#include "explore.h"

static unsigned char
push(State *s, unsigned char *note)
{
	unsigned char sleeps = s->word == Sleeping;

	check(s, s->word != Closed);
	s->word = Told;
	++*note;
	return sleeps;
}

enum { OLeaves, OLook, ODrain, OTake, OUnlink, ORead, OSleep, OKernel, OWoken,
	OClose, OEnd };

/* calls the notes; tasks that come of posts run if others do still. */
static void
answer(State *s)
{
	check(s, !s->served || s->frame);
	if(s->served)
		s->frame = 0;
	if(!s->givenup && !s->closed)
		s->run += s->posts;
	s->served = s->posts = 0;
	if(s->word == Told)
		s->word = Free;
}

/* What comes after the number is out, or after all else is given up. */
static unsigned char
nextstep(const State *s)
{
	if(!s->out && (s->givenup || mistake != GivenUpFirst))
		return OLeaves;
	if(!s->closed && mistake == ClosedFirst)
		return OClose;
	if(!s->givenup)
		return OUnlink;
	return s->closed ? OEnd : OClose;
}

static int
owner(State *s)
{
	switch(s->pc){
	case OLeaves:
		if(mistake == GivenUpFirst && !s->givenup)
			s->pc = OUnlink;
		else if(s->locked)
			return 0;
		else{
			s->locked = 1;
			s->pc = OLook;
		}
		break;
	case OLook:
		s->out = s->word != Told || mistake == OutUnasked;
		s->pc = ODrain;
		break;
	case ODrain:
		s->locked = 0;
		s->pc = s->out ? nextstep(s) : OTake;
		break;
	case OTake:
		answer(s);
		s->pc = OLeaves;
		break;
	case OUnlink:
		s->givenup = 1;
		if(!s->frame || !s->taken || mistake == EndsWithoutNote){
			s->taken = 1;
			s->frame = 0;
			s->pc = nextstep(s);
		}else
			s->pc = ORead;
		break;
	case ORead:
		s->rung = 0;
		s->pc = OSleep;
		break;
	case OSleep:
		if(s->word == Free)
			s->word = Sleeping;
		s->pc = s->word == Sleeping ? OKernel : OWoken;
		break;
	case OKernel:
		if(!s->rung)
			return 0;
		s->pc = OWoken;
		break;
	case OWoken:
		answer(s);
		s->pc = s->frame ? ORead : nextstep(s);
		break;
	case OClose:
		s->closed = 1;
		answer(s);
		s->word = Closed;
		s->pc = nextstep(s);
		break;
	default:
		return 0;
	}
	return 1;
}

enum { SClaim, SCopy, STell, SRing, SEnd };

static int
server(State *s)
{
	switch(s->server){
	case SClaim:
		s->server = s->taken ? SEnd : SCopy;
		s->taken = 1;
		break;
	case SCopy:
		check(s, s->frame);
		s->server = STell;
		break;
	case STell:
		check(s, s->frame);
		s->serversleeps = push(s, &s->served);
		s->server = SRing;
		break;
	case SRing:
		s->rung |= s->serversleeps;
		s->server = SEnd;
		break;
	default:
		return 0;
	}
	return 1;
}

enum { PLock, PLook, PTell, PUnlock, PRing, PEnd };

static int
poster(State *s)
{
	switch(s->poster){
	case PLock:
		if(mistake != PostsUnlocked && s->locked)
			return 0;
		s->locked |= mistake != PostsUnlocked;
		s->poster = PLook;
		break;
	case PLook:
		s->postersleeps = 0;
		s->poster = s->out ? PUnlock : PTell;
		break;
	case PTell:
		s->postersleeps = push(s, &s->posts);
		s->accepted++;
		s->poster = PUnlock;
		break;
	case PUnlock:
		if(mistake != PostsUnlocked)
			s->locked = 0;
		s->poster = PRing;
		break;
	case PRing:
		s->rung |= s->postersleeps;
		s->poster = ++s->nposts == Posts ? PEnd : PLock;
		break;
	default:
		return 0;
	}
	return 1;
}

static int
step(State *s, int actor)
{
	switch(actor){
	case Owner: return owner(s);
	case Callee: return server(s);
	default: return poster(s);
	}
}

static void
checkend(State *s)
{
	check(s, s->pc == OEnd && !s->frame && s->accepted == s->run);
}

static int
goeswrong(enum Mistake m)
{
	State start;

	memset(&start, 0, sizeof start);
	start.frame = 1;
	mistake = m;
	return exploreall(&start);
}

START_TEST(a_proc_ends_well_in_any_order)
{
	explorebegin();
	ck_assert_int_eq(goeswrong(None), 0);
	ck_assert_int_gt(nseen, 500);
	exploreend();
}
END_TEST

TEST_MAIN("procend", a_proc_ends_well_in_any_order, every_mistake_is_found)
