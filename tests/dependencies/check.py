"""Whether DEPENDENCIES.md says what Cargo.lock has, and whether all of it is under a licence that we can live with.

    check.py            compares; says what is wrong, and ends with status 1
    check.py --print    prints the table's facts anew, for whoever reviews them: reasons are written by hand

What is compared: which crates are named directly, in which version, under which licence, and how many come with each; and
how many there are in all. The dates of releases are what the registry's index said on the day of the review, and are compared with nothing.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "DEPENDENCIES.md"
TARGET = "x86_64-unknown-linux-gnu"

# Each permits use, change and distribution in a program under MIT, and asks for no more than a notice.
ALLOWED = {
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
}


class Tree:
    """What cargo resolves for one system, with all features."""

    def __init__(self) -> None:
        command = ["cargo", "metadata", "--format-version=1", "--locked", "--all-features", f"--filter-platform={TARGET}"]
        told = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
        self.packages = {package["id"]: package for package in told["packages"]}
        self.nodes = {node["id"]: node for node in told["resolve"]["nodes"]}
        self.root = told["resolve"]["root"]

    def direct(self, kinds: set[str | None]) -> list[str]:
        found = [dep["pkg"] for dep in self.nodes[self.root]["deps"] if self.is_of(dep, kinds)]
        return sorted((id for id in set(found) if id != self.root), key=lambda id: self.packages[id]["name"])

    def below(self, start: str) -> set[str]:
        """What comes with a crate, itself left out: what is linked, and what builds it."""
        seen, waiting = set(), [start]
        while waiting:
            for dep in self.nodes[waiting.pop()]["deps"]:
                if self.is_of(dep, {None, "build"}) and dep["pkg"] not in seen:
                    seen.add(dep["pkg"])
                    waiting.append(dep["pkg"])
        return seen - {start}

    @staticmethod
    def is_of(dep: dict, kinds: set[str | None]) -> bool:
        return any(kind["kind"] in kinds for kind in dep["dep_kinds"])

    def facts(self, id: str) -> tuple[str, str, str, str]:
        package = self.packages[id]
        return package["name"], package["version"], licence(package), str(len(self.below(id)))


def licence(package: dict) -> str:
    return (package["license"] or "none").replace("/", " OR ").replace("  ", " ")


def is_allowed(expression: str) -> bool:
    """Of an SPDX expression: one of what an OR offers, all of what an AND demands."""
    expression = expression.strip()
    while expression.startswith("(") and matching(expression) == len(expression) - 1:
        expression = expression[1:-1].strip()
    for operator, combine in ((" AND ", all), (" OR ", any)):
        parts = split(expression, operator)
        if len(parts) > 1:
            return combine(is_allowed(part) for part in parts)
    return expression in ALLOWED


def matching(text: str) -> int:
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return place
    return -1


def split(text: str, operator: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and text.startswith(operator, place):
            parts.append(text[start:place])
            start = place + len(operator)
    return [*parts, text[start:]]


def rows(text: str) -> list[tuple[str, str, str, str]]:
    found = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| (\d+) \|", text, re.M)
    return [(name, version.strip(), said.strip(), count) for name, version, said, count in found]


def counts(tree: Tree) -> str:
    linked = tree.below(tree.root)
    everything = set(tree.nodes) - {tree.root}
    return f"{len(linked)} crates are in the executable or build it, {len(everything) - len(linked)} more are for tests alone"


def check() -> list[str]:
    tree, text = Tree(), TABLE.read_text()
    wrong = []
    told = rows(text)
    is_so = [tree.facts(id) for id in [*tree.direct({None, "build"}), *dev_only(tree)]]
    wrong += [f"DEPENDENCIES.md says {row}, which is not so" for row in told if row not in is_so]
    wrong += [f"DEPENDENCIES.md does not say {row}" for row in is_so if row not in told]
    wrong += [f"{row} stands in the table twice" for row in set(told) if told.count(row) > 1]
    # Not only of this system: whoever builds for another has others.
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--all-features"]
    everywhere = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)["packages"]
    wrong += [
        f"{package['name']} {package['version']} is under {licence(package)}"
        for package in everywhere
        if not is_allowed(licence(package))
    ]
    if counts(tree) not in " ".join(text.split()):
        wrong.append(f"DEPENDENCIES.md does not say: {counts(tree)}")
    return wrong


def dev_only(tree: Tree) -> list[str]:
    linked = set(tree.direct({None, "build"}))
    return [id for id in tree.direct({"dev"}) if id not in linked]


def unsafe_lines(package: dict) -> str:
    sources = Path(package["manifest_path"]).parent.glob("src/**/*.rs")
    code = [line.split("//")[0] for source in sources for line in source.read_text(errors="replace").splitlines()]
    if any(re.search(r"forbid\(.*unsafe_code", line) for line in code):
        return "forbidden"
    lines = sum(1 for line in code if re.search(r"\bunsafe\b", line))
    return str(lines) if lines else "none"


def published(package: dict) -> str:
    """When this version was, and what the newest is, as the index has it that cargo keeps."""
    name = package["name"]
    folder = f"{len(name)}" if len(name) < 3 else f"3/{name[0]}" if len(name) == 3 else f"{name[:2]}/{name[2:4]}"
    for cached in Path.home().glob(f".cargo/registry/index/*/.cache/{folder}/{name}"):
        entries = re.findall(rb'\{"name".*?\}(?=\x00|$)', cached.read_bytes())
        for entry in map(json.loads, entries):
            if entry["vers"] == package["version"]:
                return (entry.get("pubtime") or "?")[:10]
    return "?"


def print_facts() -> None:
    tree = Tree()
    for id in [*tree.direct({None, "build"}), *dev_only(tree)]:
        name, version, said, count = tree.facts(id)
        package = tree.packages[id]
        print(f"| `{name}` | {version} | {said} | {count} | {unsafe_lines(package)} | {published(package)} |")
    print(counts(tree))
    linked = tree.below(tree.root)
    unsafes = [unsafe_lines(tree.packages[id]) for id in linked]
    print(f"of {len(linked)}: {sum(u in ('none', 'forbidden') for u in unsafes)} without unsafe code")
    print(f"oldest: {sorted((published(tree.packages[id]), tree.packages[id]['name']) for id in linked)[:8]}")


def test_of_the_check() -> None:
    assert is_allowed("MIT OR GPL-3.0-only") and is_allowed("(MIT OR Apache-2.0) AND Unicode-3.0")
    assert not is_allowed("GPL-3.0-only") and not is_allowed("MIT AND GPL-3.0-only") and not is_allowed("none")
    assert not is_allowed("(MIT OR Apache-2.0) AND LGPL-2.1-only")


if __name__ == "__main__":
    test_of_the_check()
    if "--print" in sys.argv:
        print_facts()
        sys.exit()
    found = check()
    print("\n".join(found) or "DEPENDENCIES.md says what Cargo.lock has, and every licence is one we can live with")
    sys.exit(1 if found else 0)
