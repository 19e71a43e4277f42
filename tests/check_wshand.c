/* SPDX-License-Identifier: MIT */
/* WebSocket: handshakes of servers and clients, and other programs. */
#include "fdtest.h"
#include "wsserver.h"
#include "watched.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/* What a request is like, field by field: "name: value" with | between. */
typedef struct Ask
{
	const char *method;
	int version;
	const char *fields;
	int status;
	const char *protocol;
} Ask;

#define USUAL "Host: here|Upgrade: websocket|Connection: Upgrade|" \
	"Sec-WebSocket-Key: " KEY "|Sec-WebSocket-Version: 13"
#define NOKEY "Host: here|Upgrade: websocket|Connection: Upgrade|" \
	"Sec-WebSocket-Version: 13"
#define WITH(key) NOKEY "|Sec-WebSocket-Key: " key
#define LIKE(upgrade, connection) "Host: here|Upgrade: " upgrade \
	"|Connection: " connection "|Sec-WebSocket-Key: " KEY \
	"|Sec-WebSocket-Version: 13"
#define VERSION(n) "Host: here|Upgrade: websocket|Connection: Upgrade|" \
	"Sec-WebSocket-Key: " KEY "|Sec-WebSocket-Version: " n
#define ORIGIN(name) USUAL "|Origin: " name
#define OFFER(names) USUAL "|Sec-WebSocket-Protocol: " names

static const Ask asks[] = {
	{"GET", 11, USUAL, 101, ""},
	{"GET", 20, USUAL, 101, ""},
	{"POST", 11, USUAL, 405, ""},
	{"get", 11, USUAL, 405, ""},
	{"HEAD", 11, USUAL, 405, ""},
	{"GET", 10, USUAL, 400, ""},
	{"GET", 9, USUAL, 400, ""},
	{"GET", 11, LIKE("WebSocket", "upgrade"), 101, ""},
	{"GET", 11, LIKE("websocket", "keep-alive, Upgrade"), 101, ""},
	{"GET", 11, LIKE("websocket", "UPGRADE ,keep-alive"), 101, ""},
	{"GET", 11, LIKE("h2c, websocket", "Upgrade"), 101, ""},
	{"GET", 11, LIKE("h2c", "Upgrade"), 426, ""},
	{"GET", 11, LIKE("websockets", "Upgrade"), 426, ""},
	{"GET", 11, LIKE("websocket", "keep-alive"), 400, ""},
	{"GET", 11, LIKE("websocket", "upgrades"), 400, ""},
	{"GET", 11, "Host: here", 426, ""},
	{"GET", 11, VERSION("12"), 426, ""},
	{"GET", 11, VERSION("8"), 426, ""},
	{"GET", 11, VERSION("013"), 426, ""},
	{"GET", 11, VERSION("13, 8"), 426, ""},
	{"GET", 11, NOKEY, 400, ""},
	{"GET", 11, WITH("dGhlIHNhbXBsZSBub25jZQ="), 400, ""},
	{"GET", 11, WITH("dGhlIHNhbXBsZSBub25jZQ==="), 400, ""},
	{"GET", 11, WITH("dGhlIHNhbXBsZSBub25jZQQQ"), 400, ""},
	{"GET", 11, WITH("dGhlIHNhbXBsZSBub25j!Q=="), 400, ""},
	{"GET", 11, WITH("x"), 400, ""},
	{"GET", 11, ORIGIN("http://here"), 101, ""},
	{"GET", 11, ORIGIN("https://HERE"), 101, ""},
	{"GET", 11, ORIGIN("http://there"), 403, ""},
	{"GET", 11, ORIGIN("http://here.there"), 403, ""},
	{"GET", 11, ORIGIN("http://here:8080"), 403, ""},
	{"GET", 11, ORIGIN("null"), 403, ""},
	{"GET", 11, ORIGIN("here"), 403, ""},
	{"GET", 11, OFFER("chat"), 101, "chat"},
	{"GET", 11, OFFER("other"), 101, ""},
	{"GET", 11, OFFER("other, chat"), 101, "chat"},
	{"GET", 11, OFFER("chat,superchat"), 101, "superchat"},
	{"GET", 11, OFFER("superchat2,\tchat "), 101, "chat"},
	{"GET", 11, OFFER("Chat"), 101, ""},
	{"GET", 11, OFFER(",,"), 101, ""},
	{"GET", 11, USUAL "|Sec-WebSocket-Extensions: permessage-deflate",
		101, ""},
};

static const char *
askfield(void *fields, const char *name)
{
	static char value[4][256];
	static int next;
	size_t n = strlen(name);

	for(const char *f = fields; f; f = strchr(f, '|') ?
			strchr(f, '|') + 1 : NULL)
		if(strncasecmp(f, name, n) == 0 && f[n] == ':'){
			char *to = value[next++ % 4];
			size_t k = strcspn(f + n + 2, "|");
			memcpy(to, f + n + 2, k);
			to[k] = '\0';
			return to;
		}
	return NULL;
}

static int
answerto(const Ask *a, const Wsset *set, Wsanswer *w)
{
	Wsrequest r = {a->method, a->version, askfield,
		(void *)(uintptr_t)a->fields};

	return wsanswer(&r, set, w);
}

START_TEST(requests_are_answered_as_the_RFC_says)
{
	Wsset set = {.protocols = "superchat, chat"};
	Wsanswer w;

	for(size_t i = 0; i < sizeof asks / sizeof *asks; i++){
		int status = answerto(&asks[i], &set, &w);
		ck_assert_msg(status == asks[i].status, "%s %s: %d, not %d",
			asks[i].method, asks[i].fields, status,
			asks[i].status);
		ck_assert_int_eq(w.status, status);
		ck_assert_str_eq(w.protocol, asks[i].protocol);
		ck_assert_str_eq(w.accept, status == 101 ? ACCEPT : "");
	}
}
END_TEST

static int
onlythere(const char *origin, void *arg)
{
	return strcmp(origin, arg) == 0;
}

START_TEST(the_program_may_say_which_origins_are_let_in)
{
	static const Ask here = {"GET", 11, ORIGIN("http://here"), 0, NULL};
	static const Ask there = {"GET", 11, ORIGIN("http://there"), 0, NULL};
	static const Ask nowhere = {"GET", 11, USUAL, 0, NULL};
	char name[] = "http://there";
	Wsset set = {.origin = onlythere, .arg = name};
	Wsanswer w;

	ck_assert_int_eq(answerto(&here, &set, &w), 403);
	ck_assert_int_eq(answerto(&there, &set, &w), 101);
	ck_assert_int_eq(answerto(&nowhere, &set, &w), 101);
	ck_assert_int_eq(answerto(&here, NULL, &w), 101);
	ck_assert_int_eq(answerto(&there, NULL, &w), 403);
	FAILS(wsanswer(NULL, NULL, &w), EINVAL);
	FAILS(wsanswer(&(Wsrequest){.method = "GET"}, NULL, &w), EINVAL);
}
END_TEST

/* Clients */

static char url[64];

static int
listening(void)
{
	int fd = netannounce(TCP, "127.0.0.1", 0);

	ck_assert_int_ge(fd, 0);
	snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat?x=1", portof(fd));
	return fd;
}

/* answers one request with what it is given, whatever that asks. */
static int listener;

static void
answerwith(void *answer)
{
	int fd = netaccept(listener, NULL, NULL);
	Stream *s = streamopen(fd, 0);
	char *line, key[64] = "";

	ck_assert_ptr_nonnull(s);
	while(streamline(s, &line) > 0)
		sscanf(line, "Sec-WebSocket-Key: %63s", key);
	ck_assert_uint_eq(strlen(key), 24);
	streamprint(s, "%s", (char *)answer);
	streamclose(s);
}

typedef struct Refusal
{
	const char *answer;
	int err;
} Refusal;

#define WRONG "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\n" \
	"Connection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n"

static const Refusal refusals[] = {
	{"", ECONNRESET},
	{"HTTP/1.1 101 OK\r\n", ECONNRESET},
	{"HTTP/1.1 101 OK\r\n\r\n", EPROTO},
	{WRONG, EPROTO},
	{"HTTP/1.1 200 OK\r\n\r\n", EPROTO},
	{"HTTP/1.1 301 Moved\r\nLocation: ws://x/\r\n\r\n", EPROTO},
	{"HTTP/1.1 400 Bad\r\n\r\n", EPROTO},
	{"HTTP/1.1 401 Who\r\n\r\n", EACCES},
	{"HTTP/1.1 403 Forbidden\r\n\r\n", EACCES},
	{"HTTP/1.1 404 Where\r\n\r\n", ENOENT},
	{"HTTP/1.1 503 Busy\r\n\r\n", EAGAIN},
	{"HTTP/1.1 1010 OK\r\n\r\n", EPROTO},
	{"HTTP/1.1 10\r\n\r\n", EPROTO},
	{"HTTP/2 101 OK\r\n\r\n", EPROTO},
	{"HTTP/1.1\r\n\r\n", EPROTO},
	{"\r\n\r\n", EPROTO},
	{"HTTP/1.1 101 OK\r\nno field\r\n\r\n", EPROTO},
	{"SSH-2.0-OpenSSH_9.2\r\n\r\n", EPROTO},
};

TASK_TEST(a_client_takes_no_wrong_answer)
{
	int fds = openfds();

	listener = listening();
	for(size_t i = 0; i < sizeof refusals / sizeof *refusals; i++){
		taskcreate(answerwith, (void *)(uintptr_t)refusals[i].answer,
			0);
		errno = 0;
		ck_assert_ptr_null(wsdial(url, NULL));
		ck_assert_msg(errno == refusals[i].err, "%s: %s",
			refusals[i].answer, strerror(errno));
	}
	settle();
	fdclose(listener);
	ck_assert_int_eq(openfds(), fds);
}

/* The right answer to one of a row of clients, but for something. */
static void
answerright(void *more)
{
	Stream *s = streamopen(netaccept(listener, NULL, NULL), 0);
	Head *h = malloc(sizeof *h);
	Wsrequest r = {h->method, 11, headfield, h};
	Wsanswer a;

	ck_assert_int_eq(readhead(s, h), 0);
	ck_assert_int_eq(wsanswer(&r, NULL, &a), 101);
	streamprint(s, "HTTP/1.1 101 OK\r\nupgrade: WebSocket\r\n"
		"CONNECTION:x ,upgrade \r\nSec-WebSocket-Accept:\t%s  \r\n"
		"%s\r\n", a.accept, (char *)more);
	free(h);
	streamclose(s);
}

static int
trydial(const char *more, const char *protocols, const char *agreed)
{
	Wsset set = {.protocols = protocols};

	taskcreate(answerright, (void *)(uintptr_t)more, 0);
	errno = 0;
	Ws *w = wsdial(url, &set);
	int err = errno;
	if(w && agreed)
		ck_assert_str_eq(wsprotocol(w), agreed);
	else if(w)
		ck_assert_ptr_null(wsprotocol(w));
	if(w)
		wsclose(w, 0, NULL);
	return w ? 0 : err;
}

TASK_TEST(a_client_takes_what_it_asked_for_only)
{
	static const char chat[] = "Sec-WebSocket-Protocol: chat\r\n";

	listener = listening();
	ck_assert_int_eq(trydial("", NULL, NULL), 0);
	ck_assert_int_eq(trydial("", "chat", NULL), 0);
	ck_assert_int_eq(trydial(chat, "chat", "chat"), 0);
	ck_assert_int_eq(trydial(chat, "more, chat", "chat"), 0);
	ck_assert_int_eq(trydial(chat, NULL, NULL), EPROTO);
	ck_assert_int_eq(trydial(chat, "chat2", NULL), EPROTO);
	ck_assert_int_eq(trydial(chat, "Chat", NULL), EPROTO);
	ck_assert_int_eq(trydial("Sec-WebSocket-Protocol: chat\r\n"
		"Sec-WebSocket-Protocol: chat\r\n", "chat", NULL), EPROTO);
	ck_assert_int_eq(trydial("Sec-WebSocket-Extensions: "
		"permessage-deflate\r\n", NULL, NULL), EPROTO);
	ck_assert_int_eq(trydial("Upgrade: websocket\r\n", NULL, NULL),
		EPROTO);
	fdclose(listener);
}

TASK_TEST(a_URL_is_where_to_dial)
{
	static const char *const bad[] = {"", "ws:", "ws://", "ws:///",
		"ws://:1/",
		"http://127.0.0.1/", "ws://127.0.0.1:0/", "ws://127.0.0.1:/",
		"ws://127.0.0.1:65536/", "ws://127.0.0.1:1x/", "ws://[::1",
		"ws://[::1]x/", "ws://127.0.0.1/#a", "ws://127.0.0.1#a",
		"ws://127.0.0.1?a", "ws://[]/"};

	for(size_t i = 0; i < sizeof bad / sizeof *bad; i++){
		errno = 0;
		ck_assert_ptr_null(wsdial(bad[i], NULL));
		ck_assert_msg(errno == EINVAL, "%s: %s", bad[i],
			strerror(errno));
	}
	ck_assert_ptr_null(wsdial("wss://127.0.0.1/", NULL));
	ck_assert_int_eq(errno, EPROTONOSUPPORT);
	ck_assert_ptr_null(wsdial(NULL, NULL));
	ck_assert_int_eq(errno, EINVAL);
}

TASK_TEST(nothing_gets_into_the_head_of_a_request)
{
	static const char *const bad[] = {"", "a b", "a\r\nX: y", "a\tb",
		"\x7f"};
	Wsset set = {.protocols = "a\r\nX: y"};
	int fds[2];

	pair(fds);
	Stream *s = streamopen(fds[0], 0);
	for(size_t i = 0; i < sizeof bad / sizeof *bad; i++){
		ck_assert_ptr_null(wsclient(s, bad[i], "/", NULL));
		ck_assert_int_eq(errno, EINVAL);
		ck_assert_ptr_null(wsclient(s, "here", bad[i], NULL));
		ck_assert_int_eq(errno, EINVAL);
	}
	ck_assert_ptr_null(wsclient(s, "here", "/", &set));
	ck_assert_int_eq(errno, EINVAL);
	set.protocols = "";
	ck_assert_ptr_null(wsclient(s, "here", "/", &set));
	ck_assert_int_eq(errno, EINVAL);
	streamflush(s);
	ck_assert_uint_eq(drain(fds[1]), 0);
	close(fds[1]);
	streamclose(s);
}

TASK_TEST(a_handshake_ends_with_the_deadline_around_it)
{
	Timeout t;

	listener = listening();
	TIMEOUT(&t, 20){
		ck_assert_ptr_null(wsdial(url, NULL));
		ck_assert_int_eq(errno, ETIMEDOUT);
	}
	fdclose(listener);
}

/* Both ends are ours */

static const Wsset serverset = {.message = 4 << 20, .protocols = "b, a"};

static void
echo(void *v)
{
	Ws *w = serverws((int)(intptr_t)v, &serverset);
	Wsmessage m;

	while(w && wsread(w, &m) > 0)
		if(wswrite(w, m.type, m.v, m.n) < 0)
			break;
	if(w)
		wsclose(w, 0, NULL);
}

static void
echoes(void *v)
{
	int fd;

	(void)v;
	tasksystem();
	while((fd = netaccept(listener, NULL, NULL)) >= 0)
		taskcreate(echo, (void *)(intptr_t)fd, 0);
}

TASK_TEST(what_is_written_at_one_end_is_read_at_the_other)
{
	static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536, 3000000};
	Wsset set = {.message = 4 << 20, .protocols = "a, b"};
	char *bytes = malloc(3000000);
	Wsmessage m;

	for(size_t i = 0; i < 3000000; i++)
		bytes[i] = (char)(i * i >> 7);
	listener = listening();
	taskcreate(echoes, NULL, 0);
	Ws *w = wsdial(url, &set);
	ck_assert_ptr_nonnull(w);
	ck_assert_str_eq(wsprotocol(w), "b");
	for(size_t i = 0; i < sizeof sizes / sizeof *sizes; i++){
		ck_assert_int_eq(wswrite(w, WSBINARY, bytes, sizes[i]),
			sizes[i]);
		ck_assert_int_eq(wsread(w, &m), 1);
		ck_assert_int_eq(m.type, WSBINARY);
		ck_assert_uint_eq(m.n, sizes[i]);
		ck_assert_int_eq(memcmp(m.v, bytes, m.n), 0);
	}
	ck_assert_int_eq(wsclose(w, 1000, "bye"), 0);
	fdclose(listener);
	free(bytes);
}

/* Another program at the other end: python3-websockets */

/*
 * The python3 that has it: the system's may not be the first one.  Valgrind
 * would watch it too, and take minutes.
 */
static const char *
python(void)
{
	static const char *const names[] = {"python3", "/usr/bin/python3"};
	char line[128];

	for(int i = 0; i < 2 && !emulated() && !valgrind(); i++){
		snprintf(line, sizeof line, "%s -c 'import "
			"websockets' >/dev/null 2>&1", names[i]);
		if(system(line) == 0)
			return names[i];
	}
	return NULL;
}

/* runs tests/wspeer.py; returns its pid, and where it tells what is. */
static pid_t
startpython(const char *name, const char *what, const char *arg, int *out)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	pid_t pid = fork();
	if(pid == 0){
		dup2(fds[1], 1);
		close(fds[0]);
		execlp(name, name, "tests/wspeer.py", what, arg, NULL);
		_exit(127);
	}
	close(fds[1]);
	fdnoblock(fds[0]);
	*out = fds[0];
	return pid;
}

static void
endpython(pid_t pid, Stream *out)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	streamclose(out);
}

TASK_TEST(another_program_is_a_client)
{
	const char *name = python();
	char *line;
	int out;

	if(name == NULL)
		TEST_SKIP("no python3-websockets, or Valgrind watches");
	listener = listening();
	taskcreate(echoes, NULL, 0);
	pid_t pid = startpython(name, "client", url, &out);
	Stream *s = streamopen(out, 0);
	ck_assert_int_eq(streamline(s, &line), 4);
	ck_assert_str_eq(line, "good");
	endpython(pid, s);
	fdclose(listener);
}

TASK_TEST(another_program_is_a_server)
{
	Wsset set = {.protocols = "x, a", .message = 1 << 20};
	char *line, *big;
	const char *name = python();
	Wsmessage m;
	int out;

	if(name == NULL)
		TEST_SKIP("no python3-websockets, or Valgrind watches");
	big = malloc(300001);
	pid_t pid = startpython(name, "server", "", &out);
	Stream *s = streamopen(out, 0);
	ck_assert_int_gt(streamline(s, &line), 0);
	snprintf(url, sizeof url, "ws://127.0.0.1:%s/", line);
	Ws *w = wsdial(url, &set);
	ck_assert_ptr_nonnull(w);
	ck_assert_str_eq(wsprotocol(w), "a");
	memset(big, 'b', 300000);
	big[300000] = '\0';
	const char *const texts[] = {"", "hello", "gr\xc3\xbc\xc3\x9f", big};
	for(int i = 0; i < 4; i++){
		ck_assert_int_eq(wswrite(w, WSTEXT, texts[i],
			strlen(texts[i])), strlen(texts[i]));
		ck_assert_int_eq(wsping(w, "p", 1), 0);
		ck_assert_int_eq(wsread(w, &m), 1);
		ck_assert_str_eq(m.v, texts[i]);
	}
	ck_assert_int_eq(wswrite(w, WSTEXT, "close 4321 why", 14), 14);
	ck_assert_int_eq(wsread(w, &m), 0);
	ck_assert_int_eq(wscode(w), 4321);
	ck_assert_str_eq(wsreason(w), "why");
	ck_assert_int_eq(wsclose(w, 0, NULL), 0);
	endpython(pid, s);
	free(big);
}

TEST_MAIN("wshand",
	requests_are_answered_as_the_RFC_says,
	the_program_may_say_which_origins_are_let_in,
	a_client_takes_no_wrong_answer,
	a_client_takes_what_it_asked_for_only,
	a_URL_is_where_to_dial,
	nothing_gets_into_the_head_of_a_request,
	a_handshake_ends_with_the_deadline_around_it,
	what_is_written_at_one_end_is_read_at_the_other,
	another_program_is_a_client,
	another_program_is_a_server)
