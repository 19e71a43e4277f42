/* SPDX-License-Identifier: MIT */
/*
 * What it takes a server to accept connections and close them, from clients
 * that do nothing but connect and reset: accept [handed | reuseport [procs]].
 * One proc hands them to the others, or each accepts.  It prints CPU time, and
 * how far apart they were, the clients having the same processors.
 */
#include "bench.h"
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { Clients = 4, WarmMs = 300, Ms = 2000, ProcsMost = 64 };

static _Atomic long naccepted;

static int
count(Server *s, Stream *c, void *v)
{
	(void)s, (void)c, (void)v;
	naccepted++;
	return 0;
}

static Server server = {.fn = count};

/* A reset leaves no port taken.  One connection at a time. */
static void
connects(int port, int me)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in from = {.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK + 1 + (unsigned int)me)}};
	int one = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for(;;){
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one,
			sizeof one);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0},
			sizeof(struct linger));
		if(bind(fd, (struct sockaddr *)&from, sizeof from) < 0 ||
				connect(fd, (struct sockaddr *)&to,
				sizeof to) < 0)
			break;
		/* until it is accepted, and closed there */
		recv(fd, &(char){0}, 1, 0);
		close(fd);
	}
	perror("connect");
	_exit(1);
}

static void
stays(void *v)
{
	chanrecvul(v);
}

static void
start(int shared, int nprocs)
{
	int procs[ProcsMost] = {procself()};
	Channel *c = chanshared(sizeof(unsigned long), 0);

	server.reuseport = shared;
	for(int i = 1; i < nprocs; i++)
		procs[i] = proccreate(stays, c, StackBytes);
	if(serverstart(&server, "127.0.0.1", 0) < 0 ||
			serverspread(&server, procs, nprocs) < 0){
		perror("server");
		exit(1);
	}
	for(int i = 1; i < nprocs; i++)
		chansendul(c, 0);
}

void
taskmain(int argc, char **argv)
{
	int shared = argc > 1 && strcmp(argv[1], "reuseport") == 0;
	int nprocs = number(argc, argv, 2, 2);
	pid_t clients[Clients];

	start(shared, nprocs < ProcsMost ? nprocs : ProcsMost);
	for(int i = 0; i < Clients; i++)
		if((clients[i] = fork()) == 0)
			connects(serverport(&server), i);
	taskdelay(WarmMs);
	long before = naccepted;
	int64_t cpu = cpuns(), at = nowns();
	taskdelay(Ms);
	double s = (double)(nowns() - at) / 1e9;
	double n = (double)(naccepted - before);
	printf("accept %.2f us\naccept-wall %.2f us\n",
		(double)(cpuns() - cpu) / n / 1000, 1e6 * s / n);
	fflush(stdout);
	for(int i = 0; i < Clients; i++){
		kill(clients[i], SIGKILL);
		waitpid(clients[i], NULL, 0);
	}
	_exit(0);
}
