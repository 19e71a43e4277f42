#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The HTTP server on gevent: a greenlet for each connection."""
import socket

from gevent.server import StreamServer

ANSWER = (b"HTTP/1.1 200 OK\r\nServer: bench\r\n"
          b"Content-Type: text/plain\r\nContent-Length: 13\r\n"
          b"Connection: keep-alive\r\n\r\nHello, world\n")
END = b"\r\n\r\n"


def serve(conn, _):
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    rest = b""
    try:
        while True:
            data = conn.recv(1024)
            if not data:
                break
            *whole, rest = (rest + data).split(END)
            for _ in whole:
                conn.sendall(ANSWER)
    except OSError:
        pass


server = StreamServer(("127.0.0.1", 0), serve, backlog=4096)
server.start()
print(server.server_port, flush=True)
server.serve_forever()
