/* SPDX-License-Identifier: MIT */
/*
 * A web server for the files of a directory:
 * httpd [port [directory [seconds]]].
 * Look at serve, which tells a client's whole story: each client has a task
 * that lives it.  Then look at find, which lets nobody out of the directory.
 * TIMEOUT is where it waits for a client: one that says nothing, or does not
 * take what it asked for, would keep its descriptor for ever.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "listen.h"
#include "request.h"

enum { Piece = 16384 };	/* bytes of a file that are in memory at a time */

typedef struct Client
{
	Input in;
	Request asked;	/* path points into in */
	char out[Piece];
} Client;

enum { StackBytes = sizeof(Client) + 32768 };
static char *root;	/* the server is in this directory */
static unsigned int patience = 30000;	/* ms that a client has for each step */

static ssize_t
put(int fd, const void *buf, size_t n)
{
	Timeout t;
	ssize_t r = -1;

	TIMEOUT(&t, patience)
		r = fdwrite(fd, buf, n);
	return r;
}

/* answers with a file, or if there is none (-1) with the status alone. */
static void
answer(Client *c, const char *status, int file)
{
	struct stat st = {.st_size = (off_t)strlen(status)};

	if(file >= 0)
		fstat(file, &st);
	size_t n = (size_t)snprintf(c->out, Piece, "HTTP/1.1 %s\r\n"
		"Allow: GET, HEAD\r\nContent-Type: %s\r\nContent-Length: %lld"
		"\r\nConnection: %s\r\n\r\n%s", status,
		file < 0 ? "text/plain" : httptype(c->asked.path),
		(long long)st.st_size, c->asked.keep ? "keep-alive" : "close",
		file < 0 && !c->asked.head ? status : "");
	off_t left = file < 0 || c->asked.head ? 0 : st.st_size;
	for(ssize_t r = 0; n > 0 || left > 0; left -= r, n = 0){
		size_t room = Piece - n;
		size_t want = left < (off_t)room ? (size_t)left : room;
		r = want > 0 ? fdread(file, c->out + n, want) : 0;
		if((want == 0 || r > 0) &&
				put(c->in.fd, c->out, n + (size_t)r) > 0)
			continue;
		c->asked.keep = 0;	/* file or client are gone */
		break;
	}
}

/* opens what path means; -1 if it is no file in root, or has a hidden name. */
static int
find(const char *path)
{
	char full[HeaderMost + 16];
	size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);
	struct stat st;

	snprintf(full, sizeof full, ".%s", path);
	char *real = strstr(path, "/.") ? NULL : realpath(full, NULL);
	int inside = real && strncmp(real, root, n) == 0 && real[n] == '/';
	int fd = inside && stat(real, &st) == 0 && S_ISREG(st.st_mode) ?
		open(real, O_RDONLY | O_NONBLOCK | O_NOFOLLOW) : -1;
	free(real);
	return fd;
}

/* answers what is no request that is served here, and says so. */
static void
refuse(Client *c, const char *status)
{
	fprintf(stderr, "client %d: %s\n", c->in.fd, status);
	answer(c, status, -1);
}

static void
respond(Client *c)
{
	const char *status = httprequest(c->in.buf, &c->asked);
	int file = status ? -1 : find(c->asked.path);

	taskstate("%s %s", c->asked.method, c->asked.path);
	if(status)
		refuse(c, status);
	else
		answer(c, file < 0 ? "404 Not Found" : "200 OK", file);
	if(file >= 0)
		fdclose(file);
}

static void
serve(void *v)
{
	Client c = {.in.fd = (int)(intptr_t)v};
	Timeout t;
	int n = 0;

	taskname("client %d", c.in.fd);
	do{
		c.asked = (Request){.keep = 0};
		TIMEOUT(&t, patience)
			n = httpheader(&c.in);
		if(n > 0){
			respond(&c);
			httpuse(&c.in, n);
		}else if(n < 0)
			refuse(&c, c.in.n < HeaderMost ? "400 Bad Request" :
				"431 Request Header Fields Too Large");
	}while(c.asked.keep);
	/* Closing with input unread is a reset: it may overtake the answer. */
	shutdown(c.in.fd, SHUT_WR);
	TIMEOUT(&t, patience)
		for(n = 0; n < 64 && fdread(c.in.fd, c.out, Piece) > 0; n++);
	fdclose(c.in.fd);
}

void
taskmain(int argc, char **argv)
{
	int fd, listener = listenon(argc > 1 ? argv[1] : NULL);

	root = realpath(argc > 2 ? argv[2] : ".", NULL);
	if(root == NULL || chdir(root) < 0){
		perror("httpd");
		taskexit(1);
	}
	if(argc > 3)
		patience = 1000u * (unsigned)numberof(argv[3], 1, 1000000);
	while((fd = netaccept(listener, NULL, NULL)) >= 0)
		if(taskcreate(serve, (void *)(intptr_t)fd, StackBytes) < 0)
			fdclose(fd);
}
