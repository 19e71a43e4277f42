/* SPDX-License-Identifier: MIT */
/* Where debuggers find tasks: read by other programs than those it is in. */
#ifndef TASK_LAYOUT_H
#define TASK_LAYOUT_H

#include <stdint.h>

enum { TaskLayoutVersion = 1, TaskLayoutMost = 112 };

/* Offsets of fields, "Task.id"; others have a word before: "why qlock". */
typedef struct TaskLayoutNumber
{
	char name[28];
	int32_t number;
} TaskLayoutNumber;

/* What changes changes the version; what is added is found by its name. */
typedef struct TaskLayout
{
	char magic[16];
	uint32_t version;
	uint32_t bytes;
	const void *members;	/* points to what points to the first Member */
	const signed char *way;	/* negative: a context leads to another */
	TaskLayoutNumber at[TaskLayoutMost];	/* "": there are no more */
} TaskLayout;

extern const TaskLayout task_layout __attribute__((visibility("hidden")));

#endif
