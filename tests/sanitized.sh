#!/bin/sh
# Programs under -fsanitize that use the library as it is installed, built without:
# nothing is reported that is no error, and what is one has the right stack.
: "${CC:=cc}" "${O:=build/cc-asm}"
case $CC$RUN in
*musl* | *-linux-* | *qemu*)
	echo 'the sanitizers are for the usual libc of this machine'
	exit 77 ;;
esac
if [ -n "$SAN" ]; then
	echo 'here the library has sanitizers too: the other tests do it'
	exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0 bad=0 skipped=

cat >"$dir/fine.c" <<'END'
/* Stacks that tasks left in the middle, used again; all that is switched. */
#include <task.h>
#include <stdlib.h>
#include <string.h>
static int n;
static int
depth(int d)
{
	char a[100];
	memset(a, d, sizeof a);
	if(d == 0){
		n++;
		taskexit(0);
	}
	return depth(d - 1) + a[d % 100];
}
static void deep(void *v) { depth((int)(intptr_t)v); }
static void
wide(void *v)
{
	char x[3000], *volatile kept = malloc(100);	/* is no leak while it waits */
	memset(x, 1, sizeof x);
	taskyield();
	free(kept);
	n += v != (void *)x;
}
static void *count(void *v) { while(genyield(v)) { } return v; }
static void *back(void *v) { coswitch(comain(), v); depth(3); return v; }
static void
sleeps(void *v)
{
	char *volatile kept = malloc(100);
	(void)v;
	taskdelay(100000);
	free(kept);
}
void
taskmain(int argc, char **argv)
{
	void *v;
	for(int i = 0; i < 200; i++){
		taskcreate(i % 2 ? deep : wide, (void *)(intptr_t)(i % 40), 0);
		if(i % 5 == 0)
			taskdelay(1);
	}
	for(int i = 0; i < 20; i++){
		Gen *g = gencreate(count, &v, 0);
		gennext(g, &v);
		gennext(g, &v);
		genclose(g);
	}
	Co *c = cocreate(back, NULL, 0);
	coswitch(c, argv);
	cofree(c);
	taskcreate(sleeps, NULL, 0);
	for(int i = 0; i < 10000 && n < 200; i++)
		taskdelay(1);
	taskexitall(argc > 1 || n != 200);
}
END
cat >"$dir/wrong.c" <<'END'
/* An error of memory that a task got in one function and used in another. */
#include <task.h>
#include <stdlib.h>
__attribute__((noinline)) static char *getsmemory(void) { return malloc(10); }
__attribute__((noinline)) static void usesmemory(char *p) { ((volatile char *)p)[10] = 1; }
static void
task(void *v)
{
	(void)v;
	taskyield();
	char *p = getsmemory();
	taskyield();
	usesmemory(p);
	free(p);
}
void
taskmain(int argc, char **argv)
{
	(void)argc, (void)argv;
	taskcreate(task, NULL, 0);
	taskdelay(10000);	/* it ends the program before */
}
END

cat >"$dir/ended.c" <<'END'
/* Pointers into the stack of what has ended, by itself or by another's word. */
#include <task.h>
#include <stdio.h>
#include <stdlib.h>
static int *left;
static void task(void *v) { int n = 1; left = &n; (void)v; }
static void *gen(void *v) { int n = 2; left = &n; genyield(v); return v; }
static void *co(void *v) { int n = 3; left = &n; coswitch(comain(), v); return v; }
static void deep(void *v) { int n = 4; left = &n; (void)v; taskexit(0); }
void
taskmain(int argc, char **argv)
{
	void *v;
	int how = argc > 1 ? atoi(argv[1]) : 0;
	if(how < 2){
		taskcreate(how ? deep : task, NULL, 0);
	}else if(how == 2){
		Gen *g = gencreate(gen, NULL, 0);
		gennext(g, &v);
		genclose(g);
	}else{
		Co *c = cocreate(co, NULL, 0);
		coswitch(c, NULL);
		cofree(c);
	}
	taskdelay(1);
	printf("%d\n", *left);
}
END

check() {	# what, command
	what=$1
	shift
	n=$((n + 1))
	"$@" >"$dir/log" 2>&1 && return
	bad=$((bad + 1))
	echo "FAIL: $what"
	cat "$dir/log"
}
# Of libc's contexts ASan says once that it does not support them in full.
quiet() {	# status, command
	expected=$1
	shift
	"$@" >"$dir/said" 2>&1
	status=$?
	! grep -v 'fully support makecontext' "$dir/said" && [ $status -eq "$expected" ]
}
says() { words=$1; shift; ! "$@" >"$dir/said" 2>&1 && for w in $words; do
	grep -q "$w" "$dir/said" || { echo "no $w"; cat "$dir/said"; return 1; }
done; }

ln -s "$(realpath "$O/libtask.so")" "$dir/libtask.so.1"
export LD_LIBRARY_PATH="$dir"
for cc in "$CC" gcc clang; do
	command -v "$cc" >/dev/null || continue
	for san in address thread; do
		build="$cc -g -O1 -fno-omit-frame-pointer -fsanitize=$san -I."
		echo 'int main(void) { return 0; }' | $build -x c - -o "$dir/empty" 2>/dev/null &&
			"$dir/empty" || { skipped="$skipped $cc -fsanitize=$san"; continue; }
		for lib in libtask.a libtask.so; do
			check "$san of $cc with $lib" $build "$dir/fine.c" "$O/$lib" -lpthread -o "$dir/fine"
			check "no word of $san, $cc, $lib" quiet 0 "$dir/fine"
			check "nor at a failing exit" quiet 1 "$dir/fine" 1
			[ $san = address ] || continue
			check "address of $cc with $lib" $build "$dir/wrong.c" "$O/$lib" -lpthread -o "$dir/wrong"
			check "an error has both stacks, $cc, $lib" \
				says 'heap-buffer-overflow usesmemory getsmemory allocated.by' "$dir/wrong"
			check "address of $cc with $lib" $build "$dir/ended.c" "$O/$lib" -lpthread -o "$dir/ended"
			# swapcontext has ASan forget the stack that it left
			[ "$CONTEXT" = ucontext ] && hows='2 3' || hows='0 1 2 3'
			for how in $hows; do
				check "the stack of who has ended is not read, $how, $cc, $lib" \
					says 'use-after-poison taskmain' "$dir/ended" $how
			done
		done
	done
done
[ -z "$skipped" ] || echo "skipped: not here:$skipped"
echo "100%: Checks: $n, Failures: $bad, Errors: 0"
exit $((bad > 0))
