/* SPDX-License-Identifier: MIT */
/* The examples api, sse and crond, asked rightly and wrongly, and stopped. */
#include "program.h"

enum { AnswerMost = 1 << 16, Deep = 20000, NotesMost = 1000 };

static char answer[AnswerMost];
static Program served;

/* Whether the example was built. */
static int
built(const char *name)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/%s", bin, name);
	return access(path, X_OK) == 0;
}

/* starts a test of one. */
#define SERVE(name) \
	do{ \
		if(!built(name)) \
			TEST_SKIP("without a library it is not built"); \
		served = serve(name, ARGS("0", "50")); \
	}while(0)

static void
stopserver(void)
{
	ck_assert_int_eq(kill(served.pid, SIGTERM), 0);
	ck_assert_int_eq(finish(&served), 0);
}

static size_t
head(char *to, size_t n, const char *what, size_t length, const char *more)
{
	return (size_t)snprintf(to, n, "%s HTTP/1.1\r\nHost: h\r\n"
		"Content-Length: %zu\r\nContent-Type: application/json\r\n"
		"%s\r\n", what, length, more);
}

/* A connection that has asked that, and wants it to be the last. */
static int
asking(const char *what, const char *body)
{
	char text[512];
	int fd = dial(served.port);

	put(fd, text, head(text, sizeof text, what, strlen(body),
		"Connection: close\r\n"));
	put(fd, body, strlen(body));
	return fd;
}

#define HAS(text) ck_assert_msg(strstr(answer, text) != NULL, \
	"no \"%s\" in: %s", text, answer)

/* asks, and looks for a status and a text in the answer. */
static void
ask(const char *what, const char *body, int status, const char *text)
{
	char line[32];
	int fd = asking(what, body);

	slurp(fd, answer, sizeof answer, NULL);
	close(fd);
	snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
	ck_assert_msg(strncmp(answer, line, strlen(line)) == 0,
		"to %s: no %d, but: %s", what, status, answer);
	HAS(text);
}

START_TEST(notes_are_made_shown_changed_and_deleted)
{
	SERVE("api");
	ask("GET /notes", "", 200, "\r\n\r\n[]");
	ask("POST /notes", "{\"text\": \"milk\"}", 201,
		"{\"id\":1,\"text\":\"milk\"}");
	HAS("Location: /notes/1\r\n");
	HAS("Content-Type: application/json\r\n");
	ask("POST /notes", "{\"text\": \"\\u00fc\\\"\\n\"}", 201,
		"{\"id\":2,\"text\":\"\xc3\xbc\\\"\\n\"}");
	ask("PUT /notes/1", "{\"text\": \"bread\", \"id\": 7}", 200,
		"{\"id\":1,\"text\":\"bread\"}");
	ask("GET /notes/1", "", 200, "{\"id\":1,\"text\":\"bread\"}");
	ask("GET /notes", "", 200, "[{\"id\":1,\"text\":\"bread\"},"
		"{\"id\":2,\"text\":\"\xc3\xbc\\\"\\n\"}]");
	ask("DELETE /notes/1", "", 204, "");
	ask("DELETE /notes/1", "", 404, "{\"error\":");
	ask("PUT /notes/1", "{\"text\": \"\"}", 404, "{\"error\":");
	ask("POST /notes", "{\"text\": \"\"}", 201, "{\"id\":3,\"text\":\"\"}");
	stopserver();
}
END_TEST

START_TEST(errors_are_JSON_and_change_nothing)
{
	static const struct {
		const char *what, *body;
		int status;
		const char *text;
	} wrong[] = {
		{"GET /", "", 404, "{\"error\":"},
		{"GET /notes/", "", 404, "{\"error\":"},
		{"GET /notes/01", "", 404, "{\"error\":"},
		{"GET /notes/-1", "", 404, "{\"error\":"},
		{"GET /notes/%31", "", 404, "{\"error\":"},
		{"GET /notes/1/2", "", 404, "{\"error\":"},
		{"PUT /notes", "", 405, "Allow: GET, HEAD, POST\r\n"},
		{"POST /notes/1", "", 405, "{\"error\":"},
		{"POST /notes", "", 400, "{\"error\":"},
		{"POST /notes", "{\"text\": \"a\"", 400, "{\"error\":"},
		{"POST /notes", "{\"text\": \"a\"} b", 400, "{\"error\":"},
		{"POST /notes", "[\"text\"]", 400, "{\"error\":"},
		{"POST /notes", "{\"text\": 1}", 400, "{\"error\":"},
		{"POST /notes", "{\"text\": null}", 400, "{\"error\":"},
		{"POST /notes", "{\"test\": \"a\"}", 400, "{\"error\":"},
		{"POST /notes", "{\"text\": \"a\", \"text\": \"b\"}", 400,
			"{\"error\":"},
		{"POST /notes", "{\"text\": \"\xff\"}", 400, "{\"error\":"},
		/* jansson cuts what it says of this within a character */
		{"POST /notes", "[\"\xe2\x82\xac\\\xe2\x82\xac\"", 400,
			"{\"error\":"},
		{"POST /notes", "{\"text\": \"\\u0000\"}", 400, "{\"error\":"},
	};

	SERVE("api");
	for(size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ask(wrong[i].what, wrong[i].body, wrong[i].status,
			wrong[i].text);
	ask("GET /notes", "", 200, "\r\n\r\n[]");
	int fd = dial(served.port);
	static const char plain[] = "POST /notes HTTP/1.1\r\nHost: h\r\n"
		"Connection: close\r\nContent-Length: 2\r\n\r\n{}";
	put(fd, plain, strlen(plain));
	slurp(fd, answer, sizeof answer, NULL);
	close(fd);
	HAS("HTTP/1.1 415 ");
	HAS("{\"error\":");
	stopserver();
}
END_TEST

/* A body of n times this. */
static char *
many(const char *piece, size_t n)
{
	size_t len = strlen(piece);
	char *text = malloc(n * len + 1);

	ck_assert_ptr_nonnull(text);
	for(size_t i = 0; i < n; i++)
		memcpy(text + i * len, piece, len);
	text[n * len] = '\0';
	return text;
}

/* A stack that JSON could fill would end the server for all. */
START_TEST(JSON_may_be_neither_deep_nor_long)
{
	static const struct {
		const char *piece;
		size_t n;
		int status;
	} large[] = {
		{"[", Deep, 400},
		{"{\"text\":", 2040, 400},
		{"{\"text\":", 2 * 2048, 400},
		{"a", 40000, 413},
	};

	SERVE("api");
	for(size_t i = 0; i < sizeof large / sizeof large[0]; i++){
		char *text = many(large[i].piece, large[i].n);
		ask("POST /notes", text, large[i].status, "{\"error\":");
		free(text);
	}
	char *long1 = many("a", 5000), body[6000];
	snprintf(body, sizeof body, "{\"text\": \"%s\"}", long1);
	free(long1);
	ask("PUT /notes/1", body, 400, "too long");
	ask("GET /notes", "", 200, "\r\n\r\n[]");
	stopserver();
}
END_TEST

/* They are asked for in one connection, some at a time. */
START_TEST(there_are_so_many_notes_and_no_more)
{
	if(TestFewer > 1)
		TEST_SKIP("TSan makes the example too slow for that");
	static const char body[] = "{\"text\": \"\"}";
	enum { Batch = 50 };
	char text[512];
	size_t n = head(text, sizeof text, "POST /notes", strlen(body), "");

	SERVE("api");
	memcpy(text + n, body, sizeof body);
	char *batch = many(text, Batch);
	int fd = dial(served.port);
	for(int i = Batch; i <= NotesMost; i += Batch){
		char want[64];
		put(fd, batch, strlen(batch));
		snprintf(want, sizeof want, "{\"id\":%d,\"text\":\"\"}", i);
		slurp(fd, answer, sizeof answer, want);
		HAS(want);
	}
	free(batch);
	close(fd);
	ask("POST /notes", body, 507, "{\"error\":");
	ask("DELETE /notes/500", "", 204, "");
	ask("POST /notes", body, 201, "{\"id\":1001,");
	stopserver();
}
END_TEST

/* Until nobody can connect any more. */
static void
awaitclosed(int port)
{
	struct sockaddr_in addr = local(port);
	int fd, r;

	do{
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		r = connect(fd, (void *)&addr, sizeof addr);
		close(fd);
		usleep(1000);
	}while(r == 0);
}

START_TEST(what_has_begun_is_answered_after_SIGTERM)
{
	if(TestFewer > 1)
		TEST_SKIP("TSan makes the example too slow for that");
	char text[512];

	SERVE("api");
	int fd = dial(served.port);
	put(fd, text, head(text, sizeof text, "POST /notes", 15,
		"Expect: 100-continue\r\n"));
	slurp(fd, answer, sizeof answer, "100 Continue\r\n\r\n");
	ck_assert_int_eq(kill(served.pid, SIGTERM), 0);
	awaitclosed(served.port);
	put(fd, "{\"text\": \"end\"}", 15);
	slurp(fd, answer, sizeof answer, NULL);
	close(fd);
	HAS("HTTP/1.1 201 ");
	HAS("{\"id\":1,\"text\":\"end\"}");
	slurp(served.out, answer, sizeof answer, NULL);
	ck_assert_str_eq(answer, "stopped, 0 cut off\n");
	ck_assert_int_eq(finish(&served), 0);
}
END_TEST

START_TEST(all_who_watch_are_told_of_the_clock_and_the_counter)
{
	int fd[3];

	SERVE("sse");
	for(int i = 0; i < 3; i++){
		fd[i] = asking("GET /events", "");
		slurp(fd[i], answer, sizeof answer,
			"event: count\ndata: 0\n\n");
		HAS("HTTP/1.1 200 ");
		HAS("Content-Type: text/event-stream\r\n");
		HAS("event: clock\ndata: ");
	}
	ask("GET /watchers", "", 200, "\r\n\r\n3\n");
	ask("POST /count", "", 204, "");
	for(int i = 0; i < 3; i++){
		slurp(fd[i], answer, sizeof answer,
			"event: count\ndata: 1\n\n");
		HAS("event: count\ndata: 1\n\n");
		close(fd[i]);
	}
	stopserver();
}
END_TEST

START_TEST(who_has_hung_up_is_forgotten)
{
	SERVE("sse");
	int stays = asking("GET /events", ""), goes = asking("GET /events", "");
	slurp(stays, answer, sizeof answer, "data: 0");
	slurp(goes, answer, sizeof answer, "data: 0");
	close(goes);
	do{
		usleep(10000);
		ask("GET /watchers", "", 200, "\r\n\r\n");
	}while(strstr(answer, "\r\n\r\n1\n") == NULL);
	ask("POST /count", "", 204, "");
	slurp(stays, answer, sizeof answer, "data: 1\n");
	HAS("data: 1\n");
	close(stays);
	stopserver();
}
END_TEST

START_TEST(at_SIGTERM_events_end_as_an_answer_does)
{
	SERVE("sse");
	int fd = asking("GET /events", "");
	slurp(fd, answer, sizeof answer, "data: 0");
	ck_assert_int_eq(kill(served.pid, SIGTERM), 0);
	size_t n = slurp(fd, answer, sizeof answer, NULL);
	ck_assert_uint_ge(n, 5);
	ck_assert_str_eq(answer + n - 5, "0\r\n\r\n");
	close(fd);
	ck_assert_int_eq(finish(&served), 0);
}
END_TEST

START_TEST(the_page_of_events_is_there)
{
	SERVE("sse");
	ask("GET /", "", 200, "new EventSource('events')");
	ask("GET /count", "", 405, "Allow: POST");
	stopserver();
}
END_TEST

static char crontab[] = "/tmp/crontabXXXXXX";

static void
writecrontab(const char *text)
{
	int fd = mkstemp(crontab);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
}

static void
within(const char *buf, const char *text)
{
	ck_assert_msg(strstr(buf, text) != NULL, "no \"%s\" in: %s", text,
		buf);
}

START_TEST(crond_says_what_runs_and_how_it_has_ended)
{
	char buf[4096];

	if(!built("crond"))
		TEST_SKIP("without a library it is not built");
	writecrontab("# nothing\n\n@daily echo from the first\n"
		"*/5 9-17 * jan-dec mon-fri \t exit 3\n"
		"  0 3 29 2 * kill -9 $$\n");
	ck_assert_int_eq(output(buf, sizeof buf, "crond",
		ARGS(crontab, "try")), 0);
	unlink(crontab);
	within(buf, "line 3 is next due at 2");
	within(buf, "-02-29 03:00:00: kill -9 $$\nall are started\n");
	within(buf, " line 3 begins: echo from the first\n");
	within(buf, "from the first\n");
	within(buf, " line 3 ended with status 0: echo from the first\n");
	within(buf, " line 4 ended with status 3: exit 3\n");
	within(buf, " line 5 ended by signal 9: kill -9 $$\n");
	within(buf, "\nall has ended\n");
}
END_TEST

START_TEST(crond_refuses_a_table_with_a_wrong_line)
{
	static const char *const bad[][2] = {
		{"@daily true\n60 * * * * true\n", ":2: 60 * * * *: Invalid"},
		{"0 0 31 2 * true\n", ":1: 0 0 31 2 *: there is no such day"},
		{"* * * * true\n", ":1: * * * * true: Invalid argument\n"},
		{"* * * * *", ":1: * * * * *: no command\n"}};
	char buf[4096];

	if(!built("crond"))
		TEST_SKIP("without a library it is not built");
	for(size_t i = 0; i < sizeof bad / sizeof bad[0]; i++){
		strcpy(crontab + strlen(crontab) - 6, "XXXXXX");
		writecrontab(bad[i][0]);
		ck_assert_int_eq(output(buf, sizeof buf, "crond",
			ARGS(crontab)), 1);
		unlink(crontab);
		within(buf, bad[i][1]);
	}
}
END_TEST

START_TEST(crond_ends_with_a_signal)
{
	char buf[4096];

	if(!built("crond"))
		TEST_SKIP("without a library it is not built");
	writecrontab("@yearly echo too early\n* * * * * true\n");
	Program p = start("crond", ARGS(crontab));
	slurp(p.out, buf, sizeof buf, "all are started\n");
	kill(p.pid, SIGTERM);
	slurp(p.out, buf, sizeof buf, NULL);
	unlink(crontab);
	within(buf, "all has ended\n");
	ck_assert_ptr_null(strstr(buf, "too early"));
	ck_assert_int_eq(finish(&p), 0);
}
END_TEST

/* Lists are all that a GET gets, and who asks for what is not there. */
START_TEST(S1_19_commands_are_listed_and_run_by_the_web)
{
	char buf[4096], port[32];

	if(!built("crond"))
		TEST_SKIP("without a library it is not built");
	strcpy(crontab + strlen(crontab) - 6, "XXXXXX");
	writecrontab("@yearly echo it runs\n0 22 * * * exit 3\n");
	served = start("crond", ARGS(crontab, "0"));
	slurp(served.out, buf, sizeof buf, "listening on 127.0.0.1, port ");
	slurp(served.out, port, sizeof port, "\n");
	served.port = atoi(port);
	ask("GET /cron", "", 200, "line 2, next at 2");
	HAS(" 22:00:00: exit 3\n");
	ask("GET /cron?action=1", "", 200, "-01-01 00:00:00: echo it runs\n");
	ask("POST /cron?action=3", "", 200, "line 1, next at ");
	ask("POST /cron", "", 200, "line 1, next at ");
	ask("POST /cron?action=2", "", 200, "line 2, ");
	slurp(served.out, buf, sizeof buf, " ended with status 3: exit 3\n");
	ck_assert_ptr_null(strstr(buf, "it runs"));
	ask("POST /cron?action=1", "", 200, "line 1, ");
	slurp(served.out, buf, sizeof buf, " ended with status 0: ");
	within(buf, "\nit runs\n");
	kill(served.pid, SIGTERM);
	slurp(served.out, buf, sizeof buf, NULL);
	within(buf, "all has ended\n");
	unlink(crontab);
	ck_assert_int_eq(finish(&served), 0);
}
END_TEST

PROGRAM_MAIN("web examples",
	notes_are_made_shown_changed_and_deleted,
	errors_are_JSON_and_change_nothing,
	JSON_may_be_neither_deep_nor_long,
	there_are_so_many_notes_and_no_more,
	what_has_begun_is_answered_after_SIGTERM,
	all_who_watch_are_told_of_the_clock_and_the_counter,
	who_has_hung_up_is_forgotten,
	at_SIGTERM_events_end_as_an_answer_does,
	the_page_of_events_is_there,
	crond_says_what_runs_and_how_it_has_ended,
	crond_refuses_a_table_with_a_wrong_line, crond_ends_with_a_signal,
	S1_19_commands_are_listed_and_run_by_the_web)
