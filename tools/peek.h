/* SPDX-License-Identifier: MIT */
/* Tasks of a process, read out of its memory: it need not answer, nor run. */
#ifndef PEEK_H
#define PEEK_H

#include "toprows.h"

/* finds libtask in the process; NULL, or what is wrong, in a line. */
const char *peekopen(int pid);

/* adds all its tasks to rows; 0: the process has gone, or become another. */
int peek(void);

/* For peek.c and peekwhy.c: what is read of the table, see the names there. */
enum Number {
	MemberNext, MemberNumber, MemberProc,
	ProcRunning, ProcFdtask, ProcAll, ProcNumber,
	TaskId, TaskOlder, TaskYounger, TaskNamed, TaskName, TaskEntry,
	TaskCreator, WaitNumber, WaitWhy, WaitObject, WaitSince, WaitDeadline,
	AltC, AltOp, AltFd, AltMs, AltId, AltE, AltSize, ChannelName,
	QlockOwner, QlockOwnerid, RwReaders, RwWriter, RwWriterid, RecLocks,
	ErrandWhat, ErrandProc, Numbers
};

/* A task, as far as it was copied. */
enum { TaskMost = 4096 };
typedef struct Seen
{
	uint64_t from;
	int proc;	/* its number to be shown, or 0 */
	unsigned char bytes[TaskMost];
} Seen;

/* The functions that read return 0 for what cannot be read. */
uint64_t peekpointer(uint64_t base, enum Number n);
unsigned int peeknumber(uint64_t base, enum Number n);
uint64_t peekoffset(uint64_t base, enum Number n);	/* where that is */
uint64_t peekentry(uint64_t entries, uint64_t i);	/* the i-th Alt */
int peektask(Seen *t, uint64_t from, int proc);	/* whether it could be read */

/* a field of size bytes of a task. */
uint64_t peekfield(const Seen *t, enum Number n, size_t size);

void peekname(const Seen *t, char *to, size_t n);
const char *peekcall(const Seen *t);	/* why it waits; "waits": unknown */

/* puts what a parked task waits for, as inspect/why.c does. */
void peekwhy(const Seen *t, char *to, size_t n);

#endif
