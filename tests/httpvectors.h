/* SPDX-License-Identifier: MIT */
/*
 * Requests that somebody reads otherwise than somebody else, or that nobody can
 * read: what each is to be answered with first.  Behind one that is not 200
 * nothing is answered, and the connection is closed.  Many are in the lists of
 * those who have looked for such in other servers.
 */
#ifndef HTTPVECTORS_H
#define HTTPVECTORS_H

#include <stddef.h>

typedef struct Vector
{
	int status;
	const char *text;
	size_t n;
} Vector;

#define V(status, text) {status, text, sizeof text - 1}
#define GET1 "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
#define POST1 "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
#define CHUNKED POST1 "Transfer-Encoding: chunked\r\n\r\n"
#define INNER "GET /inner HTTP/1.1\r\nHost: h\r\n\r\n"

static const Vector vectors[] = {
	/* what must be let in */
	V(200, GET1 "\r\n"),
	V(200, "\r\n" GET1 "\r\n"),
	V(200, "GET / HTTP/1.0\r\n\r\n"),
	V(200, "GET /?a=/../%zz|^{}`\\ HTTP/1.0\r\n\r\n"),
	V(200, "GET http://h/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
		"\r\n"),
	V(200, "GET HTTPS://H:1?x HTTP/1.1\r\nHost: h:1\r\nConnection: close"
		"\r\n\r\n"),
	V(200, GET1 "X:\r\nY: \t \r\nZ:a\tb \xff\r\n\r\n"),
	V(200, GET1 "Accept: a\r\nAccept: b\r\n\r\n"),
	V(200, POST1 "Content-Length: 005\r\n\r\nhello"),
	V(200, POST1 "content-length:5 \r\n\r\nhello"),
	V(200, POST1 "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n"),
	V(200, CHUNKED "5\r\nhello\r\n00a\r\n0123456789\r\n0\r\n\r\n"),
	V(200, CHUNKED "5;a=b\r\nhello\r\n0\r\nX: y\r\nDigest: z\r\n\r\n"),
	V(200, "GET / HTTP/1.1\r\nHost:\r\nConnection: a, close\r\n\r\n"),
	V(200, GET1 "Expect: 100-Continue\r\n\r\n"),
	V(200, "DELETE /a%2fb%20c HTTP/1.1\r\nHost: [::1]:80\r\n"
		"Connection: close\r\n\r\n"),

	/* lines */
	V(400, "GET / HTTP/1.1\nHost: h\n\n"),
	V(400, "GET / HTTP/1.1\r\nHost: h\n\r\n"),
	V(400, "GET / HTTP/1.1\r\nHost: h\r\n\n"),
	V(400, GET1 "X: a\nContent-Length: 5\r\n\r\nhello"),
	V(400, GET1 "X: a\rContent-Length: 5\r\n\r\nhello"),
	V(400, GET1 "X: \rxTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	V(400, GET1 "\rX: y\r\n\r\n"),
	V(400, GET1 "X: y\r\r\n\r\n"),
	V(400, "\n" GET1 "\r\n"),
	V(400, "\r\n\r\n" GET1 "\r\n"),
	V(400, "\r" GET1 "\r\n"),

	/* the request line */
	V(400, "GET /\r\n\r\n"),
	V(400, "GET\r\n\r\n"),
	V(400, " GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET  / HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET /  HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET / HTTP/1.1 \r\nHost: h\r\n\r\n"),
	V(400, "GET / HTTP/1.1 HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET / http/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET / HTTP/1\r\nHost: h\r\n\r\n"),
	V(400, "GET / HTTP/11\r\nHost: h\r\n\r\n"),
	V(400, "GET / HTTP/1.01\r\nHost: h\r\n\r\n"),
	V(400, "GET / HTTP/ 1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET / HTTPS/1.1\r\nHost: h\r\n\r\n"),
	V(505, "GET / HTTP/1.2\r\nHost: h\r\n\r\n"),
	V(505, "GET / HTTP/0.9\r\nHost: h\r\n\r\n"),
	V(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	V(400, "\x16\x03\x01\x02\x00\x01"),
	V(400, "GE\0T / HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "G(T / HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "G\xc3\x84T / HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(501, "get / HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(501, "GETT / HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(501, "BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n\r\n"),

	/* the target */
	V(400, "GET x HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET ?x HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET * HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET http://a@h/ HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET http://i/ HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(501, "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"),
	V(400, "GET /#x HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET /\\x HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET /<x> HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET /%0 HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET /%gg HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET /a\x01 HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET /a\x7f HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n"),
	V(400, "GET /\rx HTTP/1.1\r\nHost: h\r\n\r\n"),

	/* fields */
	V(400, GET1 " X: y\r\n\r\n"),
	V(400, GET1 "X: y\r\n z\r\n\r\n"),
	V(400, GET1 "X: y\r\n\tz\r\n\r\n"),
	V(400, "GET / HTTP/1.1\r\n Host: h\r\n\r\n"),
	V(400, GET1 "X : y\r\n\r\n"),
	V(400, POST1 "Content-Length : 5\r\n\r\nhello"),
	V(400, POST1 "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
	V(400, POST1 "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"),
	V(400, GET1 "X\r\n\r\n"),
	V(400, GET1 ": y\r\n\r\n"),
	V(400, GET1 "X y: z\r\n\r\n"),
	V(400, GET1 "X(: y\r\n\r\n"),
	V(400, GET1 "\xc3\xa4: y\r\n\r\n"),
	V(400, GET1 "X: a\0b\r\n\r\n"),
	V(400, GET1 "X\0: a\r\n\r\n"),
	V(400, GET1 "X: a\x01\r\n\r\n"),
	V(400, GET1 "X: a\x7f\r\n\r\n"),
	V(400, GET1 "X: a\x0b\r\n\r\n"),
	V(417, GET1 "Expect: something\r\n\r\n"),
	V(417, GET1 "Expect: 100-continue, 100-continue\r\n\r\n"),
	V(400, GET1 "Connection: close\x01\r\n\r\n"),
	V(400, GET1 "Connection: (\r\n\r\n"),

	/* the host */
	V(400, "GET / HTTP/1.1\r\n\r\n"),
	V(400, "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n"),
	V(400, "GET / HTTP/1.1\r\nHost: h\r\nhost: i\r\n\r\n"),
	V(400, "GET / HTTP/1.0\r\nHost: h\r\nHost: i\r\n\r\n"),
	V(400, "GET / HTTP/1.1\r\nHost: h i\r\n\r\n"),
	V(400, "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n"),
	V(400, "GET / HTTP/1.1\r\nHost: a@h\r\n\r\n"),
	V(400, "GET / HTTP/1.1\r\nHost: h?\r\n\r\n"),

	/* lengths */
	V(400, POST1 "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
	V(400, POST1 "Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello"),
	V(400, POST1 "Content-Length: 5, 5\r\n\r\nhello"),
	V(400, POST1 "Content-Length: +5\r\n\r\nhello"),
	V(400, POST1 "Content-Length: -5\r\n\r\nhello"),
	V(400, POST1 "Content-Length: 0x5\r\n\r\nhello"),
	V(400, POST1 "Content-Length: 5 0\r\n\r\nhello"),
	V(400, POST1 "Content-Length: 5;\r\n\r\nhello"),
	V(400, POST1 "Content-Length: 5e0\r\n\r\nhello"),
	V(400, POST1 "Content-Length: 5.0\r\n\r\nhello"),
	V(400, POST1 "Content-Length: \"5\"\r\n\r\nhello"),
	V(400, POST1 "Content-Length: \x0b" "5\r\n\r\nhello"),
	V(400, POST1 "Content-Length:\r\n\r\nhello"),
	V(400, POST1 "Content-Length: 18446744073709551621\r\n\r\nhello"),
	V(400, POST1 "Content-Length: 9223372036854775808\r\n\r\nhello"),
	V(413, POST1 "Content-Length: 99999999999\r\n\r\nhello"),

	/* encodings */
	V(400, POST1 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
		"0\r\n\r\n" INNER),
	V(400, POST1 "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
		"0\r\n\r\n" INNER),
	V(400, POST1 "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"
		"0\r\n\r\n" INNER),
	V(400, POST1 "Transfer-Encoding: chunked\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	V(501, POST1 "Transfer-Encoding: identity\r\n\r\n" INNER),
	V(501, POST1 "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
	V(501, POST1 "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
	V(501, POST1 "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
	V(501, POST1 "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
	V(501, POST1 "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n"),
	V(501, POST1 "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"),
	V(501, POST1 "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
	V(501, POST1 "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"),
	V(501, POST1 "Transfer-Encoding:\r\n\r\n0\r\n\r\n"),
	V(501, POST1 "Transfer-Encoding: identity\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	V(400, POST1 "Transfer-Encoding: \x0b" "chunked\r\n\r\n0\r\n\r\n"),
	V(501, POST1 "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
	V(400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
		"0\r\n\r\n"),

	/* chunks */
	V(400, CHUNKED "1\r\nAxx0\r\n\r\n"),
	V(400, CHUNKED "0x1\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED "+1\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED "-1\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED " 1\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED "1 \r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED "1_0\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED "g\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED "\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED ";a=b\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED "1\nA\n0\n\n"),
	V(400, CHUNKED "1\r\nA\n0\r\n\r\n"),
	V(400, CHUNKED "1\r\nA\r0\r\n\r\n"),
	V(400, CHUNKED "1\rA\r\n0\r\n\r\n"),
	V(400, CHUNKED "1\r\nAB\r\n0\r\n\r\n"),
	V(400, CHUNKED "3\r\nAB\r\n0\r\n\r\n"),
	V(400, CHUNKED "1;\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED "1;a\nb\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED "1;a\rb\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED "1;a=\x01\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED "1;a=\0\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED "1 ;a=b\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED "ffffffffffffffff1\r\nA\r\n0\r\n\r\n"),
	V(400, CHUNKED "10000000000000001\r\nA\r\n0\r\n\r\n"),
	V(413, CHUNKED "200000\r\n"),
	V(400, CHUNKED "0\r\nX: y\n\r\n"),
	V(400, CHUNKED "0\r\nX : y\r\n\r\n"),
	V(400, CHUNKED "0\r\nX: y\r\n z\r\n\r\n"),
	V(400, CHUNKED "0\r\n\n"),
	V(400, CHUNKED "0\n\n"),
	V(400, CHUNKED "0\r\nX\r\n\r\n")
};

enum { Vectors = sizeof vectors / sizeof vectors[0] };

#endif
