/* SPDX-License-Identifier: MIT */
/* Each fdwrite on a shared descriptor is whole, and so is each fdreadn. */
/*
 * Cause: an fdwrite that had to wait for room wrote its rest when there was
 * some, and so did others on the same descriptor: two messages of 1 MiB came
 * out in 8 to 10 pieces.  Two fdreadn shared what came in the same way.
 * Cure: from its second step on a call has the turn of the descriptor's
 * direction, for which the others wait, first come, first served.
 */
#include "../fdtest.h"

enum { Writers = 4, Big = 600000, Record = 5 };

static int fds[2], nended;
static char out[Writers][Big], in[Writers * Big];
static char order[64];

typedef struct Call
{
	int i;
	int id;
	size_t n;
	ssize_t result;
	int err;
	int ended;
	size_t done;
} Call;

static void
ended(Call *c, ssize_t r, size_t done)
{
	c->result = r;
	c->err = errno;
	c->done = done;
	c->ended = ++nended;
}

static void
writeone(void *v)
{
	Call *c = v;
	ssize_t r = fdwrite(fds[0], out[c->i], c->n);

	ended(c, r, fdwritten());
}

static void
readone(void *v)
{
	Call *c = v;

	ended(c, fdreadn(fds[0], out[c->i], c->n), 0);
}

static void
readsome(void *v)
{
	Call *c = v;

	ended(c, fdread(fds[0], out[c->i], c->n), 0);
}

static void
start(Call *c, int i, void (*fn)(void *), size_t n)
{
	memset(out[i], 'a' + i, n);
	*c = (Call){.i = i, .n = n};
	c->id = taskcreate(fn, c, 0);
	ck_assert_int_gt(c->id, 0);
}

static void
startwriters(Call *c)
{
	pair(fds);
	for(int i = 0; i < Writers; i++)
		start(&c[i], i, writeone, Big);
	settle();
}

/* The peer reads all that comes. */
static size_t
takeall(void)
{
	size_t n = 0;
	ssize_t r;

	for(int idle = 0; idle < 3; settle()){
		idle++;
		while((r = read(fds[1], in + n, sizeof in - n)) > 0){
			n += (size_t)r;
			idle = 0;
		}
	}
	return n;
}

/* what comes, each letter once for a run of it. */
static const char *
runs(size_t n)
{
	size_t have = 0;

	for(size_t i = 0; i < n; i++)
		if((i == 0 || in[i] != in[i - 1]) && have < sizeof order - 1)
			order[have++] = in[i];
	order[have] = '\0';
	return order;
}

TASK_TEST(writers_come_one_after_the_other_in_the_order_of_arrival)
{
	Call c[Writers];

	startwriters(c);
	ck_assert_int_eq(nended, 0);
	ck_assert_uint_eq(takeall(), sizeof in);
	ck_assert_str_eq(runs(sizeof in), "abcd");
	for(int i = 0; i < Writers; i++){
		ck_assert_int_eq(c[i].result, Big);
		ck_assert_int_eq(c[i].ended, i + 1);
	}
}

TASK_TEST(so_they_do_on_a_pipe)
{
	Call c[Writers];
	int ends[2];

	nonblockpipe(ends);
	fds[0] = ends[1];
	fds[1] = ends[0];
	for(int i = 0; i < Writers; i++)
		start(&c[i], i, writeone, Big);
	settle();
	ck_assert_uint_eq(takeall(), sizeof in);
	ck_assert_str_eq(runs(sizeof in), "abcd");
}

/* One byte would find room while the first waits: it waits behind it. */
TASK_TEST(who_finds_room_does_not_push_in)
{
	Call c[2];
	size_t n;

	pair(fds);
	start(&c[0], 0, writeone, Big);
	settle();
	while((n = drain(fds[1])) == 0)
		settle();
	start(&c[1], 1, writeone, 1);
	for(n += takeall(); n < Big + 1; n += takeall())
		;
	ck_assert_int_eq(c[0].ended, 1);
	ck_assert_int_eq(c[1].ended, 2);
	ck_assert_str_eq(runs(1), "a");
}

TASK_TEST(one_that_is_cancelled_does_not_hold_up_the_rest)
{
	Call c[Writers];

	startwriters(c);
	taskcancel(c[0].id);	/* the one that writes */
	taskcancel(c[2].id);	/* and one that waits for its turn */
	settle();
	ck_assert_int_eq(c[0].result, -1);
	ck_assert_int_eq(c[0].err, ECANCELED);
	ck_assert_int_eq(c[2].result, -1);
	ck_assert_uint_eq(c[2].done, 0);
	ck_assert_uint_eq(takeall(), 2 * Big + c[0].done);
	ck_assert_str_eq(runs(2 * Big + c[0].done), "abd");
	ck_assert_int_eq(c[1].result, Big);
	ck_assert_int_eq(c[3].result, Big);
}

static void
writeforawhile(void *v)
{
	Timeout t;

	timeoutstart(&t, 1);
	writeone(v);
	timeoutstop(&t);
}

TASK_TEST(one_whose_time_is_up_does_not_hold_up_the_rest)
{
	Call c[2];

	pair(fds);
	start(&c[0], 0, writeforawhile, Big);
	start(&c[1], 1, writeone, Big);
	while(!c[0].ended)
		taskdelay(1);
	ck_assert_int_eq(c[0].err, ETIMEDOUT);
	ck_assert_uint_eq(takeall(), Big + c[0].done);
	ck_assert_str_eq(runs(Big + c[0].done), "ab");
}

TASK_TEST(a_close_ends_all_and_the_next_file_is_free)
{
	Call c[Writers];
	int next[2];

	startwriters(c);
	pair(next);
	fdclose(fds[0]);
	ck_assert_int_eq(dup2(next[0], fds[0]), fds[0]);
	ck_assert_int_eq(fdwrite(fds[0], "x", 1), 1);
	settle();
	for(int i = 0; i < Writers; i++){
		ck_assert_int_eq(c[i].result, -1);
		ck_assert_int_eq(c[i].err, EBADF);
	}
	ck_assert_uint_eq(drain(next[1]), 1);
}

TASK_TEST(a_peer_that_goes_ends_all)
{
	Call c[Writers];

	startwriters(c);
	ck_assert_int_eq(close(fds[1]), 0);
	settle();
	for(int i = 0; i < Writers; i++){
		ck_assert_int_eq(c[i].result, -1);
		ck_assert_int_ne(c[i].err, EBADF);
	}
}

TASK_TEST(readers_get_whole_records_in_the_order_of_arrival)
{
	Call c[3];
	const char *bytes = "11111222223333";

	pair(fds);
	for(int i = 0; i < 3; i++)
		start(&c[i], i, i < 2 ? readone : readsome, Record);
	settle();
	for(; *bytes; bytes++){
		ck_assert_int_eq(write(fds[1], bytes, 1), 1);
		settle();
	}
	ck_assert_int_eq(memcmp(out[0], "11111", Record), 0);
	ck_assert_int_eq(memcmp(out[1], "22222", Record), 0);
	ck_assert_int_eq(c[2].result, 1);
	ck_assert_int_eq(out[2][0], '3');
	ck_assert_int_eq(c[0].ended, 1);
	ck_assert_int_eq(c[1].ended, 2);
	ck_assert_uint_eq(drain(fds[0]), 3);
}

TASK_TEST(a_reader_that_is_cancelled_does_not_hold_up_the_rest)
{
	Call c[2];

	pair(fds);
	for(int i = 0; i < 2; i++)
		start(&c[i], i, readone, Record);
	settle();
	ck_assert_int_eq(write(fds[1], "1", 1), 1);
	settle();
	taskcancel(c[0].id);
	settle();
	ck_assert_int_eq(c[0].err, ECANCELED);
	ck_assert_int_eq(write(fds[1], "22222", Record), Record);
	settle();
	ck_assert_int_eq(c[1].result, Record);
	ck_assert_int_eq(memcmp(out[1], "22222", Record), 0);
}

TEST_MAIN("writers-mix",
	writers_come_one_after_the_other_in_the_order_of_arrival,
	so_they_do_on_a_pipe,
	who_finds_room_does_not_push_in,
	one_that_is_cancelled_does_not_hold_up_the_rest,
	one_whose_time_is_up_does_not_hold_up_the_rest,
	a_close_ends_all_and_the_next_file_is_free,
	a_peer_that_goes_ends_all,
	readers_get_whole_records_in_the_order_of_arrival,
	a_reader_that_is_cancelled_does_not_hold_up_the_rest)
