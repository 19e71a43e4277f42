/* SPDX-License-Identifier: MIT */
/* tasktop with programs whose lists do not hold, as may be when they run. */
#include "consoletest.h"
#include "screen.h"
#include "../taskimpl.h"
#include <sys/prctl.h>

static Channel *requests;

static void
receiver(void *v)
{
	taskname("receiver %d", *(int *)v);
	chanrecvul(requests);
}

/* The tasks of a program that stops itself when it has spoilt one of them. */
static Task *tasks[4];

static void
spoilt(void *spoil)
{
	static const int numbers[] = {0, 1, 2, 3};

	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	requests = chancreate(sizeof(unsigned long), 0);
	taskname("first");
	for(int i = 1; i < 4; i++)
		taskcreate(receiver, (void *)(uintptr_t)&numbers[i], 0);
	taskyield();
	tasks[0] = task_proc->all.head;
	for(int i = 1; i < 4; i++)
		tasks[i] = tasks[i - 1]->younger;
	(*(void (**)(void))spoil)();
	raise(SIGSTOP);
}

/* returns whether such a program could be read; what was said is in text. */
static int
reads(void (*spoil)(void))
{
	char pid[16];
	int status;
	pid_t target = fork();

	if(target == 0)
		exit(taskrun(spoilt, &spoil));
	ck_assert_int_eq(waitpid(target, &status, WUNTRACED), target);
	ck_assert(WIFSTOPPED(status));
	snprintf(pid, sizeof pid, "%d", (int)target);
	status = output(text, sizeof text, "tasktop",
		ARGS("-b", "-x", "-p", pid));
	kill(target, SIGKILL);
	ck_assert_int_eq(waitpid(target, NULL, 0), target);
	if(strstr(text, "may not be read") || emulated())
		return 0;
	ck_assert_msg(status == 0, "status %d: %s", status, text);
	return 1;
}

#define READS(spoil) \
	do{ \
		if(!reads(spoil)) \
			TEST_SKIP("process_vm_readv is not allowed here"); \
	}while(0)

static void
nothingatall(void)
{
}

static void
circle(void)
{
	tasks[2]->younger = tasks[1];
}

static void
skip(void)
{
	tasks[1]->younger = tasks[3];
}

static void
nowhere(void)
{
	tasks[2]->younger = (Task *)(uintptr_t)4096;
}

static void
shortlist(void)
{
	tasks[2]->younger = NULL;
}

START_TEST(a_list_that_does_not_hold_is_shown_as_far_as_it_goes)
{
	static const struct { void (*spoil)(void); int last; } cases[] = {
		{nothingatall, 3}, {circle, 2}, {skip, 1}, {nowhere, 2},
		{shortlist, 2}};
	char name[32];

	for(size_t i = 0; i < sizeof cases / sizeof cases[0]; i++){
		READS(cases[i].spoil);
		for(int j = 1; j <= 3; j++){
			snprintf(name, sizeof name, " receiver %d ", j);
			j <= cases[i].last ? has(text, name) :
				hasnot(text, name);
		}
		snprintf(name, sizeof name, "%d tasks, ", cases[i].last + 2);
		has(text, name);
		(i ? has : hasnot)(text, "some are missing");
	}
}
END_TEST

static void
wrongobject(void)
{
	tasks[2]->wait.object.v = (void *)(uintptr_t)4096;
	tasks[3]->wait.why = WaitCount + 9;
}

START_TEST(what_cannot_be_read_of_a_wait_is_left_out)
{
	READS(wrongobject);
	has(text, " receiver 1 ");
	has(text, " - chanrecv c 0x");
	has(text, " - chanrecv c 0 ");
	has(text, " - waits ");
	hasnot(text, "some are missing");
}
END_TEST

static void
longname(void)
{
	memset(tasks[2]->name, 'x', sizeof tasks[2]->name);
	strcpy(tasks[3]->name, "tab\tcsi\302\233end");
	requests->name = (char *)(uintptr_t)"a\nb";
}

START_TEST(names_are_cut_and_obeyed_by_no_terminal)
{
	char name[80];

	READS(longname);
	memset(name, 'x', 63);
	strcpy(name + 63, " ");
	has(text, name);
	has(text, " tab?csi\302?end ");
	hasnot(text, "\302\233");
	has(text, "chanrecv c \"a?b\"");
}
END_TEST

PROGRAM_MAIN("peek",
	a_list_that_does_not_hold_is_shown_as_far_as_it_goes,
	what_cannot_be_read_of_a_wait_is_left_out,
	names_are_cut_and_obeyed_by_no_terminal)
