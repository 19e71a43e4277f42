#!/bin/sh
# Probes: there are five with make PROBES=1, none without, and gdb can stop there.
: "${O:=build/cc-asm}" "${CC:=cc}"
[ -n "$SAN$RUN" ] && { echo 'another build'; exit 77; }
echo '#include <sys/sdt.h>' | $CC -E - >/dev/null 2>&1 ||
	{ echo 'no sys/sdt.h (package systemtap-sdt-dev)'; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
. tests/checks

make -s O="$dir/o" CC="$CC" CONTEXT="${CONTEXT:-asm}" PROBES=1 "$dir/o/pipeline" \
	>"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
readelf -n "$dir/o/pipeline" | awk '/Provider: libtask/ {getline; print $2}' |
	sort -u >"$dir/have"
printf '%s\n' create exit park ready switch >"$dir/want"
check 'PROBES=1 has five probes' cmp "$dir/want" "$dir/have"
readelf -n "$O/pipeline" >"$dir/notes" 2>&1
check 'others have none' sh -c "! grep -q libtask '$dir/notes'"
if command -v gdb >/dev/null; then
	gdb -nx -batch -ex 'set debuginfod enabled off' \
		-ex 'break -probe-stap libtask:create' -ex run \
		-ex 'printf "task %d\n", $_probe_arg1' "$dir/o/pipeline" \
		</dev/null >"$dir/gdb" 2>&1
	case $(cat "$dir/gdb") in
	*'ptrace: Operation not permitted'*|*"Couldn't get registers"*) ;;
	*) check 'gdb stops at one and sees its arguments' \
		grep -q '^task 1$' "$dir/gdb" ;;
	esac
fi
echo "100%: Checks: $n, Failures: $failed, Errors: 0"
[ $failed -eq 0 ]
