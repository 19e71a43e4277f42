/* SPDX-License-Identifier: MIT */
/* Files as answers. */
#include "call.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is told of a file, and which part of it is asked for. */
typedef struct Wanted
{
	struct stat st;
	char etag[40];
	char modified[DateBytes + 1];
	int64_t from, to;	/* the first byte, the one behind the last */
} Wanted;

/* opens what a piece of a path names; -1. */
static int
step(int dir, const char *name, size_t n, int flags)
{
	char text[NAME_MAX + 1];

	if(n == 0 || n > NAME_MAX || *name == '.')
		return callfail(ENOENT);
	memcpy(text, name, n);
	text[n] = '\0';
	return openat(dir, text, flags | O_NOFOLLOW | O_CLOEXEC);
}

/*
 * goes down piece by piece, so that no link and no ".." leads out of dir: not
 * even one that is made meanwhile.  O_NONBLOCK is for a pipe that nobody
 * writes.
 */
static int
walk(int dir, const char *path)
{
	int at = dir;

	for(;;){
		size_t n = strcspn(path, "/");
		int last = path[n] == '\0';
		int how = last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY;
		int fd = last && n == 0 ? step(at, "index.html", 10, how) :
			step(at, path, n, how);
		if(at != dir)
			close(at);
		if(fd < 0 || last)
			return fd;
		at = fd;
		path += n + 1;
	}
}

static const char *
filetype(const char *path)
{
	static const char *const types[][2] = {
		{".html", "text/html; charset=utf-8"},
		{".css", "text/css; charset=utf-8"},
		{".js", "text/javascript; charset=utf-8"},
		{".json", "application/json"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".jpg", "image/jpeg"},
		{".gif", "image/gif"},
		{".webp", "image/webp"},
		{".ico", "image/x-icon"},
		{".woff2", "font/woff2"},
		{".wasm", "application/wasm"},
		{".pdf", "application/pdf"},
		{".txt", "text/plain; charset=utf-8"},
		{".md", "text/plain; charset=utf-8"},
		{NULL, "application/octet-stream"}};
	size_t n = strlen(path);
	const char *dot = n == 0 || path[n - 1] == '/' ? ".html" :
		strrchr(path, '.');
	int i = 0;

	while(types[i][0] && (dot == NULL || strcasecmp(dot, types[i][0]) != 0))
		i++;
	return types[i][1];
}

/* Whether what a client has is what there is. */
static int
unchanged(const Http *h, const Wanted *w)
{
	const char *tags = httpfield(h, "If-None-Match");
	const char *since = httpfield(h, "If-Modified-Since");

	if(tags){
		const char *weak = strstr(tags, w->etag);
		return strcmp(tags, "*") == 0 || weak != NULL;
	}
	int64_t s = since ? dateread(since) : -1;
	return s >= 0 && w->st.st_mtime <= s;
}

/* Whether a part fits what a client has of the file. */
static int
samefile(const Http *h, const Wanted *w)
{
	const char *v = httpfield(h, "If-Range");

	return v == NULL || strcmp(v, w->etag) == 0 ||
		strcmp(v, w->modified) == 0;
}

/* A number of bytes; -1 if there is none, INT64_MAX if it is larger. */
static int64_t
number(const char **v)
{
	char *end;

	if(**v < '0' || **v > '9')
		return -1;
	int err = errno;
	int64_t n = strtoll(*v, &end, 10);
	errno = err;
	*v = end;
	return n;
}

/*
 * finds which part is asked for: 1, or 0 if it is all, as when it is asked for
 * several, or -1 if there is no such part.
 */
static int
part(const Http *h, Wanted *w)
{
	const char *v = httpfield(h, "Range");
	int64_t size = w->st.st_size;

	if(v == NULL || strcmp(h->method, "GET") != 0 ||
			strncasecmp(v, "bytes=", 6) != 0 || !samefile(h, w))
		return 0;
	v += 6;
	int64_t from = number(&v);
	if(*v++ != '-')
		return 0;
	int64_t to = number(&v);
	if(*v != '\0' || (from < 0 && to < 0) || (from >= 0 && to >= 0 &&
			to < from))
		return 0;
	if(from < 0){
		w->from = to < size ? size - to : 0;
		return to > 0 && size > 0 ? 1 : -1;
	}
	if(from >= size)
		return -1;
	w->from = from;
	w->to = to >= 0 && to < size ? to + 1 : size;
	return 1;
}

/* tells where the part is; of none (-1), how large the file is. */
static int
tellrange(Http *h, const Wanted *w, int part)
{
	char text[80];

	if(part > 0)
		snprintf(text, sizeof text, "bytes %lld-%lld/%lld",
			(long long)w->from, (long long)w->to - 1,
			(long long)w->st.st_size);
	else
		snprintf(text, sizeof text, "bytes */%lld",
			(long long)w->st.st_size);
	return httpset(h, "Content-Range", text);
}

static int
sendpart(Http *h, int fd, const Wanted *w, int status, const char *type)
{
	Call *c = callof(h);

	if(httphead(h, status, type, w->to - w->from) < 0)
		return -1;
	if(!c->silent && callputfile(c, fd, w->from, w->to - w->from) < 0)
		return -1;
	return httpend(h);
}

static int
sendwanted(Http *h, int fd, Wanted *w, const char *type)
{
	snprintf(w->etag, sizeof w->etag, "\"%llx.%lx-%llx\"",
		(unsigned long long)w->st.st_mtim.tv_sec,
		(unsigned long)w->st.st_mtim.tv_nsec,
		(unsigned long long)w->st.st_size);
	datetext(w->modified, w->st.st_mtime);
	w->from = 0;
	w->to = w->st.st_size;
	if(httpset(h, "ETag", w->etag) < 0 ||
			httpset(h, "Last-Modified", w->modified) < 0 ||
			httpset(h, "Accept-Ranges", "bytes") < 0)
		return -1;
	if(unchanged(h, w))
		return httphead(h, 304, NULL, -1) < 0 ? -1 : httpend(h);
	int r = part(h, w);
	if(r != 0 && tellrange(h, w, r) < 0)
		return -1;
	return r < 0 ? httperror(h, 416) : sendpart(h, fd, w,
		r > 0 ? 206 : 200, type);
}

/*
 * What a page says of its neighbours counts from the slash.  Two of them at the
 * front would be another host.
 */
static int
redirect(Http *h)
{
	Call *c = callof(h);
	const char *path = h->path + strspn(h->path, "/");
	size_t n = strlen(path) + strlen(h->query) + 4;
	char *to = callalloc(c, n);

	if(to == NULL)
		return -1;
	snprintf(to, n, *h->query ? "/%s/?%s" : "/%s/", path, h->query);
	return httpset(h, "Location", to) < 0 ? -1 : httperror(h, 301);
}

static int
sendany(Http *h, int fd, const char *path)
{
	Wanted w;

	if(fstat(fd, &w.st) < 0)
		return httperror(h, 404);
	if(S_ISREG(w.st.st_mode))
		return sendwanted(h, fd, &w, filetype(path));
	return S_ISDIR(w.st.st_mode) ? redirect(h) : httperror(h, 404);
}

int
httpfile(Http *h, int dir, const char *path)
{
	if(path == NULL)
		return callfail(EINVAL);
	if(h->status)
		return callfail(EALREADY);
	int fd = walk(dir, path);
	if(fd < 0)
		return httperror(h, errno == EMFILE || errno == ENFILE ||
			errno == ENOMEM ? 503 : errno == EACCES ? 403 : 404);
	int r = sendany(h, fd, path), err = errno;
	close(fd);
	errno = err;
	return r;
}
