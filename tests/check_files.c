/* SPDX-License-Identifier: MIT */
/* The example files: what it serves with TLS, and its certificate renewed. */
#include <sys/stat.h>

#include "certs.h"
#include "program.h"
#include "../addons/tls/tasktls.h"

enum { Patience = 15000 };

static Program served;
static char answer[1 << 16];

static void
putfile(const char *name, const char *text)
{
	FILE *f = fopen(incerts(name), "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

/* A certificate becomes the server's, as a program that renews it would do. */
static void
use(const char *name)
{
	unlink(incerts("use"));
	ck_assert_int_eq(link(incerts(name), incerts("use")), 0);
}

/* Beside the directory is what nobody may see. */
static void
begin(void)
{
	char cert[64], dir[64];

	use("good");
	ck_assert_int_eq(mkdir(incerts("www"), 0700), 0);
	putfile("www/index.html", "<p>front");
	snprintf(cert, sizeof cert, "%s", incerts("use"));
	snprintf(dir, sizeof dir, "%s", incerts("www"));
	served = serve("files", ARGS(cert, cert, dir));
}

static void
end(void)
{
	ck_assert_int_eq(kill(served.pid, SIGTERM), 0);
	ck_assert_int_eq(finish(&served), 0);
	unlink(incerts("www/index.html"));
	ck_assert_int_eq(rmdir(incerts("www")), 0);
}

/* asks with TLS for that; the subject of who answers goes into who. */
static void
ask(const char *path, char *who, size_t n)
{
	Tls *t = tlsclient(incerts("ca"));
	Timeout within;
	Tlsinfo info;
	size_t has = 0;
	ssize_t r = -1;

	ck_assert_ptr_nonnull(t);
	Stream *s = streamopen(dial(served.port), 0);
	ck_assert_int_eq(tlsalpn(t, "http/1.1"), 0);
	TIMEOUT(&within, Patience){
		r = streamtls(s, t, "good.test");
		ck_assert_msg(r == 0, "%s", tlserror());
		ck_assert_int_eq(tlsinfo(s, &info), 0);
		ck_assert_str_eq(info.protocol, "http/1.1");
		snprintf(who, n, "%s", info.subject);
		streamprint(s, "GET %s HTTP/1.1\r\nHost: h\r\n"
			"Connection: close\r\n\r\n", path);
		while((r = streamread(s, answer + has,
				sizeof answer - 1 - has)) > 0)
			has += (size_t)r;
	}
	ck_assert_msg(r == 0, "%s", strerror(errno));
	answer[has] = '\0';
	streamclose(s);
	tlsfree(t);
}

#define HAS(text) ck_assert_msg(strstr(answer, text) != NULL, \
	"no \"%s\" in: %s", text, answer)

/* A test that serves; without the example it is skipped. */
#define FILES_TEST(name) \
	TASK_TEST_BY(name, \
		char path[4200]; \
		snprintf(path, sizeof path, "%s/files", bin); \
		if(access(path, X_OK) < 0) \
			TEST_SKIP("without a library it is not built"); \
		begin(); \
		run(body); \
		end())

FILES_TEST(files_are_served_with_TLS_and_nothing_beside_them)
{
	char who[64];

	ask("/", who, sizeof who);
	HAS("HTTP/1.1 200 ");
	HAS("<p>front");
	HAS("Strict-Transport-Security: max-age=");
	ask("/none", who, sizeof who);
	HAS("HTTP/1.1 404 ");
	ask("/../good", who, sizeof who);
	HAS("HTTP/1.1 404 ");
	ask("/%2e%2e/good", who, sizeof who);
	HAS("HTTP/1.1 404 ");
}

FILES_TEST(who_speaks_no_TLS_is_turned_away_and_others_are_served)
{
	static const char plain[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
	int silent = dial(served.port), fd = dial(served.port);
	char who[64];

	put(fd, plain, strlen(plain));
	slurp(fd, answer, sizeof answer, NULL);
	ck_assert_ptr_null(strstr(answer, "front"));
	close(fd);
	ask("/", who, sizeof who);
	HAS("<p>front");
	close(silent);
}

/* sends SIGHUP, and waits for what is said of it. */
static void
hangup(const char *said)
{
	ck_assert_int_eq(kill(served.pid, SIGHUP), 0);
	slurp(served.out, answer, sizeof answer, said);
	HAS(said);
}

FILES_TEST(at_SIGHUP_the_certificate_is_read_again_if_it_is_good)
{
	char who[64];

	ask("/", who, sizeof who);
	ck_assert_str_eq(who, "CN=good");
	use("next");
	ask("/", who, sizeof who);
	ck_assert_str_eq(who, "CN=good");
	hangup("the certificate has been read again\n");
	ask("/", who, sizeof who);
	ck_assert_str_eq(who, "CN=next");
	unlink(incerts("use"));
	putfile("use", "no certificate\n");
	hangup("still the old certificate: ");
	ask("/", who, sizeof who);
	ck_assert_str_eq(who, "CN=next");
	HAS("<p>front");
}

int
main(int argc, char **argv)
{
	const TTest *const tests[] = {
		files_are_served_with_TLS_and_nothing_beside_them,
		who_speaks_no_TLS_is_turned_away_and_others_are_served,
		at_SIGHUP_the_certificate_is_read_again_if_it_is_good
	};

	if(argc != 1 || realpath(argv[0], bin) == NULL)
		return 2;
	*strrchr(bin, '/') = '\0';
	*strrchr(bin, '/') = '\0';
	makecerts();
	int failed = test_main("the example files", tests,
		sizeof tests / sizeof tests[0]);
	dropcerts();
	return failed;
}
