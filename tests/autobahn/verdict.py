"""Judges an Autobahn report: every case expected, every case strictly right.

`index.json` holds, per agent and case, `behavior` (what the case was about) and `behaviorClose` (how
the connection then ended). The suite itself calls a run with failures a success, so this is the judge.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import pathlib

# INFORMATIONAL marks the cases in which RFC 6455 leaves the choice to the endpoint.
ACCEPTED = ("OK", "INFORMATIONAL")


@dataclasses.dataclass(frozen=True)
class Verdict:
    counts: dict[str, collections.Counter[str]]
    complaints: list[str]

    @property
    def passed(self) -> bool:
        return not self.complaints


def read(index: pathlib.Path) -> dict[str, dict[str, str]]:
    """The cases of the one agent in the report."""
    agents = json.loads(index.read_text())
    if len(agents) != 1:
        raise ValueError(f"one agent was tested, the report has {sorted(agents)}")
    (cases,) = agents.values()
    return cases


def judge(cases: dict[str, dict[str, str]], expected: int) -> Verdict:
    complaints = []
    if len(cases) != expected:
        complaints.append(f"{len(cases)} cases ran, {expected} were expected")
    counts: dict[str, collections.Counter[str]] = {}
    for aspect in ("behavior", "behaviorClose"):
        counts[aspect] = collections.Counter()
        for name, case in sorted(cases.items(), key=lambda item: in_order(item[0])):
            found = case.get(aspect, "MISSING")
            counts[aspect][found] += 1
            if found not in ACCEPTED:
                complaints.append(f"case {name}: {aspect} is {found}")
    return Verdict(counts, complaints)


def in_order(name: str) -> list[int]:
    return [int(part) for part in name.split(".")]
