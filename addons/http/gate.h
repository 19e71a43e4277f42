/* SPDX-License-Identifier: MIT */
/* What a head may be, before anybody looks at what it says. */
#ifndef HTTP_GATE_H
#define HTTP_GATE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum
{
	HeadMost = 16 * 1024,	/* bytes, with the empty line */
	FieldsMost = 100,
	FieldsFew = 24,	/* for these there is room without malloc */
	TargetMost = 8000,
	TokenMost = 32,	/* a method */
	ChunkLineMost = 256
};

/* A field of a head; where it is counts from the first byte of that. */
typedef struct Field
{
	unsigned short name, nname;
	unsigned short value, nvalue;
} Field;

/*
 * A head, as far as it has come.  Begin with all zero, but for answer and few,
 * and end with gatefree.
 */
typedef struct Head
{
	unsigned int line;	/* where the one begins that is not whole */
	unsigned int seen;	/* so far there is no end of it */
	Field *field;	/* few, or malloc's */
	unsigned short nfield, room;
	unsigned short method, nmethod;	/* of a request */
	unsigned short target, ntarget;
	unsigned short host;	/* the field, from 1; 0: there is none */
	short code;	/* of an answer */
	unsigned char answer;	/* it is one */
	unsigned char minor;	/* of HTTP/1 */
	unsigned char chunked;
	unsigned char close, keep, upgrade;	/* in Connection */
	unsigned char expect;	/* 100-continue */
	int64_t length;	/* as Content-Length says, and one more; 0: nothing */
	int status;	/* once it is refused: what to answer */
	const char *why;
	Field few[FieldsFew];
} Head;

/*
 * looks at the n bytes of a head that are there so far, those of the last call
 * among them.
 * Returns how many bytes the head has, once it is whole; 0 if it is not; -1 if
 * it is refused, or with ENOMEM, and no status.
 */
int gatehead(Head *h, const char *v, size_t n);
void gatefree(Head *h);

/* refuses it: returns -1. */
int gaterefuse(Head *h, int status, const char *why);

/* fields.c: a line without its end, and what the fields mean together. */
int gatefield(Head *h, const char *v, size_t at, size_t n);
int gatefields(Head *h, const char *v);

/*
 * reads the line before a chunk, with its end, or one of the fields behind the
 * last, without.
 * Returns the size, or 0; -1 if it is refused.
 */
int64_t gatechunk(const char *v, size_t n);
int gatetrailer(const char *v, size_t n);

/* Whether the n bytes of v are the word, in capitals or not. */
static inline int
gateis(const char *v, size_t n, const char *word)
{
	return strlen(word) == n && strncasecmp(v, word, n) == 0;
}

/* What characters are: tokens, values, targets, hosts. */
enum { IsToken = 1, IsValue = 2, IsTarget = 4, IsHost = 8 };
extern const unsigned char gateclass[256];

/* How many of n bytes are of that class. */
static inline size_t
gatespan(const char *v, size_t n, int class)
{
	size_t i = 0;

	while(i < n && gateclass[(unsigned char)v[i]] & class)
		i++;
	return i;
}

#endif
