"""Foreign SIP programs: found or skipped, started in a folder of their own, stopped by process id."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

PROBE = (
    "OPTIONS sip:probe@127.0.0.1:{port} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:{own};rport;branch=z9hG4bKprobe{own}\r\n"
    "From: <sip:probe@127.0.0.1>;tag=p\r\nTo: <sip:127.0.0.1:{port}>\r\n"
    "Call-ID: probe{own}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\n"
    "Contact: <sip:probe@127.0.0.1:{own}>\r\nContent-Length: 0\r\n\r\n"
)


def needs(program: str, package: str) -> str:
    """Path of the program; skips the test with the line that installs it."""
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/bin")
    if path is None:
        pytest.skip(f"{program} is not installed: apt-get install -y {package}")
    return path


class Program:
    """A process on loopback. `stop` ends it and returns its exit code."""

    def __init__(self, command: list[str], folder: Path, name: str) -> None:
        self.folder = folder
        with (folder / f"{name}.log").open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        self._name = name

    def output(self) -> str:
        return (self.folder / f"{self._name}.log").read_text("utf-8", "replace")

    def answers_options(self, port: int, within: float = 8.0) -> None:
        """Wait until something SIP comes back from its port; the time limit is an error, not a delay."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            probe.settimeout(0.2)
            own = probe.getsockname()[1]
            until = time.monotonic() + within
            while time.monotonic() < until:
                self._must_live()
                probe.sendto(PROBE.format(port=port, own=own).encode(), ("127.0.0.1", port))
                try:
                    probe.recv(4096)
                except OSError:
                    continue
                return
        self.stop()
        raise AssertionError(f"{self._name} does not answer: {self.output()[-800:]}")

    def listens_on(self, port: int, within: float = 8.0) -> None:
        """Wait until a UDP socket is bound to the port (for programs that answer no OPTIONS)."""
        wanted = f":{port:04X}"
        until = time.monotonic() + within
        while time.monotonic() < until:
            self._must_live()
            rows = Path("/proc/net/udp").read_text().splitlines()[1:]
            if any(row.split()[1].endswith(wanted) for row in rows):
                return
            time.sleep(0.02)
        self.stop()
        raise AssertionError(f"{self._name} does not listen on {port}")

    def says(self, text: str, within: float = 8.0) -> None:
        """Wait until the program has printed the text."""
        until = time.monotonic() + within
        while text not in self.output():
            self._must_live()
            assert time.monotonic() < until, f"{self._name} never said {text!r}: {self.output()[-800:]}"
            time.sleep(0.02)

    def _must_live(self) -> None:
        assert self.process.poll() is None, f"{self._name} ended: {self.output()[-800:]}"

    def stop(self, within: float = 5.0) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        return code
