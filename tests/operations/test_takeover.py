"""A new process takes over from the old one under people who talk and newcomers who come in without end."""

from __future__ import annotations

import signal
import tempfile
import time
import unittest

from asking import ask
from crowd import PEOPLE, Crowd
from supervisor import Ear, Service, listening

WAIT_S = 120.0


class TakeOver(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = self.enterContext(tempfile.TemporaryDirectory())
        self.ear = self.enterContext(Ear(self.directory))
        self.public = self.enterContext(listening())
        self.port = self.public.getsockname()[1]

    def start(self, drain_s: int) -> Service:
        flags = ("--data", f"{self.directory}/chat.db", "--drain-seconds", str(drain_s), "--post-rate", "0", "--command-rate", "0")
        return self.enterContext(Service([self.public], *flags, ear=self.ear))

    def posts(self) -> float:
        text = ask(self.port, "/metrics").text
        return float(next(line.split()[1] for line in text.splitlines() if line.startswith("wsrelay_posts_total")))

    def until_they_talk(self) -> None:
        deadline = time.monotonic() + WAIT_S
        while self.posts() < 3 * PEOPLE:
            self.assertLess(time.monotonic(), deadline, "nobody talks")

    def check(self, story: dict, restarts: int) -> None:
        newcomers = story["newcomers"]
        self.assertEqual(newcomers["refused"], [])
        self.assertEqual(newcomers["granted"] + newcomers["answered"], newcomers["attempts"])
        self.assertGreater(newcomers["attempts"], 50)
        self.assertEqual((story["lost"], story["twice"], story["misheard"]), ([], 0, []))
        self.assertGreater(story["acknowledged"], 3 * PEOPLE * restarts)
        self.assertTrue(all(returns >= 1 for returns in story["returns"]), story["returns"])
        print(f"{restarts} restarts: {newcomers['attempts']} attempts to come in, none refused; "
              f"{story['acknowledged']} posts acknowledged, none lost or doubled; all heard all ... ", end="", flush=True)

    def test_one_after_the_other_as_a_supervisor_restarts_them(self):
        service = self.start(drain_s=0)
        self.ear.hear_of("READY=1")
        with Crowd(f"http://127.0.0.1:{self.port}") as crowd:
            for _ in range(3):
                self.until_they_talk()
                self.assertEqual(service.end(), 0)
                service = self.start(drain_s=0)
                self.ear.hear_of("READY=1")
            self.until_they_talk()
            self.check(crowd.story(), restarts=3)
        self.assertEqual(service.end(), 0)

    def test_the_next_is_there_before_the_last_has_gone(self):
        service = self.start(drain_s=1)
        self.ear.hear_of("READY=1")
        with Crowd(f"http://127.0.0.1:{self.port}") as crowd:
            for _ in range(2):
                self.until_they_talk()
                successor = self.start(drain_s=1)
                self.ear.hear_of("STATUS=waiting for the data file")
                service.signal(signal.SIGTERM)
                self.ear.hear_of("READY=1")
                self.assertEqual(service.wait(), 0)
                service = successor
            self.until_they_talk()
            self.check(crowd.story(), restarts=2)
        self.assertEqual(service.end(), 0)


if __name__ == "__main__":
    unittest.main()
