#!/bin/sh
# The layers of the library, against the table in layers.txt: what is included, what
# is called, that nothing calls upwards, and that system calls go through sys.c.
: "${CC:=cc}" "${O:=build/cc-asm}"
[ -f "$O/libtask.a" ] || { echo "no $O/libtask.a: run make check"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
nm=$($CC -print-prog-name=nm)
n=0 bad=0

# a check passes if it found nothing to say.
report() {
	n=$((n + 1))
	if [ -s "$dir/found" ]; then
		bad=$((bad + 1))
		echo "FAIL: $1"
		cat "$dir/found"
	fi
}

# One line for each file: part, file, what it includes, from the root.
grep -v '^#' tests/layers.txt >"$dir/table"
while IFS='|' read -r part files headers calls libc; do
	# shellcheck disable=SC2086
	set -- $part
	# shellcheck disable=SC2086
	for f in $files; do
		[ -f "$f" ] || continue
		echo "$1 $f" >>"$dir/files"
		d=${f%/*}/
		[ "$d" = "$f/" ] && d=
		sed -n 's/^#include "\(.*\)"$/\1/p' "$f" | while read -r h; do
			case $h in
			../*) h=${h#../} ;;
			*) h=$d$h ;;
			esac
			case " $headers " in
			*" $h "*) ;;
			*) echo "$f includes $h" ;;
			esac
		done >>"$dir/includes"
	done
	# shellcheck disable=SC2086
	for c in $calls; do echo "$1 $c"; done >>"$dir/may"
	# shellcheck disable=SC2086
	set -f; for c in $libc; do echo "$1 $c"; done >>"$dir/maylibc"; set +f
done <"$dir/table"
mv "$dir/includes" "$dir/found"
report 'files include what the table allows'

for f in *.[ch] */*.[chS]; do
	case $f in
	addons/* | bench/* | examples/* | tests/* | tools/*) continue ;;
	esac
	grep -q " $f\$" "$dir/files" || echo "$f"
done >"$dir/found"
report 'all files are in the table'

awk '{
		while((i = index($0, "\t")) > 0)
			$0 = substr($0, 1, i - 1) substr("        ", 1 + (i - 1) % 8) substr($0, i + 1)
	}
	length > 80 {print FILENAME ":" FNR}
	' *.[ch] */*.[chS] addons/*/*.[ch] >"$dir/found"
report 'no line is longer than 80 columns'

awk 'FNR == 501 && FILENAME !~ /^(task\.h$|tests\/)/ {print FILENAME}
	' *.[ch] */*.[chS] addons/*/*.[ch] >"$dir/found"
report 'no file is longer than 500 lines'

# In an archive they would be one.
cut -d ' ' -f 2 "$dir/files" | grep '\.c$' | sed 's/.*\///' | sort | uniq -d >"$dir/found"
report 'no two sources have the same name'

# A name that is static, or a type, is in one file only: the reader need not ask
# whose it is, and all sources compile as one.
while read -r part f; do
	case $f in
	*.[ch]) ;;
	*) continue ;;
	esac
	awk -v f="$f" '
		pending && /^[a-z_A-Z0-9]+\(/ {sub(/\(.*/, ""); print $0, f}
		{pending = 0}
		/^(static|Inline|__attribute__.*static) / && !/[;=({]$|[;=]/ {pending = 1}
		/^static .*[;={]/ && !/\(\*/ {
			sub(/ *[[=;({].*/, ""); sub(/.*[ *]/, ""); print $0, f}
		' "$f"
done <"$dir/files" | sort -u | awk '$1 == name {print $1 ": " file, $2}
	{name = $1; file = $2}' >"$dir/found"
report 'a static name is in one file only'

# An adapter to another library is a program like any other to this one.
for f in addons/*/*.[ch]; do
	sed -n 's/^#include "\(.*\)"$/\1/p' "$f" | while read -r h; do
		[ -f "$(dirname "$f")/$h" ] || echo "$f includes $h"
	done
	grep -Hn '\<task_' "$f"
done >"$dir/found"
report 'addons know task.h only'

# In the order of the table, from the machine up.
awk '$2 ~ /\.c$/ {print "#include \"" $2 "\""}' "$dir/files" >"$dir/one.c"
for defines in '' -DTASK_UCONTEXT; do
	for uring in '' -DTASK_URING; do
		echo '#include <liburing.h>' | $CC $uring -E -x c - >"$dir/e" 2>&1 ||
			[ -z "$uring" ] || continue
		# shellcheck disable=SC2086
		$CC -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -I. $defines $uring \
			-fsyntax-only "$dir/one.c" 2>&1
	done
done >"$dir/found"
report 'all sources compile as one'

# Symbols: part, U or D or W, name.
while read -r part f; do
	o=$O/${f%.[cS]}.o
	[ -f "$o" ] || continue	# a header, or another CPU's
	$nm "$o" | awk -v part="$part" -v f="$f" '
		$(NF-1) == "U" || $(NF-1) == "w" {print part, "U", $NF, f}
		NF == 3 && $2 ~ /[WV]/ {print part, "W", $3, f}
		NF == 3 && $2 ~ /[A-Z]/ && $2 !~ /[UWV]/ {print part, "D", $3, f}'
done <"$dir/files" >"$dir/symbols"
awk 'NR == FNR {if($2 != "U") home[$3] = $1; next}
	$2 == "U" && ($3 in home) && home[$3] != $1 {print $1, home[$3], $3, $4}
	' "$dir/symbols" "$dir/symbols" | sort -u >"$dir/calls"
awk 'NR == FNR {may[$1, $2] = 1; next}
	!(($1, $2) in may) {print $4, "(" $1 ") calls", $3, "of", $2}
	' "$dir/may" "$dir/calls" >"$dir/found"
report 'parts call what the table allows'

awk '{print $1, $2}' "$dir/calls" "$dir/may" | sort -u | tsort 2>"$dir/found" >"$dir/order"
report 'there is no circle among the parts'

# A name that an old program may have itself: the library must not call it.
awk 'NR == FNR {if($2 == "W") weak[$3] = 1; next}
	$2 == "U" && ($3 in weak) && $3 != "mainstacksize" {print $4, "calls", $3}
	' "$dir/symbols" "$dir/symbols" >"$dir/found"
report 'the library does not call the names that libtask did not have'

# What would be out of sight of a simulation.
outside='malloc calloc realloc free mmap munmap mprotect madvise mlock brk
	open close read write pread pwrite readv writev send sendto sendmsg recv
	recvfrom recvmsg socket socketpair bind listen accept accept4 connect shutdown
	getsockopt setsockopt getsockname getpeername fcntl ioctl pipe pipe2 eventfd dup
	dup2 poll ppoll select pselect epoll_create1 epoll_ctl epoll_wait epoll_pwait2
	clock_gettime gettimeofday time nanosleep clock_nanosleep usleep sleep syscall
	getrandom random rand fork waitpid'
# shellcheck disable=SC2086
printf '%s\n' $outside >"$dir/outside"
awk -v sys="$dir/maylibc" '
	BEGIN {while((getline line <sys) > 0){split(line, a); may[a[1], a[2]] = 1}}
	NR == FNR {outside[$1] = 1; next}
	$2 == "U" && ($3 in outside) && !(($1, $3) in may) && !(($1, "*") in may) {
		print $4, "calls", $3}
	' "$dir/outside" "$dir/symbols" >"$dir/found"
report 'system calls, clock and memory go through sys.c'

echo "100%: Checks: $n, Failures: $bad, Errors: 0"
[ "$bad" -eq 0 ]
