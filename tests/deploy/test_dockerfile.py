"""deploy/Dockerfile, without Docker: what it copies is there, what it builds can be built, what it runs is understood.

The image itself is not built here.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shlex
import subprocess
import tomllib
import unittest

from daemon import Daemon

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    lines = [line for line in DOCKERFILE.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(" ", 1)) for line in lines]


def all_of(name: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == name]


class Dockerfile(unittest.TestCase):
    def test_what_it_copies_is_there_and_not_ignored(self):
        ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
        copied = [words[:-1] for rest in all_of("COPY") if "--from=" not in (words := rest.split())[0]]
        copied = [name for names in copied for name in names]
        self.assertIn("src", copied)
        for name in copied:
            self.assertTrue((ROOT / name).exists(), name)
            self.assertIn(f"!{name}", ignored)

    def test_all_that_the_manifest_names_is_copied(self):
        manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
        copied = " ".join(all_of("COPY"))
        for target, folder in (("bench", "benches"), ("test", "tests"), ("example", "examples"), ("bin", "src")):
            if manifest.get(target):
                self.assertIn(f" {folder}", f" {copied}")
        # What is compiled in from outside src.
        for source in (ROOT / "src").rglob("*.rs"):
            for name in re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', source.read_text()):
                path = (source.parent / name).resolve().relative_to(ROOT)
                self.assertIn(path.parts[0], copied.split(), f"{source} includes {path}")

    def test_cargo_knows_what_it_is_told(self):
        (build,) = [rest for rest in all_of("RUN") if rest.startswith("cargo ")]
        words = shlex.split(build)
        features = tomllib.loads((ROOT / "Cargo.toml").read_text())["features"]
        for feature in words[words.index("--features") + 1].split(","):
            self.assertIn(feature, features)
        dry = ["cargo", "metadata", "--format-version", "1", "--locked", "--no-deps", *[w for w in words if "default" in w]]
        self.assertEqual(subprocess.run(dry, cwd=ROOT, capture_output=True).returncode, 0)

    def test_its_environment_and_its_health_check_are_understood(self):
        variables = dict(pair.split("=", 1) for rest in all_of("ENV") for pair in rest.split())
        helped = subprocess.run([os.environ["WSRELAY_BIN"], "--help"], capture_output=True, text=True, check=True).stdout
        for name in variables:
            self.assertIn(name, helped)
        self.assertEqual(variables["WSRELAY_LISTEN"].split(":")[1], all_of("EXPOSE")[0])
        self.assertTrue(variables["WSRELAY_DATA"].startswith(all_of("VOLUME")[0]))
        check = json.loads(all_of("HEALTHCHECK")[0].split("CMD ", 1)[1])
        self.assertEqual(json.loads(all_of("ENTRYPOINT")[0])[0], check[0])
        with Daemon("--log", "warn") as daemon:
            command = [os.environ["WSRELAY_BIN"], *check[1:-1], daemon.http()]
            self.assertEqual(subprocess.run(command, capture_output=True).returncode, 0)
            url = daemon.http()
        self.assertEqual(subprocess.run([*command[:-1], url], capture_output=True).returncode, 1)

    def test_it_is_nobody(self):
        self.assertEqual(all_of("USER"), ["65532:65532"])
        self.assertEqual([rest.split()[0] for rest in all_of("FROM")][-1], "scratch")


if __name__ == "__main__":
    unittest.main()
