"""The crowd of crowd.mjs, as a process: people who talk, and newcomers who come in without end."""

from __future__ import annotations

import json
import os
import pathlib
import select
import subprocess

CROWD = pathlib.Path(__file__).with_name("crowd.mjs")
PEOPLE = 8
WAIT_S = 120.0


class Crowd:
    """Until it has told its `story`; killed if it has not when the block ends."""

    def __init__(self, url: str, certificate: pathlib.Path | None = None) -> None:
        self._command = [os.environ["NODE"], str(CROWD), url, str(PEOPLE)]
        self._env = {**os.environ, **({"NODE_EXTRA_CA_CERTS": str(certificate)} if certificate else {})}

    def __enter__(self) -> Crowd:
        self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self._env)
        line = self._line()
        assert line == b"ready\n", line
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def _line(self) -> bytes:
        assert select.select([self._process.stdout], [], [], WAIT_S)[0], "the crowd says nothing"
        return self._process.stdout.readline()

    def story(self) -> dict:
        """Ends it; what it has seen."""
        self._process.stdin.close()
        return json.loads(self._line())
