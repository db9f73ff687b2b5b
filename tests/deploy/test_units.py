"""deploy/wsrelay.service and its socket: what systemd makes of them, and whether the daemon can live by them."""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import tempfile
import unittest

from asking import ask
from supervisor import Ear, Service, listening
from websockets.asyncio.client import connect

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
WAIT_S = 20.0
# Of ten, where 10 is a service that nothing is kept from. See systemd-analyze(1).
EXPOSURE_MAX = 1.0


def settings(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / unit).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            found.setdefault(name, []).append(value)
    return found


def analyze(*arguments: str) -> subprocess.CompletedProcess:
    command = [os.environ["SYSTEMD_ANALYZE"], "--no-pager", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


class Verdict(unittest.TestCase):
    def setUp(self) -> None:
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.units = []
        for name in ("wsrelay.service", "wsrelay.socket"):
            text = (DEPLOY / name).read_text()
            # The executable that is named must be there.
            text = text.replace("/usr/local/bin/wsrelay", os.environ["WSRELAY_BIN"])
            (directory / name).write_text(text)
            self.units.append(str(directory / name))

    def test_systemd_has_nothing_to_complain_of(self):
        verified = analyze("verify", *self.units)
        self.assertEqual((verified.returncode, verified.stderr), (0, ""))

    def test_systemd_would_complain(self):
        service = pathlib.Path(self.units[0])
        service.write_text(service.read_text() + "\n[Service]\nProtectSystem=somewhat\nNoSuchThing=yes\n")
        self.assertIn("NoSuchThing", analyze("verify", *self.units).stderr)

    def test_the_other_door_is_where_nginx_looks_for_it(self):
        other = re.findall(r"^# ((?:ListenStream|SocketGroup|SocketMode)=.*)$", (DEPLOY / "wsrelay.socket").read_text(), re.M)
        path = other[0].removeprefix("ListenStream=")
        self.assertEqual(len(other), 3)
        nginx = (DEPLOY / "nginx.conf").read_text()
        self.assertIn(f"# server unix:{path};\n", nginx)
        self.assertIn(f" --listen unix:{path}\n", nginx)
        socket_unit = pathlib.Path(self.units[1])
        socket_unit.write_text(re.sub(r"^ListenStream=.*$", "\n".join(other), socket_unit.read_text(), flags=re.M))
        verified = analyze("verify", *self.units)
        self.assertEqual((verified.returncode, verified.stderr), (0, ""))

    def test_little_is_exposed(self):
        told = analyze("security", "--offline=yes", self.units[0]).stdout
        exposure = float(re.search(r"Overall exposure level for wsrelay\.service: ([\d.]+)", told)[1])
        self.assertLessEqual(exposure, EXPOSURE_MAX, told)
        print(f"exposure {exposure} of 10 ... ", end="", flush=True)


def named_calls(sets: list[str]) -> set[str]:
    """The system calls that systemd means by these names of sets."""
    calls: set[str] = set()
    for name in sets:
        if not name.startswith("@"):
            calls.add(name)
            continue
        lines = analyze("syscall-filter", name).stdout.splitlines()
        inside = [line.strip() for line in lines if line.startswith("    ") and not line.strip().startswith("#")]
        calls |= named_calls(inside)
    return calls


class Life(unittest.IsolatedAsyncioTestCase):
    """A whole life as the unit has it, under strace."""

    async def test_it_needs_nothing_that_the_unit_forbids(self):
        service, socket_unit = settings("wsrelay.service"), settings("wsrelay.socket")
        directory = self.enterContext(tempfile.TemporaryDirectory())
        command = shlex.split(service["ExecStart"][0].replace("%S", directory))
        pathlib.Path(directory, *service["StateDirectory"]).mkdir(mode=0o700)
        ear = self.enterContext(Ear(directory))
        public = self.enterContext(listening())
        trace = f"{directory}/trace"
        watchdog_us = int(float(service["WatchdogSec"][0]) * 1e6)
        environment = {"WATCHDOG_USEC": str(watchdog_us), "LISTEN_FDNAMES": socket_unit["FileDescriptorName"][0]}
        traced = Service([public], *command[1:], ear=ear, env=environment, within=[os.environ["STRACE"], "-f", "-o", trace])
        with traced as process:
            await asyncio.to_thread(ear.hear_of, "READY=1")
            await asyncio.to_thread(ear.hear_of, "WATCHDOG=1")
            await self.session(public.getsockname()[1])
            for child in self.children(process.pid):
                os.kill(child, signal.SIGTERM)
            await asyncio.to_thread(ear.hear_of, "STOPPING=1")
            self.assertEqual(await asyncio.to_thread(process.wait), 0)
        self.assertTrue(pathlib.Path(directory, "wsrelay", "wsrelay.db").exists())
        self.judge(pathlib.Path(trace).read_text(), service)

    def children(self, pid: int) -> list[int]:
        tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]

    async def session(self, port: int) -> None:
        async def asked(*arguments, **options):
            return await asyncio.to_thread(ask, port, *arguments, **options)

        account = {"name": "ann", "password": "correct horse"}
        token = (await asked("/api/register", method="POST", body=account)).json()["token"]
        await asked("/api/login", method="POST", body=account)
        self.assertEqual((await asked("/metrics")).status, 200)
        subprotocols = ["wsrelay.v1", f"bearer.{token}"]
        async with connect(f"ws://127.0.0.1:{port}/ws", subprotocols=subprotocols, proxy=None) as ann:
            requests = (
                {"type": "join", "room": "lobby"}, {"type": "post", "room": "lobby", "key": "k", "body": "a word"},
                {"type": "history", "room": "lobby", "limit": 5}, {"type": "search", "query": "word"},
                {"type": "create", "kind": "group", "name": "Team"},
            )
            for number, request in enumerate(requests, start=1):
                await ann.send(json.dumps({**request, "id": number}))
                async with asyncio.timeout(WAIT_S):
                    while (event := json.loads(await ann.recv())).get("id") != number:
                        pass
                self.assertEqual(event["type"], "ok", event)
        async with connect(f"ws://127.0.0.1:{port}/relay/x", proxy=None) as raw:
            await raw.send("x" * 60_000)
            await asyncio.wait_for(raw.recv(), WAIT_S)

    def judge(self, trace: str, service: dict[str, list[str]]) -> None:
        # From where strace has become the daemon.
        life = trace[trace.rindex("execve(") :]
        lines = [line.split(maxsplit=1)[-1] for line in life.splitlines()]
        called = {found[1] for line in lines if (found := re.match(r"(?:<\.\.\. )?(\w+)(?:\(| resumed>)", line))}
        self.assertLessEqual({"accept4", "clone3", "fsync"}, called, "the trace has what the daemon did")
        admitted = named_calls(service["SystemCallFilter"][0].split())
        forbidden = named_calls(service["SystemCallFilter"][1].removeprefix("~").split())
        # Where SQLite is root, as it may be here, it gives its files to whom the first belongs.
        needed = called - {"execve", *(["fchown"] if os.geteuid() == 0 else [])}
        self.assertEqual(needed - (admitted - forbidden), set())
        print(f"{len(called)} system calls, all admitted ... ", end="", flush=True)

        families = set(re.findall(r"\bsocket\((AF_\w+)", life)) | set(re.findall(r"\bsocketpair\((AF_\w+)", life))
        self.assertLessEqual(families, set(service["RestrictAddressFamilies"][0].split()))
        # MemoryDenyWriteExecute=
        self.assertEqual([line for line in lines if "PROT_WRITE|PROT_EXEC" in line], [])
        self.assertEqual([line for line in lines if line.startswith(("mprotect(", "pkey_mprotect(")) and "PROT_EXEC" in line], [])
        # ProtectSystem=strict: it writes in its own directory alone, and to what it was handed.
        opened = re.findall(r'open(?:at)?\((?:AT_FDCWD, )?"([^"]+)", [^)]*O_(?:WRONLY|RDWR|CREAT)', life)
        outside = {path for path in opened if "/wsrelay/wsrelay.db" not in path and path != "/dev/null"}
        self.assertEqual(outside, set())

    def test_times_fit_together(self):
        service = settings("wsrelay.service")
        drain = subprocess.run([os.environ["WSRELAY_BIN"], "--help"], capture_output=True, text=True, check=True).stdout
        default = int(re.search(r"WSRELAY_DRAIN_SECONDS=\]\s*\[default: (\d+)\]|\[default: (\d+)\]", drain.split("drain-seconds")[1])[0].split()[-1].strip("]"))
        self.assertGreater(int(service["TimeoutStopSec"][0]), default + 10)
        self.assertGreaterEqual(int(service["TimeoutStartSec"][0]), 60)


if __name__ == "__main__":
    unittest.main()
