/* SPDX-License-Identifier: MIT */
/* The descriptor, as OpenSSL sees it. */
#include "tlsconn.h"
#include <sys/socket.h>

enum { KeepMost = 256 * 1024 };	/* of what nobody was asked for */

/*
 * OpenSSL reads and writes the descriptor by a BIO, which never says that there
 * is no room: it keeps what there is none for, and while it keeps something no
 * more is encrypted.  So what OpenSSL has taken it has taken, and need not be
 * given again; nothing is copied on the way but that.  A peer that has us
 * answer and does not read, by updates of keys, is cut off at KeepMost.
 *
 * What a handshake writes in small pieces is held, and goes in one.  The
 * tickets at its end, which nobody waits for, are held longer: they go with the
 * first answer, or when a call that reads finds nothing.
 *
 * A call of the reader and one of the writer never meet within OpenSSL, for
 * neither lets others run there.
 */
static int
getearly(Conn *c, char *v, int n)
{
	size_t left = c->nearly - c->earlyat;
	size_t got = (size_t)n < left ? (size_t)n : left;

	memcpy(v, c->early + c->earlyat, got);
	c->earlyat += got;
	if(c->earlyat == c->nearly){
		free(c->early);
		c->early = NULL;
	}
	return (int)got;
}

static int
getbytes(BIO *b, char *v, int n)
{
	Conn *c = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if(c->early)
		return getearly(c, v, n);
	if(c->ended || c->err[0])
		return c->ended ? 0 : -1;
	ssize_t r = c->dry ? -1 : recv(c->fd, v, (size_t)n, MSG_DONTWAIT);
	if(r >= 0){
		c->ended = r == 0;
		return (int)r;
	}
	c->asked = c->dry || errno == EAGAIN || errno == EWOULDBLOCK;
	if(c->asked || errno == EINTR)
		BIO_set_retry_read(b);
	else
		c->err[0] = errno;
	return -1;
}

/* returns how many of n bytes had room; what can have none any more has. */
static size_t
sendbytes(Conn *c, const char *v, size_t n)
{
	if(c->err[1])
		return n;
	ssize_t r = send(c->fd, v, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if(r >= 0)
		return (size_t)r;
	if(errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ||
			errno == ENOBUFS || errno == ENOMEM)
		return 0;
	c->err[1] = errno;
	return n;
}

static int
keep(Conn *c, const char *v, size_t n)
{
	if(c->nkept + n > KeepMost){
		c->lost = EPROTO;
		return -1;
	}
	if(c->nkept + n > c->room){
		char *kept = realloc(c->kept, c->nkept + n);
		if(kept == NULL){
			c->lost = ENOMEM;
			return -1;
		}
		c->kept = kept;
		c->room = c->nkept + n;
	}
	memcpy(c->kept + c->nkept, v, n);
	c->nkept += n;
	return 0;
}

static int
putbytes(BIO *b, const char *v, int n)
{
	Conn *c = BIO_get_data(b);
	size_t sent = c->nkept || c->held ? 0 : sendbytes(c, v, (size_t)n);

	BIO_clear_retry_flags(b);
	if(sent < (size_t)n && keep(c, v + sent, (size_t)n - sent) < 0)
		return -1;
	return n;
}

static long
control(BIO *b, int what, long n, void *v)
{
	(void)b, (void)n, (void)v;
	return what == BIO_CTRL_FLUSH;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static BIO_METHOD *method;

static void
makemethod(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
		"descriptor of a stream");
	if(method){
		BIO_meth_set_read(method, getbytes);
		BIO_meth_set_write(method, putbytes);
		BIO_meth_set_ctrl(method, control);
	}
}

int
tls_sendkept(Conn *c)
{
	c->held = 0;
	while(c->keptat < c->nkept){
		size_t n = sendbytes(c, c->kept + c->keptat,
			c->nkept - c->keptat);
		if(n == 0){
			errno = EAGAIN;
			return -1;
		}
		c->keptat += n;
	}
	free(c->kept);
	c->kept = NULL;
	c->nkept = c->keptat = c->room = 0;
	return 0;
}

int
tls_setbio(Conn *c)
{
	pthread_once(&once, makemethod);
	BIO *b = method ? BIO_new(method) : NULL;

	if(b == NULL)
		return 0;
	BIO_set_data(b, c);
	BIO_set_init(b, 1);
	SSL_set_bio(c->ssl, b, b);
	return 1;
}
