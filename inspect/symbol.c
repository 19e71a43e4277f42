/* SPDX-License-Identifier: MIT */
/* Finds the names of functions in the files that the program consists of. */
#include "symbol.h"
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * dladdr knows exported names only, and a program exports none.  The names of
 * all functions are in its file, unless it was stripped: in a section that is
 * not loaded.  So that is mapped, searched and unmapped: it takes no memory,
 * and can be done where a program has just crashed.
 */

typedef struct Module
{
	uintptr_t pc;	/* that is looked for */
	uintptr_t bias;	/* between addresses here and in the file */
	const ElfW(Ehdr) *head;	/* as it is in memory, or NULL */
	char path[256];	/* "": of the program itself */
	unsigned long long unloaded;	/* modules, so far */
} Module;

static int
modulehas(struct dl_phdr_info *info, size_t size, void *v)
{
	Module *m = v;
	int has = 0;

	(void)size;
	m->unloaded = info->dlpi_subs;
	m->head = NULL;
	for(int i = 0; i < info->dlpi_phnum; i++){
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		uintptr_t at = (uintptr_t)info->dlpi_addr + h->p_vaddr;
		if(h->p_type != PT_LOAD)
			continue;
		if(h->p_offset == 0)
			m->head = (const ElfW(Ehdr) *)at;
		has |= m->pc - at < h->p_memsz;
	}
	m->bias = (uintptr_t)info->dlpi_addr;
	snprintf(m->path, sizeof m->path, "%s", info->dlpi_name);
	return has;
}

typedef struct Elf
{
	const char *bytes;
	size_t n;
} Elf;

/* returns n pieces of size bytes at; NULL: the file has not so many. */
static const void *
pieces(Elf e, uint64_t at, uint64_t n, uint64_t size)
{
	if(at > e.n || n > (e.n - at) / size || at % 4)
		return NULL;
	return e.bytes + at;
}

/* What lies there is not to be taken for what was loaded, if it has changed. */
static Elf
mapfile(const Module *m)
{
	int fd = open(*m->path ? m->path : "/proc/self/exe",
		O_RDONLY | O_CLOEXEC);
	Elf e = {NULL, 0};
	struct stat st;

	if(fd < 0)
		return e;
	if(fstat(fd, &st) == 0 && st.st_size > (off_t)sizeof(ElfW(Ehdr))){
		void *v = mmap(NULL, (size_t)st.st_size, PROT_READ,
			MAP_PRIVATE, fd, 0);
		if(v != MAP_FAILED)
			e = (Elf){v, (size_t)st.st_size};
	}
	close(fd);
	if(e.bytes && (memcmp(e.bytes, ELFMAG, SELFMAG) != 0 || (m->head &&
			memcmp(e.bytes, m->head, sizeof *m->head) != 0))){
		munmap((void *)(uintptr_t)e.bytes, e.n);
		e.bytes = NULL;
	}
	return e;
}

/* The table of all names, or else of those that are exported. */
static const ElfW(Shdr) *
symbols(Elf e, const ElfW(Shdr) **strings)
{
	const ElfW(Ehdr) *head = (const void *)e.bytes;
	const ElfW(Shdr) *s = pieces(e, head->e_shoff, head->e_shnum,
		sizeof *s), *found = NULL;

	for(int i = 0; s && i < head->e_shnum; i++)
		if((s[i].sh_type == SHT_SYMTAB || (s[i].sh_type == SHT_DYNSYM
				&& !found)) && s[i].sh_link < head->e_shnum)
			found = &s[i];
	if(found)
		*strings = &s[found->sh_link];
	return found;
}

/* puts the function that has the address in the file; returns its begin. */
static uintptr_t
function(Elf e, uintptr_t at, char *buf, size_t n)
{
	const ElfW(Shdr) *strings, *table = symbols(e, &strings);
	const ElfW(Sym) *s = table ? pieces(e, table->sh_offset, 1,
		table->sh_size) : NULL;
	const char *text = table ? pieces(e, strings->sh_offset, 1,
		strings->sh_size) : NULL;
	size_t count = table ? table->sh_size / sizeof *s : 0;

	for(size_t i = 0; s && text && i < count; i++){
		size_t left = strings->sh_size - s[i].st_name;
		if((s[i].st_info & 0xf) != STT_FUNC || at - s[i].st_value >=
				s[i].st_size || s[i].st_name >=
				strings->sh_size)
			continue;
		snprintf(buf, n, "%.*s", left < n ? (int)left : (int)n,
			text + s[i].st_name);
		return s[i].st_value;
	}
	*buf = '\0';
	return 0;
}

static const char *
modulename(Module *m)
{
	ssize_t n = *m->path ? 0 : readlink("/proc/self/exe", m->path,
		sizeof m->path - 1);

	if(n > 0)
		m->path[n] = '\0';
	const char *slash = strrchr(m->path, '/');
	return slash ? slash + 1 : m->path;
}

typedef struct Symbol
{
	const void *pc;
	int call;
	short function;	/* bytes of text that are its bare name; or 0 */
	char text[SymbolBytes];
} Symbol;

static void
lookup(Symbol *s, unsigned long long *unloaded)
{
	uintptr_t pc = (uintptr_t)s->pc - (s->call != 0);
	Module m = {.pc = pc};
	size_t n = 0;

	s->function = 0;
	int has = dl_iterate_phdr(modulehas, &m);
	*unloaded = m.unloaded;
	if(!has){
		snprintf(s->text, sizeof s->text, "%p", s->pc);
		return;
	}
	Elf e = mapfile(&m);
	if(e.bytes){
		uintptr_t first = function(e, pc - m.bias, s->text,
			sizeof s->text / 2);
		n = strlen(s->text);
		s->function = (short)n;
		if(n > 0)
			n += (size_t)snprintf(s->text + n, 32, "+%#lx ",
				(long)((uintptr_t)s->pc - m.bias - first));
		munmap((void *)(uintptr_t)e.bytes, e.n);
	}
	snprintf(s->text + n, sizeof s->text - n, "%.60s(+%#lx)",
		modulename(&m), (long)(pc - m.bias));
}

/* What a list has once it has again and again. */
enum { KnownSymbols = 64 };

static struct
{
	atomic_flag busy;
	unsigned long long unloaded;
	Symbol symbol[KnownSymbols];
} known = {.busy = ATOMIC_FLAG_INIT};

static void
copytext(char *buf, size_t n, const Symbol *s, int bare)
{
	if(bare && s->function)
		snprintf(buf, n, "%.*s", s->function, s->text);
	else
		snprintf(buf, n, "%s", s->text);
}

/* Another thread may be at it, or what a signal has interrupted. */
static const char *
symbol(char *buf, size_t n, const void *pc, int call, int bare)
{
	Symbol *s = &known.symbol[((uintptr_t)pc ^ (uintptr_t)pc >> 6) %
		KnownSymbols];
	unsigned long long unloaded;
	Symbol mine;

	if(atomic_flag_test_and_set(&known.busy)){
		mine = (Symbol){.pc = pc, .call = call};
		lookup(&mine, &unloaded);
		copytext(buf, n, &mine, bare);
		return buf;
	}
	if(s->pc != pc || s->call != call || !*s->text){
		s->pc = pc;
		s->call = call;
		lookup(s, &unloaded);
		if(unloaded != known.unloaded){
			mine = *s;
			memset(known.symbol, 0, sizeof known.symbol);
			*s = mine;
			known.unloaded = unloaded;
		}
	}
	copytext(buf, n, s, bare);
	atomic_flag_clear(&known.busy);
	return buf;
}

const char *
task_symbol(char *buf, size_t n, const void *pc, int call)
{
	return symbol(buf, n, pc, call, 0);
}

const char *
task_function(char *buf, size_t n, const void *pc)
{
	return symbol(buf, n, pc, 0, 1);
}

int
task_frameline(char *buf, size_t size, void *const *pc, int n, int i, int exact)
{
	char text[SymbolBytes];
	int next = i + 1;

	while(next < n && pc[next] == pc[i])
		next++;
	task_symbol(text, sizeof text, pc[i], !(exact && i == 0));
	if(next - i > 1)
		snprintf(buf, size, "    in %s, %d times\n", text, next - i);
	else
		snprintf(buf, size, "    in %s\n", text);
	return next;
}
