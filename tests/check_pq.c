/* SPDX-License-Identifier: MIT */
/* Connections of libpq that tasks wait for, with a real server. */
#include "server.h"
#include "fdtest.h"
#include "../addons/pq/taskpq.h"
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>

/* The server of all these tests, which main starts. */
static int port;	/* 0: there is none */
static pid_t postmaster;
static char dir[] = "/tmp/pqXXXXXX", bin[256], info[128];

/* Where a package has it is not in the PATH. */
static int
findbin(void)
{
	FILE *f = popen("for d in /usr/lib/postgresql/*/bin "
		"$(pg_config --bindir 2>/dev/null); do "
		"[ -x $d/initdb ] && [ -x $d/postgres ] && echo $d; done", "r");
	char line[200];
	int found = f && fgets(line, sizeof line, f);

	if(found)
		snprintf(bin, sizeof bin, "%s", strtok(line, "\n"));
	if(f)
		pclose(f);
	return found;
}

/* in a child: it does not run for root. */
static void
lookafter(void)
{
	struct passwd *p = getpwnam("postgres");

	p = p ? p : getpwnam("nobody");
	if(geteuid() == 0 && p && (setgroups(0, NULL) < 0 ||
			setgid(p->pw_gid) < 0 || setuid(p->pw_uid) < 0))
		_exit(126);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if(chdir(dir) < 0)
		_exit(126);
}

/* runs one of its programs; returns its process. */
static pid_t
runs(const char *name, char **argv)
{
	char path[300];
	pid_t pid = fork();

	if(pid == 0){
		int log = open("/dev/null", O_RDWR);
		dup2(log, 0);
		dup2(log, 1);
		dup2(log, 2);
		lookafter();
		snprintf(path, sizeof path, "%s/%s", bin, name);
		execv(path, argv);
		_exit(127);
	}
	return pid;
}

static int
makedata(void)
{
	int status;
	pid_t pid = runs("initdb", (char *[]){"initdb", "-N", "-A", "trust",
		"-E", "UTF8", "--locale=C", "-U", "test", "-D", "data", NULL});

	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void
startpostgres(void)
{
	char text[16];
	struct passwd *p = getpwnam("postgres");
	struct timespec nap = {0, 20000000};

	p = p ? p : getpwnam("nobody");
	if(!findbin() || mkdtemp(dir) == NULL || (geteuid() == 0 && (!p ||
			chown(dir, p->pw_uid, p->pw_gid) < 0)) || !makedata())
		return;
	port = freeport();
	snprintf(text, sizeof text, "%d", port);
	snprintf(info, sizeof info, "host=127.0.0.1 port=%d user=test "
		"dbname=postgres", port);
	postmaster = runs("postgres", (char *[]){"postgres", "-D", "data",
		"-h", "127.0.0.1", "-p", text, "-k", "", "-F", NULL});
	while(PQping(info) != PQPING_OK && waitpid(postmaster, NULL, WNOHANG)
			== 0)
		nanosleep(&nap, NULL);
}

static void
stoppostgres(void)
{
	char text[64];

	if(postmaster > 0){
		kill(postmaster, SIGINT);
		waitpid(postmaster, NULL, 0);
	}
	snprintf(text, sizeof text, "rm -rf %s", dir);
	if(system(text) != 0)
		perror(text);
}

#define SERVED_TEST(name) \
	TASK_TEST_BY(name, \
		if(port == 0) \
			TEST_SKIP("there is no postgresql that would run"); \
		run(body))

static PGconn *
connected(void)
{
	errno = EDOM;
	PGconn *c = pqconnect(info);

	ck_assert_ptr_nonnull(c);
	ck_assert_msg(PQstatus(c) == CONNECTION_OK, "%s", PQerrorMessage(c));
	ck_assert_int_eq(errno, EDOM);
	return c;
}

/* What a command gives, which is one value. */
static void
gives(PGconn *c, const char *command, const char *value)
{
	errno = EDOM;
	PGresult *r = pqexec(c, command);

	ck_assert_msg(r && PQresultStatus(r) == PGRES_TUPLES_OK, "%s: %s %s",
		command, strerror(errno), PQerrorMessage(c));
	ck_assert_int_eq(errno, EDOM);
	ck_assert_str_eq(PQgetvalue(r, 0, 0), value);
	PQclear(r);
}

static void
does(PGconn *c, const char *command)
{
	PGresult *r = pqexec(c, command);

	ck_assert_msg(r && PQresultStatus(r) == PGRES_COMMAND_OK, "%s: %s %s",
		command, strerror(errno), PQerrorMessage(c));
	PQclear(r);
}

#define FAILSNULL(call, err) \
	do{ \
		errno = 0; \
		ck_assert_ptr_null(call); \
		ck_assert_int_eq(errno, err); \
	}while(0)

SERVED_TEST(a_command_has_its_result)
{
	PGconn *c = connected();
	const char *values[] = {"it's", NULL};

	gives(c, "SELECT 1 + 1", "2");
	gives(c, "SELECT 1; SELECT 2", "2");
	PGresult *r = pqexecparams(c, "SELECT $1::text || 1, $2::text IS NULL",
		2, values);
	ck_assert_str_eq(PQgetvalue(r, 0, 0), "it's1");
	ck_assert_str_eq(PQgetvalue(r, 0, 1), "t");
	PQclear(r);
	r = pqexec(c, "SELECT nonsense");
	ck_assert_int_eq(PQresultStatus(r), PGRES_FATAL_ERROR);
	ck_assert_ptr_nonnull(strstr(PQresultErrorMessage(r), "nonsense"));
	PQclear(r);
	gives(c, "SELECT 3", "3");
	PQfinish(c);
}

SERVED_TEST(others_go_on_while_one_waits)
{
	PGconn *c = connected();

	taskcreate(beat, NULL, 0);
	taskdelay(1);
	nbeats = 0;
	gives(c, "SELECT 'x' || pg_sleep(0.2)", "x");
	ck_assert_int_gt(nbeats, 0);
	PQfinish(c);
}

SERVED_TEST(much_comes_and_goes)
{
	enum { Bytes = 3000000 };
	PGconn *c = connected();
	char *much = malloc(Bytes + 1);
	const char *values[] = {much};

	memset(much, 'x', Bytes);
	much[Bytes] = '\0';
	PGresult *r = pqexecparams(c, "SELECT $1::text || 'y'", 1, values);
	ck_assert_msg(PQresultStatus(r) == PGRES_TUPLES_OK, "%s",
		PQerrorMessage(c));
	ck_assert_int_eq(PQgetlength(r, 0, 0), Bytes + 1);
	PQclear(r);
	free(much);
	PQfinish(c);
}

/* Nothing is at work there for what another connection has begun. */
static void
idle(const char *what)
{
	PGconn *c = connected();
	char command[256];

	snprintf(command, sizeof command, "SELECT count(*) FROM "
		"pg_stat_activity WHERE state <> 'idle' AND query LIKE '%s%%'",
		what);
	gives(c, command, "0");
	PQfinish(c);
}

SERVED_TEST(a_deadline_cancels_the_command_and_no_other)
{
	PGconn *c = connected();
	Timeout t;

	for(int i = 0; i < 5; i++){
		TIMEOUT(&t, 20 * (unsigned int)i)
			FAILSNULL(pqexec(c, "SELECT pg_sleep(100)"), ETIMEDOUT);
		ck_assert(timeoutfired(&t));
		gives(c, "SELECT 'x' || pg_sleep(0.02)", "x");
	}
	idle("SELECT pg_sleep(100)");
	PQfinish(c);
}

static void
goeson(void *v)
{
	taskdelay(300);
	kill(*(int *)v, SIGCONT);
}

/* The server's process has not read the command when it is told to cancel. */
SERVED_TEST(a_cancel_that_comes_before_the_command_comes_again)
{
	PGconn *c = connected();
	int pid = PQbackendPID(c);
	Timeout t;

	kill(pid, SIGSTOP);
	taskcreate(goeson, &pid, 0);
	TIMEOUT(&t, 0)
		FAILSNULL(pqexec(c, "SELECT pg_sleep(100)"), ETIMEDOUT);
	gives(c, "SELECT 1", "1");
	idle("SELECT pg_sleep(100)");
	PQfinish(c);
}

static void
cancelothers(void *v)
{
	taskdelay(50);
	for(int id = 2; id < 50; id++)
		if(id != (int)taskid())
			taskcancel(id);
	goeson(v);
}

/* As taskshutdown may, in the midst of that. */
SERVED_TEST(who_asks_for_a_cancel_can_be_cancelled)
{
	PGconn *c = connected();
	int pid = PQbackendPID(c);
	Timeout t;

	kill(pid, SIGSTOP);
	taskcreate(cancelothers, &pid, 0);
	TIMEOUT(&t, 0)
		FAILSNULL(pqexec(c, "SELECT pg_sleep(100)"), ETIMEDOUT);
	PQfinish(c);
}

static PGconn *shared;

static void
sleepy(void *v)
{
	(void)v;
	FAILSNULL(pqexec(shared, "SELECT pg_sleep(100)"), ECANCELED);
	note('c');
}

SERVED_TEST(a_cancelled_task_leaves_a_connection_that_works)
{
	shared = connected();
	int id = taskcreate(sleepy, NULL, 0);

	taskdelay(10);
	FAILSNULL(pqexec(shared, "SELECT 1"), EBUSY);
	taskcancel(id);
	while(*trace == '\0')
		taskdelay(1);
	ck_assert_str_eq(trace, "c");
	gives(shared, "SELECT 1", "1");
	PQfinish(shared);
}

SERVED_TEST(results_are_taken_one_by_one_and_a_deadline_leaves_them)
{
	PGconn *c = connected();
	PGresult *r = NULL;
	Timeout t;
	int n = 0;

	ck_assert_int_eq(PQsendQuery(c, "SELECT 'a' || pg_sleep(0.3); "
		"SELECT 'b'"), 1);
	TIMEOUT(&t, 10)
		FAILSNULL(pqresult(c), ETIMEDOUT);
	for(char want[] = "a"; *want <= 'b'; ++*want){
		r = pqresult(c);
		ck_assert_str_eq(PQgetvalue(r, 0, 0), want);
		PQclear(r);
	}
	FAILSNULL(pqresult(c), ENODATA);
	PQsendQuery(c, "SELECT generate_series(1, 1000)");
	PQsetSingleRowMode(c);
	while((r = pqresult(c)) != NULL){
		n += PQntuples(r);
		PQclear(r);
	}
	ck_assert_int_eq(errno, ENODATA);
	ck_assert_int_eq(n, 1000);
	PQfinish(c);
}

SERVED_TEST(what_another_notifies_is_told)
{
	PGconn *c = connected(), *other = connected();
	Timeout t;

	does(c, "LISTEN news");
	TIMEOUT(&t, 10)
		FAILSNULL(pqnotify(c), ETIMEDOUT);
	does(other, "NOTIFY news, 'rain'");
	does(other, "NOTIFY news, 'snow'");
	PGnotify *n = pqnotify(c);
	ck_assert_str_eq(n->extra, "rain");
	PQfreemem(n);
	n = pqnotify(c);
	ck_assert_str_eq(n->extra, "snow");
	PQfreemem(n);
	PQfinish(c);
	PQfinish(other);
}

static void
terminate(void *v)
{
	char command[64];
	PGconn *c = connected();

	snprintf(command, sizeof command, "SELECT pg_terminate_backend(%d)",
		*(int *)v);
	gives(c, command, "t");
	PQfinish(c);
}

SERVED_TEST(a_connection_that_breaks_is_told)
{
	PGconn *c = connected();
	int pid = PQbackendPID(c);

	taskcreate(terminate, &pid, 0);
	PGresult *r = pqexec(c, "SELECT pg_sleep(100)");
	ck_assert_int_eq(PQresultStatus(r), PGRES_FATAL_ERROR);
	PQclear(r);
	ck_assert_int_eq(PQstatus(c), CONNECTION_BAD);
	FAILSNULL(pqexec(c, "SELECT 1"), ENOTCONN);
	FAILSNULL(pqnotify(c), ENOTCONN);
	FAILS(pqcancel(c), ENOTCONN);
	PQfinish(c);
}

/* What was begun for c ends, and frees what it has. */
static void
finished(PGconn *c)
{
	PQfinish(c);
	for(int id = 2; id < 50; id++)
		taskwait(id, NULL);
}

SERVED_TEST(a_server_that_stands_still_is_left)
{
	PGconn *c = connected();
	int pid = PQbackendPID(c);
	Timeout t;

	kill(pid, SIGSTOP);
	kill(postmaster, SIGSTOP);
	TIMEOUT(&t, 20)
		FAILSNULL(pqexec(c, "SELECT 1"), ETIMEDOUT);
	ck_assert_int_eq(PQstatus(c), CONNECTION_BAD);
	FAILSNULL(pqexec(c, "SELECT 1"), ENOTCONN);
	kill(postmaster, SIGCONT);
	kill(pid, SIGCONT);
	finished(c);
}

SERVED_TEST(what_is_to_be_copied_is_left_to_libpq)
{
	PGconn *c = connected();
	PGresult *r = pqexec(c, "COPY (SELECT 7) TO STDOUT");
	char *line;

	ck_assert_int_eq(PQresultStatus(r), PGRES_COPY_OUT);
	PQclear(r);
	ck_assert_int_eq(PQgetCopyData(c, &line, 0), 2);
	ck_assert_str_eq(line, "7\n");
	PQfreemem(line);
	ck_assert_int_eq(PQgetCopyData(c, &line, 0), -1);
	r = pqresult(c);
	ck_assert_int_eq(PQresultStatus(r), PGRES_COMMAND_OK);
	PQclear(r);
	FAILSNULL(pqresult(c), ENODATA);
	ck_assert_int_eq(pqcancel(c), 0);	/* of nothing */
	gives(c, "SELECT 1", "1");
	PQclear(pqexec(c, "COPY (SELECT 7) TO STDOUT"));
	FAILS(pqcancel(c), ENOTCONN);
	finished(c);
}

SERVED_TEST(what_cannot_be_connected_says_why)
{
	char text[256];
	Timeout t;

	PQfinish(connected());	/* the library has its descriptors */
	int before = openfds();
	snprintf(text, sizeof text, "host=127.0.0.1 port=%d", freeport());
	PGconn *c = pqconnect(text);
	ck_assert_int_eq(PQstatus(c), CONNECTION_BAD);
	ck_assert_ptr_nonnull(strstr(PQerrorMessage(c), "refused"));
	PQfinish(c);
	c = pqconnect("nonsense");
	ck_assert_int_eq(PQstatus(c), CONNECTION_BAD);
	PQfinish(c);
	snprintf(text, sizeof text, "%s dbname=none", info);
	c = pqconnect(text);
	ck_assert_int_eq(PQstatus(c), CONNECTION_BAD);
	ck_assert_ptr_nonnull(strstr(PQerrorMessage(c), "none"));
	PQfinish(c);
	int silent = netannounce(TCP, "127.0.0.1", 0);
	snprintf(text, sizeof text, "host=127.0.0.1 port=%d", portof(silent));
	TIMEOUT(&t, 50)
		FAILSNULL(pqconnect(text), ETIMEDOUT);
	fdclose(silent);
	ck_assert_int_eq(openfds(), before);
}

static Channel *pool;

static void
works(void *v)
{
	PGconn *c = chanrecvp(pool);

	gives(c, "SELECT 'x' || pg_sleep(0.001)", "x");
	chansendp(pool, c);
	++*(int *)v;
}

SERVED_TEST(many_tasks_share_a_few_connections)
{
	enum { Tasks = 100, Connections = 5 };
	Group g = {.limit = 0};
	int n = 0;

	pool = chancreate(sizeof(PGconn *), Connections);
	for(int i = 0; i < Connections; i++)
		chansendp(pool, connected());
	for(int i = 0; i < Tasks; i++)
		groupspawn(&g, works, &n, 0);
	ck_assert_int_eq(groupwait(&g), 0);
	ck_assert_int_eq(n, Tasks);
	for(int i = 0; i < Connections; i++)
		PQfinish(chanrecvp(pool));
	chanfree(pool);
}

START_TEST(without_a_scheduler_they_fail_with_EPERM)
{
	FAILSNULL(pqconnect("host=127.0.0.1"), EPERM);
	if(port == 0)
		TEST_SKIP("there is no postgresql that would run");
	PGconn *c = PQconnectdb(info);
	FAILSNULL(pqexec(c, "SELECT 1"), EPERM);
	FAILS(pqcancel(c), EPERM);
	FAILSNULL(pqnotify(c), EPERM);
	PGresult *r = PQexec(c, "SELECT 1");
	ck_assert_int_eq(PQresultStatus(r), PGRES_TUPLES_OK);
	PQclear(r);
	PQfinish(c);
}
END_TEST

int
main(void)
{
	const TTest *const tests[] = {a_command_has_its_result,
		others_go_on_while_one_waits, much_comes_and_goes,
		a_deadline_cancels_the_command_and_no_other,
		a_cancel_that_comes_before_the_command_comes_again,
		who_asks_for_a_cancel_can_be_cancelled,
		a_cancelled_task_leaves_a_connection_that_works,
		results_are_taken_one_by_one_and_a_deadline_leaves_them,
		what_another_notifies_is_told,
		a_connection_that_breaks_is_told,
		a_server_that_stands_still_is_left,
		what_is_to_be_copied_is_left_to_libpq,
		what_cannot_be_connected_says_why,
		many_tasks_share_a_few_connections,
		without_a_scheduler_they_fail_with_EPERM};

	startpostgres();
	int r = test_main("pq", tests, sizeof tests / sizeof tests[0]);
	stoppostgres();
	return r;
}
