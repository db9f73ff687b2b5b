"""deploy/nginx.conf as it is, in a real nginx, in front of the real daemon.

Only what a site must change is changed here: addresses, names and certificates. Every substitution insists on
finding what it replaces, so that the file and this test cannot drift apart.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

from asking import ask
from crowd import Crowd
from daemon import Daemon
from served import NAME, SITE, Site
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

CHROMIUM_TEST = pathlib.Path(__file__).with_name("chromium.test.mjs")
README = pathlib.Path(__file__).resolve().parents[2] / "README.md"

WAIT_S = 10.0


# The proxy is on this machine, and says who it comes for.
TRUSTING = ("--trust-proxy", "127.0.0.1", "--trust-proxy", "unix", "--post-rate", "0", "--command-rate", "0")


class Behind:
    """What is to work, whatever stands between nginx and the daemon."""

    daemon: Daemon
    site: Site

    @classmethod
    def start(cls, flags: tuple[str, ...], upstream: str | None, directory: str) -> None:
        cls.daemon = cls.enterClassContext(Daemon(*TRUSTING, *flags))
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

    def answers(self) -> int:
        """So many the daemon has given, whatever nginx did."""
        found = re.findall(r"^wsrelay_http_responses_total\{.*\} (\d+)$", ask(self.daemon.port, "/metrics").text, re.M)
        return sum(map(int, found))

    def asked(self, path: str, **headers: str):
        """A request of which the daemon has to hear: nobody on the way answers it."""
        before = self.answers()
        answer = self.site.request(path, headers=headers)
        self.assertEqual(self.answers(), before + 2, "one to this, and one to the question before it")
        return answer

    def test_browsers_keep_the_page_and_ask_whether_it_has_changed(self):
        for path in ("/", "/client.js", "/css/base.css"):
            with self.subTest(path):
                self.asked(path)
                status, headers, _ = self.asked(path)
                self.assertEqual((status, headers["Cache-Control"]), (200, "no-cache"))
                known = {"If-None-Match": headers["ETag"]}
                status, unchanged, body = self.asked(path, **known)
                self.assertEqual((status, body), (304, b""))
                self.assertEqual((unchanged["ETag"], unchanged["Cache-Control"]), (headers["ETag"], "no-cache"))
                self.assertEqual(self.asked(path, **{"If-None-Match": '"of another version"'})[0], 200)

    def test_nobody_keeps_what_the_api_answers(self):
        for path in ("/api/me", "/api/sessions", "/api/nothing"):
            with self.subTest(path):
                for _ in range(3):
                    self.assertEqual(self.asked(path)[1]["Cache-Control"], "no-store")

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

    def api(self, path: str, body: object = None, **headers: str):
        status, fields, text = self.site.request(
            f"/api/{path}", method="POST" if body else "GET", body=json.dumps(body) if body else None,
            headers={"Content-Type": "application/json", **headers},
        )
        return status, fields, json.loads(text)

    async def test_an_account_and_a_chat(self):
        status, fields, made = self.api("register", {"name": "ann", "password": "correct horse"})
        self.assertEqual(status, 201)
        self.assertIn("; Secure", fields["Set-Cookie"], "the proxy has told that it was over TLS")
        self.assertEqual(self.api("me", Authorization=f"Bearer {made['token']}")[2]["user"]["name"], "ann")
        subprotocols = ["wsrelay.v1", f"bearer.{made['token']}"]
        async with (
            self.site.join("/ws", subprotocols=subprotocols, origin=self.site.origin) as ann,
            self.site.join("/ws?nick=bo", subprotocols=["wsrelay.v1"]) as bo,
        ):
            self.assertEqual(ann.subprotocol, "wsrelay.v1")
            for member in (ann, bo):
                await member.send(json.dumps({"type": "join", "id": 1, "room": "lobby"}))
                await self.heard(member, lambda event: event.get("id") == 1)
            await ann.send(json.dumps({"type": "post", "id": 2, "room": "lobby", "key": "k", "body": "hello bo"}))
            entry = await self.heard(bo, lambda event: event["type"] == "entry" and event["kind"] == "post")
            self.assertEqual((entry["from"], entry["body"]), ("ann", "hello bo"))

    async def heard(self, member, which) -> dict:
        async with asyncio.timeout(WAIT_S):
            while not which(event := json.loads(await member.recv())):
                pass
        return event

    def test_what_is_the_operators_is_not_served_to_the_world(self):
        self.assertEqual(self.site.request("/metrics")[0], 404)

    async def test_the_log_names_the_client_and_not_the_proxy(self):
        with self.assertRaises(InvalidStatus):
            async with self.site.join("/relay/lobby", origin="https://example.com"):
                pass
        deadline = time.monotonic() + WAIT_S
        # The client is on the loopback as well; but the proxy cannot tell its port, so that its line has none.
        while not re.search(r"a handshake is refused: origin conn=\d+ client=127\.0\.0\.1\n", self.daemon.stderr()):
            self.assertLess(time.monotonic(), deadline, self.daemon.stderr())
            await asyncio.sleep(0.02)

    def test_chromium_at_the_page(self):
        environment = {**os.environ, "SITE": self.site.origin}
        command = [os.environ["NODE"], "--test", "--test-reporter=spec", str(CHROMIUM_TEST)]
        tested = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        self.assertEqual(tested.returncode, 0, tested.stdout + tested.stderr)

    def test_nginx_reloads_under_a_crowd(self):
        """Its old workers hang up after a second, in the middle of whatever is said."""
        with Crowd(f"https://127.0.0.1:{self.site.https_port}", certificate=self.site.certificate) as crowd:
            for _ in range(3):
                before = self.site.workers()
                self.site.reload()
                deadline = time.monotonic() + 2 * WAIT_S
                while before & self.site.workers() or not self.site.workers():
                    self.assertLess(time.monotonic(), deadline, "the old workers stay")
                    time.sleep(0.05)
            story = crowd.story()
        self.assertEqual(story["newcomers"]["refused"], [])
        self.assertEqual((story["lost"], story["twice"], story["misheard"]), ([], 0, []))
        self.assertTrue(all(returns >= 1 for returns in story["returns"]), story["returns"])
        print(f"{story['newcomers']['attempts']} attempts, none refused; {story['acknowledged']} posts, none lost ... ",
              end="", flush=True)


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


class AsTheReadmeShowsIt(unittest.IsolatedAsyncioTestCase):
    """The few lines of the README, in the place of the site's own."""

    @classmethod
    def setUpClass(cls) -> None:
        directory = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.daemon = cls.enterClassContext(Daemon(*TRUSTING))
        shown = README.read_text().split("```nginx\n")[1].split("```")[0]
        shown = shown.replace("127.0.0.1:8080", f"127.0.0.1:{cls.daemon.port}")
        beside, location = shown.split("\n\n")
        own = re.search(r"    location / \{.*?\n    \}\n", SITE.read_text(), re.DOTALL)[0]
        changes = (("upstream wsrelay {", f"{beside}\nupstream wsrelay {{"), (own, location))
        cls.site = cls.enterClassContext(Site(pathlib.Path(directory), f"127.0.0.1:{cls.daemon.port}", changes))

    api, heard = Behind.api, Behind.heard
    test_rooms = Behind.test_rooms_work_through_it_and_with_those_who_come_directly
    test_a_page_of_another_site_is_refused = Behind.test_a_page_of_another_site_is_refused
    test_an_account_and_a_chat = Behind.test_an_account_and_a_chat
    test_the_log_names_the_client_and_not_the_proxy = Behind.test_the_log_names_the_client_and_not_the_proxy


if __name__ == "__main__":
    unittest.main()
