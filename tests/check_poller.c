/* SPDX-License-Identifier: MIT */
/* The pollers: which is used, and that nobody can tell the difference. */
#include <sys/eventfd.h>
#include "fdtest.h"

static char name[32];

static void
askname(void *v)
{
	(void)v;
	snprintf(name, sizeof name, "%s", taskpoller());
}

START_TEST(a_program_starts_on_poll)
{
	unsetenv("TASKPOLLER");
	run(askname);
	ck_assert_str_eq(name, "poll");
}
END_TEST

static void
runnothing(void)
{
	taskrun(askname, NULL);
}

/* io_uring may not be compiled in, or not be allowed. */
static int
haveuring(void)
{
	char err[1024];

	setenv("TASKPOLLER", "uring", 1);
	return child(runnothing, err, sizeof err) == 0;
}

START_TEST(TASKPOLLER_fixes_the_poller)
{
	static const char *const names[] = {"poll", "epoll", "uring"};

	for(int i = 0; i < 2 + haveuring(); i++){
		setenv("TASKPOLLER", names[i], 1);
		run(askname);
		ck_assert_str_eq(name, names[i]);
	}
}
END_TEST

START_TEST(fastest_is_the_last_that_works)
{
	const char *last = haveuring() ? "uring" : "epoll";

	setenv("TASKPOLLER", "fastest", 1);
	run(askname);
	ck_assert_str_eq(name, last);
}
END_TEST

START_TEST(a_poller_that_is_not_there_is_one_line_and_status_2)
{
	static const char line[] = "libtask: TASKPOLLER=kqueue: "
		"there is no such poller; use one of: poll epoll ";
	char err[1024];

	setenv("TASKPOLLER", "kqueue", 1);
	int status = child(runnothing, err, sizeof err);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 2);
	ck_assert_int_eq(strncmp(err, line, sizeof line - 1), 0);
	ck_assert_ptr_eq(strchr(err, '\n'), err + strlen(err) - 1);
}
END_TEST

START_TEST(outside_a_task_there_is_no_poller)
{
	ck_assert_ptr_null(taskpoller());
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

/* Waiters of before the move, of both directions, a file among them. */
TASK_TEST_BY(many_who_wait_move_the_program_to_epoll_and_lose_nothing,
	unsetenv("TASKPOLLER");
	run(body))
{
	enum { Pairs = 40 };
	int fds[Pairs][2];
	Wait w[Pairs];

	for(int i = 0; i < Pairs; i++){
		pair(fds[i]);
		if(i % 2)
			fill(fds[i][0]);
		startwait(&w[i], fds[i][0], i % 2 ? 'w' : 'r');
	}
	settle();
	ck_assert_str_eq(taskpoller(), "epoll");
	for(int i = 0; i < Pairs; i++)
		ck_assert_int_eq(w[i].nwoken, 0);
	for(int i = 0; i < Pairs; i++)
		if(i % 2)
			drain(fds[i][1]);
		else
			ck_assert_int_eq(write(fds[i][1], "x", 1), 1);
	settle();
	for(int i = 0; i < Pairs; i++)
		woken(&w[i], 0);
}

/* What edges might miss: the next tests hold on every poller. */

static char got[64];
static ssize_t ngot, last;

static void
reader(void *v)
{
	int fd = *(int *)v;

	ngot = 0;
	while((last = fdread(fd, got + ngot, sizeof got - (size_t)ngot)) > 0)
		ngot += last;
}

/* The reader has waited at least once, so that its descriptor is armed. */
static void
startreader(int *fd)
{
	last = 1;
	taskcreate(reader, fd, 0);
	settle();
}

TASK_TEST(the_end_is_seen_although_it_came_with_the_last_bytes)
{
	int fds[2];

	tcppair(fds);
	startreader(&fds[0]);
	ck_assert_int_eq(write(fds[1], "abc", 3), 3);
	close(fds[1]);
	settle();
	ck_assert_int_eq(ngot, 3);
	ck_assert_int_eq(last, 0);
}

TASK_TEST(the_end_is_seen_although_it_came_after_a_short_read)
{
	int fds[2];

	tcppair(fds);
	startreader(&fds[0]);
	ck_assert_int_eq(write(fds[1], "abc", 3), 3);
	settle();
	ck_assert_int_eq(ngot, 3);
	ck_assert_int_eq(last, 3);
	shutdown(fds[1], SHUT_WR);
	settle();
	ck_assert_int_eq(last, 0);
}

TASK_TEST(bytes_after_a_short_read_are_read)
{
	int fds[2];

	tcppair(fds);
	startreader(&fds[0]);
	for(int i = 1; i <= 10; i++){
		ck_assert_int_eq(write(fds[1], "abc", 3), 3);
		if(i % 2)
			settle();
	}
	settle();
	ck_assert_int_eq(ngot, 30);
	fdclose(fds[0]);
}

/* A datagram is shorter than asked for, and the next one is there already. */
TASK_TEST(datagrams_that_wait_in_a_row_are_all_read)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0,
		fds), 0);
	startreader(&fds[0]);
	for(int round = 1; round <= 3; round++){
		for(int i = 0; i < 4; i++)
			ck_assert_int_eq(write(fds[1], "ab", 2), 2);
		settle();
		ck_assert_int_eq(ngot, 8 * round);
	}
	fdclose(fds[0]);
}

/* read stops at the mark although there are bytes behind it. */
TASK_TEST(bytes_behind_urgent_ones_are_read)
{
	int port, listener = netannounce(TCP, "127.0.0.1", 0);

	port = portof(listener);
	int out = netdial(TCP, "127.0.0.1", port);
	int in = netaccept(listener, NULL, NULL);
	ck_assert_int_ge(in, 0);
	startreader(&in);
	ck_assert_int_eq(send(out, "abc", 3, 0), 3);
	ck_assert_int_eq(send(out, "!", 1, MSG_OOB), 1);
	ck_assert_int_eq(send(out, "def", 3, 0), 3);
	for(int i = 0; i < 100 && ngot < 6; i++)
		taskdelay(1);
	ck_assert_int_eq(ngot, 6);
	ck_assert_mem_eq(got, "abcdef", 6);
	fdclose(in);
}

TASK_TEST(who_only_waits_is_told_of_what_was_true_before)
{
	int fds[2];
	Wait w;

	pair(fds);
	ck_assert_int_eq(write(fds[1], "abc", 3), 3);
	for(int i = 0; i < 3; i++){
		startwait(&w, fds[0], 'r');
		settle();
		woken(&w, 0);
	}
}

TASK_TEST(a_waiter_hears_of_what_the_one_before_it_has_left)
{
	enum { Waiters = 4 };
	Wait w[Waiters];
	int fds[2];

	pair(fds);
	for(int i = 0; i < Waiters; i++)
		startwait(&w[i], fds[0], 'r');
	settle();
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	settle();
	for(int i = 0; i < Waiters; i++)
		woken(&w[i], 0);
}

TASK_TEST(a_number_used_again_behind_our_back_is_known_after_fdnoblock)
{
	int fds[2], again[2];

	tcppair(fds);
	startreader(&fds[0]);
	ck_assert_int_eq(write(fds[1], "a", 1), 1);
	shutdown(fds[1], SHUT_WR);
	settle();
	ck_assert_int_eq(last, 0);
	pair(again);
	ck_assert_int_eq(dup2(again[0], fds[0]), fds[0]);
	ck_assert_int_ge(fdnoblock(fds[0]), 0);
	startreader(&fds[0]);
	ck_assert_int_eq(write(again[1], "bcd", 3), 3);
	settle();
	ck_assert_int_eq(ngot, 3);
	fdclose(fds[0]);
}

TASK_TEST(a_counter_is_read_each_time_it_counts)
{
	uint64_t one = 1, sum = 0;
	int fd = eventfd(0, EFD_NONBLOCK);

	startreader(&fd);
	for(int i = 1; i <= 3; i++){
		ck_assert_int_eq(write(fd, &one, sizeof one), sizeof one);
		settle();
		ck_assert_int_eq(ngot, 8 * i);
	}
	for(int i = 0; i < 3; i++){
		memcpy(&one, got + 8 * i, sizeof one);
		sum += one;
	}
	ck_assert_int_eq(sum, 3);
	fdclose(fd);
}

/*
 * The same random story on each poller.  After each step it is written down
 * what every reader and writer has seen so far: the books must be equal.
 */
enum { Ends = 4, Steps = 300, BookBytes = Steps * Ends * 32 };

typedef struct End
{
	int fds[2];
	size_t nread, nwritten;
	int done;	/* the errno it ended with, or -1 at the end of file */
	int writing;	/* one at a time: how much room wakes another differs */
} End;

static End ends[Ends];
static char book[BookBytes];
static size_t nbook;

static void
endreader(void *v)
{
	End *e = v;
	char buf[100];
	ssize_t r;

	while((r = fdread(e->fds[0], buf, sizeof buf)) > 0)
		e->nread += (size_t)r;
	e->done = r == 0 ? -1 : errno;
}

static void
endwriter(void *v)
{
	static const char bytes[300000];
	End *e = v;

	if(fdwrite(e->fds[0], bytes, sizeof bytes) < 0)
		e->done = errno;
	e->writing = 0;
	e->nwritten += fdwritten() > 0;
}

static void
step(Random *r, End *e)
{
	static const char bytes[250];
	static char buf[250000];

	switch(randombelow(r, 8)){
	case 0:
		shutdown(e->fds[1], SHUT_WR);
		break;
	case 1:
		if(!e->writing++)
			taskcreate(endwriter, e, 0);
		break;
	case 2: case 3:
		while(read(e->fds[1], buf, sizeof buf) > 0)
			;
		break;
	case 4:
		if(e->done){
			fdclose(e->fds[0]);
			close(e->fds[1]);
			*e = (End){.done = 0};
			pair(e->fds);
			taskcreate(endreader, e, 0);
		}
		break;
	default:
		if(write(e->fds[1], bytes, 1 + randombelow(r, 250)) < 0)
			break;
	}
}

static void
story(void *v)
{
	Random r = *(Random *)v;

	nbook = 0;
	for(int i = 0; i < Ends; i++){
		ends[i] = (End){.done = 0};
		pair(ends[i].fds);
		taskcreate(endreader, &ends[i], 0);
	}
	for(int s = 0; s < Steps; s++){
		step(&r, &ends[randombelow(&r, Ends)]);
		settle();
		for(int i = 0; i < Ends; i++)
			nbook += (size_t)snprintf(book + nbook,
				BookBytes - nbook, "%zu %zu %d;",
				ends[i].nread, ends[i].nwritten, ends[i].done);
	}
	taskexitall(write(4, book, nbook) == (ssize_t)nbook ? 0 : 1);
}

/* runs the story in a child, which hands its book over in a file. */
static size_t
tell(const char *poller, Random *r, char *text)
{
	char path[] = "/tmp/check_poller.XXXXXX";
	int status, fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	fflush(NULL);
	pid_t pid = fork();
	if(pid == 0){
		dup2(fd, 4);
		setenv("TASKPOLLER", poller, 1);
		taskrun(story, r);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ssize_t n = pread(fd, text, BookBytes, 0);
	close(fd);
	ck_assert_int_gt(n, 0);
	return (size_t)n;
}

START_TEST(each_poller_tells_the_same_story)
{
	static char one[BookBytes], other[BookBytes];

	for(int i = 0; i < 5; i++){
		Random r = randomstart();
		size_t n = tell("poll", &r, one);
		for(int k = 0; k < 1 + haveuring(); k++){
			const char *poller = k ? "uring" : "epoll";
			size_t m = tell(poller, &r, other);
			ck_assert_msg(n == m && memcmp(one, other, n) == 0,
				"%s: TEST_SEED=%lu", poller, r.seed);
		}
	}
}
END_TEST

TEST_MAIN("pollers",
	a_program_starts_on_poll,
	TASKPOLLER_fixes_the_poller,
	fastest_is_the_last_that_works,
	a_poller_that_is_not_there_is_one_line_and_status_2,
	outside_a_task_there_is_no_poller,
	many_who_wait_move_the_program_to_epoll_and_lose_nothing,
	the_end_is_seen_although_it_came_with_the_last_bytes,
	the_end_is_seen_although_it_came_after_a_short_read,
	bytes_after_a_short_read_are_read,
	datagrams_that_wait_in_a_row_are_all_read,
	bytes_behind_urgent_ones_are_read,
	who_only_waits_is_told_of_what_was_true_before,
	a_waiter_hears_of_what_the_one_before_it_has_left,
	a_number_used_again_behind_our_back_is_known_after_fdnoblock,
	a_counter_is_read_each_time_it_counts,
	each_poller_tells_the_same_story)
