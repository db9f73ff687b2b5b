"""nginx as a site's operator would run it, within one directory and on free ports of the loopback."""

from __future__ import annotations

import contextlib
import http.client
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import time

from daemon import end
from websockets.asyncio.client import connect

SITE = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
NAME = "chat.example.org"
WAIT_S = 10.0

# What Debian's nginx.conf would have around the site, but all of it within one directory.
AROUND = """
daemon off;
worker_shutdown_timeout 1s;
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


def free_ports(count: int) -> list[int]:
    """nginx cannot say which ports it took, so some are found for it, all different because all are held until the last
    one is. Should another process take one in between, nginx says so and the test fails; it does not hang."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


class Site:
    """nginx with the site in front of an upstream: `127.0.0.1:PORT` or `unix:PATH`."""

    def __init__(self, directory: pathlib.Path, upstream: str, changes: tuple[tuple[str, str], ...] = ()) -> None:
        """`changes` are made to the site, old text to new."""
        self._directory = directory
        self.http_port, self.https_port = free_ports(2)
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
            *changes,
        ):
            assert site.count(old) == 1, f"deploy/nginx.conf has {old!r} {site.count(old)} times"
            site = site.replace(old, new)
        (directory / "site.conf").write_text(site)
        self._conf = directory / "nginx.conf"
        # Started as root, nginx would give its workers to another user, who may not enter this directory.
        user = "user root;\n" if os.geteuid() == 0 else ""
        self._conf.write_text(user + AROUND.format(directory=directory))
        self.certificate = certificate
        self.tls = ssl.create_default_context(cafile=str(certificate))

    def _certificate(self) -> tuple[pathlib.Path, pathlib.Path]:
        certificate, key = self._directory / "cert.pem", self._directory / "key.pem"
        subprocess.run(
            [os.environ["OPENSSL_BIN"], "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", f"/CN={NAME}", "-addext", "basicConstraints=critical,CA:FALSE", "-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1",
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
        end(self._process, WAIT_S)

    def reload(self) -> None:
        """Has it read its configuration again, as `nginx -s reload` does: new workers, and an end to the old ones."""
        self._process.send_signal(signal.SIGHUP)

    def workers(self) -> set[int]:
        children = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return {int(pid) for pid in children.read_text().split()}

    def request(
        self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None, body: str | None = None
    ):
        """One HTTPS request under the site's name: status, headers, body."""
        raw = socket.create_connection(("127.0.0.1", self.https_port), timeout=WAIT_S)
        connection = http.client.HTTPSConnection(NAME, timeout=WAIT_S)
        connection.sock = self.tls.wrap_socket(raw, server_hostname=NAME)
        try:
            connection.request(method, path, body, {"Host": self.host, **(headers or {})})
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
