/* SPDX-License-Identifier: MIT */
/* tasktop PATH, or -p PID: shows once a second what a program's tasks do. */
#include "topcolumns.h"
#include "toprows.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static unsigned int delay_ms = 1000;

static int top;
static int width = 80, height = 24;

static void
putsummary(FILE *f, const char *end)
{
	size_t ready = 0;

	for(size_t i = 0; i < nrows; i++)
		ready += strcmp(rows[i].state, "ready") == 0;
	fprintf(f, "%zu tasks, %zu ready, %s%s", nrows, ready, problem, end);
}

static void
draw(void)
{
	const char *end = "\033[K\r\n";
	int lines = height - 3;

	fitcolumns(0);
	sortrows();
	if(top > (int)nrows - lines)
		top = (int)nrows - lines;
	if(top < 0)
		top = 0;
	printf("\033[H");
	putsummary(stdout, end);
	printf("\033[7m");
	putheads(stdout, width, "\033[m\033[K\r\n");
	for(int i = top; i < (int)nrows && i < top + lines; i++)
		putrow(stdout, &rows[i], width, end);
	printf("\033[J\033[%d;1H< > or 1-9: sort  r: reverse  j k: scroll  "
		"q: quit\033[K", height);
	fflush(stdout);
}

/* The terminal */

static struct termios cooked;
static int raw;
static volatile sig_atomic_t dying, stopping, resized;

static void
leavescreen(void)
{
	static const char back[] = "\033[?25h\033[?1049l";

	if(!raw)
		return;
	raw = 0;
	tcsetattr(0, TCSANOW, &cooked);
	if(write(1, back, sizeof back - 1) < 0)
		return;
}

static void
enterscreen(void)
{
	struct termios t;

	if(tcgetattr(0, &cooked) < 0)
		die("stdin is no terminal; try -b");
	t = cooked;
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	tcsetattr(0, TCSANOW, &t);
	raw = 1;
	printf("\033[?1049h\033[?25l");
	resized = 1;
}

static void
caught(int sig)
{
	if(sig == SIGWINCH)
		resized = 1;
	else if(sig == SIGTSTP)
		stopping = 1;
	else
		dying = sig;
}

static void
measure(void)
{
	struct winsize w;

	if(ioctl(1, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 && w.ws_row > 3){
		width = w.ws_col;
		height = w.ws_row;
	}
	resized = 0;
}

/* returns 0 to quit. */
static int
key(int c)
{
	if(c == 'q')
		return 0;
	if(c == 'r')
		reverse = !reverse;
	else if(c == '<' || c == '>')
		sortby = (sortby + (c == '>' ? 1 : Columns - 1)) % Columns;
	else if(c >= '1' && c <= '9')
		sortby = c - '1';
	else if(c == 'j')
		top++;
	else if(c == 'k')
		top--;
	return 1;
}

static void
signals(void)
{
	if(stopping){
		stopping = 0;
		leavescreen();
		raise(SIGSTOP);
		enterscreen();
	}
	if(resized)
		measure();
	if(dying){
		leavescreen();
		signal(dying, SIG_DFL);
		raise(dying);
	}
}

static void
interact(void)
{
	static const int sigs[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH,
		SIGTSTP};
	struct sigaction sa = {.sa_handler = caught};
	char c;

	for(size_t i = 0; i < sizeof sigs / sizeof sigs[0]; i++)
		sigaction(sigs[i], &sa, NULL);
	atexit(leavescreen);
	enterscreen();
	for(int64_t next = clockns(); ; ){
		signals();
		if(clockns() >= next){
			if(!look())
				break;
			next = clockns() + delay_ms * INT64_C(1000000);
		}
		draw();
		struct pollfd p = {0, POLLIN, 0};
		int64_t ms = (next - clockns()) / 1000000 + 1;
		if(poll(&p, 1, ms > 0 ? (int)ms : 0) <= 0)
			continue;
		if(read(0, &c, 1) != 1 || !key(c))
			return;
	}
	leavescreen();
	printf("the program has ended%s\n", isoutside() ? "" :
		", or its console");
}

static void
lookorend(void)
{
	if(look())
		return;
	fprintf(stderr, "tasktop: the program has ended%s\n", isoutside() ? "" :
		", or its console");
	exit(1);
}

/* From outside nothing is counted, so there is nothing to wait for. */
static void
batch(void)
{
	lookorend();
	if(!isoutside()){
		struct timespec ts = {delay_ms / 1000,
			delay_ms % 1000 * 1000000L};
		nanosleep(&ts, NULL);
		lookorend();
	}
	fitcolumns(1);
	sortrows();
	putsummary(stdout, "\n");
	putheads(stdout, 1000, "\n");
	for(size_t i = 0; i < nrows; i++)
		putrow(stdout, &rows[i], 1000, "\n");
}

static void
usage(void)
{
	fprintf(stderr, "usage: tasktop [-b] [-d ms] [-s column] "
		"PATH|[-x] -p PID\n");
	exit(2);
}

/* From a thousandth of a second to an hour. */
static unsigned int
interval(const char *ms)
{
	char *end;
	long n = strtol(ms, &end, 10);

	if(end == ms || *end || n < 1 || n > 3600000)
		usage();
	return (unsigned int)n;
}

int
main(int argc, char **argv)
{
	int c, pid = 0, once = 0, outside = 0;

	while((c = getopt(argc, argv, "bd:s:p:x")) >= 0)
		if(c == 'b')
			once = 1;
		else if(c == 'd')
			delay_ms = interval(optarg);
		else if(c == 's' && sortbyname(optarg) == 0)
			;
		else if(c == 'p')
			pid = atoi(optarg);
		else if(c == 'x')
			outside = 1;
		else
			usage();
	if((pid > 0) == (optind == argc - 1) || (outside && pid <= 0))
		usage();
	const char *wrong = pid ? findprocess(pid, outside) : NULL;
	if(wrong){
		fprintf(stderr, "tasktop: %s\n", wrong);
		return 1;
	}
	if(!pid && dial(argv[optind]) < 0)
		die(argv[optind]);
	once ? batch() : interact();
	return 0;
}
