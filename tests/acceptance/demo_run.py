"""One demo with a line process killed in the middle of it, played once for all tests that look at it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command_line import CLI_S, lines_of, open_files, running, until

from sip_test_harness.formats import load_demo_village
from storage import Store
from storage.model import Call
from xunfang.settings import load
from xunfang.vocabulary import Alert
from xunfang.wiring import open_store

DEMO_S = 600.0  # on a machine that does nothing else it takes less than four minutes
ANSWERED_ALONE = {"identity", "opening"}  # asked again in every call

VILLAGE = {member.persona.id: member for member in load_demo_village().elders}


@dataclass(frozen=True)
class Run:
    folder: Path
    log: str
    shown: str
    result: dict[str, Any]
    killed: frozenset[int]  # answered calls that the killed line carried
    store: Store

    def calls(self, persona: str) -> list[dict[str, Any]]:
        return [call for call in self.result["calls"] if call["persona"] == persona]

    def answers(self, persona: str) -> list[dict[str, Any]]:
        return [line for line in self.result["answers"] if line["persona"] == persona]

    def cases(self, persona: str) -> list[dict[str, Any]]:
        name = VILLAGE[persona].persona.name
        return [case for case in self.result["cases"] if case["elder"] == name]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    place = tmp_path_factory.mktemp("demo")
    folder, result = place / "folder", place / "result.json"
    with ExitStack() as stack:
        words = ("demo", "--folder", folder, "--json", result)
        service = stack.enter_context(running(*words, cwd=place, XUNFANG_LOG__LEVEL="INFO"))
        until(lambda: lines_of(service.pid) or service.poll(), CLI_S, "no line process was up")
        store = stack.enter_context(open_store(load(folder / "xunfang.toml", {})))
        line, calls = until(lambda: _worth_killing(service, store), DEMO_S, "no line in mid-conversation")
        os.kill(line, signal.SIGKILL)
        code = service.wait(DEMO_S)
        log = (place / "err").read_text("utf-8")
        assert code == 0, log
        yield Run(
            folder,
            log,
            (place / "out").read_text("utf-8"),
            json.loads(result.read_text("utf-8")),
            calls,
            store,
        )


def _worth_killing(service: subprocess.Popen[bytes], store: Store) -> tuple[int, frozenset[int]] | None:
    """A line with an elder who has told something, and with nobody in danger: who is gets a case, no call."""
    assert service.poll() is None, "the demo has ended before a line could be killed"
    with store.read() as work:
        calls = {call.recording: call for call in work.calls.open() if call.recording}
        told = {
            call.id
            for call in calls.values()
            if {answer.question for answer in work.answers.of(call.id)} - ANSWERED_ALONE
        }
    for line in lines_of(service.pid):
        files = open_files(line)
        carried = [call for path, call in calls.items() if any(file.endswith(path) for file in files)]
        if told & _ids(carried) and all(call.alert is not Alert.URGENT for call in carried):
            return line, frozenset(_ids(carried))
    return None


def _ids(calls: list[Call]) -> set[int]:
    return {call.id for call in calls}
