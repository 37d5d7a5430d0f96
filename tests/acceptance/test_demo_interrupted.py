"""A demo that was killed goes on where it stopped, and one that is asked to stop does so in good order."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from pathlib import Path

import pytest
from command_line import CLI_S, lines_of, running, until
from demo_run import ANSWERED_ALONE, DEMO_S

from storage import Store
from storage.model import Call
from xunfang.demo.folder import RUNNING, STATE
from xunfang.settings import load
from xunfang.vocabulary import Alert, CallDisposition
from xunfang.wiring import open_store

pytestmark = [pytest.mark.acceptance, pytest.mark.realtime, pytest.mark.timeout(DEMO_S)]


def test_an_interrupted_demo_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Killed outright in a conversation; run again, it takes the call back and dials it anew; then Ctrl-C."""
    folder = tmp_path / "folder"
    words = ("demo", "--folder", folder)
    with ExitStack() as stack:
        with running(*words, cwd=tmp_path) as first:
            until(lambda: lines_of(first.pid) or first.poll(), CLI_S, "no line process was up")
            store = stack.enter_context(open_store(load(folder / "xunfang.toml", {})))
            cut = until(lambda: _told_something(store), 240.0, "nobody answered a question")
            first.kill()
        with store.read() as work:
            before = work.answers.of_plan(cut.plan_id)
            assert any(call.id == cut.id for call in work.calls.open())
        assert (folder / STATE).read_text("utf-8") == RUNNING
        with running(*words, cwd=tmp_path) as second:
            again = until(lambda: _dialled_again(store, cut), CLI_S, "the cut-off call was not dialled again")
            second.send_signal(signal.SIGINT)
            assert second.wait(60) == 130
        assert "接着上次中断的演示继续" in (tmp_path / "out").read_text("utf-8")
        assert "再次运行即可接着进行" in (tmp_path / "out").read_text("utf-8")
        with store.read() as work:
            taken_back = work.calls.get(cut.id)
            assert taken_back is not None
            assert taken_back.disposition is CallDisposition.INTERRUPTED
            assert again.attempt == cut.attempt + 1
            kept = [answer for answer in work.answers.of_plan(cut.plan_id) if answer.call_id == cut.id]
            assert kept == before
            assert work.calls.open() == []


def _told_something(store: Store) -> Call | None:
    with store.read() as work:
        for call in work.calls.open():
            told = {each.question for each in work.answers.of(call.id)} - ANSWERED_ALONE
            if call.plan_id and told and call.alert is not Alert.URGENT:
                return call
    return None


def _dialled_again(store: Store, cut: Call) -> Call | None:
    with store.read() as work:
        return next((call for call in work.calls.of_plan(cut.plan_id or 0) if call.id != cut.id), None)
