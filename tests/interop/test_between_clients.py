"""Two libraries in one room: what one says, the other hears, byte for byte and of the same type."""

from __future__ import annotations

import random
import unittest

from peers import DaemonCase, NodePeer, closing, hear, join

MESSAGES: tuple[str | bytes, ...] = (
    "hello",
    "",
    "Ξένη\tкот\u2028\U0010ffff\0🎉",
    "the same words again and again, " * 2000,
    b"",
    bytes(range(256)),
    random.Random(6455).randbytes(65536),
)


class BetweenClients(DaemonCase):
    async def test_each_hears_the_other_with_and_without_compression(self):
        for python_compresses in (True, False):
            for node_compresses in (True, False):
                with self.subTest(python=python_compresses, node=node_compresses):
                    uri = self.room(f"-{python_compresses:d}{node_compresses:d}")
                    compression = "deflate" if python_compresses else None
                    async with (
                        join(uri, compression=compression) as ann,
                        NodePeer(uri, compress=node_compresses) as bo,
                    ):
                        self.assertEqual(bool(bo.extensions), node_compresses)
                        self.assertEqual("Sec-WebSocket-Extensions" in ann.response.headers, python_compresses)
                        await self.converse(ann, bo)

    async def converse(self, ann, bo: NodePeer) -> None:
        for message in MESSAGES:
            for say in (ann.send, bo.say):
                await say(message)
                for heard in (await hear(ann), await bo.hear()):
                    self.assertIs(type(heard), type(message))
                    # Not assertEqual: a difference within 64 KiB is not worth printing.
                    self.assertTrue(heard == message, f"{message[:20]!r} arrived as {heard[:20]!r}")

    async def test_one_that_leaves_is_given_its_code_back_and_the_other_stays(self):
        uri = self.room()
        async with join(uri) as ann:
            async with NodePeer(uri) as bo:
                code, _ = await bo.close(4321, "bye")
                self.assertEqual(code, 4321)
            await ann.send("alone")
            self.assertEqual(await hear(ann), "alone")
            await ann.close()
            self.assertEqual((await closing(ann))[0], 1000)


if __name__ == "__main__":
    unittest.main()
