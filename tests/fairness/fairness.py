"""Under any flood a bystander's round trips stay short: `fairness.py DAEMON [KIND...]`, a line for each kind of flood.

The bystander talks to itself in a raw room and in the chat, posts included, and never hears of the flood. Measured from
outside, in a process of its own. The machine may have other work: so the bystander is measured without a flood before each,
the server and the bystander go before others where that is allowed, and a flood that is over the limit is tried again,
since other work can only ever add to it. What is shown is the try that counts.
"""

import os
import queue
import resource
import subprocess
import sys
import threading
import time

import flood
from wire import Socket

MEASURED_SECONDS = 4
QUIET_SECONDS = 1
LIMIT_MS = 50
TRIES = 4


class Daemon:
    def __init__(self, program):
        arguments = ["--listen", "127.0.0.1:0", "--memory", "--log", "off"]
        self.process = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True,
                                        preexec_fn=floods_as_anybody)
        line = self.process.stdout.readline().strip()
        host, port = line.removeprefix("listening on http://").rsplit(":", 1)
        self.address = (host, int(port))
        goes_first(self.process.pid)

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.kill()
        self.process.wait()


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


class Bystander:
    """Three kinds of round trip, each every few milliseconds, each in a thread of its own."""

    def __init__(self, address):
        self.writer = Socket(address, "/relay/bystanders?echo=off")
        self.reader = Socket(address, "/relay/bystanders?echo=off")
        protocol = "Sec-WebSocket-Protocol: wsrelay.v1"
        self.pinger = Socket(address, "/ws?nick=pinger", protocol)
        self.poster = Socket(address, "/ws?nick=poster", protocol)
        self.poster.until(lambda event: event["type"] == "welcome")
        self.poster.send({"type": "create", "id": 1, "kind": "invite"})
        self.room = self.poster.until(lambda event: event.get("id") == 1)["room"]
        self.poster.send({"type": "join", "id": 2, "room": self.room})
        self.poster.until(lambda event: event.get("id") == 2)
        self.posted = 2

    def relay(self):
        self.writer.send(b"here")
        self.reader.receive()

    def ping(self):
        self.pinger.send({"type": "ping"})
        self.pinger.until(lambda event: event["type"] == "pong")

    def post(self):
        self.posted += 1
        self.poster.send({"type": "post", "id": self.posted, "room": self.room, "key": str(self.posted), "body": "here"})
        answer = self.poster.until(lambda event: event.get("id") == self.posted)
        assert answer["type"] == "ok", answer

    def measure(self, seconds):
        """Milliseconds of each round trip, by kind."""
        kinds = [(self.relay, 0.005), (self.ping, 0.025), (self.post, 0.125)]
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
    return max(max(times) for times in measured.values())


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


def row(kind, quiet, measured, busy, tries):
    cells = [f"{p99(measured[name]):6.1f} {max(measured[name]):6.1f}" for name in ("relay", "ping", "post")]
    verdict = "" if worst(measured) < LIMIT_MS else "  OVER"
    print(f"{kind:18} {worst(quiet):8.1f}   {'   '.join(cells)}   {busy * 100:5.0f} %   {tries}{verdict}", flush=True)


def main(program, *kinds):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    measures_exactly()
    print(f"{'':18} {'no flood':>8}   {'relay':>13}   {'chat':>13}   {'post':>13}   server   tries")
    print(f"{'milliseconds':18} {'worst':>8}   " + "   ".join(["   p99  worst"] * 3))
    over = []
    for kind in kinds or [flood.__name__ for flood in flood.KINDS]:
        daemon = Daemon(program)
        try:
            bystander = Bystander(daemon.address)
            for tries in range(1, TRIES + 1):
                quiet, measured, busy = attempt(daemon, bystander, kind)
                if worst(measured) < LIMIT_MS:
                    break
            else:
                over.append(kind)
            row(kind, quiet, measured, busy, tries)
        finally:
            daemon.stop()
    if over:
        print(f"over {LIMIT_MS} ms each time: {', '.join(over)}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
