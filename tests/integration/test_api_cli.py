"""`xunfang token` and `xunfang webhook` as typed."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog

from storage import Store
from visits.channels import sign
from web.security import tokens
from xunfang.cli import main

pytestmark = pytest.mark.integration

SECRET = "a secret only for tests, 0123456789"
Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """The JSON of a command, or its exit code and message when it fails."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XUNFANG_STORAGE__SECRET_KEY", SECRET)

    def go(*words: str) -> Any:
        monkeypatch.setattr(sys, "argv", ["xunfang", *words, "--json"])
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        told = capsys.readouterr()
        return json.loads(told.out) if code == 0 else (code, told.err)

    yield go
    structlog.reset_defaults()


def test_a_token_is_made_listed_and_revoked(run: Run, tmp_path: Path) -> None:
    made = run("token", "add", "county", "--scope", "cases:read", "--scope", "elders:read", "--days", "30")
    assert made["scopes"] == ["elders:read", "cases:read"]
    store = Store(f"sqlite:///{tmp_path / 'xunfang.db'}", [SECRET])
    with store.read() as work:
        kept = work.api_tokens.find(tokens.token_hash(made["token"]))
    store.close()
    assert kept is not None
    (listed,) = run("token", "list")
    assert listed["valid"]
    assert made["token"] not in json.dumps(listed)
    assert run("token", "revoke", "county")["name"] == "county"
    assert not run("token", "list")[0]["valid"]
    assert run("token", "revoke", "county")[0] == 2
    assert "不认识的权限" in run("token", "add", "other", "--scope", "everything")[1]
    assert run("token", "add", "other", "--scope", "admin", "--area", "1")[0] == 2


def test_a_webhook_is_added_tested_listed_and_removed(run: Run) -> None:
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    made = run("webhook", "add", "county", url, "--event", "case.opened")
    assert run("webhook", "test", "county")["delivered"]
    ((headers, body),) = got
    assert headers["X-Xunfang-Signature"] == sign(made["secret"], headers["X-Xunfang-Timestamp"], body)
    listed = run("webhook", "list")
    assert listed["webhooks"][0]["events"] == ["case.opened"]
    assert made["secret"] not in json.dumps(listed)
    server.shutdown()
    server.server_close()
    code, said = run("webhook", "test", "county")
    assert (code, "没有送达" in said, url in said) == (2, True, False)
    assert run("webhook", "retry", "7")[0] == 2
    assert run("webhook", "remove", "county")["removed"]
    assert run("webhook", "remove", "county")[0] == 2
