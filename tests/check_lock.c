/* SPDX-License-Identifier: MIT */
/* Locks, as their users see them. */
#include "test.h"

/* Zeroed is unlocked. */
static QLock ql;
static RWLock rw;

/* QLock */

static int inside;

static void
becareful(void *v)
{
	(void)v;
	for(int i = 0; i < 100; i++){
		ck_assert_int_eq(qlock(&ql), 0);
		if(inside++ != 0)
			ck_abort_msg("two tasks hold the lock");
		taskyield();
		inside--;
		qunlock(&ql);
		if(i % 3 == 0)
			taskyield();
	}
}

TASK_TEST(one_task_at_a_time_holds_a_qlock)
{
	for(int i = 0; i < 10; i++)
		taskcreate(becareful, NULL, 0);
}

static void
lockandnote(void *v)
{
	qlock(&ql);
	note(*(char *)v);
	qunlock(&ql);
}

TASK_TEST(qunlock_hands_the_lock_to_the_first_waiter_and_does_not_switch)
{
	qlock(&ql);
	taskcreate(lockandnote, "a", 0);
	taskcreate(lockandnote, "b", 0);
	taskcreate(lockandnote, "c", 0);
	settle();
	ck_assert_str_eq(trace, "");
	qunlock(&ql);
	/* it is a's already, although a has not run */
	ck_assert_str_eq(trace, "");
	ck_assert_int_eq(canqlock(&ql), 0);
	ck_assert_int_eq(qlock(&ql), 0);
	ck_assert_str_eq(trace, "abc");
	qunlock(&ql);
	ck_assert_ptr_null(ql.owner);
}

/* The order of coming is drawn at random; who comes first is served first. */
static unsigned long ticket, served;
static Random dice;

static void
lockinturn(void *v)
{
	(void)v;
	for(int i = 0; i < 2000; i++){
		for(unsigned int n = randombelow(&dice, 4); n > 0; n--)
			taskyield();
		unsigned long mine = ticket++;
		qlock(&ql);
		if(mine != served++)
			ck_abort_msg("%lu was served as the %luth, seed %lu",
				mine, served - 1, dice.seed);
		for(unsigned int n = randombelow(&dice, 3); n > 0; n--)
			taskyield();
		qunlock(&ql);
	}
}

TASK_TEST_BY(a_qlock_is_given_in_the_order_of_arrival,
	dice = randomstart();
	run(body);
	ck_assert_uint_eq(served, 50 * 2000))
{
	for(int i = 0; i < 50; i++)
		taskcreate(lockinturn, NULL, 0);
}

static void
failtolock(void *v)
{
	(void)v;
	ck_assert_int_eq(canqlock(&ql), 0);
}

TASK_TEST(locking_again_what_one_holds_fails_with_EDEADLK)
{
	ck_assert_int_eq(canqlock(&ql), 1);
	ck_assert_int_eq(canqlock(&ql), 0);
	ck_assert_int_eq(qlock(&ql), -1);
	ck_assert_int_eq(errno, EDEADLK);
	taskcreate(failtolock, NULL, 0);
	taskyield();
	qunlock(&ql);
	ck_assert_int_eq(qlock(&ql), 0);
	qunlock(&ql);
}

/* RWLock */

static void
readandnote(void *v)
{
	const char *s = v;

	ck_assert_int_eq(rlock(&rw), 0);
	note(s[0]);
	taskyield();
	note(s[1]);
	runlock(&rw);
}

static void
writeandnote(void *v)
{
	const char *s = v;

	ck_assert_int_eq(wlock(&rw), 0);
	note(s[0]);
	taskyield();
	note(s[1]);
	wunlock(&rw);
}

TASK_TEST_BY(readers_hold_a_lock_together,
	run(body);
	ck_assert_str_eq(trace, "abAB"))
{
	taskcreate(readandnote, "aA", 0);
	taskcreate(readandnote, "bB", 0);
}

TASK_TEST_BY(a_writer_holds_a_lock_alone,
	run(body);
	ck_assert_int_eq(trace[0], 'w');
	ck_assert_int_eq(trace[1], 'W');
	ck_assert_uint_eq(strlen(trace), 6);
	for(int i = 0; i < 6; i += 2)
		ck_assert_int_eq(trace[i + 1], trace[i] - 'a' + 'A'))
{
	taskcreate(writeandnote, "wW", 0);
	taskcreate(writeandnote, "xX", 0);
	taskcreate(readandnote, "rR", 0);
}

TASK_TEST(readers_queue_behind_a_waiting_writer)
{
	rlock(&rw);
	taskcreate(writeandnote, "wW", 0);
	taskcreate(readandnote, "rR", 0);
	settle();
	ck_assert_str_eq(trace, "");
	ck_assert_int_eq(canrlock(&rw), 0);
	ck_assert_int_eq(canwlock(&rw), 0);
	runlock(&rw);
	ck_assert_int_eq(rw.readers, 0);
	ck_assert_int_eq(canrlock(&rw), 0);	/* it is the writer's already */
	settle();
	ck_assert_str_eq(trace, "wWrR");
}

TASK_TEST(the_last_reader_hands_to_the_first_writer)
{
	rlock(&rw);
	ck_assert_int_eq(canrlock(&rw), 1);
	taskcreate(writeandnote, "wW", 0);
	taskcreate(writeandnote, "xX", 0);
	settle();
	runlock(&rw);
	settle();
	ck_assert_str_eq(trace, "");
	runlock(&rw);
	settle();
	ck_assert_str_eq(trace, "wWxX");
}

TASK_TEST(wunlock_lets_all_waiting_readers_in_or_else_the_next_writer)
{
	wlock(&rw);
	taskcreate(writeandnote, "xX", 0);
	taskcreate(readandnote, "aA", 0);
	taskcreate(readandnote, "bB", 0);
	settle();
	wunlock(&rw);
	ck_assert_int_eq(rw.readers, 2);
	settle();
	ck_assert_str_eq(trace, "abABxX");
}

TASK_TEST(an_rwlock_says_who_can_have_it)
{
	ck_assert_int_eq(canrlock(&rw), 1);
	ck_assert_int_eq(canrlock(&rw), 1);
	ck_assert_int_eq(canwlock(&rw), 0);
	runlock(&rw);
	ck_assert_int_eq(canwlock(&rw), 0);
	runlock(&rw);
	ck_assert_int_eq(canwlock(&rw), 1);
	ck_assert_int_eq(canwlock(&rw), 0);
	ck_assert_int_eq(canrlock(&rw), 0);
	ck_assert_int_eq(rlock(&rw), -1);
	ck_assert_int_eq(errno, EDEADLK);
	errno = 0;
	ck_assert_int_eq(wlock(&rw), -1);
	ck_assert_int_eq(errno, EDEADLK);
	wunlock(&rw);
	ck_assert_int_eq(rlock(&rw), 0);
	runlock(&rw);
	ck_assert_int_eq(wlock(&rw), 0);
	wunlock(&rw);
}

/* Many of each, all the time: both go on, and never hold the lock together. */
static int readers, writers, reads, writes;

static void
readoften(void *v)
{
	(void)v;
	tasksystem();
	for(;;){
		rlock(&rw);
		readers++;
		if(writers > 0)
			ck_abort_msg("a reader beside a writer");
		taskyield();
		readers--;
		reads++;
		runlock(&rw);
	}
}

static void
writeoften(void *v)
{
	(void)v;
	tasksystem();
	for(;;){
		wlock(&rw);
		writers++;
		if(writers > 1 || readers > 0)
			ck_abort_msg("a writer beside others");
		taskyield();
		writers--;
		writes++;
		wunlock(&rw);
	}
}

TASK_TEST(neither_readers_nor_writers_starve)
{
	for(int i = 0; i < 5; i++){
		taskcreate(readoften, NULL, 0);
		taskcreate(writeoften, NULL, 0);
	}
	for(int i = 0; i < 10000; i++)
		taskyield();
	ck_assert_int_gt(reads, 1000);
	ck_assert_int_gt(writes, 1000);
}

/* Misuse, and arguments that cannot work. */

TASK_TEST(no_lock_is_EINVAL)
{
	ck_assert_int_eq(qlock(NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_int_eq(rlock(NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	errno = 0;
	ck_assert_int_eq(wlock(NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(canqlock(NULL), 0);
	ck_assert_int_eq(canrlock(NULL), 0);
	ck_assert_int_eq(canwlock(NULL), 0);
	qunlock(NULL);
	runlock(NULL);
	wunlock(NULL);
}

static void
unlockfree(void *v)
{
	(void)v;
	taskname("careless");
	qunlock(&ql);
}

static void
unlockq(void *v)
{
	(void)v;
	qunlock(&ql);
}

static void
unlocktheirs(void *v)
{
	(void)v;
	taskname("owner");
	qlock(&ql);
	taskcreate(unlockq, NULL, 0);
	taskyield();
}

static void
runlockfree(void *v)
{
	(void)v;
	runlock(&rw);
}

static void
runlockwriters(void *v)
{
	(void)v;
	wlock(&rw);
	runlock(&rw);
}

static void
wunlockfree(void *v)
{
	(void)v;
	wunlock(&rw);
}

static void
wunlockreaders(void *v)
{
	(void)v;
	rlock(&rw);
	wunlock(&rw);
}

static void
wunlocktheirs(void *v)
{
	(void)v;
	wlock(&rw);
	taskcreate(wunlockfree, NULL, 0);
	taskyield();
}

START_TEST(unlocking_what_one_does_not_hold_aborts_with_a_line_that_says_so)
{
	abortstask(unlockfree,
		"task 1 (careless): qunlock: the lock is not locked\n"
		"task list:\n");
	abortstask(unlocktheirs,
		"task 2: qunlock: the lock is held by task 1\ntask list:\n");
	abortstask(runlockfree,
		"runlock: the lock is not locked for reading\n");
	abortstask(runlockwriters,
		"runlock: the lock is not locked for reading\n");
	abortstask(wunlockfree,
		"wunlock: the lock is not locked for writing\n");
	abortstask(wunlockreaders,
		"wunlock: the lock is not locked for writing\n");
	abortstask(wunlocktheirs, "wunlock: the lock is held by task 1\n");
}
END_TEST

static void
lockandend(void *v)
{
	(void)v;
	qlock(&ql);
}

/* The new task has the stack of the one that has ended, and so its address. */
TASK_TEST_BY(a_task_is_not_taken_for_an_owner_that_has_ended,
	abortstask(body,
		"task 3: qunlock: the lock is held by task 2\n"))
{
	taskcreate(lockandend, NULL, 0);
	taskyield();
	ck_assert_int_eq(canqlock(&ql), 0);
	taskcreate(unlockq, NULL, 0);
	taskyield();
}

static void
lockandsay(void *v)
{
	ck_assert_int_eq(qlock(&ql), 0);
	notes(v);
	taskyield();
	qunlock(&ql);
}

TASK_TEST_BY(S3_14_a_mutex_goes_to_the_first_and_only_its_owner_unlocks,
	run(body);
	abortstask(unlocktheirs, "qunlock: the lock is held by task 1\n"))
{
	ck_assert_int_eq(qlock(&ql), 0);
	taskcreate(lockandsay, "a", 0);
	taskcreate(lockandsay, "b", 0);
	taskyield();
	qunlock(&ql);
	ck_assert_int_eq(canqlock(&ql), 0);	/* it is a's already */
	ck_assert_int_eq(qlock(&ql), 0);
	ck_assert_str_eq(trace, "ab");
	qunlock(&ql);
}

TEST_MAIN("lock",
	one_task_at_a_time_holds_a_qlock,
	qunlock_hands_the_lock_to_the_first_waiter_and_does_not_switch,
	a_qlock_is_given_in_the_order_of_arrival,
	locking_again_what_one_holds_fails_with_EDEADLK,
	readers_hold_a_lock_together,
	a_writer_holds_a_lock_alone,
	readers_queue_behind_a_waiting_writer,
	the_last_reader_hands_to_the_first_writer,
	wunlock_lets_all_waiting_readers_in_or_else_the_next_writer,
	an_rwlock_says_who_can_have_it,
	neither_readers_nor_writers_starve,
	no_lock_is_EINVAL,
	unlocking_what_one_does_not_hold_aborts_with_a_line_that_says_so,
	a_task_is_not_taken_for_an_owner_that_has_ended,
	S3_14_a_mutex_goes_to_the_first_and_only_its_owner_unlocks)
