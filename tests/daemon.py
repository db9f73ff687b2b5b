"""One wsrelay daemon, started for a test and ended by its process id.

    with Daemon("--relay", "off") as daemon:
        daemon.ws("/echo"), daemon.http("/")

It listens on a free port of 127.0.0.1, and is ready when its first line is: that line is the promise, so nothing here waits by guessing.
The executable is $WSRELAY_BIN. When told to end it closes all connections at once, unless flags say otherwise. Without `--data` among its flags it keeps everything in memory.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import tempfile
import time

READY_S = 10.0
EXIT_S = 15.0


def end(process: subprocess.Popen[bytes], timeout_s: float = EXIT_S) -> None:
    """Ends a program that stands beside the daemon, with SIGTERM. One that outstays the deadline is killed, and that is an error."""
    process.terminate()
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


class Daemon:
    """`with` starts it; leaving the block ends it with SIGTERM and insists on status 0."""

    def __init__(self, *flags: str, env: dict[str, str] | None = None, stderr: int | None = None) -> None:
        place = () if "--data" in flags else ("--memory",)
        self._command = [os.environ["WSRELAY_BIN"], "--listen", "127.0.0.1:0", *place, *flags]
        self._env = {"WSRELAY_DRAIN_SECONDS": "0", **os.environ, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr = tempfile.TemporaryFile()
        self._stderr_to = self._stderr if stderr is None else stderr
        self.first_line = ""
        self._status = 0

    def __enter__(self) -> Daemon:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._stderr_to, env=self._env
        )
        try:
            self.first_line = self._read_first_line()
        except BaseException:
            self._process.kill()
            self.wait()
            self._stderr.close()
            raise
        return self

    def __exit__(self, exc_type: object, *_: object) -> None:
        with self._stderr:
            status = self.terminate()
            # A test that failed already has more to say than the exit status.
            if status != self._status and exc_type is None:
                raise AssertionError(f"the daemon ended with {status}:\n{self.stderr()}")

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def port(self) -> int:
        found = re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)", self.first_line)
        assert found, f"the first line is {self.first_line!r}"
        return int(found[1])

    def http(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def ws(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}{path}"

    def signal(self, which: signal.Signals) -> None:
        assert self._process is not None, "not started"
        self._process.send_signal(which)

    def kill(self) -> None:
        """Ends it at once, as a crash does. Leaving the block insists on that then."""
        self._status = -signal.SIGKILL
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self, timeout_s: float = EXIT_S) -> int:
        """The exit status; a daemon that outstays the deadline is killed, and that is an error."""
        assert self._process is not None, "not started"
        try:
            status = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise AssertionError(
                f"the daemon was still running after {timeout_s} s:\n{self.stderr()}"
            ) from None
        finally:
            if self._process.stdout:
                self._process.stdout.close()
        return status

    def terminate(self) -> int:
        assert self._process is not None, "not started"
        if self._process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def stderr(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")

    def _read_first_line(self) -> str:
        assert self._process is not None and self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        deadline = time.monotonic() + READY_S
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise AssertionError(f"no first line within {READY_S} s:\n{self.stderr()}")
                byte = os.read(pipe, 1)
                if not byte:
                    raise AssertionError(f"ended before its first line:\n{self.stderr()}")
                line += byte
        return line.decode().rstrip("\n")
