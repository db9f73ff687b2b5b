"""The operator's commands, on a file that a daemon has and on one that none has."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import pty
import re
import select
import stat
import subprocess
import tempfile
import termios
import time
import unittest

from daemon import Daemon
from test_chat import ChatCase

WAIT_S = 20
README = pathlib.Path(__file__).resolve().parents[2] / "README.md"


class Operator(ChatCase):
    """Each test has a directory with a data file in it, and starts daemons as it likes."""

    def setUp(self) -> None:
        super().setUp()
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.file = self.directory / "chat.db"

    def start(self, *flags: str) -> contextlib.AbstractContextManager[Daemon]:
        return Daemon("--data", str(self.file), "--log", "warn", *flags)

    def run_command(self, *args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "WSRELAY_DATA": str(self.file)}
        return subprocess.run(
            [os.environ["WSRELAY_BIN"], *args], input=stdin, capture_output=True, text=True, timeout=WAIT_S,
            env=environment, check=False,
        )

    def succeed(self, *args: str, stdin: str = "") -> str:
        done = self.run_command(*args, stdin=stdin)
        self.assertEqual((done.returncode, done.stderr), (0, ""), args)
        return done.stdout

    def fail_with(self, says: str, *args: str, stdin: str = "", status: int = 1) -> None:
        done = self.run_command(*args, stdin=stdin)
        self.assertEqual(done.returncode, status, args)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(says, done.stderr)

    def log_in(self, daemon: Daemon, name: str, password: str) -> tuple[int, str]:
        status, body = self.call("POST", "/api/login", {"name": name, "password": password}, daemon=daemon)
        return status, body.get("token", "")

    def call(self, *args, daemon: Daemon | None = None, **named):
        ours, self.daemon = self.daemon, daemon or self.daemon
        try:
            return super().call(*args, **named)
        finally:
            self.daemon = ours

    def users(self) -> dict[str, list[str]]:
        head, *lines = self.succeed("user", "list").splitlines()
        self.assertEqual(head.split(), ["NAME", "STATE", "LOG-INS", "CREATED", "LAST", "SEEN"])
        return {fields[0]: fields[1:] for fields in map(str.split, lines)}


class Accounts(Operator):
    async def test_accounts_are_made_and_changed_before_the_first_start(self):
        said = self.succeed("user", "add", "Ann", stdin="correct horse\nnot this\n")
        self.assertEqual(said, f"{self.file} was not there, and is made anew\n")
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        self.fail_with("name is taken", "user", "add", "ann", stdin="correct horse\n")
        self.fail_with("at least 8", "user", "add", "bo", stdin="short\n")
        self.fail_with("no password", "user", "add", "bo", stdin="")
        self.fail_with("no account", "user", "passwd", "bo", stdin="correct horse\n")
        self.fail_with("no account", "user", "disable", "bo")
        self.assertEqual([self.users()[name][0] for name in self.users()], ["active"])
        with self.start() as daemon:
            self.assertEqual(self.log_in(daemon, "ann", "correct horse")[0], 200)
            ann = await self.open("/ws", ["wsrelay.v1", f"bearer.{self.log_in(daemon, 'ann', 'correct horse')[1]}"], daemon)
            self.assertEqual(ann.welcome["rooms"][0]["role"], "owner")
            await ann.leave()
        self.succeed("user", "disable", "ann")
        self.assertEqual(self.users()["Ann"][:2], ["disabled", "0"])
        with self.start() as daemon:
            self.assertEqual(self.log_in(daemon, "ann", "correct horse")[0], 401)
        self.succeed("user", "passwd", "ann", stdin="battery staple\n")
        with self.start() as daemon:
            self.assertEqual(self.log_in(daemon, "ann", "battery staple")[0], 200)

    async def test_a_running_daemon_obeys_at_once(self):
        with self.start("--registration", "closed") as daemon:
            control = pathlib.Path(f"{self.file}-control")
            self.assertEqual(stat.S_IMODE(control.stat().st_mode), 0o600)
            self.succeed("user", "add", "ann", stdin="correct horse\n")
            self.fail_with("name is taken", "user", "add", "ann", stdin="correct horse\n")
            self.fail_with("no account", "user", "disable", "bo")
            status, token = self.log_in(daemon, "ann", "correct horse")
            self.assertEqual(status, 200)
            ann = await self.open("/ws", ["wsrelay.v1", f"bearer.{token}"], daemon)
            self.succeed("user", "passwd", "ann", stdin="battery staple\n")
            self.assertEqual(await ann.close_code(), 4501)
            self.assertEqual(self.log_in(daemon, "ann", "correct horse")[0], 401)
            status, token = self.log_in(daemon, "ann", "battery staple")
            ann = await self.open("/ws", ["wsrelay.v1", f"bearer.{token}"], daemon)
            self.assertEqual(self.users()["ann"][:2], ["active", "1"])
            self.succeed("user", "disable", "ann")
            self.assertEqual(await ann.close_code(), 4501)
            again = await self.knock("/ws", ["wsrelay.v1", f"bearer.{token}"], daemon)
            self.assertEqual(await again.close_code(), 4501)
            self.assertEqual(self.log_in(daemon, "ann", "battery staple")[0], 401)
            self.assertEqual(self.users()["ann"][:2], ["disabled", "0"])
        self.assertFalse(control.exists())

    @unittest.skipIf(os.geteuid(), "only root makes files for others")
    async def test_what_root_makes_in_the_daemons_directory_is_the_daemons(self):
        os.chown(self.directory, 65534, 65534)
        self.succeed("user", "add", "ann", stdin="correct horse\n")
        for file in self.directory.iterdir():
            self.assertEqual((file.stat().st_uid, file.stat().st_gid), (65534, 65534), file)

    async def test_what_a_killed_daemon_leaves_behind_is_in_nobodys_way(self):
        with self.start() as daemon:
            daemon.kill()
        self.assertTrue(pathlib.Path(f"{self.file}-control").is_socket())
        self.succeed("user", "add", "ann", stdin="correct horse\n")
        with self.start() as daemon:
            self.succeed("user", "add", "bo", stdin="correct horse\n")
            self.assertEqual(self.log_in(daemon, "ann", "correct horse")[0], 200)

    async def test_a_daemon_that_takes_no_orders_is_not_gone_round(self):
        with self.start():
            os.unlink(f"{self.file}-control")
            self.fail_with("stop it first", "user", "add", "ann", stdin="correct horse\n")
            self.assertEqual(self.users(), {})

    async def test_at_a_terminal_a_password_is_asked_for_twice_and_not_shown(self):
        status, shown = at_terminal([os.environ["WSRELAY_BIN"], "user", "add", "ann", "--data", str(self.file)],
                                    ["correct horse", "correct horse"])
        self.assertEqual(status, 0, shown)
        self.assertNotIn("horse", shown)
        self.assertEqual(list(self.users()), ["ann"])
        status, shown = at_terminal([os.environ["WSRELAY_BIN"], "user", "passwd", "ann", "--data", str(self.file)],
                                    ["correct horse", "battery staple"])
        self.assertEqual(status, 1, shown)
        self.assertIn("not the same", shown)

    async def test_bad_usage_is_told_apart_from_failure(self):
        for args in (("user",), ("user", "add"), ("user", "add", "ann", "secret"), ("export",), ("backup",), ("user", "add", "a b")):
            self.fail_with("error:", *args, status=2)
        for args in (("user", "list"), ("export", "--all"), ("backup", str(self.directory / "copy")), ("user", "disable", "ann")):
            self.fail_with("chat.db", *args)
        self.assertFalse(self.file.exists())


class Files(Operator):
    async def test_an_export_has_what_the_history_has_and_the_log_as_it_is(self):
        with self.start() as daemon:
            ann = await self.open("/ws?nick=ann", ["wsrelay.v1"], daemon)
            joined = await ann.ask("join", room="lobby")
            kept = await ann.ask("post", room="lobby", key="k", body='"quoted"\nand 🎉')
            gone = await ann.ask("post", room="lobby", body="regretted")
            await ann.ask("edit", room="lobby", seq=kept["seq"], body="final")
            await ann.ask("delete", room="lobby", seq=gone["seq"])
            lines = self.succeed("export", "lobby").splitlines()
            second = await self.open("/ws?nick=bo", ["wsrelay.v1"], daemon)
            await second.ask("join", room="lobby", since={"epoch": joined["epoch"], "seq": 0})
            replayed = [await second.hear("entry") for _ in lines]
            self.assertEqual([json.loads(line) for line in lines], replayed)
            self.assertEqual([entry["kind"] for entry in replayed], ["post", "post", "edit", "delete"])
            self.assertTrue(replayed[1]["deleted"])
            self.assertNotIn("regretted", "".join(lines))
            for chatter in (ann, second):
                await chatter.leave()
        self.assertEqual(self.succeed("export", "--all").splitlines(), lines)
        self.assertEqual(self.succeed("export", "LOBBY", "--data", str(self.file)).splitlines(), lines)
        self.fail_with("no room tea", "export", "tea")

    async def test_of_a_damaged_file_all_can_be_had_that_is_whole(self):
        with self.start() as daemon:
            ann = await self.open("/ws?nick=ann", ["wsrelay.v1"], daemon)
            await ann.ask("join", room="lobby")
            for body in ("first words", "spoilt words", "last words"):
                await ann.ask("post", room="lobby", body=body)
            await ann.leave()
        content = self.file.read_bytes()
        self.assertEqual(content.count(b"spoilt words"), 1)
        self.file.write_bytes(content.replace(b"spoilt", b"Spoilt"))
        which = f"{self.file}, room lobby, entry 2: "
        stopped = self.run_command("export", "--all")
        self.assertEqual((stopped.returncode, len(stopped.stdout.splitlines())), (1, 1))
        self.assertIn(which, stopped.stderr)
        skipped = self.run_command("export", "--all", "--skip-damaged")
        self.assertEqual(skipped.returncode, 1)
        self.assertEqual([json.loads(line)["body"] for line in skipped.stdout.splitlines()], ["first words", "last words"])
        self.assertIn(which, skipped.stderr)
        self.assertIn("damaged entries left out: 1", skipped.stderr)
        looked = self.run_command("doctor")
        self.assertEqual(looked.returncode, 1)
        self.assertIn("damaged: entry 2 of room lobby cannot be read", looked.stdout)

    async def test_a_backup_is_put_back_as_the_readme_says(self):
        copy = self.directory / "copy.db"
        with self.start() as daemon:
            self.succeed("user", "add", "ann", stdin="correct horse\n")
            self.succeed("backup", str(copy))
            self.succeed("user", "add", "bo", stdin="correct horse\n")
            daemon.kill()
        self.assertGreater(pathlib.Path(f"{self.file}-wal").stat().st_size, 0)
        section = README.read_text().split("\nA backup is restored by")[1].split("```")[1]
        commands = [line.removeprefix("$ ") for line in section.splitlines() if line.startswith("$ ")]
        self.assertEqual(len(commands), 2)
        for command in commands:
            command = re.sub(r"/backups/\S+", str(copy), command)
            subprocess.run(["sh", "-c", command.replace("wsrelay.db", str(self.file))], check=True, timeout=WAIT_S)
        with self.start() as daemon:
            self.assertEqual(self.log_in(daemon, "ann", "correct horse")[0], 200)
            self.assertEqual(self.log_in(daemon, "bo", "correct horse")[0], 401)
            self.assertEqual(list(self.users()), ["ann"])

    async def test_a_backup_is_a_file_that_goes_on(self):
        copy = self.directory / "copy.db"
        with self.start() as daemon:
            ann = await self.open("/ws?nick=ann", ["wsrelay.v1"], daemon)
            await ann.ask("join", room="lobby")
            posted = await ann.ask("post", room="lobby", body="before")
            self.succeed("backup", str(copy))
            await ann.ask("post", room="lobby", body="after")
            self.fail_with("there already", "backup", str(copy))
            await ann.leave()
        self.assertEqual(sorted(path.name for path in self.directory.iterdir() if "copy" in path.name), ["copy.db"])
        self.file = copy
        with self.start() as daemon:
            bo = await self.open("/ws?nick=bo", ["wsrelay.v1"], daemon)
            joined = await bo.ask("join", room="lobby")
            self.assertEqual(joined["seq"], posted["seq"])
            await bo.leave()


def at_terminal(command: list[str], answers: list[str]) -> tuple[int, str]:
    """Runs a command at a terminal of its own and types an answer to each question, once what is typed is not shown any more.
    Its status, and all that was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    shown, deadline = b"", time.monotonic() + WAIT_S
    try:
        while time.monotonic() < deadline:
            asks = answers and shown.rstrip(b"\r\n").endswith(b": ")
            if asks and not termios.tcgetattr(terminal)[3] & termios.ECHO:
                os.write(terminal, answers.pop(0).encode() + b"\n")
                shown += b"\n(answered)\n"
            if not select.select([terminal], [], [], 0.01)[0]:
                continue
            try:
                read = os.read(terminal, 1024)
            except OSError:  # how Linux says that the other side has closed
                break
            shown += read
    finally:
        os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), shown.decode()
