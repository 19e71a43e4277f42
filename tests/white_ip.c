/* SPDX-License-Identifier: MIT */
/* Addresses to text, and the names that are not even looked up. */
#include <arpa/inet.h>
#include <sys/un.h>

#include "../net/ip.h"
#include "fdtest.h"

static void
textis(const void *sa, const char *text, int port)
{
	struct { char text[IpTextBytes], after[8]; } b;
	int p = -1;

	memset(&b, '#', sizeof b);
	task_iptext(sa, b.text, &p);
	ck_assert_str_eq(b.text, text);
	ck_assert_int_eq(p, port);
	ck_assert_int_eq(b.after[0], '#');
}

static void
v6is(const char *ip, uint32_t scope, const char *text)
{
	struct sockaddr_in6 sa = {.sin6_family = AF_INET6,
		.sin6_port = htons(65535), .sin6_scope_id = scope};

	ck_assert_int_eq(inet_pton(AF_INET6, ip, &sa.sin6_addr), 1);
	textis(&sa, text, 65535);
}

START_TEST(ipv4_is_a_dotted_quad)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(80)};

	textis(&sa, "0.0.0.0", 80);
	sa.sin_addr.s_addr = htonl(0xffffffff);
	textis(&sa, "255.255.255.255", 80);
}
END_TEST

START_TEST(ipv4_mapped_into_ipv6_is_a_dotted_quad_too)
{
	v6is("::ffff:127.0.0.1", 0, "127.0.0.1");
	v6is("::ffff:255.255.255.255", 0, "255.255.255.255");
}
END_TEST

START_TEST(ipv6_is_written_whole_with_its_zone)
{
	v6is("::", 0, "::");
	v6is("::1", 0, "::1");
	v6is("2001:db8:1111:2222:3333:4444:5555:6666", 0,
		"2001:db8:1111:2222:3333:4444:5555:6666");
	v6is("fe80::1", 2, "fe80::1%2");
	v6is("fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe", UINT32_MAX,
		"fefe:fefe:fefe:fefe:fefe:fefe:fefe:fefe%4294967295");
}
END_TEST

START_TEST(a_peer_without_address_is_the_empty_text)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_storage none = {0};

	textis(&un, "", 0);
	textis(&none, "", 0);
}
END_TEST

static void
found(const char *host, int family, const char *text)
{
	const Question q = {host, 1234, family, SOCK_STREAM};
	Addresses found;
	char got[IpTextBytes];
	int port;

	ck_assert_int_eq(task_ipnumber(&q, &found), 0);
	ck_assert_int_ge(found.n, 1);
	ck_assert_int_eq(found.v[0].type, SOCK_STREAM);
	task_iptext(&found.v[0].at.sa, got, &port);
	ck_assert_str_eq(got, text);
	ck_assert_int_eq(port, 1234);
}

START_TEST(numbers_are_found_as_they_are)
{
	found("127.0.0.1", AF_UNSPEC, "127.0.0.1");
	found("127.0.0.1", AF_INET, "127.0.0.1");
	found("::1", AF_UNSPEC, "::1");
	found(NULL, AF_INET, "0.0.0.0");
	found(NULL, AF_INET6, "::");
}
END_TEST

START_TEST(localhost_is_this_host_whatever_files_say)
{
	const Question q = {"LocalHost", 1234, AF_UNSPEC, SOCK_STREAM};
	Addresses all;

	found("localhost", AF_UNSPEC, "127.0.0.1");
	found("localhost", AF_INET6, "::1");
	ck_assert_int_eq(task_ipnumber(&q, &all), 0);
	ck_assert_int_eq(all.n, 2);
}
END_TEST

START_TEST(other_names_are_to_be_asked_for)
{
	const Question q = {"1.2.3.4.5", 1, AF_UNSPEC, SOCK_STREAM};
	Addresses all;

	ck_assert_int_eq(task_ipnumber(&q, &all), 1);
}
END_TEST

static void
rejected(const char *host, int port)
{
	const Question q = {host, port, AF_UNSPEC, SOCK_STREAM};
	Addresses found;

	FAILS(task_ipnumber(&q, &found), EINVAL);
}

START_TEST(names_and_ports_that_cannot_be_are_rejected_and_never_cut)
{
	char name[1000];

	rejected("", 1);
	rejected("127.0.0.1", -1);
	rejected("127.0.0.1", 65536);
	rejected(NULL, INT_MIN);
	for(size_t n = 256; n < sizeof name; n += 37){
		memset(name, '0', n);
		name[n] = '\0';
		rejected(name, 1);
		memcpy(name, "127.0.0.1", 9);
		rejected(name, 1);
	}
}
END_TEST

TEST_MAIN("ip",
	ipv4_is_a_dotted_quad,
	ipv4_mapped_into_ipv6_is_a_dotted_quad_too,
	ipv6_is_written_whole_with_its_zone,
	a_peer_without_address_is_the_empty_text,
	numbers_are_found_as_they_are,
	localhost_is_this_host_whatever_files_say,
	other_names_are_to_be_asked_for,
	names_and_ports_that_cannot_be_are_rejected_and_never_cut)
