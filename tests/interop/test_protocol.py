"""The lines for curl in PROTOCOL.md, run as they stand there."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import unittest

from daemon import Daemon

PROTOCOL = pathlib.Path(__file__).parents[2] / "PROTOCOL.md"
BLOCK = re.compile(r"^```(sh|json \d{3})\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WAIT_S = 20


def examples() -> list[tuple[str, int | None, str]]:
    """Each command with the status and the body that the text promises, or none where it is only a step on the way."""
    blocks = BLOCK.findall(PROTOCOL.read_text())
    found: list[tuple[str, int | None, str]] = []
    for kind, text in blocks:
        if kind == "sh":
            found.append((text.strip(), None, ""))
        else:
            command, status, _ = found.pop()
            assert status is None, f"two answers to {command}"
            found.append((command, int(kind.removeprefix("json ")), text.strip()))
    return found


def agrees(told: object, promised: object) -> bool:
    """Whether an answer is what the text says; `…` there stands for any text."""
    if isinstance(promised, dict) and isinstance(told, dict):
        return told.keys() == promised.keys() and all(agrees(told[key], promised[key]) for key in promised)
    if isinstance(promised, list) and isinstance(told, list):
        return len(told) == len(promised) and all(map(agrees, told, promised))
    if isinstance(promised, str) and isinstance(told, str):
        return re.fullmatch(".*".join(map(re.escape, promised.split("…"))), told) is not None
    return type(told) is type(promised) and told == promised


class Protocol(unittest.TestCase):
    def test_every_curl_line_does_what_the_text_says(self):
        commands = examples()
        self.assertGreater(sum(status is not None for _, status, _ in commands), 10)
        with Daemon("--log", "warn") as daemon:
            variables = {"BASE": daemon.http(), "NO_PROXY": "*", "no_proxy": "*"}
            for command, status, promised in commands:
                with self.subTest(command):
                    if status is None:
                        variables |= self.set_by(command, variables)
                        continue
                    body, told_status = self.run_curl(command, variables)
                    self.assertEqual(told_status, status, body)
                    if promised:
                        self.assertTrue(agrees(json.loads(body), json.loads(promised)), body)
                    else:
                        self.assertEqual(body, "")

    def run_curl(self, command: str, variables: dict[str, str]) -> tuple[str, int]:
        self.assertTrue(command.startswith("curl -s "), command)
        told = self.sh(command.replace("curl -s ", r"curl -s -w '\n%{http_code}' ", 1), variables)
        body, _, status = told.rpartition("\n")
        return body.strip(), int(status)

    def set_by(self, command: str, variables: dict[str, str]) -> dict[str, str]:
        name = command.partition("=")[0]
        value = self.sh(f'{command}\nprintf %s "${name}"', variables)
        self.assertNotEqual(value, "", command)
        return {name: value}

    def sh(self, script: str, variables: dict[str, str]) -> str:
        done = subprocess.run(
            ["sh", "-c", script], env={**os.environ, **variables}, capture_output=True, text=True, timeout=WAIT_S, check=True
        )
        return done.stdout

    def test_what_does_not_agree_is_noticed(self):
        self.assertTrue(agrees({"a": "x-1", "b": [1, True]}, {"a": "x-…", "b": [1, True]}))
        for told in ({"a": "y-1", "b": [1, True]}, {"a": "x-1"}, {"a": "x-1", "b": [True, 1]}, {"a": "x-1", "b": [1]}, []):
            self.assertFalse(agrees(told, {"a": "x-…", "b": [1, True]}), told)


if __name__ == "__main__":
    unittest.main()
