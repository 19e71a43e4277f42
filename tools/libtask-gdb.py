# SPDX-License-Identifier: MIT
"""Tasks of libtask in gdb: in a program that runs, or in what is left of one.

	info tasks [-g]		all tasks; -g: those that are alike once
	task 17			selects a task: bt, frame, print are about it
	task 2.17 bt		one command about a task, of the second proc
	task apply all bt	a command about each
	task none		back to what the thread does
	task gcore FILE		gcore, and the stacks that it leaves out

libtask.so brings it along; with libtask.a say: source .../libtask-gdb.py
It reads memory only: neither registers nor anything else are ever written, so
that it works with core files.
"""
import gdb
import gdb.unwinder
import re
import struct
import sys

LITTLE = sys.byteorder


class NoTasks(gdb.GdbError):
	pass


def memory(address, n):
	return bytes(gdb.selected_inferior().read_memory(address, n))


def number(address, size, signed=False):
	return int.from_bytes(memory(address, size), LITTLE, signed=signed)


def pointer(address):
	return number(address, 8)


def text(address, most=256):
	return memory(address, most).split(b'\0')[0].decode('utf-8', 'replace')


def shown(s):
	"""What a terminal would obey is escaped, as in the library's lists."""
	return ''.join(c if c.isprintable() else '\\%03o' % ord(c) for c in s)


class Layout:
	"""The table of inspect/layout.c, found by its section."""
	def __init__(self):
		files = gdb.execute('info files', to_string=True)
		found = re.search(r'(0x[0-9a-f]+) - 0x[0-9a-f]+ is \.tasklayout', files)
		if not found:
			raise NoTasks('no libtask here, or it has not been loaded yet')
		at = int(found.group(1), 16)
		head = memory(at, 40)
		magic, version, size, self.members, self.way = \
			struct.unpack('16sIIQQ', head)
		if not magic.startswith(b'libtask layout'):
			raise NoTasks('section .tasklayout has something else')
		if version != 1:
			raise NoTasks('this libtask has another layout (%d): '
				'use its own libtask-gdb.py' % version)
		self.at = {}
		self.regs = {}
		self.why = {}
		self.sp = None
		table = memory(at + 40, size - 40)
		for i in range(0, len(table) - 31, 32):
			name = table[i:i + 28].split(b'\0')[0].decode()
			value = int.from_bytes(table[i + 28:i + 32], LITTLE, signed=True)
			if name.startswith('reg '):
				self.regs[name[4:]] = value
			elif name.startswith('sp '):
				self.sp = (name[3:], value)
			elif name.startswith('why '):
				self.why[value] = name[4:]
			elif name:
				self.at[name] = value


class Task:
	def __init__(self, layout, proc, address):
		self.layout = layout
		self.proc = proc
		self.address = address

	def field(self, name, size, signed=False):
		return number(self.address + self.layout.at['Task.' + name], size, signed)

	@property
	def id(self):
		n = self.field('id', 4)
		return '%d.%d' % (self.proc.shown, n) if self.proc.shown else str(n)

	@property
	def running(self):
		return self.address == self.proc.running

	def string(self, valid, name):
		if not self.field(valid, 1):
			return ''
		return shown(text(self.address + self.layout.at['Task.' + name]))

	def name(self):
		return self.string('named', 'name') or \
			called(self.field('entry', 8))

	def parked(self):
		return self.field('wait.number', 8) != 0 and not self.running

	def what(self):
		if self.running:
			return '(running)'
		if not self.parked():
			return '(ready)'
		why = self.layout.why.get(self.field('wait.why', 4), 'waits')
		return (why + ' ' + self.object(why)).rstrip()

	def object(self, why):
		at = self.field('wait.object', 8)
		if why.startswith('fdwait') or why in ('netaccept', 'signal'):
			return 'fd %d' % (at & 0xffffffff)
		if why == 'taskwait':
			return 'task %d' % (at & 0xffffffff)
		try:
			if why in ('chansend', 'chanrecv'):
				c = pointer(at + self.layout.at['Alt.c'])
				name = pointer(c + self.layout.at['Channel.name'])
				return 'c "%s"' % shown(text(name, 64)) if name else 'c %#x' % c
			if why == 'qlock':
				return 'held by task %d' % number(at +
					self.layout.at['QLock.ownerid'], 4)
		except gdb.MemoryError:
			pass
		return '%#x' % at if at else ''

	def age(self):
		if not self.parked():
			return ''
		return '%.1f s' % ((self.proc.now - self.field('wait.since_ns', 8)) / 1e9)

	def registers(self):
		"""Those with which it will go on; None: it runs, or never ran."""
		if self.running or self.field('stopped', 1) == \
				self.layout.at.get('stopped yet not', 0):
			return None
		sp = self.field('context', 8)
		if number(self.layout.way, 1, signed=True) < 0:
			sp = pointer(sp)	# sanitizers are told: it leads to another
		if sp == 0 or not self.layout.regs:
			return None
		regs = {r: pointer(sp + at) for r, at in self.layout.regs.items()}
		if self.layout.sp:
			regs[self.layout.sp[0]] = sp + self.layout.sp[1]
		return regs


class Proc:
	def __init__(self, layout, member, address):
		at = layout.at
		self.layout = layout
		self.address = address
		self.number = number(member + at['Member.number'], 4)
		self.shown = number(address + at['Proc.number'], 4)
		self.running = pointer(address + at['Proc.running'])
		self.now = number(address + at['Proc.turn_ns'], 8)

	def tasks(self):
		"""The oldest first; a list that is broken ends where it is."""
		at = pointer(self.address + self.layout.at['Proc.all'])
		seen = set()
		while at and at not in seen:
			seen.add(at)
			yield Task(self.layout, self, at)
			at = pointer(at + self.layout.at['Task.younger'])


def procs(layout):
	found = []
	member = pointer(pointer(layout.members))
	while member and len(found) < 100000:
		address = pointer(member + layout.at['Member.proc'])
		if address:
			found.append(Proc(layout, member, address))
		member = pointer(member + layout.at['Member.next'])
	if not found:
		raise NoTasks('no scheduler runs')
	return sorted(found, key=lambda p: p.number)


def alltasks():
	layout = Layout()
	return [t for p in procs(layout) for t in p.tasks()]


def find(name):
	for t in alltasks():
		if t.id == name or '%d.%s' % (t.proc.number, t.id) == name:
			return t
	raise gdb.GdbError('no task %s: see info tasks' % name)


def function(pc):
	found = gdb.execute('info symbol %#x' % pc, to_string=True)
	if found.startswith('No symbol'):
		return '%#x' % pc
	return found.split(' ')[0]


def called(pc):
	name = function(pc)
	return name if name.startswith('0x') else name + '()'


class TaskUnwinder(gdb.unwinder.Unwinder):
	"""Says that the innermost frame was called by the selected task.

	So gdb walks the task's stack as any other, though no register has its
	values; frame 0 is what the thread does, and is not shown.
	"""
	def __init__(self):
		super().__init__('libtask')
		self.regs = None
		self.thread = None

	def __call__(self, pending):
		if self.regs is None or pending.level() != 0 or \
				gdb.selected_thread().ptid != self.thread:
			return None
		sp = 'rsp' if 'rsp' in self.regs else 'sp'
		pc = 'rip' if 'rip' in self.regs else 'pc'
		kind = gdb.lookup_type('unsigned long')

		class Id:
			def __init__(self, sp, pc):
				self.sp = gdb.Value(sp).cast(kind)
				self.pc = gdb.Value(pc).cast(kind)
		# its stack ends below that of the caller, or gdb would not believe it
		info = pending.create_unwind_info(Id(self.regs[sp] - 16, self.regs[pc]))
		for r, value in self.regs.items():
			info.add_saved_register(r, gdb.Value(value).cast(
				pending.read_register(r).type))
		return info


unwinder = TaskUnwinder()
gdb.unwinder.register_unwinder(None, unwinder, replace=True)


def select(regs):
	unwinder.regs = regs
	thread = gdb.selected_thread()
	unwinder.thread = thread.ptid if thread else None
	gdb.invalidate_cached_frames()


def without0(out):
	"""A backtrace without frame 0, and the others numbered from there."""
	lines = []
	for line in out.splitlines():
		frame = re.match(r'#(\d+)( *)(.*)', line)
		if frame and frame.group(1) == '0':
			continue
		if frame:
			line = '#%-2d %s' % (int(frame.group(1)) - 1, frame.group(3))
		lines.append(line)
	return '\n'.join(lines) + '\n'


def threadof(task):
	"""The thread whose stack pointer is in the stack of a running task."""
	stack = task.field('stack', 8)
	at = task.layout.at
	low, top = pointer(stack + at['Stack.low']), pointer(stack + at['Stack.top'])
	for thread in gdb.selected_inferior().threads():
		thread.switch()
		if low <= int(gdb.newest_frame().read_register('sp')) < top:
			return thread
	return None


def about(task, command):
	"""The output of a command about a task."""
	regs = task.registers()
	words = command.split()
	bt = bool(words) and words[0] in ('bt', 'backtrace', 'where')
	if regs is None and not task.running:
		return 'has not run yet: it begins at %s\n' % \
			function(task.field('entry', 8))
	if regs and bt and len(words) == 2 and words[1].isdigit():
		command = '%s %d' % (words[0], int(words[1]) + 1)	# and frame 0
	before, thread = unwinder.regs, gdb.selected_thread()
	select(None)
	try:
		if task.running:
			threadof(task) or thread.switch()
		else:
			select(regs)
		if regs and not bt:
			gdb.execute('frame 1', to_string=True)
		out = gdb.execute(command, to_string=True)
	finally:
		thread.switch()
		select(before)
	return without0(out) if regs and bt else out


def where(task):
	"""The innermost function of the program that it is in, with its place."""
	try:
		frames = about(task, 'bt').splitlines()
	except gdb.error:
		return ''
	frames = [re.sub(r'^#\d+ +(0x[0-9a-f]+ in )?', '', f) for f in frames
		if f.startswith('#')]
	for f in frames:
		name = f.split(' ')[0]
		if not name.startswith('task_') and name not in LIBRARY and \
				not INLIBRARY.search(f):
			return f
	return frames[0] if frames else ''


LIBRARY = set('''begin entry depart runnext lookand parklimited switchto seendepart
	fdwait fdread fdread1 fdreadn fdwrite netaccept netdial chanalt chansend chanrecv
	chansendul chanrecvul chansendp chanrecvp taskdelay taskyield qlock rlock wlock
	tasksleep taskwait groupwait semacquire eventwait reclock streamread streamreadn
	streamuntil streamline streampeek streamwrite streamflush streamclose'''.split())
INLIBRARY = re.compile(r' from .*libtask\.so|at (task|fd|sync|net|proc|coro)/|at task\.c:|at fd\.c:')


def gcore(path):
	"""gcore stops at a page that cannot be read, as the guards of stacks are.

	What lay behind the first is read page by page, and put where it belongs.
	"""
	tasks = alltasks()
	gdb.execute('gcore ' + path, to_string=True)
	with open(path, 'r+b') as core:
		phoff, = struct.unpack_from('Q', core.read(64), 32)
		core.seek(54)
		size, count = struct.unpack('HH', core.read(4))
		core.seek(phoff)
		heads = [struct.unpack_from('IIQQQQ', core.read(size))
			for _ in range(count)]
		loads = [(vaddr, filesz, offset)
			for kind, _, offset, vaddr, _, filesz in heads if kind == 1]
		for t in tasks:
			fill(core, loads, t)
	print('Saved corefile %s, with the stacks of %d tasks' %
		(path, len(tasks)))


def fill(core, loads, task):
	stack = task.field('stack', 8)
	at = pointer(stack + task.layout.at['Stack.low'])
	top = pointer(stack + task.layout.at['Stack.top'])
	for vaddr, n, offset in loads:
		if vaddr <= at < vaddr + n:
			break
	else:
		return
	while at < top:
		page = min(4096 - at % 4096, top - at)
		core.seek(offset + at - vaddr)
		core.write(memory(at, page))
		at += page


class InfoTasks(gdb.Command):
	"""info tasks [-g]: lists all tasks; -g gathers those that are alike."""
	def __init__(self):
		super().__init__('info tasks', gdb.COMMAND_STATUS)

	def invoke(self, arg, tty):
		kinds = {}
		for t in alltasks():
			place = where(t)
			key = (place, t.what().split(' ')[0], t.field('entry', 8)) \
				if arg.strip() == '-g' else t.id
			kinds.setdefault(key, []).append((t, place))
		for same in kinds.values():
			t, place = same[0]
			state = t.string('stated', 'state')
			print('%8s%s %-20s %s%s%s%s' % (t.id,
				's' if t.field('system', 1) else ' ', t.name(),
				state + '  ' if state else '', t.what(),
				', for ' + t.age() if t.age() else '',
				', in ' + place if place else ''))
			if len(same) > 1:
				ids = ' '.join(u.id for u, _ in same[1:9])
				print('%s %d more like it: %s%s' % (' ' * 9,
					len(same) - 1, ids, ' ...' if len(same) > 9 else ''))


class TaskCommand(gdb.Command):
	"""task ID [command], task apply all command, task none, task gcore FILE.

	Without a command the task stays selected, until the program goes on.
	"""
	def __init__(self):
		super().__init__('task', gdb.COMMAND_STACK)

	def invoke(self, arg, tty):
		words = arg.split(None, 1)
		if not words:
			raise gdb.GdbError('task ID [command], task apply all command, '
				'task none, or task gcore FILE')
		if words[0] == 'apply':
			rest = (words[1] if len(words) > 1 else '').split(None, 1)
			if len(rest) < 2 or rest[0] != 'all':
				raise gdb.GdbError('task apply all command')
			for t in alltasks():
				print('\nTask %s (%s) %s' % (t.id, t.name(), t.what()))
				print(about(t, rest[1]), end='')
		elif words[0] == 'none':
			select(None)
		elif words[0] == 'gcore':
			gcore(words[1] if len(words) > 1 else
				'core.%d' % gdb.selected_inferior().pid)
		elif len(words) > 1:
			print(about(find(words[0]), words[1]), end='')
		else:
			self.stay(find(words[0]))

	def stay(self, t):
		regs = t.registers()
		select(regs)
		print('[task %s (%s) %s]' % (t.id, t.name(), t.what()))
		if t.running:
			threadof(t)
		if regs:
			gdb.execute('frame 1')
		elif not t.running:
			print('it has not run yet')


gdb.events.cont.connect(lambda event: select(None) if unwinder.regs else None)
InfoTasks()
TaskCommand()
