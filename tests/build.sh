#!/bin/sh
# What was built: stacks, names, the tail call of a switch, the header in every C and
# C++, old programs, programs with a main of their own, dlopen.
: "${CC:=cc}" "${CXX:=c++}" "${O:=build/cc-asm}"
[ -f "$O/libtask.a" ] || { echo "no $O/libtask.a: run make check"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0 bad=0
san=${SAN:+-fsanitize=$SAN}
READELF=$($CC -print-prog-name=readelf)
NM=$($CC -print-prog-name=nm) OBJDUMP=$($CC -print-prog-name=objdump)

# check "what is promised" command ...: a failure shows what the command printed.
# It is skipped where cannot says why the command could not tell.
cannot=
check() {
	what=$1
	shift
	n=$((n + 1))
	if [ "$cannot" ]; then
		echo "skipped: $what: $cannot"
	elif ! "$@" >"$dir/log" 2>&1; then
		bad=$((bad + 1))
		echo "FAIL: $what"
		cat "$dir/log"
	fi
}

# is compared with what ought to be.
same() {
	diff "$1" "$2"
}

silent() {
	"$@" >"$dir/out" 2>&1 && [ ! -s "$dir/out" ] || { cat "$dir/out"; false; }
}

compile() {	# output, files and flags
	out=$1
	shift
	# shellcheck disable=SC2086
	silent $CC -Wall -Wextra -Werror -O1 -I. $san "$@" -lpthread $LDFLAGS -o "$out"
}

run() {
	# shellcheck disable=SC2086
	$RUN "$@"
}

# A shared library has to be found: here, and not in the cross compiler's system.
dynamic() {
	LD_LIBRARY_PATH=$dir $RUN "$@"
}

mkdir "$dir/inc"
cp "$O/libtask.so" "$dir/libtask.so.1"
ln -s libtask.so.1 "$dir/libtask.so"

# Executable stacks.
nostack() {
	$READELF -lW "$1" | grep -q 'GNU_STACK.* RW  *0x'
}
check 'libtask.so has no executable stack' nostack "$O/libtask.so"
check 'a program has no executable stack' nostack "$O/hello"

# Tail calls: the switch is left by whoever runs next, and goes on in the program.
tailcall() {	# object, function, what it ends in
	$OBJDUMP -d --no-show-raw-insn -r "$O/$1" |
		sed -n "/^[0-9a-f]* <$2>:/,/^\$/p" >"$dir/$2"
	grep -A 1 'jmp' "$dir/$2" | grep -q "$3" &&
		! grep -A 1 'call' "$dir/$2" | grep "$3"
}
case " $CFLAGS" in
*-flto*) optimised= ;;	# at the end, not in task.o
*' -O'[23s]*) optimised=1 ;;
*) optimised= ;;
esac
if [ "${CONTEXT:-asm}" != asm ]; then
	cannot='libc switches, with a call'
elif [ "$SAN" ] || [ -z "$optimised" ]; then
	cannot='it is looked for where it is optimised, without sanitizers'
elif ! $READELF -h "$O/task.o" | grep -q X86-64; then
	cannot='it is looked for on x86-64'
fi
check 'taskyield ends in a jump to the switch' \
	tailcall task.o taskyield task_contextswitch
check 'task_park ends in a jump to the switch' \
	tailcall task.o task_park task_contextswitch
check 'task_parkword ends in a jump to the switch' \
	tailcall task.o task_parkword task_contextpass
for fn in coro/coro.o:coswitch coro/gen.o:gensend coro/gen.o:genyield; do
	check "${fn#*:} ends in a jump to the switch" \
		tailcall "${fn%:*}" "${fn#*:}" 'task_context[sp]'
done
for fn in sync/chan.o:chansend sync/chan.o:chanrecv sync/chan.o:chansendul \
		sync/chan.o:recvword sync/alt.o:chanalt sync/sem.o:semacquire task/join.o:taskwait; do
	check "${fn#*:} ends in a jump to task_park" \
		tailcall "${fn%:*}" "${fn#*:}" 'task_park\(word\)*'
done
check 'chanrecvul ends in a jump to that' \
	tailcall sync/chan.o chanrecvul recvword
cannot=

# The header in each language, alone and in an old program.
header() {	# compiler, language, standard
	printf '#include <task.h>\n' >"$dir/header"
	# shellcheck disable=SC2086
	silent $1 -x "$2" "-std=$3" -Wall -Wextra -pedantic -I. -fsyntax-only "$dir/header" &&
		silent $1 -x "$2" "-std=$3" -Wall -Wextra -pedantic -I. -DTASK_COMPAT \
			-fsyntax-only "$dir/header" || return
	case $3 in *89 | c++98) return ;; esac
	# shellcheck disable=SC2086
	silent $1 -x "$2" "-std=$3" -Wall -Wextra -pedantic \
		-Wno-missing-field-initializers -I. -fsyntax-only tests/old/alts.c
}
knows() {
	echo 'int x;' | $1 -x "$2" "-std=$3" -fsyntax-only - 2>/dev/null
}
for cc in "$CC" gcc clang; do
	command -v "$cc" >/dev/null || cannot="no $cc"
	for std in c89 gnu89 c99 c11 c17 c2x c23; do
		[ "$cannot" ] || knows "$cc" c $std || continue
		check "task.h as $std of $cc" header "$cc" c $std
	done
	cannot=
done
for cxx in "$CXX" g++ clang++; do
	[ "$cxx" = false ] && continue
	command -v "$cxx" >/dev/null || cannot="no $cxx"
	for std in c++98 c++11 c++17 c++20; do
		[ "$cannot" ] || knows "$cxx" c++ $std || continue
		check "task.h as $std of $cxx" header "$cxx" c++ $std
	done
	cannot=
done

cat >"$dir/nest.c" <<'END'
#include <task.h>
void
taskmain(int argc, char **argv)
{
	Timeout all, part;

	(void)argc, (void)argv;
	TIMEOUT(&all, 100){
		TIMEOUT(&part, 10)
			taskdelay(1);
		taskdelay(1);
	}
}
END
check 'scopes nest without a warning' \
	compile "$dir/nest" -std=c11 -pedantic -Wshadow "$dir/nest.c" "$O/libtask.a"

# Exported names: those in task.h, main, mainstacksize, and how C++ asks for a
# thread's exceptions: see task/cxx.c.  Where the library's code is is hidden, but
# some linkers list that among them.
functions() {
	sed -n 's/^[A-Za-z].*[ *]\([a-z][a-z0-9]*\)(.*/\1/p' "$@" | grep -v '^taskmain$'
}
{ functions task.h; echo main; echo mainstacksize; } | sort -u >"$dir/want"
$NM -D --defined-only "$O/libtask.so" | awk '{print $NF}' |
	grep -v '^__\(asan\|odr_asan\|ubsan\|tsan\|sanitizer\)' |
	grep -v '^_\(init\|fini\)$\|^__cxa_get_globals' |
	grep -v '^__\(start\|stop\)_task_text$' | sort -u >"$dir/have"
check 'libtask.so exports what task.h declares, and main' same "$dir/want" "$dir/have"
$NM -A --defined-only "$O/libtask.a" | awk '$(NF-1) ~ /[A-Z]/ {print $NF}' |
	grep -v '^task_\|^__\|^_*odr\|^DW\.ref' | sort -u >"$dir/static"
check 'other names of libtask.a begin with task_' same "$dir/want" "$dir/static"

# Names that libtask did not have: part two of task.h.
sed -n '/^#ifndef TASK_COMPAT/,/^#endif/p' task.h | functions | sort -u >"$dir/new"
$NM -A --defined-only "$O/libtask.a" | awk '$(NF-1) == "W" {print $NF}' |
	grep -v '^_\|^DW\.ref\|^mainstacksize$' | sort -u >"$dir/weak"
check 'names that libtask did not have are weak, and no others' same "$dir/new" "$dir/weak"
check 'there are some' [ "$(wc -l <"$dir/new")" -gt 4 ]

# Old programs, unmodified.
check 'an old program compiles and links' \
	compile "$dir/old" -std=gnu99 tests/old/service.c "$O/libtask.a"
check 'an old program runs' run "$dir/old" arg
check 'an old program compiles and links with libtask.so' \
	compile "$dir/oldso" -std=gnu99 tests/old/service.c -L"$dir" -ltask
check 'an old program runs with libtask.so' dynamic "$dir/oldso" arg
check 'an old program fills in Alts by position' \
	compile "$dir/alts" -Wno-missing-field-initializers tests/old/alts.c "$O/libtask.a"
check 'and chooses among them' run "$dir/alts"
check 'an old program prints with its own copy of print.c' \
	compile "$dir/print" -std=gnu99 tests/old/print.c "$O/libtask.a"
check 'and it does' run "$dir/print"
check 'an old program has names of its own' \
	compile "$dir/names" -DTASK_COMPAT tests/old/names.c "$O/libtask.a"
check 'and gets its own' run "$dir/names"
check 'an old program has names of its own with libtask.so' \
	compile "$dir/namesso" -DTASK_COMPAT tests/old/names.c -L"$dir" -ltask
check 'and gets its own from libtask.so' dynamic "$dir/namesso"

cat >"$dir/names.cc" <<'END'
#include <task.h>
struct Event { int kind; };
class Group { public: int n; Group() : n(1) {} };
template<class T> class Sem { public: T v; };
typedef int Timer, Timeout, Co, RecLock;
enum Gen { None, Some };
static int eventset(const Event &e) { return e.kind; }
void
taskmain(int, char **)
{
	Event e = {3};
	Group g;
	Sem<Timer> s = {Some};

	taskyield();
	taskexitall(eventset(e) + g.n + s.v == 5 ? 0 : 1);
}
END
oldcxx() {
	# shellcheck disable=SC2086
	silent $CXX -Wall -Wextra -I. $san -DTASK_COMPAT "$dir/names.cc" "$O/libtask.a" \
		-lpthread $LDFLAGS -o "$dir/namescxx" && run "$dir/namescxx"
}
[ "$CXX" = false ] && cannot='no C++ compiler'
check 'a C++ program has types of its own' oldcxx

# A main of its own, from the days before taskrun.
cat >"$dir/early.c" <<'END'
#include <task.h>
void taskscheduler(void);
static void ends(void *v) { taskdelay(1); taskexit((int)taskid() + *(int *)v); }
int main(void) { static int ten = 10; taskcreate(ends, &ten, 8192); taskscheduler(); return 1; }
END
ends() {	# status, command ...
	want=$1
	shift
	"$@"
	[ $? -eq "$want" ]
}
check 'an old program makes tasks and then calls taskscheduler' \
	compile "$dir/early" -DTASK_COMPAT "$dir/early.c" "$O/libtask.a"
check 'and they run' ends 12 run "$dir/early"
check 'an old program does so with libtask.so' \
	compile "$dir/earlyso" -DTASK_COMPAT "$dir/early.c" -L"$dir" -ltask
check 'and they run there' ends 12 dynamic "$dir/earlyso"
cat >"$dir/own.c" <<'END'
#include <task.h>
static int mine;
int taskinit(void) { return ++mine; }
void taskscheduler(int v) { taskexitall(mine + v); }
void taskmain(int argc, char **argv) { (void)argv; taskinit(); taskscheduler(argc); }
END
check 'an old program has a taskinit and a taskscheduler of its own' \
	compile "$dir/own" -DTASK_COMPAT "$dir/own.c" "$O/libtask.a"
check 'and gets its own' ends 2 run "$dir/own"

# A main of its own.
cat >"$dir/main.c" <<'END'
#include <task.h>
static int ran;
static void other(void *v) { *(int *)v += 1; taskexit(5); }
static void first(void *v) { taskcreate(other, v, 0); taskdelay(1); *(int *)v += 2; }
int main(void) { return taskrun(first, &ran) == 0 && ran == 3 ? 0 : 1; }
END
check 'a program has a main of its own' compile "$dir/main" "$dir/main.c" "$O/libtask.a"
check 'and it works' run "$dir/main"
check 'a program has a main of its own with libtask.so' \
	compile "$dir/mainso" "$dir/main.c" -L"$dir" -ltask
check 'and it works with libtask.so' dynamic "$dir/mainso"

# dlopen.
cat >"$dir/dl.c" <<'END'
#include <dlfcn.h>
#include <stdio.h>
static int ran;
static void first(void *v) { *(int *)v = 1; }
int main(void)
{
	void *lib = dlopen("libtask.so.1", RTLD_NOW);
	int (*run)(void (*)(void *), void *);

	if(lib == NULL){
		puts(dlerror());
		return 2;
	}
	*(void **)&run = dlsym(lib, "taskrun");
	return run && run(first, &ran) == 0 && ran == 1 ? 0 : 1;
}
END
check 'a program that opens libtask.so' compile "$dir/dl" "$dir/dl.c" -ldl
check 'finds taskrun there' dynamic "$dir/dl"

# A host in another language, which has a main and an interpreter of its own: its
# functions run on stacks of tasks.
cat >"$dir/host.py" <<'END'
import ctypes
lib = ctypes.CDLL("libtask.so.1")
Fn = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
said = []
@Fn
def tick(v):
    for i in range(3):
        said.append((lib.taskid(), i))
        lib.taskyield()
@Fn
def first(v):
    lib.needstack(200 << 10)
    for i in range(2):
        assert lib.taskcreate(tick, None, 256 << 10) == i + 2
assert lib.taskrun(first, None) == 0
assert said == [(n, i) for i in range(3) for n in (2, 3)], said
END
case $CC,$SAN$RUN in
*-gcc,*) cannot='it is built for another libc or CPU than python3' ;;
*,?*) cannot='python3 wants the library by itself' ;;
esac
command -v python3 >/dev/null || cannot='no python3'
check 'S2_5_python_runs_tasks' dynamic python3 "$dir/host.py"

# Numbers that are too large, or below zero, for a wrapper that has a type wrong.
cat >"$dir/numbers.c" <<'END'
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <task.h>
static void first(void *v)
{
	static const unsigned long sent[] = {0, 1, LONG_MAX, 1UL + LONG_MAX, ULONG_MAX};
	Channel *c = chancreate(sizeof sent[0], 4);

	(void)v;
	for(int i = 0; i < 5; i++){
		int r = channbsendul(c, sent[i]);
		printf("%d %d\n", r, chanlen(c));
	}
	for(int i = 0; i < 5; i++)
		printf("%lu %d\n", channbrecvul(c), chancap(c));
	Gen *g = genrange(-2, 3, 2);
	GENFOR(n, g)
		printf("%ld\n", (long)(intptr_t)n);
	printf("%d %d\n", genclose(g), taskwait(-1, NULL));
	printf("%u %u\n", taskdelay(0), taskid());
	printf("%d\n", tasknow() > INT_MAX);
	chanfree(c);
	taskexit(-7);
}
int main(void) { printf("%d\n", taskrun(first, NULL)); return 0; }
END
cat >"$dir/numbers.py" <<'END'
from ctypes import *
lib = CDLL("libtask.so.1")
lib.chancreate.restype = lib.genrange.restype = c_void_p
lib.genrange.argtypes = [c_ssize_t] * 3
lib.channbsendul.argtypes = [c_void_p, c_ulong]
lib.channbrecvul.restype = c_ulong
lib.tasknow.restype = c_int64
Fn = CFUNCTYPE(None, c_void_p)
@Fn
def first(v):
    top = 1 << 8 * sizeof(c_ulong) - 1
    c = c_void_p(lib.chancreate(sizeof(c_ulong), 4))
    for n in 0, 1, top - 1, top, 2 * top - 1:
        print(lib.channbsendul(c, n), lib.chanlen(c))
    for i in range(5):
        print(lib.channbrecvul(c), lib.chancap(c))
    g = c_void_p(lib.genrange(-2, 3, 2))
    n = c_ssize_t()
    while lib.gennext(g, byref(n)) > 0:
        print(n.value)
    print(lib.genclose(g), lib.taskwait(-1, None))
    print(lib.taskdelay(0), lib.taskid())
    print(int(lib.tasknow() > 2**31 - 1))
    lib.chanfree(c)
    lib.taskexit(-7)
print(lib.taskrun(first, None))
END
agree() {
	compile "$dir/numbers" "$dir/numbers.c" "$O/libtask.a" && run "$dir/numbers" >"$dir/numbers.c.out" &&
		dynamic python3 "$dir/numbers.py" >"$dir/numbers.py.out" &&
		same "$dir/numbers.c.out" "$dir/numbers.py.out"
}
case $CC,$SAN$RUN in
*-gcc,*) cannot='it is built for another libc or CPU than python3' ;;
*,?*) cannot='python3 wants the library by itself' ;;
esac
command -v python3 >/dev/null || cannot='no python3'
check 'S3_28_python_gets_the_same_numbers_as_C' agree

echo "100%: Checks: $n, Failures: $bad, Errors: 0"
[ "$bad" -eq 0 ]
