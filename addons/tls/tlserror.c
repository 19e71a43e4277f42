/* SPDX-License-Identifier: MIT */
/* What was wrong, in words. */
#include "tls.h"
#include <stdio.h>

enum { ErrorBytes = 256 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key = -1;

/* Where there is no task, or no memory for one's own text. */
static _Thread_local char ofthread[ErrorBytes];

static void
makekey(void)
{
	key = taskkey(free);
}

/* returns the running task's text; make: also if there is none yet. */
static char *
mine(int make)
{
	if(taskid() == 0)
		return ofthread;
	pthread_once(&once, makekey);
	char *text = key < 0 ? ofthread : tasklocal(key);
	if(text || !make)
		return text;
	text = calloc(1, ErrorBytes);
	if(text && tasksetlocal(key, text) < 0){
		free(text);
		text = NULL;
	}
	return text ? text : ofthread;
}

/* forgets what OpenSSL has noted; returns whether memory was wanting. */
static int
nomemory(void)
{
	unsigned long code;
	int r = 0;

	while((code = ERR_get_error()) != 0)
		r |= ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
	return r;
}

int
tls_fail(int err, const char *what, const char *why)
{
	char *text = mine(1);
	const char *data = "";
	int flags = 0;
	unsigned long code = ERR_peek_error_data(&data, &flags);

	if(why || code == 0)
		data = "";
	if(why == NULL && code)
		why = ERR_reason_error_string(code);
	snprintf(text, ErrorBytes, "%s: %s%s%s", what,
		why ? why : strerror(err),
		(flags & ERR_TXT_STRING) && *data ? ": " : "",
		flags & ERR_TXT_STRING ? data : "");
	if(nomemory() && err != ENOMEM){
		err = ENOMEM;
		snprintf(text, ErrorBytes, "%s: %s", what, strerror(err));
	}
	errno = err;
	return -1;
}

const char *
tlserror(void)
{
	int err = errno;
	const char *text = mine(0);

	errno = err;
	return text ? text : "";
}
