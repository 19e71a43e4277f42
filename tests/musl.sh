#!/bin/sh
# With musl: musl-gcc builds the library, the examples and the old programs,
# and they are run.  Check is the usual libc's, and so are the tests of the
# examples: they are copied to where they find those of musl.
: "${CC:=cc}" "${O:=build/cc-asm}"
case $CC,${CONTEXT:-asm},$SAN$RUN in
*musl*)
	echo 'the tests of the examples want the usual libc'
	exit 77 ;;
*,asm,) ;;
*)	echo 'musl has no contexts, and neither sanitizers nor an emulator here'
	exit 77 ;;
esac
command -v musl-gcc >/dev/null || { echo 'no musl-gcc'; exit 77; }
m=build/musl-gcc-asm
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0 bad=0

check() {	# "what is promised" command ...
	what=$1
	shift
	n=$((n + 1))
	if ! "$@" >"$dir/log" 2>&1; then
		bad=$((bad + 1))
		echo "FAIL: $what"
		cat "$dir/log"
	fi
}

make -s CC=musl-gcc CONTEXT=asm O=$m $m/libtask.a $m/libtask.so examples >"$dir/log" 2>&1 || {
	cat "$dir/log"
	exit 1
}

mkdir -p $m/tests
for t in check_examples check_httpd check_tcpproxy; do
	cp "$O/tests/$t" $m/tests/$t
done
POLLERS=any O=$m tests/run $m/tests/check_examples $m/tests/check_httpd \
	$m/tests/check_tcpproxy >"$dir/log" || cat "$dir/log"
grep '^skipped: ' "$dir/log"
# shellcheck disable=SC2046
set -- $(tail -n 1 "$dir/log")	# 1 passed, 3 failed, 5 skipped
n=$((n + $1 + $3 + ${5:-0})) bad=$((bad + $3))

# Old programs, with each of the libraries and as static programs.
ln -s "$PWD/$m/libtask.so" "$dir/libtask.so"
ln -s "$PWD/$m/libtask.so" "$dir/libtask.so.1"
old() {	# file and flags, libraries, argument
	# shellcheck disable=SC2086
	check "tests/$1 builds with $2" musl-gcc -Wall -Wextra -Werror -O1 -I. \
		tests/$1 $2 -o "$dir/old"
	# shellcheck disable=SC2086
	check "tests/$1 runs with $2" env LD_LIBRARY_PATH="$dir" "$dir/old" $3
}
for lib in $m/libtask.a "-static $m/libtask.a" "-L$dir -ltask"; do
	old old/service.c "$lib" arg
	old 'old/names.c -DTASK_COMPAT' "$lib"
	old regress/old-program.c "$lib"
done

echo "100%: Checks: $n, Failures: $bad, Errors: 0"
[ "$bad" -eq 0 ]
