"""The log: what is in it, what is never in it, and that nobody waits for it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import select
import time
import unittest

from asking import HANDSHAKE, ask
from daemon import Daemon
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

WAIT_S = 10.0
# In everything that a person or a program makes up below, and so in no line of the log.
MARK = "zqx"


def join(uri: str, **options: object):
    return connect(uri, proxy=None, open_timeout=WAIT_S, ping_interval=None, **options)


class Discreet(unittest.IsolatedAsyncioTestCase):
    async def test_what_people_write_is_in_no_line_of_it(self):
        with Daemon("--log", "trace") as daemon:
            secrets = await self.whole_session(daemon)
            daemon.terminate()
            log = daemon.stderr()
        self.assertIn("a handshake is refused", log, "the log was on")
        self.assertIn("the protocol was broken", log)
        self.assertNotIn(MARK, log.lower())
        for secret in secrets:
            self.assertNotIn(secret, log)

    async def whole_session(self, daemon: Daemon) -> list[str]:
        """Every kind of request there is, good and bad; answers with the tokens that it was given."""
        name, other, password = f"ann{MARK}", f"bo{MARK}", f"{MARK} password"
        tokens = []

        def api(method: str, path: str, body: object = None, token: str | None = None, **headers: str):
            fields = {**headers, **({"Authorization": f"Bearer {token}"} if token else {})}
            return ask(daemon.port, f"/api/{path}", method=method, headers=fields, body=body)

        for who in (name, other):
            registered = api("POST", "register", {"name": who, "password": password}, **{"User-Agent": f"{MARK}/1"})
            self.assertEqual(registered.status, 201)
            tokens.append(registered.json()["token"])
        logged_in = api("POST", "login", {"name": name, "password": password})
        tokens.append(logged_in.json()["token"])
        token = tokens[0]
        self.assertEqual(api("POST", "login", {"name": name, "password": f"{MARK} wrong"}).status, 401)
        api("POST", "login", {"name": f"{MARK} no name \x00", "password": MARK})
        api("POST", "register", {"name": name, "password": password})
        api("POST", "login", f"{MARK} is no object")
        for path in ("me", "sessions", "rooms", f"rooms/{MARK}/members", f"nothing-{MARK}"):
            api("GET", path, token=token)
            api("GET", path, Cookie=f"wsrelay_session={MARK}")
        api("PATCH", "me", {"display": f"Ann {MARK}"}, token)
        api("POST", "password", {"old": f"{MARK} bad", "new": password}, token)
        api("POST", "guest", {"name": f"guest{MARK}"})
        invite = api("POST", "rooms", {"kind": "invite", "name": f"room {MARK}"}).json()["room"]
        ask(daemon.port, f"/{MARK}?{MARK}={MARK}", headers={f"X-{MARK}": MARK, "Referer": f"https://{MARK}.example"})
        ask(daemon.port, "/echo", headers={**HANDSHAKE, "Origin": f"https://{MARK}.example"})
        ask(daemon.port, "/ws", headers={**HANDSHAKE, "Sec-WebSocket-Protocol": f"{MARK}"})

        bearer = ["wsrelay.v1", f"bearer.{token}"]
        async with (
            join(daemon.ws("/ws"), subprotocols=bearer) as ann,
            join(daemon.ws(f"/ws?nick=eve{MARK}"), subprotocols=["wsrelay.v1"]) as eve,
        ):
            for number, request in enumerate(
                (
                    {"type": "join", "room": "lobby"},
                    {"type": "join", "room": f"none{MARK}"},
                    {"type": "post", "room": "lobby", "key": f"key{MARK}", "body": f"said {MARK}"},
                    {"type": "edit", "room": "lobby", "seq": 1, "body": f"edited {MARK}"},
                    {"type": "react", "room": "lobby", "seq": 1, "emoji": "👍", "on": True},
                    {"type": "create", "kind": "group", "name": f"Group {MARK}"},
                    {"type": "create", "kind": "open", "name": f"open{MARK}"},
                    {"type": "direct", "user": other},
                    {"type": "search", "query": f"said {MARK}"},
                    {"type": "users", "query": MARK},
                    {"type": "history", "room": "lobby", "limit": 5},
                    {"type": "join", "room": invite},
                    {"type": f"type{MARK}"},
                    {"type": "post", "room": "lobby", "key": MARK, "body": MARK * 2_000},
                ), start=1,
            ):
                for member in (ann, eve):
                    await member.send(json.dumps({**request, "id": number}))
                    await self.answered(member, number)
            await ann.send(f"{MARK} is no JSON")
            await ann.send(MARK.encode())
            await ann.send(json.dumps({"type": "typing", "room": "lobby"}))
            await ann.close(4000, f"bye {MARK}")
        try:
            async with join(daemon.ws("/ws"), subprotocols=["wsrelay.v1", f"bearer.a_{MARK}"]) as nobody:
                await asyncio.wait_for(nobody.wait_closed(), WAIT_S)
        except InvalidStatus:
            pass
        async with join(daemon.ws(f"/relay/{MARK}")) as raw:
            await raw.send(f"raw {MARK}")
            await raw.recv()
            await raw.send(f"{MARK}" * 30_000)
            await asyncio.wait_for(raw.wait_closed(), WAIT_S)
        api("DELETE", "me", {"password": f"{MARK} wrong"}, token)
        api("POST", "logout", token=token)
        api("DELETE", "me", {"password": password}, tokens[1])
        return [*tokens, invite]

    async def answered(self, member, number: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while True:
                event = json.loads(await member.recv())
                if event.get("id") == number or event.get("code") == "bad_type":
                    return


class Legible(unittest.TestCase):
    def test_a_line_says_when_how_grave_what_and_about_whom(self):
        with Daemon() as daemon:
            ask(daemon.port, "/echo", headers={**HANDSHAKE, "Origin": "https://example.com"})
            daemon.terminate()
            lines = daemon.stderr().splitlines()
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (ERROR|WARN |INFO |DEBUG|TRACE) \S")
        refusals = [line for line in lines if "refused" in line]
        self.assertEqual(len(refusals), 1)
        self.assertRegex(refusals[0], r"INFO  a handshake is refused: origin conn=\d+ client=127\.0\.0\.1:\d+$")

    def test_a_proxy_whom_nobody_trusts_is_told_once(self):
        with Daemon("--log", "warn") as daemon:
            for field in ("X-Forwarded-For", "Forwarded"):
                ask(daemon.port, "/healthz", headers={field: "for=203.0.113.9"})
            daemon.terminate()
            log = daemon.stderr()
        self.assertEqual(log.count("is not trusted: all its clients count as one"), 1, log)

    def test_who_tries_many_passwords_is_told(self):
        with Daemon("--log", "info") as daemon:
            login = {"name": "ann", "password": "a wrong one"}
            statuses = [ask(daemon.port, "/api/login", method="POST", body=login).status for _ in range(15)]
            daemon.terminate()
            log = daemon.stderr()
        self.assertEqual(statuses[-1], 429, statuses)
        self.assertIn("log-ins are tried too often", log)

    def test_as_json_each_line_is_an_object(self):
        with Daemon("--log-format", "json") as daemon:
            ask(daemon.port, "/echo", headers={**HANDSHAKE, "Origin": "https://example.com"})
            daemon.terminate()
            lines = [json.loads(line) for line in daemon.stderr().splitlines()]
        refused = next(line for line in lines if "refused" in line["message"])
        self.assertEqual(set(refused), {"at", "level", "message", "conn", "client"})
        self.assertEqual((refused["level"], type(refused["conn"])), ("info", int))

    def test_a_cause_that_never_ends_is_cut_short_and_counted(self):
        with Daemon() as daemon:
            for _ in range(200):
                ask(daemon.port, "/echo", headers={**HANDSHAKE, "Origin": "https://example.com"})
            daemon.terminate()
            lines = [line for line in daemon.stderr().splitlines() if "refused" in line]
        self.assertLess(len(lines), 30, "ten in ten seconds, on a machine that may be slow")
        left_out = sum(int(n) for line in lines for n in re.findall(r"(\d+) more like: a handshake is refused", line))
        told = sum("more like" not in line for line in lines)
        self.assertEqual(left_out + told, 200)


class NobodyWaits(unittest.TestCase):
    """Standard error takes nothing, and the daemon serves on."""

    def serves_on(self, daemon: Daemon) -> None:
        for _ in range(2_000):
            self.assertEqual(ask(daemon.port, "/echo", headers={**HANDSHAKE, "Origin": "https://example.com"}).status, 403)
        began = time.monotonic()
        self.assertEqual(ask(daemon.port, "/healthz").text, "ok\n")
        self.assertLess(time.monotonic() - began, 2.0)

    def test_when_it_is_full(self):
        read, write = os.pipe()
        fcntl.fcntl(write, 1031, 4096)  # F_SETPIPE_SZ
        os.set_blocking(write, False)
        filled = 0
        while select.select([], [write], [], 0)[1]:
            filled += os.write(write, b"." * 4096)
        os.set_blocking(write, True)
        with Daemon(stderr=write) as daemon:
            os.close(write)
            self.serves_on(daemon)
            taken = os.read(read, filled)
            while len(taken) < filled:
                taken += os.read(read, filled - len(taken))
            log = b""
            # Lines are cut short before they can fill the queue, which is the daemon's own protection.
            while b"refused" not in log:
                self.assertTrue(select.select([read], [], [], WAIT_S)[0], log)
                log += os.read(read, 65_536)
        os.close(read)

    def test_when_it_stays_full_to_the_end(self):
        read, write = os.pipe()
        fcntl.fcntl(write, 1031, 4096)
        os.set_blocking(write, False)
        while select.select([], [write], [], 0)[1]:
            os.write(write, b"." * 4096)
        os.set_blocking(write, True)
        began = time.monotonic()
        with Daemon(stderr=write) as daemon:
            self.serves_on(daemon)
            began = time.monotonic()
        self.assertLess(time.monotonic() - began, 5.0)
        os.close(read)
        os.close(write)

    def test_when_nobody_reads_it_any_more(self):
        read, write = os.pipe()
        os.close(read)
        with Daemon(stderr=write) as daemon:
            os.close(write)
            self.serves_on(daemon)


if __name__ == "__main__":
    unittest.main()
