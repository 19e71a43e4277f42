#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""maketrace.py events procs file [truth]: a trace of a server that never was.

A small scheduler is simulated, always the same, and its trace written in the
binary form (.tt).  The truth is what the scheduler itself has counted, as JSON:
for each task the times in each state.
"""
import collections
import heapq
import json
import random
import struct
import sys

Time, Create, Switch, Ready, Name, Mark, Begin, End, Snapshot, State, Counter, \
	Lost = range(1, 13)
Yielded, Ended = 254, 255
reasons = ["none", "chanalt", "chansend", "chanrecv", "taskdelay", "qlock",
	"fdread", "taskwait", "groupwait"]
packed = struct.Struct("<IIBBHI")


def event(dt, task, kind, why=0, aux=0):
	return packed.pack(dt, task, kind, why, aux >> 32, aux & 0xffffffff)


def trace(procs, strings=(), why=reasons, pid=4711, version=1, nevent=None):
	"""A file of procs, each (number, start, [events])."""
	strings = list(why) + list(strings)
	n = sum(len(p[2]) for p in procs) if nevent is None else nevent
	out = [struct.pack("<7sBIIQIIQ24x", b"TASKTT\0", version, pid, len(procs),
		1700000000 * 10**9, len(why), len(strings), n)]
	for s in strings:
		b = s.encode()
		out.append(struct.pack("<H", len(b)) + b + b"\0" * (len(b) % 2))
	for number, start, events in procs:
		out.append(struct.pack("<IIQQ", number, 0, start, len(events)))
		out.extend(events)
	return b"".join(out)


class Task:
	def __init__(self, id, name, script):
		self.id, self.name, self.script = id, name, script
		self.state, self.object, self.since, self.named = None, 0, 0, False


class Queue:
	"""A channel, or with one place a lock."""

	def __init__(self, address, size):
		self.address, self.size, self.n = address, size, 0
		self.senders, self.receivers = [collections.deque() for _ in "sr"]


class Proc:
	def __init__(self, number, strings, nevent):
		self.number, self.strings, self.most = number, strings, nevent
		self.random = random.Random(number)
		self.now = self.last = self.start = 1000 * number
		self.events, self.ready, self.timers = [], collections.deque(), []
		self.tasks, self.free, self.total = {}, [], {}
		self.nswitch = self.ntimer = 0
		self.fdtask = Task(0, "", None)
		self.running = self.fdtask

	def emit(self, task, kind, why=0, aux=0):
		dt = self.now - self.last
		if dt >= 2**32:
			self.events.append(event(0, 0, Time, 0, dt))
			dt = 0
		self.events.append(event(dt, task, kind, why, aux))
		self.last = self.now

	def snapshot(self):
		alive = [t for t in self.tasks.values() if t.state]
		self.emit(0, Snapshot, 0, len(alive))
		for t in alive:
			why = {"runs": Ended, "ready": Yielded}.get(t.state)
			self.events.append(event(0, t.id, State, reasons.index(
				t.state) if why is None else why, t.object))

	def count(self):
		for i, n in enumerate([len(self.tasks), len(self.ready), sum(
				t.state == "fdread" for t in self.tasks.values()),
				len(self.timers)]):
			self.emit(0, Counter, i, n)

	def text(self, s):
		return self.strings.setdefault(s, len(self.strings) + 1 +
			len(reasons))

	# what the viewer must find out from the events
	def enter(self, t, state, object=0):
		if t.state:
			sums = self.total.setdefault(t.id, {})
			s = sums.setdefault(t.state, [0, 0, 0])
			s[0], s[1] = s[0] + 1, s[1] + self.now - t.since
			s[2] = max(s[2], self.now - t.since)
		t.state, t.object, t.since = state, object, self.now

	def spawn(self, name, script):
		id = heapq.heappop(self.free) if self.free else \
			len(self.tasks) + 1
		t = self.tasks[id] = Task(id, name, script)
		self.emit(id, Create, 0, self.running.id)
		self.enter(t, "ready")
		self.ready.append(t)

	def wake(self, t, by):
		self.emit(t.id, Ready, 0, by.id)
		self.enter(t, "ready")
		self.ready.append(t)

	def later(self, ns, t):
		self.ntimer += 1
		heapq.heappush(self.timers, (self.now + ns, self.ntimer, t))

	def switch(self, to, why, object=0):
		t = self.running
		self.emit(to.id, Switch, Ended if why is None else Yielded if
			why == "yield" else reasons.index(why), object)
		self.enter(t, None if t.id == 0 else "ready" if why == "yield"
			else why, object)
		if why is None and t.id:
			del self.tasks[t.id]
			heapq.heappush(self.free, t.id)
		self.running = to
		self.nswitch += 1
		self.enter(to, "runs" if to.id else "idle, or polls")
		if to.id and not to.named:
			to.named = True
			self.emit(to.id, Name, 0, self.text(to.name))

	def expire(self):
		while self.timers and self.timers[0][0] <= self.now:
			self.wake(heapq.heappop(self.timers)[2], self.fdtask)

	def stop(self, why, object=0):
		"""The running task stops; who goes on?"""
		self.expire()
		if why == "yield":
			self.ready.append(self.running)
		if self.ready:
			self.switch(self.ready.popleft(), why, object)
			return
		self.switch(self.fdtask, why, object)
		if not self.timers:
			raise SystemExit("maketrace: deadlock")
		self.now = max(self.now, self.timers[0][0])
		self.expire()
		self.switch(self.ready.popleft(), "yield")

	def run(self):
		self.snapshot()
		self.enter(self.fdtask, "idle, or polls")
		self.emit(0, State, Ended)
		self.spawn("main", server(self))
		self.switch(self.ready.popleft(), "yield")
		while len(self.events) < self.most:
			op = next(self.running.script, None)
			self.now += self.random.randint(60, 200)
			if op is None:
				self.stop(None)
			else:
				getattr(self, "do_" + op[0])(*op[1:])
			if self.random.random() < 0.002:
				self.count()
			if self.random.random() < 0.0001:
				self.snapshot()
		self.count()
		for t in [self.fdtask, *self.tasks.values()]:
			self.enter(t, None)

	def do_run(self, ns):
		self.now += ns

	def do_yield(self):
		self.stop("yield")

	def do_delay(self, ns):
		self.later(ns, self.running)
		self.stop("taskdelay")

	def do_fd(self, fd, ns):
		self.later(ns, self.running)
		self.stop("fdread", fd)

	def do_send(self, q, why="chansend"):
		if q.receivers:
			self.wake(q.receivers.popleft(), self.running)
		elif q.n < q.size:
			q.n += 1
		else:
			q.senders.append(self.running)
			self.stop(why, q.address)

	def do_recv(self, q):
		if q.senders:
			self.wake(q.senders.popleft(), self.running)
		elif q.n > 0:
			q.n -= 1
		else:
			q.receivers.append(self.running)
			self.stop("chanrecv", q.address)

	def do_lock(self, q):
		self.do_send(q, "qlock")

	def do_spawn(self, name, script):
		self.spawn(name, script)

	def do_mark(self, text):
		self.emit(self.running.id, Mark, 0, self.text(text))

	def do_begin(self, text):
		self.emit(self.running.id, Begin, 0, self.text(text))

	def do_end(self):
		self.emit(self.running.id, End)


# The programs of the tasks: each is a generator of what the task does.
def server(p):
	log, jobs, replies = [Queue(0x7f1200004000 + 96 * i, n) for i, n in
		enumerate([8, 4, 4])]
	cache = Queue(0x7f1200005000, 1)
	yield "spawn", "logger", logger(p, log)
	yield "spawn", "ticker", ticker(p)
	for i in range(3):
		yield "spawn", f"worker {i + 1}", worker(p, jobs, replies)
	n = 0
	while True:
		yield "fd", 3, p.random.randint(50000, 900000)
		n += 1
		if len(p.tasks) < 24:
			yield "spawn", f"client {n}", client(p, n, log, jobs,
				replies, cache)


def client(p, n, log, jobs, replies, cache):
	for _ in range(p.random.randint(3, 12)):
		yield "fd", 10 + n % 50, p.random.randint(20000, 2500000)
		yield "begin", "request"
		yield "run", p.random.randint(3000, 20000)
		yield "lock", cache
		yield "run", p.random.randint(1000, 6000)
		if p.random.random() < 0.3:
			yield "yield",
		yield "recv", cache
		if p.random.random() < 0.6:
			yield "begin", "compute"
			yield "send", jobs
			yield "recv", replies
			yield "end",
		yield "run", p.random.randint(2000, 9000)
		yield "send", log
		yield "end",


def worker(p, jobs, replies):
	while True:
		yield "recv", jobs
		hog = p.random.random() < 0.01
		yield "run", 900000 if hog else p.random.randint(15000, 90000)
		if hog:
			yield "mark", "a large one"
		yield "send", replies


def logger(p, log):
	n = 0
	while True:
		yield "recv", log
		yield "run", p.random.randint(500, 3000)
		n += 1
		if n % 64 == 0:
			yield "mark", "flush"
			yield "run", 60000


def ticker(p):
	while True:
		yield "delay", 1000000
		yield "run", 2000


def make(nevent, nproc):
	"""returns the file and the truth."""
	strings, procs = {}, []
	for i in range(nproc):
		p = Proc(i, strings, nevent // nproc)
		p.run()
		procs.append(p)
	data = trace([(p.number, p.start, p.events) for p in procs], strings)
	truth = {"events": sum(len(p.events) for p in procs),
		"switches": sum(p.nswitch for p in procs),
		"procs": [p.total for p in procs]}
	return data, truth


def main(nevent, nproc, file, truthfile=None):
	data, truth = make(int(nevent), int(nproc))
	with open(file, "wb") as f:
		f.write(data)
	if truthfile:
		with open(truthfile, "w") as f:
			json.dump(truth, f)


if __name__ == "__main__":
	if len(sys.argv) < 4:
		raise SystemExit(__doc__)
	main(*sys.argv[1:])
