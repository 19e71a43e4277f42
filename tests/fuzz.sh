#!/bin/sh
# The fuzz programs, briefly: each is built, begins with the files of its corpus, and goes
# on for a second.  By hand they are given minutes, as each says at its head.
: "${CC:=cc}" "${O:=build/cc-asm}"
case $CC$RUN$SAN in
*musl* | *-linux-* | *qemu* | *thread*)
	echo 'the fuzz programs are run where they are quick'
	exit 77 ;;
esac
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0 bad=0

wrong() {
	bad=$((bad + 1))
	echo "FAIL: $*"
	cat "$dir/log"
}

# those whose addons are built
programs='cron console'
for pair in http:http ws:ws chat:ws bus:bus; do
	if [ -f "$O/libtask${pair#*:}.a" ]; then
		programs="$programs ${pair%:*}"
	else
		echo "skipped: fuzz${pair%:*}: the addon ${pair#*:} is not built"
	fi
done

n=$((n + 1))
# shellcheck disable=SC2046,SC2086
make -s $(printf "$O/tests/fuzz%s " $programs) CC="$CC" CFLAGS="$CFLAGS" \
	CONTEXT="${CONTEXT:-asm}" SAN="$SAN" >"$dir/log" 2>&1 || wrong 'they are not built'
for name in $programs; do
	n=$((n + 1))
	timeout 300 "$O/tests/fuzz$name" 1 >"$dir/log" 2>&1 || wrong "fuzz$name"
done

# Each corpus is one that some program begins with.
n=$((n + 1))
for d in tests/corpus/*; do
	grep -q "samplesread(\"${d##*/}\")" tests/fuzz*.c || echo "$d"
done >"$dir/log"
[ ! -s "$dir/log" ] || wrong 'nobody reads these'

echo "100%: Checks: $n, Failures: $bad, Errors: 0"
[ "$bad" -eq 0 ]
