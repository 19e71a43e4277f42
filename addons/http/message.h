/* SPDX-License-Identifier: MIT */
/*
 * Messages as they come over a stream, requests and answers: the head through
 * the gate and the parser, and then the body, piece by piece.
 */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include "gate.h"
#include <llhttp.h>
#include <task.h>

/* How the end of a body is known. */
enum { BodyNone, BodyLength, BodyChunks, BodyUntilEnd };

/*
 * One message.  messagestart makes it ready; messagefree ends it, and leaves
 * what comes next in the stream.
 */
typedef struct Message
{
	Stream *s;
	char *v;	/* its bytes, a zero behind each name, value, word */
	unsigned int n;	/* bytes of it; 0: it is not there yet */
	char *own;	/* v, once it is not in the stream's buffer any more */
	unsigned char body;	/* how its end is known; BodyNone behind it */
	unsigned char bodiless;	/* of an answer: it was asked for the head */
	unsigned char complete;	/* the parser says so */
	unsigned char begun;	/* an empty line was before it: one may */
	unsigned char inchunk;	/* a chunk's end is still to come */
	unsigned char trailing;	/* the last chunk has come */
	unsigned int trailers;	/* bytes behind it */
	int64_t left;	/* of the body, or of this chunk */
	int64_t got;	/* bytes of the body that were read */
	int64_t most;	/* that it may have */
	uint64_t parsedlength;	/* what the parser says of the head */
	unsigned int parsedflags;
	Head head;	/* its room for fields is not cleared for each */
	llhttp_t parser;	/* neither is that, before the head is whole */
} Message;

/*
 * bodiless: an answer to HEAD, which has no body whatever it says.  Bodies may
 * be of any length until most says otherwise.
 */
void messagestart(Message *m, Stream *s, int answer, int bodiless);
void messagefree(Message *m);

/*
 * messagehead reads the head, or, if it is not to wait, looks whether it is
 * there.  It stays in the stream's buffer, and what
 * messagefield and v give is good until the next call that reads.
 * messagekeep takes it out of there, for the time until messagefree: do that at
 * once if there is a body, before messagebody.
 * Returns 1; 0 if the stream ends before it; -1 with EBADMSG, and what to
 * answer in head.status; or -1 with EAGAIN (it is not to wait) or as
 * streampeek, then it can be called again.
 * Blocks: until the head has come.
 */
int messagehead(Message *m, int wait);
int messagekeep(Message *m);

/* The first field of that name, or NULL; the next from the one numbered at. */
const char *messagefield(const Message *m, const char *name);
const char *messagenext(const Message *m, const char *name, int *at);

/* The field at place i, from 0: 1, or 0 if there is none. */
int messagefieldat(const Message *m, int i, const char **name,
	const char **value);

/*
 * messagebody reads what there is of the body, n bytes at most.
 * Returns how many; 0 behind it; -1 with EBADMSG if it is none, or if it ends
 * too soon, EMSGSIZE if it is going to be longer than most; or as streamread.
 * Blocks: until there is something.
 */
ssize_t messagebody(Message *m, void *v, size_t n);

/* Whether another message may follow this one, once its body has been read. */
int messagemore(const Message *m);

#endif
