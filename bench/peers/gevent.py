#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# gevent.  What takes it long is left out: more than Most tasks, MostPairs in pairs.
import os
import resource
import sys
import time

import gevent
from gevent.event import Event
from gevent.queue import Channel, Queue

Most = 100000
MostPairs = 10000


def report(name, value, unit):
    print(f"{name} {value:.6g} {unit}", flush=True)


def each(start, n):
    return (time.monotonic() - start) * 1e9 / n


def spin():
    while True:
        gevent.sleep(0)


def measureyield(n):
    for _ in range(n - 1):
        gevent.spawn(spin)
    gevent.sleep(0)
    rounds = max(200000 // n, 1)
    start = time.monotonic()
    for _ in range(rounds):
        gevent.sleep(0)
    report(f"yield-{n}", each(start, rounds * n), "ns")


def nothing():
    pass


def spawn(name, n):
    spawns = 100000
    start = time.monotonic()
    for _ in range(spawns // n):
        for _ in range(n):
            gevent.spawn(nothing)
        gevent.sleep(0)
    report(name, each(start, spawns), "ns")


def channel(name, buffer, npairs):
    n = max(200000 // npairs, 1)
    begin = Event()

    def send(c):
        c.put(0)
        begin.wait()
        for i in range(n):
            c.put(i)

    def receive(c):
        c.get()
        begin.wait()
        for i in range(n):
            if c.get() != i:
                os.abort()

    receivers = []
    for _ in range(npairs):
        c = Queue(buffer) if buffer else Channel()
        gevent.spawn(send, c)
        receivers.append(gevent.spawn(receive, c))
    for _ in range(4):
        gevent.sleep(0)
    start = time.monotonic()
    begin.set()
    gevent.joinall(receivers)
    report(name, each(start, n * npairs), "ns")


def cpu():
    u = resource.getrusage(resource.RUSAGE_SELF)
    return u.ru_utime + u.ru_stime


def sleep(n):
    x = 1
    start = cpu()
    tasks = []
    for _ in range(n):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        tasks.append(gevent.spawn(gevent.sleep, (x >> 16) % 1000 / 1000))
    gevent.joinall(tasks)
    report(f"sleep-{n}", cpu() - start, "s")


def resident():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize() / 1024


def memory(n):
    never = Event()
    before = resident()
    tasks = [gevent.spawn(never.wait) for _ in range(n)]
    gevent.sleep(0)
    report(f"memory-{n}", (resident() - before) / len(tasks), "KiB")


def lateness():
    worst = 0
    for _ in range(100):
        gevent.spawn(spin)
    for _ in range(200):
        start = time.monotonic()
        gevent.sleep(0.002)
        worst = max(worst, time.monotonic() - start - 0.002)
    report("lateness-worst", worst * 1000, "ms")


def main(words):
    name = "-".join(words)
    n = int(words[-1]) if words[-1].isdigit() else 1
    most = MostPairs if "pairs" in words else Most
    if n > most:
        return
    if words[0] == "yield":
        measureyield(n)
    elif words[0] == "spawn":
        spawn(name, n)
    elif words[:3] == ["chan", "0", "pairs"]:
        channel(name, 0, n // 2)
    elif words[0] == "chan":
        channel(name, n, 1)
    elif words[0] == "sleep":
        sleep(n)
    elif words[0] == "memory":
        memory(n)
    elif words[0] == "lateness":
        lateness()


main(sys.argv[1:])
os._exit(0)
