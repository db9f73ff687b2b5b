"""Raw rooms, as the Python library `websockets` sees them."""

from __future__ import annotations

import asyncio
import signal
import tempfile
import unittest

from daemon import Daemon
from peers import DaemonCase, closing, count_received, hear, join
from websockets.asyncio.client import unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

# Exactly what the default --max-message allows.
MESSAGE_BYTES_MAX = 65536


class Rooms(DaemonCase):
    async def test_a_message_reaches_every_member_and_its_sender(self):
        async with join(self.room()) as ann, join(self.room()) as bo, join(self.room()) as cy:
            for message in ("hello", "", "Ξένη 🎉 \0", b"", bytes(range(256))):
                await ann.send(message)
                for member in (ann, bo, cy):
                    heard = await hear(member)
                    self.assertEqual((type(heard), heard), (type(message), message))

    async def test_echo_off_leaves_the_sender_out_and_nobody_else(self):
        async with join(self.room() + "?echo=off") as ann, join(self.room()) as bo:
            await ann.send("from ann")
            self.assertEqual(await hear(bo), "from ann")
            await bo.send("from bo")
            self.assertEqual(await hear(bo), "from bo")
            # The first thing ann hears is bo: had her own line come back, it would have been first.
            self.assertEqual(await hear(ann), "from bo")

    async def test_rooms_do_not_hear_each_other(self):
        async with join(self.room("-a")) as ann, join(self.room("-b")) as bo:
            await ann.send("in a")
            self.assertEqual(await hear(ann), "in a")
            await bo.send("in b")
            self.assertEqual(await hear(bo), "in b")

    async def test_names_of_rooms_are_case_sensitive(self):
        async with join(self.room("-x")) as ann, join(self.room("-X")) as bo:
            await ann.send("small")
            self.assertEqual(await hear(ann), "small")
            await bo.send("big")
            self.assertEqual(await hear(bo), "big")

    async def test_messages_keep_their_order(self):
        async with join(self.room()) as ann, join(self.room()) as bo:
            for number in range(1000):
                await ann.send(str(number))
            for member in (ann, bo):
                self.assertEqual([await hear(member) for _ in range(1000)], [str(n) for n in range(1000)])

    async def test_echo_answers_its_sender_alone(self):
        async with join(self.daemon.ws("/echo")) as ann, join(self.daemon.ws("/echo")) as bo:
            await ann.send("ann")
            self.assertEqual(await hear(ann), "ann")
            await bo.send(b"bo")
            self.assertEqual(await hear(bo), b"bo")

    async def test_every_character_of_a_name_and_64_of_them_are_welcome(self):
        for name in ("a", "0", "A-Za-z0-9._~-", "-", "~", "x" * 64):
            with self.subTest(name):
                async with join(self.daemon.ws(f"/relay/{name}")) as ann:
                    await ann.send(name)
                    self.assertEqual(await hear(ann), name)

    async def test_anything_else_is_no_room(self):
        for name in ("", "x" * 65, "a/b", "a/", "caf%C3%A9", "a%20b", "a%2Fb", "a+b", "a!", "a%00", "%2e%2e%2fetc"):
            with self.subTest(name):
                self.assertEqual(await self.refusal(self.daemon.ws(f"/relay/{name}")), 404)

    async def test_there_is_no_websocket_elsewhere(self):
        for path in ("/", "/nothing", "/echo/x", "/relay", "/healthz"):
            with self.subTest(path):
                self.assertIn(await self.refusal(self.daemon.ws(path)), (400, 404, 405))

    async def refusal(self, uri: str, **options: object) -> int:
        with self.assertRaises(InvalidStatus) as refused:
            async with join(uri, **options):
                pass
        return refused.exception.response.status_code

    async def test_no_subprotocol_is_selected(self):
        async with join(self.room(), subprotocols=["chat", "wsrelay.v1"]) as ann:
            self.assertIsNone(ann.subprotocol)
            self.assertNotIn("Sec-WebSocket-Protocol", ann.response.headers)

    async def test_origins(self):
        own = self.daemon.http()
        async with join(self.room(), origin=own) as ann:
            self.assertEqual(ann.response.status_code, 101)
        # The scheme is not compared: behind a proxy that ends TLS the daemon cannot know its own.
        for foreign in ("http://example.com", own.replace("127.0.0.1", "127.0.0.2"), "http://127.0.0.1", "null", own[:-1]):
            with self.subTest(foreign):
                self.assertEqual(await self.refusal(self.room(), origin=foreign), 403)


class Frames(DaemonCase):
    async def test_fragments_arrive_as_one_message(self):
        async with join(self.room()) as ann, join(self.room(), compression=None) as bo:
            await ann.send(["one, ", "", "two, ", "thr", "ee"])
            await bo.send([b"\x00", bytes(1000), b"\x01"])
            for member in (ann, bo):
                self.assertEqual(await hear(member), "one, two, three")
                self.assertEqual(await hear(member), b"\x00" + bytes(1000) + b"\x01")

    async def test_a_ping_between_fragments_is_answered(self):
        async with join(self.room(), compression=None) as ann:
            ponged: asyncio.Future[float] | None = None

            async def fragments():
                nonlocal ponged
                yield "before, "
                ponged = asyncio.ensure_future(await ann.ping(b"between"))
                await asyncio.wait_for(ponged, 10)
                yield "after"

            await ann.send(fragments())
            self.assertEqual(await hear(ann), "before, after")
            self.assertIsNotNone(ponged)

    async def test_pings_are_answered(self):
        async with join(self.room()) as ann:
            for payload in (b"", b"x" * 125):
                async with asyncio.timeout(10):
                    await (await ann.ping(payload))

    async def test_close_codes_are_given_back(self):
        for code, reason in ((1000, ""), (1001, "leaving"), (3000, "ö" * 61), (4999, "x" * 123)):
            with self.subTest(code):
                async with join(self.room()) as ann:
                    await ann.close(code, reason)
                    received = ann.protocol.close_rcvd
                    self.assertEqual(received and received.code, code)
                    self.assertTrue(ann.protocol.close_rcvd_then_sent is False)

    async def test_the_largest_message_passes_and_one_byte_more_does_not(self):
        for largest in ("x" * MESSAGE_BYTES_MAX, bytes(MESSAGE_BYTES_MAX)):
            for compression in ("deflate", None):
                with self.subTest(type(largest), compression=compression):
                    async with join(self.room(), compression=compression) as ann:
                        await ann.send(largest)
                        self.assertEqual(await hear(ann), largest)
                        await ann.send(largest + largest[:1])
                        self.assertEqual((await closing(ann))[0], 1009)

    async def test_the_limit_holds_for_fragments_together(self):
        async with join(self.room(), compression=None) as ann:
            try:
                await ann.send([bytes(MESSAGE_BYTES_MAX // 2)] * 2 + [b"x"])
            except ConnectionClosed:
                pass  # the answer may overtake the last fragment
            self.assertEqual((await closing(ann))[0], 1009)

    async def test_one_member_closed_for_its_size_leaves_the_others_talking(self):
        async with join(self.room()) as ann, join(self.room()) as bo:
            await ann.send("x" * (MESSAGE_BYTES_MAX + 1))
            self.assertEqual((await closing(ann))[0], 1009)
            await bo.send("still here")
            self.assertEqual(await hear(bo), "still here")


class Compression(DaemonCase):
    async def test_is_negotiated_without_context(self):
        async with join(self.room()) as ann:
            self.assertEqual(
                sorted(part.strip() for part in ann.response.headers["Sec-WebSocket-Extensions"].split(";")),
                ["client_no_context_takeover", "permessage-deflate", "server_no_context_takeover"],
            )

    async def test_is_not_negotiated_unless_offered(self):
        async with join(self.room(), compression=None) as ann:
            self.assertNotIn("Sec-WebSocket-Extensions", ann.response.headers)

    async def test_makes_what_is_sent_smaller(self):
        text = "the same words again and again, " * 2000
        async with join(self.room()) as ann, join(self.room(), compression=None) as bo:
            deflated, plain = count_received(ann), count_received(bo)
            await ann.send(text)
            self.assertEqual(await hear(ann), text)
            self.assertEqual(await hear(bo), text)
            self.assertLess(sum(deflated), len(text) // 20)
            self.assertGreaterEqual(sum(plain), len(text))

    async def test_takes_every_fragment_and_many_messages(self):
        async with join(self.room()) as ann, join(self.room()) as bo:
            for number in range(50):
                text = f"{number} " * 3000
                await ann.send([text[:7], text[7:10_000], text[10_000:]])
                self.assertEqual(await hear(bo), text)
                self.assertEqual(await hear(ann), text)


class Shutdown(unittest.IsolatedAsyncioTestCase):
    async def test_sigterm_closes_every_peer_with_1001_and_ends_with_0(self):
        for which in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(which.name), Daemon("--log", "warn") as daemon:
                async with join(daemon.ws("/relay/lobby")) as ann, join(daemon.ws("/echo")) as bo:
                    daemon.signal(which)
                    self.assertEqual((await closing(ann))[0], 1001)
                    self.assertEqual((await closing(bo))[0], 1001)
                self.assertEqual(await asyncio.to_thread(daemon.wait), 0)

    async def test_sigterm_without_peers_ends_with_0(self):
        with Daemon("--log", "warn") as daemon:
            self.assertEqual(await asyncio.to_thread(daemon.terminate), 0)


class Flags(unittest.IsolatedAsyncioTestCase):
    async def test_relay_off_hides_the_rooms_and_the_probe(self):
        with Daemon("--relay", "off") as daemon:
            for path in ("/relay/lobby", "/echo"):
                with self.subTest(path), self.assertRaises(InvalidStatus) as refused:
                    async with join(daemon.ws(path)):
                        pass
                self.assertEqual(refused.exception.response.status_code, 404)

    async def test_allow_origin_adds_to_its_own(self):
        with Daemon("--allow-origin", "https://chat.example") as daemon:
            for origin in (daemon.http(), "https://chat.example"):
                async with join(daemon.ws("/echo"), origin=origin):
                    pass
            with self.assertRaises(InvalidStatus) as refused:
                async with join(daemon.ws("/echo"), origin="https://other.example"):
                    pass
            self.assertEqual(refused.exception.response.status_code, 403)

    async def test_max_message_moves_the_limit(self):
        with Daemon("--max-message", "1000") as daemon:
            async with join(daemon.ws("/echo")) as ann:
                await ann.send("x" * 1000)
                self.assertEqual(await hear(ann), "x" * 1000)
                await ann.send("x" * 1001)
                self.assertEqual((await closing(ann))[0], 1009)

    async def test_max_connections_refuses_those_beyond_it_and_serves_again(self):
        with Daemon("--max-connections", "2") as daemon:
            async with join(daemon.ws("/echo")) as ann:
                async with join(daemon.ws("/echo")):
                    with self.assertRaises((InvalidStatus, OSError, EOFError)):
                        async with join(daemon.ws("/echo")):
                            pass
                await ann.send("still here")
                self.assertEqual(await hear(ann), "still here")
                await self.admitted(daemon.ws("/echo"))

    async def admitted(self, uri: str) -> None:
        """The place is free once the server has seen the other go, which is soon but not at once."""
        async with asyncio.timeout(10):
            while True:
                try:
                    async with join(uri):
                        return
                except (InvalidStatus, OSError, EOFError):
                    await asyncio.sleep(0.02)


class UnixSocket(unittest.IsolatedAsyncioTestCase):
    async def test_is_listened_on_beside_tcp_and_shares_its_rooms(self):
        with tempfile.TemporaryDirectory() as directory:
            path = f"{directory}/wsrelay.sock"
            with Daemon("--listen", f"unix:{path}") as daemon:
                async with (
                    unix_connect(path, "ws://localhost/relay/lobby", open_timeout=10) as ann,
                    join(daemon.ws("/relay/lobby")) as bo,
                ):
                    await ann.send("from the file system")
                    self.assertEqual(await hear(bo), "from the file system")
                    await bo.send(b"from the network")
                    self.assertEqual(await hear(ann), "from the file system")
                    self.assertEqual(await hear(ann), b"from the network")


if __name__ == "__main__":
    unittest.main()
