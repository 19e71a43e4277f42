/* SPDX-License-Identifier: MIT */
/* Reads the tables that are there for exceptions: .eh_frame. */
#include "cfi.h"
#include <link.h>

#if defined(__x86_64__) || defined(__aarch64__)

/* What describes a function, and what it has in common with others. */
typedef struct Entry
{
	Reader common;	/* the instructions for all */
	Reader own;
	uintptr_t first;	/* the function's */
	uint64_t unit;	/* in which advances are counted */
	int64_t scale;	/* of offsets */
	int signal;
} Entry;

static Reader
takebytes(Reader *b, size_t n)
{
	Reader part = *b;

	if((size_t)(b->end - b->at) < n){
		b->bad = 1;
		n = (size_t)(b->end - b->at);
	}
	b->at += n;
	part.end = b->at;
	return part;
}

/* Encodings of pointers: a size, and to what they are relative. */
enum { Absent = 0xff, PcRelative = 0x10, DataRelative = 0x30 };

static uintptr_t
takepointer(Reader *b, unsigned int encoding, uintptr_t data)
{
	uintptr_t at = (uintptr_t)b->at, x;

	switch(encoding & 0x0f){
	case 0x00: case 0x04: case 0x0c:
		x = takeint(b, 8);
		break;
	case 0x01:
		x = takeuleb(b);
		break;
	case 0x02:
		x = takeint(b, 2);
		break;
	case 0x03:
		x = takeint(b, 4);
		break;
	case 0x09:
		x = (uintptr_t)takesleb(b);
		break;
	case 0x0a:
		x = (uintptr_t)(int16_t)takeint(b, 2);
		break;
	case 0x0b:
		x = (uintptr_t)(int32_t)takeint(b, 4);
		break;
	default:
		b->bad = 1;
		return 0;
	}
	if((encoding & 0x70) == PcRelative)
		x += at;
	else if((encoding & 0x70) == DataRelative)
		x += data;
	return x;
}

/* The length is followed by as many bytes; the longer form is not used here. */
static Reader
takeentry(const unsigned char *at)
{
	Reader b = {at, at + 4, 0};
	uint64_t n = takeint(&b, 4);

	if(n == 0 || n >= 0xfffffff0)
		return (Reader){at, at, 1};
	b.end = b.at + n;
	return b;
}

/* reads what an FDE's CIE says; returns how the FDE has its pointers. */
static unsigned int
readcommon(Entry *e, const unsigned char *at)
{
	unsigned int encoding = 0;
	Reader b = takeentry(at);

	takeint(&b, 4);
	unsigned int version = (unsigned int)takeint(&b, 1);
	const char *letters = (const char *)b.at;
	while(takeint(&b, 1) && !b.bad)
		;
	if(version == 4)
		takeint(&b, 2);
	e->unit = takeuleb(&b);
	e->scale = takesleb(&b);
	version == 1 ? takeint(&b, 1) : takeuleb(&b);
	if(b.bad || (*letters && *letters != 'z'))
		return Absent;
	if(*letters == 'z'){
		Reader more = takebytes(&b, takeuleb(&b));
		for(letters++; *letters && !more.bad; letters++)
			if(*letters == 'R')
				encoding = (unsigned int)takeint(&more, 1);
			else if(*letters == 'L')
				takeint(&more, 1);
			else if(*letters == 'P')
				takepointer(&more, 0x7f &
					(unsigned int)takeint(&more, 1), 0);
			else if(*letters == 'S')
				e->signal = 1;
	}
	e->common = b;
	return b.bad ? Absent : encoding;
}

/* reads the FDE at, which is to describe pc; -1 if it does not. */
static int
readentry(Entry *e, const unsigned char *at, uintptr_t pc)
{
	Reader b = takeentry(at);
	const unsigned char *id = b.at;
	uint64_t back = takeint(&b, 4);

	*e = (Entry){.signal = 0};
	if(b.bad || back == 0)
		return -1;
	unsigned int encoding = readcommon(e, id - back);
	if(encoding == Absent)
		return -1;
	e->first = takepointer(&b, encoding, 0);
	uintptr_t n = takepointer(&b, encoding & 0x0f, 0);
	if(b.bad || pc < e->first || pc - e->first >= n)
		return -1;
	takebytes(&b, takeuleb(&b));
	e->own = b;
	return b.bad ? -1 : 0;
}

/* Looking for the FDE of pc. */
typedef struct Sought
{
	uintptr_t pc;
	const unsigned char *entry;
	unsigned long long unloaded;	/* modules, so far */
} Sought;

/* The table that the linker has sorted: pairs of 4 bytes, from its begin. */
static const unsigned char *
bisect(const unsigned char *table, uintptr_t pc)
{
	Reader b = {table, table + 64, 0};
	uint64_t encodings = takeint(&b, 4);	/* the version is the first */
	uintptr_t base = (uintptr_t)table;
	int32_t pair[2];

	if((encodings & 0xff) != 1 || encodings >> 24 != 0x3b)
		return NULL;
	takepointer(&b, encodings >> 8 & 0xff, base);
	size_t low = 0, high = takepointer(&b, encodings >> 16 & 0xff, base);
	if(b.bad)
		return NULL;
	while(low < high){
		size_t middle = (low + high) / 2;
		memcpy(pair, b.at + middle * sizeof pair, sizeof pair);
		if(base + (uintptr_t)(intptr_t)pair[0] <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if(low == 0)
		return NULL;
	memcpy(pair, b.at + (low - 1) * sizeof pair, sizeof pair);
	return (const unsigned char *)(base + (uintptr_t)(intptr_t)pair[1]);
}

static int
inmodule(struct dl_phdr_info *m, size_t size, void *v)
{
	const unsigned char *table = NULL;
	Sought *s = v;
	int in = 0;

	(void)size;
	s->unloaded = m->dlpi_subs;
	for(int i = 0; i < m->dlpi_phnum; i++){
		const ElfW(Phdr) *h = &m->dlpi_phdr[i];
		uintptr_t at = (uintptr_t)m->dlpi_addr + h->p_vaddr;
		if(h->p_type == PT_LOAD && s->pc - at < h->p_memsz)
			in = 1;
		else if(h->p_type == PT_GNU_EH_FRAME)
			table = (const unsigned char *)at;
	}
	if(in && table)
		s->entry = bisect(table, s->pc);
	return in;
}

static int
firstmodule(struct dl_phdr_info *m, size_t size, void *v)
{
	(void)size;
	*(unsigned long long *)v = m->dlpi_subs;
	return 1;
}

enum { Remembered = 2 };	/* rows at once: compilers need one */

/* Carrying out what leads to the row of an instruction. */
typedef struct Course
{
	Row *row;
	const Row *first;	/* what registers are restored to */
	const Entry *e;
	Reader b;
	uintptr_t at;	/* from where on what is now the row holds */
	int nkept;
	Row kept[Remembered];
} Course;

static void
setrule(Course *c, uint64_t column, enum How how, int64_t value)
{
	if(column > Columns)
		return;
	c->row->how[column] = (unsigned char)how;
	c->row->value[column] = (int32_t)value;
}

static void
setexpr(Course *c, uint64_t column, enum How how)
{
	setrule(c, column, how, c->b.at - c->row->base);
	takebytes(&c->b, takeuleb(&c->b));
}

static void
restorerule(Course *c, uint64_t column)
{
	if(column < Columns)
		setrule(c, column, c->first ? c->first->how[column] : Kept,
			c->first ? c->first->value[column] : 0);
}

static void
rememberrow(Course *c)
{
	if(c->nkept < Remembered)
		c->kept[c->nkept++] = *c->row;
	else
		c->b.bad = 1;
}

static void
recallrow(Course *c)
{
	if(c->nkept > 0)
		*c->row = c->kept[--c->nkept];
	else
		c->b.bad = 1;
}

/* The instructions, DW_CFA_ in the standard; three have an operand in them. */
enum
{
	Advance = 0x40, Saved = 0x80, Restore = 0xc0,
	Nop = 0, SetLocation, Advance1, Advance2, Advance4, Saved1, Restore1,
	Undefined, SameValue, Register, RememberRow, RecallRow, CfaIs,
	CfaRegister, CfaOffset, CfaExpr, SavedExpr, Saved1Signed, CfaSigned,
	CfaOffsetSigned, Is, IsSigned, IsExpr,
	SignedOrNot = 0x2d,	/* arm64: the addresses that are returned to */
	ArgsSize = 0x2e
};

/* one that speaks of a register */
static void
carryrule(Course *c, unsigned int op)
{
	int64_t scale = c->e->scale;
	uint64_t column = takeuleb(&c->b);

	switch(op){
	case Saved1:
		setrule(c, column, SavedAt, (int64_t)takeuleb(&c->b) * scale);
		break;
	case Saved1Signed:
		setrule(c, column, SavedAt, takesleb(&c->b) * scale);
		break;
	case Is:
		setrule(c, column, IsAt, (int64_t)takeuleb(&c->b) * scale);
		break;
	case IsSigned:
		setrule(c, column, IsAt, takesleb(&c->b) * scale);
		break;
	case Register:
		setrule(c, column, InRegister, (int64_t)takeuleb(&c->b));
		break;
	case Undefined:
		setrule(c, column, Unknown, 0);
		break;
	case SameValue:
		setrule(c, column, Kept, 0);
		break;
	case Restore1:
		restorerule(c, column);
		break;
	case SavedExpr:
		setexpr(c, column, SavedByExpr);
		break;
	case IsExpr:
		setexpr(c, column, IsByExpr);
		break;
	default:
		c->b.bad = 1;
	}
}

/* one that is not about a place in the code */
static void
carry(Course *c, unsigned int op)
{
	int64_t scale = c->e->scale;

	switch(op){
	case Nop: case SignedOrNot:
		break;
	case ArgsSize:
		takeuleb(&c->b);
		break;
	case RememberRow:
		rememberrow(c);
		break;
	case RecallRow:
		recallrow(c);
		break;
	case CfaIs: case CfaSigned:
		setrule(c, Cfa, InRegister, (int64_t)takeuleb(&c->b));
		c->row->offset = (int32_t)(op == CfaIs ?
			(int64_t)takeuleb(&c->b) : takesleb(&c->b) * scale);
		break;
	case CfaRegister:
		setrule(c, Cfa, InRegister, (int64_t)takeuleb(&c->b));
		break;
	case CfaOffset:
		c->row->offset = (int32_t)takeuleb(&c->b);
		break;
	case CfaOffsetSigned:
		c->row->offset = (int32_t)(takesleb(&c->b) * scale);
		break;
	case CfaExpr:
		setexpr(c, Cfa, IsByExpr);
		break;
	default:
		carryrule(c, op);
	}
}

/* carries out what there is until it speaks of code behind pc; -1: bad. */
static int
carryout(Course *c, uintptr_t pc)
{
	while(c->b.at < c->b.end && !c->b.bad && c->at <= pc){
		unsigned int op = (unsigned int)takeint(&c->b, 1);
		unsigned int low = op & 0x3f;

		switch(op & 0xc0){
		case Advance:
			c->at += low * c->e->unit;
			continue;
		case Saved:
			setrule(c, low, SavedAt, (int64_t)takeuleb(&c->b) *
				c->e->scale);
			continue;
		case Restore:
			restorerule(c, low);
			continue;
		}
		if(op == SetLocation)
			c->at = takeint(&c->b, sizeof c->at);
		else if(op >= Advance1 && op <= Advance4)
			c->at += takeint(&c->b, (size_t)1 << (op - Advance1))
				* c->e->unit;
		else
			carry(c, op);
	}
	return c->b.bad ? -1 : 0;
}

/* Not inline: it has much on its stack. */
__attribute__((noinline)) static int
rowof(const Entry *e, uintptr_t pc, Row *row)
{
	Row first;
	Course c = {.row = row, .e = e, .b = e->common, .at = 0};

	*row = (Row){.signal = e->signal, .base = e->common.at};
	if(carryout(&c, UINTPTR_MAX) < 0)
		return -1;
	first = *row;
	c.first = &first;
	c.b = e->own;
	c.at = e->first;
	return carryout(&c, pc);
}

int
task_cfirow(uintptr_t pc, Row *row)
{
	Sought s = {.pc = pc};
	Entry e;

	dl_iterate_phdr(inmodule, &s);
	if(s.entry == NULL || readentry(&e, s.entry, pc) < 0)
		return -1;
	return rowof(&e, pc, row);
}

unsigned long long
task_cfiunloaded(void)
{
	unsigned long long n = 0;

	dl_iterate_phdr(firstmodule, &n);
	return n;
}
#endif
