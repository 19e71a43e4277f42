/* SPDX-License-Identifier: MIT */
/* Functions handed to libuv's pool of threads, one at a time and many. */
#include "../measure.h"
#include <uv.h>

enum { Calls = 50000, Many = 100 };

static int left;	/* calls that are to be made yet */

static void
nothing(uv_work_t *w)
{
	(void)w;
}

static void
again(uv_work_t *w, int status)
{
	(void)status;
	if(left > 0){
		left--;
		uv_queue_work(w->loop, w, nothing, again);
	}
}

/* makes n calls, so many of them under way at a time. */
static double
call(int n, int atatime)
{
	static uv_work_t works[Many];

	left = n;
	int64_t start = nowns();
	for(int i = 0; i < atatime; i++, left--)
		uv_queue_work(uv_default_loop(), &works[i], nothing, again);
	uv_run(uv_default_loop(), UV_RUN_DEFAULT);
	return each(start, n);
}

int
main(void)
{
	call(Calls / 10, 1);
	report("offload", call(Calls, 1), "ns");
	report("offload-100", call(Calls, Many), "ns");
	return 0;
}
