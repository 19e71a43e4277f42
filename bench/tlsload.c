/* SPDX-License-Identifier: MIT */
/*
 * Loads an HTTP server with TLS: tlsload [option value] ... what port.
 *
 *	handshake	connections that each ask once, and part
 *	resume	the same, each with the session of the one before
 *	bytes	large answers on one connection, for each MiB
 *	idle	connections that have asked once, and stay
 *
 *	-c threads that load it: one connection in each follows the other (1)
 *	-r how many are measured (1000), after a quarter of that to warm up
 *	-p the server's process: prints what of the CPU it took for one, or, of
 *	   those that are idle, what memory
 *
 * It is written on OpenSSL alone, and shares nothing with what it measures.
 */
#include "answer.h"
#include "process.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

enum
{
	HeadMost = 4096,
	ChunkBytes = 64 * 1024,
	MiB = 1 << 20,
	Tries = 200,	/* of SettleMs each */
	ThreadsMost = 64
};

typedef struct Peer
{
	SSL *ssl;
	int fd;
} Peer;

static SSL_CTX *ctx;
static const char *pid;
static int port, nthread = 1, resume;

static void
dietls(const char *what)
{
	fprintf(stderr, "tlsload: %s: ", what);
	ERR_print_errors_fp(stderr);
	fputc('\n', stderr);
	exit(1);
}

static void
begin(void)
{
	ctx = SSL_CTX_new(TLS_client_method());
	if(ctx == NULL || !SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) ||
			!SSL_CTX_set_ciphersuites(ctx,
			"TLS_AES_256_GCM_SHA384"))
		dietls("begin");
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT |
		SSL_SESS_CACHE_NO_INTERNAL);
}

/* A server that has just been started may not listen yet. */
static int
dial(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int fd, one = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)port);
	for(int i = 0; ; i++){
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to)
				== 0)
			break;
		if(fd < 0 || errno != ECONNREFUSED || i == Tries)
			die("connect");
		close(fd);
		pausefor(SettleMs);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

static Peer
meet(SSL_SESSION *session)
{
	Peer p = {SSL_new(ctx), dial()};

	if(p.ssl == NULL || !SSL_set_fd(p.ssl, p.fd) ||
			!SSL_set_tlsext_host_name(p.ssl, "localhost") ||
			(session && !SSL_set_session(p.ssl, session)) ||
			SSL_connect(p.ssl) != 1)
		dietls("handshake");
	if(session && !SSL_session_reused(p.ssl))
		dietls("the session was not resumed");
	return p;
}

/* It does not wait for the other to say so too. */
static void
part(Peer p)
{
	SSL_shutdown(p.ssl);
	SSL_free(p.ssl);
	close(p.fd);
}

/* reads the head of an answer; returns how many bytes of its body are left. */
static long
readhead(SSL *ssl)
{
	char head[HeadMost];
	const char *body = NULL, *field;
	int has = 0;

	while(body == NULL){
		int n = SSL_read(ssl, head + has, HeadMost - 1 - has);
		if(n <= 0)
			dietls("an answer's head");
		has += n;
		head[has] = '\0';
		body = strstr(head, "\r\n\r\n");
	}
	field = strstr(head, "\r\nContent-Length: ");
	if(strncmp(head, "HTTP/1.1 200", 12) != 0 || field == NULL){
		fprintf(stderr, "tlsload: this is not the answer: %s", head);
		exit(1);
	}
	return atol(field + 18) - (head + has - body - 4);
}

/* asks, and returns how many bytes the answer's body had. */
static long
ask(SSL *ssl, const char *path)
{
	static _Thread_local char chunk[ChunkBytes];
	char request[256];
	int n = snprintf(request, sizeof request,
		"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
	long sum = 0;

	if(SSL_write(ssl, request, n) != n)
		dietls("a request");
	for(long left = readhead(ssl); left > 0; left -= n, sum += n){
		n = SSL_read(ssl, chunk, sizeof chunk);
		if(n <= 0)
			dietls("an answer");
	}
	return sum;
}

static double
cpu(void)
{
	return pid ? cpuof(pid) : 0;
}

static void *
meetings(void *v)
{
	SSL_SESSION *session = NULL;

	for(long n = *(long *)v; n > 0; n--){
		Peer p = meet(session);
		ask(p.ssl, "/");
		SSL_SESSION_free(session);
		session = resume ? SSL_get1_session(p.ssl) : NULL;
		part(p);
	}
	SSL_SESSION_free(session);
	return NULL;
}

/* has all threads do n each. */
static void
together(long n)
{
	pthread_t threads[ThreadsMost];

	for(int i = 0; i < nthread; i++)
		if(pthread_create(&threads[i], NULL, meetings, &n) != 0)
			die("pthread_create");
	for(int i = 0; i < nthread; i++)
		pthread_join(threads[i], NULL);
}

/* ns for each of about n connections. */
static double
shakehands(long n)
{
	n = (n + nthread - 1) / nthread;
	together(1 + n / 4);
	double ns = cpu();
	together(n);
	return (cpu() - ns) / (double)(n * nthread);
}

/* ns for each MiB of n answers. */
static double
fetch(long n)
{
	Peer p = meet(NULL);
	double sum = 0;

	for(long i = 0; i < 1 + n / 4; i++)
		ask(p.ssl, "/file");
	double ns = cpu();
	for(long i = 0; i < n; i++)
		sum += (double)ask(p.ssl, "/file");
	ns = cpu() - ns;
	part(p);
	return ns / (sum / MiB);
}

/* KiB for each of n connections. */
static double
stay(long n)
{
	together(1 + n / 4);
	long before = pid ? residentof(pid) : 0;
	for(long i = 0; i < n; i++)
		ask(meet(NULL).ssl, "/");
	return (double)((pid ? residentof(pid) : 0) - before) / (double)n;
}

static void
measure(const char *what, long n)
{
	if(strcmp(what, "idle") == 0){
		double kib = stay(n);
		if(pid)
			printf("tls-idle-memory %.2f KiB\n", kib);
		return;
	}
	resume = strcmp(what, "resume") == 0;
	double ns = strcmp(what, "bytes") == 0 ? fetch(n) : shakehands(n);
	if(pid)
		printf("tls-%s %.2f us\n", what, ns / 1000);
}

int
main(int argc, char **argv)
{
	long n = 1000;
	int opt;

	while((opt = getopt(argc, argv, "c:r:p:")) != -1)
		switch(opt){
		case 'c': nthread = atoi(optarg); break;
		case 'r': n = atol(optarg); break;
		case 'p': pid = optarg; break;
		default: return 2;
		}
	if(optind + 2 != argc || nthread < 1 || nthread > ThreadsMost)
		return 2;
	port = atoi(argv[optind + 1]);
	begin();
	measure(argv[optind], n);
	return 0;
}
