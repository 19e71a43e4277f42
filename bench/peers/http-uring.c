/* SPDX-License-Identifier: MIT */
/* The HTTP server written by hand on io_uring: one system call for each turn. */
#include "server.h"
#include <errno.h>
#include <liburing.h>

/*
 * Accepting and receiving are multishot: asked for once for each socket.  What
 * is received is in one of the buffers of a ring, which is given back as soon
 * as it is read.  Sending tells of failures only.
 */
enum { Entries = 4096, Buffers = 4096, Group = 0 };	/* powers of two */

typedef struct Conn
{
	int fd;
	uint32_t last;
} Conn;

static struct io_uring ring;
static struct io_uring_buf_ring *spare;
static char buffers[Buffers][ReadMost];

static struct io_uring_sqe *
entry(void)
{
	struct io_uring_sqe *e;

	while((e = io_uring_get_sqe(&ring)) == NULL)
		io_uring_submit(&ring);
	return e;
}

static void
giveback(int i)
{
	io_uring_buf_ring_add(spare, buffers[i], ReadMost, (unsigned short)i,
		io_uring_buf_ring_mask(Buffers), 0);
	io_uring_buf_ring_advance(spare, 1);
}

static void
setup(void)
{
	struct io_uring_params p = {.cq_entries = 4 * Entries,
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_CQSIZE |
		IORING_SETUP_DEFER_TASKRUN};
	struct io_uring_buf_reg reg = {.ring_entries = Buffers, .bgid = Group};

	spare = aligned_alloc(4096, Buffers * sizeof(struct io_uring_buf));
	if(spare == NULL || (errno = -io_uring_queue_init_params(Entries, &ring,
			&p)) > 0)
		die("io_uring");
	io_uring_buf_ring_init(spare);
	reg.ring_addr = (uintptr_t)spare;
	if((errno = -io_uring_register_buf_ring(&ring, &reg, 0)) > 0)
		die("buffers");
	for(int i = 0; i < Buffers; i++)
		giveback(i);
}

static void
receive(Conn *c)
{
	struct io_uring_sqe *e = entry();

	io_uring_prep_recv_multishot(e, c->fd, NULL, 0, 0);
	e->flags |= IOSQE_BUFFER_SELECT;
	e->buf_group = Group;
	io_uring_sqe_set_data(e, c);
}

static void
newconn(int fd)
{
	Conn *c = malloc(sizeof *c);

	if(fd < 0 || c == NULL)
		die("accept");
	*c = (Conn){.fd = fd};
	nodelay(fd);
	receive(c);
}

static void
serve(Conn *c, const char *buf, size_t n)
{
	for(int i = requests(&c->last, buf, n); i > 0; i--){
		struct io_uring_sqe *e = entry();
		io_uring_prep_send(e, c->fd, answer, AnswerBytes,
			MSG_NOSIGNAL | MSG_WAITALL);
		e->flags |= IOSQE_CQE_SKIP_SUCCESS;
		io_uring_sqe_set_data(e, NULL);
	}
}

static void
received(Conn *c, const struct io_uring_cqe *e)
{
	int i = (int)(e->flags >> IORING_CQE_BUFFER_SHIFT);

	if(e->res > 0)
		serve(c, buffers[i], (size_t)e->res);
	if(e->flags & IORING_CQE_F_BUFFER)
		giveback(i);
	if(e->flags & IORING_CQE_F_MORE)
		return;
	if(e->res > 0 || e->res == -ENOBUFS)
		receive(c);
	else{
		/* in turn, after the answers that are still to be submitted */
		struct io_uring_sqe *last = entry();
		io_uring_prep_close(last, c->fd);
		io_uring_sqe_set_data(last, NULL);
		free(c);
	}
}

int
main(void)
{
	struct io_uring_sqe *first;
	struct io_uring_cqe *e;
	unsigned int head, n;
	int listener = listenhere();

	setup();
	first = entry();
	io_uring_prep_multishot_accept(first, listener, NULL, NULL,
		SOCK_CLOEXEC);
	io_uring_sqe_set_data(first, &ring);
	while(io_uring_submit_and_wait(&ring, 1) >= 0){
		n = 0;
		io_uring_for_each_cqe(&ring, head, e){
			n++;
			if(e->user_data == (uintptr_t)&ring)
				newconn(e->res);
			else if(e->user_data)
				received(io_uring_cqe_get_data(e), e);
		}
		io_uring_cq_advance(&ring, n);
	}
	return 1;
}
