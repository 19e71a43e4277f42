#!/bin/sh
# The manual is right: it lints, and its prototypes are those of task.h, whose table of
# contents is right too, or of an addon's header.  The programs in all these and the README compile and link,
# and the files that they name are there.
cc=${CC:-cc}
flags="-std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -I. ${SAN:+-fsanitize=$SAN}"
for d in addons/*/; do flags="$flags -I$d"; done
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
status=0

wrong() {
	echo "$*"
	status=1
}

# The functions that a file declares, one to a line, and the headings among them.
declared() {
	sed -n -e '/^\/\* .*: [a-z]*(3) \*\/$/p' \
		-e 's/^[A-Za-z][A-Za-z0-9_ *]*[ *]\([a-z0-9]*\)(.*/\1/p' "$1"
}

# The same from the table of contents at the head of task.h.
contents() {
	awk '
	/^#ifndef TASK_H/ { exit }
	!/^ \*   / { next }
	{ first = 2 }
	$3 ~ /\(3\)$/ { print "/* " $2 ": " $3 " */"; first = 4 }
	{ for(i = first; i <= NF; i++) if($i ~ /^[a-z]/) print $i }' "$1"
}

# The same with the page of each function.
pages() {
	awk '/^\/\*/ { page = $3; next } { print page, $1 }' "$1" | sort
}

# What a page's SYNOPSIS promises, as a C file that contradicts the header if it is
# wrong.
prototypes() {
	awk '
	/^\.In / { print "#include <" $2 ">" }
	/^\.Sh / { on = $2 == "SYNOPSIS" }
	!on { next }
	/^\.Ft / { type = substr($0, 5) }
	/^\.Fn / {
		line = substr($0, 5)
		n = split(line, part, "\"")
		args = ""
		for(i = 2; i < n; i += 2)
			args = args (args == "" ? "" : ", ") part[i]
		split(line, word, " ")
		print type, word[1] "(" (args == "" ? word[2] : args) ");"
	}' "$1"
}

# The programs in a page's EXAMPLES, each to a file of its own.
examples() {
	awk -v out="$2" '
	/^\.Sh / { on = $2 == "EXAMPLES" }
	on && /^\.Bd -literal/ { file = out "-" ++n ".c"; next }
	/^\.Ed/ { file = "" }
	file != "" {
		gsub(/\\&/, "")
		gsub(/\\-/, "-")
		gsub(/\\e/, "\\")
		print >file
	}' "$1"
}

# The programs in the comments of task.h: lines that a tab begins there.
commented() {
	awk -v out="$2" '
	/^ \*\t/ {
		if(file == "")
			file = out "-" ++n ".c"
		print substr($0, 4) >file
		next
	}
	/^ \*$/ && file != "" { print "" >file; next }
	{ file = "" }' "$1"
}

compiles() {	# a file, flags
	file=$1
	shift
	$cc $flags "$@" -c "$file" -o "$file.o" >"$dir/log" 2>&1
}

builds() {
	compiles "$@" $addonflags &&
		$cc $flags "$1.o" $addonlibs "${O:-.}/libtask.a" -lpthread -o "$1.out" >"$dir/log" 2>&1
}

# What has a header of its own is an addon, which may not have been built: then the
# other library's header is not here either.
addonlibs= addonflags=
addon() {
	[ -f "addons/$1/task$1.h" ] || return
	addonlibs=$(make -s O="${O:-.}" CC="$cc" link-"$1")
	addonflags=$(echo "$addonlibs" | sed 's/-isystem  */-isystem/g' | tr ' ' '\n' |
		grep '^-[IDi]')
	[ "$addonlibs" ] || try=:
	isaddon=1
}

for page in man/*.3; do
	name=$(basename "$page" .3)
	base=$dir/$name
	try=builds addonlibs= addonflags= isaddon=
	addon "$name"
	prototypes "$page" >"$base-proto.c"
	compiles "$base-proto.c" || wrong "$page: SYNOPSIS: $(cat "$dir/log")"
	declared "$base-proto.c" | sort >"$base.names"
	sed -n 's/^\.Nm \([a-z0-9]*\).*/\1/p' "$page" | sort | cmp -s - "$base.names" ||
		wrong "$page: NAME and SYNOPSIS differ"
	examples "$page" "$base"
	[ -f "$base-1.c" ] || wrong "$page: no example"
	for c in "$base"-[0-9]*.c; do
		$try "$c" || wrong "$page: EXAMPLES: $(cat "$dir/log")"
	done
	[ "$isaddon" ] || continue
	declared "addons/$name/task$name.h" | sort | diff - "$base.names" >"$dir/log" ||
		wrong "$page: task$name.h and NAME differ: $(cat "$dir/log")"
	rm "$base.names"
done
addonlibs= addonflags=

declared task.h >"$dir/declared"
contents task.h | diff - "$dir/declared" >"$dir/log" ||
	wrong "task.h: contents (<) and declarations (>) differ: $(cat "$dir/log")"
# sections of part two that part one has not
awk '
/^#define TASKHAVE/ { two = 1 }
/^\/\* [A-Z][a-z]*: [a-z]*\(3\)/ {
	name = toupper(substr($2, 1, length($2) - 1))
	if(two && !(name in one))
		print name
	else if(!two)
		one[name]
}' task.h >"$dir/sections"
sed -n 's/^#define TASKHAVE\([A-Z]*\) 1$/\1/p' task.h | diff - "$dir/sections" >"$dir/log" ||
	wrong "task.h: macros (<) and sections of part two (>) differ: $(cat "$dir/log")"
pages "$dir/declared" >"$dir/paged"
for names in "$dir"/*.names; do
	sed "s/^/$(basename "$names" .names)(3) /" "$names"
done | sort | diff "$dir/paged" - >"$dir/log" ||
	wrong "not on the page that task.h says (< task.h, > man): $(cat "$dir/log")"

commented task.h "$dir/part"
builds "$dir/part-1.c" -DTASK_COMPAT || wrong "task.h: part one: $(cat "$dir/log")"
builds "$dir/part-2.c" || wrong "task.h: part two: $(cat "$dir/log")"
[ -f "$dir/part-3.c" ] && wrong "task.h: more programs than parts"

awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' README.md >"$dir/readme.c"
if [ -s "$dir/readme.c" ]; then
	builds "$dir/readme.c" || wrong "README.md: $(cat "$dir/log")"
else
	wrong "README.md: no example"
fi

# What papers name is there, and the README names all that the library is made of.
for path in $(sed -n 's/^\.Pa \([a-z]*\(\/[a-z]*\)*\(\.c\)*\)\( ,\)*$/\1/p' man/*.[137]) \
	$(sed -n 's/.*](\([^):#]*\)).*/\1/p' README.md); do
	[ -e "$path" ] || wrong "named, but not there: $path"
done
for path in $(grep -v '^#' tests/layers.txt | cut -d '|' -f 2); do
	grep -q "](${path%%/*}\(/\))\|](${path%%/*})" README.md || wrong "not in README.md: $path"
done

[ $status -eq 0 ] || exit 1
if ! command -v mandoc >/dev/null; then
	echo "mandoc is not installed: the pages were not linted"
	exit 77
fi
for page in man/*.[137]; do
	mandoc -T lint -W warning "$page" || status=1
done
exit $status
