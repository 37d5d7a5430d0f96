"""Two machines as in service: two `xunfang run`, one PostgreSQL, one trunk; real SIP, RTP and recognition.

One is killed -9 in the middle of a conversation: its elders are dialled by the other one and go on where
they stopped, the trunk never carries more calls than it has channels, everybody ends heard.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from command_line import ROOT, running, until, xunfang

from sip_test_harness.formats import list_personas
from sip_test_harness.village import Village
from storage import Store
from storage.model import Call
from xunfang import setup
from xunfang.clock import SystemClock
from xunfang.demo.folder import FIRST_PORT, LADDER, LAST_PORT, PORT_STEP, SIP_PORTS_NEEDED, free_ports
from xunfang.demo.ledger import enrol_persona
from xunfang.settings import load
from xunfang.vocabulary import CallDisposition, DiallerState, PlanStatus
from xunfang.wiring import open_store

sys.path.append(str(ROOT / "tests" / "integration"))

import postgres_server

ELDERS, CHANNELS = 4, 3
START_S, CALLS_S = 240.0, 300.0  # the machine may be busy; alone it takes half a minute, and two
ALONE = {"identity", "opening"}  # asked again in every call

pytestmark = [pytest.mark.acceptance, pytest.mark.realtime, pytest.mark.timeout(START_S + CALLS_S + 120)]

SETTINGS = """\
engine = "postgres"
[storage]
url = "{url}"
secret_key_file = "{key}"
[trunk]
gateways = ["127.0.0.1:{port}"]
rtp_port = {rtp_port}
answer = false
[lines]
count = 1
calls_per_line = 2
[schedule]
hours = ["00:00-24:00"]
call_on_holidays = true
spread = false
channels = {channels}
max_calls_per_day = 10
min_gap_s = 2
tick_s = 1
ladder = "ladder.yaml"
[fleet]
heartbeat_s = 1
[recording]
enabled = false
"""


@dataclass(frozen=True)
class Run:
    calls: list[Call]
    killed: frozenset[int]
    told_before: frozenset[str]  # questions that a killed call had answered
    most_channels: int
    statuses: list[PlanStatus]
    shown: dict[str, object]
    code: int
    left: bool


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    place = tmp_path_factory.mktemp("machines")
    port = free_ports(range(FIRST_PORT, LAST_PORT, PORT_STEP), SIP_PORTS_NEEDED)
    well = next(each for each in list_personas() if each.id == "well")
    people = [replace(well, id=f"well{n}", number=f"1380000990{n}") for n in range(ELDERS)]
    with ExitStack() as stack:
        server = stack.enter_context(postgres_server.running())
        url = server.url(server.create())
        folders = [_machine(place / name, url, port, 22_000 + 400 * n) for n, name in enumerate("ab")]
        store = stack.enter_context(open_store(load(folders[0] / setup.SETTINGS_FILE, {})))
        with store.begin() as work:
            for person in people:
                enrol_persona(work, person, "demo_short", SystemClock().now())
        stack.enter_context(Village(people, port=port, rtp_port=23_000, processes=3))
        a, b = (stack.enter_context(running("run", cwd=folder)) for folder in folders)
        most = [0]
        killed = until(lambda: _in_the_middle(store, a.pid, most), START_S, "no call in mid-conversation")
        told = {each.question for id in killed for each in _answers(store, id)} - ALONE
        os.kill(a.pid, signal.SIGKILL)
        until(lambda: _everybody_heard(store, most), CALLS_S, "not everybody was heard")
        told_status = xunfang("status", "--json", cwd=folders[1])
        assert told_status.returncode == 0, told_status.stderr
        b.send_signal(signal.SIGTERM)
        code = b.wait(60)
        with store.read() as work:
            calls = work.calls.page()
            statuses = [
                plan.status for call in calls if call.plan_id and (plan := work.plans.get(call.plan_id))
            ]
            diallers = [work.diallers.get(each.dialler_id or 0) for each in calls]
        yield Run(
            calls,
            frozenset(killed),
            frozenset(told),
            most[0],
            statuses,
            json.loads(told_status.stdout),
            code,
            all(each is not None and each.state is DiallerState.GONE for each in diallers),
        )


def _machine(folder: Path, url: str, port: int, rtp_port: int) -> Path:
    setup.init(folder)
    key = folder.parent / "a" / setup.KEY_FILE
    text = SETTINGS.format(url=url, key=key, port=port, rtp_port=rtp_port, channels=CHANNELS)
    (folder / setup.SETTINGS_FILE).write_text(text, "utf-8")
    (folder / "ladder.yaml").write_text(LADDER, "utf-8")
    return folder


def _live(store: Store, most: list[int]) -> list[Call]:
    with store.read() as work:
        live = work.calls.open()
    most[0] = max(most[0], len(live))
    return live


def _answers(store: Store, call_id: int) -> list[object]:
    with store.read() as work:
        return list(work.answers.of(call_id))


def _in_the_middle(store: Store, pid: int, most: list[int]) -> set[int] | None:
    """The live calls of this process, once one of its elders has told something."""
    live = _live(store, most)
    mine = {call.id for call in live if call.line.endswith(f"/{pid}")}
    others = [call for call in live if call.id not in mine]
    told = [id for id in mine if {each.question for each in _answers(store, id)} - ALONE]  # type: ignore[attr-defined]
    return mine if told and others else None


def _everybody_heard(store: Store, most: list[int]) -> bool | None:
    _live(store, most)
    with store.read() as work:
        done = work.overview.plans_now(SystemClock().now()).get(PlanStatus.DONE, 0)
    return True if done == ELDERS else None


def test_everybody_is_heard_although_a_machine_was_killed(run: Run) -> None:
    assert set(run.statuses) == {PlanStatus.DONE}
    completed = [each for each in run.calls if each.disposition is CallDisposition.COMPLETED]
    assert len({each.elder_id for each in completed}) == len(completed) == ELDERS
    assert {each.disposition for each in run.calls if each.id in run.killed} == {CallDisposition.INTERRUPTED}


def test_the_trunk_carries_no_more_calls_than_it_has_channels(run: Run) -> None:
    assert 2 <= run.most_channels <= CHANNELS


def test_both_machines_dialled_and_the_survivor_took_over(run: Run) -> None:
    assert len({each.line for each in run.calls}) == 2
    survivors = {each.line for each in run.calls if each.disposition is CallDisposition.COMPLETED}
    assert survivors - {each.line for each in run.calls if each.id in run.killed}


def test_what_was_told_before_the_kill_is_kept(run: Run) -> None:
    assert run.told_before


def test_status_shows_the_survivor_and_it_leaves_in_good_order(run: Run) -> None:
    diallers = run.shown["diallers"]
    assert isinstance(diallers, list)
    assert len(diallers) == 1
    assert run.shown["planned"]
    assert run.code == 0
    assert run.left
