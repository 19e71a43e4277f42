#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The HTTP server of gevent: what bench/httpserve is here."""
from gevent.pywsgi import WSGIServer


def hello(_, start):
    start("200 OK", [("Server", "bench"), ("Content-Type", "text/plain"),
                     ("Content-Length", "13")])
    return [b"Hello, world\n"]


server = WSGIServer(("127.0.0.1", 0), hello, backlog=4096, log=None)
server.start()
print(server.server_port, flush=True)
server.serve_forever()
