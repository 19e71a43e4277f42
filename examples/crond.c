/* SPDX-License-Identifier: MIT */
/*
 * Runs commands at times of day, as cron does: crond crontab [try|port].  A
 * line is five fields, or @daily and the like, and a command for /bin/sh; with
 * try each command is run once, now; with a port /cron there lists them, and
 * curl -d '' 127.0.0.1:port/cron?action=3 runs that of line 3.
 * Look at run: it waits for the command as if there were nothing else to do,
 * for each run has a task of its own.  A command that takes longer than it
 * should is not started again beside itself.  Then look at the end of taskmain:
 * no command begins after the signal, and those that run are waited for.
 * Whoever does not want to wait presses the key again.
 */
#include "serve.h"
#include <sys/wait.h>
#include <time.h>

typedef struct Job
{
	struct Job *next;
	Cron *cron;
	char *spec;	/* in line, as command is */
	char *command;
	int number;	/* of the line */
	int running;
	char line[1000];
} Job;

static Job *jobs;
static int nrunning;
static Rendez ended;	/* nrunning has become 0 */

static const char *
stamp(time_t t)
{
	static char text[32];
	struct tm tm;

	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", localtime_r(&t, &tm));
	return text;
}

static void
say(const Job *j, const char *what, int number)
{
	printf("%s line %d %s", stamp(time(NULL)), j->number, what);
	if(number >= 0)
		printf(" %d", number);
	printf(": %s\n", j->command);
}

static void
run(void *v)
{
	Job *j = v;
	Child c = {.fd = {CHILDNULL, 0, 0}, .group = 1};
	int status;

	if(j->running)	/* it was asked for meanwhile */
		return;
	j->running = 1;
	nrunning++;
	say(j, "begins", -1);
	if(childspawn(&c, (char *[]){"/bin/sh", "-c", j->command, NULL}) < 0 ||
			childwait(&c, &status) < 0)
		say(j, "failed with errno", errno);
	else if(WIFSIGNALED(status))
		say(j, "ended by signal", WTERMSIG(status));
	else
		say(j, "ended with status", WEXITSTATUS(status));
	j->running = 0;
	if(--nrunning == 0)
		taskwakeupall(&ended);
}

/* cuts the line behind the fields; returns whether a command follows. */
static int
cut(Job *j)
{
	static const char blank[] = " \t";
	char *s = j->line + strspn(j->line, blank);
	int fields = *s == '@' ? 1 : 5;

	j->spec = s;
	while(fields-- > 0){
		s += strcspn(s, blank);
		if(fields > 0)
			s += strspn(s, blank);
	}
	j->command = s + strspn(s, blank);
	if(*j->command == '\0')
		return 0;
	*s = '\0';
	return 1;
}

/* makes a job of a line; NULL if it is a comment.  A wrong one is the end. */
static Job *
parse(const char *file, const char *line, int number)
{
	Job *j = calloc(1, sizeof *j);

	if(j == NULL)
		taskexitall(1);
	memcpy(j->line, line, strcspn(line, "\n"));
	j->number = number;
	if(strchr("#", j->line[strspn(j->line, " \t")])){	/* or its end */
		free(j);
		return NULL;
	}
	int command = cut(j);
	int64_t next = cronnext(j->spec, time(NULL));
	if(next < 0 || !command){
		fprintf(stderr, "%s:%d: %s: %s\n", file, number, j->spec,
			next >= 0 ? "no command" : errno == ENOENT ?
			"there is no such day" : strerror(errno));
		taskexitall(1);
	}
	printf("line %d is next due at %s: %s\n", number, stamp((time_t)next),
		j->command);
	return j;
}

static void
readtable(const char *file)
{
	FILE *f = fopen(file, "r");
	char line[sizeof jobs->line];
	Job **at = &jobs;

	if(f == NULL){
		perror(file);
		taskexitall(1);
	}
	for(int number = 1; fgets(line, sizeof line, f); number++){
		if(strlen(line) == sizeof line - 1){
			fprintf(stderr, "%s:%d: too long\n", file, number);
			taskexitall(1);
		}
		if((*at = parse(file, line, number)))
			at = &(*at)->next;
	}
	fclose(f);
}

static void
list(Http *h)
{
	char line[sizeof jobs->line + 100];

	httphead(h, 200, "text/plain; charset=utf-8", -1);
	for(Job *j = jobs; j; j = j->next)
		httpwrite(h, line, (size_t)snprintf(line, sizeof line,
			"line %d, %s%s: %s\n", j->number,
			j->running ? "running, next at " : "next at ",
			stamp((time_t)cronnext(j->spec, time(NULL))),
			j->command));
	httpend(h);
}

/* It is no GET, which whoever only looks around may make. */
static void
act(Http *h)
{
	const char *action = httpquery(h, "action");

	for(Job *j = jobs; action && j; j = j->next)
		if(isnumber(action, j->number, j->number))
			taskcreate(run, j, 0);
	taskyield();	/* it has begun */
	list(h);
}

static void
serveweb(const char *port)
{
	static const Httproute routes[] = {
		{"GET", "/cron", list, NULL}, {"POST", "/cron", act, NULL},
		{NULL, NULL, NULL, NULL}};
	static Httpserver site = {.routes = routes};
	static Server server = {.fn = httpserve, .arg = &site};

	limit(&server, &site);
	serveuntilsignal(&server, port);
}

/* Each begins now, or is left to the clock. */
static void
begin(Job *j, int try)
{
	if(try ? taskcreate(run, j, 0) < 0 :
			!(j->cron = cronstart(j->spec, run, j))){
		perror("crond");
		taskexitall(1);
	}
}

void
taskmain(int argc, char **argv)
{
	Channel *signals = chancreate(sizeof(int), 1);
	int sig, try = argc == 3 && strcmp(argv[2], "try") == 0;

	if(argc != 2 && argc != 3){
		fprintf(stderr, "usage: crond crontab [try|port]\n");
		taskexitall(2);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	readtable(argv[1]);
	signalwatch(SIGINT, signals);
	signalwatch(SIGTERM, signals);
	for(Job *j = jobs; j; j = j->next)
		begin(j, try);
	puts("all are started");
	if(try)
		taskyield();	/* or none would run yet */
	else if(argc == 3)	/* which watches by itself, too */
		serveweb(argv[2]);
	if(!try)
		chanrecv(signals, &sig);
	for(Job *j = jobs; j; j = j->next)
		if(j->cron)
			cronstop(j->cron);
	while(nrunning > 0)
		tasksleep(&ended);
	puts("all has ended");
	taskexitall(0);
}
