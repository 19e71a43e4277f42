/* SPDX-License-Identifier: MIT */
/*
 * A clock and a counter that all who look see change at once, by server-sent
 * events: sse [port [ms between ticks]], and then a browser, or
 *
 *	curl -N localhost:8080/events
 *	curl -X POST localhost:8080/count
 *
 * Look at watch: a client's task sleeps until something is new, and tells it.
 * Nobody keeps a queue for anybody: who is slow is told the latest when it can
 * take it, and others do not wait for it.  Who has hung up is noticed when the
 * clock next ticks, at latest the time after, and then nothing is left of it.
 * Who connects anew is told how things stand, so no event needs an id.
 */
#include <string.h>
#include <time.h>
#include "serve.h"

enum { WatchersMost = 100 };	/* of RequestsMost: others want to count */

static unsigned int tick_ms = 1000;
static Server server;
static Rendez news;
static time_t now;
static unsigned long count, nnews;	/* what is new has a number */
static int nwatchers;

static void
change(void)
{
	nnews++;
	taskwakeupall(&news);
}

static void
tick(void *v)
{
	(void)v;
	taskname("clock");
	tasksystem();
	for(;;){
		now = time(NULL);
		change();
		taskdelay(tick_ms);
	}
}

/* Returns 0, or -1: the client has gone. */
static int
tell(Http *h)
{
	struct tm tm;
	char text[32];

	strftime(text, sizeof text, "%H:%M:%S", localtime_r(&now, &tm));
	if(httpevent(h, "clock", NULL, text) < 0)
		return -1;
	snprintf(text, sizeof text, "%lu", count);
	return httpevent(h, "count", NULL, text);
}

static void
watch(Http *h)
{
	unsigned long told;

	if(nwatchers == WatchersMost){
		httperror(h, 503);
		return;
	}
	nwatchers++;
	taskstate("watches, with %d in all", nwatchers);
	if(httpevents(h) == 0)
		do
			told = nnews;
		while(tell(h) == 0 && !serverstopping(&server) &&
			(told != nnews || tasksleep(&news) == 0));
	nwatchers--;
}

static void
add(Http *h)
{
	count++;
	change();
	httpreply(h, 204, NULL, NULL, 0);
}

static void
watchers(Http *h)
{
	char text[32];
	int n = snprintf(text, sizeof text, "%d\n", nwatchers);

	httpreply(h, 200, "text/plain", text, (size_t)n);
}

static void
page(Http *h)
{
	static const char text[] = "<!doctype html><title>Events</title>"
		"<meta name=viewport content='width=device-width'>"
		"<style>body { font: 2em sans-serif; text-align: center }"
		"button { font: inherit }</style>"
		"<p id=clock>no clock</p><p id=count>0</p>"
		"<button onclick=\"fetch('count', {method: 'POST'})\">"
		"one more</button><script>"
		"const events = new EventSource('events')\n"
		"for(const id of ['clock', 'count'])\n"
		"events.addEventListener(id, e => document.getElementById(id)"
		".textContent = e.data)</script>";

	httpreply(h, 200, "text/html; charset=utf-8", text, strlen(text));
}

static const Httproute routes[] = {
	{"GET", "/", page, NULL},
	{"GET", "/events", watch, NULL},
	{"GET", "/watchers", watchers, NULL},
	{"POST", "/count", add, NULL},
	{NULL, NULL, NULL, NULL}
};

void
taskmain(int argc, char **argv)
{
	static Httpserver site = {.routes = routes};

	if(argc > 2)
		tick_ms = (unsigned int)numberof(argv[2], 1, 1000000);
	server.fn = httpserve;
	server.arg = &site;
	limit(&server, &site);
	if(taskcreate(tick, NULL, 32768) < 0)
		taskexitall(1);
	serveuntilsignal(&server, argc > 1 ? argv[1] : NULL);
}
