"""`/metrics`, read by Prometheus' own parser and held against the README."""

from __future__ import annotations

import asyncio
import contextlib
import json
import pathlib
import re
import tempfile
import unittest

from asking import HANDSHAKE, ask
from daemon import Daemon
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect
from websockets.sync.client import connect as connect_and_wait

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
WAIT_S = 10.0


def join(uri: str, **options: object):
    return connect(uri, proxy=None, open_timeout=WAIT_S, ping_interval=None, **options)


def families(where: int | str) -> dict:
    answer = ask(where, "/metrics")
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", answer.headers
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def samples(where: int | str) -> dict[str, float]:
    """Every sample by its name and labels, as a line of text has them."""
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in families(where).values()
        for sample in family.samples
    }


class Served(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.daemon = self.enterContext(Daemon("--log", "warn"))

    async def until(self, **expected: float) -> dict[str, float]:
        """Asks until all is so. A connection that ends is counted in a later turn than the one its peer sees."""
        async with asyncio.timeout(WAIT_S):
            while True:
                now = samples(self.daemon.port)
                if all(now.get(name) == value for name, value in expected["samples"].items()):
                    return now
                await asyncio.sleep(0.02)

    async def test_what_a_session_does_is_counted(self):
        ask(self.daemon.port, "/api/register", method="POST", body={"name": "ann", "password": "correct horse"})
        ask(self.daemon.port, "/api/login", method="POST", body={"name": "ann", "password": "correct horse"})
        ask(self.daemon.port, "/api/login", method="POST", body={"name": "ann", "password": "wrong horse"})
        ask(self.daemon.port, "/nothing")
        self.assertEqual(ask(self.daemon.port, "/echo", headers={**HANDSHAKE, "Origin": "https://example.com"}).status, 403)
        async with (
            join(self.daemon.ws("/relay/x"), compression=None) as ann,
            join(self.daemon.ws("/relay/x"), compression=None) as bo,
            join(self.daemon.ws("/ws?nick=cy"), subprotocols=["wsrelay.v1"]) as cy,
        ):
            for number in range(3):
                await ann.send("x" * 100)
                for member in (ann, bo):
                    await asyncio.wait_for(member.recv(), WAIT_S)
            await cy.recv()
            # One that nobody is there to be told of.
            await cy.send(json.dumps({"type": "post", "id": 0, "room": "lobby", "key": "j", "body": "hi"}))
            self.assertEqual(json.loads(await asyncio.wait_for(cy.recv(), WAIT_S))["id"], 0)
            # And so in a room that is in memory only.
            await cy.send(json.dumps({"type": "create", "id": 4, "kind": "invite"}))
            begun = json.loads(await asyncio.wait_for(cy.recv(), WAIT_S))
            await cy.send(json.dumps({"type": "post", "id": 5, "room": begun["room"], "key": "m", "body": "hi"}))
            self.assertEqual(json.loads(await asyncio.wait_for(cy.recv(), WAIT_S))["id"], 5)
            await cy.send(json.dumps({"type": "join", "id": 1, "room": "lobby"}))
            await cy.send(json.dumps({"type": "post", "id": 2, "room": "lobby", "key": "k", "body": "hi"}))
            await cy.send(json.dumps({"type": "post", "id": 3, "room": "nowhere", "key": "l", "body": "hi"}))
            heard: list[dict] = []
            while not {1, 2, 3} <= {event.get("id") for event in heard} or heard[-1].get("kind") == "post":
                heard.append(json.loads(await asyncio.wait_for(cy.recv(), WAIT_S)))
            now = samples(self.daemon.port)
            for name, value in {
                "wsrelay_connections phase=open": 3, "wsrelay_connections phase=http": 1,
                "wsrelay_websockets kind=chat": 1, "wsrelay_websockets kind=relay": 2,
                "wsrelay_rooms kind=chat": 2, "wsrelay_rooms kind=relay": 1,
                "wsrelay_handshakes_total": 3, "wsrelay_handshake_failures_total reason=origin": 1,
                "wsrelay_messages_received_total": 9, "wsrelay_posts_total": 3, "wsrelay_entries_total kind=post": 3,
                "wsrelay_refusals_total code=no_room": 1,
                "wsrelay_logins_total outcome=registered": 1, "wsrelay_logins_total outcome=ok": 1,
                "wsrelay_logins_total outcome=refused": 1,
                "wsrelay_http_responses_total status=404": 1, "wsrelay_http_responses_total status=403": 1,
                "wsrelay_http_responses_total status=401": 1, "wsrelay_http_responses_total status=201": 1,
                "wsrelay_draining": 0,
            }.items():
                self.assertEqual(now.get(name), value, name)
            # Three messages to two members, and the post to its author.
            self.assertGreaterEqual(now["wsrelay_deliveries_total"], 7)
            self.assertGreater(now["wsrelay_sent_bytes_total"], 2 * 3 * 100)
            self.assertGreater(now["wsrelay_received_bytes_total"], 3 * 100)
            self.assertGreater(now["wsrelay_store_commit_seconds_count"], 0)
            self.assertEqual(now["wsrelay_store_queue_requests kind=write"], 0)
            await bo.close(1000)
            await cy.close(4321)
        await self.until(samples={
            "wsrelay_closes_total by=peer code=1000": 2, "wsrelay_closes_total by=peer code=3000": 1,
            "wsrelay_connections phase=open": 0, "wsrelay_websockets kind=chat": 0, "wsrelay_websockets kind=relay": 0,
            "wsrelay_rooms kind=relay": 0,
        })

    async def test_the_sum_of_bytes_is_what_went_over_the_wire(self):
        before = samples(self.daemon.port)["wsrelay_sent_bytes_total"]
        message = b"x" * 60_000
        async with join(self.daemon.ws("/relay/y"), compression=None) as ann, join(self.daemon.ws("/relay/y"), compression=None) as bo:
            for _ in range(50):
                await ann.send(message)
            for member in (ann, bo):
                for _ in range(50):
                    await asyncio.wait_for(member.recv(), WAIT_S)
        sent = samples(self.daemon.port)["wsrelay_sent_bytes_total"] - before
        payloads = 2 * 50 * len(message)
        self.assertGreater(sent, payloads)
        self.assertLess(sent, payloads + 30_000, "headers, two handshakes and one page of metrics are small")

    async def test_histograms_are_cumulative_and_end_with_all(self):
        for name in ("wsrelay_loop_turn_seconds", "wsrelay_store_turn_seconds", "wsrelay_store_commit_seconds"):
            family = families(self.daemon.port)[name]
            self.assertEqual(family.type, "histogram")
            buckets = [sample for sample in family.samples if sample.name.endswith("_bucket")]
            bounds = [float(bucket.labels["le"]) for bucket in buckets]
            counts = [bucket.value for bucket in buckets]
            self.assertEqual(bounds, sorted(bounds))
            self.assertEqual(counts, sorted(counts))
            self.assertEqual(bounds[-1], float("inf"))
            total = next(sample.value for sample in family.samples if sample.name.endswith("_count"))
            self.assertEqual(counts[-1], total)

    async def test_the_process_is_weighed(self):
        now = samples(self.daemon.port)
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text()
        rss = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
        self.assertAlmostEqual(now["process_resident_memory_bytes"], rss, delta=rss / 4)
        fds = len(list(pathlib.Path(f"/proc/{self.daemon.pid}/fd").iterdir()))
        self.assertAlmostEqual(now["process_open_fds"], fds, delta=2)
        self.assertGreater(now["process_max_fds"], now["process_open_fds"])
        self.assertGreater(now["process_cpu_seconds_total"], 0)

    async def test_no_stranger_makes_the_page_grow(self):
        """Once everything of a kind has been seen, more of it adds no line, whatever it is."""

        async def mischief(round_: int) -> int:
            for code in range(4000 + 20 * round_, 4020 + 20 * round_):
                async with join(self.daemon.ws("/echo")) as stranger:
                    await stranger.close(code)
            for number in range(20):
                name = f"r{round_}x{number}"
                ask(self.daemon.port, f"/{name}", method="PATCH")
                ask(self.daemon.port, f"/api/{name}", headers={name: name})
                ask(self.daemon.port, "/ws", headers={**HANDSHAKE, "Sec-WebSocket-Protocol": name})
                ask(self.daemon.port, "/echo", headers={**HANDSHAKE, "Origin": f"https://{name}.example"})
            async with join(self.daemon.ws(f"/ws?nick=r{round_}"), subprotocols=["wsrelay.v1"]) as rude:
                for number in range(20):
                    await rude.send(json.dumps({"type": f"t{number}", "id": number, "room": f"r{round_}"}))
                    await rude.send(json.dumps({"type": "join", "id": number, "room": f"r{round_}n{number}"}))
                for _ in range(41):
                    await asyncio.wait_for(rude.recv(), WAIT_S)
            return len(ask(self.daemon.port, "/metrics").text.splitlines())

        await mischief(0)
        first = await mischief(1)
        self.assertEqual([await mischief(round_) for round_ in (2, 3)], [first, first])

    async def test_the_table_in_the_readme_is_what_is_served(self):
        section = README.read_text().split("| metric | labels |")[1].split("\n\n")[0]
        rows = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
        told = {name: row for row in rows for name in re.findall(r"`([a-z_]+)`", row[1])}
        served = families(self.daemon.port)
        # The parser gives a counter's name without its suffix, as OpenMetrics has it.
        names = {name + ("_total" if family.type == "counter" else "") for name, family in served.items()}
        self.assertEqual(set(told), names)
        for family in served.values():
            row = told[family.name + ("_total" if family.type == "counter" else "")]
            self.assertEqual("histogram" in row[2], family.type == "histogram", family.name)
            labels = {label for sample in family.samples for label in sample.labels} - {"le"}
            self.assertLessEqual(labels, set(re.findall(r"`([a-z]+)`", row[2])), family.name)
            self.assertTrue(family.documentation.endswith("."), family.name)

    async def test_only_reading_is_answered(self):
        self.assertEqual(ask(self.daemon.port, "/metrics", method="POST").status, 405)
        head = ask(self.daemon.port, "/metrics", method="HEAD")
        self.assertEqual((head.status, head.text), (200, ""))


class Access(unittest.TestCase):
    def test_what_a_proxy_passes_on_is_not_the_operators(self):
        with Daemon("--log", "warn") as daemon:
            for field in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"):
                self.assertEqual(ask(daemon.port, "/metrics", headers={field: "for=203.0.113.9"}).status, 404, field)
            self.assertEqual(ask(daemon.port, "/metrics").status, 200)

    def test_an_entrance_of_their_own_takes_them_off_all_others(self):
        with tempfile.TemporaryDirectory() as directory:
            path = f"{directory}/metrics.sock"
            with Daemon("--log", "warn", "--metrics-listen", f"unix:{path}") as daemon:
                self.assertEqual(ask(daemon.port, "/metrics").status, 404)
                self.assertIn("wsrelay_connections", families(path))
                self.assertEqual(ask(path, "/healthz").text, "ok\n")
                for elsewhere in ("/", "/api/me", "/echo", "/ws"):
                    self.assertEqual(ask(path, elsewhere).status, 404, elsewhere)
                    self.assertEqual(ask(path, elsewhere, headers=HANDSHAKE).status, 404, elsewhere)

    def test_who_watches_is_let_in_when_nobody_else_is(self):
        with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as inside:
            path = f"{directory}/metrics.sock"
            daemon = inside.enter_context(
                Daemon("--log", "warn", "--max-connections", "3", "--metrics-listen", f"unix:{path}")
            )
            for _ in range(3):
                inside.enter_context(connect_and_wait(f"ws://127.0.0.1:{daemon.port}/echo"))
            self.assertEqual(ask(daemon.port, "/healthz").status, 503)
            for _ in range(20):
                self.assertEqual(ask(path, "/healthz").text, "ok\n")
            self.assertIn("wsrelay_connections", families(path))


if __name__ == "__main__":
    unittest.main()
