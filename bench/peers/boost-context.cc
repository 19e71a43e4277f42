/* SPDX-License-Identifier: MIT */
/* Boost.Context: the bare switch, by what its class fiber is made of. */
#include "../measure.h"
#include <boost/context/detail/fcontext.hpp>
#include <cstring>

using namespace boost::context::detail;

enum { Switches = 10000000, StackBytes = 64 * 1024 };

static void
back(transfer_t t)
{
	for(;;)
		t = jump_fcontext(t.fctx, nullptr);
}

int
main(int argc, char **argv)
{
	if(argc != 2 || strcmp(argv[1], "switch") != 0)
		return 0;
	char *low = static_cast<char *>(malloc(StackBytes));
	transfer_t t = {make_fcontext(low + StackBytes, StackBytes, back),
		nullptr};
	t = jump_fcontext(t.fctx, nullptr);
	int64_t start = nowns();
	for(long i = 0; i < Switches / 2; i++)
		t = jump_fcontext(t.fctx, nullptr);
	report("switch", each(start, Switches), "ns");
}
