/* SPDX-License-Identifier: MIT */
/* Memory for small things of one size. */
#include "life.h"

enum { SlabBlocks = 64 };

typedef struct Block Block;
struct Block
{
	Block *next;	/* the next free one; in a first one, the next slab */
	char rest[BlockBytes - sizeof(Block *)];
};

/* adds a slab of blocks.  Its first block only links the slabs. */
static int
addblocks(Blocks *b)
{
	Block *slab = task_sys.alloc(SlabBlocks * sizeof *slab);

	if(slab == NULL)
		return -1;
	slab->next = b->slabs;
	b->slabs = slab;
	for(int i = SlabBlocks - 1; i > 0; i--){
		slab[i].next = b->free;
		b->free = &slab[i];
	}
	return 0;
}

void *
task_blockget(Blocks *b)
{
	if(b->free == NULL && addblocks(b) < 0)
		return NULL;
	Block *block = b->free;
	b->free = block->next;
	return block;
}

void
task_blockput(Blocks *b, void *v)
{
	Block *block = v;

	block->next = b->free;
	b->free = block;
}

void
task_blockfree(Blocks *b)
{
	for(Block *slab = b->slabs, *next; slab; slab = next){
		next = slab->next;
		task_sys.free(slab);
	}
}
