"""`xunfang user` and `xunfang web` as typed: the first admin, and a server that stops when it is asked to."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from storage import Store
from xunfang.cli import main

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

SECRET = "a secret only for tests, 0123456789"
START_S = 60  # it imports everything; on a busy machine that takes long


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "xunfang.toml").write_text("[web]\nloopback_http = true\n", "utf-8")
    return tmp_path


def command(folder: Path, *words: str) -> list[str]:
    start = "from xunfang.cli import main; main()"
    return [sys.executable, "-c", start, "--config", str(folder / "xunfang.toml"), *words]


@dataclass(frozen=True)
class Ran:
    code: object
    out: str
    err: str


class Typed:
    """As typed, by the very function that the command calls."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.setenv("XUNFANG_STORAGE__SECRET_KEY", SECRET)

    def __call__(self, *words: str, stdin: str = "") -> Ran:
        self._monkeypatch.setattr(sys, "argv", command(self._folder, *words)[2:])
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        told = self._capsys.readouterr()
        return Ran(code, told.out, told.err)

    def json(self, *words: str, stdin: str = "") -> Any:
        ran = self(*words, "--json", stdin=stdin)
        assert ran.code == 0, ran.err
        return json.loads(ran.out)


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Typed]:
    yield Typed(folder, monkeypatch, capsys)
    structlog.reset_defaults()  # a command that logs has bound this test's stderr


def test_users_are_added_listed_given_new_passwords_and_disabled(folder: Path, run: Typed) -> None:
    made = run.json("user", "add", "He", "--role", "county_admin", "--name", "何县长", "--generate")
    assert len(made["password"]) == 19
    piped = run.json("user", "add", "second", "--role", "county_admin", stdin="long-enough-pass-1\n")
    assert "password" not in piped
    assert [user["login"] for user in run.json("user", "list")] == ["he", "second"]
    assert run.json("user", "password", "he", "--generate")["password"] != made["password"]
    assert run.json("user", "disable", "second")["active"] is False
    last = run("user", "disable", "he")
    assert (last.code, "最后一个" in last.err) == (2, True)
    assert run.json("user", "disable", "second", "--enable")["active"] is True
    short = run("user", "add", "third", "--role", "county_admin", stdin="short\n")
    assert (short.code, "10至128" in short.err) == (2, True)
    assert run("user", "password", "nobody", "--generate").code == 2
    store = Store(str(folder / "xunfang.db"), [SECRET])
    with store.read() as work:
        kinds = [entry.kind for entry in work.audit.of("account:2")]
    store.close()
    assert kinds == ["account.added", "account.disabled", "account.enabled"]


def test_the_console_is_served_signs_in_streams_and_stops_at_once_when_told(folder: Path, run: Typed) -> None:
    password = run.json("user", "add", "he", "--role", "county_admin", "--generate")["password"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = subprocess.Popen(
        command(folder, "web", "--port", str(port)),
        env=os.environ | {"XUNFANG_STORAGE__SECRET_KEY": SECRET},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert served.stderr is not None
    base = f"http://127.0.0.1:{port}"
    try:
        _wait(base, served)
        with httpx.Client(base_url=base, headers={"Origin": base}) as client:
            assert client.get("/readyz").text == "ready\n"
            assert "xunfang_cases_open" in client.get("/metrics").text
            assert client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.9"}).status_code == 404
            signed = client.post("/login", data={"login": "he", "password": password})
            assert signed.status_code == 303
            with client.stream("GET", "/live") as stream:
                lines = stream.iter_lines()
                assert next(lines).startswith("retry:")
                served.send_signal(signal.SIGTERM)
                asked = time.monotonic()
                assert served.wait(10) in (0, -signal.SIGTERM)
                assert time.monotonic() - asked < 4  # without waiting for the open stream
    finally:
        if served.poll() is None:
            served.kill()
        told = served.stderr.read()
        served.stderr.close()
        served.wait()
    assert base in told
    assert "Traceback" not in told


def test_cookies_in_the_clear_are_only_for_this_machine(run: Typed) -> None:
    refused = run("web", "--host", "0.0.0.0")
    assert (refused.code, "loopback_http" in refused.err) == (2, True)


def _wait(base: str, served: subprocess.Popen[str]) -> None:
    """Until it answers: the only thing to wait for is another process."""
    until = time.monotonic() + START_S
    while True:
        try:
            assert httpx.get(f"{base}/healthz").status_code == 200
            return
        except httpx.TransportError:
            assert served.poll() is None, "the console ended at once"
            assert time.monotonic() < until, "the console did not come up"
            time.sleep(0.1)
