#!/bin/sh
# S3_27_the_life_of_a_task_in_DESIGN_is_what_TASKDEBUG_prints, but for the scheduler's
# turns, which come when they are due.
: "${O:=build/cc-asm}"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
steps() {
	sed 's/, [0-9]* ms left/, 4 ms left/' "$@" | grep -v '^the scheduler looks'
}
sed -n 's/^	\(\(task [0-9]\|the scheduler\).*\)/\1/p' DESIGN.md >"$dir/page"
steps "$dir/page" >"$dir/want"
# shellcheck disable=SC2086
TASKDEBUG=1 ${RUN:-} "$O/life" 2>"$dir/err" >"$dir/out" || { cat "$dir/err"; exit 1; }
steps "$dir/err" >"$dir/have"
[ -s "$dir/want" ] && diff "$dir/want" "$dir/have" || exit 1
printf '1\n2\n' | diff - "$dir/out" || exit 1
TASKDEBUG=0 ${RUN:-} "$O/life" 2>&1 | diff - "$dir/out"
