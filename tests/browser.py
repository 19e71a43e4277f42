# SPDX-License-Identifier: MIT
"""A headless Chromium, told what to do over a pipe."""
import base64
import json
import os
import select
import subprocess
import tempfile
import time


class Browser:
	def __init__(self, program, width=1280, height=800):
		self.dir = tempfile.TemporaryDirectory(
			ignore_cleanup_errors=True)
		in_read, self.out = os.pipe()
		self.input, out_write = os.pipe()
		self.child = subprocess.Popen(["sh", "-c",
			f'exec "$@" 3<&{in_read} 4>&{out_write}', "sh",
			program, "--headless=new", "--no-sandbox",
			"--disable-gpu", "--disable-dev-shm-usage",
			"--no-first-run", "--allow-file-access-from-files",
			"--disable-background-networking",
			"--user-data-dir=" + self.dir.name,
			"--remote-debugging-pipe", "about:blank"],
			pass_fds=[in_read, out_write],
			stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		os.close(in_read)
		os.close(out_write)
		self.number, self.rest, self.session = 0, b"", None
		self.thrown = []	# what the page did not catch
		target = self.call("Target.createTarget",
			url="about:blank")["targetId"]
		self.session = self.call("Target.attachToTarget",
			targetId=target, flatten=True)["sessionId"]
		self.call("Page.enable")
		self.call("Runtime.enable")
		self.call("Inspector.enable")
		self.size(width, height)

	def message(self, deadline):
		while b"\0" not in self.rest:
			left = deadline - time.monotonic()
			if left <= 0 or not select.select([self.input], [], [],
					left)[0]:
				raise TimeoutError("the browser does not answer")
			more = os.read(self.input, 1 << 20)
			if not more:
				raise EOFError("the browser has ended")
			self.rest += more
		text, self.rest = self.rest.split(b"\0", 1)
		return json.loads(text)

	def call(self, method, **params):
		self.number += 1
		asked = {"id": self.number, "method": method, "params": params}
		if self.session:
			asked["sessionId"] = self.session
		text = json.dumps(asked).encode() + b"\0"
		while text:
			text = text[os.write(self.out, text):]
		deadline = time.monotonic() + 120
		while True:
			m = self.message(deadline)
			if m.get("method") == "Runtime.exceptionThrown":
				d = m["params"]["exceptionDetails"]
				self.thrown.append(d.get("exception", {}).get(
					"description", d["text"]))
			if m.get("method") == "Inspector.targetCrashed":
				raise EOFError("the page has crashed")
			if m.get("id") == self.number:
				if "error" in m:
					raise RuntimeError(f"{method}: {m}")
				return m["result"]

	def run(self, script):
		"""The value of a script, or of the promise that it returns."""
		r = self.call("Runtime.evaluate", expression=script,
			returnByValue=True, awaitPromise=True)
		if "exceptionDetails" in r:
			raise RuntimeError(r["exceptionDetails"].get("exception",
				{}).get("description", str(r)))
		return r["result"].get("value")

	def wait(self, script):
		"""until the script's value is true"""
		deadline = time.monotonic() + 60
		while not self.run(script):
			if time.monotonic() > deadline:
				raise TimeoutError(script)
			time.sleep(0.02)

	def visit(self, address):
		self.call("Page.navigate", url=address)
		self.wait("document.readyState === 'complete'"
			f" && location.href !== 'about:blank'")

	def mouse(self, kind, x, y, **more):
		self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y,
			**more)

	def click(self, x, y):
		for kind in ["mouseMoved", "mousePressed", "mouseReleased"]:
			self.mouse(kind, x, y, button="none" if
				kind == "mouseMoved" else "left", clickCount=1)

	def key(self, key):
		more = {"text": key} if len(key) == 1 else {}
		if key == "Enter":
			more = {"text": "\r", "windowsVirtualKeyCode": 13}
		self.call("Input.dispatchKeyEvent", type="keyDown", key=key,
			**more)
		self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

	def choose(self, selector, file):
		root = self.call("DOM.getDocument")["root"]["nodeId"]
		node = self.call("DOM.querySelector", nodeId=root,
			selector=selector)["nodeId"]
		self.call("DOM.setFileInputFiles", files=[file], nodeId=node)

	def size(self, width, height):
		self.call("Emulation.setDeviceMetricsOverride", width=width,
			height=height, deviceScaleFactor=1, mobile=False)

	def theme(self, name):
		self.call("Emulation.setEmulatedMedia", features=[{
			"name": "prefers-color-scheme", "value": name}])

	def screenshot(self, file):
		data = self.call("Page.captureScreenshot", format="png")["data"]
		with open(file, "wb") as f:
			f.write(base64.b64decode(data))

	def close(self):
		self.session = None
		try:
			self.call("Browser.close")
		except (EOFError, BrokenPipeError):
			pass
		self.child.wait(30)
		os.close(self.out)
		os.close(self.input)
		self.dir.cleanup()
