/* SPDX-License-Identifier: MIT */
/*
 * A program of tasks whose output nobody reads any more, prog | head, went on
 * for ever: SIGPIPE did nothing, and printf failed unnoticed.  Now the handler
 * asks whether the standard output or error is a pipe without a reader, and if
 * so the program dies of SIGPIPE, as it would without the library.  All other
 * pipes, and sockets, give EPIPE as before.
 */
#include "../fdtest.h"

/* How a child ends whose standard output (1) or error (2) nobody reads. */
static int output;
static void (*first)(void *);

static void
unreadoutput(void)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	signal(SIGPIPE, SIG_DFL);
	ck_assert_int_eq(dup2(fds[1], output), output);
	close(fds[0]);
	close(fds[1]);
	taskrun(first, NULL);
	_exit(0);
}

static int
outcome(void (*fn)(void *), int fd)
{
	char err[4096];

	output = fd;
	first = fn;
	int status = child(unreadoutput, err, sizeof err);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void
print(void *v)
{
	FILE *f = output == 1 ? stdout : stderr;

	(void)v;
	for(int i = 0; i < 10; i++){
		fprintf(f, "%d\n", i);
		fflush(f);
		taskdelay(0);
	}
}

static void
writefd(void *v)
{
	(void)v;
	fdnoblock(output);
	for(int i = 0; i < 10; i++)
		fdwrite(output, "x\n", 2);
}

START_TEST(printing_to_it_ends_the_program)
{
	ck_assert_int_eq(outcome(print, 1), -SIGPIPE);
	ck_assert_int_eq(outcome(print, 2), -SIGPIPE);
}
END_TEST

START_TEST(fdwrite_does_too)
{
	ck_assert_int_eq(outcome(writefd, 1), -SIGPIPE);
	ck_assert_int_eq(outcome(writefd, 2), -SIGPIPE);
}
END_TEST

static void
ignoreandprint(void *v)
{
	signal(SIGPIPE, SIG_IGN);
	print(v);
}

static void
onpipe(int sig)
{
	_exit(sig);
}

static void
handleandprint(void *v)
{
	signal(SIGPIPE, onpipe);
	print(v);
}

START_TEST(what_the_program_has_arranged_stays)
{
	ck_assert_int_eq(outcome(ignoreandprint, 1), 0);
	ck_assert_int_eq(outcome(handleandprint, 1), SIGPIPE);
}
END_TEST

/* Another pipe gives EPIPE while the outputs are pipes that are read. */
static void
writeother(void *v)
{
	int fds[2], out[2];

	(void)v;
	ck_assert_int_eq(pipe(out), 0);
	dup2(out[1], 1);
	dup2(out[1], 2);
	nonblockpipe(fds);
	fdclose(fds[0]);
	FAILS(fdwrite(fds[1], "x", 1), EPIPE);
	FAILS((int)write(fds[1], "x", 1), EPIPE);
}

START_TEST(another_pipe_gives_EPIPE)
{
	ck_assert_int_eq(outcome(writeother, 1), 0);
}
END_TEST

/* Which descriptor was written to the handler cannot tell. */
static void
writebroken(void *v)
{
	int fds[2];

	(void)v;
	nonblockpipe(fds);
	fdclose(fds[0]);
	fdwrite(fds[1], "x", 1);
}

START_TEST(with_such_an_output_another_broken_pipe_ends_it_as_well)
{
	ck_assert_int_eq(outcome(writebroken, 1), -SIGPIPE);
}
END_TEST

/* The end for reading of a pipe that nobody writes is no broken output. */
static void
writewithreadend(void *v)
{
	int fds[2], in[2];

	(void)v;
	ck_assert_int_eq(pipe(in), 0);
	dup2(in[0], 1);
	close(in[0]);
	close(in[1]);
	nonblockpipe(fds);
	fdclose(fds[0]);
	FAILS(fdwrite(fds[1], "x", 1), EPIPE);
}

START_TEST(an_end_for_reading_is_no_output)
{
	ck_assert_int_eq(outcome(writewithreadend, 1), 0);
}
END_TEST

/* A server that inetd started: its output is the client. */
static void
writesocket(void *v)
{
	int fds[2];

	(void)v;
	pair(fds);
	dup2(fds[1], 1);
	fdclose(fds[0]);
	fdclose(fds[1]);
	fdnoblock(1);
	FAILS(fdwrite(1, "x", 1), EPIPE);
	FAILS((int)write(1, "x", 1), EPIPE);
}

START_TEST(an_output_that_is_a_socket_gives_EPIPE)
{
	ck_assert_int_eq(outcome(writesocket, 1), 0);
}
END_TEST

TEST_MAIN("output-nobody-reads",
	printing_to_it_ends_the_program,
	fdwrite_does_too,
	what_the_program_has_arranged_stays,
	another_pipe_gives_EPIPE,
	with_such_an_output_another_broken_pipe_ends_it_as_well,
	an_end_for_reading_is_no_output,
	an_output_that_is_a_socket_gives_EPIPE)
