/* SPDX-License-Identifier: MIT */
/* Honest clients of a server that others would have fail notice nothing. */
#include "fdtest.h"
#include "watched.h"
#include "../bench/hostile.h"

enum
{
	Ms = 3000,	/* that it lasts */
	StepMs = 1000,	/* what an honest client sends comes in one piece */
	ShakeMs = 4000,	/* but for a handshake, which takes turns */
	IdleMs = 100000,	/* so who says nothing stays until the stop */
	Honests = 6
};

static uint32_t
ended(const Tally *t)
{
	uint32_t n = t->closed + t->reset + t->left;

	for(int i = 0; i < StatusMost; i++)
		n += t->answered[i];
	return n;
}

/* Each has begun some, none was kept, and none was the server's fault. */
static void
accounted(const Kind *k, const Tally *t)
{
	ck_assert_msg(t->begun > 0 && ended(t) == t->begun && t->kept == 0 &&
		t->refused == 0 && t->answered[500] == 0,
		"%s: %u begun, %u ended, %u kept, %u refused, %u got 500",
		k->name, t->begun, ended(t), t->kept, t->refused,
		t->answered[500]);
}

static void
allhonest(void)
{
	const Honesty *h = &crowd->honest;

	ck_assert_uint_gt(h->answered, 0);
	ck_assert_msg(h->lost == 0 && h->wrong == 0 && h->answered == h->asked,
		"%u asked, %u answered, %u lost, %u wrong", h->asked,
		h->answered, h->lost, h->wrong);
}

/* Somebody new, when the worst is over. */
static void
goeson(void)
{
	for(int i = 0; i < 2; i++){
		Honest c = {.tls = i};
		askonce(&c);
	}
	allhonest();
}

static void
begin(void)
{
	const char *times = getenv("CK_TIMEOUT_MULTIPLIER");
	static Crowd here;

	crowd = &here;
	crowd->second_ms = 50;
	crowd->patience_ms = 18000 * (times ? atoi(times) : 1);
	crowd->rate = watched() ? 20 : 200;
	int shake_ms = ShakeMs * (times ? atoi(times) : 1);
	ck_assert_int_eq(beginserver(StepMs, shake_ms, IdleMs), 0);
	trusting = tlsclient(certfile);
	ck_assert_ptr_nonnull(trusting);
}

/* Who has said nothing is hung up on now, and all have gone then. */
static void
end(Group *hostiles)
{
	Timeout t;

	TIMEOUT(&t, crowd->patience_ms){
		ck_assert_int_eq(serverstop(&plain), 0);
		ck_assert_int_eq(serverstop(&secure), 0);
	}
	ck_assert_int_eq(groupwait(hostiles), 0);
	tlsfree(tls);
	tlsfree(trusting);
}

static void
runcounted(void (*body)(void *))
{
	run(nothing);	/* the library has what descriptors it wants */
	int before = openfds();
	run(body);
	ck_assert_int_le(openfds(), before + 1);	/* one in reserve */
}

TASK_TEST_BY(honest_clients_do_not_notice_hostile_ones, runcounted(body))
{
	static Honest clients[Honests];
	Group honests = {0}, hostiles = {0};

	begin();
	for(int i = 0; i < Honests; i++)
		behonest(&honests, &clients[i], i, 5);
	for(int i = 0; i < (watched() ? 2 : 5) * Kinds; i++)
		behostile(&hostiles, i);
	taskdelay(Ms);
	crowd->over = 1;
	ck_assert_int_eq(groupwait(&honests), 0);
	allhonest();
	goeson();
	end(&hostiles);
	for(int i = 0; i < Kinds; i++)
		accounted(&kinds[i], &crowd->tally[i]);
}

int
main(void)
{
	const TTest *const tests[] = {
		honest_clients_do_not_notice_hostile_ones
	};

	makecert();
	int r = test_main("hostile", tests, sizeof tests / sizeof tests[0]);
	dropcert();
	return r;
}
