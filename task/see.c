/* SPDX-License-Identifier: MIT */
/* Who looks on while tasks stop and wake. */
#include "ready.h"

/*
 * It costs nothing while nobody does: few tells appendready, and no credit
 * tells whoever stops, that there is more to do than usual.
 */
void
task_see(Proc *p, const Seen *seen)
{
	if((seen != NULL) != (p->seen != NULL))
		p->few += seen ? -Seeing : Seeing;
	p->seen = seen;
	p->credit = 0;
	if(seen == NULL && p->few < 0)
		beginmany(p);
}
