/* SPDX-License-Identifier: MIT */
/* Claims and doors as a model: all orders in which three threads can go. */
#include "test.h"

/*
 * A task waits for two channels, again and again, and two threads each send
 * through one of them.  Deadlines, events and the end of the proc come at any
 * time.  Each step here is one access to what the threads share, in the order
 * of proc/claim.c, proc/shared.c and machine/door.c; what is done under a lock
 * is one where nobody else can look.  All orders of the steps are tried.  Then
 * mistakes are made on purpose: each must be found, else the model is no proof.
 */
enum Mistake
{
	None,
	LeavesUnlocked,	/* entries are left without the lock */
	LeavesIfQueued,	/* or only those that are in the queue yet */
	LeavesNothing,	/* or none */
	TooLateIgnored,	/* a deadline fails a wait that was served */
	EventDoesNotAsk,	/* what is local serves without winning */
	ServesUnasked,	/* and so do other threads */
	TouchesAfterTold,	/* a server looks at the Claim after its note */
	NeverRings,	/* the owner is not woken */
	SleepsBlindly,	/* the owner looks and then sleeps, in two steps */
	ReadsAsleep,	/* it reads the door once others may wake it */
	EndsWithoutNote,	/* a proc ends though one is under way */
	EntriesUncounted,	/* a channel is freed with entries in it */
	FreedLate,	/* whether to free is asked without the lock */
	TakenAgain,	/* a Claim can be won again before all is left */
	SeenIsServed,	/* who sees one wait takes it for served */
	DoorFreed,	/* the end of the proc frees its door */
	Mistakes
};

enum { Free, Sleeping, Told };	/* the inbox */

typedef struct State
{
	/* of each channel, with the one entry that there may be in it */
	unsigned char locked[2], queued[2], users[2], nentry[2], alive[2];
	unsigned char of[2];	/* the wait that the entry is of */

	/* the Claim; the stack it lies on is there while frame is not 0 */
	unsigned char frame, taken, won, end;
	unsigned char inbox, rung, door;	/* door: it is there */

	unsigned char wait;	/* how many waits have begun */
	unsigned char served, received, failed;
	unsigned char deadline, event, over;	/* it has come */

	unsigned char pc, i, mine, late, stop, dead;	/* the owner's */
	struct
	{
		unsigned char pc, won, sleeps, sends, dead;
	} server[2];
	unsigned char wrong;
} State;

static int waits, sends, frees;
static int edge;	/* a poller's, which tells of each writing once */

enum { Owner, Server0, Server1, Deadline, Eventset, Over, Actors };

#include "explore.h"

static int
takelock(State *s, int c)
{
	check(s, s->alive[c]);
	if(s->locked[c])
		return 0;
	s->locked[c] = 1;
	return 1;
}

/* A server has found the entry of its channel, which is locked. */
static void
takeoff(State *s, int c)
{
	check(s, s->frame && s->of[c] == s->wait);
	s->queued[c] = 0;
}

static void
win(State *s, int c)
{
	check(s, s->frame && s->of[c] == s->wait);
	s->server[c].won = !s->taken || mistake == ServesUnasked;
	s->taken = 1;
}

/* Server.pc */
enum { SLock, SLook, STakeoff, SWin, SCopy, SUnlock, STell, SRing, STouch,
	SNext, FLock, FEnd, FUnlock, FGone, SEnd };

static int
server(State *s, int c)
{
	unsigned char *pc = &s->server[c].pc;

	switch(*pc){
	case SLock:
		if(!takelock(s, c))
			return 0;
		*pc = SLook;
		break;
	case SLook:
		s->server[c].won = 0;
		*pc = s->queued[c] ? STakeoff : SUnlock;
		break;
	case STakeoff:
		takeoff(s, c);
		*pc = SWin;
		break;
	case SWin:
		win(s, c);
		if(!s->server[c].won && mistake == SeenIsServed)
			s->served++;
		*pc = s->server[c].won ? SCopy : SLook;
		break;
	case SCopy:
		check(s, s->frame);
		s->won = (unsigned char)(c + 1);
		s->served++;
		*pc = SUnlock;
		break;
	case SUnlock:
		s->locked[c] = 0;
		*pc = s->server[c].won ? STell : SNext;
		break;
	case STell:
		check(s, s->frame && s->inbox != Told);
		s->server[c].sleeps = s->inbox == Sleeping;
		s->inbox = Told;
		*pc = SRing;
		break;
	case SRing:
		check(s, s->door);
		s->rung |= s->server[c].sleeps && mistake != NeverRings;
		*pc = mistake == TouchesAfterTold ? STouch : SNext;
		break;
	case STouch:
		check(s, s->frame);
		*pc = SNext;
		break;
	case SNext:
		if(s->server[c].dead || ++s->server[c].sends == sends)
			*pc = frees && c == 1 && !s->server[c].dead ? FLock :
				SEnd;
		else
			*pc = SLock;
		break;
	case FLock:	/* chanfree, while the task waits or did */
		if(s->wait == 0 || s->pc < 5 || !takelock(s, c))
			return 0;
		s->server[c].won = 0;
		s->users[c] = 0;
		*pc = FEnd;
		break;
	case FEnd:
		if(s->queued[c]){
			takeoff(s, c);
			win(s, c);
		}
		if(s->server[c].won){
			s->won = (unsigned char)(c + 1);
			s->end = 1;
		}
		s->server[c].dead = 1 + (s->nentry[c] == 0 ||
			mistake == EntriesUncounted);
		*pc = FUnlock;
		break;
	case FUnlock:
		s->locked[c] = 0;
		*pc = FGone;
		break;
	case FGone:
		if(mistake == FreedLate)
			s->server[c].dead = 1 + (s->nentry[c] == 0);
		if(s->server[c].dead == 2){
			check(s, s->alive[c]);	/* freed twice */
			s->alive[c] = 0;
		}
		*pc = s->server[c].won ? STell : SEnd;
		break;
	default:
		return 0;
	}
	return 1;
}

/* State.pc */
enum { OBegin, OLock0, OLock1, OEnter, OUnlock0, OUnlock1, OLook, ORead, OSleep,
	OSleepBlind, OKernel, OTake, OUnlink, OLeave, OLeaveLock,
	OLeaveOff, OLeaveUnlock, OLeaveGone, ODone, OEnd };

/* The stack of the wait goes: nothing may lead to it. */
static void
done(State *s, int got)
{
	for(int c = 0; c < 2; c++)
		check(s, !(s->queued[c] && s->of[c] == s->wait));
	s->frame = 0;
	if(got && !s->end)
		s->received++;
	else
		s->failed++;
	s->pc = s->over || s->wait == waits ? OEnd : OBegin;
	s->door = s->pc != OEnd || mistake != DoorFreed;
}

static int
due(const State *s)
{
	return (s->deadline || s->event || s->over) && !s->late;
}

static int
mustleave(const State *s)
{
	if(mistake == LeavesIfQueued)
		return s->queued[s->i];
	return mistake != LeavesNothing;
}

static int
owner(State *s)
{
	switch(s->pc){
	case OBegin:
		s->wait++;
		s->frame = 1;
		s->taken = s->won = s->end = s->mine = s->late = 0;
		s->pc = OLock0;
		break;
	case OLock0:
	case OLock1:
		if(!takelock(s, s->pc - OLock0))
			return 0;
		s->pc++;
		break;
	case OEnter:
		for(int c = 0; c < 2; c++){
			s->queued[c] = 1;
			s->nentry[c]++;
			s->of[c] = s->wait;
		}
		s->pc++;
		break;
	case OUnlock0:
	case OUnlock1:
		s->locked[s->pc - OUnlock0] = 0;
		s->pc++;
		break;
	case OLook:	/* the fdtask: what has come, but for notes */
		s->pc = due(s) ? OUnlink :
			mistake == ReadsAsleep ? OSleep : ORead;
		break;
	case ORead:
		s->rung &= edge;
		s->pc = mistake == ReadsAsleep ? OKernel :
			mistake != SleepsBlindly ? OSleep :
			s->inbox == Free ? OSleepBlind : OTake;
		break;
	case OSleep:
		if(s->inbox == Free)
			s->inbox = Sleeping;
		s->pc = s->inbox != Sleeping ? OTake :
			mistake == ReadsAsleep ? ORead : OKernel;
		break;
	case OSleepBlind:
		s->inbox = Sleeping;
		s->pc = OKernel;
		break;
	case OKernel:
		if(!s->rung && !due(s))
			return 0;
		s->rung &= !edge;
		s->pc = OTake;
		break;
	case OTake:
		s->i = 0;
		s->pc = s->inbox == Told ? OLeave : OLook;
		check(s, s->inbox != Told || s->frame);
		if(s->inbox == Told && mistake == TakenAgain)
			s->taken = 0;
		s->inbox = Free;
		break;
	case OUnlink:
		if(s->taken && !(s->event && mistake == EventDoesNotAsk) &&
				mistake != TooLateIgnored){
			s->late = 1;
			s->pc = OLook;
			if(s->over && mistake == EndsWithoutNote)
				done(s, 0);
			break;
		}
		s->taken = s->mine = 1;
		s->deadline = s->event = 0;
		s->i = 0;
		s->pc = OLeave;
		break;
	case OLeave:
		if(s->i == 2)
			s->pc = ODone;
		else if(!mustleave(s))
			s->i++;
		else
			s->pc = mistake == LeavesUnlocked ? OLeaveOff :
				OLeaveLock;
		break;
	case OLeaveLock:
		if(!takelock(s, s->i))
			return 0;
		s->pc = OLeaveOff;
		break;
	case OLeaveOff:
		s->queued[s->i] = 0;
		s->nentry[s->i]--;
		s->dead = s->users[s->i] == 0 && s->nentry[s->i] == 0;
		s->pc = OLeaveUnlock;
		break;
	case OLeaveUnlock:
		if(mistake != LeavesUnlocked)
			s->locked[s->i] = 0;
		s->pc = OLeaveGone;
		break;
	case OLeaveGone:
		if(s->dead){
			check(s, s->alive[s->i]);
			s->alive[s->i] = 0;
		}
		s->i++;
		s->pc = OLeave;
		break;
	case ODone:
		done(s, !s->mine);
		break;
	default:
		return 0;
	}
	return 1;
}

static int
happens(unsigned char *what)
{
	if(*what)
		return 0;
	*what = 1;
	return 1;
}

/* lets one go one step; returns whether it could. */
static int
step(State *s, int actor)
{
	switch(actor){
	case Owner: return owner(s);
	case Server0: return server(s, 0);
	case Server1: return server(s, 1);
	case Deadline: return s->wait == 1 && happens(&s->deadline);
	case Eventset: return s->wait == 2 && happens(&s->event);
	default: return s->wait == waits && happens(&s->over);
	}
}

/* Nobody can go on: what was served has been received, all channels freed. */
static void
checkend(State *s)
{
	check(s, s->pc == OEnd && s->served == s->received);
	check(s, !frees || !s->alive[1]);
}

static int
exploreof(int nwaits, int nsends, int withfree)
{
	State start;

	memset(&start, 0, sizeof start);
	waits = nwaits;
	sends = nsends;
	frees = withfree;
	start.door = 1;
	for(int c = 0; c < 2; c++)
		start.users[c] = start.alive[c] = 1;
	return exploreall(&start);
}

static int
goeswrong(enum Mistake m)
{
	mistake = m;
	return exploreof(2, 2, 0) || exploreof(1, 1, 1);
}

START_TEST(nothing_goes_wrong_in_any_order)
{
	explorebegin();
	for(edge = 0; edge < 2; edge++){
		ck_assert_int_eq(exploreof(2, 2, 0), 0);
		ck_assert_int_gt(nseen, 10000);
		ck_assert_int_eq(exploreof(1, 1, 1), 0);
	}
	exploreend();
}
END_TEST

TEST_MAIN("claims", nothing_goes_wrong_in_any_order, every_mistake_is_found)
