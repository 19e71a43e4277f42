/* SPDX-License-Identifier: MIT */
/* Commands to PostgreSQL: libpq's calls that do not wait, and tasks that do. */
#include "pqin.h"

/* waits until PQgetResult need not; -1: something else ended that. */
static int
await(PGconn *c)
{
	int writes;

	while((writes = PQflush(c)) > 0 || (writes == 0 && PQisBusy(c))){
		Alt a[] = {{.op = ALTREAD, .fd = PQsocket(c)},
			{.op = writes ? ALTWRITE : CHANNOP, .fd = PQsocket(c)},
			{.op = CHANEND}};
		int i = chanalt(a);
		if(i < 0)
			return -1;
		if(i == 0 && PQconsumeInput(c) == 0)
			break;	/* PQgetResult will say why */
	}
	return 0;
}

PGresult *
pqresult(PGconn *c)
{
	int err = errno;

	if(await(c) < 0)
		return NULL;
	PGresult *r = PQgetResult(c);
	errno = r ? err : ENODATA;
	return r;
}

/*
 * takes the last of all results, as PQexec does.  sent: whether there will be
 * any; err: the errno for it.
 */
static PGresult *
lastof(PGconn *c, int sent, int err)
{
	PGresult *r, *last = NULL;

	if(!sent)
		return fail(!isopen(c) ? ENOTCONN : PQtransactionStatus(c) ==
			PQTRANS_ACTIVE ? EBUSY : EINVAL);
	while((r = pqresult(c)) != NULL){
		PQclear(last);
		last = r;
		if(copies(r))
			break;
	}
	if(r == NULL && errno != ENODATA){
		err = errno;
		PQclear(last);
		last = NULL;
		pqcancel(c);
	}
	errno = err;
	return last;
}

PGresult *
pqexec(PGconn *c, const char *command)
{
	int err = errno;

	return taskid() ? lastof(c, PQsendQuery(c, command), err) : fail(EPERM);
}

PGresult *
pqexecparams(PGconn *c, const char *command, int n, const char *const *v)
{
	int err = errno;

	return taskid() ? lastof(c, PQsendQueryParams(c, command, n, NULL, v,
		NULL, NULL, 0), err) : fail(EPERM);
}

PGnotify *
pqnotify(PGconn *c)
{
	PGnotify *n;
	int err = errno;

	while((n = PQnotifies(c)) == NULL){
		if(isopen(c) && fdwait(PQsocket(c), 'r') < 0)
			return NULL;
		if(PQconsumeInput(c) == 0)
			return fail(ENOTCONN);
	}
	errno = err;
	return n;
}
