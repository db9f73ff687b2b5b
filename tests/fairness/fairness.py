"""Under any flood a bystander's round trips stay short: `fairness.py DAEMON [--slack N] [KIND...]`, a line for each kind of
flood. With slack they may take N times as long: where other work on the machine cannot be kept away, what still shows is a flood that
starves somebody.

The bystander talks to itself in a raw room and in the chat, posts that are committed to a file included, reads history and
searches, and never hears of the flood. The daemon has a log of some thousand posts. Measured from outside, in a process of its own. The machine may have other work: so the bystander is measured without a flood before each,
the server and the bystander go before others where that is allowed, and a flood that is over the limit is tried again,
since other work can only ever add to it. What is shown is the try that counts.
"""

import argparse
import http.client
import itertools
import json
import os
import queue
import resource
import subprocess
import sys
import tempfile
import threading
import time

import flood
from wire import Socket

MEASURED_SECONDS = 2
QUIET_SECONDS = 0.5
# Whoever reads the log or searches it waits for their turn among all others who do.
LIMITS_MS = {"relay": 50, "ping": 50, "post": 50, "look": 250, "search": 1000}
TRIPS = tuple(LIMITS_MS)
TRIES = 4


# What the lobby has in it, for floods and the bystander to read.
LOGGED_POSTS = 4000


class Daemon:
    def __init__(self, program):
        self.program, self.directory = program, tempfile.TemporaryDirectory()
        # One without limits, so that the log is soon full; and then one as it is by default.
        self.start("--post-rate", "0", "--command-rate", "0")
        self.fill()
        self.end()
        self.start()

    def start(self, *flags):
        data = f"{self.directory.name}/fairness.db"
        arguments = ["--listen", "127.0.0.1:0", "--data", data, "--log", "off", *flags]
        self.process = subprocess.Popen([self.program, *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True,
                                        preexec_fn=floods_as_anybody)
        line = self.process.stdout.readline().strip()
        host, port = line.removeprefix("listening on http://").rsplit(":", 1)
        self.address = (host, int(port))
        goes_first(self.process.pid)

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.end()
        self.directory.cleanup()

    def fill(self):
        writer = guest(self.address, "writer")
        writer.send({"type": "join", "id": 0, "room": "lobby"})
        for id in range(1, LOGGED_POSTS + 1):
            writer.send({"type": "post", "id": id, "room": "lobby", "key": str(id), "body": f"wo{id % 7} and word {id}"})
        writer.until(lambda event: event.get("id") == LOGGED_POSTS)
        writer.stream.close()


def guest(address, name):
    return Socket(address, f"/ws?nick={name}", "Sec-WebSocket-Protocol: wsrelay.v1")


def goes_first(process):
    """Other work on the machine shall not make this session wait, where the system allows to ask for that."""
    try:
        os.setpriority(os.PRIO_PROCESS, process, -19)
        with open(f"/proc/{process}/autogroup", "w") as autogroup:
            autogroup.write("-19")
    except (PermissionError, FileNotFoundError):
        pass


def measures_exactly():
    """Nor shall it delay what is measured."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        pass


def floods_as_anybody():
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def account(address, name):
    host, port = address
    body = json.dumps({"name": name, "password": "correct horse"})
    asks = http.client.HTTPConnection(host, int(port))
    asks.request("POST", "/api/register", body, {"Content-Type": "application/json"})
    token = json.load(asks.getresponse())["token"]
    asks.close()
    return Socket(address, "/ws", f"Sec-WebSocket-Protocol: wsrelay.v1, bearer.{token}")


class Bystander:
    """Five kinds of round trip, each every so many milliseconds, each in a thread of its own."""

    def __init__(self, address):
        self.writer = Socket(address, "/relay/bystanders?echo=off")
        self.reader = Socket(address, "/relay/bystanders?echo=off")
        self.pinger, self.looker, self.searcher = (guest(address, name) for name in ("pinger", "looker", "searcher"))
        self.poster = account(address, "poster")
        self.ids = itertools.count(1)
        # A room of its own: in the lobby it would hear of the flood.
        self.room = self.ask(self.poster, type="create", kind="group", name="quiet")["room"]

    def ask(self, who, **request):
        id = next(self.ids)
        who.send({"id": id, **request})
        answer = who.until(lambda event: event.get("id") == id)
        assert answer["type"] != "error", answer
        return answer

    def relay(self):
        self.writer.send(b"here")
        self.reader.receive()

    def ping(self):
        self.pinger.send({"type": "ping"})
        self.pinger.until(lambda event: event["type"] == "pong")

    def post(self):
        self.ask(self.poster, type="post", room=self.room, key=f"here{next(self.ids)}", body="here")

    def look(self):
        self.ask(self.looker, type="history", room="lobby", limit=20)

    def search(self):
        self.ask(self.searcher, type="search", room="lobby", query="word 39")

    def measure(self, seconds):
        """Milliseconds of each round trip, by kind."""
        kinds = [(self.relay, 0.005), (self.ping, 0.025), (self.post, 0.125), (self.look, 0.125), (self.search, 0.125)]
        results = queue.Queue()
        until = time.monotonic() + seconds

        def go(trip, every):
            times = []
            try:
                while time.monotonic() < until:
                    began = time.perf_counter()
                    trip()
                    took = time.perf_counter() - began
                    times.append(took * 1000)
                    time.sleep(max(0, every - took))  # the pace of somebody who does not flood
                results.put((trip.__name__, times))
            except Exception as error:
                results.put((trip.__name__, error))

        for kind in kinds:
            threading.Thread(target=go, args=kind, daemon=True).start()
        measured = dict(results.get(timeout=seconds + 60) for _ in kinds)
        for name, times in measured.items():
            if isinstance(times, Exception):
                raise AssertionError(f"the bystander's {name} failed") from times
        return measured


def p99(times):
    return sorted(times)[len(times) * 99 // 100]


def worst(measured):
    return max(max(measured[name]) for name in TRIPS)


def is_fair(measured, slack):
    return all(max(measured[name]) < limit * slack for name, limit in LIMITS_MS.items())


def attempt(daemon, bystander, kind):
    quiet = bystander.measure(QUIET_SECONDS)
    command = [sys.executable, flood.__file__, kind, *map(str, daemon.address)]
    flooding = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
                                preexec_fn=floods_as_anybody)
    try:
        assert flooding.stdout.readline() == "flooding\n", f"{kind} did not begin"
        used, began = daemon.processor_seconds(), time.monotonic()
        measured = bystander.measure(MEASURED_SECONDS)
        busy = (daemon.processor_seconds() - used) / (time.monotonic() - began)
        assert flooding.poll() is None, f"{kind} ended by itself"
    finally:
        flooding.stdin.close()
        flooding.wait()
    return quiet, measured, busy


def row(kind, quiet, measured, busy, tries, slack):
    cells = [f"{p99(measured[name]):6.1f} {max(measured[name]):6.1f}" for name in TRIPS]
    verdict = "" if is_fair(measured, slack) else "  OVER"
    print(f"{kind:18} {worst(quiet):8.1f}   {'   '.join(cells)}   {busy * 100:5.0f} %   {tries}{verdict}", flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--slack", type=float, default=1)
    options.add_argument("kinds", nargs="*", default=[flood.__name__ for flood in flood.KINDS])
    return run(**vars(options.parse_args()))


def run(program, slack, kinds):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    measures_exactly()
    print(f"{'':18} {'no flood':>8}   " + "   ".join(f"{name:>13}" for name in TRIPS) + "   server   tries")
    print(f"{'milliseconds':18} {'worst':>8}   " + "   ".join(["   p99  worst"] * len(TRIPS)))
    over = []
    for kind in kinds:
        daemon = Daemon(program)
        try:
            bystander = Bystander(daemon.address)
            for tries in range(1, TRIES + 1):
                quiet, measured, busy = attempt(daemon, bystander, kind)
                if is_fair(measured, slack):
                    break
            else:
                over.append(kind)
            row(kind, quiet, measured, busy, tries, slack)
        finally:
            daemon.stop()
    if over:
        print(f"over the limit each time: {', '.join(over)}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
