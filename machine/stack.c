/* SPDX-License-Identifier: MIT */
/* Stacks: guarded, pooled by size, and given back when they are not needed. */
#include "machine.h"
#include <errno.h>
#include <unistd.h>

/*
 * Stacks of one size are cut from slabs:
 *
 *	| guard | stack ... top | guard | stack ... top | ...
 *
 * A slab is one mapping, so however many stacks there are, the kernel has few
 * map entries to keep.  Guards are installed for a whole slab before anything
 * in it is touched: with MADV_GUARD_INSTALL, which needs no map entries either,
 * or else with mprotect, which needs two each.  A stack that cannot be guarded
 * is not handed out.
 *
 * Each stack has a page more than its size, for the control block, and its top
 * is moved down by some cache lines, differently for each: the tops of ten
 * thousand stacks would otherwise all want the same cache lines.
 *
 * Free stacks are reused last in, first out, while they are warm.  What has
 * lain idle for a second is given back to the kernel, half of it every second:
 * giving back at once would cost a busy program more than its work.
 */
enum
{
	/* stacks in the first slab of a size, then doubling */
	SlabFirst = 16,
	SlabLast = 1024,	/* guards are installed in one call: IOV_MAX */
	/* address space a slab takes at most, or one stack */
	SlabBytes = 1 << 30,
	Colours = 16,
	ColourBytes = 128,
	KeepWarm = 8,		/* stacks of a size that are never given back */
	TrimMost = 64,		/* stacks given back at a time: 100 us */
	ManyStacks = 1024,	/* from here on map entries may run out */
	SpareMaps = 256		/* map entries to be left to others then */
};

_Static_assert(sizeof(struct iovec) <= sizeof(Stack), "guard needs the room");

struct Slab
{
	Slab *next;
	char *low;
	size_t bytes;
	int class;
	int n;		/* stacks in it */
	int used;	/* those that have been handed out at least once */
	Stack stack[];
};

static size_t
pagebytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* returns the size of a stack with its extra page, without its guard. */
static size_t
stackbytes(int class)
{
	return ((size_t)StackMin << class) + pagebytes();
}

size_t
task_guardbytes(void)
{
	return (GuardBytes + pagebytes() - 1) / pagebytes() * pagebytes();
}

static size_t
slotbytes(int class)
{
	return task_guardbytes() + stackbytes(class);
}

static int
classof(size_t bytes)
{
	int class = 0;

	while(class < StackClasses && (size_t)StackMin << class < bytes)
		class++;
	return class;
}

/*
 * returns whether SpareMaps map entries are left, which is found out by using
 * them: each protected page takes two.  A process that has used up its map
 * entries gets no memory and no threads any more.
 */
static int
sparemaps(void)
{
	size_t page = pagebytes(), bytes = SpareMaps * page;
	char *low = task_sys.map(bytes);
	size_t i = page;

	if(low == NULL)
		return 0;
	while(i < bytes && task_sys.protect(low + i, page) == 0)
		i += 2 * page;
	task_sys.unmap(low, bytes);
	return i >= bytes;
}

/*
 * returns how many of the slab's n stacks could be guarded, beside nstack
 * others.  Where the guards lie is written where the descriptions of the stacks
 * will be: the caller's stack may be a small one, and this much of it is not
 * to be had.
 */
static int
guard(Slab *slab, int n, int nstack)
{
	struct iovec *v = (void *)slab->stack;
	size_t slot = slotbytes(slab->class);
	size_t bytes = task_guardbytes();

	for(int i = 0; i < n; i++)
		v[i] = (struct iovec){slab->low + (size_t)i * slot, bytes};
	if(!task_told() && task_sys.guard(v, n) == 0)
		return n;
	for(int i = 0; i < n; i++)
		if(task_sys.protect(v[i].iov_base, bytes) < 0)
			return nstack < ManyStacks ? i : 0;
	return nstack < ManyStacks || sparemaps() ? n : 0;
}

static int
makeslab(Slab *slab, int class, int n, int nstack)
{
	slab->bytes = (size_t)n * slotbytes(class);
	slab->class = class;
	slab->low = task_sys.map(slab->bytes);
	if(slab->low == NULL)
		return -1;
	slab->n = guard(slab, n, nstack);
	if(slab->n > 0)
		return 0;
	task_sys.unmap(slab->low, slab->bytes);
	return -1;
}

/* adds a slab of n stacks, or of as many of them as can be guarded. */
static int
addslab(Stackpool *pool, int class, int n)
{
	Stackclass *c = &pool->class[class];
	size_t total = (size_t)(c->nstack + n);
	Stack **free = task_sys.resize(c->free, total * sizeof *free);

	if(free == NULL)
		return -1;
	c->free = free;
	Slab *slab = task_sys.alloc(sizeof *slab + (size_t)n * sizeof(Stack));
	if(slab == NULL)
		return -1;
	if(makeslab(slab, class, n, c->nstack) < 0){
		task_sys.free(slab);
		return -1;
	}
	task_slabborn(slab->low, slab->bytes);
	slab->next = pool->slabs;
	pool->slabs = slab;
	c->slab = slab;
	c->nstack += slab->n;
	return 0;
}

/*
 * adds a slab twice as large as the last one.  Where it cannot be had, a
 * smaller one will do.
 */
static int
growpool(Stackpool *pool, int class)
{
	Stackclass *c = &pool->class[class];
	int err = errno;
	int n = c->slab == NULL ? SlabFirst : 2 * c->slab->n;

	if(n > SlabLast)
		n = SlabLast;
	while(n > 1 && (size_t)n * slotbytes(class) > SlabBytes)
		n /= 2;
	while(addslab(pool, class, n) < 0){
		n /= 2;
		if(n == 0){
			errno = ENOMEM;
			return -1;
		}
	}
	errno = err;
	return 0;
}

/* takes the next stack of a slab for the first time. */
static Stack *
carve(Slab *slab)
{
	Stack *s = &slab->stack[slab->used];
	size_t slot = slotbytes(slab->class);
	char *end = slab->low + (size_t)(slab->used + 1) * slot;

	s->class = slab->class;
	s->bytes = (size_t)StackMin << slab->class;
	s->low = end - stackbytes(slab->class);
	s->top = end - (size_t)(slab->used % Colours) * ColourBytes;
	s->number = task_stackborn(s->low, end);
	slab->used++;
	return s;
}

/* Not inline, or task_stackget would save registers for it each time. */
__attribute__((noinline)) static Stack *
newstack(Stackpool *pool, int class)
{
	if(class == StackClasses){
		errno = ENOMEM;
		return NULL;
	}
	Stackclass *c = &pool->class[class];
	if((c->slab == NULL || c->slab->used == c->slab->n) &&
			growpool(pool, class) < 0)
		return NULL;
	if(class >= pool->nclass)
		pool->nclass = class + 1;
	return carve(c->slab);
}

Stack *
task_stackget(Stackpool *pool, size_t bytes)
{
	int class = classof(bytes);
	Stackclass *c = &pool->class[class];

	if(class == StackClasses || c->nfree == 0)
		return newstack(pool, class);
	Stack *s = c->free[--c->nfree];
	if(c->nfree < c->idle)
		c->idle = c->nfree;
	if(c->nfree < c->ncold)
		c->ncold = c->nfree;
	return s;
}

/*
 * makes due half of the stacks that are warm and were not needed since the last
 * trim.
 */
static void
settle(Stackclass *c)
{
	int spare = c->idle - c->ncold - KeepWarm;

	c->due = spare > 0 ? c->ncold + (spare + 1) / 2 : 0;
	c->idle = c->nfree;
}

int64_t
task_stacktrim(Stackpool *pool, int64_t now)
{
	int due = 0, spare = 0, budget = TrimMost, err = errno;
	int settled = now < pool->trim_ns;

	for(Stackclass *c = pool->class; c < pool->class + pool->nclass; c++){
		if(!settled)
			settle(c);
		if(c->ncold == c->nfree)
			continue;
		for(; c->ncold < c->due && c->ncold < c->nfree && budget > 0;
				budget--){
			Stack *s = c->free[c->ncold++];
			/* if this fails the memory just stays */
			task_sys.giveback(s->low, stackbytes(s->class));
		}
		due |= c->ncold < c->due && c->ncold < c->nfree;
		spare |= c->nfree - c->ncold > KeepWarm;
	}
	errno = err;
	if(!settled)
		pool->trim_ns = now + Second;
	if(due)
		return now;
	return spare ? pool->trim_ns : -1;
}

/* frees the slabs of one size, or, for StackClasses, all. */
static void
freeslabs(Stackpool *pool, int class)
{
	for(Slab **at = &pool->slabs, *slab; (slab = *at); ){
		if(class != StackClasses && slab->class != class){
			at = &slab->next;
			continue;
		}
		*at = slab->next;
		for(int i = 0; i < slab->used; i++)
			task_stackdead(slab->stack[i].number);
		task_slabdead(slab->low, slab->bytes);
		task_sys.unmap(slab->low, slab->bytes);
		task_sys.free(slab);
	}
}

/* returns whether each stack of c that was ever handed out is free. */
static int
allfree(const Stackclass *c)
{
	return c->nfree == c->nstack - (c->slab->n - c->slab->used);
}

int
task_stackdrop(Stackpool *pool)
{
	int n = 0, err = errno;

	for(int i = 0; i < pool->nclass; i++){
		Stackclass *c = &pool->class[i];
		n += c->nfree - c->ncold;
		if(c->slab && allfree(c)){
			freeslabs(pool, i);
			task_sys.free(c->free);
			*c = (Stackclass){0};
		}
		for(; c->ncold < c->nfree; c->ncold++)
			task_sys.giveback(c->free[c->ncold]->low,
				stackbytes(i));
	}
	errno = err;
	return n;
}

void
task_stackfree(Stackpool *pool)
{
	freeslabs(pool, StackClasses);
	for(int i = 0; i < StackClasses; i++)
		task_sys.free(pool->class[i].free);
}

size_t
task_stackbytes(const Stackpool *pool)
{
	size_t n = 0;

	for(const Slab *slab = pool->slabs; slab; slab = slab->next)
		n += slab->bytes;
	return n;
}

size_t
task_stackmark(const Stack *s)
{
	unsigned char pages[256];
	size_t page = pagebytes();
	char *low = s->low;

	while(low < s->top){
		size_t n = (size_t)(s->top - low + (ptrdiff_t)page - 1) / page;
		if(n > sizeof pages)
			n = sizeof pages;
		if(task_sys.resident(low, n * page, pages) < 0)
			return 0;
		for(size_t i = 0; i < n; i++, low += page)
			if(pages[i] & 1)
				return (size_t)(s->top - low);
	}
	return 0;
}
