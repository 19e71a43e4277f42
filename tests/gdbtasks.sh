#!/bin/sh
# gdb and tasks: in a program that runs, in core files, stripped and not.
: "${O:=build/cc-asm}" "${CC:=cc}"
[ -n "$SAN$RUN" ] && { echo 'gdb wants the program by itself'; exit 77; }
command -v gdb >/dev/null || { echo 'no gdb'; exit 77; }
dir=$(mktemp -d) || exit 1
pid=
trap 'kill $pid 2>/dev/null; rm -rf "$dir"' EXIT
n=0 failed=0
check() {	# what, text, pattern ...
	n=$((n + 1)) what=$1 text=$2
	shift 2
	for pattern; do
		printf '%s\n' "$text" | grep -q -e "$pattern" && continue
		echo "FAIL: $what: no $pattern in:"
		printf '%s\n' "$text" | tail -90
		failed=$((failed + 1))
		return
	done
}

cat >"$dir/five.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <task.h>

static Channel *c;
static QLock l;
static int fds[2], nleft;

__attribute__((noinline)) static void
deep(int n)
{
	volatile int left = n;
	char x;

	if(n > 0)
		deep(n - 1);
	else
		fdread(fds[0], &x, 1);
	left = 0;
}

static void receives(void *v) { chanrecv(c, v); __asm__ volatile(""); }
static void sleeps(void *v) { (void)v; taskdelay(1000000); __asm__ volatile(""); }
static void locks(void *v) { (void)v; qlock(&l); __asm__ volatile(""); }
static void reads(void *v) { (void)v; taskname("reader"); deep(5); }
static void fresh(void *v) { (void)v; }
static void second(void *v) { (void)v; taskname("other"); taskdelay(1000000); }

static void
computes(void *v)
{
	(void)v;
	taskname("hog");
	taskcreate(fresh, NULL, 0);
	puts("ready");
	fflush(stdout);
	for(volatile int i = 0; ; i++)
		;
}

void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv, (void)nleft;
	c = chancreate(1, 0);
	c->name = "requests";
	if(pipe(fds) < 0)
		abort();
	fdnoblock(fds[0]);
	for(int i = 0; i < 20; i++)
		taskcreate(receives, NULL, 0);
	taskcreate(sleeps, NULL, 0);
	taskcreate(reads, NULL, 0);
	qlock(&l);
	taskcreate(locks, NULL, 0);
	proccreate(second, NULL, 0);
	taskdelay(50);
	taskcreate(computes, NULL, 0);
	taskdelay(1000000);
}
END
$CC -O2 -g -I. "$dir/five.c" "$O/libtask.a" -lpthread -o "$dir/five" || exit 1
strip -o "$dir/stripped" "$dir/five"
mkfifo "$dir/out"
(ulimit -c unlimited; cd "$dir" && exec ./five >out 2>err) &
pid=$!
read -r line <"$dir/out"

tasks() {
	gdb -nx -batch "$@" -ex 'set debuginfod enabled off' \
		-ex 'source tools/libtask-gdb.py' -ex 'info tasks' \
		-ex 'info tasks -g' -ex 'task 23 bt' -ex 'task 2.1 bt' \
		-ex 'task 25 bt' -ex 'task 26 bt' -ex 'task 99 bt' \
		-ex 'task 23' -ex 'frame function deep' -ex 'print left' \
		-ex 'task none' -ex 'task apply all bt 1' </dev/null 2>&1
}
named() {
	check "$1" "$2" '^ *2  receives() *chanrecv c "requests"' \
		'in receives (v=' '19 more like it: 3 4' \
		'^ *22  sleeps() *taskdelay, for' '23  reader *fdwait r fd' \
		'24  locks() *qlock held by task 1' '25  hog *(running)' \
		'26  fresh() *(ready)' '2\.1  other *taskdelay' \
		'deep (n=' ' computes (v=' \
		'begins at fresh' 'no task 99' '\$1 = 0' '^Task 24 (locks())'
}

out=$(tasks -p $pid)
case $out in
*'ptrace: Operation not permitted'*|*'Could not attach'*)
	echo 'gdb may not trace here'
	exit 77 ;;
esac
named 'a program that runs' "$out"
gdb -nx -batch -p $pid -ex 'set debuginfod enabled off' \
	-ex 'source tools/libtask-gdb.py' -ex "task gcore $dir/saved" \
	</dev/null >"$dir/log" 2>&1
named 'a core file of gcore' "$(tasks "$dir/five" "$dir/saved")"
out=$(tasks "$dir/stripped" "$dir/saved")
check 'a core file without names' "$out" '^ *2  0x[0-9a-f]* *chanrecv c "requests"' \
	'23  reader *fdwait r fd' '25  hog *(running)' '2\.1  other'
kill -ABRT $pid
wait $pid 2>/dev/null
pid=
core=$(ls "$dir"/core* 2>/dev/null)
if [ -n "$core" ]; then
	named "the kernel's core file" "$(tasks "$dir/five" "$core")"
else
	echo "the kernel writes no core file here"
fi
out=$(gdb -nx -batch "$dir/five" -ex 'source tools/libtask-gdb.py' \
	-ex 'info tasks' </dev/null 2>&1)
check 'no program runs' "$out" 'no scheduler runs\|not been loaded yet\|Cannot access memory'
echo "100%: Checks: $n, Failures: $failed, Errors: 0"
[ $failed -eq 0 ]
