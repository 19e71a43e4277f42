#!/bin/sh
# No function of the library needs more than 1 KiB of stack for itself: threads and
# tasks that call it may have little.  As the compiler says of each.  Addons are not
# looked at: theirs that do are called by tasks of their own only.
: "${O:=build/cc-asm}" "${CFLAGS:=-O2 -g}"
if [ -n "$SAN" ]; then
	echo 'sanitizers make frames larger'
	exit 77
fi
case " $CFLAGS" in
*-flto*) echo 'frames are made at the end, when nobody is asked'; exit 77 ;;
*' -O'[123s]*) ;;
*) echo 'frames are larger where nothing is optimised'; exit 77 ;;
esac
for part in . machine task fd sync; do
	ls "$O/$part"/*.su >/dev/null 2>&1 || { echo "no $O/$part/*.su: run make check"; exit 77; }
done
find "$O" -name '*.su' ! -path "$O/tests/*" ! -path "$O/bench/*" ! -path "$O/addons/*" \
	-exec cat {} + |
	awk -F '\t' '$2 > 1024 {print $1 " takes " $2 " bytes"; bad = 1}
		$3 == "dynamic" {print $1 " has no bound"; bad = 1}
		{n++}
		END {print n " functions"; exit bad || n < 100}'
