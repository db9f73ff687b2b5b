"""HTTP, as curl sees it."""

from __future__ import annotations

import dataclasses
import selectors
import subprocess
import tempfile
import time
import unittest

from daemon import Daemon

WAIT_S = 10
# The handshake of RFC 6455 §1.3, whose answer the RFC prints.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", f"Sec-WebSocket-Key: {KEY}")


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def parse(raw: bytes) -> Answer:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    fields = (line.split(":", 1) for line in lines)
    return Answer(int(first.split(" ")[1]), {name.lower(): value.strip() for name, value in fields}, body)


def command(*args: str, headers: tuple[str, ...] = ()) -> list[str]:
    fields = [part for header in headers for part in ("--header", header)]
    return ["curl", "--silent", "--show-error", "--include", "--noproxy", "*", "--max-time", str(WAIT_S), *fields, *args]


def curl(*args: str, headers: tuple[str, ...] = ()) -> Answer:
    done = subprocess.run(command(*args, headers=headers), capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"curl {args} ended with {done.returncode}: {done.stderr.decode()}")
    return parse(done.stdout)


def curl_head(*args: str, headers: tuple[str, ...]) -> Answer:
    """The head alone, of a connection that stays open behind it."""
    # Of what curl writes, only dumped headers are written as they come.
    args = ("--dump-header", "-", "--output", "/dev/null", *args)
    process = subprocess.Popen(command(*args, headers=headers), stdout=subprocess.PIPE, bufsize=0)
    try:
        raw, deadline = b"", time.monotonic() + WAIT_S
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\r\n\r\n" not in raw:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise AssertionError(f"no whole head within {WAIT_S} s: {raw!r}")
                chunk = process.stdout.read(4096)
                if not chunk:
                    raise AssertionError(f"curl ended in the middle of the head: {raw!r}")
                raw += chunk
        return parse(raw)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Curl(unittest.TestCase):
    daemon: Daemon

    @classmethod
    def setUpClass(cls) -> None:
        cls.daemon = cls.enterClassContext(Daemon("--log", "warn"))

    def get(self, path: str, *args: str, headers: tuple[str, ...] = ()) -> Answer:
        return curl("--path-as-is", self.daemon.http(path), *args, headers=headers)

    def test_the_page_and_its_files(self):
        kinds = {
            "/": "text/html; charset=utf-8",
            "/css/base.css": "text/css; charset=utf-8",
            "/main.js": "text/javascript; charset=utf-8",
            "/model.js": "text/javascript; charset=utf-8",
            "/client.js": "text/javascript; charset=utf-8",
            "/view/post.js": "text/javascript; charset=utf-8",
            "/favicon.svg": "image/svg+xml",
        }
        for path, kind in kinds.items():
            with self.subTest(path):
                answer = self.get(path)
                self.assertEqual((answer.status, answer.headers["content-type"]), (200, kind))
                self.assertEqual(len(answer.body), int(answer.headers["content-length"]))
                self.assertGreater(len(answer.body), 0)
                self.assertEqual(answer.headers["x-content-type-options"], "nosniff")

    def test_the_page_allows_nothing_but_its_own_files(self):
        policy = self.get("/").headers["content-security-policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)

    def test_an_unchanged_file_is_304_without_a_body(self):
        first = self.get("/css/base.css")
        again = self.get("/css/base.css", headers=(f"If-None-Match: {first.headers['etag']}",))
        self.assertEqual((again.status, again.body, again.headers["etag"]), (304, b"", first.headers["etag"]))
        changed = self.get("/css/base.css", headers=('If-None-Match: "other"',))
        self.assertEqual((changed.status, changed.body), (200, first.body))

    def test_head_is_get_without_the_body(self):
        got, head = self.get("/"), self.get("/", "--head")
        self.assertEqual((head.status, head.body), (200, b""))
        for name in ("content-length", "content-type", "etag"):
            self.assertEqual(head.headers[name], got.headers[name])

    def test_other_methods_are_405_with_what_is_allowed(self):
        for method in ("POST", "PUT", "DELETE"):
            with self.subTest(method):
                answer = self.get("/", "--request", method)
                self.assertEqual(answer.status, 405)
                self.assertEqual({part.strip() for part in answer.headers["allow"].split(",")}, {"GET", "HEAD"})

    def test_what_is_not_there_is_404_with_a_body_that_says_so(self):
        for path in ("/nothing", "/index.html/..", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "//", "/css/base.css/"):
            with self.subTest(path):
                answer = self.get(path)
                self.assertIn(answer.status, (400, 404))
                self.assertGreater(len(answer.body), 0)

    def test_healthz(self):
        self.assertEqual(self.get("/healthz").status, 200)

    def test_one_connection_serves_several_requests(self):
        done = subprocess.run(
            ["curl", "--silent", "--noproxy", "*", "--max-time", str(WAIT_S), "--output", "/dev/null",
             "--output", "/dev/null", "--output", "/dev/null", "--write-out", "%{http_code}:%{num_connects} ",
             self.daemon.http("/"), self.daemon.http("/nothing"), self.daemon.http("/css/base.css")],
            capture_output=True, check=True,
        )
        self.assertEqual(done.stdout.decode().split(), ["200:1", "404:0", "200:0"])

    def test_an_upgrade_by_hand(self):
        answer = curl_head(self.daemon.http("/relay/lobby"), headers=(*UPGRADE, "Sec-WebSocket-Version: 13"))
        self.assertEqual((answer.status, answer.headers["sec-websocket-accept"]), (101, ACCEPT))
        self.assertEqual(answer.headers["upgrade"].lower(), "websocket")
        self.assertEqual(answer.headers["connection"].lower(), "upgrade")
        self.assertNotIn("sec-websocket-protocol", answer.headers)
        self.assertNotIn("sec-websocket-extensions", answer.headers)

    def test_another_version_is_426_and_names_the_right_one(self):
        for version in ("8", "0", "14", "013", "13, 8"):
            with self.subTest(version):
                answer = self.get("/echo", headers=(*UPGRADE, f"Sec-WebSocket-Version: {version}"))
                self.assertIn(answer.status, (400, 426))
                if version in ("8", "14"):
                    self.assertEqual(answer.status, 426)
                if answer.status == 426:
                    self.assertEqual(answer.headers["sec-websocket-version"], "13")
                    # RFC 9110 §7.8: who sends Upgrade names it in Connection as well.
                    self.assertIn("upgrade", answer.headers["connection"].lower())

    def test_a_room_asked_for_without_an_upgrade_is_426(self):
        for path in ("/relay/lobby", "/echo"):
            with self.subTest(path):
                answer = self.get(path)
                self.assertEqual((answer.status, answer.headers["upgrade"].lower()), (426, "websocket"))
                self.assertIn("upgrade", answer.headers.get("connection", "").lower())

    def test_handshakes_that_are_not_right_are_refused(self):
        version = "Sec-WebSocket-Version: 13"
        connection, upgrade, key = UPGRADE
        rows = {
            "no key": (connection, upgrade, version),
            "two keys": (*UPGRADE, key, version),
            "a short key": (connection, upgrade, "Sec-WebSocket-Key: c2hvcnQ=", version),
            "no version": UPGRADE,
            "no Connection": ("Connection:", upgrade, key, version),
            "no Host": (*UPGRADE, version, "Host:"),
            "a body": (*UPGRADE, version, "Content-Length: 5"),
            "a chunked body": (*UPGRADE, version, "Transfer-Encoding: chunked"),
        }
        for name, headers in rows.items():
            with self.subTest(name):
                self.assertIn(self.get("/echo", headers=headers).status, (400, 426, 501))

    def test_an_upgrade_by_another_method_is_refused(self):
        answer = self.get("/echo", "--request", "POST", headers=(*UPGRADE, "Sec-WebSocket-Version: 13"))
        self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET"))

    def test_http_1_0_is_not_upgraded(self):
        answer = self.get("/echo", "--http1.0", headers=(*UPGRADE, "Sec-WebSocket-Version: 13"))
        self.assertGreaterEqual(answer.status, 400)


class UnixSocket(unittest.TestCase):
    def test_serves_the_page_and_goes_with_the_daemon(self):
        with tempfile.TemporaryDirectory() as directory:
            path = f"{directory}/wsrelay.sock"
            with Daemon("--listen", f"unix:{path}"):
                self.assertEqual(curl("--unix-socket", path, "http://localhost/healthz").status, 200)
                self.assertEqual(curl("--unix-socket", path, "http://localhost/").status, 200)
            # It is started again over what the last one may have left.
            with Daemon("--listen", f"unix:{path}"):
                self.assertEqual(curl("--unix-socket", path, "http://localhost/healthz").status, 200)


if __name__ == "__main__":
    unittest.main()
