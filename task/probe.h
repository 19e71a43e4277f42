/* SPDX-License-Identifier: MIT */
/* Probes for bpftrace, perf, SystemTap and gdb: with make PROBES=1 only. */
#ifndef TASK_PROBE_H
#define TASK_PROBE_H

/*
 * Their provider is libtask.  A probe is an instruction that does nothing, and
 * a note that says where it is and where its arguments are; without PROBES
 * there is not even that.
 *
 *	create	proc, id, function, creator's id
 *	switch	proc, id of who stops, id of who goes on
 *	park	proc, id, why: see task/why.h
 *	ready	proc, id, id of who made it ready
 *	exit	proc, id
 */
#ifdef TASK_PROBES
#include <sys/sdt.h>
#define PROBE(name, n, ...) DTRACE_PROBE##n(libtask, name, __VA_ARGS__)
#else
#define PROBE(name, n, ...) ((void)0)
#endif

#endif
