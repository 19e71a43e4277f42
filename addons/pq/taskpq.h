/* SPDX-License-Identifier: MIT */
/* PostgreSQL, by libpq: pq(3). */
#ifndef TASK_PQ_H
#define TASK_PQ_H

#include <task.h>

#ifdef __cplusplus
extern "C" {
#endif

/* These are libpq's: see <libpq-fe.h>. */
struct pg_conn;
struct pg_result;
struct pgNotify;

/*
 * pqconnect connects to a server, as PQconnectdb does.  A thread of offload's
 * pool does what libpq would stop this one for: it looks up names, reads files
 * and computes for TLS.
 * Returns the connection, which PQfinish ends: look at PQstatus, and if that is
 * not CONNECTION_OK at PQerrorMessage; NULL with ENOMEM, EPERM or as offload.
 * Blocks: until it is connected, or has failed.  A name that is being looked up
 * is waited for in any case.
 */
struct pg_conn *pqconnect(const char *conninfo);

/*
 * pqexec has the server execute a command, as PQexec does; pqexecparams one
 * with n parameters, all of them text, or NULL.  A connection is for one task
 * at a time.  If the wait ends before, the server is told to cancel the
 * command, and the connection can be used for another one.
 * Returns the last result, which PQclear frees: look at PQresultStatus; NULL
 * with EBUSY (another command is not done), ENOTCONN (the connection is lost),
 * EINVAL (libpq does not take it: PQerrorMessage says why), EPERM, or with what
 * ended the wait, as ETIMEDOUT: then the command may have been done.
 * Blocks: until the command is done.
 */
struct pg_result *pqexec(struct pg_conn *c, const char *command);
struct pg_result *pqexecparams(struct pg_conn *c, const char *command, int n,
	const char *const *values);

/*
 * pqresult takes the next result of what PQsendPrepare, PQsendQueryParams or
 * any other of these has begun, as PQgetResult does.
 * Returns it; NULL with ENODATA if there are no more, or with what ended the
 * wait: then it can be called again.
 * Blocks: until there is one.
 */
struct pg_result *pqresult(struct pg_conn *c);

/*
 * pqcancel has the server cancel what it does for c, and drops all results of
 * that.  Deadlines do not end it, but 2 s do: then it breaks the connection.
 * Returns 0; -1 with ENOTCONN (the connection is lost), EPERM.
 * Blocks: until the server has done so.
 */
int pqcancel(struct pg_conn *c);

/*
 * pqnotify takes the next message that a NOTIFY has sent to c, as PQnotifies.
 * Returns it, to be freed by PQfreemem; NULL with ENOTCONN, or with what ended
 * the wait.
 * Blocks: until there is one.
 */
struct pgNotify *pqnotify(struct pg_conn *c);

#ifdef __cplusplus
}
#endif
#endif
