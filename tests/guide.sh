#!/bin/sh
# The programs in the guide compile without a warning, run, and print what the page
# says after them.
cc=${CC:-cc}
flags="-std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -I. -Iaddons ${SAN:+-fsanitize=$SAN}"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0 bad=0

# Each ```c block to a program, and the ```text block after it to what it prints.
programs() {
	awk -v out="$2" '
	/^```c$/ { file = out "-" ++n ".c"; next }
	/^```text$/ { file = out "-" n ".want"; next }
	/^```$/ { file = ""; next }
	file != "" { print >file }' "$1"
}

# What a program that includes an addon's header is linked with: sets libs; fails if
# the addon was not built.
addons() {
	libs=
	for h in addons/*.h; do
		a=$(basename "$h" .h)
		grep -q "#include <$a.h>" "$1" || continue
		[ -f "${O:-.}/libtask-$a.a" ] || return
		libs="$libs ${O:-.}/libtask-$a.a $(pkg-config --libs "lib$a")"
	done
}

wrong() {
	bad=$((bad + 1))
	echo "FAIL: $*"
}

for page in doc/guide/*.md; do
	base=$dir/$(basename "$page" .md)
	programs "$page" "$base"
	for c in "$base"-[0-9]*.c; do
		n=$((n + 1))
		p=${c%.c}
		if ! addons "$c"; then
			echo "skipped: $page, program ${p##*-}: there is no $O/libtask-$a.a"
			continue
		fi
		case $SAN,$RUN,$page in
		*thread*,*/fork.md)
			echo "skipped: ${p##*/}: TSan does not follow what a child does"
			continue ;;
		*,valgrind*,*/fork.md)
			echo "skipped: ${p##*/}: Valgrind has no pidfd_open"
			continue ;;
		*,valgrind*,*/children.md)
			echo "skipped: ${p##*/}: Valgrind judges the children too"
			continue ;;
		esac
		# shellcheck disable=SC2086
		if ! $cc $flags "$c" $libs "${O:-.}/libtask.a" -lpthread -o "$p" 2>"$p.log"; then
			wrong "$page, program ${p##*-}: $(cat "$p.log")"
		elif ! timeout 60 ${RUN:-} "$p" >"$p.got" 2>&1; then
			wrong "$page, program ${p##*-} fails: $(cat "$p.got")"
		elif ! diff "$p.want" "$p.got" >"$p.log"; then
			wrong "$page, program ${p##*-} prints (>): $(cat "$p.log")"
		fi
	done
done

echo "100%: Checks: $n, Failures: $bad, Errors: 0"
[ "$bad" -eq 0 ]
