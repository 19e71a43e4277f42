#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""view.py chromium [directory]: tries tools/view.html.

What it shows of traces whose truth is known, what it says of files that are
none, what keys and pointer do, and how fast it is.  Screenshots are left in the
directory, if there is one.
"""
import base64
import json
import os
import sys
import tempfile
import traceback

import maketrace
from browser import Browser
from maketrace import (Begin, Counter, Create, End, Ended, Lost, Mark, Name,
	Ready, Snapshot, State, Switch, Time, Yielded, event, trace)

Main, Writer = 1, 2
recv, delay = map(maketrace.reasons.index, ["chanrecv", "taskdelay"])
address = 0x7f1234567890

tests = []


def test(f):
	tests.append(f)
	return f


def same(got, wanted):
	if got != wanted:
		raise AssertionError(f"{got!r}, and not {wanted!r}")


def gives(b, script, wanted):
	same(b.run(script), wanted)


def texts(*strings):
	"""The strings, and the numbers that they have in a file."""
	return strings, range(len(maketrace.reasons) + 1, 100)


# Main makes a writer, waits for it, is woken by it, and ends.
strings, (main, writer, compute, half, *_) = texts("main", "writer", "compute",
	"half")
short = trace([(7, 1000, [
	event(0, 0, Snapshot, 0, 0),
	event(0, Main, Create),
	event(10, Main, Switch, Yielded),
	event(0, Main, Name, 0, main),
	event(100, Writer, Create, 0, Main),
	event(5, Main, Begin, 0, compute),
	event(195, Writer, Switch, recv, address),
	event(0, Writer, Name, 0, writer),
	event(300, Writer, Mark, 0, half),
	event(0, Main, Ready, 0, Writer),
	event(400, Main, Switch, delay),
	event(0, 0, Counter, 1, 3),
	event(50, Main, End),
	event(40, 0, Switch, Ended),
])], strings)

helpers = r"""
function bytes(text){
	return Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer;
}
/* a task's states, each with its time, kind and number */
function states(id, p = 0){
	const t = view.trace, r = t.procs[p].ids.get(id), c = t.segments;
	const list = [];
	for(let i = c.first[r.index]; i < c.first[r.index + 1]; i++)
		list.push([c.time[i], t.states[c.kind[i]], c.what[i]]);
	return list;
}
/* the totals of all tasks of a proc, as maketrace gives them */
function sums(p){
	const all = {};
	for(const r of view.trace.procs[p].rows){
		all[r.id] = {};
		for(const [state, s] of view.trace.totals(r).sums)
			if(state !== Gone)
				all[r.id][view.trace.states[state]] =
					[s.n, s.ns, s.longest];
	}
	return all;
}
/* what is wrong with a file: "", a complaint, or "thrown: ..." */
function complaint(buffer){
	try{
		view.trace = read(buffer);
		setlanes();
		setpalette();
		layout();
		fitall();
		draw();
		zoom(0.1, view.t0);
		draw();
		return "";
	}catch(e){
		return e instanceof Complaint ? e.message :
			"thrown: " + e.stack;
	}
}
function colour(x, y){
	const d = pen.getImageData(Math.round(x), Math.round(y), 1, 1).data;
	return [d[0], d[1], d[2]].map(v => v.toString(16).padStart(2, "0")).
		join("");
}
function middle(id){
	const line = view.trace.procs[0].ids.get(id).line;
	return view.head + line.y - $("bar").scrollTop + line.strips + 9;
}
"""


def text64(data):
	return json.dumps(base64.b64encode(data).decode())


def show(b, data, name="try.tt"):
	b.run(f"show(bytes({text64(data)}), {json.dumps(name)})")


def complains(b, data, wanted):
	got = b.run(f"complaint(bytes({text64(data)}))")
	if wanted not in got:
		raise AssertionError(f"says {got!r}, not {wanted!r}")


def stage(b):
	"""Where the canvas begins in the window."""
	return b.run("[...'xy'].map(k => $('rows').getBoundingClientRect()[k])")


@test
def a_trace_of_known_answer_is_read_right(b):
	show(b, short)
	gives(b, "[view.trace.nevent, view.trace.nswitch, view.trace.rows.length]",
		[14, 4, 3])
	gives(b, "states(1)", [[1000, "ready", 2], [1010, "runs", 1],
		[1310, "chanrecv", address], [1610, "ready", 2 - 1],
		[2010, "runs", 1], [2100, "not there", 0]])
	gives(b, "states(2)", [[1110, "ready", 0], [1310, "runs", 1],
		[2010, "taskdelay", 0], [2100, "not there", 0]])
	gives(b, "states(0)", [[2100, "idle, or polls", 1],
		[2100, "not there", 0]])
	gives(b, "view.trace.rows.map(r => r.name)",
		["main", "writer", "scheduler"])
	gives(b, "sums(0)[1]", {"ready": [2, 410, 400], "runs": [2, 390, 300],
		"chanrecv": [1, 300, 300]})
	gives(b, "view.trace.totals(view.trace.rows[0]).switches", 2)
	gives(b, "[view.trace.begin, view.trace.end]", [1000, 2100])
	gives(b, "[...view.trace.marks.mate]", [1, 0, -1])


@test
def a_generated_trace_has_the_totals_that_its_scheduler_counted(b):
	data, truth = maketrace.make(30000, 3)
	show(b, data)
	gives(b, "[view.trace.nevent, view.trace.nswitch, view.trace.procs.length]",
		[truth["events"], truth["switches"], 3])
	for i, p in enumerate(truth["procs"]):
		gives(b, f"sums({i})", {str(id): t for id, t in p.items() if t})


@test
def a_pyramid_adds_up_to_what_it_stands_on(b):
	data, _ = maketrace.make(20000, 1)
	show(b, data)
	gives(b, r"""(() => {
	const t = view.trace, c = t.segments;
	let worst = 0;
	for(const r of t.rows)
		for(const grain of [0, 1e4, 1e6, 1e9]){
			let sum = 0, whole = 0;
			c.scan(r.index, t.begin, t.end, grain,
				(from, to, l) => {
				sum += l * (to - from);
				whole += to - from;
			});
			const s = t.totals(r).sums.get(Runs);
			worst = Math.max(worst, Math.abs(sum - (s?.ns ?? 0)) /
				(s?.ns ?? 1), Math.abs(whole - (t.end -
				c.time[c.first[r.index]])) / t.end);
		}
	return worst < 1e-5 ? "" : worst;
	})()""", "")


@test
def one_id_may_name_several_tasks_one_after_another(b):
	strings, (first, second, *_) = texts("first", "second")
	show(b, trace([(0, 0, [
		event(0, 5, Create), event(10, 5, Switch, Yielded),
		event(0, 5, Name, 0, first), event(10, 0, Switch, Ended),
		event(10, 5, Create), event(10, 5, Switch, Yielded),
		event(0, 5, Name, 0, second), event(10, 0, Switch, Ended),
		event(10, 0, Counter)])], strings))
	gives(b, "[5, 15, 25, 35, 45].map(t => view.trace.nameat("
		"view.trace.rows[0], t))",
		["first", "first", "first", "second", "second"])


@test
def what_was_lost_is_shown_as_unknown_until_a_snapshot(b):
	show(b, trace([(0, 0, [
		event(0, 1, Create), event(10, 1, Switch, Yielded),
		event(10, 2, Create, 0, 1), event(10, 2, Switch, recv, 64),
		event(20, 0, Lost, 0, 1000),
		event(100, 0, Snapshot, 0, 2), event(0, 2, State, recv, 96),
		event(0, 3, State, Ended),
		event(50, 0, Switch, Ended)])]))
	gives(b, "states(1)", [[0, "ready", 3], [10, "runs", 1],
		[30, "chanrecv", 64], [50, "not recorded", 1000],
		[150, "not there", 0]])
	gives(b, "states(2)[2]", [50, "not recorded", 1000])
	gives(b, "states(2)[3]", [150, "chanrecv", 96])
	gives(b, "states(3)", [[150, "runs", 0], [200, "not there", 0]])


@test
def long_gaps_have_an_event_of_their_own(b):
	show(b, trace([(0, 0, [event(0, 1, Create), event(3, 0, Time, 0, 2**40),
		event(4, 1, Switch, Yielded), event(2**32 - 1, 0, Switch, Ended)
		])]))
	gives(b, "states(1).map(s => s[0])", [0, 2**40 + 7,
		2**40 + 6 + 2**32])


@test
def a_snapshot_that_says_what_is_known_changes_nothing(b):
	show(b, trace([(0, 0, [
		event(0, 1, Create), event(10, 1, Switch, Yielded),
		event(10, 0, Snapshot, 0, 1), event(0, 1, State, Ended),
		event(10, 0, Switch, delay), event(10, 0, Snapshot, 0, 1),
		event(0, 1, State, delay), event(10, 0, Counter)])]))
	gives(b, "states(1)", [[0, "ready", 1], [10, "runs", 1],
		[30, "taskdelay", 0], [50, "not there", 0]])


def jsontrace():
	list = [dict(ph="M", name="process_name", pid=1, args={"name": "proc 1"}),
		dict(ph="M", name="thread_name", pid=1, tid=4,
			args={"name": "reader"}),
		dict(ph="X", name="run", pid=1, tid=4, ts=0, dur=5),
		dict(ph="X", name="parse", pid=1, tid=4, ts=1, dur=3),
		dict(ph="X", name="blocked: fdread", pid=1, tid=4, ts=5, dur=10,
			args={"object": 6}),
		dict(ph="X", name="run", pid=1, tid=5, ts=5, dur=11),
		dict(ph="s", id=1, pid=1, tid=5, ts=15),
		dict(ph="f", id=1, pid=1, tid=4, ts=15, bp="e"),
		dict(ph="X", name="ready", pid=1, tid=4, ts=15, dur=1),
		dict(ph="X", name="run", pid=1, tid=4, ts=16, dur=4),
		dict(ph="i", name="done", pid=1, tid=4, ts=17, s="t"),
		dict(ph="C", name="tasks", pid=1, ts=0, args={"tasks": 2})]
	return list


@test
def the_form_of_perfetto_is_read_as_an_array_and_as_an_object(b):
	for form in [jsontrace(), {"traceEvents": jsontrace()}]:
		show(b, json.dumps(form).encode(), "try.json")
		gives(b, "states(4)", [[0, "runs", 1], [5000, "fdread", 6],
			[15000, "ready", 0], [16000, "runs", 1],
			[20000, "not there", 0]])
		gives(b, "[view.trace.rows[0].id, view.trace.procs[0].rows[0].name,"
			" view.trace.procs[0].name, view.trace.nswitch]",
			[5, "reader", "proc 1", 3])
		gives(b, "[...view.trace.marks.time]", [1000, 4000, 17000])
		gives(b, "view.lanes.map(l => [l.name, l.most])", [["tasks", 2]])


@test
def a_file_that_was_cut_off_shows_what_is_whole(b):
	show(b, short[:-16 * 3 - 5])
	gives(b, "view.trace.nevent", 10)
	gives(b, "$('note').textContent",
		"The file ends early: 10 of 14 events are here.")
	show(b, json.dumps(jsontrace()).encode()[:-70], "try.json")
	gives(b, "states(4).length", 5)
	gives(b, "$('note').textContent.startsWith('The file ends early')", True)


@test
def what_is_no_trace_is_refused_in_words(b):
	complains(b, b"", "The file is empty")
	complains(b, b"hello", "no trace")
	complains(b, b"{\"a\": 1}", "no traceEvents")
	complains(b, b"[1,", "no trace")
	complains(b, b"[]", "no events")
	complains(b, trace([]), "no events")
	complains(b, trace([(0, 0, [])]), "no events")
	complains(b, short[:20], "ends within")
	complains(b, trace([(0, 0, [])], version=2), "version 2")
	show(b, b"hello", "some.txt")
	gives(b, "$('say').checkVisibility() && $('say').textContent",
		"some.txt: This is no trace: it begins neither like a .tt file"
		" nor like JSON.")


@test
def no_byte_that_is_missing_or_wrong_throws(b):
	gives(b, f"""(() => {{
	const whole = bytes({text64(short)});
	for(let n = 0; n <= whole.byteLength; n++){{
		const said = complaint(whole.slice(0, n));
		if(said.startsWith("thrown"))
			return n + " " + said;
	}}
	let seed = 1;
	const random = n => (seed = seed * 48271 % 2147483647) % n;
	for(let k = 0; k < 3000; k++){{
		const wrong = new Uint8Array(whole.slice(0));
		for(let i = random(4); i >= 0; i--)
			wrong[8 + random(wrong.length - 8)] = random(256);
		const said = complaint(wrong.buffer);
		if(said.startsWith("thrown"))
			return k + " " + said;
	}}
	return "";
	}})()""", "")


@test
def json_of_any_kind_does_not_throw(b):
	for odd in [[None, 1, "x", {}, {"ph": "X"}], [{"ph": "X", "ts": 1e308,
			"dur": 1e308, "name": None}, {"ph": "E", "ts": 1},
			{"ph": "X", "ts": -5, "dur": -1, "name": "run"}],
			[{"ph": "X", "ts": 1, "dur": 9, "name": "run", "tid": "a",
			"pid": {}}, {"ph": "X", "ts": 2, "dur": 1, "name": "run",
			"tid": "a"}, {"ph": "C", "ts": 3, "args": {"a": "b"}},
			{"ph": "M", "name": "thread_name", "args": None}],
			{"traceEvents": {}}]:
		got = b.run(f"complaint(bytes({text64(json.dumps(odd).encode())}))")
		same(got.startswith("thrown") and got, False)


@test
def bars_have_the_colours_of_their_states(b):
	b.theme("light")
	show(b, short)
	b.run("draw()")
	for time, id, name in [(1160, 1, "runs"), (1450, 1, "waits: channel"),
			(1800, 1, "ready"), (1800, 2, "runs"),
			(2080, 2, "waits: delay")]:
		gives(b, f"colour(xof({time}), middle({id}) + 8)",
			b.run(f"Colours[{json.dumps(name)}][0].slice(1)"))
	b.theme("dark")
	b.wait("view.palette.states.css[Runs] === Colours.runs[1]")
	b.run("draw()")
	gives(b, "colour(xof(1160), middle(1) + 8)",
		b.run("Colours.runs[1].slice(1)"))
	b.theme("light")
	b.wait("view.palette.states.css[Runs] === Colours.runs[0]")


@test
def where_many_share_a_pixel_the_height_is_their_share(b):
	events = [event(0, 1, Create), event(0, 1, Switch, Yielded)]
	for _ in range(50000):	# runs a quarter of the time
		events += [event(10, 0, Switch, delay), event(30, 1, Ready),
			event(0, 1, Switch, Yielded)]
	show(b, trace([(0, 0, events)]))
	b.run("draw()")
	runs, waits = b.run("[Colours.runs[0], Colours['waits: delay'][0]].map("
		"c => c.slice(1))")
	column = b.run("Array.from({length: 18}, (_, i) =>"
		" colour(xof(1e6), middle(1) - 9 + i))")
	same(column.count(waits) in (13, 14), True)
	same(column.count(runs) in (4, 5), True)
	same(column[0], waits)


@test
def wheel_drag_and_keys_move_about(b):
	show(b, short)
	b.run("draw()")
	left, top = stage(b)
	x = left + 700
	before = b.run("[timeat(700), view.t1 - view.t0]")
	b.mouse("mouseWheel", x, top + 200, deltaX=0, deltaY=-240)
	b.wait(f"draw(), view.t1 - view.t0 < {before[1] * 0.7}")
	same(abs(b.run("timeat(700)") - before[0]) < before[1] * 0.01, True)
	b.mouse("mousePressed", x, top + 200, button="left", clickCount=1)
	b.mouse("mouseMoved", x + 100, top + 200, button="left", buttons=1)
	b.mouse("mouseReleased", x + 100, top + 200, button="left", clickCount=1)
	b.run("draw()")
	same(abs(b.run("timeat(800)") - before[0]) < before[1] * 0.02, True)
	for key, moved in [("ArrowRight", "view.t0 > T"), ("a", "view.t0 < T"),
			("d", "view.t0 > T"), ("ArrowLeft", "view.t0 < T"),
			("+", "view.t0 > T"), ("-", "view.t0 < T"),
			("w", "view.t0 > T"), ("s", "view.t0 < T"),
			("0", "view.t0 < view.trace.begin")]:
		t0 = b.run("draw(), view.t0")
		b.key(key)
		same((key, b.run(moved.replace("T", str(t0)))), (key, True))
	b.key("r")
	gives(b, "[view.lines.length, $('toggle').textContent]",
		[1, "Rows of tasks"])
	b.key("r")
	gives(b, "view.lines.length", 4)
	b.key("?")
	gives(b, "$('keys').open", True)
	b.run("$('keys').close()")


@test
def searching_goes_from_hit_to_hit(b):
	data, _ = maketrace.make(20000, 2)
	show(b, data)
	b.key("/")
	for c in "WORKER":
		b.key(c)
	gives(b, "$('hits').textContent", "1 of 6")
	b.key("Enter")
	b.key("n")
	gives(b, "[$('hits').textContent, view.hits[view.hit].name]",
		["2 of 6", "worker 2"])
	b.key("N")
	b.key("N")
	gives(b, "[$('hits').textContent, view.hits[view.hit].name]",
		["6 of 6", "worker 3"])
	gives(b, "draw(), view.hits[5].line.y >= $('bar').scrollTop", True)
	b.run("search('12')")
	gives(b, "view.hits.filter(r => r.id === 12).length", 2)
	b.run("$('search').value = 'nobody'; search('nobody')")
	gives(b, "$('hits').textContent", "none")
	b.run("$('search').value = ''; search('')")


@test
def pointing_tells_why_and_who_woke_it_and_a_click_the_totals(b):
	show(b, short)
	b.run("draw()")
	left, top = stage(b)

	def at(time, id):
		return b.run(f"[{left} + xof({time}), {top} + middle({id})]")

	b.mouse("mouseMoved", *at(1450, 1))
	gives(b, "[...$('tip').children].map(e => e.textContent)", [
		"task 1 (main), proc 7",
		"waits in chanrecv on 0x7f1234567890 for 300 ns",
		"from 1.31 µs to 1.61 µs",
		"woken by task 2 (writer) at 1.61 µs",
		"then ready for 400 ns", "in compute, which takes 945 ns"])
	b.click(*at(1800, 1))
	gives(b, "$('panel').checkVisibility()", True)
	text = b.run("$('panel').innerText")
	for part in ["task 1 (main)", "ready for 400 ns", "went on 2 times",
			"longest run took 300 ns", "chanrecv", "410 ns"]:
		same((part, part in text), (part, True))
	b.key("Escape")
	gives(b, "$('panel').checkVisibility()", False)


@test
def the_arrow_goes_from_the_waker_to_the_woken(b):
	show(b, short)
	b.run("draw()")
	left, top = stage(b)
	x, y = b.run("[xof(1800), middle(1)]")
	# beside the line, which is 2 pixels wide: a dot, and the arrow's head
	drawn = ("[[2, middle(2) + 1], [-3, middle(1) + 9],"
		" [2, middle(1) + 1], [-3, middle(2) - 9]].map(([x, y]) =>"
		" overpen.getImageData(Math.round(xof(1610) + x),"
		" Math.round(y), 1, 1).data[3] > 0)")
	b.run("$('rows').dispatchEvent(new Event('pointerleave'))")
	gives(b, drawn, [False] * 4)
	b.mouse("mouseMoved", left + x, top + y)
	gives(b, drawn, [True, True, False, False])


@test
def a_proc_folds_its_tasks(b):
	show(b, short)
	b.run("draw()")
	left, top = stage(b)
	head = b.run("view.head")
	b.click(left + 40, top + head + 10)
	gives(b, "view.lines.length", 1)
	b.click(left + 40, top + head + 10)
	gives(b, "view.lines.length", 4)


@test
def files_come_by_address_by_choice_and_by_drop(b):
	path = os.path.join(b.place, "short.tt")
	with open(path, "wb") as f:
		f.write(short)
	b.run("view.trace = null")
	b.choose("#file", path)
	b.wait("view.trace !== null")
	gives(b, "document.title", "short.tt")
	b.run(f"""(() => {{
	const t = new DataTransfer();
	t.items.add(new File([bytes({text64(short)})], "dropped.tt"));
	document.body.dispatchEvent(new DragEvent("drop", {{dataTransfer: t,
		bubbles: true, cancelable: true}}));
	}})()""")
	b.wait("document.title === 'dropped.tt'")
	b.visit(b.page + "?file=" + path)
	b.wait("view.trace !== null")
	gives(b, "view.trace.nevent", 14)
	b.visit(b.page + "?file=" + path + ".gone")
	b.wait("$('say').textContent.includes('cannot be read')")
	b.visit(b.page)
	b.run(helpers + ";0")


@test
def a_million_events_open_and_zoom_quickly(b):
	path = os.path.join(b.place, "million.tt")
	data, truth = maketrace.make(1000000, 4)
	with open(path, "wb") as f:
		f.write(data)
	b.choose("#file", path)
	b.wait("document.title === 'million.tt'")
	gives(b, "[view.trace.nevent, view.trace.nswitch]",
		[truth["events"], truth["switches"]])
	for i, p in enumerate(truth["procs"]):
		gives(b, f"sums({i})", {str(id): t for id, t in p.items() if t})
	opened = b.run("view.opened")
	middle, last = b.run("""(() => {
	const times = [];
	for(let i = 0; i < 100; i++){
		const begun = performance.now();
		zoom(i < 50 ? 0.8 : 1 / 0.8, view.t0 +
			(view.t1 - view.t0) * 0.4);
		draw();
		pen.getImageData(0, 0, 1, 1);	/* now it is drawn */
		times.push(performance.now() - begun);
	}
	times.sort((a, b) => a - b);
	return [times[50], times[99]];
	})()""")
	print(f"note: a trace of a million events opens in {opened:.0f} ms; a"
		f" zoom takes {middle:.1f} ms (median of 100), {last:.1f} at most")


def pictures(b, directory):
	"""those of the guide"""
	data, _ = maketrace.make(20000, 2)
	b.size(1000, 560)
	show(b, data, "httpd.tt")
	b.run("setspan(46.2e6, 50.2e6), draw()")
	left, top = stage(b)
	x, y = b.run("[xof(49.0e6), middle(2)]")
	for name in ["light", "dark"]:
		b.theme(name)
		b.mouse("mouseMoved", left + x, top + y + 1)
		b.mouse("mouseMoved", left + x, top + y)
		b.run("new Promise(done => setTimeout(done, 300))")
		b.screenshot(f"{directory}/watching-{name}.png")


def main(program, directory=None):
	failures = 0
	with tempfile.TemporaryDirectory() as place:
		b = Browser(program)
		b.place = directory or place
		b.page = "file://" + os.path.abspath("tools/view.html")
		b.visit(b.page)
		b.run(helpers + ";0")
		for t in tests:
			try:
				t(b)
				same(b.thrown, [])
			except Exception as e:
				failures += 1
				if isinstance(e, TimeoutError):
					b.child.kill()
					raise
				print(f"FAIL: {t.__name__}")
				traceback.print_exc(file=sys.stdout)
				b.thrown.clear()
			if directory:
				b.screenshot(f"{directory}/{t.__name__}.png")
		if directory:
			pictures(b, directory)
		b.close()
	print(f"100%: Checks: {len(tests)}, Failures: {failures}, Errors: 0")
	return failures > 0


sys.exit(main(*sys.argv[1:]))
