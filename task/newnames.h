/* SPDX-License-Identifier: MIT */
/*
 * The names that libtask did not have.  They are weak, so that an old program
 * may define functions of these names; the library itself never calls them.
 */
#ifndef TASK_NEWNAMES_H
#define TASK_NEWNAMES_H

#pragma weak taskkey
#pragma weak taskkeyinherit
#pragma weak taskwrap
#pragma weak tasklocal
#pragma weak tasksetlocal
#pragma weak tasksetswitch
#pragma weak taskrun
#pragma weak tasksetdeadlock
#pragma weak tasksetalloc
#pragma weak tasktrim
#pragma weak taskinit
#pragma weak taskscheduler
#pragma weak timeoutstart
#pragma weak timeoutstartas
#pragma weak timeoutstop
#pragma weak timeoutfired
#pragma weak timeoutpending
#pragma weak withtimeout
#pragma weak withtimeoutdef
#pragma weak taskcancel
#pragma weak taskinterrupt
#pragma weak taskcancelled
#pragma weak taskshield
#pragma weak taskunshield
#pragma weak taskdefer
#pragma weak taskspawn
#pragma weak taskwait
#pragma weak tasklink
#pragma weak taskunlink
#pragma weak taskfail
#pragma weak groupown
#pragma weak groupspawn
#pragma weak groupmap
#pragma weak groupwait
#pragma weak groupcancel
#pragma weak timerstart
#pragma weak timeragain
#pragma weak timerstop
#pragma weak timerremaining
#pragma weak timermissed
#pragma weak timername
#pragma weak taskafter
#pragma weak tasknow
#pragma weak taskdelayuntil
#pragma weak chanclose
#pragma weak chanlen
#pragma weak chancap
#pragma weak cocreate
#pragma weak coswitch
#pragma weak cothrow
#pragma weak cofree
#pragma weak cocurrent
#pragma weak comain
#pragma weak coparent
#pragma weak cosetparent
#pragma weak costate
#pragma weak gencreate
#pragma weak gennext
#pragma weak gensend
#pragma weak genthrow
#pragma weak genyield
#pragma weak genclose
#pragma weak gendelegate
#pragma weak genrange
#pragma weak seminit
#pragma weak semacquire
#pragma weak cansemacquire
#pragma weak semrelease
#pragma weak eventwait
#pragma weak eventset
#pragma weak eventclear
#pragma weak reclock
#pragma weak canreclock
#pragma weak recunlock
#pragma weak fdreadn
#pragma weak fdclose
#pragma weak fdgot
#pragma weak taskpoller
#pragma weak fdwritten
#pragma weak netacceptaddr
#pragma weak netresolve
#pragma weak neterror
#pragma weak proccreate
#pragma weak procself
#pragma weak proccpus
#pragma weak procpost
#pragma weak proccall
#pragma weak procwait
#pragma weak taskshutdown
#pragma weak taskhope
#pragma weak offload
#pragma weak offloadmax
#pragma weak signalwatch
#pragma weak signalunwatch
#pragma weak childspawn
#pragma weak childwait
#pragma weak childkill
#pragma weak childadopt

#endif
