"""Clients for the tests: the `websockets` library, and Node's `ws` in a process of its own.

Every wait in here has a deadline, so a test that hears nothing fails instead of hanging.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pathlib
import unittest

from daemon import Daemon
from websockets.asyncio.client import ClientConnection, connect

WAIT_S = 10.0


def join(uri: str, **options: object):
    """A client of the `websockets` library, with nothing between it and the daemon."""
    return connect(uri, **{"proxy": None, "open_timeout": WAIT_S, "ping_interval": None, **options})


async def hear(client: ClientConnection) -> str | bytes:
    async with asyncio.timeout(WAIT_S):
        return await client.recv()


async def closing(client: ClientConnection) -> tuple[int | None, str | None]:
    """How the connection ends, once it has."""
    async with asyncio.timeout(WAIT_S):
        await client.wait_closed()
    return client.close_code, client.close_reason


def count_received(client: ClientConnection) -> list[int]:
    """What arrives on the wire from now on, one number of bytes for each read."""
    sizes: list[int] = []
    receive_data = client.protocol.receive_data

    def counting(data: bytes) -> None:
        sizes.append(len(data))
        receive_data(data)

    client.protocol.receive_data = counting
    return sizes


class NodePeer:
    """Node's `ws` as a client, told what to do and telling what it sees, one JSON object a line."""

    def __init__(self, uri: str, *, compress: bool = True) -> None:
        self._uri = uri
        self._compress = compress

    async def __aenter__(self) -> NodePeer:
        script = pathlib.Path(__file__).with_name("peer.mjs")
        self._process = await asyncio.create_subprocess_exec(
            os.environ["NODE"], script, self._uri, "deflate" if self._compress else "plain",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 20,
        )
        try:
            self.extensions = (await self._event())["open"]
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        # The end of its input is its sign to go.
        self._process.stdin.close()
        try:
            async with asyncio.timeout(WAIT_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise

    async def say(self, message: str | bytes) -> None:
        if isinstance(message, str):
            await self._tell({"text": message})
        else:
            await self._tell({"binary": base64.b64encode(message).decode()})

    async def hear(self) -> str | bytes:
        event = await self._event()
        return event["text"] if "text" in event else base64.b64decode(event["binary"])

    async def close(self, code: int, reason: str) -> tuple[int, str]:
        await self._tell({"close": [code, reason]})
        return tuple((await self._event())["close"])

    async def _tell(self, command: dict[str, object]) -> None:
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()

    async def _event(self) -> dict[str, object]:
        async with asyncio.timeout(WAIT_S):
            line = await self._process.stdout.readline()
        if not line:
            raise AssertionError("the Node peer ended early")
        return json.loads(line)


class DaemonCase(unittest.IsolatedAsyncioTestCase):
    """Tests that share one daemon, each in rooms of its own."""

    flags: tuple[str, ...] = ()
    daemon: Daemon

    @classmethod
    def setUpClass(cls) -> None:
        cls.daemon = cls.enterClassContext(Daemon("--log", "warn", *cls.flags))

    def room(self, suffix: str = "") -> str:
        return self.daemon.ws(f"/relay/{self._testMethodName[:56]}{suffix}")
