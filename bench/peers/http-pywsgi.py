#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The HTTP server of gevent: what bench/httpserve is here."""
from socket import IPPROTO_TCP, TCP_NODELAY

from gevent.pywsgi import WSGIServer


def hello(_, start):
    start("200 OK", [("Server", "bench"), ("Content-Type", "text/plain"),
                     ("Content-Length", "13")])
    return [b"Hello, world\n"]


server = WSGIServer(("127.0.0.1", 0), hello, backlog=4096, log=None)
server.start()
# It sends head and body apart: without this each waits 40 ms for the other's receipt.
server.socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
print(server.server_port, flush=True)
server.serve_forever()
