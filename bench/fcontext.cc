/* SPDX-License-Identifier: MIT */
/* Boost.Context's bare switch, to compare with: no queue, no errno. */
#include <boost/context/detail/fcontext.hpp>
#include <cstdio>
#include <cstdlib>
#include <ctime>

using namespace boost::context::detail;

static void
there(transfer_t t)
{
	for(;;)
		t = jump_fcontext(t.fctx, nullptr);
}

int
main()
{
	const long n = 5000000;
	char *stack = static_cast<char *>(malloc(65536));
	transfer_t t = {make_fcontext(stack + 65536, 65536, there), nullptr};
	timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for(long i = 0; i < n; i++)
		t = jump_fcontext(t.fctx, nullptr);
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("boost-fcontext %.2f ns\n", (double(b.tv_sec - a.tv_sec) * 1e9
		+ double(b.tv_nsec - a.tv_nsec)) / (2 * n));
}
