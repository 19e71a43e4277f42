#!/bin/sh
# TASKTRACE records a program as it is; what tracejson makes of the file is JSON whose
# slices never overlap, and counts what the program did.
: "${O:=build/cc-asm}"
command -v python3 >/dev/null || { echo 'no python3'; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
. tests/checks

cat >"$dir/nest.py" <<'END'
import json, sys
events = json.load(open(sys.argv[1]))
rows = {}
for e in events:
	if e['ph'] == 'X':
		rows.setdefault((e['pid'], e['tid']), []).append((e['ts'], e['ts'] + e['dur'], e['name']))
for row in rows.values():
	row.sort()
	for a, b in zip(row, row[1:]):
		assert b[0] >= a[1] - 1e-6, (a, b)
names = {e['tid']: e['args']['name'] for e in events if e['name'] == 'thread_name'}
for want in sys.argv[2:]:
	task, what = want.split('=')
	found = [t for t, name in names.items() if name.split(' ', 1)[-1] == task]
	assert found, 'no task %s in %s' % (task, names)
	if what == 'arrow':
		assert any(e['ph'] == 'f' and e['tid'] == found[0] for e in events), want
	else:
		assert any(e['ph'] == 'X' and e['tid'] == found[0] and e['name'] == what
			for e in events), (want, rows)
END
# shellcheck disable=SC2086
TASKTRACE="$dir/life.tt" ${RUN:-} "$O/life" >"$dir/out" 2>"$dir/err"
check 'the program is as it was' sh -c "printf '1\n2\n' | cmp -s - '$dir/out' && [ ! -s '$dir/err' ]"
check 'a file was written' [ -s "$dir/life.tt" ]
tools/tracejson "$dir/life.tt" >"$dir/life.json" 2>"$dir/err"
check 'it is JSON' python3 -m json.tool "$dir/life.json" /dev/null
check 'and has what the tasks did' python3 "$dir/nest.py" "$dir/life.json" producer=run \
	'producer=blocked: chansend' 'producer=blocked: taskdelay' \
	'consumer=blocked: chanrecv' producer=arrow consumer=arrow
# shellcheck disable=SC2086
TASKTRACE=/nowhere/at/all ${RUN:-} "$O/life" >"$dir/out" 2>"$dir/err"
check 'a file that cannot be: the program goes on' cmp -s "$dir/out" - <<END
1
2
END
check 'and a line says so' grep -q '^TASKTRACE=/nowhere/at/all: No such file' "$dir/err"
size=$(wc -c <"$dir/life.tt")
for cut in 0 7 63 64 100 $((size - 17)); do
	head -c "$cut" "$dir/life.tt" >"$dir/cut.tt"
	tools/tracejson "$dir/cut.tt" >/dev/null 2>"$dir/err"
	check "cut at $cut: a clear word" sh -c "! grep -q Traceback '$dir/err' && [ -s '$dir/err' ]"
done
echo "100%: Checks: $n, Failures: $failed, Errors: 0"
[ $failed -eq 0 ]
