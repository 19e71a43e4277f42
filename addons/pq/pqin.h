/* SPDX-License-Identifier: MIT */
/* What is asked of libpq in more than one file. */
#ifndef TASK_PQIN_H
#define TASK_PQIN_H

#include "taskpq.h"
#include <errno.h>
#include <libpq-fe.h>

static inline void *
fail(int err)
{
	errno = err;
	return NULL;
}

static inline int
isopen(const PGconn *c)
{
	return PQstatus(c) != CONNECTION_BAD;
}

/* Whether it is one of those that come until something has been copied. */
static inline int
copies(const PGresult *r)
{
	ExecStatusType is = PQresultStatus(r);

	return is == PGRES_COPY_IN || is == PGRES_COPY_OUT ||
		is == PGRES_COPY_BOTH;
}

#endif
