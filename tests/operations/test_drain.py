"""SIGTERM: told one after the other, nobody let in, and everything that was said is kept."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import tempfile
import time
import unittest

from asking import HANDSHAKE, ask, connection
from daemon import Daemon
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

WAIT_S = 20.0
CROWD = 40
POSTS = 200
SPREAD_S = 2.0


def join(uri: str, **options: object):
    return connect(uri, proxy=None, open_timeout=WAIT_S, ping_interval=None, **options)


async def asked(daemon: Daemon, path: str, **options: object):
    """A request on a new connection, without holding up the others."""
    return await asyncio.to_thread(ask, daemon.port, path, **options)


async def answered(member, request: int) -> dict:
    """The answer to a request; what comes before it is left out."""
    async with asyncio.timeout(WAIT_S):
        while (event := json.loads(await member.recv())).get("id") != request:
            pass
    return event


async def until_closed(member):
    """Each event that is still told."""
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(WAIT_S):
            while True:
                yield json.loads(await member.recv())


class Draining(unittest.IsolatedAsyncioTestCase):
    async def test_everybody_is_told_at_a_moment_of_their_own(self):
        with Daemon("--log", "warn", "--drain-seconds", str(int(SPREAD_S))) as daemon:
            raw = [await join(daemon.ws("/relay/x")) for _ in range(CROWD)]
            chat = [await join(daemon.ws(f"/ws?nick=n{n}"), subprotocols=["wsrelay.v1"]) for n in range(CROWD)]
            kept = connection(daemon.port)
            self.assertEqual((await asyncio.to_thread(ask, kept, "/healthz")).text, "ok\n")
            ended: list[float] = []

            async def until_closed(member) -> int | None:
                await asyncio.wait_for(member.wait_closed(), WAIT_S)
                ended.append(time.monotonic())
                return member.close_code

            closing = [asyncio.create_task(until_closed(member)) for member in (*raw, *chat)]
            began = time.monotonic()
            daemon.signal(signal.SIGTERM)

            # Whoever asks in the meantime is told, on a connection that was there and on a new one.
            health = await asyncio.to_thread(ask, kept, "/healthz")
            while health.status == 200:
                health = await asyncio.to_thread(ask, kept, "/healthz")
            self.assertEqual((health.status, health.text, health.headers["Connection"]), (503, "draining\n", "close"))
            self.assertEqual((await asked(daemon, "/healthz")).status, 503)
            self.assertEqual((await asked(daemon, "/")).status, 200)
            refused = await asked(daemon, "/relay/x", headers=HANDSHAKE)
            self.assertEqual(refused.status, 503)
            self.assertGreaterEqual(int(refused.headers["Retry-After"]), 1)
            self.assertIn("wsrelay_draining 1\n", (await asked(daemon, "/metrics")).text)
            self.assertLess(len(ended), 2 * CROWD, "not all have been told yet")

            codes = await asyncio.gather(*closing)
            self.assertEqual(codes, [1001] * CROWD + [1012] * CROWD)
            self.assertGreater(max(ended) - min(ended), SPREAD_S / 2)
            self.assertLess(max(ended) - began, SPREAD_S + 5)
            fifth = SPREAD_S / 5
            most = max(sum(start <= end < start + fifth for end in ended) for start in ended)
            self.assertLess(most, CROWD, "80 within two seconds are 16 in a fifth of them, give or take")
            self.assertEqual(await asyncio.to_thread(daemon.wait), 0)

    async def test_what_anybody_has_been_told_before_the_end_is_kept(self):
        with tempfile.TemporaryDirectory() as directory:
            flags = ("--log", "warn", "--data", f"{directory}/chat.db", "--post-rate", "0", "--command-rate", "0")
            sent = [f"b{number}" for number in range(2, 2 + POSTS)]
            acknowledged: list[str] = []
            refused: set[str] = set()
            with Daemon(*flags) as daemon:
                bo = await join(daemon.ws("/ws?nick=bo"), subprotocols=["wsrelay.v1"])
                ann = await join(daemon.ws("/ws?nick=ann"), subprotocols=["wsrelay.v1"])
                for member in (bo, ann):
                    await member.send(json.dumps({"type": "join", "id": 1, "room": "lobby"}))
                    await answered(member, 1)
                for number, body in enumerate(sent, start=2):
                    post = {"type": "post", "id": number, "room": "lobby", "key": f"k{number}", "body": body}
                    await ann.send(json.dumps(post))
                # The end comes into the middle of it: some are acknowledged, more wait, some are not even read.
                async for event in until_closed(ann):
                    if event["type"] == "ok":
                        if not acknowledged:
                            daemon.signal(signal.SIGTERM)
                        acknowledged.append(sent[event["id"] - 2])
                    elif event["type"] == "error":
                        refused.add(sent[event["id"] - 2])
                heard = [event["body"] async for event in until_closed(bo) if event.get("kind") == "post"]
                self.assertEqual((ann.close_code, bo.close_code), (1012, 1012))
                self.assertEqual(daemon.wait(), 0)
            with Daemon(*flags) as daemon:
                async with join(daemon.ws("/ws?nick=cy"), subprotocols=["wsrelay.v1"]) as cy:
                    await cy.send(json.dumps({"type": "join", "id": 1, "room": "lobby"}))
                    await cy.send(json.dumps({"type": "history", "id": 2, "room": "lobby", "limit": POSTS}))
                    answer = await answered(cy, 2)
            stored = [entry["body"] for entry in answer["entries"] if entry["kind"] == "post"]
            taken = [body for body in sent if body not in refused]
            self.assertEqual(stored, taken[: len(stored)], "in their order, and none left out")
            self.assertNotEqual(acknowledged, [])
            self.assertEqual(acknowledged, stored[: len(acknowledged)])
            self.assertEqual(heard, stored[: len(heard)])

    async def test_a_second_signal_ends_it_at_once(self):
        with Daemon("--log", "warn", "--drain-seconds", "600") as daemon:
            async with join(daemon.ws("/relay/x")):
                daemon.signal(signal.SIGTERM)
                async with asyncio.timeout(WAIT_S):
                    while (await asked(daemon, "/healthz")).status != 503:
                        pass
                daemon.signal(signal.SIGTERM)
                self.assertEqual(await asyncio.to_thread(daemon.wait), 128 + signal.SIGTERM)
            # The context would insist on a good end; this one was not meant to be.
            daemon.terminate = lambda: 0

    async def test_with_nobody_there_it_ends_at_once(self):
        with Daemon("--log", "warn", "--drain-seconds", "600") as daemon:
            self.assertEqual(daemon.terminate(), 0)


if __name__ == "__main__":
    unittest.main()
