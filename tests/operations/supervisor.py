"""What systemd does to a process, without systemd: see sd_listen_fds(3), sd_notify(3) and sd_watchdog_enabled(3)."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

WAIT_S = 20.0
# Puts descriptors where a supervisor would, names them, and becomes the daemon.
BECOME = """
import fcntl, os, sys
pid, fds, command = sys.argv[1], [int(fd) for fd in sys.argv[2].split(",") if fd], sys.argv[3:]
high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in fds]
for place, fd in enumerate(high, start=3):
    os.dup2(fd, place, inheritable=True)
    os.close(fd)
if fds:
    os.environ["LISTEN_FDS"] = str(len(fds))
    os.environ["LISTEN_PID"] = pid or str(os.getpid())
os.execv(command[0], command)
"""


def listening(path: str | None = None) -> socket.socket:
    """A socket with a long queue, held by whoever calls this."""
    made = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    made.bind(path or ("127.0.0.1", 0))
    made.listen(4096)
    return made


class Ear:
    """The far end of NOTIFY_SOCKET."""

    def __init__(self, directory: str) -> None:
        self.path = f"{directory}/notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def hear(self, wait_s: float = WAIT_S) -> str | None:
        """The next message, or None if none comes."""
        if not select.select([self._socket], [], [], wait_s)[0]:
            return None
        return self._socket.recv(4096).decode()

    def hear_of(self, word: str) -> float:
        """Waits for a message with this in it; answers with when it came."""
        deadline = time.monotonic() + WAIT_S
        while (message := self.hear(max(0.0, deadline - time.monotonic()))) is not None:
            if word in message.splitlines():
                return time.monotonic()
        raise AssertionError(f"{word} was never said")

    def drop_all(self) -> None:
        while self.hear(0.1) is not None:
            pass


class Service:
    """One process with these sockets, from 3 on. It is killed if it is still there when the block ends."""

    def __init__(
        self,
        sockets: list,
        *flags: str,
        ear: Ear | None = None,
        env: dict[str, str] | None = None,
        pid: str = "",
        within: list[str] | None = None,
    ) -> None:
        place = () if "--data" in flags else ("--memory",)
        daemon = [os.environ["WSRELAY_BIN"], "--listen", "127.0.0.1:0", *place, *flags]
        fds = ",".join(str(each.fileno()) for each in sockets)
        self._command = [*(within or []), sys.executable, "-c", BECOME, pid, fds, *daemon]
        self._fds = [each.fileno() for each in sockets]
        notify = {"NOTIFY_SOCKET": ear.path} if ear else {}
        self._env = {"WSRELAY_DRAIN_SECONDS": "0", **os.environ, **notify, **(env or {})}
        self._out, self._err = tempfile.TemporaryFile(), tempfile.TemporaryFile()

    def __enter__(self) -> Service:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=self._out, stderr=self._err, env=self._env, pass_fds=self._fds
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._out.close()
        self._err.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lines(self) -> list[str]:
        self._out.seek(0)
        return self._out.read().decode().splitlines()

    def stderr(self) -> str:
        self._err.seek(0)
        return self._err.read().decode()

    def signal(self, which: signal.Signals) -> None:
        self._process.send_signal(which)

    def wait(self) -> int:
        return self._process.wait(WAIT_S)

    def end(self) -> int:
        self.signal(signal.SIGTERM)
        return self.wait()
