/* SPDX-License-Identifier: MIT */
/* The example proxy, between clients and servers that come, go and are slow. */
#include "fdtest.h"
#include "program.h"
#include "../addons/http/taskhttp.h"

enum
{
	TextMost = 1 << 15,
	Upstreams = 2,
	Askers = 4,
	Asked = 60,
	Fails = 3	/* in a row, and a server is left alone */
};

/* Servers behind the proxy, and one that says what it is told to. */
static Server server[Upstreams];
static Httpserver site[Upstreams];
static int raw, rawport, nraw;
static const char *rawsays;	/* NULL: it hangs up */
static char rawasked[TextMost];

static int nposts, nwaiting, ngone, ngot, go;
static size_t bodymost = 16 << 20;

static Program proxy;
static Httpclient web = {.redirects = -1};
static Httpreply reply;
static char answer[TextMost];

static void
who(Http *h)
{
	httpreply(h, 200, "text/plain", h->server->arg, 1);
}

static void
posted(Http *h)
{
	void *v;

	nposts++;
	if(httpbody(h, &v, 0) >= 0)
		who(h);
}

/* All that has come but the body. */
static void
show(Http *h)
{
	char text[TextMost];
	const char *name, *value;
	int n = snprintf(text, sizeof text, "%s %s?%s\n", h->method, h->path,
		h->query);

	for(int i = 0; httpfieldat(h, i, &name, &value); i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "%s: %s\n",
			name, value);
	httpreply(h, 200, "text/plain", text, (size_t)n);
}

static void
nothingnew(Http *h)
{
	httpset(h, "ETag", "\"1\"");
	httpreply(h, *h->query ? 204 : 304, NULL, NULL, 0);
}

/* until it may go on, or nobody waits for that any more */
static void
await(Http *h)
{
	nwaiting++;
	while(!go){
		Alt alts[] = {
			{.op = ALTHANGUP, .fd = httpfd(h)},
			{.op = ALTDELAY, .ms = 5},
			{.op = CHANEND}
		};
		if(chanalt(alts) != 1){
			ngone++;
			return;
		}
	}
	who(h);
}

/* Bodies whose bytes tell where they stand. */
static void
fill8(char *v, size_t at, size_t n)
{
	for(size_t i = 0; i < n; i++)
		v[i] = (char)((at + i) % 251);
}

static int
is8(const char *v, size_t at, size_t n)
{
	for(size_t i = 0; i < n; i++)
		if(v[i] != (char)((at + i) % 251))
			return 0;
	return 1;
}

static void
give(Http *h)
{
	static char v[50000];

	httphead(h, 200, NULL, *h->query ? -1 : (int64_t)bodymost);
	for(size_t at = 0, n; at < bodymost; at += n){
		n = bodymost - at < sizeof v ? bodymost - at : sizeof v;
		fill8(v, at, n);
		if(httpwrite(h, v, n) < 0)
			return;
	}
	httpend(h);
}

static void
receive(Http *h)
{
	static char v[50000];
	size_t at = 0;
	ssize_t n;

	while((n = httpread(h, v, sizeof v)) > 0 && is8(v, at, (size_t)n))
		at += (size_t)n;
	n = snprintf(v, sizeof v, "%lld of %zu", (long long)h->length, at);
	httpreply(h, 200, "text/plain", v, (size_t)n);
}

/* tells by ngot how much of a body has come. */
static void
drip(Http *h)
{
	char v[100];
	ssize_t n;

	while((n = httpread(h, v, sizeof v)) > 0)
		ngot += (int)n;
	httpreply(h, 200, NULL, NULL, 0);
}

static void
refuse(Http *h)
{
	httpreply(h, 413, NULL, "no", 2);
}

static const Httproute routes[] = {
	{"GET", "/who", who, NULL},
	{"POST", "/who", posted, NULL},
	{NULL, "/show/*", show, NULL},
	{"GET", "/nothing", nothingnew, NULL},
	{NULL, "/wait", await, NULL},
	{"GET", "/big", give, NULL},
	{"PUT", "/big", receive, NULL},
	{"PUT", "/drip", drip, NULL},
	{"PUT", "/refuse", refuse, NULL},
	{NULL, NULL, NULL, NULL}
};

static void
serveraw(void *v)
{
	int fd;

	(void)v;
	tasksystem();
	while((fd = netaccept(raw, NULL, NULL)) >= 0){
		size_t n = 0;
		ssize_t r = 1;
		nraw++;
		memset(rawasked, 0, sizeof rawasked);
		while(r > 0 && strstr(rawasked, "\r\n\r\n") == NULL){
			r = fdread(fd, rawasked + n, sizeof rawasked - 1 - n);
			n += r > 0 ? (size_t)r : 0;
		}
		if(rawsays)
			fdwrite(fd, rawsays, strlen(rawsays));
		fdclose(fd);
	}
}

static void
beginraw(const char *says)
{
	rawsays = says;
	raw = netannounce(TCP, "127.0.0.1", 0);
	ck_assert_int_ge(raw, 0);
	rawport = portof(raw);
	taskcreate(serveraw, NULL, 0);
}

static char *
urlof(int port)
{
	static char url[4][64];
	static int n;
	char *v = url[n++ % 4];

	snprintf(v, 64, "http://127.0.0.1:%d", port);
	return v;
}

static void
beginserver(int i)
{
	site[i] = (Httpserver){.routes = routes, .most = INT64_MAX,
		.arg = i ? "B" : "A"};
	server[i] = (Server){.fn = httpserve, .arg = &site[i]};
	ck_assert_int_eq(serverstart(&server[i], "127.0.0.1", 0), 0);
}

static char *
url(int i)
{
	return urlof(serverport(&server[i]));
}

/* A server, and the proxy before it. */
static void
beginone(void)
{
	beginserver(0);
	proxy = serve("proxy", ARGS("0", url(0)));
}

static void
kill0(int i)
{
	Timeout t;

	TIMEOUT(&t, 0)
		serverstop(&server[i]);
}

static void
stopproxy(void)
{
	httpclientclose(&web);
	ck_assert_int_eq(kill(proxy.pid, SIGTERM), 0);
	ck_assert_int_eq(finish(&proxy), 0);
}

static void
end(void)
{
	stopproxy();
	for(int i = 0; i < Upstreams; i++)
		kill0(i);
	if(raw > 0)
		fdclose(raw);
}

/* Into answer: the body, and its length. */
static size_t
bodyof(Httpreply *r)
{
	void *v;
	ssize_t n = httpreplybody(r, &v, TextMost - 1);

	ck_assert_msg(n >= 0, "%s", strerror(errno));
	memcpy(answer, v, (size_t)n + 1);
	return (size_t)n;
}

static int
asks(Httprequest q, const char *path)
{
	char to[128];

	snprintf(to, sizeof to, "%s%s", urlof(proxy.port), path);
	q.url = to;
	ck_assert_msg(httpdo(&web, &q, &reply) == 0, "%s: %s", path,
		strerror(errno));
	int status = reply.status;
	bodyof(&reply);
	return status;
}

static int
get(const char *path)
{
	int status = asks((Httprequest){.method = "GET"}, path);

	httpreplyclose(&reply);
	return status;
}

#define HAS(text) ck_assert_msg(strstr(answer, text) != NULL, \
	"no \"%s\" in: %s", text, answer)
#define HASNOT(text) ck_assert_msg(strstr(answer, text) == NULL, \
	"\"%s\" in: %s", text, answer)

/* A connection of its own, on which that was said. */
static int
says(const char *text)
{
	int fd = netdial(TCP, "127.0.0.1", proxy.port);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_gt(fdwrite(fd, text, strlen(text)), 0);
	return fd;
}

/* reads into answer until there is this, or, with NULL, until the end. */
static void
hear(int fd, const char *text)
{
	size_t n = 0;
	ssize_t r = 1;

	answer[0] = '\0';
	while(r > 0 && !(text && strstr(answer, text))){
		r = fdread(fd, answer + n, sizeof answer - 1 - n);
		ck_assert_int_ge(r, 0);
		n += (size_t)r;
		answer[n] = '\0';
	}
}

static void
until(const int *n, int least)
{
	while(*n < least)
		taskdelay(1);
}

TASK_TEST(servers_are_asked_in_turn_and_told_by_whom)
{
	beginserver(0);
	beginserver(1);
	proxy = serve("proxy", ARGS("0", url(0), url(1)));
	for(int i = 0; i < 4; i++){
		ck_assert_int_eq(get("/who"), 200);
		ck_assert_str_eq(answer, i % 2 ? "B" : "A");
	}
	ck_assert_int_eq(get("/show/a%2fb/?c=d&e"), 200);
	HAS("GET /show/a%2fb/?c=d&e\n");
	HAS("X-Forwarded-For: 127.0.0.1\n");
	HAS("X-Forwarded-Proto: http\n");
	HAS("Via: 1.1 proxy\n");
	char host[64];
	snprintf(host, sizeof host, "X-Forwarded-Host: 127.0.0.1:%d\n",
		proxy.port);
	HAS(host);
	ck_assert_int_eq(get("/none"), 404);
	end();
}

TASK_TEST(fields_for_one_connection_go_no_further)
{
	beginraw("HTTP/1.1 200 OK\r\nX-Own: 1\r\nConnection: x-own, close\r\n"
		"Keep-Alive: timeout=5\r\nSet-Cookie: a=1\r\n"
		"Proxy-Authenticate: Basic\r\nSet-Cookie: b=2\r\n"
		"Content-Length: 2\r\nContent-Type: text/odd\r\n\r\nok");
	proxy = serve("proxy", ARGS("0", urlof(rawport)));
	int fd = says("GET / HTTP/1.1\r\nHost: h\r\nConnection: x-a , X-B\r\n"
		"X-A: 1\r\nx-b: 2\r\nX-C: 3\r\nX-C: 4\r\nTE: trailers\r\n"
		"Connection: close\r\nConnection: X-D\r\nX-D: 5\r\n"
		"Keep-Alive: 1\r\nProxy-Authorization: Basic QQ==\r\n"
		"X-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\n"
		"Upgrade: h2c\r\nVia: 1.0 other\r\n\r\n");
	hear(fd, NULL);
	fdclose(fd);
	HAS("HTTP/1.1 200 OK\r\n");
	HAS("Set-Cookie: a=1\r\n");
	HAS("Set-Cookie: b=2\r\n");
	HAS("Content-Type: text/odd\r\n");
	HAS("Content-Length: 2\r\n");
	HAS("Via: 1.1 proxy\r\n");
	HAS("\r\n\r\nok");
	HASNOT("X-Own");
	HASNOT("Keep-Alive");
	HASNOT("Proxy-Auth");
	strcpy(answer, rawasked);
	HAS("GET / HTTP/1.1\r\n");
	HAS("X-C: 3\r\nX-C: 4\r\n");
	HAS("Via: 1.0 other\r\n");
	HAS("Via: 1.1 proxy\r\n");
	HAS("X-Forwarded-For: 127.0.0.1\r\n");
	HASNOT("X-A");
	HASNOT("x-b");
	HASNOT("X-D");
	HASNOT("TE:");
	HASNOT("Connection");
	HASNOT("Keep-Alive");
	HASNOT("Upgrade");
	HASNOT("Proxy-");
	HASNOT("1.2.3.4");
	end();
}

TASK_TEST(who_asks_is_not_believed_for_whom)
{
	static const char *const lies[] = {"X-Forwarded-For",
		"X_Forwarded_For", "x-forwarded_for", "X.Forwarded.For",
		"X-Forwarded-Host", "X_FORWARDED_PROTO", "X-Forwarded-Port",
		"X-Forwarded", "Forwarded", "X-Real-IP", "x_real_ip", "Proxy"};
	char text[1024];
	int n = sprintf(text, "GET / HTTP/1.1\r\nHost: h\r\n"
		"Connection: close\r\n");

	beginraw("HTTP/1.1 200 OK\r\nX_Mine: 1\r\n"
		"Content-Length: 2\r\n\r\nok");
	proxy = serve("proxy", ARGS("0", urlof(rawport)));
	for(size_t i = 0; i < sizeof lies / sizeof lies[0]; i++)
		n += sprintf(text + n, "%s: 9.9.9.9\r\n", lies[i]);
	strcpy(text + n, "X-Forward: 1\r\nA: 2\r\n\r\n");
	int fd = says(text);
	hear(fd, NULL);
	fdclose(fd);
	HAS("X_Mine: 1\r\n");
	strcpy(answer, rawasked);
	HASNOT("9.9.9.9");
	HAS("X-Forward: 1\r\nA: 2\r\n");
	HAS("X-Forwarded-For: 127.0.0.1\r\n");
	HAS("X-Forwarded-Host: h\r\n");
	ck_assert_int_eq(occurs(answer, "Forwarded"), 3);
	end();
}

/* The status that a target gets as it is. */
static int
statusof(const char *target)
{
	char text[9000];
	int status = 0;

	snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: h\r\n"
		"Connection: close\r\n\r\n", target);
	int fd = says(text);
	hear(fd, NULL);
	fdclose(fd);
	ck_assert_int_eq(sscanf(answer, "HTTP/1.1 %d ", &status), 1);
	return status;
}

TASK_TEST(the_path_of_the_servers_URL_is_a_fence)
{
	static const char *const climb[] = {"/..", "/../who", "/a/../../who",
		"/%2e%2e/who", "/.%2E/who", "/..%2fwho", "/a%2F..%2f../who",
		"/..%5cwho", "/..;/who", "/..;a=b/who", "/%2e.%3b/who",
		"/..%3fx", "/..%23x",
		"http://h/../who", "/a/..", "/a/..?b"};
	static const char *const stay[] = {"/a/.", "/..a", "/a..", "/.../b",
		"/;../b", "/a;..", "/.%2ehidden", "/%252e%252e/b", "//a",
		"/?/../"};
	char fence[64], want[128];

	beginserver(0);
	snprintf(fence, sizeof fence, "%s/show//", url(0));
	proxy = serve("proxy", ARGS("0", fence));
	for(size_t i = 0; i < sizeof climb / sizeof climb[0]; i++)
		ck_assert_msg(statusof(climb[i]) == 400, "%s: %s", climb[i],
			answer);
	for(size_t i = 0; i < sizeof stay / sizeof stay[0]; i++){
		ck_assert_msg(statusof(stay[i]) == 200, "%s: %s", stay[i],
			answer);
		snprintf(want, sizeof want, "\r\n\r\nGET /show%s%s\n", stay[i],
			strchr(stay[i], '?') ? "" : "?");
		HAS(want);
	}
	end();
}

TASK_TEST(a_target_that_the_servers_URL_makes_too_long_is_414)
{
	char text[8001];

	beginone();
	memset(text, 'a', 8000);
	text[0] = '/';
	for(int n = 8000; n > 7900; n -= 10){
		text[n] = '\0';
		int fits = strlen(url(0)) + (size_t)n <= 8000;
		ck_assert_int_eq(statusof(text), fits ? 404 : 414);
	}
	ck_assert_int_eq(get("/who"), 200);
	end();
}

TASK_TEST(an_answer_whose_fields_are_too_many_leaves_none_behind)
{
	static char head[1 << 15];
	int n = sprintf(head, "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\n"
		"Content-Length: 0\r\n");

	/* a space is put into each, and then it is more than the library has */
	for(int i = 0; i < 95; i++)
		n += sprintf(head + n, "A:%0165d\r\n", i);
	n += sprintf(head + n, "A:%0*d\r\n\r\n", 16384 - n - 6, 1);
	ck_assert_int_eq(n, 16384);
	beginraw(head);
	proxy = serve("proxy", ARGS("0", urlof(rawport)));
	ck_assert_int_eq(statusof("/"), 502);
	ck_assert_ptr_null(strstr(answer, "Set-Cookie"));
	ck_assert_ptr_null(strstr(answer, "A:"));
	end();
}

static void
refuses(char **args)
{
	char text[1024];

	ck_assert_int_eq(output(text, sizeof text, "proxy", args), 2);
	ck_assert_msg(strstr(text, "usage: proxy ") != NULL ||
		strstr(text, "not http://host:port\n") != NULL, "%s", text);
}

TASK_TEST(what_makes_no_proxy_is_refused_at_the_start)
{
	char url[600] = "http://h/";

	memset(url + 9, 'a', 590);
	refuses(ARGS(NULL));
	refuses(ARGS("0"));
	refuses(ARGS("http://127.0.0.1:1"));
	refuses(ARGS("http://127.0.0.1:1", "http://127.0.0.1:2"));
	refuses(ARGS("0", "127.0.0.1:1"));
	refuses(ARGS("0", "https://127.0.0.1:1"));
	refuses(ARGS("0", "http://"));
	refuses(ARGS("0", "http:///a"));
	refuses(ARGS("0", "http://h:0"));
	refuses(ARGS("0", "http://h:65536/a"));
	refuses(ARGS("0", "http://h:"));
	refuses(ARGS("0", "http://h:80a"));
	refuses(ARGS("0", "http://u@h"));
	refuses(ARGS("0", "http://u:1@h"));
	refuses(ARGS("0", "http://[]:80"));
	refuses(ARGS("0", "http://h\"x:80"));
	refuses(ARGS("0", "http://h/a\"b"));
	refuses(ARGS("0", "http://h/\x7f"));
	refuses(ARGS("0", "http://[::1"));
	refuses(ARGS("0", "http://[::1]1"));
	refuses(ARGS("0", "http://127.0.0.1:1/a?b"));
	refuses(ARGS("0", "http://127.0.0.1:1", url));
	refuses(ARGS("-d", "0", "0", "http://127.0.0.1:1"));
	refuses(ARGS("-n", "many", "0", "http://127.0.0.1:1"));
	refuses(ARGS("-x", "0", "http://127.0.0.1:1"));
}

TASK_TEST(answers_without_a_body_are_that)
{
	beginone();
	ck_assert_int_eq(asks((Httprequest){.method = "HEAD"}, "/who"), 200);
	ck_assert_str_eq(answer, "");
	ck_assert_str_eq(httpreplyfield(&reply, "Content-Length"), "1");
	httpreplyclose(&reply);
	ck_assert_int_eq(asks((Httprequest){.method = "GET"}, "/nothing"), 304);
	ck_assert_str_eq(httpreplyfield(&reply, "ETag"), "\"1\"");
	httpreplyclose(&reply);
	ck_assert_int_eq(get("/nothing?204"), 204);
	ck_assert_int_eq(get("/who"), 200);
	end();
}

TASK_TEST(a_body_comes_when_the_server_wants_it)
{
	beginone();
	int fd = says("POST /who HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
		"Expect: 100-continue\r\nConnection: close\r\n\r\n");
	hear(fd, "\r\n\r\n");
	HAS("HTTP/1.1 100 ");
	fdwrite(fd, "x", 1);
	hear(fd, NULL);
	HAS("HTTP/1.1 200 ");
	fdclose(fd);
	fd = says("PUT /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n"
		"Expect: 100-continue\r\n\r\n");
	hear(fd, NULL);
	HAS("HTTP/1.1 413 ");
	HASNOT("HTTP/1.1 100 ");
	fdclose(fd);
	end();
}

/* KiB that the proxy has had in memory at most. */
static int
peak(void)
{
	char path[64], line[256];
	int n = 0;

	snprintf(path, sizeof path, "/proc/%d/status", (int)proxy.pid);
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while(fgets(line, sizeof line, f))
		sscanf(line, "VmHWM: %d", &n);
	fclose(f);
	return n;
}

static void
download(const char *path, int64_t length)
{
	static char v[70000];
	char to[64];
	size_t at = 0;
	ssize_t n;

	snprintf(to, sizeof to, "%s%s", urlof(proxy.port), path);
	ck_assert_int_eq(httpget(&web, to, &reply), 0);
	ck_assert_int_eq(reply.length, length);
	while((n = httpreplyread(&reply, v, sizeof v)) > 0){
		ck_assert(is8(v, at, (size_t)n));
		at += (size_t)n;
	}
	ck_assert_int_eq(n, 0);
	ck_assert_uint_eq(at, bodymost);
	httpreplyclose(&reply);
}

static ssize_t
source(void *arg, void *v, size_t n)
{
	size_t *at = arg, left = bodymost - *at;

	n = n < left ? n : left;
	fill8(v, *at, n);
	*at += n;
	return (ssize_t)n;
}

static void
upload(int64_t length)
{
	char want[64];
	size_t at = 0;

	ck_assert_int_eq(asks((Httprequest){.method = "PUT", .read = source,
		.arg = &at, .length = length}, "/big"), 200);
	httpreplyclose(&reply);
	snprintf(want, sizeof want, "%lld of %zu", (long long)(length ? length :
		-1), bodymost);
	ck_assert_str_eq(answer, want);
}

TASK_TEST(long_bodies_go_through_in_pieces)
{
	if(watched())
		bodymost /= 8;
	beginone();
	ck_assert_int_eq(get("/who"), 200);
	int before = peak();
	download("/big", (int64_t)bodymost);
	download("/big?chunks", -1);
	upload((int64_t)bodymost);
	upload(0);
	int more = peak() - before;
	if(!watched() && !emulated())
		ck_assert_msg(more < 4096, "%d KiB more", more);
	end();
}

/* The other side must not wait for what the client has still to find. */
TASK_TEST(a_body_goes_on_when_the_client_pauses)
{
	beginone();
	for(int i = 0; i < 2; i++){
		ngot = 0;
		int fd = says(i ? "PUT /drip HTTP/1.1\r\nHost: h\r\n"
			"Connection: close\r\nTransfer-Encoding: chunked\r\n"
			"\r\n4\r\nhalf\r\n" : "PUT /drip HTTP/1.1\r\n"
			"Host: h\r\nConnection: close\r\n"
			"Content-Length: 8\r\n\r\nhalf");
		until(&ngot, 4);
		const char *rest = i ? "4\r\nmore\r\n0\r\n\r\n" : "more";
		ck_assert_int_gt(fdwrite(fd, rest, strlen(rest)), 0);
		hear(fd, NULL);
		HAS("HTTP/1.1 200 ");
		ck_assert_int_eq(ngot, 8);
		fdclose(fd);
	}
	end();
}

static int nask, nbad;

static void
asker(void *v)
{
	char to[64];
	Httpreply r;

	(void)v;
	snprintf(to, sizeof to, "%s/who", urlof(proxy.port));
	for(int i = 0; i < Asked; i++, nask++){
		nbad += httpget(&web, to, &r) < 0 || r.status != 200;
		httpreplyclose(&r);
	}
}

TASK_TEST(nobody_notices_that_a_server_is_killed)
{
	Group g = {0};

	beginserver(0);
	beginserver(1);
	proxy = serve("proxy", ARGS("0", url(0), url(1)));
	for(int i = 0; i < Askers; i++)
		groupspawn(&g, asker, NULL, 0);
	until(&nask, Asked);
	kill0(0);
	groupwait(&g);
	ck_assert_int_eq(nask, Askers * Asked);
	ck_assert_int_eq(nbad, 0);
	end();
}

static const Httprequest post = {.body = "x", .nbody = 1};

TASK_TEST(what_may_have_been_done_is_not_done_again)
{
	beginraw(NULL);
	beginserver(1);
	for(int i = 0; i < 2; i++){
		proxy = serve("proxy", ARGS("0", urlof(rawport), url(1)));
		int status = i ? get("/who") : asks(post, "/who");
		ck_assert_int_eq(status, i ? 200 : 502);
		httpreplyclose(&reply);
		ck_assert_int_eq(nposts, 0);
		stopproxy();
	}
	fdclose(raw);
	proxy = serve("proxy", ARGS("0", urlof(rawport), url(1)));
	ck_assert_int_eq(asks(post, "/who"), 200);
	httpreplyclose(&reply);
	ck_assert_int_eq(nposts, 1);
	raw = 0;
	end();
}

/* The server whose turn it is fails, and the other answers; then it is his. */
static void
failonce(void)
{
	int before = nraw;

	for(int i = 0; i < 2; i++){
		ck_assert_int_eq(get("/who"), 200);
		ck_assert_str_eq(answer, "B");
		ck_assert_int_eq(nraw, before + 1);
	}
}

TASK_TEST(a_server_is_left_alone_when_it_has_failed_three_times_in_a_row)
{
	beginraw(NULL);
	beginserver(1);
	proxy = serve("proxy", ARGS("0", urlof(rawport), url(1)));
	for(int i = 1; i < Fails; i++)
		failonce();
	rawsays = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	ck_assert_int_eq(get("/who"), 200);
	ck_assert_str_eq(answer, "ok");
	ck_assert_int_eq(get("/who"), 200);
	ck_assert_str_eq(answer, "B");
	/* an answer that is none counts as no answer does */
	for(int i = 0; i < Fails; i++){
		rawsays = i ? "nonsense\r\n\r\n" : NULL;
		failonce();
	}
	int before = nraw;
	int64_t from_ns = tasknow();
	for(int i = 0; i < 4; i++)
		ck_assert_int_eq(get("/who"), 200);
	if(tasknow() - from_ns < 2 * (int64_t)1000000000)
		ck_assert_int_eq(nraw, before);
	end();
}

TASK_TEST(a_server_that_all_say_is_down_is_tried_all_the_same)
{
	beginraw(NULL);
	proxy = serve("proxy", ARGS("0", urlof(rawport)));
	ck_assert_int_eq(get("/"), 502);
	rawsays = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
	ck_assert_int_eq(get("/"), 200);
	rawsays = "nonsense\r\n\r\n";
	ck_assert_int_eq(get("/"), 502);
	end();
}

TASK_TEST(an_answer_that_breaks_off_is_not_made_whole)
{
	void *text;

	for(int i = 0; i < 2; i++){
		beginraw(i ?
			"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf" :
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			"4\r\nhalf\r\n");
		proxy = serve("proxy", ARGS("0", urlof(rawport)));
		ck_assert_int_eq(httpget(&web, urlof(proxy.port), &reply), 0);
		ck_assert_int_eq(reply.status, 200);
		FAILS(httpreplybody(&reply, &text, 0), EBADMSG);
		httpreplyclose(&reply);
		stopproxy();
		fdclose(raw);
	}
}

TASK_TEST(a_late_answer_is_504_and_nobody_waits_for_it_any_more)
{
	beginserver(0);
	proxy = serve("proxy", ARGS("-d", "300", "0", url(0)));
	ck_assert_int_eq(get("/wait"), 504);
	until(&ngone, 1);
	ck_assert_int_eq(nwaiting, 1);
	end();
}

/* A listener whose queue is full keeps silent to who connects. */
TASK_TEST(to_connect_there_is_less_time)
{
	int fd[8];

	beginserver(1);
	raw = netannounce(TCP, "127.0.0.1", 0);
	rawport = portof(raw);
	ck_assert_int_eq(listen(raw, 0), 0);
	for(int i = 0; i < 8; i++){
		struct sockaddr_in sa = local(rawport);
		fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fd[i], (void *)&sa, sizeof sa);
	}
	proxy = serve("proxy", ARGS("-c", "300", "0", urlof(rawport), url(1)));
	ck_assert_int_eq(get("/who"), 200);
	ck_assert_str_eq(answer, "B");
	for(int i = 0; i < 8; i++)
		close(fd[i]);
	end();
}

TASK_TEST(who_finds_no_room_is_told_to_come_again)
{
	beginserver(0);
	proxy = serve("proxy", ARGS("-n", "1", "0", url(0)));
	int fd = says("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
	until(&nwaiting, 1);
	ck_assert_int_eq(asks((Httprequest){.method = "GET"}, "/who"), 503);
	ck_assert_str_eq(httpreplyfield(&reply, "Retry-After"), "1");
	httpreplyclose(&reply);
	go = 1;
	hear(fd, "\r\n\r\nA");
	fdclose(fd);
	while(get("/who") != 200)
		taskdelay(1);
	end();
}

TASK_TEST(who_hangs_up_is_not_waited_for)
{
	beginone();
	fdclose(says("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n"));
	until(&ngone, 1);
	int fd = says("PUT /big HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n"
		"\r\nhalf");
	taskdelay(10);
	fdclose(fd);
	ck_assert_int_eq(get("/who"), 200);
	end();
}

/* The upstream may have done it: 503 would say to come again. */
TASK_TEST(who_says_no_more_while_it_is_done_is_not_told_to_come_again)
{
	beginone();
	int fd = says("POST /wait HTTP/1.1\r\nHost: h\r\n"
		"Content-Length: 1\r\n\r\nx");
	until(&nwaiting, 1);
	shutdown(fd, SHUT_WR);
	until(&ngone, 1);
	hear(fd, NULL);
	HAS("HTTP/1.1 502 ");
	HASNOT("Retry-After");
	fdclose(fd);
	end();
}

TASK_TEST(what_was_asked_before_SIGTERM_is_answered)
{
	beginone();
	int fd = says("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
	until(&nwaiting, 1);
	ck_assert_int_eq(kill(proxy.pid, SIGTERM), 0);
	taskdelay(20);
	go = 1;
	hear(fd, NULL);
	HAS("HTTP/1.1 200 ");
	HAS("Connection: close\r\n");
	fdclose(fd);
	ck_assert_int_eq(finish(&proxy), 0);
	kill0(0);
}

PROGRAM_MAIN("proxy",
	servers_are_asked_in_turn_and_told_by_whom,
	fields_for_one_connection_go_no_further,
	who_asks_is_not_believed_for_whom,
	the_path_of_the_servers_URL_is_a_fence,
	a_target_that_the_servers_URL_makes_too_long_is_414,
	an_answer_whose_fields_are_too_many_leaves_none_behind,
	what_makes_no_proxy_is_refused_at_the_start,
	answers_without_a_body_are_that,
	a_body_comes_when_the_server_wants_it,
	long_bodies_go_through_in_pieces,
	a_body_goes_on_when_the_client_pauses,
	nobody_notices_that_a_server_is_killed,
	what_may_have_been_done_is_not_done_again,
	a_server_is_left_alone_when_it_has_failed_three_times_in_a_row,
	a_server_that_all_say_is_down_is_tried_all_the_same,
	an_answer_that_breaks_off_is_not_made_whole,
	a_late_answer_is_504_and_nobody_waits_for_it_any_more,
	to_connect_there_is_less_time,
	who_finds_no_room_is_told_to_come_again,
	who_hangs_up_is_not_waited_for,
	who_says_no_more_while_it_is_done_is_not_told_to_come_again,
	what_was_asked_before_SIGTERM_is_answered)
