#!/bin/sh
# gdb in a task: the backtrace ends at the entry function, and says so.
: "${O:=build/cc-asm}"
[ -n "$SAN$RUN" ] && { echo 'gdb wants the program by itself'; exit 77; }
command -v gdb >/dev/null || { echo 'no gdb'; exit 77; }
out=$(gdb -nx -batch -ex 'set debuginfod enabled off' -ex 'break greet' -ex run \
	-ex 'printf "begin\n"' -ex bt -ex 'printf "end\n"' "$O/hello" </dev/null 2>&1)
case $out in
*'ptrace: Operation not permitted'*|*"Couldn't get registers"*|*'Cannot execute'*)
	echo 'gdb may not trace here'
	exit 77 ;;
esac
bt=$(echo "$out" | sed -n '/^begin$/,/^end$/p')
echo "$out"
n=$(echo "$bt" | grep -c '^#')
# greet, what called it in the library, and the first frame; libc's has one at 0 too
bad='stopped\|corrupt\|previous frame'
[ "$CONTEXT" = ucontext ] || bad="$bad\\|0x0000000000000000 in"
[ "$n" -ge 2 ] && [ "$n" -le 5 ] &&
	echo "$bt" | grep -q '^#0 .*greet' && ! echo "$bt" | grep -q "$bad"
