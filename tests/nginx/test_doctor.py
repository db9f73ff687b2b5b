"""`wsrelay doctor`, on a healthy way to the daemon and on ways that are broken on purpose: each fault is named."""

from __future__ import annotations

import json
import os
import pathlib
import sqlite3
import subprocess
import tempfile
import unittest

from daemon import Daemon
from served import Site

LOCATION = "proxy_pass http://wsrelay;\n"


def doctor(*arguments: str, **environment: str) -> tuple[int, dict[str, dict]]:
    """Its exit status, and its findings by topic."""
    command = [os.environ["WSRELAY_BIN"], "doctor", "--json", *arguments]
    looked = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, **environment})
    assert looked.returncode in (0, 1), looked.stderr
    told = json.loads(looked.stdout)
    assert told["sound"] == (looked.returncode == 0), told
    return looked.returncode, {finding["topic"]: finding for finding in told["findings"]}


class Doctor(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = self.enterContext(tempfile.TemporaryDirectory())
        self.data = f"{self.directory}/chat.db"

    def examine(self, *arguments: str) -> tuple[int, dict[str, dict]]:
        return doctor("--data", self.data, "--patience", "5", *arguments)

    def assert_faults(self, findings: dict[str, dict], expected: dict[str, str]) -> None:
        """These topics are bad, each for a reason with this in it, and no others are."""
        bad = {topic: finding["says"] for topic, finding in findings.items() if finding["verdict"] == "bad"}
        self.assertEqual(set(bad), set(expected), bad)
        for topic, words in expected.items():
            self.assertIn(words, bad[topic])
            self.assertTrue(findings[topic]["mend"])


class OnTheWay(Doctor):
    def setUp(self) -> None:
        super().setUp()
        self.daemon = self.enterContext(Daemon("--log", "warn"))

    def behind(self, *changes: tuple[str, str], idle: int = 0) -> tuple[int, dict[str, dict]]:
        site = self.enterContext(Site(pathlib.Path(self.directory), f"127.0.0.1:{self.daemon.port}", changes))
        url = f"https://127.0.0.1:{site.https_port}"
        return self.examine("--ca", str(site.certificate), "--idle", str(idle), url)

    def test_a_daemon_without_anything_before_it_is_well(self):
        status, findings = self.examine("--idle", "1", self.daemon.http())
        self.assertEqual(status, 0, findings)
        self.assert_faults(findings, {})
        self.assertLessEqual(
            {"reach", "page", "its clock", "upgrade", "own origin", "foreign", "compression", "ping", "body", "chat",
             "message", "idle", "descriptors", "backlog", "clock", "data", "space", "disk"}, set(findings),
        )
        for topic in ("page", "upgrade", "own origin", "foreign", "compression", "ping", "body", "chat", "message", "idle"):
            self.assertEqual(findings[topic]["verdict"], "ok", findings[topic])
        self.assertIn("65536 bytes", findings["message"]["says"])

    def test_the_site_that_is_given_is_well(self):
        status, findings = self.behind(idle=2)
        self.assertEqual(status, 0, findings)
        for topic in ("reach", "page", "upgrade", "own origin", "foreign", "compression", "ping", "body", "message", "idle"):
            self.assertEqual(findings[topic]["verdict"], "ok", findings[topic])

    def test_over_a_unix_socket(self):
        path = f"{self.directory}/http.sock"
        with Daemon("--log", "warn", "--listen", f"unix:{path}"):
            status, findings = self.examine("--idle", "0", f"unix:{path}")
        self.assertEqual(status, 0, findings)
        self.assertEqual(findings["upgrade"]["verdict"], "ok")

    def test_no_upgrade(self):
        status, findings = self.behind(("proxy_set_header Upgrade           $http_upgrade;", ""))
        self.assertEqual(status, 1)
        self.assertIn("takes the Upgrade away", findings["upgrade"]["says"])
        self.assertIn("proxy_set_header Upgrade", findings["upgrade"]["mend"])
        self.assertEqual(findings["body"]["verdict"], "ok", "the rest is looked at nevertheless")

    def test_no_connection_header(self):
        _, findings = self.behind(("proxy_set_header Connection        $wsrelay_connection;", ""))
        self.assertIn("takes the Upgrade away", findings["upgrade"]["says"])

    def test_http_1_0(self):
        _, findings = self.behind(("proxy_http_version 1.1;", ""))
        self.assertEqual(findings["upgrade"]["verdict"], "bad")
        self.assertIn("proxy_http_version 1.1", findings["upgrade"]["mend"])

    def test_a_short_read_timeout(self):
        status, findings = self.behind(("proxy_read_timeout 120s;", "proxy_read_timeout 1s;"), idle=5)
        self.assertEqual(status, 1)
        self.assert_faults(findings, {"idle": "is cut after 1."})
        self.assertIn("proxy_read_timeout", findings["idle"]["mend"])

    def test_a_lost_host(self):
        status, findings = self.behind(("proxy_set_header Host              $http_host;", ""))
        self.assertEqual(status, 1)
        self.assert_faults(findings, {"own origin": "the Host that a browser sends does not arrive"})
        self.assertIn("proxy_set_header Host $http_host", findings["own origin"]["mend"])

    def test_a_small_body(self):
        status, findings = self.behind((LOCATION, f"{LOCATION} client_max_body_size 1k;\n"))
        self.assertEqual(status, 1)
        self.assert_faults(findings, {"body": "refused before it reaches the daemon"})
        self.assertIn("client_max_body_size", findings["body"]["mend"])

    def test_no_compression(self):
        status, findings = self.behind((LOCATION, f"{LOCATION} proxy_set_header Sec-WebSocket-Extensions '';\n"))
        self.assertEqual(status, 0, "it works")
        self.assertEqual(findings["compression"]["verdict"], "poor")

    def test_figures_for_everybody(self):
        fields = ("proxy_set_header X-Forwarded-For   $remote_addr;", "proxy_set_header X-Forwarded-Proto $scheme;")
        _, findings = self.behind(*((field, "") for field in fields))
        self.assert_faults(findings, {"metrics": "whoever asks is told /metrics"})
        self.assertIn("X-Forwarded-For", findings["metrics"]["mend"])

    def test_an_origin_made_to_fit(self):
        _, findings = self.behind((LOCATION, f"{LOCATION} proxy_set_header Origin '';\n"))
        self.assert_faults(findings, {"foreign": "pages of any site are let in"})

    def test_a_certificate_that_nobody_trusts(self):
        site = self.enterContext(Site(pathlib.Path(self.directory), f"127.0.0.1:{self.daemon.port}"))
        status, findings = self.examine(f"https://127.0.0.1:{site.https_port}")
        self.assertEqual(status, 1)
        self.assert_faults(findings, {"reach": "TLS fails"})

    def test_a_proxy_whose_daemon_is_gone(self):
        site = self.enterContext(Site(pathlib.Path(self.directory), f"unix:{self.directory}/nobody.sock"))
        _, findings = self.examine("--ca", str(site.certificate), f"https://127.0.0.1:{site.https_port}")
        self.assert_faults(findings, {"reach": "a proxy answers 502"})

    def test_plain_http_to_the_site_leads_elsewhere(self):
        site = self.enterContext(Site(pathlib.Path(self.directory), f"127.0.0.1:{self.daemon.port}"))
        _, findings = self.examine(f"http://127.0.0.1:{site.http_port}")
        self.assert_faults(findings, {"reach": "sends one elsewhere"})
        self.assertNotIn("/healthz", findings["reach"]["says"], "an address that the doctor takes")

    def test_the_wrong_scheme(self):
        site = self.enterContext(Site(pathlib.Path(self.directory), f"127.0.0.1:{self.daemon.port}"))
        _, findings = self.examine(f"http://127.0.0.1:{site.https_port}")
        self.assertIn("say https", findings["reach"]["mend"])
        _, findings = self.examine("--ca", str(site.certificate), f"https://127.0.0.1:{self.daemon.port}")
        self.assert_faults(findings, {"reach": "nothing speaks TLS"})
        self.assertIn("Say http", findings["reach"]["mend"])

    def test_certificates_that_cannot_be_read(self):
        site = self.enterContext(Site(pathlib.Path(self.directory), f"127.0.0.1:{self.daemon.port}"))
        _, findings = self.examine("--ca", f"{self.directory}/none.pem", f"https://127.0.0.1:{site.https_port}")
        self.assert_faults(findings, {"reach": "the certificates to trust cannot be read"})


class Alone(Doctor):
    def test_nobody_there(self):
        with Daemon("--log", "warn") as daemon:
            url = daemon.http()
        _, findings = self.examine(url)
        self.assert_faults(findings, {"reach": "nobody listens"})
        _, findings = self.examine(f"unix:{self.directory}/none.sock")
        self.assert_faults(findings, {"reach": "there is no socket"})

    def test_every_site_let_in(self):
        with Daemon("--log", "warn", "--allow-origin", "*") as daemon:
            _, findings = self.examine("--idle", "0", daemon.http())
        self.assert_faults(findings, {"foreign": "pages of any site are let in"})

    def test_without_raw_rooms_and_without_guests(self):
        with Daemon("--log", "warn", "--relay", "off", "--guests", "off") as daemon:
            status, findings = self.examine("--idle", "0", daemon.http())
        self.assertEqual(status, 0, findings)
        self.assertEqual(findings["upgrade"]["verdict"], "ok")
        self.assertIn("does not let the doctor in", findings["chat"]["says"])

    def test_quickly(self):
        with Daemon("--log", "warn") as daemon:
            status, findings = doctor("--quick", daemon.http())
        self.assertEqual((status, set(findings)), (0, {"reach"}))

    def test_a_data_file_in_use_and_out_of_use(self):
        _, findings = self.examine()
        self.assertIn("not there yet", findings["data"]["says"])
        with Daemon("--log", "warn", "--data", self.data) as daemon:
            status, findings = self.examine("--idle", "0", daemon.http())
            self.assertEqual(status, 0, findings)
            self.assertIn("in use by a daemon, whole", findings["data"]["says"])
        before = sorted(os.listdir(self.directory))
        _, findings = self.examine()
        self.assertRegex(findings["data"]["says"], r"KiB, format \d+, whole$")
        self.assertEqual(sorted(os.listdir(self.directory)), before, "nothing is left beside it")
        self.assertNotIn("privacy", findings)
        os.chmod(self.data, 0o644)
        self.assertEqual(self.examine()[1]["privacy"]["verdict"], "poor")

    def test_a_damaged_file(self):
        with Daemon("--log", "warn", "--data", self.data):
            pass
        with open(self.data, "r+b") as file:
            file.seek(3 * 4096)
            file.write(os.urandom(4 * 4096))
        _, findings = self.examine()
        self.assert_faults(findings, {"data": "is damaged"})

    def test_somebody_elses_file(self):
        with sqlite3.connect(self.data) as other:
            other.execute("CREATE TABLE theirs (x)")
        other.close()
        self.assert_faults(self.examine()[1], {"data": "not a file of wsrelay"})

    def test_a_directory_that_is_not_there(self):
        _, findings = doctor("--data", f"{self.directory}/nowhere/chat.db")
        self.assert_faults(findings, {"data": "is not there"})

    def test_few_descriptors_are_told(self):
        shell = ["sh", "-c", 'ulimit -n 500; exec "$0" "$@"', os.environ["WSRELAY_BIN"], "doctor", "--data", self.data]
        looked = subprocess.run(shell, capture_output=True, text=True, check=True)
        self.assertRegex(looked.stdout, r"poor +descriptors +a daemon started from here may open 500\b.*\n +→ systemd: LimitNOFILE")

    def test_what_is_no_url_is_refused(self):
        for url in ("nowhere", "ftp://h", "http://h/path"):
            refused = subprocess.run([os.environ["WSRELAY_BIN"], "doctor", url], capture_output=True, text=True)
            self.assertEqual(refused.returncode, 2, url)


if __name__ == "__main__":
    unittest.main()
