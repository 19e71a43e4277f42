/* SPDX-License-Identifier: MIT */
/* TLS with other programs at the other end: openssl, curl, nginx. */
#include <sys/stat.h>

#include "tlstest.h"

static int port;

/* returns why programs cannot be run here, or NULL. */
static const char *
norun(void)
{
	return valgrind() ? "Valgrind has no pidfd_open" :
		emulated() ? "an emulator would run them" : NULL;
}

static int
spawned(Child *c, char *const argv[])
{
	*c = (Child){.fd = {CHILDPIPE, CHILDPIPE, CHILDNULL}};
	int r = childspawn(c, argv);
	ck_assert_msg(r >= 0 || errno == ENOENT, "%s: %s", argv[0],
		strerror(errno));
	return r >= 0;
}

static void
ended(Child *c)
{
	fdclose(c->fd[0]);
	fdclose(c->fd[1]);
	childwait(c, NULL);
}

/* Each line comes back; after "bye" that is all. */
static int nserved, nresumed;
static char agreed[64];

static void
serve(void *v)
{
	Stream *s = streamopen((int)(intptr_t)v, 0);
	Tlsinfo info;
	char *line;

	if(streamtls(s, server, NULL) == 0){
		ck_assert_int_eq(tlsinfo(s, &info), 0);
		nresumed += info.resumed;
		snprintf(agreed, sizeof agreed, "%s %s", info.version,
			info.protocol ? info.protocol : "-");
		nserved++;
		while(streamline(s, &line) >= 0){
			streamprint(s, "%s\r\n", line);
			if(strcmp(line, "bye") == 0 || *line == '\0')
				break;
		}
	}
	streamclose(s);
}

static void
listener(void *v)
{
	int fd, at = *(int *)v;

	tasksystem();
	while((fd = netaccept(at, NULL, NULL)) >= 0)
		beside(serve, (void *)(intptr_t)fd);
}

static void
listening(void)
{
	static int at;

	at = netannounce(TCP, "127.0.0.1", 0);
	ck_assert_int_ge(at, 0);
	port = portof(at);
	beside(listener, &at);
}

static void
hearsline(Stream *s, const char *text)
{
	char *line;

	while(streamline(s, &line) >= 0)
		if(strstr(line, text))
			return;
	ck_abort_msg("no \"%s\": %s", text, strerror(errno));
}

/* openssl as a client, which says that; returns 0 if there is none. */
static int
asksbyopenssl(const char *version, const char *session, const char *file)
{
	char connect[32];
	Child c;

	snprintf(connect, sizeof connect, "127.0.0.1:%d", port);
	char *const argv[] = {"openssl", "s_client", "-connect", connect,
		"-servername", "good.test", "-verify_hostname", "good.test",
		"-CAfile", (char *)(uintptr_t)incerts("ca"),
		"-verify_return_error", "-ign_eof",
		(char *)(uintptr_t)version, (char *)(uintptr_t)session,
		(char *)(uintptr_t)file, NULL};
	if(!spawned(&c, argv))
		return 0;
	Stream *s = streamopen(dup(c.fd[1]), 0);
	ck_assert_int_eq(fdwrite(c.fd[0], "hello\n", 6), 6);
	hearsline(s, "hello");
	ck_assert_int_eq(fdwrite(c.fd[0], "bye\n", 4), 4);
	hearsline(s, "bye");
	ended(&c);
	streamclose(s);
	return 1;
}

/* runs body with a server of ours that listens. */
#define SERVER_TEST(name) \
	TASK_TEST_BY(name, if(norun()) TEST_SKIP(norun()); run(body); \
		freesides())

SERVER_TEST(openssl_is_served_and_resumes_its_sessions)
{
	char file[64];

	tlssides("good");
	listening();
	for(int i = 0; i < 2; i++){
		const char *version = i ? "-tls1_3" : "-tls1_2";
		snprintf(file, sizeof file, "%s", incerts("log"));
		if(!asksbyopenssl(version, "-sess_out", file))
			TEST_SKIP("there is no openssl");
		ck_assert_int_eq(nserved, 2 * i + 1);
		ck_assert_int_eq(nresumed, i);
		ck_assert_int_eq(tlsreload(server), 0);
		asksbyopenssl(version, "-sess_in", file);
		ck_assert_int_eq(nresumed, i + 1);
		ck_assert_str_eq(agreed, i ? "TLSv1.3 -" : "TLSv1.2 -");
	}
}

/* curl, which asks for a page; returns its status, or -1 if there is none. */
static int
asksbycurl(const char *name, const char *ca)
{
	char url[64], resolve[64];
	Child c;

	snprintf(url, sizeof url, "https://%s:%d/", name, port);
	snprintf(resolve, sizeof resolve, "%s:%d:127.0.0.1", name, port);
	char *const argv[] = {"curl", "--silent", "--http0.9", "--cacert",
		(char *)(uintptr_t)incerts(ca), "--resolve", resolve,
		"--max-time", "20", url, NULL};
	if(!spawned(&c, argv))
		return -1;
	fdclose(c.fd[0]);
	Stream *s = streamopen(dup(c.fd[1]), 0);
	char *line;
	while(streamline(s, &line) >= 0)
		;
	streamclose(s);
	fdclose(c.fd[1]);
	int status = 0;
	ck_assert_int_eq(childwait(&c, &status), 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

SERVER_TEST(curl_is_served_and_refuses_what_it_should)
{
	enum { Untrusted = 60 };

	tlssides("good");
	ck_assert_int_eq(tlsalpn(server, "http/1.1"), 0);
	addcert("wild");
	listening();
	int r = asksbycurl("good.test", "ca");
	if(r < 0)
		TEST_SKIP("there is no curl");
	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(agreed, "TLSv1.3 http/1.1");
	ck_assert_int_eq(asksbycurl("a.wild.test", "ca"), 0);
	ck_assert_int_eq(asksbycurl("good.test", "other"), Untrusted);
	ck_assert_int_eq(asksbycurl("other.test", "ca"), Untrusted);
}

/* Servers that are other programs */

static int
freeport(void)
{
	int fd = netannounce(TCP, "127.0.0.1", 0), n = portof(fd);

	fdclose(fd);
	return n;
}

/* returns a stream with TLS to the port, once somebody is there. */
static Stream *
reach(int *resumed)
{
	Tlsinfo info;
	int fd = -1;

	for(int i = 0; i < 2000 && fd < 0; i++){
		fd = netdial(TCP, "127.0.0.1", port);
		if(fd < 0)
			taskdelay(5);
	}
	ck_assert_int_ge(fd, 0);
	Stream *s = streamopen(fd, 0);
	ck_assert_msg(streamtls(s, client, "good.test") == 0, "%s",
		tlserror());
	ck_assert_int_eq(tlsinfo(s, &info), 0);
	ck_assert_str_eq(info.subject, "CN=good");
	*resumed = info.resumed;
	return s;
}

static void
reversed(int resumes)
{
	int resumed;
	Stream *s = reach(&resumed);

	ck_assert_int_eq(resumed, resumes);
	says(s, "stressed\n");
	hears(s, "desserts\n");
	streamclose(s);
}

static int
byopenssl(const char *version)
{
	char accept[32];
	Child c;

	port = freeport();
	snprintf(accept, sizeof accept, "127.0.0.1:%d", port);
	char *const argv[] = {"openssl", "s_server", "-accept", accept, "-cert",
		(char *)(uintptr_t)incerts("good"), "-key",
		(char *)(uintptr_t)incerts("good"), "-rev", "-quiet",
		(char *)(uintptr_t)version, NULL};
	if(!spawned(&c, argv))
		return 0;
	reversed(0);
	reversed(1);
	reversed(1);
	childkill(&c, SIGKILL);
	ended(&c);
	return 1;
}

SERVER_TEST(sessions_with_openssl_are_resumed)
{
	tlssides("good");
	if(!byopenssl("-tls1_3"))
		TEST_SKIP("there is no openssl");
	ck_assert_int_eq(tlsreload(client), 0);
	byopenssl("-tls1_2");
}

static void
configure(void)
{
	FILE *f = fopen(incerts("conf"), "w");

	fprintf(f, "daemon off; master_process off; pid %s; error_log %s;\n"
		"events { worker_connections 64; }\n"
		"http { access_log off; server {\n"
		"listen 127.0.0.1:%d ssl; ssl_certificate %s;\n"
		"ssl_certificate_key %s; root %s; } }\n", incerts("pid"),
		incerts("log"), port, incerts("good"), incerts("good"),
		certdir);
	fclose(f);
}

enum { FileBytes = 3000000 };

static void
makefile(void)
{
	FILE *f = fopen(incerts("use"), "w");

	for(int i = 0; i < FileBytes; i++)
		putc(i % 251, f);
	fclose(f);
}

/* A file, of a server that tells the end; it waits for ours. */
static void
fetch(int resumes)
{
	int resumed, i = 0;
	Stream *s = reach(&resumed);
	char *line, buf[5000];
	ssize_t n;

	ck_assert_int_eq(resumed, resumes);
	streamprint(s, "GET /use HTTP/1.1\r\nHost: good.test\r\n"
		"Connection: close\r\n\r\n");
	ck_assert_int_gt(streamline(s, &line), 0);
	ck_assert_str_eq(line, "HTTP/1.1 200 OK");
	while(streamline(s, &line) > 0)
		;
	while((n = streamread(s, buf, sizeof buf)) > 0)
		for(ssize_t at = 0; at < n; at++, i++)
			if((unsigned char)buf[at] != i % 251)
				ck_abort_msg("another byte at %d", i);
	ck_assert_msg(n == 0, "%s", tlserror());
	ck_assert_int_eq(i, FileBytes);
	ck_assert_int_eq(streamclose(s), 0);
}

SERVER_TEST(nginx_sends_a_large_file_and_resumes)
{
	Child c;

	tlssides("good");
	port = freeport();
	configure();
	makefile();
	char *const argv[] = {"nginx", "-c",
		(char *)(uintptr_t)incerts("conf"), NULL};
	if(!spawned(&c, argv))
		TEST_SKIP("there is no nginx");
	ck_assert_int_eq(chmod(certdir, 0755), 0);
	ck_assert_int_eq(tlsalpn(client, "http/1.1"), 0);
	fetch(0);
	fetch(1);
	childkill(&c, SIGKILL);
	ended(&c);
}

int
main(void)
{
	const TTest *const tests[] = {
		openssl_is_served_and_resumes_its_sessions,
		curl_is_served_and_refuses_what_it_should,
		sessions_with_openssl_are_resumed,
		nginx_sends_a_large_file_and_resumes
	};

	makecerts();
	int failed = test_main("tls and others", tests,
		sizeof tests / sizeof tests[0]);
	dropcerts();
	return failed;
}
