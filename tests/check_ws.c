/* SPDX-License-Identifier: MIT */
/* WebSocket: frames, of a peer that may be bad, and tasks that share one. */
#include "wstest.h"
#include "wstable.h"
#include "wsplain.h"

static void
trycase(const Case *c, int client, size_t piece, int inparts)
{
	Wsset set = {.message = c->limit};
	Peer p;

	openpeer(&p, client, &set);
	p.out = encode(c->in, !client);
	p.piece = piece;
	ck_assert_int_gt(taskcreate(sayall, &p, 0), 0);
	ck_assert_int_gt(taskcreate(hearall, &p, 0), 0);
	Bytes b = story(p.ws, inparts);
	ck_assert_int_eq(wsstate(p.ws), WSENDED);
	ck_assert_int_ne(wsread(p.ws, &(Wsmessage){0}), 1);
	ck_assert_msg(strcmp(b.v, c->gives) == 0, "%s, %s, %zu at a time, %s: "
		"%s, and not %s", c->in, client ? "client" : "server", piece,
		inparts ? "in parts" : "whole", b.v, c->gives);
	ck_assert_int_eq(wsclose(p.ws, 1000, NULL), 0);
	while(p.ndone < 2)
		taskdelay(0);
	Bytes out = decode(&p.got, client);
	const char *expect = c->out ? c->out : "88m<03e8>";
	Bytes want = {0}, in = encode(expect, client);
	want = decode(&in, client);
	ck_assert_msg(strcmp(out.v, want.v) == 0, "%s, %s, %zu at a time: "
		"answered by %s, and not %s", c->in,
		client ? "client" : "server", piece, out.v, want.v);
	freebytes(&out);
	freebytes(&want);
	freebytes(&in);
	freebytes(&b);
	closepeer(&p);
}

/* Each at once, in pieces and byte by byte, whole and in parts. */
static void
tryall(const Case *c, int client, size_t n)
{
	for(int inparts = 0; inparts <= (c->limit == 0); inparts++){
		trycase(c, client, n + 1, inparts);
		trycase(c, client, n / 3 + 1, inparts);
		if(n < 300)
			trycase(c, client, 1, inparts);
	}
}

/* Where tasks are dear each is tried in one of these ways. */
static void
tryrole(const Case *c, size_t n, int client)
{
	for(size_t i = 0; i < n; i++){
		Bytes b = encode(c[i].in, !client);
		if(watched())
			trycase(&c[i], client, b.n < 300 ? 1 : b.n / 3 + 1,
				c[i].limit == 0 && (i + (size_t)client) % 2);
		else
			tryall(&c[i], client, b.n);
		freebytes(&b);
	}
}

#define TRY(table, client) tryrole(table, sizeof table / sizeof *table, client)
#define TRYBOTH(table) \
	do{ \
		TRY(table, 0); \
		TRY(table, 1); \
	}while(0)

TASK_TEST(messages_of_all_lengths_come_as_they_were_sent)
{
	TRYBOTH(lengths);
}

TASK_TEST(a_message_may_come_in_fragments_with_control_frames_between)
{
	TRYBOTH(parts);
}

TASK_TEST(masks_reserved_bits_and_kinds_are_as_they_must_be_or_1002)
{
	TRYBOTH(heads);
}

TASK_TEST(pings_are_answered_and_pongs_are_not)
{
	TRYBOTH(controls);
}

TASK_TEST(a_text_is_UTF8)
{
	TRYBOTH(goodtexts);
}

TASK_TEST(a_text_that_is_not_UTF8_is_refused_with_1007)
{
	TRYBOTH(badtexts);
}

TASK_TEST(a_close_is_answered_with_its_code_if_that_may_be)
{
	TRYBOTH(closes);
}

TASK_TEST(a_message_over_the_limit_is_refused_with_1009)
{
	TRYBOTH(limited);
}

TASK_TEST(a_peer_that_goes_without_a_close_is_ECONNRESET)
{
	TRYBOTH(cuts);
}

TASK_TEST(frames_are_known_by_their_bytes)
{
	TRY(rawtoserver, 0);
	TRY(rawtoclient, 1);
}

TASK_TEST(what_frames_mean_is_what_a_plain_reader_makes_of_them)
{
	Random r = randomstart();

	samplesread("ws");
	for(int i = 0; i < (watched() ? 50 : 1000); i++)
		ck_assert_msg(fuzzonce(&r) == 0, "seed %lu", r.seed);
	ck_assert_uint_eq(nsampled, nsamples);
	samplesfree();
}

/* Texts: those of short pieces, against a slow and plain way to tell. */

/* Bytes that are at an edge of something. */
static const unsigned char edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f,
	0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
	0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};

static void
writetext(Peer *p, const unsigned char *v, size_t n)
{
	if(plainutf8(v, n))
		ck_assert_int_eq(wswrite(p->ws, WSTEXT, v, n), n);
	else
		FAILS(wswrite(p->ws, WSTEXT, v, n), EILSEQ);
	drain(p->fd);
}

TASK_TEST(only_UTF8_is_written_as_a_text)
{
	const size_t n = sizeof edges;
	unsigned char text[12] = "aaaaaaaa";
	Peer p;

	openpeer(&p, 0, NULL);
	for(size_t i = 0; i < n * n * n * n; i += watched() ? 499 : 31){
		text[8] = edges[i % n];
		text[9] = edges[i / n % n];
		text[10] = edges[i / n / n % n];
		text[11] = edges[i / n / n / n];
		writetext(&p, text + 8, 4);
		if(i % 16 == 0){
			writetext(&p, text, 12);
			writetext(&p, text + 7, 4);
		}
	}
	endpeer(&p);
}

/* Writing */

static char *
letters(size_t n)
{
	char *v = malloc(n + 1);

	ck_assert_ptr_nonnull(v);
	memset(v, 'a', n);
	v[n] = '\0';
	return v;
}

/* What the peer gets of a message that is written with such frames. */
static void
trywrite(int client, size_t frame, size_t n, const char *frames)
{
	Wsset set = {.frame = frame};
	char *v = letters(n);
	Peer p;

	openpeer(&p, client, &set);
	p.ndone = 1;
	ck_assert_int_gt(taskcreate(hearall, &p, 0), 0);
	ck_assert_int_eq(wswrite(p.ws, WSBINARY, v, n), n);
	shutdown(p.fd, SHUT_WR);
	wsclose(p.ws, 0, NULL);
	while(p.ndone < 2)
		taskdelay(0);
	Bytes in = encode(frames, client), want = decode(&in, client);
	heard(&p, want.v);
	freebytes(&in);
	freebytes(&want);
	closepeer(&p);
	free(v);
}

TASK_TEST(what_is_written_is_in_frames_of_the_right_form)
{
	for(int client = 0; client < 2; client++){
		trywrite(client, 0, 0, "82m'' 88m''");
		trywrite(client, 0, 1, "82m'a' 88m''");
		trywrite(client, 0, 125, "82m*125 88m''");
		trywrite(client, 0, 126, "82m*126 88m''");
		trywrite(client, 0, 32768, "82m*32768 88m''");
		trywrite(client, 0, 32769, "02m*32768 80m'a' 88m''");
		trywrite(client, 0, 100000, "02m*32768 00m*32768 00m*32768 "
			"80m*1696 88m''");
		trywrite(client, 70000, 65535, "82m*65535 88m''");
		trywrite(client, 70000, 65536, "82m*65536 88m''");
		trywrite(client, 1 << 20, 300000, "82m*300000 88m''");
		trywrite(client, 10, 25, "02m*10 00m*10 80m'aaaaa' 88m''");
		trywrite(client, 10, 20, "02m*10 80m*10 88m''");
	}
}

TASK_TEST(a_message_can_be_written_in_parts)
{
	Peer p;

	openpeer(&p, 0, NULL);
	ck_assert_int_eq(wswrite(p.ws, WSTEXT | WSPART, "\xe2", 1), 1);
	FAILS(wswrite(p.ws, WSBINARY, "x", 1), EINVAL);
	ck_assert_int_eq(wsping(p.ws, "p", 1), 0);
	ck_assert_int_eq(wswrite(p.ws, WSTEXT | WSPART, "\x82", 1), 1);
	FAILS(wswrite(p.ws, WSTEXT, NULL, 0), EILSEQ);
	FAILS(wswrite(p.ws, WSTEXT | WSPART, "x", 1), EILSEQ);
	ck_assert_int_eq(wswrite(p.ws, WSTEXT, "\xac", 1), 1);
	ck_assert_int_eq(wsprint(p.ws, "%d %s", 7, "seas"), 6);
	hear(&p, 20);
	heard(&p, "01m<e2> 89m'p' 00m<82> 80m<ac> 81m'7 seas'");
	endpeer(&p);
}

TASK_TEST(with_WSMORE_messages_go_together)
{
	Peer p;

	openpeer(&p, 0, NULL);
	ck_assert_int_eq(wswrite(p.ws, WSTEXT | WSMORE, "a", 1), 1);
	ck_assert_int_eq(drain(p.fd), 0);
	ck_assert_int_eq(wswrite(p.ws, WSTEXT, "b", 1), 1);
	hear(&p, 6);
	heard(&p, "81m'a' 81m'b'");
	ck_assert_int_eq(wswrite(p.ws, WSTEXT | WSMORE, "c", 1), 1);
	say1(&p, "81m'x'");
	gives(p.ws, "x");
	hear(&p, 9);
	heard(&p, "81m'a' 81m'b' 81m'c'");
	endpeer(&p);
}

TASK_TEST(what_can_never_work_is_EINVAL)
{
	char text[200] = "";
	Peer p;

	openpeer(&p, 0, NULL);
	ck_assert_ptr_null(wsopen(NULL, 0, NULL, NULL));
	ck_assert_int_eq(errno, EINVAL);
	FAILS(wsread(NULL, &(Wsmessage){0}), EINVAL);
	FAILS(wsread(p.ws, NULL), EINVAL);
	FAILS(wsreadpart(p.ws, NULL), EINVAL);
	FAILS(wswrite(NULL, WSTEXT, "a", 1), EINVAL);
	FAILS(wswrite(p.ws, 0, "a", 1), EINVAL);
	FAILS(wswrite(p.ws, 3, "a", 1), EINVAL);
	FAILS(wswrite(p.ws, 8, "a", 1), EINVAL);
	FAILS(wswrite(p.ws, WSTEXT | 64, "a", 1), EINVAL);
	FAILS(wswrite(p.ws, WSTEXT, NULL, 1), EINVAL);
	FAILS(wswrite(p.ws, WSTEXT, text, SIZE_MAX), EINVAL);
	FAILS(wsping(NULL, NULL, 0), EINVAL);
	FAILS(wsping(p.ws, text, 126), EINVAL);
	FAILS(wsping(p.ws, NULL, 1), EINVAL);
	FAILS(wsshut(NULL, 1000, NULL), EINVAL);
	FAILS(wsshut(p.ws, 999, NULL), EINVAL);
	FAILS(wsshut(p.ws, 1005, NULL), EINVAL);
	FAILS(wsshut(p.ws, 1006, NULL), EINVAL);
	FAILS(wsshut(p.ws, 5000, NULL), EINVAL);
	FAILS(wsshut(p.ws, 0, "why"), EINVAL);
	FAILS(wsshut(p.ws, 1000, "\xff"), EINVAL);
	FAILS(wsshut(p.ws, 1000, "\xc3"), EINVAL);
	memset(text, 'a', 124);
	FAILS(wsshut(p.ws, 1000, text), EINVAL);
	FAILS(wsclose(p.ws, 1015, NULL), EINVAL);
	FAILS(wsclose(NULL, 0, NULL), EINVAL);
	text[123] = '\0';
	ck_assert_int_eq(wsstate(p.ws), WSOPEN);
	ck_assert_int_eq(wsshut(p.ws, 1000, text), 0);
	ck_assert_int_eq(wsstate(p.ws), WSSHUT);
	ck_assert_int_eq(wsshut(p.ws, 1001, NULL), 0);
	FAILS(wswrite(p.ws, WSTEXT, "a", 1), EPIPE);
	FAILS(wsping(p.ws, NULL, 0), EPIPE);
	ck_assert_int_eq(drain(p.fd), 127);
	endpeer(&p);
}

START_TEST(without_a_scheduler_all_fails_with_EPERM)
{
	int here;
	Stream *s = (Stream *)(void *)&here;

	ck_assert_ptr_null(wsopen(s, 0, NULL, NULL));
	ck_assert_int_eq(errno, EPERM);
}
END_TEST

/* Tasks and deadlines */

typedef struct Reader
{
	Ws *ws;
	int result, err, done, id;
	Wsmessage m;
} Reader;

static void
readone(void *v)
{
	Reader *r = v;

	errno = 0;
	r->result = wsread(r->ws, &r->m);
	r->err = errno;
	r->done = 1;
}

static void
startreader(Reader *r, Ws *w)
{
	*r = (Reader){.ws = w};
	r->id = taskcreate(readone, r, 0);
	ck_assert_int_gt(r->id, 0);
	settle();
}

typedef struct Writer
{
	Ws *ws;
	const char *v;
	size_t n;
	ssize_t result;
	int err, done, id;
	int next;	/* errno of the next call that waits */
} Writer;

static void
writeone(void *v)
{
	Writer *w = v;
	Event never = {0};
	Timeout t;

	errno = 0;
	w->result = wswrite(w->ws, WSBINARY, w->v, w->n);
	w->err = errno;
	TIMEOUT(&t, 1)
		w->next = eventwait(&never) < 0 ? errno : 0;
	w->done = 1;
}

static void
startwriter(Writer *w, Ws *ws, const char *v, size_t n)
{
	*w = (Writer){.ws = ws, .v = v, .n = n};
	w->id = taskcreate(writeone, w, 0);
	ck_assert_int_gt(w->id, 0);
	settle();
}

TASK_TEST(one_reads_and_one_writes_and_others_are_EBUSY)
{
	enum { Much = 4 << 20 };
	char *text = letters(Much);
	Reader r;
	Writer w;
	Peer p;

	openpeer(&p, 0, NULL);
	startreader(&r, p.ws);
	startwriter(&w, p.ws, text, Much);
	ck_assert(!r.done && !w.done);
	FAILS(wsread(p.ws, &(Wsmessage){0}), EBUSY);
	FAILS(wsreadpart(p.ws, &(Wsmessage){0}), EBUSY);
	FAILS(wswrite(p.ws, WSTEXT, "a", 1), EBUSY);
	FAILS(wsclose(p.ws, 0, NULL), EBUSY);
	say1(&p, "81m'Hello'");
	settle();
	ck_assert(r.done && !w.done);
	ck_assert_int_eq(r.result, 1);
	ck_assert_str_eq(r.m.v, "Hello");
	FAILS(wsclose(p.ws, 0, NULL), EBUSY);
	hear(&p, Much);
	while(!w.done)
		taskdelay(0);
	ck_assert_int_eq(w.result, Much);
	endpeer(&p);
	free(text);
}

TASK_TEST(control_frames_go_between_the_frames_of_a_message)
{
	enum { Much = 4 << 20 };
	char *text = letters(Much), *at;
	Reader r;
	Writer w;
	Peer p;

	openpeer(&p, 0, NULL);
	startreader(&r, p.ws);
	startwriter(&w, p.ws, text, Much);
	ck_assert_int_eq(wsping(p.ws, "early", 5), 0);
	ck_assert_int_eq(wsping(p.ws, "late", 4), 0);
	say1(&p, "89m'one' 89m'two'");
	settle();
	ck_assert(!r.done && !w.done);
	hear(&p, Much);
	while(!w.done)
		taskdelay(0);
	Bytes b = decode(&p.got, 0);
	ck_assert_int_eq(occurs(b.v, "89m'late'"), 1);
	ck_assert_int_eq(occurs(b.v, "8am'two'"), 1);
	ck_assert_int_eq(occurs(b.v, "'early'"), 0);
	at = strstr(b.v, "89m'late'");
	ck_assert_int_ge(occurs(at, "00m*32768"), 64);
	at = strstr(b.v, "8am'two'");
	ck_assert_int_ge(occurs(at, "00m*32768"), 64);
	freebytes(&b);
	taskcancel(r.id);
	settle();
	endpeer(&p);
	free(text);
}

/* The peer closes, for a reason. */
static void
readandclose(void *v)
{
	ck_assert_int_eq(wsread(v, &(Wsmessage){0}), 0);
	ck_assert_int_eq(wscode(v), 1000);
	ck_assert_str_eq(wsreason(v), "done");
	ck_assert_int_eq(wsclose(v, 0, NULL), 0);
}

TASK_TEST(both_may_write_before_they_read)
{
	enum { Much = 4 << 20 };
	char *text = letters(Much);
	Wsset set = {.message = Much};
	Wsmessage m[2];
	Writer w[2];
	Reader r[2];
	Ws *ws[2];
	int fds[2];

	pair(fds);
	for(int i = 0; i < 2; i++){
		ws[i] = wsopen(streamopen(fds[i], 0), i, NULL, &set);
		startwriter(&w[i], ws[i], text, Much);
	}
	for(int i = 0; i < 2; i++)
		startreader(&r[i], ws[i]);
	for(int i = 0; i < 2; i++){
		while(!r[i].done || !w[i].done)
			taskdelay(0);
		m[i] = r[i].m;
		ck_assert_int_eq(w[i].result, Much);
		ck_assert_int_eq(r[i].result, 1);
		ck_assert_uint_eq(m[i].n, Much);
		ck_assert_int_eq(memcmp(m[i].v, text, Much), 0);
	}
	ck_assert_int_gt(taskcreate(readandclose, ws[1], 0), 0);
	ck_assert_int_eq(wsclose(ws[0], 1000, "done"), 0);
	free(text);
}

TASK_TEST(a_read_that_was_cut_goes_on_where_it_was)
{
	Wsmessage m;
	Timeout t;
	Peer p;

	openpeer(&p, 0, NULL);
	TIMEOUT(&t, 1)
		FAILS(wsread(p.ws, &m), ETIMEDOUT);
	Bytes b = encode("01m'ab' 89m'p' 80m'cde' 81m'x'", 1);
	for(size_t i = 0; i < b.n; i++){
		ck_assert_int_eq(fdwrite(p.fd, b.v + i, 1), 1);
		TIMEOUT(&t, 0)
			if(wsread(p.ws, &m) == 1)
				say(m.v);
	}
	ck_assert_str_eq(trace, "abcde\nx\n");
	freebytes(&b);
	endpeer(&p);
}

TASK_TEST(what_was_read_of_a_message_is_read_in_parts)
{
	Wsmessage m;
	Timeout t;
	Peer p;

	openpeer(&p, 0, NULL);
	say1(&p, "01m'ab' 00m'cd'");
	TIMEOUT(&t, 20)
		FAILS(wsread(p.ws, &m), ETIMEDOUT);
	ck_assert_int_eq(wsreadpart(p.ws, &m), 1);
	ck_assert_int_eq(m.last, 0);
	ck_assert_uint_eq(m.n, 4);
	ck_assert_int_eq(memcmp(m.v, "abcd", 4), 0);
	say1(&p, "00m'ef'");
	ck_assert_int_eq(wsreadpart(p.ws, &m), 1);
	ck_assert_int_eq(m.last, 0);
	ck_assert_int_eq(memcmp(m.v, "ef", 2), 0);
	say1(&p, "80m'gh' 81m'i'");
	gives(p.ws, "gh");
	gives(p.ws, "i");
	endpeer(&p);
}

TASK_TEST(a_reader_can_be_cancelled_and_interrupted)
{
	Reader r;
	Peer p;

	openpeer(&p, 0, NULL);
	say1(&p, "01m'ab'");
	startreader(&r, p.ws);
	taskinterrupt(r.id);
	settle();
	ck_assert(r.done && r.result == -1 && r.err == EINTR);
	startreader(&r, p.ws);
	taskcancel(r.id);
	settle();
	ck_assert(r.done && r.result == -1 && r.err == ECANCELED);
	say1(&p, "80m'cd'");
	gives(p.ws, "abcd");
	endpeer(&p);
}

TASK_TEST(a_write_that_was_cut_has_written_whole_messages_only)
{
	enum { Bytes1 = 1000 };
	char *text = letters(Bytes1);
	Timeout t;
	Peer p;
	int n = 0;

	openpeer(&p, 0, NULL);
	TIMEOUT(&t, 50)
		while(wswrite(p.ws, WSTEXT, text, Bytes1) == Bytes1)
			n++;
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(wsstate(p.ws), WSOPEN);
	p.ndone = 1;
	ck_assert_int_gt(taskcreate(hearall, &p, 0), 0);
	ck_assert_int_eq(wswrite(p.ws, WSTEXT, "end", 3), 3);
	shutdown(p.fd, SHUT_WR);
	ck_assert_int_eq(wsclose(p.ws, 1000, NULL), 0);
	while(p.ndone < 2)
		taskdelay(0);
	Bytes b = decode(&p.got, 0);
	ck_assert_int_eq(occurs(b.v, "81m*1000"), n);
	ck_assert_int_eq(occurs(b.v, "81m'end' 88m<03e8>"), 1);
	ck_assert_int_eq(occurs(b.v, "part"), 0);
	freebytes(&b);
	closepeer(&p);
	free(text);
}

TASK_TEST(who_is_cut_behind_a_message_hears_of_it_in_the_next_call)
{
	Writer w;
	Peer p;

	openpeer(&p, 0, NULL);
	fill(p.wsfd);
	startwriter(&w, p.ws, "a", 1);
	ck_assert(!w.done);
	taskinterrupt(w.id);
	settle();
	ck_assert(w.done);
	ck_assert_int_eq(w.result, 1);
	ck_assert_int_eq(w.next, EINTR);
	startwriter(&w, p.ws, "b", 1);
	taskcancel(w.id);
	settle();
	ck_assert(w.done);
	ck_assert_int_eq(w.result, 1);
	ck_assert_int_eq(w.next, ECANCELED);
	endpeer(&p);
}

/* frame is what the message is cut into; it is more than a buffer, or less. */
static void
cutmessage(size_t frame, const char *end)
{
	enum { Much = 8 << 20 };
	char *v = letters(Much);
	Wsset set = {.frame = frame};
	Timeout t;
	Peer p;

	openpeer(&p, 0, &set);
	TIMEOUT(&t, 50)
		FAILS(wswrite(p.ws, WSBINARY, v, Much), ETIMEDOUT);
	FAILS(wswrite(p.ws, WSBINARY, v, 1), EPIPE);
	p.ndone = 1;
	ck_assert_int_gt(taskcreate(hearall, &p, 0), 0);
	shutdown(p.fd, SHUT_WR);
	ck_assert_int_eq(wsclose(p.ws, 1001, NULL), 0);
	while(p.ndone < 2)
		taskdelay(0);
	Bytes b = decode(&p.got, 0);
	ck_assert_uint_ge(b.n, strlen(end));
	ck_assert_str_eq(b.v + b.n - strlen(end), end);
	freebytes(&b);
	closepeer(&p);
	free(v);
}

TASK_TEST(a_message_that_was_cut_in_two_is_the_last)
{
	cutmessage(0, "00m*32768 88m<03e9>");
	cutmessage(1 << 20, " and a part");
}

TASK_TEST(a_peer_that_pings_and_never_reads_takes_no_memory)
{
	enum { Pings = 20000 };
	Bytes b = {0}, ping = encode("89m*100", 1);
	Reader r;
	Peer p;

	openpeer(&p, 0, NULL);
	startreader(&r, p.ws);
	for(int i = 0; i < 100; i++)
		addbytes(&b, ping.v, ping.n);
	for(int i = 0; i < Pings / 100; i++)
		ck_assert_int_eq(fdwrite(p.fd, b.v, b.n), b.n);
	say1(&p, "81m'alive'");
	settle();
	while(!r.done)
		taskdelay(0);
	ck_assert_str_eq(r.m.v, "alive");
	shutdown(p.fd, SHUT_WR);
	p.ndone = 1;
	ck_assert_int_gt(taskcreate(hearall, &p, 0), 0);
	ck_assert_int_eq(wsclose(p.ws, 0, NULL), 0);
	while(p.ndone < 2)
		taskdelay(0);
	ck_assert_uint_lt(p.got.n, Pings * 102 / 2);
	freebytes(&b);
	freebytes(&ping);
	closepeer(&p);
}

TASK_TEST(a_reader_that_is_slow_holds_the_peer_up)
{
	enum { Much = 32 << 20 };
	Wsmessage m;
	size_t sent = 0, n = 0;
	Bytes b = {0};
	Peer p;

	openpeer(&p, 1, NULL);
	addhead(&b, 0x82, 0, Much, 0);
	ck_assert_int_eq(fdwrite(p.fd, b.v, b.n), b.n);
	char *text = letters(65536);
	while(sent < Much){
		ssize_t r = write(p.fd, text, 65536);
		if(r < 0 && n == 0)
			ck_assert_uint_lt(sent, Much / 4);
		if(r < 0){
			ck_assert_int_eq(wsreadpart(p.ws, &m), 1);
			n += m.n;
			ck_assert_uint_le(m.n, 4096);
		}else
			sent += (size_t)r;
	}
	do{
		ck_assert_int_eq(wsreadpart(p.ws, &m), 1);
		n += m.n;
	}while(!m.last);
	ck_assert_uint_eq(n, Much);
	freebytes(&b);
	free(text);
	endpeer(&p);
}

/* Pings of its own */

TASK_TEST(a_silent_peer_is_pinged_and_lost_if_it_stays_so)
{
	Wsset set = {.ping_ms = 20, .pong_ms = 30};
	int64_t start = nowns();
	Wsmessage m;
	Peer p;

	openpeer(&p, 0, &set);
	FAILS(wsread(p.ws, &m), ECONNABORTED);
	ck_assert_int_ge(nowns() - start, 50 * (int64_t)1000000);
	ck_assert_int_eq(wscode(p.ws), 1006);
	hear(&p, 2);
	heard(&p, "89m''");
	FAILS(wsread(p.ws, &m), ECONNABORTED);
	endpeer(&p);
}

/* answers n pings, and then says something. */
static void
answerpings(void *v)
{
	Peer *p = v;
	char ping[2];

	for(int i = 0; i < 3; i++){
		ck_assert_int_eq(fdreadn(p->fd, ping, 2), 2);
		say1(p, "8am''");
	}
	say1(p, "81m'a'");
}

TASK_TEST(a_peer_that_answers_pings_may_be_silent)
{
	Wsset set = {.ping_ms = 20, .pong_ms = 10000};
	Peer p;

	openpeer(&p, 0, &set);
	ck_assert_int_gt(taskcreate(answerpings, &p, 0), 0);
	gives(p.ws, "a");
	endpeer(&p);
}

TASK_TEST(pings_come_although_each_read_is_cut_early)
{
	Wsset set = {.ping_ms = 30, .pong_ms = 30};
	Wsmessage m;
	Timeout t;
	Peer p;
	int err;

	openpeer(&p, 0, &set);
	do
		TIMEOUT(&t, 5){
			ck_assert_int_eq(wsread(p.ws, &m), -1);
			err = errno;
		}
	while(err == ETIMEDOUT);
	ck_assert_int_eq(err, ECONNABORTED);
	endpeer(&p);
}

/* Ends */

TASK_TEST(both_can_close_at_once)
{
	Ws *ws[2];
	int fds[2];
	Reader r[2];

	pair(fds);
	for(int i = 0; i < 2; i++)
		ws[i] = wsopen(streamopen(fds[i], 0), i, NULL, NULL);
	ck_assert_int_eq(wsshut(ws[0], 3000, "one"), 0);
	ck_assert_int_eq(wsshut(ws[1], 3001, "two"), 0);
	for(int i = 0; i < 2; i++){
		startreader(&r[i], ws[i]);
		ck_assert(r[i].done && r[i].result == 0);
		ck_assert_int_eq(wscode(ws[i]), 3001 - i);
		ck_assert_str_eq(wsreason(ws[i]), i ? "one" : "two");
		FAILS(wswrite(ws[i], WSTEXT, "a", 1), EPIPE);
	}
	ck_assert_int_eq(shutdown(fds[1], SHUT_WR), 0);
	ck_assert_int_eq(wsclose(ws[0], 0, NULL), 0);
	ck_assert_int_eq(wsclose(ws[1], 0, NULL), 0);
}

TASK_TEST(a_third_task_can_shut_while_one_reads_and_one_writes)
{
	enum { Much = 8 << 20 };
	char *text = letters(Much);
	Reader r;
	Writer w;
	Peer p;

	openpeer(&p, 0, NULL);
	startreader(&r, p.ws);
	startwriter(&w, p.ws, text, Much);
	ck_assert_int_eq(wsshut(p.ws, 1013, "slow"), 0);
	p.ndone = 1;
	ck_assert_int_gt(taskcreate(hearall, &p, 0), 0);
	while(!w.done)
		taskdelay(0);
	ck_assert_int_eq(w.result, -1);
	ck_assert_int_eq(w.err, EPIPE);
	ck_assert(!r.done);
	say1(&p, "81m'still' 88m<03f5>");
	settle();
	ck_assert(r.done && r.result == 1);
	startreader(&r, p.ws);
	ck_assert(r.done && r.result == 0);
	shutdown(p.fd, SHUT_WR);
	ck_assert_int_eq(wsclose(p.ws, 0, NULL), 0);
	while(p.ndone < 2)
		taskdelay(0);
	Bytes b = decode(&p.got, 0);
	ck_assert_str_eq(b.v + b.n - 18, " 88m<03f5736c6f77>");
	freebytes(&b);
	closepeer(&p);
	free(text);
}

TASK_TEST(wsclose_does_not_wait_for_ever_for_a_peer_that_is_stuck)
{
	enum { Much = 8 << 20 };
	char *text = letters(Much);
	Timeout t;
	Peer p;

	openpeer(&p, 0, NULL);
	TIMEOUT(&t, 20)
		wswrite(p.ws, WSBINARY, text, Much);
	ck_assert_int_eq(wsclose(p.ws, 1013, NULL), 0);
	p.ndone = 2;
	closepeer(&p);
	free(text);
}

TASK_TEST(wsclose_ends_with_the_deadline_around_it)
{
	int fds = openfds();
	Timeout t;
	Peer p;

	openpeer(&p, 0, NULL);
	TIMEOUT(&t, 10)
		FAILS(wsclose(p.ws, 1000, NULL), ETIMEDOUT);
	hear(&p, 4);
	heard(&p, "88m<03e8>");
	p.ndone = 2;
	closepeer(&p);
	ck_assert_int_eq(openfds(), fds);
}

TASK_TEST(wsclose_drops_what_still_comes)
{
	Peer p;

	openpeer(&p, 0, NULL);
	p.out = encode("01m*70000 89m'' 80m'b' 81m'c' 88m<03e8>", 1);
	p.piece = 1000;
	ck_assert_int_gt(taskcreate(sayall, &p, 0), 0);
	ck_assert_int_gt(taskcreate(hearall, &p, 0), 0);
	ck_assert_int_eq(wsclose(p.ws, 1001, "going"), 0);
	while(p.ndone < 2)
		taskdelay(0);
	heard(&p, "88m<03e9676f696e67>");
	closepeer(&p);
}

/* A peer that is always faster: a layer that never has to wait for frames. */
typedef struct Flood
{
	Bytes frame;
	size_t at;
} Flood;

static int
floodbegin(void *layer, int fd, const void *v, size_t n)
{
	(void)layer, (void)fd, (void)v, (void)n;
	return 0;
}

static ssize_t
floodread(void *layer, int fd, void *v, size_t n)
{
	Flood *f = layer;

	(void)fd;
	for(size_t i = 0; i < n; i++){
		((char *)v)[i] = f->frame.v[f->at++];
		f->at %= f->frame.n;
	}
	return (ssize_t)n;
}

static ssize_t
floodwrite(void *layer, int fd, const void *v, size_t n)
{
	(void)layer, (void)fd, (void)v;
	return (ssize_t)n;
}

static int
floodnone(void *layer, int fd)
{
	(void)layer, (void)fd;
	return 0;
}

static size_t
floodbytes(void *layer)
{
	(void)layer;
	return 0;
}

static void
floodfree(void *layer)
{
	freebytes(&((Flood *)layer)->frame);
}

static const Streamlayer flooding = {floodbegin, floodread, floodwrite,
	floodnone, floodnone, floodbytes, floodbytes, floodfree};

/* Its end that is not ws's is closed when that is. */
static Ws *
openflood(Flood *f, int fds[2], const char *frame)
{
	*f = (Flood){encode(frame, 1), 0};
	pair(fds);
	Stream *s = streamopen(fds[0], 0);
	ck_assert_int_eq(streamlayer(s, &flooding, f), 0);
	return wsopen(s, 0, NULL, NULL);
}

TASK_TEST(a_flood_keeps_nobody_from_running_nor_a_read_from_its_end)
{
	int fds[2];
	Wsmessage m;
	Timeout t;
	Reader r;
	Flood f;

	Ws *w = openflood(&f, fds, "89m'ping'");
	TIMEOUT(&t, 50)
		FAILS(wsread(w, &m), ETIMEDOUT);
	r = (Reader){.ws = w};
	r.id = taskcreate(readone, &r, 0);
	for(int i = 0; i < 20; i++)
		taskdelay(1);
	ck_assert(!r.done);
	taskcancel(r.id);
	while(!r.done)
		taskdelay(1);
	ck_assert_int_eq(r.result, -1);
	close(fds[1]);
	TIMEOUT(&t, 50)
		wsclose(w, 0, NULL);
}

TASK_TEST(wsclose_ends_although_the_peer_goes_on_and_on)
{
	static const char *const frames[] = {"89m'ping'", "82m*100"};
	int fds[2];
	Timeout t;
	Flood f;

	for(int i = 0; i < 2; i++){
		Ws *w = openflood(&f, fds, frames[i]);
		close(fds[1]);
		TIMEOUT(&t, 50)
			wsclose(w, 1000, NULL);
	}
}

/* Its writer is cut while it flushes, and the ping was left to that. */
TASK_TEST(what_is_left_to_a_writer_that_is_cut_is_sent)
{
	Wsmessage m;
	Writer w;
	Timeout t;
	Peer p;

	openpeer(&p, 0, NULL);
	fill(p.wsfd);
	startwriter(&w, p.ws, "a", 1);
	ck_assert(!w.done);
	ck_assert_int_eq(wsping(p.ws, "left", 4), 0);
	ck_assert_int_eq(wsshut(p.ws, 1001, NULL), 0);
	taskcancel(w.id);
	settle();
	ck_assert(w.done);
	drain(p.fd);
	TIMEOUT(&t, 20)
		FAILS(wsread(p.ws, &m), ETIMEDOUT);
	hear(&p, 3 + 6 + 4);
	heard(&p, "82m'a' 89m'left' 88m<03e9>");
	endpeer(&p);
}

TEST_MAIN("ws",
	messages_of_all_lengths_come_as_they_were_sent,
	a_message_may_come_in_fragments_with_control_frames_between,
	masks_reserved_bits_and_kinds_are_as_they_must_be_or_1002,
	pings_are_answered_and_pongs_are_not,
	a_text_is_UTF8,
	a_text_that_is_not_UTF8_is_refused_with_1007,
	a_close_is_answered_with_its_code_if_that_may_be,
	a_message_over_the_limit_is_refused_with_1009,
	a_peer_that_goes_without_a_close_is_ECONNRESET,
	frames_are_known_by_their_bytes,
	what_frames_mean_is_what_a_plain_reader_makes_of_them,
	only_UTF8_is_written_as_a_text,
	what_is_written_is_in_frames_of_the_right_form,
	a_message_can_be_written_in_parts,
	with_WSMORE_messages_go_together,
	what_can_never_work_is_EINVAL,
	without_a_scheduler_all_fails_with_EPERM,
	one_reads_and_one_writes_and_others_are_EBUSY,
	control_frames_go_between_the_frames_of_a_message,
	both_may_write_before_they_read,
	a_read_that_was_cut_goes_on_where_it_was,
	what_was_read_of_a_message_is_read_in_parts,
	a_reader_can_be_cancelled_and_interrupted,
	a_write_that_was_cut_has_written_whole_messages_only,
	who_is_cut_behind_a_message_hears_of_it_in_the_next_call,
	a_message_that_was_cut_in_two_is_the_last,
	a_peer_that_pings_and_never_reads_takes_no_memory,
	a_reader_that_is_slow_holds_the_peer_up,
	a_silent_peer_is_pinged_and_lost_if_it_stays_so,
	a_peer_that_answers_pings_may_be_silent,
	pings_come_although_each_read_is_cut_early,
	both_can_close_at_once,
	a_third_task_can_shut_while_one_reads_and_one_writes,
	wsclose_does_not_wait_for_ever_for_a_peer_that_is_stuck,
	wsclose_ends_with_the_deadline_around_it,
	wsclose_drops_what_still_comes,
	a_flood_keeps_nobody_from_running_nor_a_read_from_its_end,
	wsclose_ends_although_the_peer_goes_on_and_on,
	what_is_left_to_a_writer_that_is_cut_is_sent)
