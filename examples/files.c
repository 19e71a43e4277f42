/* SPDX-License-Identifier: MIT */
/*
 * A web server with TLS for the files of a directory:
 * files cert.pem key.pem directory [port].
 *
 * Look at serve: it puts TLS on a connection, and all that comes after is as
 * without.  A client has some seconds for the handshake, as for all its steps
 * (limit in serve.h).  At SIGHUP renew reads the certificate again: connections
 * from then on are shown the new one, others are not disturbed, and if it is no
 * good all goes on with the old one.  httpfile lets nobody out of the
 * directory.
 *
 *	kill -HUP $(pidof files)
 */
#include <fcntl.h>
#include <unistd.h>
#include <tasktls.h>
#include "serve.h"

static Tls *tls;
static int dir;	/* the directory */
static Channel *hangups;	/* that came as signals */

static int
serve(Server *s, Stream *c, void *site)
{
	Timeout t;
	Tlsinfo info;
	int r = tlsinfo(c, &info);	/* fails at first */

	if(r < 0)
		TIMEOUT(&t, StepMs)
			r = streamtls(c, tls, NULL);
	if(r < 0){
		fprintf(stderr, "no TLS: %s\n", tlserror());
		return 0;
	}
	return httpserve(s, c, site);
}

/* Browsers are not to guess what a file is, nor to come without TLS again. */
static void
secure(Http *h)
{
	httpset(h, "X-Content-Type-Options", "nosniff");
	httpset(h, "Strict-Transport-Security", "max-age=86400");
	httpnext(h);
}

static void
file(Http *h)
{
	const char *path = httpparam(h, "*");

	if(path)
		httpfile(h, dir, path);
	else
		httperror(h, 400);	/* it cannot be decoded */
}

/* It is the last to end, when the channel is closed: so it gives back both. */
static void
renew(void *v)
{
	int sig;

	(void)v;
	taskname("renew");
	while(chanrecv(hangups, &sig) > 0){
		if(tlsreload(tls) < 0)
			printf("still the old certificate: %s\n", tlserror());
		else
			printf("the certificate has been read again\n");
		fflush(stdout);
	}
	chanfree(hangups);
	tlsfree(tls);
}

static void
renewathangup(void)
{
	hangups = chancreate(sizeof(int), 1);
	if(hangups == NULL || signalwatch(SIGHUP, hangups) < 0 ||
			taskcreate(renew, NULL, 65536) < 0){
		perror("SIGHUP");
		taskexitall(1);
	}
}

static const Httproute routes[] = {
	{"GET", "/*", file, NULL},
	{NULL, NULL, NULL, NULL}
};
static void (*const before[])(Http *) = {secure, NULL};

void
taskmain(int argc, char **argv)
{
	static Httpserver site = {.routes = routes, .before = before};
	static Server server = {.fn = serve, .arg = &site};

	if(argc < 4){
		fputs("usage: files cert.pem key.pem directory [port]\n",
			stderr);
		taskexitall(2);
	}
	tls = tlsserver(argv[1], argv[2]);
	if(tls == NULL || tlsalpn(tls, "http/1.1") < 0){
		fprintf(stderr, "%s: %s\n", argv[1], tlserror());
		taskexitall(1);
	}
	dir = open(argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if(dir < 0){
		perror(argv[3]);
		taskexitall(1);
	}
	limit(&server, &site);
	renewathangup();
	serveuntilsignal(&server, argc > 4 ? argv[4] : NULL);
	close(dir);
	chanclose(hangups);
}
