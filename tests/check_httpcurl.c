/* SPDX-License-Identifier: MIT */
/* The server of HTTP, asked by curl as users do. */
#include "httptest.h"

enum { Big = 1 << 20 };

static char dir[] = "/tmp/check_httpcurl.XXXXXX";
static int root;

static void
file(Http *h)
{
	httpfile(h, root, httpparam(h, "*"));
}

static void
echo(Http *h)
{
	void *v;
	ssize_t n = httpbody(h, &v, 0);

	if(n >= 0)
		httpreply(h, 200, "text/plain", v, (size_t)n);
}

static const Httproute routes[] = {
	{"GET", "/f/*", file, NULL},
	{NULL, "/echo", echo, NULL},
	{NULL, NULL, NULL, NULL}
};

/* Whether there is a curl. */
static int
hascurl(void)
{
	return system("curl --version >/dev/null 2>&1") == 0;
}

static void
makefile(const char *name, size_t n)
{
	FILE *f = fdopen(openat(root, name, O_WRONLY | O_CREAT, 0600), "w");

	ck_assert_ptr_nonnull(f);
	for(size_t i = 0; i < n; i++)
		putc('a' + (int)(i * 2654435761u >> 13) % 26, f);
	ck_assert_int_eq(fclose(f), 0);
}

static void
beginsite(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	root = open(dir, O_RDONLY | O_DIRECTORY);
	makefile("small", 1000);
	makefile("big", Big);
	site.most = Big;
	begin(routes);
}

static void
endsite(void)
{
	end();
	unlinkat(root, "small", 0);
	unlinkat(root, "big", 0);
	close(root);
	ck_assert_int_eq(rmdir(dir), 0);
}

/*
 * runs a command of the shell, in which $C is curl and $U the server's URL, in
 * the directory of the files; what it prints is in answer.
 */
static void
curl(const char *command)
{
	char url[64];
	int fds[2];

	snprintf(url, sizeof url, "http://127.0.0.1:%d", serverport(&server));
	ck_assert_int_eq(pipe(fds), 0);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if(pid == 0){
		dup2(fds[1], 1);
		setenv("U", url, 1);
		setenv("C", "curl -q -sS --noproxy *", 1);
		if(fchdir(root) == 0)
			execl("/bin/sh", "sh", "-fc", command, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	fdnoblock(fds[0]);
	slurp(fds[0]);
	fdclose(fds[0]);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

#define SAYS(command, text) \
	do{ \
		curl(command); \
		ck_assert_str_eq(answer, text); \
	}while(0)

#define CODE "-o /dev/null -w '%{http_code} %{size_download}' "

TASK_TEST(curl_asks_for_files_and_parts_of_them)
{
	if(!hascurl())
		TEST_SKIP("there is no curl");
	beginsite();
	SAYS("$C $U/f/small | cmp - small && echo same", "same\n");
	SAYS("$C $U/f/big | cmp - big && echo same", "same\n");
	SAYS("$C -I " CODE "$U/f/big", "200 0");
	SAYS("$C -I $U/f/small | grep -ci '^content-length: 1000'", "1\n");
	SAYS("$C " CODE "-r 10-19 $U/f/small", "206 10");
	SAYS("$C " CODE "-r -7 $U/f/small", "206 7");
	SAYS("$C " CODE "-z small $U/f/small", "304 0");
	SAYS("$C " CODE "-z '1 Jan 2000' $U/f/small", "200 1000");
	SAYS("$C " CODE "$U/f/none", "404 14");
	SAYS("$C --http1.0 $U/f/big | cmp - big && echo same", "same\n");
	endsite();
}

TASK_TEST(curl_sends_bodies_by_length_in_chunks_and_when_it_is_told_to)
{
	if(!hascurl())
		TEST_SKIP("there is no curl");
	beginsite();
	SAYS("$C -H 'Expect: 100-continue' --data-binary @big $U/echo |"
		"cmp - big && echo same", "same\n");
	SAYS("$C -v -H 'Expect: 100-continue' --data-binary @big $U/echo "
		"2>&1 >/dev/null | grep -c '^< HTTP/1.1 100'", "1\n");
	SAYS("$C -T - $U/echo <big | cmp - big && echo same", "same\n");
	SAYS("$C --http1.0 --data-binary @small $U/echo | cmp - small &&"
		"echo same", "same\n");
	SAYS("cat big small | $C " CODE "-H 'Expect: 100-continue' "
		"--data-binary @- $U/echo", "413 22");
	SAYS("$C " CODE "$U/f/small", "200 1000");
	endsite();
}

TASK_TEST(curl_keeps_a_connection)
{
	if(!hascurl())
		TEST_SKIP("there is no curl");
	beginsite();
	SAYS("$C -o /dev/null -o /dev/null -w '%{num_connects} ' "
		"$U/f/small $U/f/big", "1 0 ");
	SAYS("$C -o /dev/null -o /dev/null -w '%{num_connects} ' "
		"-d a=b $U/echo $U/echo", "1 0 ");
	SAYS("$C --http1.0 -o /dev/null -o /dev/null -w '%{num_connects} ' "
		"$U/f/small $U/f/small", "1 1 ");
	endsite();
}

TEST_MAIN("httpcurl",
	curl_asks_for_files_and_parts_of_them,
	curl_sends_bodies_by_length_in_chunks_and_when_it_is_told_to,
	curl_keeps_a_connection)
