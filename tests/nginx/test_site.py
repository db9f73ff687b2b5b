"""deploy/nginx.conf as it is, in a real nginx, in front of the real daemon.

Only what a site must change is changed here: addresses, names and certificates. Every substitution insists on
finding what it replaces, so that the file and this test cannot drift apart.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from daemon import Daemon
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

SITE = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
NAME = "chat.example.org"
WAIT_S = 10.0

# What Debian's nginx.conf would have around the site, but all of it within one directory.
AROUND = """
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log info;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    include {directory}/site.conf;
}}
"""


def free_port() -> int:
    """nginx cannot say which port it took, so one is found for it. Should another process take it in between, nginx
    says so and the test fails; it does not hang."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Site:
    """nginx with the site in front of an upstream: `127.0.0.1:PORT` or `unix:PATH`."""

    def __init__(self, directory: pathlib.Path, upstream: str) -> None:
        self._directory = directory
        self.http_port, self.https_port = free_port(), free_port()
        certificate, key = self._certificate()
        site = SITE.read_text()
        for old, new in (
            ("server 127.0.0.1:8080;", f"server {upstream};"),
            ("listen 80;", f"listen 127.0.0.1:{self.http_port};"),
            ("listen 443 ssl;", f"listen 127.0.0.1:{self.https_port} ssl;"),
            ("    listen [::]:80;\n", ""),
            ("    listen [::]:443 ssl;\n", ""),
            (f"/etc/letsencrypt/live/{NAME}/fullchain.pem", str(certificate)),
            (f"/etc/letsencrypt/live/{NAME}/privkey.pem", str(key)),
        ):
            assert site.count(old) == 1, f"deploy/nginx.conf has {old!r} {site.count(old)} times"
            site = site.replace(old, new)
        (directory / "site.conf").write_text(site)
        self._conf = directory / "nginx.conf"
        # Started as root, nginx would give its workers to another user, who may not enter this directory.
        user = "user root;\n" if os.geteuid() == 0 else ""
        self._conf.write_text(user + AROUND.format(directory=directory))
        self.tls = ssl.create_default_context(cafile=str(certificate))

    def _certificate(self) -> tuple[pathlib.Path, pathlib.Path]:
        certificate, key = self._directory / "cert.pem", self._directory / "key.pem"
        subprocess.run(
            [os.environ["OPENSSL_BIN"], "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
             "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )
        return certificate, key

    def __enter__(self) -> Site:
        command = [os.environ["NGINX_BIN"], "-p", self._directory, "-e", self._directory / "error.log", "-c", self._conf]
        subprocess.run([*command, "-t", "-q"], check=True)
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + WAIT_S
        # nginx has no first line to wait for: it is ready when it takes a connection.
        while True:
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self._directory / "error.log").read_text()
                self.__exit__()
                raise AssertionError(f"nginx does not serve:\n{log}")
            try:
                socket.create_connection(("127.0.0.1", self.https_port), timeout=WAIT_S).close()
                return self
            except ConnectionRefusedError:
                time.sleep(0.02)

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def request(self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None):
        """One HTTPS request under the site's name: status, headers, body."""
        raw = socket.create_connection(("127.0.0.1", self.https_port), timeout=WAIT_S)
        connection = http.client.HTTPSConnection(NAME, timeout=WAIT_S)
        connection.sock = self.tls.wrap_socket(raw, server_hostname=NAME)
        try:
            connection.request(method, path, headers={"Host": self.host, **(headers or {})})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def join(self, path: str, **options: object):
        return connect(
            f"wss://{self.host}{path}", host="127.0.0.1", port=self.https_port, ssl=self.tls, server_hostname=NAME,
            proxy=None, open_timeout=WAIT_S, ping_interval=None, **options,
        )

    @property
    def host(self) -> str:
        return f"{NAME}:{self.https_port}"

    @property
    def origin(self) -> str:
        return f"https://{self.host}"


class Behind:
    """What is to work, whatever stands between nginx and the daemon."""

    daemon: Daemon
    site: Site

    @classmethod
    def start(cls, flags: tuple[str, ...], upstream: str | None, directory: str) -> None:
        cls.daemon = cls.enterClassContext(Daemon("--log", "warn", *flags))
        cls.site = cls.enterClassContext(Site(pathlib.Path(directory), upstream or f"127.0.0.1:{cls.daemon.port}"))

    def test_the_page_and_its_files_are_served(self):
        for path in ("/", "/main.js", "/css/base.css", "/favicon.svg", "/healthz"):
            with self.subTest(path):
                status, _, body = self.site.request(path)
                self.assertEqual(status, 200)
                self.assertGreater(len(body), 0)
        _, headers, _ = self.site.request("/")
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertEqual(self.site.request("/nothing")[0], 404)

    def test_an_unchanged_file_is_304(self):
        _, headers, _ = self.site.request("/css/base.css")
        status, _, body = self.site.request("/css/base.css", headers={"If-None-Match": headers["ETag"]})
        self.assertEqual((status, body), (304, b""))

    def test_plain_http_is_sent_to_https(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.site.http_port, timeout=WAIT_S)
        try:
            connection.request("GET", "/?room=tea", headers={"Host": NAME})
            response = connection.getresponse()
            self.assertEqual((response.status, response.headers["Location"]), (301, f"https://{NAME}/?room=tea"))
        finally:
            connection.close()

    async def test_rooms_work_through_it_and_with_those_who_come_directly(self):
        big = "the same words again and again, " * 2000
        async with (
            self.site.join("/relay/lobby", origin=self.site.origin) as ann,
            self.site.join("/relay/lobby", compression=None) as bo,
            connect(self.daemon.ws("/relay/lobby"), proxy=None, open_timeout=WAIT_S) as cy,
        ):
            self.assertIn("permessage-deflate", ann.response.headers["Sec-WebSocket-Extensions"])
            for sender, message in ((ann, "hello"), (bo, big), (cy, bytes(range(256))), (ann, "")):
                await sender.send(message)
                for member in (ann, bo, cy):
                    self.assertEqual(await asyncio.wait_for(member.recv(), WAIT_S), message)

    async def test_a_page_of_another_site_is_refused(self):
        with self.assertRaises(InvalidStatus) as refused:
            async with self.site.join("/relay/lobby", origin="https://example.com"):
                pass
        self.assertEqual(refused.exception.response.status_code, 403)

    async def test_close_codes_come_through(self):
        async with self.site.join("/echo") as ann:
            await ann.send("x" * 65537)
            await asyncio.wait_for(ann.wait_closed(), WAIT_S)
            self.assertEqual(ann.close_code, 1009)
        async with self.site.join("/echo") as bo:
            await bo.close(4321)
            self.assertEqual(bo.protocol.close_rcvd.code, 4321)


class OverTcp(Behind, unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        directory = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.start((), None, directory)


class OverUnixSocket(Behind, unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls) -> None:
        directory = cls.enterClassContext(tempfile.TemporaryDirectory())
        path = f"{directory}/wsrelay.sock"
        cls.start(("--listen", f"unix:{path}"), f"unix:{path}", directory)


if __name__ == "__main__":
    unittest.main()
