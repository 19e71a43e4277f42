/* SPDX-License-Identifier: MIT */
/* What statuses and dates look like. */
#include "call.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const lines[][20] = {
	[2] = {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 201 Created\r\n",
		"HTTP/1.1 202 Accepted\r\n",
		[4] = "HTTP/1.1 204 No Content\r\n",
		[6] = "HTTP/1.1 206 Partial Content\r\n"},
	[3] = {[1] = "HTTP/1.1 301 Moved Permanently\r\n",
		"HTTP/1.1 302 Found\r\n", "HTTP/1.1 303 See Other\r\n",
		"HTTP/1.1 304 Not Modified\r\n",
		[7] = "HTTP/1.1 307 Temporary Redirect\r\n",
		"HTTP/1.1 308 Permanent Redirect\r\n"},
	[4] = {"HTTP/1.1 400 Bad Request\r\n",
		"HTTP/1.1 401 Unauthorized\r\n",
		[3] = "HTTP/1.1 403 Forbidden\r\n",
		"HTTP/1.1 404 Not Found\r\n",
		"HTTP/1.1 405 Method Not Allowed\r\n",
		"HTTP/1.1 406 Not Acceptable\r\n",
		[8] = "HTTP/1.1 408 Request Timeout\r\n",
		"HTTP/1.1 409 Conflict\r\n", "HTTP/1.1 410 Gone\r\n",
		[12] = "HTTP/1.1 412 Precondition Failed\r\n",
		"HTTP/1.1 413 Content Too Large\r\n",
		"HTTP/1.1 414 URI Too Long\r\n",
		"HTTP/1.1 415 Unsupported Media Type\r\n",
		"HTTP/1.1 416 Range Not Satisfiable\r\n",
		"HTTP/1.1 417 Expectation Failed\r\n"},
	[5] = {"HTTP/1.1 500 Internal Server Error\r\n",
		"HTTP/1.1 501 Not Implemented\r\n",
		"HTTP/1.1 502 Bad Gateway\r\n",
		"HTTP/1.1 503 Service Unavailable\r\n",
		"HTTP/1.1 504 Gateway Timeout\r\n",
		"HTTP/1.1 505 HTTP Version Not Supported\r\n"}
};

const char *
statusline(int status)
{
	static const struct { int status; const char *line; } more[] = {
		{422, "HTTP/1.1 422 Unprocessable Content\r\n"},
		{426, "HTTP/1.1 426 Upgrade Required\r\n"},
		{428, "HTTP/1.1 428 Precondition Required\r\n"},
		{429, "HTTP/1.1 429 Too Many Requests\r\n"},
		{431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
		{451, "HTTP/1.1 451 Unavailable For Legal Reasons\r\n"}
	};

	if(status % 100 < 20)
		return lines[status / 100][status % 100];
	for(size_t i = 0; i < sizeof more / sizeof more[0]; i++)
		if(more[i].status == status)
			return more[i].line;
	return NULL;
}

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static void
digits2(char *v, int n)
{
	v[0] = (char)('0' + n / 10 % 10);
	v[1] = (char)('0' + n % 10);
}

/* The names are English whatever the locale says. */
void
datetext(char *v, int64_t s)
{
	time_t t = (time_t)s;
	struct tm tm;

	if(gmtime_r(&t, &tm) == NULL)	/* a year that no int holds */
		tm = (struct tm){.tm_mday = 1, .tm_year = 70};
	memcpy(v, "ddd, dd mmm yyyy hh:mm:ss GMT", DateBytes + 1);
	memcpy(v, days + 3 * tm.tm_wday, 3);
	digits2(v + 5, tm.tm_mday);
	memcpy(v + 8, months + 3 * tm.tm_mon, 3);
	digits2(v + 12, (tm.tm_year + 1900) / 100);
	digits2(v + 14, tm.tm_year + 1900);
	digits2(v + 17, tm.tm_hour);
	digits2(v + 20, tm.tm_min);
	digits2(v + 23, tm.tm_sec);
}

const char *
dateline(void)
{
	static _Thread_local struct { time_t s; char line[48]; } last;
	time_t s = time(NULL);

	if(s != last.s){
		memcpy(last.line, "Date: ", 6);
		datetext(last.line + 6, s);
		memcpy(last.line + 6 + DateBytes, "\r\n", 3);
		last.s = s;
	}
	return last.line;
}

/* Other forms have been obsolete since 1994. */
int64_t
dateread(const char *v)
{
	struct tm tm = {0};
	char month[4], again[DateBytes + 1];

	if(strlen(v) != DateBytes || sscanf(v + 4, " %2d %3s %4d %2d:%2d:%2d",
			&tm.tm_mday, month, &tm.tm_year, &tm.tm_hour,
			&tm.tm_min, &tm.tm_sec) != 6)
		return -1;
	const char *m = strstr(months, month);
	if(m == NULL || (m - months) % 3 != 0)
		return -1;
	tm.tm_mon = (int)(m - months) / 3;
	tm.tm_year -= 1900;
	int64_t s = timegm(&tm);
	datetext(again, s);
	return memcmp(again, v, DateBytes) == 0 ? s : -1;
}
