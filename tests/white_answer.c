/* SPDX-License-Identifier: MIT */
/* Answers that go with the wait for what comes next: none is lost, or twice. */
#include <pthread.h>

#include "../net/stream.h"
#ifdef TASK_URING
#include <liburing.h>
#endif
#include "fdtest.h"

static Sys kernel;
static int fds[2];
static Stream *s;

/* One peer that is told what to say, and what it got. */

static void
reads(const char *what)
{
	char got[64];
	size_t n = strlen(what);

	ck_assert_int_eq(read(fds[1], got, sizeof got), n);
	ck_assert_mem_eq(got, what, n);
	FAILS(read(fds[1], got, 1), EAGAIN);
}

static void
says(const char *what)
{
	ck_assert_int_eq(write(fds[1], what, strlen(what)), strlen(what));
}

/* answers before it waits for each line, which must be "x". */
static void
answering(void *v)
{
	char *line;
	int n;

	(void)v;
	ck_assert_int_eq(streamwrite(s, "hello", 5), 5);
	while((n = (int)streamline(s, &line)) == 1){
		ck_assert_str_eq(line, "x");
		note('x');
		streamwrite(s, "again", 5);
	}
	note(errno == ENODATA ? 'e' : '?');
}

static void
begin(void)
{
	pair(fds);
	s = streamopen(fds[0], 0);
	ck_assert_int_gt(taskcreate(answering, NULL, 0), 0);
	taskdelay(1);
}

static void
end(void)
{
	close(fds[1]);
	taskdelay(1);
	while(strpbrk(trace, "e?") == NULL)
		taskdelay(1);
	ck_assert_ptr_nonnull(strchr(trace, 'e'));
	streamclose(s);
}

TASK_TEST(a_writer_need_not_wait_while_the_reader_waits_for_input)
{
	begin();
	for(int i = 0; i < 1000 && s->pushing; i++)
		taskdelay(1);
	ck_assert_int_eq(s->pushing, 0);
	ck_assert_int_eq(streamwrite(s, "more", 4), 4);
	ck_assert_int_eq(streamflush(s), 0);
	reads("hellomore");
	says("x\n");
	taskdelay(1);
	while(trace[0] == '\0')
		taskdelay(1);
	taskdelay(1);
	reads("again");
	end();
}

TASK_TEST(a_deadline_of_the_reader_leaves_the_answer_where_it_is)
{
	Timeout t;
	char *line;

	pair(fds);
	s = streamopen(fds[0], 0);
	ck_assert_int_eq(streamwrite(s, "hello", 5), 5);
	timeoutstart(&t, 5);
	FAILS(streamline(s, &line), ETIMEDOUT);
	timeoutstop(&t);
	reads("hello");
	says("x\n");
	ck_assert_int_eq(streamline(s, &line), 1);
	close(fds[1]);
	streamclose(s);
}

/* A reader that cannot be answered any more is not told: who writes is. */
TASK_TEST(an_answer_that_fails_is_told_to_the_next_write)
{
	char *line;

	pair(fds);
	s = streamopen(fds[0], 0);
	shutdown(fds[0], SHUT_WR);
	says("x\n");
	ck_assert_int_eq(streamwrite(s, "hello", 5), 5);
	ck_assert_int_eq(streamline(s, &line), 1);
	FAILS(streamwrite(s, "again", 5), EPIPE);
	close(fds[1]);
	streamclose(s);
}

static void
askslater(void *v)
{
	(void)v;
	taskdelay(5);
	says("x\n");
}

TASK_TEST(an_answer_that_fails_while_the_reader_waits_does_not_end_that)
{
	char *line;

	pair(fds);
	s = streamopen(fds[0], 0);
	shutdown(fds[0], SHUT_WR);
	taskcreate(askslater, NULL, 0);
	taskyield();
	ck_assert_int_eq(streamwrite(s, "hello", 5), 5);
	ck_assert_int_eq(streamline(s, &line), 1);
	FAILS(streamwrite(s, "again", 5), EPIPE);
	close(fds[1]);
	streamclose(s);
}

/* More than there is room for goes while the reader waits. */

enum { Much = 1000000 };

static void *
takesmuch(void *v)
{
	static char got[5000];
	size_t n = 0;

	(void)v;
	while(n < Much){
		size_t most = Much - n < sizeof got ? Much - n : sizeof got;
		ssize_t r = read(fds[1], got, most);
		for(ssize_t i = 0; i < r; i++)
			if(got[i] != (char)((n + (size_t)i) % 251))
				abort();
		if(r <= 0)
			abort();
		n += (size_t)r;
	}
	says("x\n");
	return NULL;
}

TASK_TEST(what_finds_no_room_goes_on_while_the_reader_waits)
{
	pthread_t peer;
	char *all = malloc(Much), *line;

	for(int i = 0; i < Much; i++)
		all[i] = (char)(i % 251);
	pair(fds);
	fcntl(fds[1], F_SETFL, 0);
	s = streamopen(fds[0], Much);
	ck_assert_int_eq(streamwrite(s, all, Much), Much);
	free(all);
	pthread_create(&peer, NULL, takesmuch, NULL);
	ck_assert_int_eq(streamline(s, &line), 1);
	pthread_join(peer, NULL);
	close(fds[1]);
	streamclose(s);
}

/*
 * Conversations with peers in threads of their own, which ask, take what they
 * get at their leisure, and reset some connections.  Each is answered by its
 * reader, which has deadlines, and told news by another task.  Answers and news
 * are numbered, and of bytes that tell where they belong.
 */
enum { Talks = 4, Asks = 60, AnswerMost = 20000, SendBuffer = 4608 };

typedef struct Talk
{
	int fds[2];	/* ours, the peer's */
	pthread_t peer;
	Random dice;	/* ours */
	Random peerdice;
	Stream *s;
	QLock lock;	/* who writes */
	int reset;	/* by the peer, in the end or before */
	int over;
	int nnews;
	int ngot[2];	/* answers and news that the peer got */
	Event ended;	/* the newsman */
} Talk;

/* What follows is in the peer's thread. */

_Noreturn static void
broken(const Talk *t, const char *how)
{
	fprintf(stderr, "%s, seed %lu\n", how, t->dice.seed);
	abort();
}

static size_t
take(Talk *t, char *v, size_t n)
{
	size_t got = 0;

	while(got < n){
		size_t most = 1 + randombelow(&t->peerdice, 3000);
		ssize_t r = read(t->fds[1], v + got,
			most < n - got ? most : n - got);
		if(r <= 0)
			break;
		got += (size_t)r;
		if(randombelow(&t->peerdice, 16) == 0)
			usleep(randombelow(&t->peerdice, 300));
	}
	return got;
}

/*
 * takes one answer or piece of news: a letter, its number and size in 16 bytes,
 * and as many as that.  Returns the letter, or 0 at the end.
 */
static int
takeone(Talk *t)
{
	static _Thread_local char body[AnswerMost];
	char head[17] = "", what = 0;
	int number = 0;
	size_t size = 0;

	size_t n = take(t, head, 16);
	if(n == 0)
		return 0;
	if(n < 16 || sscanf(head, "%c %d %zu", &what, &number, &size) != 3 ||
			size > sizeof body || number != t->ngot[what == 'n'])
		broken(t, "a head is wrong");
	if(take(t, body, size) < size)
		broken(t, "a body ends");
	for(size_t i = 0; i < size; i++)
		if(body[i] != (char)((size_t)number + i))
			broken(t, "a body is wrong");
	t->ngot[what == 'n']++;
	return what;
}

static void *
peer(void *v)
{
	Talk *t = v;
	int asked = 0, last = (int)randombelow(&t->peerdice, Asks);

	t->reset = randombelow(&t->peerdice, 3) == 0;
	while(asked < Asks && !(t->reset && asked >= last)){
		int n = 1 + (int)randombelow(&t->peerdice, 3);
		for(int i = 0; i < n; i++)
			if(write(t->fds[1], "ask\n", 4) != 4)
				broken(t, "it does not listen");
		asked += n;
		if(t->reset && asked >= last)
			break;
		while(t->ngot[0] < asked)
			if(takeone(t) == 0)
				broken(t, "it ends");
	}
	if(t->reset){
		struct linger l = {1, 0};
		setsockopt(t->fds[1], SOL_SOCKET, SO_LINGER, &l, sizeof l);
	}else{
		shutdown(t->fds[1], SHUT_WR);
		while(takeone(t))
			;
		if(t->ngot[0] != asked)
			broken(t, "answers to nothing");
	}
	close(t->fds[1]);
	return NULL;
}

/* What follows is in tasks. */

static int
writeone(Talk *t, int what, int number, size_t size)
{
	char *v = malloc(16 + AnswerMost);

	memset(v, ' ', 16);
	v[sprintf(v, "%c %d %zu", what, number, size)] = ' ';
	for(size_t i = 0; i < size; i++)
		v[16 + i] = (char)((size_t)number + i);
	qlock(&t->lock);
	ssize_t r = streamwrite(t->s, v, 16 + size);
	if(r > 0 && what == 'n')
		r = streamflush(t->s) == 0 ? 1 : -1;
	qunlock(&t->lock);
	free(v);
	return r > 0;
}

static void
newsman(void *v)
{
	Talk *t = v;

	while(!t->over && writeone(t, 'n', t->nnews,
			randombelow(&t->dice, 200))){
		t->nnews++;
		taskdelay(randombelow(&t->dice, 3));
	}
	eventset(&t->ended);
}

/* returns whether a line has come, however many deadlines that takes. */
static int
nextask(Talk *t)
{
	char *line;
	Timeout limit;
	ssize_t r;

	do{
		int limited = randombelow(&t->dice, 2) == 0;
		if(limited)
			timeoutstart(&limit, randombelow(&t->dice, 3));
		r = streamline(t->s, &line);
		if(limited)
			timeoutstop(&limit);
	}while(r < 0 && errno == ETIMEDOUT);
	ck_assert_int_eq(r > 0 && strcmp(line, "ask"), 0);
	return r > 0;
}

static int ntalks;

static void
talk(void *v)
{
	Talk *t = v;
	int n = 0;

	taskcreate(newsman, t, 0);
	while(nextask(t) && writeone(t, 'a', n, randombelow(&t->dice,
			randombelow(&t->dice, 4) ? 100 : AnswerMost)))
		n++;
	t->over = 1;
	eventwait(&t->ended);
	streamclose(t->s);
	ntalks--;
}

static Random
split(Random *dice)
{
	return (Random){dice->seed, randombelow(dice, UINT_MAX) + 1};
}

static void
begintalk(Talk *t, Random *dice)
{
	int small = SendBuffer;

	*t = (Talk){.dice = split(dice), .peerdice = split(dice)};
	if(randombelow(dice, 2))
		tcppair(t->fds);
	else
		pair(t->fds);
	setsockopt(t->fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	fcntl(t->fds[1], F_SETFL, 0);
	t->s = streamopen(t->fds[0], randombelow(dice, 2) ? 0 : 2 * AnswerMost);
	ntalks++;
	taskcreate(talk, t, 0);
	pthread_create(&t->peer, NULL, peer, t);
}

static void
converse(void *v)
{
	static Talk talks[Talks];
	Random dice = randomstart();
	int64_t start = nowns();

	(void)v;
	do{
		int n = 1 + (int)randombelow(&dice, Talks);
		for(int i = 0; i < n; i++)
			begintalk(&talks[i], &dice);
		while(ntalks > 0)
			taskdelay(1);
		for(int i = 0; i < n; i++)
			pthread_join(talks[i].peer, NULL);
	}while(nowns() - start < Second / 2);
}

TASK_TEST(each_answer_comes_once_and_in_order)
{
	converse(v);
}

/* The same, with what the kernel, or the program, may do to a ring */

static int nenter, ring;

/* The number of requests in a ring is a power of two. */
static int
tinyring(unsigned int requests, unsigned int reports, struct io_uring *u)
{
	(void)requests, (void)reports;
	return kernel.uringopen(2, 4, u);
}

static int
keepring(unsigned int requests, unsigned int reports, struct io_uring *u)
{
	int r = kernel.uringopen(requests, reports, u);

#ifdef TASK_URING
	ring = u->ring_fd;
#endif
	return r;
}

/* Some calls hand nothing over. */
static int
refusing(struct io_uring *u, unsigned int n, struct timespec *timeout)
{
	if(++nenter % 5 == 0){
		errno = EAGAIN;
		return -1;
	}
	return kernel.uringenter(u, n, timeout);
}

static char name[32];

static void
askname(void *v)
{
	(void)v;
	snprintf(name, sizeof name, "%s", taskpoller());
}

#define URING_TEST(test, ...) TASK_TEST_BY(test, \
	run(askname); \
	if(strcmp(name, "uring") != 0) \
		TEST_SKIP("it is about io_uring"); \
	kernel = task_sys; \
	__VA_ARGS__; \
	run(body))

URING_TEST(each_answer_comes_once_though_the_ring_is_full,
	task_sys.uringopen = tinyring)
{
	converse(v);
}

URING_TEST(each_answer_comes_once_though_the_kernel_refuses,
	task_sys.uringenter = refusing)
{
	converse(v);
}

/* What was handed over was sent, and is not sent again with the recv. */
URING_TEST(an_answer_of_before_the_ring_was_lost_is_not_sent_twice,
	task_sys.uringopen = keepring)
{
	begin();
	reads("hello");
	close(ring);
	for(int i = 0; i < 5; i++)
		taskdelay(1);
	FAILS(read(fds[1], trace, 1), EAGAIN);
	end();
}

URING_TEST(an_answer_that_a_lost_ring_has_not_got_is_sent_all_the_same,
	task_sys.uringopen = keepring)
{
	close(ring);
	begin();
	taskdelay(1);
	reads("hello");
	end();
}

TEST_MAIN("answers",
	a_writer_need_not_wait_while_the_reader_waits_for_input,
	a_deadline_of_the_reader_leaves_the_answer_where_it_is,
	an_answer_that_fails_is_told_to_the_next_write,
	an_answer_that_fails_while_the_reader_waits_does_not_end_that,
	what_finds_no_room_goes_on_while_the_reader_waits,
	each_answer_comes_once_and_in_order,
	each_answer_comes_once_though_the_ring_is_full,
	each_answer_comes_once_though_the_kernel_refuses,
	an_answer_of_before_the_ring_was_lost_is_not_sent_twice,
	an_answer_that_a_lost_ring_has_not_got_is_sent_all_the_same)
