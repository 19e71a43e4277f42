/* SPDX-License-Identifier: MIT */
/* The HTTP server on State Threads: a thread for each connection. */
#include "server.h"
#include <st.h>

static void *
serve(void *v)
{
	st_netfd_t fd = v;
	uint32_t last = 0;
	char buf[ReadMost];
	ssize_t n;

	while((n = st_read(fd, buf, sizeof buf, ST_UTIME_NO_TIMEOUT)) > 0)
		for(int i = requests(&last, buf, (size_t)n); i > 0; i--)
			st_write(fd, answer, AnswerBytes, ST_UTIME_NO_TIMEOUT);
	st_netfd_close(fd);
	return NULL;
}

int
main(void)
{
	st_netfd_t fd, listener;

	st_set_eventsys(ST_EVENTSYS_ALT);
	if(*st_get_eventsys_name() == '\0')	/* built without epoll */
		st_set_eventsys(ST_EVENTSYS_POLL);
	if(st_init() < 0)
		die("st_init");
	listener = st_netfd_open_socket(listenhere());
	while((fd = st_accept(listener, NULL, NULL, ST_UTIME_NO_TIMEOUT))){
		nodelay(st_netfd_fileno(fd));
		if(st_thread_create(serve, fd, 0, 32768) == NULL)
			st_netfd_close(fd);
	}
	return 1;
}
