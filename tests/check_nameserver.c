/* SPDX-License-Identifier: MIT */
/* Names, looked up by libc, of a name server that may be bad. */
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "nameserver.h"
#include "fdtest.h"
#include "watched.h"

/*
 * Libc asks port 53 of who stands in /etc/resolv.conf.  So these tests have a
 * network and files of their own: namespaces, that end with the test.
 */
static int
writefile(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n = write(fd, text, strlen(text));

	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* puts a file with the text in place of path, which must be there. */
static int
cover(const char *path, const char *text)
{
	char dir[] = "/tmp/check_nameserverXXXXXX", file[64];

	if(mkdtemp(dir) == NULL)
		return -1;
	snprintf(file, sizeof file, "%s/file", dir);
	int r = writefile(file, text) == 0 && mount(file, path, "none",
		MS_BIND, NULL) == 0 ? 0 : -1;
	unlink(file);	/* path has it still */
	rmdir(dir);
	return r;
}

static int
bringup(const char *interface)
{
	struct ifreq r = {.ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", interface);
	int up = ioctl(fd, SIOCSIFFLAGS, &r);
	close(fd);
	return up;
}

/* returns NULL, or what this machine does not let us do. */
static const char *
ownworld(void)
{
	char map[64];
	unsigned uid = getuid(), gid = getgid();

	if(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0)
		return "no namespaces for us";
	snprintf(map, sizeof map, "0 %u 1", uid);
	if(writefile("/proc/self/uid_map", map) < 0 ||
			writefile("/proc/self/setgroups", "deny") < 0)
		return "we cannot be root in a namespace";
	snprintf(map, sizeof map, "0 %u 1", gid);
	if(writefile("/proc/self/gid_map", map) < 0 ||
			mount("none", "/", "none", MS_REC | MS_PRIVATE,
			NULL) < 0)
		return "no mounts of our own";
	if(cover("/etc/resolv.conf", "nameserver 127.0.0.1\n"
			"options timeout:1 attempts:3\n") < 0 ||
			cover("/etc/nsswitch.conf", "hosts: dns\n") < 0)
		return "no file that could be covered";
	if(bringup("lo") < 0)
		return "no loopback of our own";
	return namestart(53) < 0 ? "no port 53" : NULL;
}

/* The test is skipped where it cannot have a world of its own. */
#define WORLD_TEST(name) \
	TASK_TEST_BY(name, \
		const char *why = emulated() ? "an emulator" : ownworld(); \
		if(why) \
			TEST_SKIP(why); \
		run(body); \
		nameend())

static uint32_t
lookup(const char *name)
{
	uint32_t ip = 0;

	errno = EDOM;
	int r = netlookup(name, &ip);
	ck_assert_msg(r == 0, "%s: %s", name, neterror(errno));
	ck_assert_int_eq(errno, EDOM);
	return ntohl(ip);
}

static uint32_t ip;
static struct sockaddr_storage any[4];

WORLD_TEST(a_name_has_the_address_that_the_server_says)
{
	ck_assert_uint_eq(lookup("host7.test"), 0x0a000007);
	ck_assert_uint_eq(lookup("alias9.test"), 0x0a000009);
	ck_assert_int_eq(netresolve("both1.test", 80, any, 4), 2);
}

WORLD_TEST(a_host_that_does_not_exist_is_ENOENT)
{
	FAILS(netlookup("none.test", &ip), ENOENT);
	FAILS(netdial(TCP, "none.test", 80), ENOENT);
	FAILS(netresolve("none.test", 80, any, 4), ENOENT);
	FAILS(netlookup("broken.test", &ip), EAGAIN);
}

WORLD_TEST(an_answer_that_is_late_is_waited_for)
{
	int64_t start = nowns();

	ck_assert_uint_eq(lookup("late1.test"), 0x0a000001);
	ck_assert_int_ge(nowns() - start, NameLate * 1000000);
}

WORLD_TEST(a_deadline_ends_a_wait_for_a_late_server_at_once)
{
	Timeout t;

	timeoutstart(&t, 30);
	FAILS(netlookup("late1.test", &ip), ETIMEDOUT);
	FAILS(netdial(TCP, "late2.test", 80), ETIMEDOUT);
	ck_assert_int_eq(timeoutfired(&t), 1);
	timeoutstop(&t);
	taskdelay(NameLate + 50);	/* the answer finds nobody */
	ck_assert_uint_eq(ip, 0);
	ck_assert_uint_eq(lookup("late1.test"), 0x0a000001);
}

WORLD_TEST(an_answer_to_another_question_is_none)
{
	ck_assert_uint_eq(lookup("foreign4.test"), 0x0a000004);
}

WORLD_TEST(garbage_is_no_answer_and_does_no_harm)
{
	errno = 0;
	ck_assert_int_eq(netlookup("garbage1.test", &ip), -1);
	ck_assert(errno == EAGAIN || errno == ENOENT);
	ck_assert_uint_eq(lookup("noise2.test"), 0x0a000002);
	ck_assert_uint_eq(lookup("long3.test"), 0x0a000003);
}

static int ndone;

static void
lookupnever(void *name)
{
	uint32_t v;

	FAILS(netlookup(name, &v), EAGAIN);
	ndone++;
}

WORLD_TEST(a_server_that_never_answers_is_given_up_and_stops_nobody)
{
	taskcreate(beat, NULL, 0);
	taskcreate(lookupnever, "never1.test", 0);
	taskcreate(lookupnever, "never1.test", 0);
	taskcreate(lookupnever, "never2.test", 0);
	ck_assert_uint_eq(lookup("host1.test"), 0x0a000001);
	while(nbeats < 50)
		taskdelay(1);
	ck_assert_int_eq(ndone, 0);
	while(ndone < 3)
		taskdelay(1);
}

static void
neverleft(void *v)
{
	(void)v;
	tasksystem();
	netlookup("never1.test", &ip);
}

static void
leavebehind(void *v)
{
	(void)v;
	taskcreate(neverleft, NULL, 0);
	while(nameserver.nasked == 0)
		taskdelay(1);
}

START_TEST(taskrun_does_not_wait_for_a_server_that_never_answers)
{
	const char *why = emulated() ? "an emulator" : ownworld();
	int64_t start = nowns();

	if(why)
		TEST_SKIP(why);
	run(leavebehind);
	ck_assert_int_lt(nowns() - start, 900000000);
	nameend();
}
END_TEST

TEST_MAIN("nameserver",
	a_name_has_the_address_that_the_server_says,
	a_host_that_does_not_exist_is_ENOENT,
	an_answer_that_is_late_is_waited_for,
	a_deadline_ends_a_wait_for_a_late_server_at_once,
	an_answer_to_another_question_is_none,
	garbage_is_no_answer_and_does_no_harm,
	a_server_that_never_answers_is_given_up_and_stops_nobody,
	taskrun_does_not_wait_for_a_server_that_never_answers)
