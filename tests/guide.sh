#!/bin/sh
# The programs in the guide compile without a warning, run, and print what the page
# says after them.  PAGES: which, if not all.
cc=${CC:-cc} cxx=${CXX:-c++}
case $cc in
*musl*) echo "the pages show what the usual libc says"; exit 77 ;;
esac
flags="-D_GNU_SOURCE -Wall -Wextra -Werror -I. -Iaddons ${SAN:+-fsanitize=$SAN}"
dir=$(mktemp -d) || exit 1
engine=
trap '[ "$engine" ] && kill -9 "$engine"; rm -rf "$dir"' EXIT
n=0 bad=0

# Each ```c and ```cpp block to a program, and the ```text block after it to what it
# prints; a line of ... there stands for any. A block is headed with words: "fails" if
# it is to end with another status than 0, "quiet" if what it says on stderr is not
# looked at, or what watches it: address, undefined, thread, valgrind.
programs() {
	awk -v out="$2" '
	/^```c(pp)?( [a-z]+)*$/ {
		file = out "-" ++n ($1 == "```c" ? ".c" : ".cc")
		print $0 " " >(out "-" n ".words")
		next
	}
	/^```text$/ { file = out "-" n ".want"; next }
	/^```$/ { file = ""; next }
	file != "" { print >file }' "$1"
}

# Whether the program is headed with that word.
is() {
	grep -q " $1 " "$p.words"
}

# How the program is compiled and run: sets compile and watch; fails if that cannot be,
# and sets why.
way() {
	compile="$cc -std=c11" watch=${RUN:-} why=
	[ "$c" = "$p.c" ] || compile="$cxx -std=c++11" why='no C++ compiler'
	for tool in address undefined thread valgrind; do
		is $tool || continue
		case $tool,$cc in valgrind,*clang*)
			why='Valgrind does not know what clang writes of the library'
			return 1 ;;
		esac
		why='what watches it is for a library without'
		[ -z "$RUN" ] || return
		[ -z "$SAN" ] || [ "$SAN" = $tool ] || return
		why="no $tool here"
		case $tool in
		valgrind) watch='valgrind -q --leak-check=full --error-exitcode=9' ;;
		*) compile="$compile -fsanitize=$tool" ;;
		esac
		compile="$compile -gdwarf-4"	# which they all understand
	done
	[ -z "$why" ] && return
	echo 'int main() { return 0; }' >"$dir/empty${c#"$p"}"
	$compile "$dir/empty${c#"$p"}" -o "$dir/empty" 2>/dev/null &&
		$watch "$dir/empty" >/dev/null 2>&1
}

# What a program that includes an addon's header, or that of jansson, is linked with:
# sets libs; fails if that is not there, and sets lacks.
addons() {
	libs=
	for h in addons/*/task*.h; do
		a=$(basename "$(dirname "$h")")
		grep -q "#include <task$a.h>" "$1" || continue
		lacks=$O/libtask$a.a
		[ -f "$dir/link-$a" ] ||
			make -s O="$O" CC="${CC:-cc}" link-"$a" >"$dir/link-$a"
		link=$(cat "$dir/link-$a")
		[ "$link" ] || return
		libs="$libs $link"
	done
	grep -q '#include <jansson.h>' "$1" || return 0
	lacks=jansson
	link=$(tools/addon jansson jansson.h json_loadb "${CC:-cc}")
	[ "$link" ] && libs="$libs $link"
}

# A program with a bus is told of a Redis server, which is started when the first one
# comes: sets args; fails if there is none.
served() {
	args=
	grep -q '#include <taskbus.h>' "$1" || return 0
	command -v redis-server >/dev/null || return
	if [ -z "$engine" ]; then
		redis-server --port 0 --unixsocket "$dir/engine" --dir "$dir" --save '' \
			>/dev/null &
		engine=$!
		while [ ! -S "$dir/engine" ] && kill -0 "$engine"; do sleep 0.1; done
	fi
	args=unix://$dir/engine
}

# Addresses, processes, programs, directories and times are others each time, and not
# all compilers tell columns.
alike() {
	sed 's/[^ ]*(+0x/PROGRAM(+0x/g; s/0x[0-9a-fA-F]*/0x1/g; s/[0-9]* ms/N ms/g
		s/, for N ms//; s/^==[0-9]*==/==1==/; s/pid=[0-9]*/pid=1/; s/thread T[0-9]*/thread T1/
		s/ (BuildId: [0-9a-f]*)//
		s|[^ (]*/\([a-z]*-[0-9]*\.cc*:[0-9]*\)|\1|; s/\(\.cc*:[0-9]*\):[0-9]*/\1/
		s|/[^ ]*/\([a-z]*-[0-9]*\)|\1|' "$1"
}

# What was got, with ... for what is left out of what is wanted.
elided() {
	awk 'NR == FNR { want[++n] = $0; next }
	FNR == 1 { i = 1 }
	want[i] == "..." && (i == n || $0 != want[i + 1]) { next }
	want[i] == "..." { print "..."; i++ }
	{ print; i++ }
	END { if(want[i] == "...") print "..." }' "$1" "$2"
}

wrong() {
	bad=$((bad + 1))
	echo "FAIL: $*"
}

for page in ${PAGES:-doc/guide/*.md}; do
	base=$dir/$(basename "$page" .md)
	programs "$page" "$base"
	for c in "$base"-[0-9]*.c*; do
		n=$((n + 1))
		p=${c%.c*}
		if ! addons "$c"; then
			echo "skipped: $page, program ${p##*-}: there is no $lacks"
			continue
		fi
		if ! served "$c"; then
			echo "skipped: $page, program ${p##*-}: there is no redis-server"
			continue
		fi
		if ! way; then
			echo "skipped: ${p##*/}: $why"
			continue
		fi
		case $SAN,$RUN,$page in
		*thread*,*/fork.md)
			echo "skipped: ${p##*/}: TSan does not follow what a child does"
			continue ;;
		*thread*,*/leaks.md)
			echo "skipped: ${p##*/}: what TSan puts in makes tasks differ"
			continue ;;
		*,valgrind*,*/fork.md)
			echo "skipped: ${p##*/}: Valgrind has no pidfd_open"
			continue ;;
		*,valgrind*,*/hangs.md | *,valgrind*,*/leaks.md)
			echo "skipped: ${p##*/}: names for code are Valgrind's there"
			continue ;;
		*,valgrind*,*/children.md | *,valgrind*,*/stopping.md)
			echo "skipped: ${p##*/}: Valgrind judges the children too"
			continue ;;
		esac
		# shellcheck disable=SC2086
		if ! $compile $flags "$c" $libs "${O:-.}/libtask.a" -lpthread -o "$p" 2>"$p.log"; then
			wrong "$page, program ${p##*-}: $(cat "$p.log")"
			continue
		fi
		err='&1'
		is quiet && err=/dev/null
		for try in 1 2 3 4; do	# a race may need some
			eval "timeout 60 $watch '$p' $args >'$p.got' 2>$err"
			ended=$?
			is thread && [ $ended -eq 0 ] && [ $try -lt 4 ] || break
		done
		: >>"$p.want"	# of no text block nothing is expected
		alike "$p.want" >"$p.1"
		alike "$p.got" >"$p.2"
		elided "$p.1" "$p.2" >"$p.3"
		if [ $ended -ne 0 ] && ! is fails; then
			wrong "$page, program ${p##*-} fails: $(cat "$p.got")"
		elif [ $ended -eq 0 ] && is fails; then
			wrong "$page, program ${p##*-} does not fail"
		elif ! diff "$p.1" "$p.3" >"$p.log"; then
			wrong "$page, program ${p##*-} prints (>): $(cat "$p.log")"
		fi
	done
done

echo "100%: Checks: $n, Failures: $bad, Errors: 0"
[ "$bad" -eq 0 ]
