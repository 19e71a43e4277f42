/* SPDX-License-Identifier: MIT */
/* Another process: its memory, and where in it libtask is. */
#include "target.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	MostMaps = 1 << 16,	/* of files */
	MostBytes = 1 << 28,	/* of one section */
	MostSearched = 1 << 26,	/* of one mapping */
	Chunk = 1 << 16,
	Page = 4096,	/* or a multiple */
};

/* A part of a file that is mapped privately, as those of programs are. */
typedef struct Map
{
	uint64_t start;
	uint64_t end;
	uint64_t offset;
	uint64_t inode;
	char *path;
} Map;

static int target;
static Map *maps;
static size_t nmaps;

int
targetread(uint64_t from, void *to, size_t n)
{
	struct iovec local = {to, n}, remote = {(void *)(uintptr_t)from, n};

	return process_vm_readv(target, &local, 1, &remote, 1, 0) ==
		(ssize_t)n;
}

void
targetfit(char *s)
{
	for(int follow = 0; *s; s++){
		unsigned char u = (unsigned char)*s;
		if(follow > 0 && u >= 0x80 && u < 0xc0){
			follow--;
			continue;
		}
		follow = u >= 0xf0 ? 3 : u >= 0xe0 ? 2 : u > 0xc2;
		if(u < ' ' || (u >= 0x7f && u < 0xa0))
			*s = '?';
	}
}

void
targettext(uint64_t from, char *to, size_t n)
{
	size_t page = Page - from % Page, first = page < n ? page : n;

	memset(to, 0, n);
	if(from && targetread(from, to, first) && first < n &&
			memchr(to, '\0', first) == NULL)
		targetread(from + first, to + first, n - first);
	to[n - 1] = '\0';
	targetfit(to);
}

void
targetshow(const char *from, char *to, size_t n)
{
	snprintf(to, n, "%.*s", (int)n - 1, from);
	targetfit(to);
}

/* What is mapped */

static void
addmap(const char *line)
{
	unsigned long start, end, offset, inode;
	char rights[8];
	int path = 0;

	if(sscanf(line, "%lx-%lx %7s %lx %*s %lu %n", &start, &end, rights,
			&offset, &inode, &path) != 5 || inode == 0 ||
			rights[0] != 'r' || rights[3] != 'p' ||
			nmaps == MostMaps)
		return;
	if(nmaps % 64 == 0){
		Map *more = realloc(maps, (nmaps + 64) * sizeof *maps);
		if(more == NULL)
			return;
		maps = more;
	}
	char *s = strndup(line + path, strcspn(line + path, "\n"));
	if(s)
		maps[nmaps++] = (Map){start, end, offset, inode, s};
}

int
targetopen(int pid)
{
	char path[64], *line = NULL;
	size_t room = 0;
	uint64_t word;

	target = pid;
	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	FILE *f = fopen(path, "re");
	if(f == NULL)
		return -1;
	while(getline(&line, &room, f) > 0)
		addmap(line);
	free(line);
	fclose(f);
	errno = ESRCH;
	return nmaps > 0 && targetread(maps[0].start, &word, sizeof word) ?
		0 : -1;
}

const char *
targetdenied(void)
{
	static char said[256];
	char dir[64];
	struct stat st;
	int scope = 0, err = errno;
	FILE *f = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");

	if(f && fscanf(f, "%d", &scope) != 1)
		scope = 0;
	if(f)
		fclose(f);
	snprintf(dir, sizeof dir, "/proc/%d", target);
	if(stat(dir, &st) == 0 && st.st_uid != geteuid())
		snprintf(said, sizeof said, "process %d may not be read: that "
			"is for its user, or root", target);
	else if(scope > 0)
		snprintf(said, sizeof said, "process %d may not be read while "
			"kernel.yama.ptrace_scope is %d%s", target, scope,
			scope < 3 ? ": try as root" : "");
	else
		snprintf(said, sizeof said, "process %d may not be read: %s",
			target, strerror(err));
	return said;
}

int
targetstate(void)
{
	char path[64], line[512];
	char state = 0;

	snprintf(path, sizeof path, "/proc/%d/stat", target);
	FILE *f = fopen(path, "re");
	if(f == NULL)
		return 0;
	size_t n = fread(line, 1, sizeof line - 1, f);
	fclose(f);
	line[n] = '\0';
	const char *s = strrchr(line, ')');	/* a name may have one too */
	if(s)
		sscanf(s, ") %c", &state);
	return state;
}

/* The files */

typedef struct Elf
{
	int fd;
	uint64_t size;
	uint64_t bias;	/* from an address in the file to one in the process */
	ElfW(Shdr) *sections;
	size_t nsections;
	char *names;	/* of the sections, NUL behind them; NULL: none */
	size_t nnames;
} Elf;

/* returns what is there in the file, a NUL behind it; NULL. */
static void *
part(const Elf *e, uint64_t offset, uint64_t n)
{
	if(n == 0 || n > MostBytes || offset > e->size || n > e->size - offset)
		return NULL;
	char *s = malloc(n + 1);
	if(s && pread(e->fd, s, n, (off_t)offset) == (ssize_t)n){
		s[n] = '\0';
		return s;
	}
	free(s);
	return NULL;
}

/* sets bias by the first of what is mapped of a file; m is that mapping. */
static int
setbias(Elf *e, const ElfW(Ehdr) *h, const Map *m)
{
	ElfW(Phdr) *p = h->e_phentsize == sizeof *p ?
		part(e, h->e_phoff, h->e_phnum * sizeof *p) : NULL;
	int r = -1;

	for(int i = 0; p && r < 0 && i < h->e_phnum; i++)
		if(p[i].p_type == PT_LOAD){
			e->bias = m->start - (p[i].p_vaddr - p[i].p_offset +
				m->offset);
			r = 0;
		}
	free(p);
	return r;
}

static void
setsections(Elf *e, const ElfW(Ehdr) *h)
{
	if(h->e_shentsize != sizeof *e->sections)
		return;
	e->sections = part(e, h->e_shoff, h->e_shnum * sizeof *e->sections);
	e->nsections = e->sections ? h->e_shnum : 0;
	if(h->e_shstrndx >= e->nsections)
		return;
	const ElfW(Shdr) *s = &e->sections[h->e_shstrndx];
	e->names = part(e, s->sh_offset, s->sh_size);
	e->nnames = e->names ? s->sh_size : 0;
}

static void
closeelf(Elf *e)
{
	close(e->fd);
	free(e->sections);
	free(e->names);
}

/* opens the file whose beginning m is; -1: it is none, or another now. */
static int
openelf(Elf *e, const Map *m)
{
	char path[4200];
	struct stat st;
	ElfW(Ehdr) h;
	unsigned char class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;

	if(m->offset != 0 || !targetread(m->start, &h, sizeof h) ||
			memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 ||
			h.e_ident[EI_CLASS] != class)
		return -1;
	snprintf(path, sizeof path, "/proc/%d/root%s", target, m->path);
	*e = (Elf){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
	if(e->fd < 0)
		return -1;
	if(fstat(e->fd, &st) == 0 && S_ISREG(st.st_mode) &&
			st.st_ino == m->inode){
		e->size = (uint64_t)st.st_size;
		if(setbias(e, &h, m) == 0){
			setsections(e, &h);
			return 0;
		}
	}
	closeelf(e);
	return -1;
}

/* Where libtask is */

static int
bysection(const Map *m, int (*right)(uint64_t))
{
	Elf e;
	int r = 0;

	if(openelf(&e, m) < 0)
		return 0;
	for(size_t i = 0; i < e.nsections && !r; i++)
		if(e.sections[i].sh_name < e.nnames && strcmp(e.names +
				e.sections[i].sh_name, ".tasklayout") == 0)
			r = right(e.bias + e.sections[i].sh_addr);
	closeelf(&e);
	return r;
}

/* The table has pointers in it, so it is where one may be. */
static int
bymagic(const Map *m, int (*right)(uint64_t))
{
	static const char magic[16] = "libtask layout";
	static char s[Chunk];
	enum { Step = Chunk - sizeof magic };

	if(m->end - m->start > MostSearched)
		return 0;
	for(uint64_t at = m->start; at < m->end; at += Step){
		size_t n = m->end - at < Chunk ? m->end - at : Chunk;
		if(!targetread(at, s, n))
			return 0;
		for(size_t i = 0; i + sizeof magic <= n; i += sizeof(void *))
			if(memcmp(s + i, magic, sizeof magic) == 0 &&
					right(at + i))
				return 1;
	}
	return 0;
}

/* Of a file that was replaced, or has no sections, memory is searched. */
int
targetfind(int (*right)(uint64_t))
{
	for(size_t i = 0; i < nmaps; i++)
		if(bysection(&maps[i], right))
			return 1;
	for(size_t i = 0; i < nmaps; i++)
		if(bymagic(&maps[i], right))
			return 1;
	return 0;
}

/* The names of functions */

/* puts the name of the symbol of e at an address in the file. */
static int
symbolat(const Elf *e, const ElfW(Shdr) *s, uint64_t at, char *to, size_t n)
{
	if(s->sh_link >= e->nsections || s->sh_entsize != sizeof(ElfW(Sym)))
		return 0;
	const ElfW(Shdr) *t = &e->sections[s->sh_link];
	const ElfW(Sym) *y = part(e, s->sh_offset, s->sh_size);
	const char *names = part(e, t->sh_offset, t->sh_size);
	size_t most = y && names ? s->sh_size / sizeof *y : 0, i = 0;

	while(i < most && !(y[i].st_value == at && y[i].st_shndx != SHN_UNDEF &&
			(y[i].st_info & 15) == STT_FUNC &&
			y[i].st_name < t->sh_size))
		i++;
	if(i < most)
		snprintf(to, n, "%s()", names + y[i].st_name);
	free((void *)(uintptr_t)y);
	free((void *)(uintptr_t)names);
	return i < most;
}

static int
functionin(const Map *m, uint64_t at, char *to, size_t n)
{
	Elf e;
	int r = 0;

	if(openelf(&e, m) < 0)
		return 0;
	for(size_t i = 0; i < e.nsections && !r; i++)
		if(e.sections[i].sh_type == SHT_SYMTAB ||
				e.sections[i].sh_type == SHT_DYNSYM)
			r = symbolat(&e, &e.sections[i], at - e.bias, to, n);
	closeelf(&e);
	return r;
}

/* returns the mapping of the beginning of the file that at is in, or NULL. */
static const Map *
mapof(uint64_t at)
{
	const Map *first = NULL;

	for(size_t i = 0; i < nmaps && maps[i].start <= at; i++){
		if(maps[i].offset == 0)
			first = &maps[i];
		if(at < maps[i].end)
			return first && first->inode == maps[i].inode ?
				first : NULL;
	}
	return NULL;
}

/* What was asked before is kept, near its place if that is taken. */
void
targetfunction(uint64_t at, char *to, size_t n)
{
	enum { Known = 1024, Near = 8 };
	static struct { uint64_t at; char name[64]; } known[Known + Near];
	size_t i = at / 16 % Known, last = i + Near - 1;

	while(i < last && known[i].at && known[i].at != at)
		i++;
	char *name = known[i].name;
	if(known[i].at != at || at == 0){
		const Map *m = mapof(at);
		if(m == NULL || !functionin(m, at, name, sizeof known[i].name))
			snprintf(name, sizeof known[i].name, "%#llx",
				(unsigned long long)at);
		targetfit(name);
		known[i].at = at;
	}
	snprintf(to, n, "%s", name);
}
