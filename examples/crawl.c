/* SPDX-License-Identifier: MIT */
/*
 * Follows links from page to page, four pages at a time.  The pages are served
 * by this program itself, so that there is something to crawl anywhere.
 * Look at fetch: it gives a page 500 ms, and none of the calls in between knows
 * of that.  A page that takes longer costs its connection and no more.
 */
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <task.h>

enum { Pages = 15, Slow = 5, Limit = 4 };

static int port;

/* The server: a page is its links, one to a line. */
static void
servepage(void *v)
{
	int fd = (int)(intptr_t)v;
	char buf[64];
	ssize_t n = fdread(fd, buf, sizeof buf - 1);

	tasksystem();
	if(n > 0){
		buf[n] = '\0';
		int page = atoi(buf);
		if(page == Slow)
			taskdelay(60000);
		n = 0;
		for(int link = 2 * page + 1; link <= 2 * page + 2; link++)
			if(link < Pages)
				n += sprintf(buf + n, "%d\n", link);
		fdwrite(fd, buf, (size_t)n);
	}
	fdclose(fd);
}

static void
serve(void *v)
{
	int fd, listener = (int)(intptr_t)v;

	tasksystem();
	while((fd = netaccept(listener, NULL, NULL)) >= 0)
		if(taskcreate(servepage, (void *)(intptr_t)fd, 0) < 0)
			fdclose(fd);
}

/* The crawler */

static int found[Pages], nfound, nfetching, nfetched, nlate;
static Rendez news;	/* a page has been fetched */

static void
note(int page)
{
	for(int i = 0; i < nfound; i++)
		if(found[i] == page)
			return;
	found[nfound++] = page;
}

/* reads a page whole; returns how much it is, or -1. */
static ssize_t
get(int page, char *buf, size_t size)
{
	char request[16];
	ssize_t n = -1;
	int fd = netdial(TCP, "127.0.0.1", port);

	if(fd < 0)
		return -1;
	sprintf(request, "%d\n", page);
	if(fdwrite(fd, request, strlen(request)) > 0)
		n = fdreadn(fd, buf, size);
	fdclose(fd);
	return n;
}

static void
fetch(void *v)
{
	int page = (int)(intptr_t)v;
	char buf[256], *s = buf;
	ssize_t n = -1;
	Timeout t;

	TIMEOUT(&t, 500)
		n = get(page, buf, sizeof buf - 1);
	if(timeoutfired(&t)){
		printf("page %d takes too long\n", page);
		nlate++;
	}
	if(n >= 0){
		nfetched++;
		for(buf[n] = '\0'; *s; s = strchr(s, '\n') + 1)
			note(atoi(s));
	}
	nfetching--;
	taskwakeup(&news);
}

void
taskmain(int argc, char **argv)
{
	Group g = {.limit = Limit};
	struct sockaddr_in addr;
	socklen_t size = sizeof addr;
	int next = 0, listener = netannounce(TCP, "127.0.0.1", 0);

	(void)argc, (void)argv;
	if(listener < 0 || getsockname(listener, (struct sockaddr *)&addr,
			&size) < 0){
		perror("crawl");
		taskexitall(1);
	}
	port = ntohs(addr.sin_port);
	taskcreate(serve, (void *)(intptr_t)listener, 0);
	note(0);
	for(;;){
		while(next < nfound){
			nfetching++;
			groupspawn(&g, fetch, (void *)(intptr_t)found[next++],
				0);
		}
		if(nfetching == 0)
			break;
		tasksleep(&news);
	}
	groupwait(&g);
	printf("%d pages, %d of them too late\n", nfetched + nlate, nlate);
}
