/* SPDX-License-Identifier: MIT */
/* The reasons to wait. */
#ifndef TASK_WHY_H
#define TASK_WHY_H

/* Why a task is parked, and what wait.object is then. */
enum Why
{
	WaitNone,	/* not parked */
	WaitAlt,	/* Alt[]; this and the next one: see finishalt */
	WaitWord,	/* Alt, the task's own: in task_parkword */
	WaitSend,	/* the same, in task_park */
	WaitRecv,
	WaitDelay,
	WaitQlock,	/* QLock */
	WaitRlock,	/* RWLock */
	WaitWlock,
	WaitReclock,	/* RecLock */
	WaitRendez,	/* Rendez */
	WaitSem,	/* Sem */
	WaitEvent,	/* Event */
	WaitRead,	/* fd */
	WaitWrite,
	WaitExcept,
	WaitHangup,
	WaitPause,	/* fd, of a listener that cannot accept now */
	WaitTask,	/* id, of the task that is to end */
	WaitGroup,	/* unsigned int: how many children are alive */
	WaitRoom,	/* the same, and there are as many as may be */
	WaitErrand,	/* Errand: another thread is to do something */
	WaitSignal,	/* fd: the number of a signal that is watched */
	WaitBreak,	/* the text that the program has given */
	WaitCount
};

#endif
