"""Connections through HAProxy in TCP mode, with a PROXY header of version 1 and of version 2, and its own health checks, which in
version 2 say that they come for nobody.

Clients come from several addresses of the loopback, so that what is counted for each can be told apart.
"""

from __future__ import annotations

import contextlib
import csv
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import unittest

from daemon import Daemon, end
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

WAIT_S = 10.0
PER_ADDRESS = 2
REFUSALS = 30
FLAGS = ("--proxy-protocol", "--trust-proxy", "127.0.0.1", "--max-connections-per-ip", str(PER_ADDRESS))

CONFIG = """
global
    stats socket {directory}/stats mode 600 level user
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout check 5s
listen site
    bind fd@{listener}
    option httpchk GET /healthz
    server daemon 127.0.0.1:{daemon} {header} check {check} inter 100ms
"""


class Proxy:
    """HAProxy before a daemon; `header` is what its server line says of the PROXY protocol."""

    def __init__(self, daemon: Daemon, header: str, check: str = "check-send-proxy") -> None:
        self._daemon, self._header, self._check = daemon, header, check

    def __enter__(self) -> Proxy:
        with contextlib.ExitStack() as stack:
            directory = stack.enter_context(tempfile.TemporaryDirectory())
            # A socket that listens already is handed to it: its port is known, and nobody else can take it.
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            self.port = listener.getsockname()[1]
            self._stats = f"{directory}/stats"
            config = pathlib.Path(directory) / "haproxy.cfg"
            config.write_text(CONFIG.format(
                directory=directory, listener=listener.fileno(), daemon=self._daemon.port,
                header=self._header, check=self._check,
            ))
            command = [os.environ["HAPROXY_BIN"], "-db", "-q", "-f", config]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[listener.fileno()])
            stack.callback(end, self._process, WAIT_S)
            self._kept = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def server(self) -> dict[str, str]:
        """What HAProxy says of the daemon: `status`, `check_status` and the rest of its statistics."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(WAIT_S)
            asked.connect(self._stats)
            asked.sendall(b"show stat\n")
            told = b"".join(iter(lambda: asked.recv(65536), b"")).decode()
        rows = csv.DictReader(told.removeprefix("# ").splitlines())
        return next(row for row in rows if row["svname"] == "daemon")

    def checked(self) -> dict[str, str]:
        """The same, once a health check of this daemon has ended."""
        deadline = time.monotonic() + WAIT_S
        while True:
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                server = self.server()
                # A star says that the next check is under way.
                server["check_status"] = server["check_status"].removeprefix("* ")
                if server["check_status"] not in ("", "INI"):
                    return server
            assert time.monotonic() < deadline, "HAProxy has checked nothing"
            assert self._process.poll() is None, "HAProxy has ended"
            time.sleep(0.02)

    def visit(self, source: str):
        """A WebSocket of a client with this address."""
        return connect(f"ws://127.0.0.1:{self.port}/echo", sock=self._dial(source), open_timeout=WAIT_S)

    def ask(self, source: str, path: str) -> bytes:
        """The first line of what such a client is answered, which may come before it has asked."""
        with self._dial(source) as client:
            answer = b""
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            with contextlib.suppress(ConnectionResetError):
                while part := client.recv(65536):
                    answer += part
            return answer.partition(b"\r\n")[0]

    def _dial(self, source: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S, source_address=(source, 0))


class BehindHaproxy(unittest.TestCase):
    def test_who_comes_through_is_known_by_their_own_address(self):
        for header in ("send-proxy", "send-proxy-v2"):
            with self.subTest(header), Daemon(*FLAGS) as daemon, Proxy(daemon, header) as proxy:
                with contextlib.ExitStack() as inside:
                    for source in ("127.0.0.5", "127.0.0.6"):
                        for _ in range(PER_ADDRESS):
                            client = inside.enter_context(proxy.visit(source))
                            client.send("x" * 5_000)
                            self.assertEqual(client.recv(WAIT_S), "x" * 5_000)
                    self.assertEqual(proxy.ask("127.0.0.6", "/healthz"), b"HTTP/1.1 429 Too Many Requests")
                    self.assertEqual(proxy.ask("127.0.0.7", "/healthz"), b"HTTP/1.1 200 OK")
                    # The header of the PROXY protocol arrives before the request does: an answer to it alone would be the end
                    # of a connection on which nothing was asked yet, and this client gives up on those.
                    for _ in range(REFUSALS):
                        with self.assertRaises(InvalidStatus) as refused:
                            proxy.visit("127.0.0.6")
                        self.assertEqual(refused.exception.response.status_code, 429)

    def test_its_health_checks_are_answered(self):
        for header in ("send-proxy", "send-proxy-v2"):
            with self.subTest(header), Daemon(*FLAGS) as daemon, Proxy(daemon, header) as proxy:
                server = proxy.checked()
                self.assertEqual((server["status"], server["check_status"], server["check_code"]), ("UP", "L7OK", "200"))

    def test_a_proxy_that_says_nothing_is_refused(self):
        with Daemon(*FLAGS) as daemon, Proxy(daemon, "", check="") as proxy:
            self.assertNotEqual(proxy.checked()["check_status"], "L7OK")
            # HAProxy may pass on the end of the connection, and not what was said before it.
            self.assertIn(proxy.ask("127.0.0.5", "/healthz"), (b"HTTP/1.1 400 Bad Request", b""))


if __name__ == "__main__":
    unittest.main()
