/* SPDX-License-Identifier: MIT */
/* A request and its answer, between the files of the server. */
#ifndef HTTP_CALL_H
#define HTTP_CALL_H

#include "message.h"
#include "taskhttp.h"

struct iovec;

enum
{
	PartBytes = 256 * 1024,	/* for each of these there is a deadline */
	DrainBytes = 64 * 1024,	/* of a body that nobody has read */
	DrainMs = 5000,	/* for these to come, once the answer is written */
	SetMost = HeadMost,
	TypeMost = 127,
	SetFew = 128,	/* for so many there is room without malloc */
	ParamsMost = 8
};

/* How the end of an answer is told. */
enum { OutNone, OutLength, OutChunks, OutClose };

/* What a part of a route's path stands for, in the request's. */
typedef struct Param
{
	unsigned short name, nname;
	unsigned short value, nvalue;
} Param;

/* Memory for strings that have been decoded. */
typedef struct Piece Piece;

typedef struct Call Call;

/*
 * It lies on the stack of httpserve, and is used for one request after the
 * other.
 */
struct Call
{
	Http h;	/* comes first: see callof */
	Server *of;
	const char *why;	/* for the log: what was wrong */
	Piece *pieces;
	char *set;	/* fields of the answer: few, or malloc's */
	unsigned int nset;
	unsigned int setroom;	/* bytes that set has room for */
	unsigned short status;	/* what is due if there is no answer */
	unsigned short next;	/* in before; behind them is the route */
	unsigned char routed;
	unsigned char nparam;
	unsigned char keep;	/* the next request may come */
	unsigned char broken;	/* what was written is not an answer */
	unsigned char out;
	unsigned char silent;	/* the answer's body is not sent */
	unsigned char ended;	/* the answer is whole */
	unsigned char events;	/* it ends with the function */
	unsigned char expects;	/* to be told that its body may come */
	unsigned char late;	/* a deadline has ended the last wait for it */
	unsigned char busy;	/* it is counted among those that are */
	unsigned char logged;
	int64_t left;	/* of the answer, if its length is known */
	int64_t deadline_ns;	/* of this part of the body; 0: none yet */
	Message m;
	Param param[ParamsMost];
	char few[SetFew];

	/* These go on from one request to the next. */
	int leaves;	/* it is ended if its task ends, from a request on */
	int64_t waited_ns;	/* for room, with this part of what goes out */
	size_t put;	/* bytes of it so far */
	size_t queued;	/* put into the stream since it was empty */
};

static inline Call *
callof(const Http *h)
{
	return (Call *)(uintptr_t)h;
}

/* returns -1, with that errno. */
int callfail(int err);

/* request.c */

/* memory until the call has ended, or NULL. */
char *callalloc(Call *c, size_t n);
void callunalloc(Call *c);	/* of the last one */
void callfree(Call *c);

/* Whether word is in a list with commas, in capitals or not. */
int calllisted(const char *list, const char *word);

/* answer.c */

/*
 * These write, and note it in the call if they fail: n pieces, of PartBytes at
 * most; n bytes, in as many parts as they take; what is in the stream.  All the
 * waits for PartBytes together have a deadline; time in between is no wait.
 */
int callput(Call *c, const struct iovec *v, int n);
int callput1(Call *c, const void *v, size_t n);
int callflush(Call *c);

/* The same of n bytes of a file, from offset at on. */
int callputfile(Call *c, int fd, int64_t at, int64_t n);

/* status.c */

/* "HTTP/1.1 404 Not Found\r\n"; NULL if it has no name. */
const char *statusline(int status);

/* "Date: ... GMT\r\n", of now; good until the next call. */
const char *dateline(void);

enum { DateBytes = 29 };	/* Sun, 06 Nov 1994 08:49:37 GMT */

/* writes a date, with a zero byte. */
void datetext(char *v, int64_t s);

/* returns the second of such a text; -1 if it is none. */
int64_t dateread(const char *v);

/* route.c: has the request answered by who is to. */
void callroute(Call *c);

#endif
