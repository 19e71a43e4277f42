/* SPDX-License-Identifier: MIT */
/* The chat of the examples: who says what to whom, and who is dropped. */
#include <dirent.h>
#include <inttypes.h>
#include "fdtest.h"
#include "program.h"
#include "../addons/ws/taskws.h"

enum { AnswerMost = 1 << 20, Pollers = 1000 };

static Program chat;
static char answer[AnswerMost];

static void
startchat(char *patience)
{
	chat = serve("chat", ARGS("0", "examples", patience));
}

static void
stopchat(void)
{
	kill(chat.pid, SIGTERM);
	ck_assert_int_eq(finish(&chat), 0);
}

/* What is answered, until the server closes, is in answer. */
static void
hear(int fd)
{
	slurp(fd, answer, sizeof answer, NULL);
	close(fd);
}

static int
ask(const char *method, const char *path, const char *body, size_t n)
{
	char head[512];
	int fd = dial(chat.port);

	put(fd, head, (size_t)snprintf(head, sizeof head, "%s %s HTTP/1.1\r\n"
		"Host: h\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
		method, path, n));
	put(fd, body, n);
	return fd;
}

#define STATUS(n) ck_assert_msg(strncmp(answer, "HTTP/1.1 " #n " ", 13) == 0, \
	"not " #n ": %.200s", answer)
#define HAS(text) ck_assert_msg(strstr(answer, text) != NULL, \
	"no \"%s\" in: %.2000s", text, answer)

/* The number behind a key in answer. */
static uint64_t
number(const char *key)
{
	const char *v = strstr(answer, key);

	ck_assert_msg(v != NULL, "no %s in: %.2000s", key, answer);
	return strtoull(v + strlen(key), NULL, 10);
}

/* says something in a room, without WebSocket; returns its number. */
static uint64_t
post(const char *room, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof path, "/rooms/%s/messages?name=%s", room, name);
	hear(ask("POST", path, text, strlen(text)));
	STATUS(201);
	return number("{\"n\":");
}

static int
startpoll(const char *room, uint64_t since)
{
	char path[256];

	snprintf(path, sizeof path, "/rooms/%s/messages?since=%" PRIu64, room,
		since);
	return ask("GET", path, "", 0);
}

/* An answer has these messages, and no others. */
static void
hasmessages(uint64_t first, uint64_t last)
{
	char text[64], *v = answer;

	STATUS(200);
	ck_assert_uint_eq(number("{\"last\":"), last);
	ck_assert_int_eq(occurs(answer, "{\"n\":"), (int)(last + 1 - first));
	for(uint64_t n = first; n <= last; n++){
		snprintf(text, sizeof text, "{\"n\":%" PRIu64 ",", n);
		v = strstr(v, text);
		ck_assert_msg(v != NULL, "no %s in its place", text);
	}
}

static Ws *
enter(const char *room, const char *name, uint64_t since)
{
	char url[256];

	snprintf(url, sizeof url, "ws://127.0.0.1:%d/rooms/%s?name=%s&since=%"
		PRIu64, chat.port, room, name, since);
	Ws *w = wsdial(url, NULL);
	ck_assert_msg(w != NULL, "%s", strerror(errno));
	return w;
}

/* reads messages until one has this text, and returns how many came before. */
static int
await(Ws *w, const char *text)
{
	Wsmessage m;

	for(int n = 0;; n++){
		ck_assert_int_eq(wsread(w, &m), 1);
		if(strstr(m.v, text))
			return n;
	}
}

TASK_TEST(what_one_says_all_in_the_room_hear)
{
	startchat("5000");
	Ws *ann = enter("tea", "ann", 0), *bob, *eve;
	ck_assert_int_eq(await(ann, "\"from\":\"\",\"text\":\"ann is here\""),
		0);
	bob = enter("tea", "b%C3%B6b", 0);
	eve = enter("coffee", "eve", 0);
	ck_assert_int_eq(await(bob, "böb is here"), 1);
	wsprint(ann, "a \"quote\",\na \\ and a \t");
	await(bob, "\"from\":\"ann\"");
	wsprint(bob, "grüße 😀");
	wsprint(eve, "nobody hears me");
	ck_assert_int_eq(await(ann, "\"from\":\"ann\",\"text\":"
		"\"a \\\"quote\\\",\\na \\\\ and a  \"}"), 1);
	await(ann, "\"from\":\"böb\",\"text\":\"grüße 😀\"}");
	await(eve, "nobody hears me");
	post("tea", "dan", "without a socket");
	ck_assert_int_eq(await(ann, "\"from\":\"dan\""), 0);
	wsclose(bob, 1000, NULL);
	ck_assert_int_eq(await(ann, "böb has left"), 0);
	wsclose(ann, 1000, NULL);
	wsclose(eve, 1000, NULL);
	stopchat();
}

/* reads one message, which is this text. */
static void
next(Ws *w, const char *text)
{
	Wsmessage m;

	ck_assert_int_eq(wsread(w, &m), 1);
	ck_assert_msg(strstr(m.v, text) != NULL, "no \"%s\" in: %s", text, m.v);
}

TASK_TEST(a_token_comes_back_with_what_was_said)
{
	startchat("5000");
	Ws *ann = enter("tea", "ann&tokens=1", 0);
	Ws *bob = enter("tea", "bob", 0);
	await(ann, "bob is here\"}");
	wsprint(ann, "007 0 hello");
	next(ann, ",\"token\":7,\"from\":\"ann\",\"text\":\"0 hello\"}");
	await(bob, ",\"token\":7,\"from\":\"ann\",\"text\":\"0 hello\"}");
	wsprint(bob, "1 hello");
	next(ann, ",\"from\":\"bob\",\"text\":\"1 hello\"}");
	wsprint(ann, "999999999999999  ");
	next(ann, ",\"token\":999999999999999,\"from\":\"ann\","
		"\"text\":\" \"}");
	post("tea", "dan&token=0", "2 hello");
	next(ann, ",\"token\":0,\"from\":\"dan\",\"text\":\"2 hello\"}");
	wsclose(bob, 1000, NULL);
	wsclose(ann, 1000, NULL);
	stopchat();
}

TASK_TEST(a_text_of_nothing_is_answered)
{
	startchat("5000");
	Ws *ann = enter("tea", "ann&tokens=1", 0);
	await(ann, "ann is here");
	for(int i = 0; i < 3; i++){
		wswrite(ann, WSTEXT, "", 0);
		next(ann, "{}");
	}
	for(int i = 0; i < 1000; i++)
		wswrite(ann, WSTEXT, "", 0);
	wsprint(ann, "1 hello");
	ck_assert_int_le(await(ann, "hello"), 1000);
	wsclose(ann, 1000, NULL);
	stopchat();
}

TASK_TEST(who_comes_back_gets_exactly_what_was_missed)
{
	char text[32];
	uint64_t first = 0;

	startchat("5000");
	for(int i = 0; i < 20; i++){
		snprintf(text, sizeof text, "message %d", i);
		uint64_t n = post("tea", "ann", text);
		first = i == 0 ? n : first;
	}
	Ws *bob = enter("tea", "bob", first + 14);
	for(int i = 15; i < 20; i++){
		snprintf(text, sizeof text, "message %d\"", i);
		ck_assert_int_eq(await(bob, text), 0);
	}
	ck_assert_int_eq(await(bob, "bob is here"), 0);
	wsclose(bob, 1000, NULL);
	stopchat();
}

TASK_TEST(S3_6_a_slow_poller_gets_exactly_what_it_missed)
{
	if(TestFewer > 1)
		TEST_SKIP("TSan makes the example too slow for that");
	uint64_t first = 0, last = 0;

	startchat("5000");
	for(int i = 0; i < 250; i++){
		last = post("tea", "ann", "hello");
		first = i == 0 ? last : first;
	}
	ck_assert_uint_eq(last - first, 249);
	hear(startpoll("tea", last - 1));
	hasmessages(last, last);
	hear(startpoll("tea", last - 77));
	hasmessages(last - 76, last);
	/* of what is too long ago there is as much as the room keeps */
	hear(startpoll("tea", first));
	hasmessages(last - 199, last);
	hear(startpoll("tea", 0));
	hasmessages(last - 199, last);
	/* and who has never been here knows nothing */
	hear(startpoll("tea", UINT64_MAX));
	hasmessages(last - 199, last);
	int fd = startpoll("tea", last);
	ck_assert_uint_eq(post("tea", "bob", "news"), last + 1);
	hear(fd);
	hasmessages(last + 1, last + 1);
	HAS("\"from\":\"bob\",\"text\":\"news\"");
	stopchat();
}

TASK_TEST(S3_3_one_message_answers_a_thousand_pollers)
{
	static int fds[Pollers];
	int n = fewer(Pollers);

	if(!roomfor(Pollers + 64))
		TEST_SKIP("too few descriptors");
	startchat("5000");
	uint64_t last = post("tea", "ann", "first");
	for(int i = 0; i < n; i++)
		fds[i] = startpoll("tea", last);
	/* the last that is asked may not be waiting yet: that is the same */
	ck_assert_uint_eq(post("tea", "ann", "second"), last + 1);
	for(int i = 0; i < n; i++){
		hear(fds[i]);
		hasmessages(last + 1, last + 1);
	}
	stopchat();
}

/* How many sockets the server has. */
static int
sockets(void)
{
	char path[64], what[8];
	int n = 0;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)chat.pid);
	DIR *d = opendir(path);
	ck_assert_ptr_nonnull(d);
	for(struct dirent *e; (e = readdir(d)) != NULL; )
		n += readlinkat(dirfd(d), e->d_name, what, sizeof what) ==
			sizeof what && memcmp(what, "socket:", 7) == 0;
	closedir(d);
	return n;
}

/* That is long before it would be answered that there is nothing. */
TASK_TEST(S3_4_a_poller_that_has_hung_up_is_forgotten)
{
	int fds[20];

	startchat("5000");
	uint64_t last = post("tea", "ann", "hello");
	int before = sockets(), stay = startpoll("tea", last);
	for(int i = 0; i < 20; i++)
		fds[i] = startpoll("tea", last);
	while(sockets() < before + 20)
		taskdelay(1);
	for(int i = 0; i < 20; i++)
		close(fds[i]);
	int64_t end = tasknow() + INT64_C(15000000000);
	while(sockets() > before + 1 && tasknow() < end)
		taskdelay(5);
	ck_assert_int_le(sockets(), before + 1);
	post("tea", "ann", "again");
	hear(stay);
	hasmessages(last + 1, last + 1);
	stopchat();
}

/* More than a room keeps, in one piece: others must not have to catch up. */
TASK_TEST(who_says_much_at_once_is_heard_in_full)
{
	enum { Much = 250 };
	char text[32];

	startchat("5000");
	Ws *ann = enter("tea", "ann", 0), *bob = enter("tea", "bob", 0);
	await(ann, "bob is here");
	for(int i = 0; i < Much; i++){
		snprintf(text, sizeof text, "message %d.", i);
		ck_assert_int_gt(wswrite(bob, i < Much - 1 ? WSTEXT | WSMORE :
			WSTEXT, text, strlen(text)), 0);
	}
	for(int i = 0; i < Much; i++){
		snprintf(text, sizeof text, "message %d.", i);
		ck_assert_int_eq(await(ann, text), 0);
	}
	wsclose(bob, 1000, NULL);
	wsclose(ann, 1000, NULL);
	stopchat();
}

/* Somebody who takes nothing, with as little room in between as can be. */
static Ws *
enterslow(void)
{
	char host[32];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = local(chat.port);

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){4096}, sizeof(int));
	ck_assert_int_eq(connect(fd, (void *)&addr, sizeof addr), 0);
	snprintf(host, sizeof host, "127.0.0.1:%d", chat.port);
	Ws *w = wsclient(streamopen(fd, 0), host, "/rooms/tea?name=slow", NULL);
	ck_assert_ptr_nonnull(w);
	return w;
}

TASK_TEST(who_is_too_slow_is_dropped_and_nobody_else_waits)
{
	static char text[1900];
	Wsmessage m;
	int r, left = 0, n = 0;

	memset(text, 'x', sizeof text);
	startchat("1000");
	Ws *ann = enter("tea", "ann", 0), *slow = enterslow();
	await(ann, "slow is here");
	/* what ann says comes back at once, all the time */
	for(; !left; n++){
		ck_assert_int_gt(wswrite(ann, WSTEXT, text, sizeof text), 0);
		do{
			ck_assert_int_eq(wsread(ann, &m), 1);
			left |= strstr(m.v, "slow has left") != NULL;
		}while(strstr(m.v, "\"from\":\"\""));
		taskdelay(n > 200 ? 5 : 0);
	}
	while((r = wsread(slow, &m)) > 0)
		;
	ck_assert_msg(r == 0 && wscode(slow) == 1013, "%d, %d: %s", r,
		wscode(slow), strerror(errno));
	wsclose(slow, 0, NULL);
	wsprint(ann, "goodbye");
	await(ann, "goodbye");
	wsclose(ann, 1000, NULL);
	stopchat();
}

static void
chatter(void *v)
{
	static char text[1900];

	memset(text, 'y', sizeof text);
	while(wswrite(v, WSTEXT, text, sizeof text) > 0)
		;
}

/* The server is at what it says all the time, and not where it reads. */
TASK_TEST(who_takes_nothing_is_dropped_though_it_says_much)
{
	Group g = {0};

	startchat("300");
	Ws *ann = enter("tea", "ann", 0), *slow = enterslow();
	await(ann, "slow is here");
	groupspawn(&g, chatter, slow, 0);
	await(ann, "slow has left");
	groupwait(&g);
	wsclose(slow, 0, NULL);
	wsclose(ann, 1000, NULL);
	stopchat();
}

TASK_TEST(who_gives_no_good_token_is_refused)
{
	static const char *const texts[] = {"hello", " hello", "1", "1 ",
		"1hello", "-1 hello", "+1 hello", "1\t2",
		"1000000000000000 hello", "184467440737095516160 hello"};
	static const char *const tokens[] = {"", "x", "1x", "-1", "%201",
		"1000000000000000"};
	char path[100];
	Wsmessage m;

	startchat("5000");
	Ws *bob = enter("tea", "bob", 0);
	for(size_t i = 0; i < sizeof texts / sizeof texts[0]; i++){
		Ws *ann = enter("tea", "ann&tokens=1", 0);
		wsprint(ann, "%s", texts[i]);
		while(wsread(ann, &m) > 0)
			;
		ck_assert_int_eq(wscode(ann), 1008);
		wsclose(ann, 0, NULL);
		await(bob, "ann is here");
		next(bob, "ann has left");
	}
	for(size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++){
		snprintf(path, sizeof path, "/rooms/tea/messages?token=%s",
			tokens[i]);
		hear(ask("POST", path, "hello", 5));
		STATUS(400);
	}
	wsclose(bob, 1000, NULL);
	stopchat();
}

TASK_TEST(bad_input_is_refused_and_harms_nobody)
{
	static char text[3000];
	char path[200] = "/rooms/", log[200];
	Wsmessage m;

	memset(text, 'x', sizeof text);
	startchat("5000");
	Ws *ann = enter("tea", "ann", 0);
	await(ann, "ann is here");
	hear(ask("POST", "/rooms/tea/messages", text, sizeof text));
	STATUS(413);
	hear(ask("POST", "/rooms/tea/messages", "", 0));
	STATUS(400);
	memcpy(path + 7, text, 65);
	strcpy(path + 7 + 65, "/messages");
	hear(ask("GET", path, "", 0));
	STATUS(404);
	memcpy(path, "/rooms/tea/messages?name=", 25);
	memcpy(path + 25, text, 65);
	hear(ask("POST", path, "a", 1));
	STATUS(400);
	hear(ask("no method", "/rooms/tea", "", 0));
	STATUS(400);
	slurp(chat.out, log, sizeof log, " : 400, ");
	ck_assert_msg(strstr(log, ": 413, ") && strstr(log, " : 400, "), "%s",
		log);
	hear(ask("GET", "/rooms/tea", "", 0));
	STATUS(426);
	hear(ask("GET", "/../Makefile", "", 0));
	ck_assert_ptr_null(strstr(answer, "200 OK"));
	post("tea", "%FF%00%22",
		"a\xff\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80z\x01");
	ck_assert_int_eq(await(ann, "\"text\":\"a??????????z \"}"), 0);
	Ws *bob = enter("tea", "bob", 0);
	wswrite(bob, WSTEXT, text, sizeof text);
	while(wsread(bob, &m) > 0)
		;
	ck_assert_int_eq(wscode(bob), 1009);
	wsclose(bob, 0, NULL);
	await(ann, "bob has left");
	wsclose(ann, 1000, NULL);
	stopchat();
}

TASK_TEST(a_room_that_nobody_is_in_makes_room_for_another)
{
	char name[16];

	startchat("5000");
	uint64_t first = post("first", "ann", "old");
	Ws *bob = enter("kept", "bob", 0);
	await(bob, "bob is here");
	for(int i = 0; i < 100; i++){
		snprintf(name, sizeof name, "room%d", i);
		post(name, "ann", "hello");
	}
	ck_assert_uint_gt(post("first", "ann", "new"), first);
	hear(startpoll("first", first));
	ck_assert_int_eq(occurs(answer, "{\"n\":"), 1);
	post("kept", "ann", "still here");
	ck_assert_int_eq(await(bob, "still here"), 0);
	wsclose(bob, 1000, NULL);
	stopchat();
}

TASK_TEST(members_are_told_when_the_server_stops)
{
	Wsmessage m;

	startchat("5000");
	Ws *ann = enter("tea", "ann", 0);
	await(ann, "ann is here");
	int fd = startpoll("tea", post("tea", "bob", "hello"));
	await(ann, "hello");
	kill(chat.pid, SIGTERM);
	ck_assert_int_eq(wsread(ann, &m), 0);
	ck_assert_int_eq(wscode(ann), 1001);
	wsclose(ann, 0, NULL);
	hear(fd);
	STATUS(503);
	ck_assert_int_eq(finish(&chat), 0);
}

static void
says(const char *what, int status, char **args)
{
	char text[1024];

	ck_assert_int_eq(output(text, sizeof text, "chat", args), status);
	ck_assert_msg(strstr(text, what) != NULL, "no \"%s\" in: %s", what,
		text);
}

TASK_TEST(what_is_wrong_at_the_start_is_said)
{
	char port[16], want[64];

	says("usage: ", 2, ARGS("http"));
	says("usage: ", 2, ARGS("-h"));
	says("usage: ", 2, ARGS("65536"));
	says("usage: ", 2, ARGS("0", "examples", "soon"));
	says("no chat.html in directory none", 1, ARGS("0", "none"));
	says("no chat.html in directory tests", 1, ARGS("0", "tests"));
	startchat("5000");
	snprintf(port, sizeof port, "%d", chat.port);
	snprintf(want, sizeof want, "cannot listen on port %s: ", port);
	says(want, 1, ARGS(port));
	stopchat();
}

TASK_TEST(the_page_is_there)
{
	startchat("5000");
	hear(ask("GET", "/", "", 0));
	STATUS(200);
	HAS("Content-Type: text/html; charset=utf-8\r\n");
	HAS("</script>");
	stopchat();
}

PROGRAM_MAIN("chat", what_one_says_all_in_the_room_hear,
	a_token_comes_back_with_what_was_said, a_text_of_nothing_is_answered,
	who_comes_back_gets_exactly_what_was_missed,
	S3_6_a_slow_poller_gets_exactly_what_it_missed,
	S3_3_one_message_answers_a_thousand_pollers,
	S3_4_a_poller_that_has_hung_up_is_forgotten,
	who_says_much_at_once_is_heard_in_full,
	who_is_too_slow_is_dropped_and_nobody_else_waits,
	who_takes_nothing_is_dropped_though_it_says_much,
	who_gives_no_good_token_is_refused,
	bad_input_is_refused_and_harms_nobody,
	a_room_that_nobody_is_in_makes_room_for_another,
	members_are_told_when_the_server_stops,
	what_is_wrong_at_the_start_is_said, the_page_is_there)
