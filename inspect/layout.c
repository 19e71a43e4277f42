/* SPDX-License-Identifier: MIT */
/* Where debuggers find tasks, in a process or what is left of one. */
#include "layout.h"
#include "../proc/members.h"
#include "../task/show.h"
#include <ucontext.h>

/*
 * A debugger knows our structures from the debug information, if there is any;
 * these names and numbers are there in any case.  They have a section of their
 * own, for the names of sections stay when a program is stripped.  Nothing here
 * runs; tools/libtask-gdb.py and tools/peek.c read it.
 */
#define AT(type, field) {#type "." #field, offsetof(type, field)}
#define REG(name, at) {"reg " name, at}

__attribute__((section(".tasklayout"), used)) const TaskLayout task_layout = {
	.magic = "libtask layout",
	.version = TaskLayoutVersion,
	.bytes = sizeof(TaskLayout),
	.members = &task_members,
	.way = &task_contextway,
	.at = {
	AT(Member, next),
	AT(Member, number),
	AT(Member, proc),
	AT(Proc, running),
	AT(Proc, ready),
	AT(Proc, fdtask),
	AT(Proc, all),
	AT(Proc, ntask),
	AT(Proc, number),
	AT(Proc, turn_ns),
	AT(Task, context),
	AT(Task, id),
	AT(Task, younger),
	AT(Task, stopped),
	AT(Task, system),
	AT(Task, named),
	AT(Task, name),
	AT(Task, stated),
	AT(Task, state),
	AT(Task, entry),
	AT(Task, creator),
	AT(Task, made),
	AT(Task, stack),
	AT(Task, wait.number),
	AT(Task, wait.why),
	AT(Task, wait.object),
	AT(Task, wait.since_ns),
	AT(Task, limits.cancelled),
	AT(Stack, low),
	AT(Stack, top),
	AT(Channel, name),
	AT(Alt, c),
	AT(QLock, ownerid),

	/* from where a parked context's sp points: see context.c */
#ifdef TASK_UCONTEXT
#if defined(__linux__) && defined(__x86_64__)
#define GREG(r) offsetof(ucontext_t, uc_mcontext.gregs[r])
	REG("rip", GREG(REG_RIP)),
	REG("rsp", GREG(REG_RSP)),
	REG("rbp", GREG(REG_RBP)),
	REG("rbx", GREG(REG_RBX)),
	REG("r12", GREG(REG_R12)),
	REG("r13", GREG(REG_R13)),
	REG("r14", GREG(REG_R14)),
	REG("r15", GREG(REG_R15)),
#elif defined(__linux__) && defined(__aarch64__)
#define GREG(r) (offsetof(ucontext_t, uc_mcontext.regs) + 8 * (r))
	REG("x19", GREG(19)), REG("x20", GREG(20)), REG("x21", GREG(21)),
	REG("x22", GREG(22)), REG("x23", GREG(23)), REG("x24", GREG(24)),
	REG("x25", GREG(25)), REG("x26", GREG(26)), REG("x27", GREG(27)),
	REG("x28", GREG(28)), REG("x29", GREG(29)), REG("x30", GREG(30)),
	REG("pc", offsetof(ucontext_t, uc_mcontext.pc)),
	REG("sp", offsetof(ucontext_t, uc_mcontext.sp)),
#endif
#elif defined(__x86_64__)
	REG("r15", 8), REG("r14", 16), REG("r13", 24), REG("r12", 32),
	REG("rbx", 40), REG("rbp", 48), REG("rip", 56),
	{"sp rsp", 64},
#elif defined(__aarch64__)
	REG("x19", 0), REG("x20", 8), REG("x21", 16), REG("x22", 24),
	REG("x23", 32), REG("x24", 40), REG("x25", 48), REG("x26", 56),
	REG("x27", 64), REG("x28", 72), REG("x29", 80), REG("x30", 88),
	REG("pc", 88),
	{"sp sp", 176},
#endif
	/* what the reasons to wait are called */
	{"why chanalt", WaitAlt},
	{"why chanrecv", WaitWord},
	{"why chansend", WaitSend},
	{"why chanrecv", WaitRecv},
	{"why taskdelay", WaitDelay},
	{"why qlock", WaitQlock},
	{"why rlock", WaitRlock},
	{"why wlock", WaitWlock},
	{"why reclock", WaitReclock},
	{"why tasksleep", WaitRendez},
	{"why semacquire", WaitSem},
	{"why eventwait", WaitEvent},
	{"why fdwait r", WaitRead},
	{"why fdwait w", WaitWrite},
	{"why fdwait x", WaitExcept},
	{"why fdwait h", WaitHangup},
	{"why netaccept", WaitPause},
	{"why taskwait", WaitTask},
	{"why groupwait", WaitGroup},
	{"why groupspawn", WaitRoom},
	{"why another thread", WaitErrand},
	{"why signal", WaitSignal},
	{"why consolebreak", WaitBreak},
	{"stopped yet not", NotYet},

	/* of what tasks wait for, as inspect/why.c shows it */
	AT(Task, older),
	{"Task.wait.deadline_ns", offsetof(Task, wait.sleeper.deadline_ns)},
	AT(Alt, op),
	AT(Alt, fd),
	AT(Alt, ms),
	AT(Alt, id),
	AT(Alt, e),
	{"sizeof Alt", sizeof(Alt)},
	AT(QLock, owner),
	AT(RWLock, readers),
	AT(RWLock, writer),
	AT(RWLock, writerid),
	AT(RecLock, l),
	AT(Errand, what),
	AT(Errand, proc),
	},
};
