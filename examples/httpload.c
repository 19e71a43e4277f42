/* SPDX-License-Identifier: MIT */
/*
 * Loads a web server: httpload connections requests host port path.
 * Look at client: each connection is a task that asks and waits for the answer,
 * again and again.  When no requests are left it says so over a channel.
 */
#define _POSIX_C_SOURCE 200809L
#include <time.h>
#include "http.h"

static char *host, request[2048];
static int port, nclient;
static int nbegun;	/* clients that have had an answer */
static long nrequest;	/* still to be sent */
static unsigned long long nerror, nbyte;

static double
seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* reads an answer; returns whether it is good.  keep: another may follow. */
static int
answer(Input *in, int *keep)
{
	int n = httpheader(in);

	*keep = 0;
	if(n <= 0)
		return 0;
	const char *length = httpfield(in->buf, "Content-Length");
	long long left = strtoll(length, NULL, 10);
	int good = strncmp(in->buf, "HTTP/1.1 2", 10) == 0 && *length &&
		left >= 0;
	int last =
		strncasecmp(httpfield(in->buf, "Connection"), "close", 5) == 0;
	nbyte += (unsigned)n;
	httpuse(in, n);
	while(left > 0){
		if(in->n == 0){
			ssize_t r = fdread(in->fd, in->buf, HeaderMost);
			if(r <= 0)
				return 0;
			in->n = (size_t)r;
		}
		n = left < (long long)in->n ? (int)left : (int)in->n;
		nbyte += (unsigned)n;
		left -= n;
		httpuse(in, n);
	}
	*keep = good && !last;
	return good;
}

static void
client(void *done)
{
	Input in = {.fd = -1};
	int keep, first = 1;

	for(taskname("client"); nrequest > 0; first = 0){
		nrequest--;
		if(in.fd < 0)
			in = (Input){.fd = netdial(TCP, host, port)};
		if(in.fd < 0 || fdwrite(in.fd, request, strlen(request)) < 0 ||
				!answer(&in, &keep)){
			nerror++;
			keep = 0;
		}
		if(!keep && in.fd >= 0){
			fdclose(in.fd);
			in.fd = -1;
		}
		if(first && ++nbegun == nclient){
			printf("%d connections are at work\n", nclient);
			fflush(stdout);
		}
	}
	if(in.fd >= 0)
		fdclose(in.fd);
	chansendul(done, 0);
}

void
taskmain(int argc, char **argv)
{
	Channel *done = chancreate(sizeof(unsigned long), 0);

	if(argc != 6 || done == NULL || (nclient = atoi(argv[1])) < 1){
		fputs("usage: httpload connections requests host port path\n",
			stderr);
		taskexit(2);
	}
	long n = nrequest = atol(argv[2]);
	host = argv[3];
	port = atoi(argv[4]);
	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n",
		argv[5], host);
	double start = seconds();
	for(int i = 0; i < nclient; i++)
		if(taskcreate(client, done, 32768) < 0)
			perror("httpload"), taskexitall(1);
	for(int i = 0; i < nclient; i++)
		chanrecvul(done);
	printf("%.0f requests per second, %llu errors, %llu bytes\n",
		(double)n / (seconds() - start), nerror, nbyte);
	taskexitall(nerror > 0);
}
