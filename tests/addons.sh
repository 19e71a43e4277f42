#!/bin/sh
# The addons that were built are used as a program would use them, installed; those that
# were not are told of.
: "${CC:=cc}" "${O:=build/cc-asm}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0 bad=0

wrong() {
	bad=$((bad + 1))
	echo "FAIL: $*"
}

# installed beside the library, it is all that pkg-config needs.
installed() {	# addon
	mkdir "$dir/$1"
	make -s installaddons DESTDIR="$dir/$1" PREFIX=/usr O="$O" CC="$CC" CFLAGS="$CFLAGS" \
		CONTEXT="${CONTEXT:-asm}" SAN="$SAN" >"$dir/log" 2>&1 || return
	export PKG_CONFIG_PATH="$dir/$1/usr/lib/pkgconfig"
	{
		echo 'Name: libtask'
		echo 'Description: as it is here'
		echo 'Version: 1.0.0'
		echo "Cflags: -I$PWD"
		echo "Libs: $PWD/$O/libtask.a -lpthread"
	} >"$PKG_CONFIG_PATH/libtask.pc"
	sed -n '/^#include/,/^\.Ed/{/^\.Ed/q;s/\\e/\\/g;p;}' "man/$1.3" >"$dir/$1.c"
	# not by --define-variable: others have a prefix too
	for pc in "$PKG_CONFIG_PATH"/libtask?*.pc; do
		sed "s|^prefix=.*|prefix=$dir/$1/usr|" "$pc" >"$dir/pc" && mv "$dir/pc" "$pc"
	done
	# shellcheck disable=SC2046
	$CC -D_GNU_SOURCE ${SAN:+-fsanitize=$SAN} "$dir/$1.c" $(PKG_CONFIG_SYSROOT_DIR= \
		pkg-config --cflags --libs "libtask$1") $LDFLAGS -o "$dir/$1.out" >"$dir/log" 2>&1 &&
		[ -f "$dir/$1/usr/share/man/man3/$1.3" ] &&
		prints "$1" "$($RUN "$dir/$1.out" 127.0.0.1)"
}

# Whether that is what addon.mk says: patterns, with | between them.
prints() {	# addon, text
	want=$(sed -n "s/^$1prints = //p" "addons/$1/addon.mk")
	oldifs=$IFS IFS='|' found=
	set -f
	for pattern in $want; do
		# shellcheck disable=SC2254
		case $2 in $pattern) found=1 ;; esac
	done
	set +f
	IFS=$oldifs
	[ "$found" ] || echo "it prints $2" >"$dir/log"
	[ "$found" ]
}

for mk in addons/*/addon.mk; do
	addon=$(basename "$(dirname "$mk")")
	[ -f "man/$addon.3" ] || continue
	n=$((n + 1))
	if [ ! -f "$O/libtask$addon.a" ]; then
		echo "skipped: the addon $addon: $CC has not got the library that it is for"
	elif ! installed "$addon"; then
		wrong "the addon $addon, installed: $(cat "$dir/log")"
	fi
done

echo "100%: Checks: $n, Failures: $bad, Errors: 0"
[ "$bad" -eq 0 ]
