#!/bin/sh
# The machine on AArch64: built by the cross compiler, run by the emulator.
cross=aarch64-linux-gnu-gcc
if [ -n "$SAN" ] || [ "${CC##*/}" = $cross ]; then
	echo 'once is enough: the build without sanitizers for this CPU does it'
	exit 77
fi
for tool in $cross qemu-aarch64; do
	command -v $tool >/dev/null || { echo "no $tool"; exit 77; }
done
dir=build/cross-${CONTEXT:-asm}
mkdir -p "$dir"
make -s CC=$cross CFLAGS=-O2 CONTEXT="${CONTEXT:-asm}" O="$dir" "$dir/libtask.a" >"$dir/log" 2>&1 || {
	cat "$dir/log"
	exit 1
}
$cross -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -I. -static tests/cross.c \
	"$dir/libtask.a" -lpthread -lm -o "$dir/cross" 2>"$dir/log"
status=$?
grep -v 'statically linked\|In function' "$dir/log"
[ $status -eq 0 ] || exit 1
exec qemu-aarch64 "$dir/cross"
