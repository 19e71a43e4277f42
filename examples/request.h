/* SPDX-License-Identifier: MIT */
/* What httpd has to know of requests. */
#include "http.h"

typedef struct Request
{
	char method[16];
	const char *path;	/* decoded; it begins with a slash */
	int head;	/* the answer is to have no body */
	int keep;	/* another request may follow */
} Request;

/* decodes %XX in place; -1 if it is wrong or stands for a control character. */
static inline int
httpdecode(char *path)
{
	char *to = path;

	for(const char *s = path; *s; s++, to++){
		*to = *s;
		if(*s == '%'){
			if(strspn(s + 1, "0123456789ABCDEFabcdef") < 2)
				return -1;
			*to = (char)strtol((char[]){s[1], s[2], '\0'}, NULL,
				16);
			s += 2;
		}
		if((unsigned char)*to < ' ')
			return -1;
	}
	*to = '\0';
	return 0;
}

/*
 * Whether all lines after the first are fields as RFC 9112 has them: a name, a
 * colon, no control characters, and both characters of the line's end.  Others
 * read "Content-Length : 3", or a line that ends with \n alone, as they like;
 * and if what is a body to them is a request to us, somebody can slip us one.
 */
static inline int
httpfields(const char *s)
{
	static const char name[] = "!#$%&'*+-.^_`|~0123456789"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	while(strncmp(s, "\r\n", 2) == 0){
		s += 2;
		if(*s == '\0')
			return 1;
		size_t n = strspn(s, name);
		if(n == 0 || s[n] != ':')
			return 0;
		for(s += n; *s == '\t' || (unsigned char)*s >= ' '; s++)
			if(*s == '\177')
				return 0;
	}
	return 0;
}

/* takes a header apart, in place; NULL, or the status to refuse it with. */
static inline const char *
httprequest(char *header, Request *r)
{
	int from = 0, end = 0, rest = 0;
	char minor = 0;

	*r = (Request){.path = ""};
	sscanf(header, "%15[A-Z]%*1[ ]%n%*[!-~]%n%*1[ ]HTTP/1.%c%n", r->method,
		&from, &end, &minor, &rest);
	if(rest == 0 || strchr("01", minor) == NULL ||
			!httpfields(header + rest))
		return "400 Bad Request";
	r->head = strcmp(r->method, "HEAD") == 0;
	if(!r->head && strcmp(r->method, "GET") != 0)
		return "405 Method Not Allowed";

	const char *fields = header + rest;
	const char *connection = httpfield(fields, "Connection");
	if(minor == '1')
		r->keep = strncasecmp(connection, "close", 5) != 0;
	else
		r->keep = strncasecmp(connection, "keep-alive", 10) == 0;
	/* nobody reads a body here, so what follows it cannot be understood */
	if(*httpfield(fields, "Content-Length") ||
			*httpfield(fields, "Transfer-Encoding"))
		r->keep = 0;

	char *path = header + from;
	header[end] = '\0';
	path[strcspn(path, "?")] = '\0';
	const char *host = httpfield(fields, "Host");
	if((minor == '1' && *host == '\0') || *httpfield(host, "Host") ||
			*path != '/' || httpdecode(path) < 0){
		r->keep = 0;
		return "400 Bad Request";
	}
	r->path = strcmp(path, "/") == 0 ? "/index.html" : path;
	return NULL;
}

/* The kind of a file, by its name. */
static inline const char *
httptype(const char *path)
{
	static const char *const types[][2] = {
		{".html", "text/html; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".png", "image/png"},
		{".txt", "text/plain; charset=utf-8"},
		{".md", "text/plain; charset=utf-8"},
		{".c", "text/plain; charset=utf-8"},
		{".h", "text/plain; charset=utf-8"},
		{".S", "text/plain; charset=utf-8"},
		{NULL, "application/octet-stream"}};
	const char *dot = strrchr(path, '.');
	int i = 0;

	while(types[i][0] && (dot == NULL || strcmp(dot, types[i][0]) != 0))
		i++;
	return types[i][1];
}
