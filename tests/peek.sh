#!/bin/sh
# tasktop -x finds libtask in a program however it was linked, and says if it cannot.
: "${O:=build/cc-asm}" "${CC:=cc}"
[ -n "$SAN$RUN" ] && { echo 'a program by itself is wanted'; exit 77; }
dir=$(mktemp -d) || exit 1
pid=
trap '[ "$pid" ] && kill -KILL $pid 2>/dev/null; rm -rf "$dir"' EXIT
n=0 bad=0
readelf=$($CC -print-prog-name=readelf)

cat >"$dir/waits.c" <<'END'
#include <stdio.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <task.h>
#include <unistd.h>

static void
sleeps(void *v)
{
	(void)v;
	taskdelay(1000000);
}

void
taskmain(int argc, char **argv)
{
	int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
	if(argc > 1 && mmap(NULL, lseek(fd, 0, SEEK_END), PROT_READ,
			MAP_PRIVATE, fd, 0) == MAP_FAILED)
		return;
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	taskname("waits");
	taskcreate(sleeps, NULL, 0);
	taskyield();
	printf("ready\n");
	fflush(stdout);
	taskdelay(1000000);
}
END

begin() {	# program
	mkfifo "$dir/out" 2>/dev/null
	LD_LIBRARY_PATH=$dir "$@" >"$dir/out" &
	pid=$!
	read -r line <"$dir/out"
	[ "$line" = ready ]
}

end() {
	kill -KILL $pid
	wait $pid 2>/dev/null
	pid=
}

# what tasktop says has all the patterns.
check() {	# what, pattern ...
	what=$1
	shift
	n=$((n + 1))
	out=$("$O/tasktop" -b -x -p $pid 2>&1)
	for pattern; do
		printf '%s\n' "$out" | grep -q -e "$pattern" && continue
		bad=$((bad + 1))
		echo "FAIL: $what: no $pattern in:"
		echo "$out"
		return
	done
}

putbytes() {	# file, offset, bytes
	# shellcheck disable=SC2059
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# puts bytes into the table of a file.
patch() {	# file, offset in the table, bytes
	at=$("$readelf" -WS "$1" |
		sed -n 's/.*\.tasklayout *PROGBITS *[0-9a-f]* \([0-9a-f]*\) .*/\1/p')
	putbytes "$1" $((0x$at + $2)) "$3"
}

all='^ *1 waits '
named='^ *2 sleeps() .*parked'
nameless='^ *2 0x[0-9a-f]* .*parked'

$CC -O2 -I. "$dir/waits.c" "$O/libtask.a" -lpthread -o "$dir/waits" || exit 1
begin "$dir/waits" || exit 1
if "$O/tasktop" -b -x -p $pid 2>&1 | grep 'may not be read'; then
	exit 77
fi
check 'with libtask.a' "$all" "$named"
mv "$dir/waits" "$dir/moved"
cp "$O/hello" "$dir/waits"
check 'moved, and another is in its place' "$all" "$named"
rm "$dir/moved"
check 'deleted' "$all" "$nameless"
end

$CC -O2 -I. "$dir/waits.c" "$O/libtask.a" -lpthread -no-pie -o "$dir/fixed" &&
	begin "$dir/fixed" && check 'at a fixed address' "$all" "$named"
end
$CC -O2 -I. "$dir/waits.c" "$O/libtask.a" -lpthread -static -o "$dir/static" \
		2>/dev/null && {
	begin "$dir/static" && check 'without shared libraries' "$all" "$named"
	end
}

cp "$O/libtask.so" "$dir/libtask.so.1"
ln -s libtask.so.1 "$dir/libtask.so"
$CC -O2 -I. "$dir/waits.c" -L"$dir" -ltask -lpthread -o "$dir/shared" || exit 1
begin "$dir/shared"
check 'with libtask.so' "$all" "$named"
end
begin "$dir/shared" "$dir/libtask.so.1"
check 'that reads its own file' "$all" "$named"
end

strip -o "$dir/stripped" "$dir/shared"
strip "$dir/libtask.so.1"
begin "$dir/stripped"
check 'stripped' "$all" "$nameless"
end
# e_shoff, and e_shnum and e_shstrndx
putbytes "$dir/libtask.so.1" 40 '\000\000\000\000\000\000\000\000'
putbytes "$dir/libtask.so.1" 60 '\000\000\000\000'
begin "$dir/stripped"
check 'without section headers' "$all" "$nameless"
end
begin "$dir/stripped" "$dir/libtask.so.1"
check 'that, and reads its own file' "$all" "$nameless"
end

cp "$O/libtask.so" "$dir/libtask.so.1"
patch "$dir/libtask.so.1" 16 '\002\000\000\000'
begin "$dir/shared"
check 'of another version' "process $pid has a libtask of another version"
end
cp "$O/libtask.so" "$dir/libtask.so.1"
patch "$dir/libtask.so.1" 20 '\007\000\000\000'
begin "$dir/shared"
check 'with a table of no size' "process $pid has a libtask of another version"
end
cp "$O/libtask.so" "$dir/libtask.so.1"
patch "$dir/libtask.so.1" 68 '\377\377\377\177'
begin "$dir/shared"
check 'with offsets out of reach' "process $pid has a libtask of another version"
end

echo "100%: Checks: $n, Failures: $bad, Errors: 0"
[ "$bad" -eq 0 ]
