"""How long the event loop deals with the store in one turn, under the heaviest load that is legal.

    benches/loop [SECONDS]          phases of so many seconds each (10)

On a file of its own, in turns: 100 publishers with 64 posts under way each; the same while 20 readers ask for the largest pages of
history and for replays of 1,000 entries as fast as they are answered; a crowd of 200 that comes back at once after a kill, each with
1,000 entries to replay. What is shown of these is the daemon's own `wsrelay_store_turn_seconds`: wall-clock time. Publishers and
readers need processors too; so that what is seen is how long the loop works, and not how long it waits for one, its thread goes
before all others where that is allowed (to root). Then the processor time that the loop's thread takes for one page and one replay, sending included, to who takes
messages plain and to who has them deflated: that hardly depends on what else the machine does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import urllib.request

from daemon import Daemon
from websockets.asyncio.client import connect

BODY = "x" * 250
POSTS = 3_000
ROUNDS = 40
NAME = "wsrelay_store_turn_seconds"


def classes(daemon: Daemon) -> list[tuple[float, int]]:
    """The histogram's bounds, and how many turns were in each class."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(daemon.http("/metrics"), timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    found, before = [], 0
    for line in lines:
        if line.startswith(f"{NAME}_bucket"):
            bound, count = line.split('le="')[1].split('"} ')
            found.append((float(bound), int(count) - before))
            before = int(count)
    assert found, f"no {NAME}"
    return found


def show(what: str, before: list[tuple[float, int]], after: list[tuple[float, int]]) -> None:
    turns = [(bound, count - earlier) for (bound, count), (_, earlier) in zip(after, before, strict=True)]
    total = sum(count for _, count in turns)

    def at_most(share: float) -> str:
        seen = 0
        for bound, count in turns:
            seen += count
            if seen >= share * total:
                return f"{bound * 1e3:g}"
        return "-"

    over = sum(count for bound, count in turns if bound > 0.005)
    print(f"| {what} | {total:,} | {at_most(0.5)} | {at_most(0.99)} | {at_most(1)} | {over} |", flush=True)


async def client(daemon: Daemon, nick: str, compression: str | None = None):
    socket = await connect(
        daemon.ws(f"/ws?nick={nick}"), subprotocols=["wsrelay.v1"], proxy=None, max_size=None, open_timeout=60, compression=compression
    )
    await hear(socket, "welcome")
    return socket


async def hear(socket, kind: str) -> dict:
    async with asyncio.timeout(60):
        while True:
            event = json.loads(await socket.recv())
            assert event["type"] != "error", event
            if event["type"] == kind:
                return event


def put_first(daemon: Daemon) -> None:
    """The loop's thread is the process's first, and is never made to wait for another."""
    try:
        os.sched_setscheduler(daemon.pid, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        print("the loop waits for a processor like everybody: some of what follows is that", file=sys.stderr)


async def fill(daemon: Daemon) -> str:
    """Enough for any page and any replay. The log's epoch."""
    async with await client(daemon, "filler") as socket:
        for begin in range(0, POSTS, 50):
            for n in range(begin, begin + 50):
                await socket.send(json.dumps({"type": "post", "id": n, "room": "lobby", "body": BODY}))
            for _ in range(50):
                await hear(socket, "ok")
        await socket.send('{"type":"join","id":1,"room":"lobby"}')
        return (await hear(socket, "ok"))["epoch"]


async def read_on(daemon: Daemon, nick: str, epoch: str, done: asyncio.Event) -> None:
    """Pages and replays, one after the other."""
    async with await client(daemon, nick) as socket:
        while not done.is_set():
            await page(socket)
            await rejoin(socket, epoch, await last_of_lobby(socket))
            await socket.send('{"type":"detach","id":3,"room":"lobby"}')
            await hear(socket, "ok")


async def page(socket) -> None:
    await socket.send(json.dumps({"type": "history", "id": 1, "room": "lobby", "before": POSTS, "limit": 200}))
    await hear(socket, "ok")


async def last_of_lobby(socket) -> int:
    await socket.send('{"type":"rooms","id":2}')
    return next(room["seq"] for room in (await hear(socket, "ok"))["rooms"] if room["room"] == "lobby")


async def rejoin(socket, epoch: str, last: int) -> None:
    since = {"epoch": epoch, "seq": last - 1_000}
    await socket.send(json.dumps({"type": "join", "id": 4, "room": "lobby", "since": since}))
    joined = await hear(socket, "ok")
    assert joined["recovered"], joined


async def publish(daemon: Daemon, seconds: float) -> None:
    """All of it in rooms of its own, so that there is no fan-out to speak of."""
    bench = await asyncio.create_subprocess_exec(
        os.environ["WSRELAY_BIN"], "bench", "chat", "post", "--url", daemon.ws("/ws"), "--members", "100", "--rooms", "100",
        "--publishers", "all", "--in-flight", "64", "--duration", str(seconds), "--repeat", "1", "--floor", "off",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await bench.communicate()
    assert bench.returncode == 0, output.decode()


def cpu_ms(daemon: Daemon) -> float:
    """What the loop's thread, the process's first, has had of the processor."""
    with open(f"/proc/{daemon.pid}/task/{daemon.pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e6


async def cost(daemon: Daemon, epoch: str, compression: str | None) -> None:
    async with await client(daemon, f"costs-{compression}", compression) as socket:
        costs, last = [], await last_of_lobby(socket)
        for ask in (lambda: rejoin(socket, epoch, last), lambda: page(socket)):
            before = cpu_ms(daemon)
            for _ in range(ROUNDS):
                await ask()
            costs.append((cpu_ms(daemon) - before) / ROUNDS)
    print(f"| {compression or 'plain'} | {costs[0]:.2f} | {costs[1]:.2f} |", flush=True)


async def main(seconds: float) -> None:
    print("| load | turns | p50 ms, at most | p99 | longest | over 5 ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as directory:
        flags = ("--data", os.path.join(directory, "chat.db"), "--post-rate", "0", "--command-rate", "0", "--log", "warn")
        with Daemon(*flags) as daemon:
            put_first(daemon)
            epoch = await fill(daemon)
            start = classes(daemon)
            await publish(daemon, seconds)
            show("100 publishers, 64 posts under way each", start, classes(daemon))
            start, done = classes(daemon), asyncio.Event()
            readers = [asyncio.create_task(read_on(daemon, f"reader-{n}", epoch, done)) for n in range(20)]
            await publish(daemon, seconds)
            done.set()
            await asyncio.gather(*readers)
            show("the same, and 20 readers of pages and replays", start, classes(daemon))
            daemon.kill()
        with Daemon(*flags) as daemon:
            put_first(daemon)
            start = classes(daemon)
            sockets = await asyncio.gather(*(client(daemon, f"crowd-{n}") for n in range(200)))
            last = await last_of_lobby(sockets[0])
            await asyncio.gather(*(rejoin(socket, epoch, last) for socket in sockets))
            show("a crowd of 200 comes back, 1,000 entries each", start, classes(daemon))
            await asyncio.gather(*(socket.close() for socket in sockets))
        with Daemon(*flags) as daemon:
            print("\n| messages | CPU ms for a replay of 1,000 entries | for a page of 200 |\n| --- | ---: | ---: |")
            for compression in (None, "deflate"):
                await cost(daemon, epoch, compression)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0))
