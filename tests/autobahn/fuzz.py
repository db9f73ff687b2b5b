"""Lets the suite's fuzzing client loose on a daemon, and judges its report."""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from daemon import Daemon  # noqa: E402
from verdict import judge, read  # noqa: E402

# What is excluded, how many cases that leaves in the pinned suite, and when to give it up.
SETS = {
    "base": (["12.*", "13.*"], 301, 300),
    "all": ([], 301 + 216, 1800),
}

# The largest message of the suite (cases 9.1.6 and 9.2.6).
MESSAGE_BYTES_MAX = 16 * 1024 * 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wstest", required=True, type=pathlib.Path)
    parser.add_argument("--reports", required=True, type=pathlib.Path)
    parser.add_argument("set", choices=SETS)
    args = parser.parse_args()
    excluded, expected, deadline_s = SETS[args.set]

    # A report of an earlier run must never be judged in place of this one.
    out = args.reports / args.set
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)

    started = time.monotonic()
    with Daemon("--max-message", str(MESSAGE_BYTES_MAX), "--log", "warn") as daemon:
        spec = out / "spec.json"
        spec.write_text(json.dumps({
            "outdir": str(out),
            "servers": [{"agent": "wsrelay", "url": daemon.ws("/echo")}],
            "cases": ["*"],
            "exclude-cases": excluded,
            "exclude-agent-cases": {},
        }))
        run_suite(args.wstest, spec, out / "wstest.log", deadline_s)
        took_s = time.monotonic() - started

        verdict = judge(read(out / "index.json"), expected)
        print(f"autobahn {args.set}: {expected} cases in {took_s:.0f} s")
        for aspect, counts in verdict.counts.items():
            print(f"  {aspect}: " + ", ".join(f"{n} {outcome}" for outcome, n in counts.most_common()))
        for complaint in verdict.complaints:
            print(f"  {complaint}")
        if not verdict.passed:
            print(f"  the full report: {out / 'index.html'}")
    return 0 if verdict.passed else 1


def run_suite(wstest: pathlib.Path, spec: pathlib.Path, log: pathlib.Path, deadline_s: float) -> None:
    with log.open("wb") as output:
        subprocess.run(
            [wstest, "--mode", "fuzzingclient", "--spec", spec],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            cwd=spec.parent, timeout=deadline_s, check=True,
        )


if __name__ == "__main__":
    sys.exit(main())
