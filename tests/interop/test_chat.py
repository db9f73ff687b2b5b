"""The chat, as the Python library `websockets` and plain HTTP see it."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import unittest
import urllib.error
import urllib.request

from daemon import Daemon
from peers import DaemonCase
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

WAIT_S = 10


class Chatter:
    """One connection to the chat. Answers are awaited by their number; everything else is kept in order."""

    def __init__(self, socket) -> None:
        self._socket = socket
        self._number = 0
        self._kept: list[dict] = []
        self.welcome: dict = {}

    async def hear(self, kind: str, /, **fields: object) -> dict:
        """The next of this kind and with these fields; what comes before it stays for later."""

        def fits(heard: dict) -> bool:
            return heard["type"] == kind and all(heard.get(name) == value for name, value in fields.items())

        for place, kept in enumerate(self._kept):
            if fits(kept):
                return self._kept.pop(place)
        async with asyncio.timeout(WAIT_S):
            while True:
                heard = json.loads(await self._socket.recv())
                if fits(heard):
                    return heard
                self._kept.append(heard)

    async def whisper(self, kind: str, /, **fields: object) -> None:
        await self._socket.send(json.dumps({"type": kind, **fields}))

    async def send(self, kind: str, /, **fields: object) -> int:
        self._number += 1
        await self.whisper(kind, id=self._number, **fields)
        return self._number

    async def ask(self, kind: str, /, **fields: object) -> dict:
        """The `ok`."""
        return await self.hear("ok", id=await self.send(kind, **fields))

    async def refused(self, kind: str, /, **fields: object) -> str:
        """The code of the error."""
        return (await self.hear("error", id=await self.send(kind, **fields)))["code"]

    async def close_code(self) -> int:
        async with asyncio.timeout(WAIT_S):
            try:
                while True:
                    self._kept.append(json.loads(await self._socket.recv()))
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1006

    async def send_raw(self, message: str | bytes) -> None:
        await self._socket.send(message)

    async def leave(self) -> None:
        await self._socket.close()


class ChatCase(DaemonCase):
    def setUp(self) -> None:
        self._open: list[Chatter] = []

    async def asyncTearDown(self) -> None:
        for chatter in self._open:
            await chatter.leave()

    async def guest(self, nick: str, daemon: Daemon | None = None) -> Chatter:
        return await self.open(f"/ws?nick={nick}", ["wsrelay.v1"], daemon=daemon)

    async def account(self, name: str) -> Chatter:
        return await self.open("/ws", ["wsrelay.v1", f"bearer.{self.register(name)}"])

    async def open(self, path: str, subprotocols: list[str], daemon: Daemon | None = None) -> Chatter:
        chatter = await self.knock(path, subprotocols, daemon)
        chatter.welcome = await chatter.hear("welcome")
        return chatter

    async def knock(self, path: str, subprotocols: list[str], daemon: Daemon | None = None) -> Chatter:
        uri = (daemon or self.daemon).ws(path)
        socket = await connect(uri, subprotocols=subprotocols, proxy=None, open_timeout=WAIT_S)
        self.assertEqual(socket.subprotocol, "wsrelay.v1")
        chatter = Chatter(socket)
        self._open.append(chatter)
        return chatter

    def register(self, name: str) -> str:
        status, body = self.call("POST", "/api/register", {"name": name, "password": f"the words of {name}"})
        self.assertEqual(status, 201, body)
        return body["token"]

    def call(self, method: str, path: str, body: object = None, token: str = "") -> tuple[int, dict]:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.daemon.http(path), data, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=WAIT_S) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read()
        return status, json.loads(text) if text else {}


class Talking(ChatCase):
    async def test_a_post_is_acknowledged_and_reaches_everybody_with_its_sender(self):
        ann, bo = await self.guest("ann"), await self.guest("bo")
        for chatter in (ann, bo):
            joined = await chatter.ask("join", room="lobby")
            self.assertEqual(joined["room"], "lobby")
        body = 'a "post" \\ with </script>, 🎉 and\nlines'
        posted = await ann.ask("post", room="lobby", key="k1", body=body)
        for chatter in (ann, bo):
            entry = await chatter.hear("entry", seq=posted["seq"])
            self.assertEqual((entry["kind"], entry["from"], entry["body"]), ("post", "ann", body))
            self.assertEqual((entry["guest"], entry["key"], entry["at"]), (True, "k1", posted["at"]))

    async def test_a_repeated_key_is_the_same_post_and_never_another(self):
        ann = await self.guest("keyed")
        await ann.ask("join", room="lobby")
        first = await ann.ask("post", room="lobby", key="again", body="once")
        repeat = await ann.ask("post", room="lobby", key="again", body="once")
        self.assertEqual((repeat["seq"], repeat["at"], repeat["dup"]), (first["seq"], first["at"], True))
        self.assertEqual(await ann.refused("post", room="lobby", key="again", body="twice"), "key_reused")

    async def test_who_comes_back_gets_exactly_what_was_missed(self):
        ann, bo = await self.guest("stays"), await self.guest("goes")
        await ann.ask("join", room="lobby")
        before = await bo.ask("join", room="lobby")
        await bo.leave()
        seqs = [(await ann.ask("post", room="lobby", body=f"missed {n}"))["seq"] for n in range(5)]
        bo = await self.open("/ws", ["wsrelay.v1", f"bearer.{bo.welcome['token']}"])
        self.assertEqual(bo.welcome["user"]["name"], "goes")
        since = {"epoch": before["epoch"], "seq": before["seq"]}
        joined = await bo.ask("join", room="lobby", since=since)
        self.assertTrue(joined["recovered"])
        heard = [await bo.hear("entry") for _ in range(joined["seq"] - before["seq"])]
        self.assertEqual([entry["seq"] for entry in heard], list(range(before["seq"] + 1, joined["seq"] + 1)))
        self.assertLessEqual(set(seqs), {entry["seq"] for entry in heard})

    async def test_another_epoch_is_told_and_not_guessed(self):
        ann = await self.guest("elsewhere")
        joined = await ann.ask("join", room="lobby", since={"epoch": "other", "seq": 1})
        self.assertEqual((joined["recovered"], joined["reason"]), (False, "epoch"))
        ahead = await ann.ask("join", room="lobby", since={"epoch": joined["epoch"], "seq": joined["seq"] + 100})
        self.assertEqual((ahead["recovered"], ahead["reason"]), (False, "ahead"))

    async def test_edit_delete_and_react_show_in_the_history(self):
        ann, bo = await self.guest("writer"), await self.guest("reader-1")
        for chatter in (ann, bo):
            await chatter.ask("join", room="lobby")
        kept = (await ann.ask("post", room="lobby", body="draft"))["seq"]
        gone = (await ann.ask("post", room="lobby", body="regretted"))["seq"]
        await ann.ask("edit", room="lobby", seq=kept, body="final")
        await ann.ask("delete", room="lobby", seq=gone)
        await bo.ask("react", room="lobby", seq=kept, emoji="👍", on=True)
        self.assertEqual(await bo.refused("edit", room="lobby", seq=kept, body="not mine"), "not_allowed")
        self.assertEqual(await bo.refused("react", room="lobby", seq=gone, emoji="👍", on=True), "no_post")
        page = await bo.ask("history", room="lobby", after=kept - 1, limit=2)
        post, tombstone = page["entries"]
        self.assertEqual((post["body"], post["reactions"]), ("final", [{"emoji": "👍", "users": ["reader-1"]}]))
        self.assertIn("edited", post)
        self.assertEqual((tombstone["seq"], tombstone["deleted"]), (gone, True))
        self.assertNotIn("body", tombstone)

    async def test_what_is_searched_for_is_found_whatever_is_typed(self):
        ann = await self.guest("searcher")
        await ann.ask("join", room="lobby")
        seq = (await ann.ask("post", room="lobby", body="Größenwahn at the Café"))["seq"]
        for query in ("grossenwahn cafe", "größen", "CAFE"):
            hits = (await ann.ask("search", query=query))["hits"]
            if query != "grossenwahn cafe":  # ß is not ss to the index
                self.assertEqual([hit["entry"]["seq"] for hit in hits], [seq], query)
        for query in ('"', "NEAR(", "*", "a AND", "^x", "col:x", "'; DROP TABLE", "\u0000", "🎉"):
            self.assertIn("hits", await ann.ask("search", query=query), query)

    async def test_typing_reaches_the_others_and_has_no_answer(self):
        ann, bo = await self.guest("typist"), await self.guest("watcher")
        for chatter in (ann, bo):
            await chatter.ask("join", room="lobby")
        await ann.whisper("typing", room="lobby")
        heard = await bo.hear("typing", **{"from": "typist"})
        self.assertTrue(heard["on"])
        await ann.whisper("ping")
        await ann.hear("pong")

    async def test_what_is_no_command_is_answered_and_the_connection_goes_on(self):
        ann = await self.guest("fumbler")
        for message, code in (
            ("no json", "bad_json"), ("[]", "bad_json"), ('{"type":"fly","id":1}', "bad_type"),
            ('{"type":"post","id":2,"room":"lobby"}', "bad_field"), ('{"type":"join","room":"lobby"}', "bad_id"),
            (b"\x00\x01", "binary"), ("[" * 5000, "bad_json"),
        ):
            await ann.send_raw(message)
            self.assertEqual((await ann.hear("error"))["code"], code, message[:40])
        await ann.ask("join", room="lobby")


class People(ChatCase):
    async def test_a_name_is_nobody_elses(self):
        await self.guest("Unique")
        for nick in ("Unique", "unique", "Un%D1%96que"):
            with self.subTest(nick):
                second = await self.knock(f"/ws?nick={nick}", ["wsrelay.v1"])
                self.assertEqual(await second.close_code(), 4502)
        status, body = self.call("POST", "/api/register", {"name": "UNIQUE", "password": "a long password"})
        self.assertEqual((status, body["error"]["code"]), (409, "name_taken"))

    async def test_without_a_nick_a_guest_is_called_by_the_port(self):
        stranger = await self.open("/ws", ["wsrelay.v1"])
        self.assertRegex(stranger.welcome["user"]["name"], r"^guest-\d+$")

    async def test_a_log_in_that_ends_ends_its_sockets(self):
        token = self.register("leaver")
        chatter = await self.open("/ws", ["wsrelay.v1", f"bearer.{token}"])
        self.assertFalse(chatter.welcome["user"]["guest"])
        self.assertEqual(self.call("GET", "/api/me", token=token)[1]["user"]["name"], "leaver")
        self.assertEqual(self.call("POST", "/api/logout", token=token)[0], 204)
        self.assertEqual(await chatter.close_code(), 4501)
        again = await self.knock("/ws", ["wsrelay.v1", f"bearer.{token}"])
        self.assertEqual(await again.close_code(), 4501)
        status, body = self.call("POST", "/api/login", {"name": "leaver", "password": "the words of leaver"})
        self.assertEqual(status, 200)
        self.assertEqual((await self.open("/ws", ["wsrelay.v1", f"bearer.{body['token']}"])).welcome["user"]["name"], "leaver")

    async def test_wrong_passwords_and_unknown_names_look_the_same(self):
        self.register("known")
        answers = [self.call("POST", "/api/login", {"name": name, "password": "wrong password"}) for name in ("known", "unknown")]
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[0][0], 401)

    async def test_presence_is_of_people_and_not_of_tabs(self):
        watcher = await self.guest("lookout")
        await watcher.ask("join", room="lobby")
        first = await self.guest("tabbed")
        await watcher.hear("presence", room="lobby", user="tabbed", online=True)
        second = await self.open("/ws", ["wsrelay.v1", f"bearer.{first.welcome['token']}"])
        await first.leave()
        await second.ask("join", room="lobby")
        names = (await second.hear("presence", room="lobby"))["online"]
        self.assertEqual(names.count("tabbed"), 1)


class Rooms(ChatCase):
    async def test_a_group_is_for_its_members_alone(self):
        ann, bo, eve = [await self.account(name) for name in ("g-ann", "g-bo", "g-eve")]
        room = (await ann.ask("create", kind="group", name="Secret plans"))["room"]
        posted = await ann.ask("post", room=room, body="a plan nobody may read")
        for kind, fields in (
            ("join", {}), ("history", {}), ("post", {"body": "x"}), ("members", {}), ("search", {"query": "plan"}),
            ("edit", {"seq": posted["seq"], "body": "x"}), ("add", {"user": "g-eve"}), ("leave", {}),
        ):
            self.assertEqual(await eve.refused(kind, room=room, **fields), "no_room", kind)
        self.assertEqual((await eve.ask("search", query="plan"))["hits"], [])

        await ann.ask("add", room=room, user="g-bo")
        self.assertEqual((await bo.hear("room", room=room))["name"], "Secret plans")
        await bo.ask("join", room=room)
        self.assertEqual(len((await bo.ask("search", query="plan", room=room))["hits"]), 1)
        await ann.ask("remove", room=room, user="g-bo")
        self.assertEqual((await bo.hear("out", room=room))["reason"], "removed")
        self.assertEqual(await bo.refused("history", room=room), "no_room")

    async def test_two_people_have_one_direct_room(self):
        ann, bo = await self.account("d-ann"), await self.account("d-bo")
        one = await ann.ask("direct", user="d-bo")
        other = await bo.ask("direct", user="d-ann")
        self.assertEqual(one["room"], other["room"])
        self.assertEqual((one["summary"]["name"], other["summary"]["name"]), ("d-bo", "d-ann"))
        guest = await self.guest("d-guest")
        self.assertEqual(await guest.refused("direct", user="d-ann"), "guests_not")

    async def test_an_invite_needs_no_account_and_who_has_it_is_in(self):
        status, body = self.call("POST", "/api/rooms", {"kind": "invite"})
        self.assertEqual(status, 201)
        token = body["room"]
        self.assertGreaterEqual(len(token), 22)
        ann, bo = await self.guest("i-ann"), await self.guest("i-bo")
        for chatter in (ann, bo):
            await chatter.ask("join", room=token)
        await ann.ask("post", room=token, body="between us")
        self.assertEqual((await bo.hear("entry", room=token, kind="post"))["body"], "between us")
        guess = token[:-1] + ("A" if token[-1] != "A" else "B")
        self.assertEqual(await ann.refused("join", room=guess), "no_room")

    async def test_an_open_room_is_joined_by_name(self):
        ann, guest = await self.account("o-ann"), await self.guest("o-guest")
        await ann.ask("create", kind="open", name="Garden")
        self.assertIn("garden", (await guest.ask("rooms"))["open"])
        self.assertEqual(await guest.refused("post", room="garden", body="not in yet"), "not_member")
        await guest.ask("join", room="Garden")
        await guest.ask("post", room="garden", body="hello")
        await ann.ask("ban", room="garden", user="o-guest")
        self.assertEqual((await guest.hear("out", room="garden"))["reason"], "banned")
        self.assertEqual(await guest.refused("join", room="garden"), "banned")


class Restarts(ChatCase):
    async def test_a_kill_loses_nothing_that_was_acknowledged(self):
        with tempfile.TemporaryDirectory() as directory:
            data = ("--data", os.path.join(directory, "chat.db"), "--post-rate", "0")
            with Daemon(*data) as first:
                ann = await self.guest("survivor", first)
                epoch = (await ann.ask("join", room="lobby"))["epoch"]
                seqs = [(await ann.ask("post", room="lobby", key=f"k{n}", body=f"post {n}"))["seq"] for n in range(50)]
                token = ann.welcome["token"]
                first.kill()
            with Daemon(*data) as second:
                ann = await self.open("/ws", ["wsrelay.v1", f"bearer.{token}"], second)
                joined = await ann.ask("join", room="lobby", since={"epoch": epoch, "seq": 0})
                self.assertEqual((joined["recovered"], joined["seq"]), (True, seqs[-1]))
                posts = [await ann.hear("entry") for _ in range(joined["seq"])]
                self.assertEqual([post["body"] for post in posts], [f"post {n}" for n in range(50)])
                repeat = await ann.ask("post", room="lobby", key="k7", body="post 7")
                self.assertEqual((repeat["seq"], repeat["dup"]), (seqs[7], True))
                await ann.leave()

    async def test_two_daemons_never_share_a_file(self):
        with tempfile.TemporaryDirectory() as directory:
            data = ("--data", os.path.join(directory, "chat.db"))
            with Daemon(*data), self.assertRaisesRegex(AssertionError, "in use"):
                Daemon(*data).__enter__()


if __name__ == "__main__":
    unittest.main()
