#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# The other end of a WebSocket connection, by python3-websockets:
# wspeer.py client URL talks to a server that echoes, and prints good;
# wspeer.py server prints its port, and echoes to one client.
import asyncio
import sys

import websockets


async def client(url):
    async with websockets.connect(url, subprotocols=['a', 'b'], max_size=None) as ws:
        assert ws.subprotocol == 'b', ws.subprotocol
        assert not ws.extensions, ws.extensions
        for n in 0, 1, 125, 126, 127, 65535, 65536, 200000:
            for message in 'x' * n, b'\xff' * n:
                await ws.send(message)
                assert await ws.recv() == message, n
        await ws.send(['in', '', ' parts', ' gr\u00fc\u00df'])
        assert await ws.recv() == 'in parts gr\u00fc\u00df'
        await asyncio.wait_for(await ws.ping(b'p' * 125), 10)
        await ws.close(4000, 'enough')
        assert (ws.close_code, ws.close_reason) == (4000, ''), ws.close_code
    ws = await websockets.connect(url)
    await ws.send('x' * (4 * 1024 * 1024 + 1))
    try:
        await ws.recv()
        assert False
    except websockets.ConnectionClosed as e:
        assert e.rcvd and e.rcvd.code == 1009, e
    print('good')


async def serve():
    ended = asyncio.Event()

    async def echo(ws):
        async for message in ws:
            if message.startswith('close'):
                await ws.close(int(message.split()[1]), message.split()[2])
                break
            await ws.send(message)
        ended.set()

    async with websockets.serve(echo, '127.0.0.1', 0, subprotocols=['a']) as s:
        print(s.sockets[0].getsockname()[1], flush=True)
        await ended.wait()


asyncio.run(client(sys.argv[2]) if sys.argv[1] == 'client' else serve())
