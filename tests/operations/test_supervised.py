"""The daemon as systemd would start it: sockets handed over, readiness told, a watchdog that wants signs of life.

systemd itself is not here. What it does to a process is: descriptors from 3 on, variables, and a datagram socket that listens.
"""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import time
import unittest

from asking import HANDSHAKE, ask
from supervisor import Ear, Service, listening

WAIT_S = 10.0


class Supervised(unittest.TestCase):
    def setUp(self) -> None:
        self.directory = self.enterContext(tempfile.TemporaryDirectory())
        self.ear = self.enterContext(Ear(self.directory))

    def test_it_is_ready_when_it_says_so_and_tells_when_it_ends(self):
        with listening() as public, Service([public], ear=self.ear) as service:
            self.assertIn("READY=1", self.ear.hear())
            self.assertEqual(ask(public.getsockname()[1], "/healthz").text, "ok\n")
            service.signal(signal.SIGTERM)
            self.assertIn("STOPPING=1", self.ear.hear())
            self.assertEqual(service.wait(), 0)

    def test_signs_of_life_come_while_it_lives_and_not_while_it_is_stopped(self):
        with listening() as public, Service([public], ear=self.ear, env={"WATCHDOG_USEC": "400000"}) as service:
            self.assertIn("READY=1", self.ear.hear())
            beats = [self.ear.hear_of("WATCHDOG=1") for _ in range(6)]
            # Five intervals of half the period each; never faster, and on a busy machine not much slower.
            self.assertGreater(beats[-1] - beats[0], 5 * 0.19)
            service.signal(signal.SIGSTOP)
            self.ear.drop_all()
            self.assertIsNone(self.ear.hear(1.0), "a process that does not run does not claim to")
            service.signal(signal.SIGCONT)
            self.ear.hear_of("WATCHDOG=1")
            service.signal(signal.SIGTERM)
            self.ear.hear_of("STOPPING=1")
            self.assertEqual(service.wait(), 0)

    def test_no_sign_of_life_is_given_unasked(self):
        with listening() as public, Service([public], ear=self.ear) as service:
            self.assertIn("READY=1", self.ear.hear())
            self.assertIsNone(self.ear.hear(1.0))
            self.assertEqual(service.end(), 0)

    def test_sockets_of_all_kinds_are_taken_over_and_their_files_left_alone(self):
        path = f"{self.directory}/http.sock"
        with listening() as tcp, listening(path) as unix, listening() as metrics:
            sockets, names = [tcp, unix, metrics], "http:http:metrics"
            with Service(sockets, ear=self.ear, env={"LISTEN_FDNAMES": names}) as service:
                self.ear.hear_of("READY=1")
                port, metrics_port = tcp.getsockname()[1], metrics.getsockname()[1]
                self.assertEqual(service.lines, [
                    f"listening on http://127.0.0.1:{port}",
                    f"listening on unix:{path}",
                    f"metrics on http://127.0.0.1:{metrics_port}",
                ])
                for where in (port, path):
                    self.assertEqual(ask(where, "/").status, 200)
                    self.assertEqual(ask(where, "/metrics").status, 404)
                self.assertEqual(ask(metrics_port, "/metrics").status, 200)
                self.assertEqual(ask(metrics_port, "/echo", headers=HANDSHAKE).status, 404)
                self.assertEqual(service.end(), 0)
            self.assertTrue(os.path.exists(path))
            # And whoever comes now waits for the next.
            waiting = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
            waiting.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            with Service(sockets, ear=self.ear, env={"LISTEN_FDNAMES": names}) as service:
                self.assertTrue(waiting.recv(1_000).startswith(b"HTTP/1.1 200"))
                waiting.close()
                self.assertEqual(service.end(), 0)

    def test_what_is_meant_for_another_process_is_not_taken(self):
        with listening() as public, Service([public], ear=self.ear, pid="1") as service:
            self.ear.hear_of("READY=1")
            self.assertNotIn(f"listening on http://127.0.0.1:{public.getsockname()[1]}", service.lines)
            self.assertEqual(service.end(), 0)

    def test_what_is_no_listening_socket_is_an_error_that_says_so(self):
        with open("/dev/null", "rb") as null, Service([null], ear=self.ear) as service:
            self.assertEqual(service.wait(), 1)
            self.assertIn("handed over", service.stderr())

    def test_metrics_alone_are_nothing_to_serve(self):
        with listening() as metrics, Service([metrics], ear=self.ear, env={"LISTEN_FDNAMES": "metrics"}) as service:
            self.assertEqual(service.wait(), 1)
            self.assertIn("all are for metrics", service.stderr())

    def test_a_successor_waits_for_the_data_file_and_says_so(self):
        data = f"{self.directory}/chat.db"
        with listening() as public, Service([public], "--data", data, ear=self.ear) as old:
            self.ear.hear_of("READY=1")
            with Service([public], "--data", data, ear=self.ear) as new:
                message = self.ear.hear()
                self.assertIn("STATUS=waiting for the data file", message)
                self.assertIn("EXTEND_TIMEOUT_USEC=", message)
                self.assertEqual(old.end(), 0)
                self.ear.hear_of("READY=1")
                self.assertEqual(ask(public.getsockname()[1], "/healthz").text, "ok\n")
                self.assertEqual(new.end(), 0)
                self.assertIn("the data file is in use: waiting for its holder to end", new.stderr())

    def test_without_sockets_handed_over_nobody_is_waited_for(self):
        data = f"{self.directory}/chat.db"
        with Service([], "--data", data, ear=self.ear) as old:
            self.ear.hear_of("READY=1")
            began = time.monotonic()
            with Service([], "--data", data, ear=self.ear) as new:
                self.assertEqual(new.wait(), 1)
                self.assertIn("in use by another process", new.stderr())
            self.assertLess(time.monotonic() - began, WAIT_S)
            self.assertEqual(old.end(), 0)


if __name__ == "__main__":
    unittest.main()
