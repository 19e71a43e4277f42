/* SPDX-License-Identifier: MIT */
/*
 * Loads an HTTP server of this directory: load [option value] ... port.
 *
 *	-c connections, each asks again when it is answered (1)
 *	-r requests that are measured (1000), after a quarter of that to warm up
 *	-i idle connections beside them, which ask for nothing (0)
 *	-t milliseconds to think before a request (0)
 *	-p the server's process: prints what of the CPU it took for a request,
 *	   and, if there are idle ones, what memory each took
 *	-n the name of that line (http)
 *
 * It is written on epoll, to be as light as can be; it shares nothing with what
 * it measures.
 */
#include "answer.h"
#include "process.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

enum
{
	EventsMost = 512,
	FromEach = 5000,	/* from one address: ports are few */
	ConnsMost = 100000,
	Tries = 200	/* of so long each, for it to accept all */
};

static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
static const char *pid;
static int port, thinkms, set, nopen;
static int have[ConnsMost];	/* bytes of the answer, by descriptor */
static char first[1024];	/* the first answer: all are as long */
static int answerbytes;
static int active[ConnsMost];
static long left;	/* requests to be sent */

static int
dial(void)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + nopen++ / FromEach);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)port);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
	if(fd < 0 || fd >= ConnsMost ||
			bind(fd, (struct sockaddr *)&from, sizeof from) < 0 ||
			connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	/* closed with a reset: no port stays taken for a minute */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
		sizeof(struct linger));
	return fd;
}

static void
ask(int fd)
{
	const ssize_t n = sizeof request - 1;

	left--;
	if(thinkms > 0)
		pausefor(thinkms);
	if(send(fd, request, (size_t)n, MSG_NOSIGNAL) != n)
		die("send");
}

/* asks once, to see how long an answer is.  It may say what day it is. */
static void
learn(int fd)
{
	const char *body;

	ask(fd);
	do{
		ssize_t n = recv(fd, first + answerbytes, sizeof first - 1 -
			(size_t)answerbytes, 0);
		if(n <= 0)
			die("the first answer");
		answerbytes += (int)n;
		first[answerbytes] = '\0';
		body = strstr(first, "\r\n\r\nHello, world\n");
	}while(body == NULL);
}

/* reads on; returns whether the answer is whole. */
static int
answered(int fd)
{
	char buf[sizeof first];
	size_t rest = (size_t)(answerbytes - have[fd]);
	ssize_t n = recv(fd, buf, rest, 0);

	if(n <= 0)
		die(n < 0 ? "recv" : "the server has hung up");
	if(have[fd] == 0 && memcmp(answer, buf, n < 15 ? (size_t)n : 15) != 0){
		fputs("load: this is not the answer\n", stderr);
		exit(1);
	}
	have[fd] += (int)n;
	if(have[fd] < answerbytes)
		return 0;
	have[fd] = 0;
	return 1;
}

/* n requests over nconn connections; at the end none is on its way. */
static void
run(int nconn, long n)
{
	struct epoll_event events[EventsMost];
	long due = n;

	left = n;
	for(int i = 0; i < nconn && left > 0; i++)
		ask(active[i]);
	while(due > 0){
		int k = epoll_wait(set, events, EventsMost, 10000);
		if(k <= 0)
			die("no answer");
		for(int i = 0; i < k; i++)
			if(answered(events[i].data.fd)){
				due--;
				if(left > 0)
					ask(events[i].data.fd);
			}
	}
}

static int
nfds(void)
{
	char path[64];
	int n = 0;

	snprintf(path, sizeof path, "/proc/%s/fd", pid);
	DIR *dir = opendir(path);
	while(dir && readdir(dir))
		n++;
	if(dir)
		closedir(dir);
	return n;
}

/* idle connections, until the server has accepted them all. */
static void
beside(int nidle)
{
	int want = pid ? nfds() + nidle : 0;
	long before = pid ? residentof(pid) : 0;

	for(int i = 0; i < nidle; i++)
		dial();
	if(pid == NULL)
		return;
	for(int i = 0; nfds() < want; i++){
		pausefor(SettleMs);
		if(i == Tries){
			fputs("load: not all are accepted\n", stderr);
			exit(1);
		}
	}
	printf("http-idle-memory %.2f KiB\n",
		(double)(residentof(pid) - before) / nidle);
}

int
main(int argc, char **argv)
{
	const char *name = "http";
	int opt, nconn = 1, nidle = 0;
	long n = 1000;

	while((opt = getopt(argc, argv, "c:r:i:t:p:n:")) != -1)
		switch(opt){
		case 'c': nconn = atoi(optarg); break;
		case 'r': n = atol(optarg); break;
		case 'i': nidle = atoi(optarg); break;
		case 't': thinkms = atoi(optarg); break;
		case 'p': pid = optarg; break;
		case 'n': name = optarg; break;
		default: return 2;
		}
	port = optind < argc ? atoi(argv[optind]) : 0;
	set = epoll_create1(EPOLL_CLOEXEC);
	for(int i = 0; i < nconn && nconn < ConnsMost; i++){
		active[i] = dial();
		if(epoll_ctl(set, EPOLL_CTL_ADD, active[i], &(struct
				epoll_event){EPOLLIN, {.fd = active[i]}}) < 0)
			die("epoll_ctl");
	}
	learn(active[0]);
	run(nconn, n / 4 + nconn);
	if(nidle > 0)
		beside(nidle);
	double ns = pid ? cpuof(pid) : 0;
	run(nconn, n);
	if(pid)
		printf("%s %.3f us\n", name,
			(cpuof(pid) - ns) / (double)n / 1000);
	return 0;
}
