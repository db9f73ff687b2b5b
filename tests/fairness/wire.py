"""Just enough of HTTP and RFC 6455, on sockets, to be a bystander and to be a nuisance."""

import base64
import json
import os
import socket
import struct

PATIENCE_SECONDS = 30


def connect(address):
    stream = socket.create_connection(address, PATIENCE_SECONDS)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def head(path, *fields):
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1", "Host: fairness", "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", *fields, "", "",
    ]
    return "\r\n".join(lines).encode()


def read_head(stream):
    """A response's head, and not a byte more."""
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte:
            raise ConnectionError(f"no answer, but {received!r}")
        received += byte
    return received


def open_socket(address, path, *fields):
    stream = connect(address)
    stream.sendall(head(path, *fields))
    answer = read_head(stream)
    if not answer.startswith(b"HTTP/1.1 101 "):
        raise ConnectionError(answer.split(b"\r\n")[0].decode())
    return stream


def frame(first, payload=b""):
    """A masked frame; the key is zero, so that the payload stands as it is."""
    length = len(payload)
    if length < 126:
        size = bytes([0x80 | length])
    elif length < 65536:
        size = bytes([0x80 | 126]) + struct.pack(">H", length)
    else:
        size = bytes([0x80 | 127]) + struct.pack(">Q", length)
    return bytes([first]) + size + b"\0\0\0\0" + payload


def text(value):
    return frame(0x81, value if isinstance(value, bytes) else json.dumps(value).encode())


class Socket:
    """One that reads messages, a whole one at a time."""

    def __init__(self, address, path, *fields):
        self.stream = open_socket(address, path, *fields)
        self.file = self.stream.makefile("rb")

    def send(self, value):
        self.stream.sendall(text(value))

    def receive(self):
        while True:
            first, size = self.file.read(2)
            length = size & 0x7F
            if length == 126:
                (length,) = struct.unpack(">H", self.file.read(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self.file.read(8))
            payload = self.file.read(length)
            if first == 0x89:
                self.stream.sendall(frame(0x8A, payload))
            elif first == 0x88:
                raise ConnectionError(f"closed: {payload!r}")
            else:
                return payload

    def until(self, wanted):
        """The next event that is wanted."""
        while True:
            event = json.loads(self.receive())
            if wanted(event):
                return event
