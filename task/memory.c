/* SPDX-License-Identifier: MIT */
/* Where the library's memory comes from, and when it goes back. */
#include "life.h"
#include "newnames.h"
#include <string.h>

/* The program's functions, while task_sys has those below. */
static void *(*allocate)(size_t bytes);
static void *(*reallocate)(void *v, size_t bytes);

/* What the library asks for is zeroed. */
static void *
alloczeroed(size_t bytes)
{
	void *v = allocate(bytes);

	if(v == NULL){
		errno = ENOMEM;
		return NULL;
	}
	return memset(v, 0, bytes);
}

static void *
resizeorfail(void *v, size_t bytes)
{
	void *w = reallocate(v, bytes);

	if(w == NULL)
		errno = ENOMEM;
	return w;
}

int
tasksetalloc(void *(*alloc)(size_t bytes), void *(*resize)(void *v,
	size_t bytes), void (*release)(void *v))
{
	static Sys libc;

	if((alloc == NULL) != (resize == NULL) ||
			(alloc == NULL) != (release == NULL))
		return task_fail(EINVAL);
	if(task_proc)
		return task_fail(EBUSY);
	if(libc.alloc == NULL)
		libc = task_sys;
	allocate = alloc;
	reallocate = resize;
	task_sys.alloc = alloc ? alloczeroed : libc.alloc;
	task_sys.resize = resize ? resizeorfail : libc.resize;
	task_sys.free = release ? release : libc.free;
	return 0;
}

int
tasktrim(void)
{
	Proc *p = task_here();

	if(p == NULL)
		return -1;
	task_sleepshrink(&p->sleeping, (size_t)p->ntask);
	task_sparefree(&p->life->spares);
	return task_stackdrop(&p->pool);
}
