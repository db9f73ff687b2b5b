"""Floods of one kind, until standard input ends: `flood.py KIND HOST PORT`. Says `flooding` once it does.

Each is as hard as one process can make it, and comes from this machine's own address, which is held to no limit per
address: what is measured is what the server itself does about it.
"""

import itertools
import json
import os
import selectors
import socket
import struct
import sys
import threading
import zlib

from wire import connect, frame, head, open_socket, text

BLOCK_BYTES = 256 * 1024


def repeated(message):
    return message * max(1, BLOCK_BYTES // len(message))


class Pump:
    """Sends each connection its block again and again, as fast as it is taken, and throws away what comes back."""

    def __init__(self, address):
        self.address = address
        self.selector = selectors.DefaultSelector()

    def add(self, opens, block, reads=True):
        """`opens` makes a connection, now and whenever it has been closed."""
        stream = opens()
        stream.setblocking(False)
        events = selectors.EVENT_WRITE | (selectors.EVENT_READ if reads else 0)
        self.selector.register(stream, events, [opens, memoryview(block), 0, reads])

    def run(self):
        while True:
            for key, events in self.selector.select():
                try:
                    self.serve(key.fileobj, key.data, events)
                except BlockingIOError:
                    pass
                except OSError:
                    self.again(key)

    def serve(self, stream, state, events):
        _, block, at, _ = state
        if events & selectors.EVENT_READ and not stream.recv(1 << 20):
            raise ConnectionError
        if events & selectors.EVENT_WRITE:
            state[2] = (at + stream.send(block[at:])) % len(block)

    def again(self, key):
        self.selector.unregister(key.fileobj)
        key.fileobj.close()
        opens, block, _, reads = key.data
        try:
            self.add(opens, bytes(block), reads)
        except OSError:
            pass  # refused: one less, and the others go on


def echo(pump):
    return lambda: open_socket(pump.address, "/echo")


names = itertools.count()


def guest(pump):
    """A session of the chat: one more guest."""
    def opens():
        return open_socket(pump.address, f"/ws?nick=f{os.getpid()}x{next(names)}", "Sec-WebSocket-Protocol: wsrelay.v1")
    return opens


def commands(pump, count, make):
    """So many guests, each with its own commands."""
    for n in range(count):
        pump.add(guest(pump), repeated(b"".join(text(command) for command in make(n))))


def pings(pump):
    for _ in range(8):
        pump.add(echo(pump), repeated(frame(0x89)))


def tiny_frames(pump):
    for _ in range(8):
        pump.add(echo(pump), repeated(frame(0x81, b"a")))


def many_tiny_frames(pump):
    for _ in range(200):
        pump.add(echo(pump), repeated(frame(0x81, b"a")))


def fragments(pump):
    for _ in range(8):
        pump.add(echo(pump), frame(0x01, b"a") + repeated(frame(0x00, b"b")))


def oversize(pump):
    for _ in range(8):
        pump.add(echo(pump), repeated(frame(0x82, bytes(200_000))))


def largest(pump):
    for _ in range(8):
        pump.add(echo(pump), repeated(frame(0x82, bytes(65_536))))


def deflated(pump):
    """Small messages that inflate to the largest, and are compressed again on the way back."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    small = (deflate.compress(bytes(65_536)) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
    offer = "Sec-WebSocket-Extensions: permessage-deflate"
    for _ in range(8):
        pump.add(lambda: open_socket(pump.address, "/echo", offer), repeated(frame(0xC2, small)))


def log_ins(pump):
    def request(name):
        body = json.dumps({"name": name, "password": "not the password"}).encode()
        fields = f"Host: f\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return f"POST /api/login HTTP/1.1\r\n{fields}".encode() + body
    for n in range(32):
        block = b"".join(request(f"n{n}x{k}") for k in range(1000))
        pump.add(lambda: connect(pump.address), block)


def joins(pump):
    def make(n):
        for id in range(400):
            yield {"type": "join", "id": 2 * id, "room": "lobby", "since": {"epoch": "x", "seq": 0}}
            yield {"type": "members", "id": 2 * id + 1, "room": "lobby"}
    commands(pump, 100, make)


def searches(pump):
    def make(n):
        for id in range(400):
            yield {"type": "search", "id": id, "query": f"wo{id % 7}", "room": "lobby"}
    commands(pump, 100, make)


def history(pump):
    def make(n):
        for id in range(400):
            yield {"type": "history", "id": id, "room": "lobby", "limit": 200}
    commands(pump, 100, make)


def typing(pump):
    commands(pump, 100, lambda n: [{"type": "typing", "room": "lobby"}])


def posts(pump):
    def make(n):
        for id in range(400):
            yield {"type": "post", "id": id, "room": "lobby", "key": f"{n}-{id}", "body": f"word wo{id % 7} {id}"}
    commands(pump, 100, make)


def nonsense(pump):
    for _ in range(32):
        pump.add(guest(pump), repeated(text(b"{")))


def publisher(pump):
    """One who publishes at full speed, and 200 who read."""
    for _ in range(200):
        pump.add(lambda: open_socket(pump.address, "/relay/flood"), frame(0x8A))
    pump.add(lambda: open_socket(pump.address, "/relay/flood?echo=off"), repeated(frame(0x82, bytes(1000))))


def slow_readers(pump):
    """A thousand who never read, and one who publishes to them at full speed."""
    held = [open_socket(pump.address, "/relay/flood") for _ in range(1000)]
    for stream in held:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    pump.held = held
    pump.add(lambda: open_socket(pump.address, "/relay/flood?echo=off"), repeated(frame(0x82, bytes(10_000))))


def greedy_readers(pump):
    """A hundred who ask for more than they read."""
    for _ in range(100):
        pump.add(echo(pump), repeated(frame(0x82, bytes(10_000))), reads=False)


def resets(stream):
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def connections(pump):
    """Connect and go, with and without a handshake, from several threads."""
    def come_and_go(says):
        while True:
            try:
                stream = connect(pump.address)
                stream.sendall(says)
                resets(stream)
            except OSError:
                pass
    for says in [b"", b"GET / HT", head("/echo"), head("/ws"), b"GET / HTTP/1.1\r\nHost: f\r\n\r\n"]:
        threading.Thread(target=come_and_go, args=[says], daemon=True).start()
    threading.Event().wait()


def slow_heads(pump):
    """Two thousand who begin a request and drip, again when they are let go."""
    drip = b"X: y\r\n" * 10_000
    held = []
    while len(held) < 2000:
        stream = connect(pump.address)
        stream.sendall(b"GET / HTTP/1.1\r\n")
        stream.setblocking(False)
        held.append(stream)
    ready()
    for at in itertools.count():
        n = at % len(held)
        try:
            held[n].send(drip[at // len(held) % 6:][:1])
        except OSError:
            held[n].close()
            try:
                held[n] = connect(pump.address)
                held[n].sendall(b"GET / HTTP/1.1\r\n")
                held[n].setblocking(False)
            except OSError:
                pass


KINDS = [
    pings, tiny_frames, many_tiny_frames, fragments, oversize, largest, deflated, log_ins, joins, searches, history, typing,
    posts, nonsense, publisher, slow_readers, greedy_readers, connections, slow_heads,
]


def ready():
    print("flooding", flush=True)


def main(kind, host, port):
    # Whoever started this lets it go by closing the pipe, or by dying.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    pump = Pump((host, int(port)))
    flood = next(flood for flood in KINDS if flood.__name__ == kind)
    if flood in (connections,):
        ready()
    flood(pump)
    ready()
    pump.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
