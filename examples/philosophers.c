/* SPDX-License-Identifier: MIT */
/*
 * Five philosophers at a round table need two forks each to eat, and there are
 * five forks: philosophers, or philosophers deadlock.
 * Look at first and second: who always takes the fork with the lower number
 * first may wait for somebody, but never in a circle.  With "deadlock" all take
 * their left fork first.  Then each waits for the next one for ever, and the
 * library says so: its report lists who waits for whom.
 */
#include <stdio.h>
#include <string.h>
#include <task.h>

enum { Seats = 5, Meals = 3 };

static char *const names[Seats] = {
	"Hypatia", "Hume", "Kant", "Laozi", "Arendt"};
static QLock forks[Seats];
static int careless;

static void
dine(void *v)
{
	int seat = (int)(intptr_t)v;
	int left = seat, right = (seat + 1) % Seats;
	int first = left < right || careless ? left : right;
	int second = first == left ? right : left;

	taskname("%s", names[seat]);
	for(int meal = 1; meal <= Meals; meal++){
		taskstate("hungry");
		qlock(&forks[first]);
		taskstate("has fork %d, wants fork %d", first, second);
		taskyield();	/* a thought, while the neighbour acts */
		qlock(&forks[second]);
		taskstate("eats");
		printf("%s eats meal %d\n", names[seat], meal);
		taskyield();
		qunlock(&forks[second]);
		qunlock(&forks[first]);
	}
}

void
taskmain(int argc, char **argv)
{
	careless = argc > 1 && strcmp(argv[1], "deadlock") == 0;
	for(int seat = 0; seat < Seats; seat++)
		if(taskcreate(dine, (void *)(intptr_t)seat, 32768) < 0){
			perror("philosophers");
			taskexitall(1);
		}
}
