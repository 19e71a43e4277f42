/* SPDX-License-Identifier: MIT */
/* A program as one wrote it for libtask: it must compile and run as it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <task.h>

enum
{
	STACK = 32768
};

typedef struct Counter Counter;
struct Counter
{
	QLock lk;
	Rendez done;
	int n;
};

static Counter counter;
static Channel *requests, *done;
int mainstacksize = 65536;

/* one connection: a line comes in, and goes back in capitals */
void
servetask(void *v)
{
	int i, n, fd = (int)(long)v;
	char buf[512];

	taskname("serve %d", fd);
	while((n = fdread(fd, buf, sizeof buf)) > 0){
		for(i = 0; i < n; i++)
			if('a' <= buf[i] && buf[i] <= 'z')
				buf[i] += 'A' - 'a';
		if(fdwrite(fd, buf, n) != n)
			break;
		chansendul(requests, n);
	}
	shutdown(fd, SHUT_WR);
	close(fd);
}

void
listentask(void *v)
{
	int cfd, rport, fd = *(int *)v;
	char remote[16];

	taskname("listen");
	tasksystem();
	while((cfd = netaccept(fd, remote, &rport)) >= 0){
		if(strcmp(remote, "127.0.0.1") != 0 || rport <= 0)
			taskexitall(10);
		taskcreate(servetask, (void *)(long)cfd, STACK);
	}
	taskexitall(11);
}

void
clienttask(void *v)
{
	int fd, n, have = 0, port = (int)(long)v;
	char buf[64];

	taskname("client");
	taskstate("dialing");
	if((fd = netdial(TCP, "127.0.0.1", port)) < 0)
		taskexitall(12);
	taskstate("talking");
	if(fdwrite(fd, "hello, world", 12) != 12)
		taskexitall(13);
	shutdown(fd, SHUT_WR);
	while((n = fdread(fd, buf + have, sizeof buf - have)) > 0)
		have += n;
	close(fd);
	if(have != 12 || memcmp(buf, "HELLO, WORLD", 12) != 0)
		taskexitall(14);
	qlock(&counter.lk);
	counter.n++;
	taskwakeup(&counter.done);
	qunlock(&counter.lk);
}

void
summer(void *v)
{
	unsigned long sum = 0, ticks = 0, got, t;
	Channel *ticker = v;
	Alt a[3];

	memset(a, 0, sizeof a);
	a[0].c = requests;
	a[0].v = &got;
	a[0].op = CHANRCV;
	a[1].c = ticker;
	a[1].v = &t;
	a[1].op = CHANRCV;
	a[2].op = CHANEND;
	while(sum < 5 * 12 || ticks < 2){
		if(chanalt(a) == 0)
			sum += got;
		else
			ticks += t;
	}
	chansendp(done, "done");
}

void
tick(void *v)
{
	int i;

	for(i = 0; i < 2; i++){
		taskdelay(1);
		chansendul(v, 1);
	}
}

void
taskmain(int argc, char **argv)
{
	struct sockaddr_in sa;
	socklen_t len = sizeof sa;
	Channel *ticker;
	int i, fd;

	if(argc != 2 || strcmp(argv[1], "arg") != 0 || taskid() != 1)
		taskexitall(15);
	if((fd = netannounce(TCP, "127.0.0.1", 0)) < 0)
		taskexitall(16);
	if(getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		taskexitall(17);
	fdnoblock(fd);
	requests = chancreate(sizeof(unsigned long), 4);
	done = chancreate(sizeof(void *), 0);
	ticker = chancreate(sizeof(unsigned long), 0);
	taskcreate(listentask, &fd, STACK);
	taskcreate(summer, ticker, STACK);
	taskcreate(tick, ticker, STACK);
	for(i = 0; i < 5; i++)
		taskcreate(clienttask, (void *)(long)ntohs(sa.sin_port), STACK);
	counter.done.l = &counter.lk;
	qlock(&counter.lk);
	while(counter.n < 5)
		tasksleep(&counter.done);
	qunlock(&counter.lk);
	while(taskyield() > 1)
		;
	if(strcmp(chanrecvp(done), "done") != 0)
		taskexitall(18);
	chanfree(done);
	chanfree(ticker);
	chanfree(requests);
	printf("%s\n", taskgetname());
	taskexitall(0);
}
