/* SPDX-License-Identifier: MIT */
/*
 * Where memory ran out while the list of tasks was printed, the program
 * crashed: fclose of a stream in memory returns 0 although it has no text.
 * Now the list is then printed line by line, and what takes memory to find, the
 * name of who holds a lock, is said to be left out.
 */
#include "../test.h"
#include "../watched.h"

#if defined(__GLIBC__) && !SANITIZED
enum { Tasks = 100 };

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t m);
extern void *__libc_realloc(void *v, size_t n);

static long ncalls, first, last;	/* those from first to last fail */
static int armed;
static char err[1 << 18];
static QLock l;
static Channel *c;

static int
fails(void)
{
	if(!armed)
		return 0;
	errno = ENOMEM;
	return ++ncalls >= first && ncalls <= last;
}

void *
malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t m)
{
	return fails() ? NULL : __libc_calloc(n, m);
}

void *
realloc(void *v, size_t n)
{
	return fails() ? NULL : __libc_realloc(v, n);
}

static void
waiter(void *v)
{
	(void)v;
	taskname("waiter");
	qlock(&l);
	qunlock(&l);
	chanrecv(c, NULL);
}

static void
fill(void)
{
	taskname("owner");
	c = chancreate(1, 0);
	qlock(&l);
	for(int i = 0; i < Tasks; i++)
		taskcreate(waiter, NULL, 0);
	taskyield();
}

static void
asklist(void *v)
{
	(void)v;
	fill();
	armed = 1;
	raise(SIGQUIT);
	taskdelay(0);
	taskdelay(0);
	armed = 0;
	qunlock(&l);
	taskyield();
	for(int i = 0; i < Tasks; i++)
		chansend(c, NULL);
}

static void
wholelist(void)
{
	int unnamed = occurs(err, "qlock held by task 1 (no memory to look for its "
		"name)\n");

	int lines = occurs(err, "  waiter  ");
	const char *more = strstr(err, " more like these\n");

	ck_assert_int_eq(occurs(err, "qlock held by task 1 (owner)\n") + unnamed,
		lines);
	while(more && more[-1] >= '0' && more[-1] <= '9')
		more--;
	ck_assert_int_eq(lines + (more ? atoi(more) : 0), Tasks);
}

START_TEST(a_list_is_whole_whatever_cannot_be_allocated)
{
	for(first = 1; first <= 20; first++)
		for(int all = 0; all < 2; all++){
			last = all ? 1000000 : first;
			int status = childtask(asklist, err, sizeof err);
			ck_assert_msg(status == 0, "call %ld: %#x: %s", first,
				(unsigned)status, err);
			ck_assert_int_eq(occurs(err, "task list:\n"), 1);
			wholelist();
		}
}
END_TEST

static void
stall(void *v)
{
	(void)v;
	fill();
	armed = 1;
	tasksystem();
	chanrecv(c, NULL);
}

START_TEST(so_is_the_report_of_a_deadlock)
{
	for(first = 1; first <= 20; first++)
		for(int all = 0; all < 2; all++){
			last = all ? 1000000 : first;
			int status = childtask(stall, err, sizeof err);
			ck_assert_msg(WIFEXITED(status) &&
				WEXITSTATUS(status) == 1, "call %ld: %#x: %s",
				first, (unsigned)status, err);
			ck_assert_int_eq(occurs(err, "no runnable tasks! "), 1);
			wholelist();
		}
}
END_TEST

static void
tell(const char *report)
{
	fputs(report, stderr);
}

static void
stalltold(void *v)
{
	tasksetdeadlock(tell);
	stall(v);
}

static void
runstall(void)
{
	int status = taskrun(stalltold, NULL);
	armed = 0;
	ck_assert_int_eq(status, -1);
	ck_assert_int_eq(errno, EDEADLK);
}

START_TEST(who_has_taken_the_report_over_is_told_that_it_lacks)
{
	if(valgrind())
		TEST_SKIP("Valgrind has a malloc of its own");
	first = 1;
	last = 1000000;
	ck_assert_int_eq(child(runstall, err, sizeof err), 0);
	ck_assert_str_eq(err,
		"no runnable tasks! no memory for the list of them\n");
}
END_TEST

TEST_MAIN("list-without-memory",
	a_list_is_whole_whatever_cannot_be_allocated,
	so_is_the_report_of_a_deadlock,
	who_has_taken_the_report_over_is_told_that_it_lacks)
#else
int
main(void)
{
	puts("malloc cannot be replaced here");
	return 77;
}
#endif
