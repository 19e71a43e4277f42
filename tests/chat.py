#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""chat.py chromium chat [screenshot]: two tabs in one room of examples/chat.

What is typed in one is seen in the other, once, also when the server has gone
for a while in between, or what is between has stopped to let anything through.
"""
import os
import signal
import subprocess
import sys
import time

from browser import Browser


class Server:
	def __init__(self, program, port=0, *more):
		self.child = subprocess.Popen([program, str(port), *more],
			stdout=subprocess.PIPE, text=True)
		self.port = int(self.child.stdout.readline().split()[-1])

	def stop(self):
		self.child.terminate()
		status = self.child.wait(30)
		assert status == 0, f"the server ended with {status}"


def enter(b, port, name):
	b.visit(f"http://127.0.0.1:{port}/#tea")
	b.run(f"$('name').value = '{name}'; $('enter').requestSubmit()")
	b.wait("$('state').className === 'on'")


def say(b, text):
	b.run(f"$('text').focus()")
	b.call("Input.insertText", text=text)
	b.key("Enter")


def sees(b, kind, text):
	b.wait(f"[...document.querySelectorAll('#log > .{kind}')].some(e => "
		f"e.lastChild.textContent === {text!r})")


def once(text, *tabs):
	"""Each sees it, and not again before what is said behind it."""
	for b in tabs:
		sees(b, "said", text)
	say(tabs[0], "So much for: " + text)
	for b in tabs:
		sees(b, "said", "So much for: " + text)
		assert shows(b).count(text) == 1, shows(b)
		b.wait("unsent.length === 0")


def shows(b):
	return b.run("[...document.querySelectorAll('.said')].map(e => "
		"e.lastChild.textContent)")


def talk(server, program, ann, bob):
	enter(ann, server.port, "Ann")
	enter(bob, server.port, "Bob")
	say(ann, "Is anybody here?")
	sees(bob, "said", "Is anybody here?")
	sees(ann, "mine", "Is anybody here?")
	say(bob, "I am & I have <b>tea</b>.")
	sees(ann, "said", "I am & I have <b>tea</b>.")
	server.stop()
	for b in ann, bob:
		b.wait("$('state').className !== 'on'")
	say(ann, "I come. The server was away, and this waited.")
	server.__init__(program, server.port)
	sees(bob, "said", "I come. The server was away, and this waited.")
	said = shows(bob)
	assert len(said) == 3 and said == shows(ann), said


class Proxy(Server):
	"""Between a server and its tabs; nobody sees it stop."""
	def __init__(self, program, *more):
		self.program, self.more = program, more
		super().__init__(program, 0, *more)

	def stall(self):
		self.child.send_signal(signal.SIGSTOP)

	def renew(self):
		self.child.kill()
		self.child.wait(30)
		super().__init__(self.program, self.port, *self.more)


def cut(proxy, ann, bob):
	"""What ann says while nothing comes through is not lost."""
	enter(ann, proxy.port, "Ann")
	proxy.stall()
	say(ann, "Is this line dead?")
	ann.wait("$('state').className !== 'on'")
	say(bob, "Where is Ann?")
	proxy.renew()
	once("Is this line dead?", ann, bob)
	once("Where is Ann?", bob, ann)
	ann.run("for(let i = 0; i < 2; i++){ flush(unsent.push("
		"{token: 7, text: 'Twice.'})) }")
	once("Twice.", ann, bob)
	bob.run("me = 'Ann'")
	say(ann, "There are two of us.")
	say(bob, "There are two of us!")
	once("There are two of us.", ann, bob)
	once("There are two of us!", bob, ann)
	bob.run("me = 'Bob'")


def without(server, ann, bob):
	"""The same if no WebSocket comes through."""
	bob.run("window.WebSocket = function(){ setTimeout(() => "
		"this.onclose({}), 0); }; socket.close()")
	bob.wait("$('state').textContent.includes('without')")
	say(ann, "Do you still hear me?")
	sees(bob, "said", "Do you still hear me?")
	say(bob, "Slowly, but I do.")
	sees(ann, "said", "Slowly, but I do.")


def cutwithout(proxy, ann, bob):
	"""Now ann is the one without, and again behind the proxy."""
	ann.run("window.WebSocket = function(){ setTimeout(() => "
		"this.onclose({}), 0); }; socket.close()")
	ann.wait("$('state').textContent.includes('without')")
	proxy.stall()
	say(ann, "And now?")
	proxy.renew()
	once("And now?", ann, bob)


chromium, program = sys.argv[1:3]
server = Server(program)
ann, bob = Browser(chromium, 390, 560), Browser(chromium, 390, 560)
proxy = Proxy(os.path.join(os.path.dirname(program), "tcpproxy"), "127.0.0.1",
	str(server.port))
try:
	talk(server, program, ann, bob)
	if len(sys.argv) > 3:
		ann.screenshot(sys.argv[3])
	cut(proxy, ann, bob)
	without(server, ann, bob)
	cutwithout(proxy, ann, bob)
	for b in ann, bob:
		assert not b.thrown, b.thrown
finally:
	ann.close()
	bob.close()
	proxy.child.kill()
	server.stop()
print("chat: two tabs, a server that was away, a cut line, and no WebSocket")
