"""Plain requests to a daemon, each on a connection of its own unless one is kept."""

from __future__ import annotations

import http.client
import json
import socket
from typing import NamedTuple

WAIT_S = 10.0


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    text: str

    def json(self):
        return json.loads(self.text)


class OverUnix(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=WAIT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def connection(where: int | str) -> http.client.HTTPConnection:
    """To a port of the loopback, or to a Unix socket."""
    if isinstance(where, int):
        return http.client.HTTPConnection("127.0.0.1", where, timeout=WAIT_S)
    return OverUnix(where)


def ask(
    where: int | str | http.client.HTTPConnection,
    path: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: object = None,
) -> Answer:
    kept = where if isinstance(where, http.client.HTTPConnection) else None
    to = kept or connection(where)
    fields = dict(headers or {})
    content = None
    if body is not None:
        content = json.dumps(body)
        fields["Content-Type"] = "application/json"
    try:
        to.request(method, path, body=content, headers=fields)
        response = to.getresponse()
        return Answer(response.status, response.headers, response.read().decode())
    finally:
        if kept is None:
            to.close()


HANDSHAKE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
