#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""chat.py chromium chat [screenshot]: two tabs in one room of examples/chat.

What is typed in one is seen in the other, also when the server has gone for a
while in between.
"""
import subprocess
import sys
import time

from browser import Browser


class Server:
	def __init__(self, program, port=0):
		self.child = subprocess.Popen([program, str(port)],
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


def without(server, ann, bob):
	"""The same if no WebSocket comes through."""
	bob.run("window.WebSocket = function(){ setTimeout(() => "
		"this.onclose({}), 0); }; socket.close()")
	bob.wait("$('state').textContent.includes('without')")
	say(ann, "Do you still hear me?")
	sees(bob, "said", "Do you still hear me?")
	say(bob, "Slowly, but I do.")
	sees(ann, "said", "Slowly, but I do.")


chromium, program = sys.argv[1:3]
server = Server(program)
ann, bob = Browser(chromium, 390, 560), Browser(chromium, 390, 560)
try:
	talk(server, program, ann, bob)
	if len(sys.argv) > 3:
		ann.screenshot(sys.argv[3])
	without(server, ann, bob)
	for b in ann, bob:
		assert not b.thrown, b.thrown
finally:
	ann.close()
	bob.close()
	server.stop()
print("chat: two tabs, a server that was away, and no WebSocket")
